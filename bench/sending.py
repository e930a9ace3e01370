"""Messages a second by the real worker, beside a client that sends the same octets and no more."""

import asyncio
import itertools
import tempfile
import time
from pathlib import Path

from bench import house, raw_client
from bench import sink as sinks
from bench.measure import Rate, Result, compare
from delivery import worker
from foundation.ground import Ground
from tests.world import mailing
from tests.world import sink as watching

GOAL = 1.2


async def run(*, people: int, times: int) -> Result:
    """From the ledger on SQLite to a sink on loopback: claim, recheck, splice, journal, record."""
    content = await one_message()
    program = sinks.postfix_program("smtp-source")
    with tempfile.TemporaryDirectory() as folder:
        async with sinks.running() as port, house.opened(Path(folder), port=port) as ground:
            ours = await dispatches(ground, people=people)

            async def theirs() -> float:
                began = time.perf_counter()
                if program:
                    await _smtp_source(program, port, messages=people, size=len(content))
                else:
                    await raw_client.send(
                        port, messages=people, connections=house.CONNECTIONS, content=content
                    )
                return people / (time.perf_counter() - began)

            return await compare(
                f"sending, {len(content) / 1000:.1f} KB messages",
                unit="messages",
                yardstick="smtp-source -d" if program else "a raw pipelining client",
                ours=ours,
                theirs=theirs,
                times=times,
                goal=GOAL,
            )


async def dispatches(ground: Ground, *, people: int) -> Rate:
    """A way to measure: each time one more bulletin to so many people, up to the last row."""
    topic = await mailing.crowd(ground, people)
    numbers = itertools.count(1)
    plan = house.bulletin(ground)

    async def rate() -> float:
        number = next(numbers)
        await mailing.start(ground, topics=[topic], campaign_id=number, plans={"en": plan})
        began = time.perf_counter()
        await worker.run_until_idle(ground)
        took_s = time.perf_counter() - began
        await _check(ground, number, people)
        return people / took_s

    return rate


async def _smtp_source(program: str, port: int, *, messages: int, size: int) -> None:
    process = await asyncio.create_subprocess_exec(
        program,
        "-d",
        *("-s", str(house.CONNECTIONS), "-m", str(messages), "-l", str(size)),
        *("-f", "bulletin@coalition.example", "-t", "ana@example.org"),
        f"127.0.0.1:{port}",
    )
    if await process.wait():
        raise ConnectionError("smtp-source failed")


async def one_message() -> bytes:
    """What the worker sends to one person, as it is on the wire."""
    with tempfile.TemporaryDirectory() as folder:
        async with watching.running() as sink:
            sink.contents = []
            async with house.opened(Path(folder), port=sink.port) as ground:
                topic = await mailing.crowd(ground, 1)
                plans = {"en": house.bulletin(ground)}
                await mailing.start(ground, topics=[topic], plans=plans)
                await worker.run_until_idle(ground)
            return sink.contents[0]


async def _check(ground: Ground, dispatch_id: int, people: int) -> None:
    counts = await mailing.counts(ground, dispatch_id)
    if counts.sent != people:
        raise AssertionError(f"{counts.sent} of {people} were sent")
