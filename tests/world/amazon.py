"""The part of Amazon SNS that is asked for things: certificates, and addresses that confirm."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from yarl import URL

from delivery.hooks import fetching


class Amazon:
    """A web server on loopback that stands for every host of SNS."""

    def __init__(self) -> None:
        self.pages: dict[str, bytes] = {}
        """Path → what is there; any other is not found."""
        self.leads: dict[str, str] = {}
        """Path → where it redirects to."""
        self.asked: list[str] = []
        """Every address that `fetch` was asked for."""
        self.paths: list[str] = []
        """Every path that the server was asked for."""
        self.port = 0

    def url(self, path: str) -> str:
        """Where the server itself has a path."""
        return f"http://127.0.0.1:{self.port}{path}"

    async def fetch(self, url: str) -> bytes:
        """In place of `fetching.fetch`: the same, but asked of this server."""
        self.asked.append(url)
        return await fetching.fetch(self.url(URL(url).raw_path_qs))

    async def answer(self, request: web.Request) -> web.Response:
        """What is at a path."""
        self.paths.append(request.path)
        if request.path in self.leads:
            return web.Response(status=302, headers={"Location": self.leads[request.path]})
        found = self.pages.get(request.path)
        return web.Response(body=found) if found is not None else web.Response(status=404)


@asynccontextmanager
async def serving() -> AsyncIterator[Amazon]:
    """The server, for as long as the block lasts."""
    amazon = Amazon()
    app = web.Application()
    app.router.add_get("/{path:.*}", amazon.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        amazon.port = runner.addresses[0][1]
        yield amazon
    finally:
        await runner.cleanup()
