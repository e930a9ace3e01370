"""The door: what very many ask for at once is answered here, before the application is asked.

To find a route and to pass through all that stands around a handler takes longer than an answer
that is the same for everybody. A slice marks such a handler by `answers`, with a quick way to its
answer; whatever that does not know, or should not say, goes on to the handler itself. So what is
said in haste and what is said in full are told in one place, the slice's.
"""

import functools
import itertools
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

from aiohttp import hdrs, web

from foundation.web import kit, security
from foundation.web.ready import Ready, Written
from foundation.web.rooms import Room

Quick = Callable[[web.Application, web.Request, str], Awaitable[Written | None]]
"""The answer to a request, or None; the text is what stands for `{…}` at the end of the path.

The request has no route yet: it is not asked for `app` or `match_info`.
"""
Headers = tuple[tuple[str, str], ...]
"""Names and values."""
_Handler = TypeVar("_Handler", bound=Callable[..., object])
_Inside = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def answers(quick: Quick) -> Callable[[_Handler], _Handler]:
    """Marks the handler of `/path` or `/path/{name}` that has a quick way to most answers."""

    def mark(handler: _Handler) -> _Handler:
        handler.at_the_door = quick  # type: ignore[attr-defined]
        return handler

    return mark


def elsewhere(app: web.Application, where: str, *, status: int, more: Headers = ()) -> Written:
    """A way on to `where`, with further headers that do not differ from one to the next."""
    is_https = app[kit.GROUND].settings.site.url.startswith("https:")
    return _way_on(status, more, is_https).to({hdrs.LOCATION: where})


@functools.cache
def _way_on(status: int, more: Headers, is_https: bool) -> Ready:
    response = web.Response(headers=more)
    security.add_headers(response, nonce="", is_https=is_https)
    return Ready(status=status, headers=response.headers)


class Door:
    """Stands before an application, in a server's place for handlers."""

    def __init__(self, app: web.Application, inside: _Inside) -> None:
        self._app = app
        self._ground = app[kit.GROUND]
        self._inside = inside
        self._plain: dict[tuple[str, str], Quick] = {}
        self._named: dict[tuple[str, str], Quick] = {}
        at_once = (each for each in app.router.resources() if not isinstance(each, Room))
        for route in itertools.chain.from_iterable(at_once):
            quick = getattr(route.handler, "at_the_door", None)
            if quick is None or route.resource is None or route.method == "HEAD":
                continue
            path = route.resource.canonical
            head, _, last = path.rpartition("/")
            if last.startswith("{"):
                self._named[route.method, head] = quick
            else:
                self._plain[route.method, path] = quick

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """What a request gets, here or inside."""
        request[kit.AT] = self._ground
        asked = cast(web.Request, request)  # the application's server makes no other
        path = asked.raw_path.partition("?")[0]
        named = ""
        quick = self._plain.get((asked.method, path))
        if quick is None:
            head, _, named = path.rpartition("/")
            quick = self._named.get((asked.method, head))
        if quick is not None and "%" not in named:
            found = await quick(self._app, asked, named)
            if found is not None:
                return cast(web.StreamResponse, found)  # as much of one as is asked for
        with self._ground.courtesy.answering():
            return await self._inside(request)
