"""Verified calls with many events: kept as they came, and acted on in groups by the scheduler.

A provider waits a few seconds for its answer, and a thousand events take longer. Any number of
schedulers may work on what waits: one has a call at a time, and what it had done when it ended is
not done again.
"""

import asyncio
import itertools
from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import col

from delivery import returns
from delivery.hooks import fetching, providers
from delivery.hooks.call import Call
from delivery.hooks.models import WaitingCall
from delivery.hooks.source import Source
from delivery.hooks.state import Tally
from foundation import logs
from foundation.ground import Ground

_log = logs.get("hooks")

_GROUP = 50
"""Events in one transaction: SQLite has one writer, and others wait for it."""
_LEASE = timedelta(minutes=2)
_TRIES = 5
"""A call that ends whoever works on it is left alone after so many."""
_KEPT = timedelta(days=30)


async def put(ground: Ground, source: Source, call: Call, *, number: str) -> None:
    """Keep a verified call."""
    async with ground.db.transaction() as session:
        session.add(
            WaitingCall(
                source=source.settings.name,
                number=number,
                body=call.body,
                received_at=call.at,
                leased_until=call.at,
            )
        )


async def work(ground: Ground) -> None:
    """Act on what waits until there is nothing more."""
    sources = providers.build(ground.settings, fetch=fetching.fetch)
    while (waiting := await _claim(ground, list(sources))) is not None:
        await _act(ground, sources[waiting.source], waiting)


async def tidy(ground: Ground) -> None:
    """Forget calls that nobody could act on."""
    async with ground.db.transaction() as session:
        await session.execute(
            sa.delete(WaitingCall).where(col(WaitingCall.received_at) < ground.clock.now() - _KEPT)
        )


async def _claim(ground: Ground, sources: list[str]) -> WaitingCall | None:
    now = ground.clock.now()
    is_free = sa.and_(
        col(WaitingCall.leased_until) <= now,
        col(WaitingCall.tries) < _TRIES,
        col(WaitingCall.source).in_(sources),
    )
    oldest = sa.select(col(WaitingCall.id)).where(is_free).order_by(col(WaitingCall.id)).limit(1)
    async with ground.db.reading() as session:
        if (await session.execute(oldest)).first() is None:
            return None
    one = oldest.with_for_update(skip_locked=True).cte("one")
    async with ground.db.transaction() as session:
        claimed = await session.execute(
            sa.update(WaitingCall)
            .where(col(WaitingCall.id).in_(sa.select(one.c.id)), is_free)
            .values(leased_until=now + _LEASE, tries=WaitingCall.tries + 1)
            .returning(col(WaitingCall.id))
            .execution_options(synchronize_session=False)
        )
        number = claimed.scalar_one_or_none()
        return await session.get(WaitingCall, number) if number is not None else None


async def _act(ground: Ground, source: Source, waiting: WaitingCall) -> None:
    events = source.hook.read(waiting.body, waiting.number)
    done = waiting.done
    new = repeated = ignored = 0
    await asyncio.to_thread(lambda: list(itertools.islice(events, done)))
    while group := await asyncio.to_thread(lambda: list(itertools.islice(events, _GROUP))):
        known = [event for event in group if event is not None]
        taken = await returns.take_events(ground, known)
        done += len(group)
        new += taken.new
        repeated += taken.repeated
        ignored += len(group) - len(known) + taken.unknown
        await _note(ground, waiting, done)
    # A tally of its own is written at once.
    tally = Tally(waiting.source)
    await tally.heard(ground, taken=new, repeated=repeated, ignored=ignored, trouble="")
    async with ground.db.transaction() as session:
        await session.execute(sa.delete(WaitingCall).where(col(WaitingCall.id) == waiting.id))


async def _note(ground: Ground, waiting: WaitingCall, done: int) -> None:
    """How far it got; whoever takes over after a crash begins there."""
    async with ground.db.transaction() as session:
        await session.execute(
            sa.update(WaitingCall)
            .where(col(WaitingCall.id) == waiting.id)
            .values(done=done, leased_until=ground.clock.now() + _LEASE)
        )
