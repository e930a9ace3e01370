"""Limits across processes and nodes: counters in the database, one per subject and window.

A subject is hashed with a key of ours, so the table never holds an address or network in clear.
"""

import hmac
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Field, col
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import tables


class ThrottleCounter(tables.Table, table=True):
    """How often something happened within one window."""

    __tablename__ = "throttle_counters"

    subject: str = Field(primary_key=True)
    window_start: datetime = Field(primary_key=True, sa_type=tables.UtcDateTime)
    count: int = Field(default=0, nullable=False)


def subject_key(name: str, value: str, *, secret: bytes) -> str:
    """How `value` (an address, a network) is written in the table for the limit called `name`."""
    return f"{name}:{hmac.new(secret, value.encode(), 'sha256').hexdigest()[:32]}"


async def count(session: AsyncSession, *, subject: str, window: timedelta, now: datetime) -> int:
    """Add one to a subject's counter for the present window; returns the new count.

    Windows lie on a fixed grid, so a subject gets at most twice its limit in any stretch of the
    window's length. One statement, safe under any number of writers.
    """
    start = _window_start(now, window)
    insert = tables.insert_for(session, ThrottleCounter).values(
        subject=subject, window_start=start, count=1
    )
    statement = insert.on_conflict_do_update(
        index_elements=["subject", "window_start"],
        set_={"count": sa.text("throttle_counters.count + 1")},
    ).returning(sa.inspect(ThrottleCounter).local_table.c.count)
    return int((await session.execute(statement)).scalar_one())


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
