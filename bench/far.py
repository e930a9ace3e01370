"""Messages a second to a relay that is 40 ms away, beside aiosmtplib's call for each message."""

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiosmtplib

from bench import house, sending
from bench import sink as sinks
from bench.measure import Result, compare

ROUND_TRIP_S = 0.04
GOAL = 3.0


async def run(*, people: int, times: int) -> Result:
    """As many connections for both; the yardstick sends a fifth as many, as it takes its time."""
    content = await sending.one_message()
    with tempfile.TemporaryDirectory() as folder:
        async with (
            sinks.running() as near,
            _delayed(near) as port,
            house.opened(Path(folder), port=port) as ground,
        ):
            ours = await sending.dispatches(ground, people=people)

            async def theirs() -> float:
                share = people // 5 // house.CONNECTIONS
                began = time.perf_counter()
                async with asyncio.TaskGroup() as group:
                    for _ in range(house.CONNECTIONS):
                        group.create_task(_one_by_one(port, share, content))
                return share * house.CONNECTIONS / (time.perf_counter() - began)

            return await compare(
                "sending, 40 ms round trip",
                unit="messages",
                yardstick="aiosmtplib, a call for each message",
                ours=ours,
                theirs=theirs,
                times=times,
                goal=GOAL,
            )


async def _one_by_one(port: int, messages: int, content: bytes) -> None:
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
        for _ in range(messages):
            await client.sendmail("bulletin@coalition.example", ["ana@example.org"], content)


@contextlib.asynccontextmanager
async def _delayed(port: int) -> AsyncIterator[int]:
    """A way to `port` on which everything takes half a round trip in each direction."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        while octets := await reader.read(65_536):
            loop.call_later(ROUND_TRIP_S / 2, writer.write, octets)
        loop.call_later(ROUND_TRIP_S / 2, writer.close)

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.suppress(ConnectionError):
            await asyncio.gather(carry(reader, far_writer), carry(far_reader, writer))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
