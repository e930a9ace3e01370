"""Messages a second by the real worker, beside a client that sends the same octets and no more."""

import asyncio
import itertools
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from bench import bulletin, house, raw_client, shares, workers
from bench import sink as sinks
from bench.measure import Rate, Result, compare
from bench.workers import Bulletins
from delivery import worker
from foundation.ground import Ground
from templates.plan import Plan
from tests.world import mailing
from tests.world import sink as watching

GOAL = 1.2
GOAL_WITH_CONDITIONS = 1.0


async def run(*, people: int, times: int) -> Result:
    """Five sections, ten links, two languages."""
    return await _beside_smtp_source("sending", None, people=people, times=times, goal=GOAL)


async def run_demo(*, people: int, times: int) -> Result:
    """The bulletin that the demo sends."""
    plans = await bulletin.plans()
    return await _beside_smtp_source(
        "sending the demo's bulletin", plans, people=people, times=times, goal=GOAL
    )


async def run_conditional(*, people: int, times: int) -> Result:
    """The same with a block for one town alone and another for members alone."""
    plans = await bulletin.plans(is_conditional=True)
    return await _beside_smtp_source(
        "… two blocks for some alone", plans, people=people, times=times, goal=GOAL_WITH_CONDITIONS
    )


async def _beside_smtp_source(
    name: str, plans: Mapping[str, Plan] | None, *, people: int, times: int, goal: float
) -> Result:
    """From the ledger on SQLite to a sink on loopback: claim, recheck, splice, journal, record."""
    content = await one_message(plans)
    program = sinks.postfix_program("smtp-source")
    with tempfile.TemporaryDirectory() as folder:
        async with (
            sinks.running() as port,
            house.opened(Path(folder), port=port) as ground,
            workers.running(ground.settings, Path(folder)),
        ):
            ours = await Bulletins.prepared(ground, people=people, plans=plans)

            async def theirs() -> float:
                began = time.perf_counter()
                if program:
                    await _smtp_source(program, port, messages=people, size=len(content))
                else:
                    await raw_client.send(
                        port, messages=people, connections=house.CONNECTIONS, content=content
                    )
                return people / (time.perf_counter() - began)

            found = await compare(
                f"{name}, {len(content) / 1000:.0f} KB messages",
                unit="messages",
                yardstick="smtp-source -d" if program else "a raw pipelining client",
                ours=ours.rate,
                theirs=theirs,
                times=times,
                goal=goal,
            )
            found.notes.append(ours.told())
        found.notes.append(await _shares(plans, people=people))
    return found


async def _shares(plans: Mapping[str, Plan] | None, *, people: int) -> str:
    """What one process does with its time, looked at from inside."""
    with tempfile.TemporaryDirectory() as folder:
        async with sinks.running() as port, house.opened(Path(folder), port=port) as ground:
            rate = await dispatches(ground, people=people, plans=plans)
            return f"time of one process alone: {await shares.of(rate)}"


async def dispatches(
    ground: Ground, *, people: int, plans: Mapping[str, Plan] | None = None
) -> Rate:
    """A way to measure one worker in this process: one more bulletin each time."""
    topic = await house.crowd(ground, people)
    numbers = itertools.count(1)
    bulletins = plans or house.bulletins(ground)

    async def rate() -> float:
        number = next(numbers)
        await mailing.start(ground, topics=[topic], campaign_id=number, plans=bulletins)
        began = time.perf_counter()
        await worker.run_until_idle(ground)
        took_s = time.perf_counter() - began
        await workers.check(ground, number, people)
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


async def one_message(plans: Mapping[str, Plan] | None = None) -> bytes:
    """What the worker sends to one person, as it is on the wire."""
    with tempfile.TemporaryDirectory() as folder:
        async with watching.running() as sink:
            sink.contents = []
            async with house.opened(Path(folder), port=sink.port) as ground:
                topic = await house.crowd(ground, 1)
                await mailing.start(ground, topics=[topic], plans=plans or house.bulletins(ground))
                await worker.run_until_idle(ground)
            return sink.contents[0]
