"""The assembled application behind a real web server on loopback, and a client for it."""

import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from multidict import CIMultiDictProxy
from yarl import URL

from delivery.hooks import fetching
from delivery.hooks.call import Fetch
from foundation.accounts import sessions
from foundation.accounts.models import Role
from foundation.ground import Ground
from foundation.web import middleware, security
from handbill import listening
from tests.world import people


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """An answer, read to its end."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes
    url: str

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8")

    @property
    def location(self) -> str:
        """Where a redirect leads."""
        return self.headers.get("Location", "")

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    def field(self, name: str) -> str:
        """The value of a hidden or text input."""
        tag = re.search(rf'<input\b[^>]*\bname="{re.escape(name)}"[^>]*>', self.text)
        assert tag, f"no input {name} in the page"
        value = re.search(r'\bvalue="([^"]*)"', tag[0])
        return value[1] if value else ""


class Web:
    """A browser without scripts: keeps cookies, follows nothing by itself."""

    def __init__(self, ground: Ground, base: str, *, csrf: str = "") -> None:
        self.ground = ground
        self.base = base
        self.csrf = csrf
        self.http = aiohttp.ClientSession(
            base, cookie_jar=aiohttp.CookieJar(unsafe=True), auto_decompress=True
        )
        self._others: list[Web] = []

    async def get(self, path: str, **more: Any) -> Answer:
        """GET a path."""
        return await self.request("GET", path, **more)

    async def post(self, path: str, data: Any = None, **more: Any) -> Answer:
        """POST a form (a mapping or pairs); the CSRF field is added for staff."""
        if self.csrf and "json" not in more and not isinstance(data, (bytes, aiohttp.FormData)):
            pairs = list(data.items()) if isinstance(data, Mapping) else list(data or [])
            if security.CSRF_FIELD not in [name for name, _ in pairs]:
                pairs.append((security.CSRF_FIELD, self.csrf))
            data = [(name, each) for name, value in pairs for each in _each(value)]
        elif self.csrf:
            more["headers"] = {security.CSRF_HEADER: self.csrf, **more.get("headers", {})}
        return await self.request("POST", path, data=data, **more)

    async def request(self, method: str, path: str, **more: Any) -> Answer:
        """Any request; an absolute link to the site is followed to this server."""
        more.setdefault("allow_redirects", False)
        local = path.removeprefix(self.ground.settings.site.url)
        async with self.http.request(method, URL(local, encoded=True), **more) as response:
            return Answer(
                status=response.status,
                headers=response.headers,
                body=await response.read(),
                url=str(response.url),
            )

    async def as_staff(self, role: Role = Role.OWNER, *, email: str | None = None) -> "Web":
        """Another browser, signed in as staff of `role`."""
        _, secret = await people.staff(self.ground, role, email=email)
        person = await sessions.find(self.ground, secret=secret)
        assert person is not None
        other = Web(self.ground, self.base, csrf=person.csrf_secret)
        other.http.cookie_jar.update_cookies({middleware.SESSION_COOKIE: secret}, URL(self.base))
        self._others.append(other)
        return other

    async def close(self) -> None:
        """End this browser and those it opened."""
        for other in self._others:
            await other.close()
        await self.http.close()


def _each(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


@asynccontextmanager
async def browsing(ground: Ground, *, fetch: Fetch = fetching.fetch) -> AsyncIterator[Web]:
    """The application on a free port, and a browser at its door."""
    async with listening.open_web(ground, host="127.0.0.1", port=0, fetch=fetch) as port:
        web = Web(ground, f"http://127.0.0.1:{port}")
        try:
            yield web
        finally:
            await web.close()
