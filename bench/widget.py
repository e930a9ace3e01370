"""What partners' pages load, a second, beside a bare aiohttp handler that has the same octets."""

import contextlib
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import aiohttp
from aiohttp import web

from bench import house, load
from bench.measure import Result, compare
from handbill import listening
from tests.world import people

GOAL = 0.7
_CONNECTIONS = 8
_PARTS = {
    "/widget.js": "the script",
    "/widget?lang=en": "the form for a frame",
    "/api/public/forms?lang=en": "the form for the element",
}


async def run(*, requests: int, times: int) -> Sequence[Result]:
    """Each is asked for as it stands in memory, uncompressed on both sides."""
    with tempfile.TemporaryDirectory() as folder:
        async with house.opened(Path(folder)) as ground:
            await people.topic(ground)
            async with listening.open_web(ground, host="127.0.0.1", port=0) as port:
                return [
                    await _one(port, path, name, requests=requests, times=times)
                    for path, name in _PARTS.items()
                ]


async def _one(port: int, path: str, name: str, *, requests: int, times: int) -> Result:
    async with (
        aiohttp.ClientSession(headers={"Accept-Encoding": "identity"}) as client,
        client.get(f"http://127.0.0.1:{port}{path}") as answer,
    ):
        body, kind = await answer.read(), answer.content_type
    wanted = [path] * requests
    async with _bare(path, body, kind) as bare_port:
        return await compare(
            f"GET {path.partition('?')[0]}, {name}, {len(body) / 1000:.1f} KB",
            unit="requests",
            yardstick="a bare aiohttp handler",
            ours=lambda: load.from_outside(port, wanted, connections=_CONNECTIONS),
            theirs=lambda: load.from_outside(bare_port, wanted, connections=_CONNECTIONS),
            times=times,
            goal=GOAL,
        )


@contextlib.asynccontextmanager
async def _bare(path: str, body: bytes, kind: str) -> AsyncIterator[int]:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=body, content_type=kind)

    app = web.Application()
    app.router.add_get(path.partition("?")[0], answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
