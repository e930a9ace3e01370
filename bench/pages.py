"""Sign-up pages a second, beside a bare aiohttp handler that answers with the same octets."""

import asyncio
import sys
import tempfile
from pathlib import Path

import aiohttp
from aiohttp import web

from bench import house
from bench.measure import Result, compare
from handbill import listening
from tests.world import people

_CONNECTIONS = 8
_PAGE = "/subscribe"


async def run(*, requests: int, times: int) -> Result:
    """Both in this process; who asks is another one."""
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
                        ours=lambda: _load(port, requests),
                        theirs=lambda: _load(bare.addresses[0][1], requests),
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


async def _load(port: int, requests: int) -> float:
    words = (str(port), _PAGE, str(requests), str(_CONNECTIONS))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.load", *words, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    if process.returncode:
        raise ConnectionError("the page could not be had")
    return float(said)
