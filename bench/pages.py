"""Sign-up pages a second, beside a bare aiohttp handler that answers with the same octets."""

import tempfile
from pathlib import Path

import aiohttp
from aiohttp import web

from bench import house, load
from bench.measure import Result, compare
from handbill import listening
from tests.world import people

_CONNECTIONS = 8
_PAGE = "/subscribe"


async def run(*, requests: int, times: int) -> Result:
    """Both in this process; who asks is another one."""
    wanted = [_PAGE] * requests
    with tempfile.TemporaryDirectory() as folder:
        async with house.opened(Path(folder)) as ground:
            await people.topic(ground)
            async with listening.open_web(ground, host="127.0.0.1", port=0) as port:
                async with (
                    aiohttp.ClientSession() as client,
                    client.get(f"http://127.0.0.1:{port}{_PAGE}") as page,
                ):
                    body = await page.read()
                bare = web.AppRunner(_bare(body), access_log=None)
                await bare.setup()
                await web.TCPSite(bare, "127.0.0.1", 0).start()
                try:
                    return await compare(
                        f"GET {_PAGE}, {len(body) / 1000:.1f} KB",
                        unit="requests",
                        yardstick="a bare aiohttp handler",
                        ours=lambda: load.from_outside(port, wanted, connections=_CONNECTIONS),
                        theirs=lambda: load.from_outside(
                            bare.addresses[0][1], wanted, connections=_CONNECTIONS
                        ),
                        times=times,
                    )
                finally:
                    await bare.cleanup()


def _bare(body: bytes) -> web.Application:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=body, content_type="text/html")

    app = web.Application()
    app.router.add_get(_PAGE, answer)
    return app
