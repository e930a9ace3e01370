"""A room: a part of the application that is loaded when somebody first asks for something in it.

What it is made of is a good part of a service's memory, and many sites never open it.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NoReturn

from aiohttp import web


class Room(web.AbstractResource):
    """All addresses that are `path` or below it; which these are in detail says `load`.

    It is loaded in a thread, so that nobody else waits meanwhile.
    """

    def __init__(self, path: str, load: Callable[[], Iterable[web.RouteDef]]) -> None:
        super().__init__()
        self._path = path
        self._load = load
        self._opening = asyncio.Lock()
        self._inside: web.UrlDispatcher | None = None

    @property
    def canonical(self) -> str:
        """How all its addresses begin."""
        return self._path

    async def resolve(
        self, request: web.Request
    ) -> tuple[web.UrlMappingMatchInfo | None, set[str]]:
        """Who answers a request, or nobody and the methods that would do."""
        async with self._opening:
            inside = await asyncio.to_thread(self._opened) if self._inside is None else self._inside
        found = await inside.resolve(request)
        if found.http_exception is None:
            return found, set()
        if isinstance(found.http_exception, web.HTTPMethodNotAllowed):
            return None, set(found.http_exception.allowed_methods)
        return None, set()

    def __iter__(self) -> Iterator[web.AbstractRoute]:
        """All that is in it; opens it."""
        return iter(self._opened().routes())

    def __len__(self) -> int:
        return len(self._opened().routes())

    def get_info(self) -> Any:
        """What aiohttp shows of a resource."""
        return {"prefix": self._path}

    def raw_match(self, path: str) -> bool:  # noqa: ARG002 - aiohttp's to pass
        """Whether it has this very pattern; nobody adds to it, so it has none."""
        return False

    def add_prefix(self, prefix: str) -> NoReturn:
        """A room stands in the application itself."""
        raise RuntimeError(f"a room stands in no other application: {prefix}")

    def url_for(self, **kwargs: str) -> NoReturn:
        """Its addresses have no names."""
        raise RuntimeError(f"the addresses of a room have no names: {kwargs}")

    def _opened(self) -> web.UrlDispatcher:
        if self._inside is None:
            inside = web.UrlDispatcher()
            inside.add_routes(self._load())
            inside.freeze()
            self._inside = inside
        return self._inside
