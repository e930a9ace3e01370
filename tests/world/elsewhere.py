"""Web pages on an origin of their own, with somebody else's code pasted into them."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web


@dataclass(frozen=True, kw_only=True, slots=True)
class Pasted:
    """What a page holds."""

    code: str
    policy: str = ""
    """Its Content-Security-Policy."""


@asynccontextmanager
async def page_with(
    code: str, *, language: str, style: str = "", policy: str = ""
) -> AsyncIterator[str]:
    """The address of such a page, at whichever path, for as long as the block lasts.

    `style` is the page's own style sheet, `policy` its Content-Security-Policy.
    """
    same = Pasted(code=code, policy=policy)
    async with pages(lambda _path: same, language=language, style=style) as origin:
        yield origin


@asynccontextmanager
async def pages(
    find: Callable[[str], Pasted], *, language: str, style: str = ""
) -> AsyncIterator[str]:
    """The address of a site that holds what `find` gives for a path; asked each time anew."""

    async def show(request: web.Request) -> web.Response:
        found = find(request.path)
        return web.Response(
            text=f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            '<link rel="icon" href="data:,"><title>Our page</title>'
            '<link rel="stylesheet" href="/style.css"></head>'
            f"<body><main><h1>Our page</h1>{found.code}</main></body></html>",
            content_type="text/html",
            charset="utf-8",
            headers={"Content-Security-Policy": found.policy} if found.policy else None,
        )

    async def dress(_request: web.Request) -> web.Response:
        return web.Response(text=style, content_type="text/css")

    app = web.Application()
    app.router.add_get("/style.css", dress)
    app.router.add_get("/{path:.*}", show)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()
