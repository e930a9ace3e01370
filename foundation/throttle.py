"""Limits across processes and nodes: counters in the database, one per subject and window.

A subject is hashed with a key of ours, so the table never holds an address or network in clear.
"""

import functools
import hashlib
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Field, col
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import rows, tables

_PERSON = b"throttle"


class ThrottleCounter(tables.Table, table=True):
    """How often something happened within one window."""

    __tablename__ = "throttle_counters"
    __table_args__ = {"sqlite_with_rowid": False}

    subject: str = Field(primary_key=True)
    window_start: datetime = Field(primary_key=True, sa_type=tables.UtcDateTime)
    count: int = Field(default=0, nullable=False)


def subject_key(name: str, value: str, *, secret: bytes) -> str:
    """How `value` (an address, a network) is written in the table for the limit called `name`."""
    digest = hashlib.blake2b(value.encode(), key=secret, digest_size=16, person=_PERSON)
    return f"{name}:{digest.hexdigest()}"


async def count(
    session: AsyncSession, *, subject: str, window: timedelta, now: datetime, by: int = 1
) -> int:
    """Add one, or more, to a subject's counter for the present window; returns the new count.

    Windows lie on a fixed grid, so a subject gets at most twice its limit in any stretch of the
    window's length. One statement, safe under any number of writers.
    """
    start = _window_start(now, window)
    insert = tables.insert_for(session, ThrottleCounter).values(
        subject=subject, window_start=start, count=by
    )
    statement = insert.on_conflict_do_update(
        index_elements=["subject", "window_start"],
        set_={"count": sa.text("throttle_counters.count + excluded.count")},
    ).returning(sa.inspect(ThrottleCounter).local_table.c.count)
    return int((await session.execute(statement)).scalar_one())


class Planned:
    """A counter that may be added to, as often as it was planned, from where its window began."""

    __slots__ = ("began", "count", "unused")

    def __init__(self, began: str) -> None:
        self.began = began
        self.count = 0
        self.unused = 0

    def add(self) -> int:
        """Add one, as planned; returns the new count."""
        self.unused -= 1
        self.count += 1
        return self.count


class Tally:
    """Counters of many things that happen at once, under limits that decide what is counted.

    All that may be counted is added before, by one statement; what a limit refused on the way is
    given back. On PostgreSQL the rows are held against others until the transaction ends, in the
    order of their `rank`, so that no two wait for one another.
    """

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._starts: dict[timedelta, str] = {}
        self._ranks: dict[int, dict[str, Planned]] = {}
        """By rank, then by subject."""

    def plan(self, subject: str, *, window: timedelta, rank: int) -> Planned:
        """Say before `take` that a subject may be counted once (more)."""
        ranked = self._ranks.get(rank)
        if ranked is None:
            ranked = self._ranks[rank] = {}
        planned = ranked.get(subject)
        if planned is None:
            planned = ranked[subject] = Planned(self._start(window))
        planned.unused += 1
        return planned

    async def take(self, session: AsyncSession) -> None:
        """Add all that was planned."""
        counters = await self._add(session, 1)
        found = dict(rows.unpacked(await session.scalar(_COUNTS, {_COUNTERS: counters})))
        for ranked in self._ranks.values():
            for subject, planned in ranked.items():
                planned.count = found[subject] - planned.unused

    async def give_back(self, session: AsyncSession) -> None:
        """Take away what was planned and did not happen."""
        if any(each.unused for ranked in self._ranks.values() for each in ranked.values()):
            await self._add(session, -1)

    async def _add(self, session: AsyncSession, sign: int) -> str:
        """Add what is planned, or take it away; returns the counters, as the database was told."""
        # Texts alone are put in order in a tenth of the time that they take with rank and window.
        ordered = (
            (subject, ranked[subject])
            for _, ranked in sorted(self._ranks.items())
            for subject in sorted(ranked)
        )
        counters = rows.packed(
            (place, subject, planned.began, sign * planned.unused)
            for place, (subject, planned) in enumerate(ordered)
            if planned.unused
        )
        await session.execute(_addition(session.get_bind().dialect.name), {_COUNTERS: counters})
        return counters

    def _start(self, window: timedelta) -> str:
        began = self._starts.get(window)
        if began is None:
            began = self._starts[window] = rows.written(_window_start(self._now, window))
        return began


_COUNTERS = "counters"
_LISTED = rows.Rows(_COUNTERS)
_COUNTS = sa.select(rows.gathered(col(ThrottleCounter.subject), col(ThrottleCounter.count))).join(
    _LISTED.table,
    sa.and_(
        col(ThrottleCounter.subject) == _LISTED.text(1),
        col(ThrottleCounter.window_start) == _LISTED.moment(2),
    ),
)


@functools.cache
def _addition(dialect: str) -> sa.Executable:
    columns = {
        "subject": _LISTED.text(1),
        "window_start": _LISTED.moment(2),
        "count": _LISTED.number(3),
    }
    return rows.insertion(dialect, ThrottleCounter, _LISTED, columns).on_conflict_do_update(
        index_elements=["subject", "window_start"],
        set_={"count": sa.text("throttle_counters.count + excluded.count")},
    )


async def peek(session: AsyncSession, *, subject: str, window: timedelta, now: datetime) -> int:
    """A subject's count in the present window, without adding to it."""
    statement = sa.select(col(ThrottleCounter.count)).where(
        col(ThrottleCounter.subject) == subject,
        col(ThrottleCounter.window_start) == _window_start(now, window),
    )
    return (await session.execute(statement)).scalar() or 0


async def has_happened(session: AsyncSession, *, subject: str, since: datetime) -> bool:
    """Whether anything was counted for a subject in a window that began at or after a moment."""
    statement = sa.select(
        sa.exists().where(
            col(ThrottleCounter.subject) == subject, col(ThrottleCounter.window_start) >= since
        )
    )
    return bool((await session.execute(statement)).scalar_one())


async def forget(session: AsyncSession, *, before: datetime) -> None:
    """Drop counters of windows that began before a moment."""
    await session.execute(
        sa.delete(ThrottleCounter).where(col(ThrottleCounter.window_start) < before)
    )


def _window_start(now: datetime, window: timedelta) -> datetime:
    seconds = int(window.total_seconds())
    return datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, tz=now.tzinfo)
