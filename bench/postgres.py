"""Messages a second by two processes on PostgreSQL, beside one on SQLite."""

import asyncio
import contextlib
import itertools
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

from bench import house, sending
from bench import sink as sinks
from bench.measure import Rate, Result, compare
from foundation.config import Settings
from foundation.ground import Ground
from tests.world import databases, mailing, service

GOAL = 1.0
_LOOK_S = 0.02


async def run(*, people: int, times: int) -> Result:
    """Processes of `handbill worker`; from the start of a dispatch to its last row."""
    with tempfile.TemporaryDirectory() as name:
        folders = [Path(name) / each for each in ("server", "sqlite", "first", "second")]
        for folder in folders:
            folder.mkdir()
        server = await asyncio.to_thread(databases.PostgresServer, folders[0], keeps_commits=True)
        try:
            url = await server.fresh()
            async with (
                sinks.running() as port,
                house.opened(folders[1], port=port) as on_sqlite,
                house.opened(folders[2], url=url, port=port) as on_postgresql,
                _worker(on_sqlite.settings, folders[1]),
                _worker(on_postgresql.settings, folders[2]),
                _worker(house.settings(folders[3], url=url, port=port), folders[3]),
            ):
                return await compare(
                    "two processes on PostgreSQL",
                    unit="messages",
                    yardstick="one process on SQLite",
                    ours=await _dispatches(on_postgresql, people),
                    theirs=await _dispatches(on_sqlite, people),
                    times=times,
                    goal=GOAL,
                )
        finally:
            await asyncio.to_thread(server.stop)


async def _dispatches(ground: Ground, people: int) -> Rate:
    topic = await house.crowd(ground, people)
    numbers = itertools.count(1)
    plans = house.bulletins(ground)

    async def rate() -> float:
        number = next(numbers)
        await mailing.start(ground, topics=[topic], campaign_id=number, plans=plans)
        began = time.perf_counter()
        # Others do the work, and announce nothing here.
        while (await mailing.counts(ground, number)).queued:  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_S)
        took_s = time.perf_counter() - began
        await sending.check(ground, number, people)
        return people / took_s

    return rate


@contextlib.asynccontextmanager
async def _worker(settings: Settings, folder: Path) -> AsyncIterator[None]:
    """A sending process, for as long as the block lasts."""
    file = folder / "config.toml"
    values = settings.model_dump(mode="json", exclude_unset=True)
    file.write_text(service.as_toml(values), encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "handbill", "--config", str(file), "worker"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        await process.wait()
