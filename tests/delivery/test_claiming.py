"""No claim takes more than it asks for, whatever way PostgreSQL goes about it."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery import dispatch, ledger, outbox
from delivery.composing import Composer
from delivery.letter import Lease
from delivery.models import Delivery, DeliveryState, Dispatch, Variant
from foundation.ground import Ground
from foundation.notices import Notice
from tests.world import mailing

_OTHER_WAYS = ("hashjoin", "mergejoin", "hashagg", "sort", "material", "memoize", "bitmapscan")


@pytest.fixture
async def clumsy(ground: Ground) -> AsyncIterator[Ground]:
    """A database that joins by asking the inner query again for each row of the outer one."""
    if ground.db.dialect == "sqlite":
        yield ground
        return
    name = ground.db.engine.url.database
    await _alter(ground, *(f"ALTER DATABASE {name} SET enable_{way} = off" for way in _OTHER_WAYS))
    yield ground
    await _alter(ground, f"ALTER DATABASE {name} RESET ALL")


async def _alter(ground: Ground, *statements: str) -> None:
    async with ground.db.transaction() as session:
        for statement in statements:
            await session.execute(sa.text(statement))
    await ground.db.engine.dispose()  # connections that are there already don't hear of it


@pytest.mark.storage
async def test_a_claim_of_some_leaves_the_others(clumsy: Ground) -> None:
    now = clumsy.clock.now()
    until = now + timedelta(minutes=2)
    topic = await mailing.crowd(clumsy, 8)
    await mailing.start(clumsy, topics=[topic])
    async with clumsy.db.transaction() as session:
        taken = await ledger.claim(session, worker_id=1, limit=3, now=now, until=until)
        assert [row.id for row in taken] == [1, 2, 3]
        for name in ("ana", "bo", "cy"):
            notice = Notice(
                kind="join_received",
                to=f"{name}@example.org",
                language="en",
                context={"organisation": "Tenants"},
            )
            await clumsy.notices.queue(session, notice)
    async with clumsy.db.transaction() as session:
        (first,) = await outbox.claim(session, worker_id=1, limit=1, now=now, until=until)
        assert first.to_address == "ana@example.org"


async def test_who_was_put_off_counts_as_queued_again_as_soon_as_a_sender_has_them(
    ground: Ground,
) -> None:
    now = ground.clock.now()
    topic = await mailing.crowd(ground, 2)
    made = await mailing.start(ground, topics=[topic])
    async with ground.db.transaction() as session:
        await session.execute(sa.update(Delivery).values(state=DeliveryState.DEFERRED.value))
        await ledger.claim(session, worker_id=1, limit=1, now=now, until=now + timedelta(minutes=2))
        counts = await ledger.counts(session, made.id)
    assert (counts.queued, counts.deferred) == (1, 1)


@pytest.mark.storage
async def test_who_is_in_a_senders_hands_counts_as_queued_and_keeps_the_dispatch_open(
    ground: Ground,
) -> None:
    now = ground.clock.now()
    until = now + timedelta(minutes=2)
    topic = await mailing.crowd(ground, 3)
    await mailing.start(ground, topics=[topic])
    async with ground.db.transaction() as session:
        await ledger.claim(session, worker_id=1, limit=2, now=now, until=until)
        counts = await _standing(session)
        assert (counts.queued, counts.sent) == (3, 0)
        await ledger.claim(session, worker_id=1, limit=2, now=now, until=until)
    async with ground.db.transaction() as session:
        assert not await dispatch.has_ended(session)
        assert await dispatch.finish(session, now=now) == []


async def _standing(session: AsyncSession) -> ledger.Counts:
    return await ledger.standing(session, await session.get_one(Dispatch, 1))


_NOW = datetime(2026, 11, 27, tzinfo=UTC)


@pytest.mark.parametrize(
    "ask",
    [
        lambda session: ledger.is_due(session, now=_NOW),
        lambda session: ledger.claim(session, worker_id=1, limit=1, now=_NOW, until=_NOW),
        _standing,
        lambda session: dispatch.count_waiting(session, dispatch_id=1),
        lambda session: dispatch.count_later(session, dispatch_id=1, now=_NOW),
        lambda session: dispatch.release(session, dispatch_id=1, variant=Variant.A, now=_NOW),
        dispatch.has_ended,
        lambda session: dispatch.finish(session, now=_NOW),
        lambda session: dispatch.cancel(session, dispatch_id=1),
    ],
    ids=["due", "claim", "standing", "waiting", "later", "release", "ended", "finish", "cancel"],
)
async def test_who_waits_or_is_held_is_found_by_an_index_of_those_alone(
    ground: Ground, ask: Callable[[AsyncSession], Awaitable[object]]
) -> None:
    """SQLite uses it only for a query that says so in the words of the index; else it reads all."""
    await mailing.start(ground, topics=[await mailing.crowd(ground, 3)])
    asked: list[tuple[str, Any]] = []

    def listen(_connection: Any, _cursor: Any, statement: str, values: Any, *_more: Any) -> None:
        asked.append((statement, values))

    engine = ground.db.engine.sync_engine
    async with ground.db.transaction() as session:
        event.listen(engine, "before_cursor_execute", listen)
        await ask(session)
        event.remove(engine, "before_cursor_execute", listen)
        connection = await session.connection()
        ways = [
            step[-1]
            for statement, values in asked
            for step in await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        ]
    assert [way for way in ways if "INDEX ix_deliveries_claim (dispatch_id=? AND state=?" in way]
    assert not [way for way in ways if "INDEX sqlite_autoindex_deliveries_1 (dispatch_id=?)" in way]


async def test_relays_are_heard_while_a_large_claim_is_made_into_letters(ground: Ground) -> None:
    """A look at the event loop a thousand rows later would leave every connection idle."""
    now = ground.clock.now()
    topic = await mailing.crowd(ground, 600)
    await mailing.start(ground, topics=[topic])
    made = 0
    seen: list[int] = []

    def group(_: str) -> None:
        nonlocal made
        made += 1

    async def others() -> None:
        while True:
            seen.append(made)
            await asyncio.sleep(0)

    beside = asyncio.create_task(others())
    async with ground.db.transaction() as session:
        rows = await ledger.claim(session, worker_id=1, limit=600, now=now, until=now)
        lease = Lease.starting(now, seconds=60)
        letters = await Composer(ground).letters(session, rows, lease=lease, group=group)
    beside.cancel()
    assert len(letters) == made == 600
    assert max(later - earlier for earlier, later in itertools.pairwise(seen)) <= 100
