"""Sending as it is deployed: `handbill worker`, with as many processes as the settings say."""

import asyncio
import contextlib
import itertools
import os
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import sqlalchemy as sa
from sqlmodel import col

from bench import house
from delivery.models import ALL_QUEUED, Delivery, Worker
from foundation.config import Settings
from foundation.ground import Ground
from templates.plan import Plan
from tests.world import mailing, service

_LOOK_S = 0.05


@contextlib.asynccontextmanager
async def running(settings: Settings, folder: Path) -> AsyncIterator[None]:
    """One `handbill worker`, for as long as the block lasts."""
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


class Bulletins:
    """Sends one bulletin after another by workers that run already; they take up what is there."""

    def __init__(
        self, ground: Ground, *, topic: int, people: int, plans: Mapping[str, Plan], sink: int
    ) -> None:
        self._ground = ground
        self._sink = sink
        self._topic = topic
        self._people = people
        self._plans = plans
        self._numbers = itertools.count(1)
        self._spent_s: list[float] = []
        self._sink_s: list[float] = []

    @classmethod
    async def prepared(
        cls,
        ground: Ground,
        *,
        people: int,
        plans: Mapping[str, Plan] | None = None,
        sink: int = 0,
    ) -> "Bulletins":
        """So many people, and one bulletin that went out to them already.

        `sink` is the process that takes them, if its time is to be told.
        """
        topic = await house.crowd(ground, people)
        wanted = plans or house.bulletins(ground)
        found = cls(ground, topic=topic, people=people, plans=wanted, sink=sink)
        await found.rate()
        found._spent_s.clear()
        found._sink_s.clear()
        return found

    async def rate(self) -> float:
        """From the start of a dispatch to its last row; messages a second."""
        number = next(self._numbers)
        spent_s = await self._processor_s()
        sink_s = _processor_s(self._sink) if self._sink else 0.0
        await mailing.start(
            self._ground, topics=[self._topic], campaign_id=number, plans=self._plans
        )
        began = time.perf_counter()
        # Others do the work, and announce nothing here.
        while await self._waits(number):  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_S)
        took_s = time.perf_counter() - began
        self._spent_s.append(await self._processor_s() - spent_s)
        self._sink_s.append((_processor_s(self._sink) if self._sink else 0.0) - sink_s)
        await check(self._ground, number, self._people)
        return self._people / took_s

    def told(self) -> str:
        """What a message took of all processors together, beside the relay or with it."""
        each = sorted(self._spent_s)[len(self._spent_s) // 2] / self._people
        words = f"{each * 1e6:.0f} µs of processor time a message, all sending processes together"
        if not self._sink:
            return words
        sink = sorted(self._sink_s)[len(self._sink_s) // 2] / self._people
        return f"{words}; the sink {sink * 1e6:.0f} µs"

    async def _waits(self, number: int) -> bool:
        """Whether anybody's mail is not out yet; read from the indexes that claims use."""
        waiting = sa.select(
            sa.or_(
                *(
                    sa.exists().where(col(Delivery.dispatch_id) == number, condition)
                    for condition in ALL_QUEUED
                )
            )
        )
        async with self._ground.db.reading() as session:
            return bool(await session.scalar(waiting))

    async def _processor_s(self) -> float:
        async with self._ground.db.reading() as session:
            statement = sa.select(col(Worker.pid)).where(col(Worker.closed_at).is_(None))
            senders = (await session.scalars(statement)).all()
        # Some of those that they began, which may sign for them, are senders themselves.
        return sum(map(_processor_s, {*senders, *itertools.chain(*map(_begun_by, senders))}))


async def check(ground: Ground, dispatch_id: int, people: int) -> None:
    """Everybody has got it, by the ledger. Raises `AssertionError`."""
    counts = await mailing.counts(ground, dispatch_id)
    if counts.sent != people:
        raise AssertionError(f"{counts.sent} of {people} were sent")


def _begun_by(process: int) -> Sequence[int]:
    """Processes that one began (proc(5))."""
    file = Path(f"/proc/{process}/task/{process}/children")
    return [int(each) for each in file.read_text(encoding="utf-8").split()]


def _processor_s(process: int) -> float:
    """Processor time of a process so far (proc(5): fields 14 and 15)."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
