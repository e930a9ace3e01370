"""Runs the service: web, mail coming in, scheduler and sending in one process, or sending alone."""

import asyncio
import gc
import signal
import sys
from collections.abc import Coroutine
from typing import Any

from campaigns import mailed_stories
from delivery.crew import NOBODY, Crew, Share
from delivery.inbound import ways
from delivery.shift import pause
from delivery.worker import Worker
from foundation import changing, errors, logs, migrations
from foundation.ground import Ground
from foundation.helper import Helper
from handbill import keeper, listening
from scheduler.scheduler import Scheduler

_log = logs.get("serving")

_TURN_S = 0.0005
"""After so long a thread lets another one go on that waits for the interpreter; Python says 5 ms.

What a page asks the database comes back in a thread, fifty times a page, and each time it waits
until the loop lets go, which is busy with sending.
"""


async def serve(
    ground: Ground,
    *,
    host: str,
    port: int,
    with_worker: bool = True,
    crew: Crew = NOBODY,
    keeps: Helper | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Migrate, then serve until SIGTERM or SIGINT; what is being sent or taken is finished first.

    Then nothing new is begun anywhere, and the web closes last: it still answers what came before.
    `keeps` is who keeps sign-ups, if that is not this process.
    Raises `errors.Refused` for a database newer than the program or a port that is taken.
    """
    stop = stop or stop_on_signals()
    sys.setswitchinterval(_TURN_S)
    await migrations.migrate(ground.db)
    await changing.refresh(ground)
    async with (
        keeper.asked(ground, keeps),
        listening.open_web(ground, host=host, port=port) as bound,
        ways.opened(ground, mailed_stories.Desk(ground)) as ways_in,
    ):
        _log.info("serving", url=f"http://{host}:{bound}", worker=with_worker)
        runs: list[Coroutine[Any, Any, None]] = [Scheduler(ground).run(stop)]
        runs.append(changing.watch(ground, stop))
        runs += [way.run(stop) for way in ways_in]
        if with_worker:
            runs += _sending(ground, crew, stop)
        await _together(runs, stop)


async def work(ground: Ground, *, crew: Crew = NOBODY, stop: asyncio.Event | None = None) -> None:
    """Send until SIGTERM or SIGINT. The schema has to be there already."""
    stop = stop or stop_on_signals()
    await _together([*_sending(ground, crew, stop), changing.watch(ground, stop)], stop)


async def lend_a_hand(ground: Ground, *, share: Share, ends: int) -> None:
    """Send as one of a crew, until `ends` can be read, or SIGTERM or SIGINT."""
    stop, loop = stop_on_signals(), asyncio.get_running_loop()

    def end() -> None:
        loop.remove_reader(ends)
        stop.set()

    loop.add_reader(ends, end)
    while not (stop.is_set() or await _has_settings(ground)):
        await pause(stop, changing.EVERY_S)
    await _together([Worker(ground, share=share).run(stop), changing.watch(ground, stop)], stop)


async def _has_settings(ground: Ground) -> bool:
    """Take what owners changed; False while the database can't say."""
    try:
        await changing.refresh(ground)
    except errors.Busy as problem:
        _log.warning("sending can't begin yet", said=str(problem))
        return False
    return True


def _sending(ground: Ground, crew: Crew, stop: asyncio.Event) -> list[Coroutine[Any, Any, None]]:
    worker = Worker(ground, share=crew.share)
    return [worker.run(stop), crew.run(stop, lost=worker.settle)]


def stop_on_signals() -> asyncio.Event:
    """An event that SIGTERM or SIGINT sets."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


def spare_the_collector() -> None:
    """What was loaded so far stays for good: the collector need not look through it any more.

    It does so less often, too: a message is some hundred objects that go by themselves.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 50)


async def _together(runs: list[Coroutine[Any, Any, None]], stop: asyncio.Event) -> None:
    """Run all until each ends; when one fails, the others are told to stop and it is raised."""
    spare_the_collector()
    tasks = [asyncio.create_task(run) for run in runs]
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    stop.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
