"""Opens the web server over the assembled application."""

import contextlib
from collections.abc import AsyncIterator, Iterable

from aiohttp import web

from delivery.hooks import fetching
from delivery.hooks.call import Fetch
from foundation import errors
from foundation.ground import Ground
from foundation.i18n import N_
from foundation.web.door import Door
from handbill import app


@contextlib.asynccontextmanager
async def open_web(
    ground: Ground,
    *,
    host: str,
    port: int,
    extra_routes: Iterable[web.RouteDef] = (),
    fetch: Fetch = fetching.fetch,
) -> AsyncIterator[int]:
    """The web server, for as long as the block lasts; gives the port (port 0 takes a free one)."""
    runner = web.AppRunner(
        app.build(ground, extra_routes=extra_routes, fetch=fetch),
        access_log=None,
        shutdown_timeout=5,
    )
    await runner.setup()
    if runner.server is not None:
        runner.server.request_handler = Door(runner.app, runner.server.request_handler).answer
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as problem:
            raise errors.Refused(
                N_("Can't listen on %(host)s:%(port)s: %(problem)s. Choose another with --port."),
                host=host,
                port=port,
                problem=problem.strerror or str(problem),
            ) from problem
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
