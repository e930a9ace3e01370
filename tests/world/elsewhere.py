"""A web page on an origin of its own, with somebody else's code pasted into it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web


@asynccontextmanager
async def page_with(
    code: str, *, language: str, style: str = "", policy: str = ""
) -> AsyncIterator[str]:
    """The address of such a page, for as long as the block lasts.

    `style` is the page's own style sheet, `policy` its Content-Security-Policy.
    """

    async def show(_request: web.Request) -> web.Response:
        return web.Response(
            text=f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            '<link rel="icon" href="data:,"><title>Our page</title>'
            '<link rel="stylesheet" href="/style.css"></head>'
            f"<body><main><h1>Our page</h1>{code}</main></body></html>",
            content_type="text/html",
            charset="utf-8",
            headers={"Content-Security-Policy": policy} if policy else None,
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
