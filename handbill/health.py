"""`/healthz` says that the process lives, `/readyz` that it can work, `/metrics` how it does."""

from aiohttp import web

from foundation import database
from foundation.web import kit


def routes() -> list[web.RouteDef]:
    """Addresses for whoever watches the service."""
    return [
        web.get("/healthz", alive),
        web.get("/readyz", ready),
        web.get("/metrics", metrics),
    ]


async def alive(_request: web.Request) -> web.Response:
    """Answers as long as the process does."""
    return web.Response(text="ok\n")


async def ready(request: web.Request) -> web.Response:
    """503 while the database can't be read and written."""
    if await database.is_writable(kit.ground(request).db):
        return web.Response(text="ready\n")
    return web.Response(
        status=503,
        text="the database can't be written: it is locked or out of reach, or its disk is full\n",
        headers={"Retry-After": "5"},
    )


async def metrics(request: web.Request) -> web.Response:
    """Totals in Prometheus' text format; nothing about a person."""
    # Its client brings two web servers of its own along; not everybody is watched by it.
    from handbill import metrics as figures

    body, content_type = await figures.told(kit.ground(request).db)
    return web.Response(body=body, headers={"Content-Type": content_type})
