"""How sending is getting on: exact counts and true rates, by looks that cost next to nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlmodel import col

from delivery import dispatch
from delivery.models import Delivery, DeliveryState, DispatchState
from delivery.progress import WINDOW, Gauge, Progress, Watch
from foundation.ground import Ground
from tests.world import mailing, people
from tests.world.clock import FakeClock
from tests.world.smtp import Catcher

Deliver = Callable[[], Awaitable[None]]


async def read(ground: Ground, gauge: Gauge) -> Progress:
    """A look, which says the same as counting everything does."""
    async with ground.db.reading() as session:
        found = await gauge.read(session, now=ground.clock.now())
    counts = await mailing.counts(ground)
    for name in ("audience", *(state.value for state in DeliveryState)):
        assert getattr(found, name) == getattr(counts, name), name
    return found


async def send(ground: Ground, numbers: list[int], *, at: datetime, relay: str = "main") -> None:
    """Let some of a crowd have it."""
    async with ground.db.transaction() as session:
        await session.execute(
            sa.update(Delivery)
            .where(col(Delivery.id).in_(numbers))
            .values(state=DeliveryState.SENT.value, sent_at=at, relay=relay)
        )


async def begun(ground: Ground, size: int) -> None:
    """A dispatch to a crowd, of which nobody has it yet."""
    topic = await mailing.crowd(ground, size)
    await mailing.start(ground, topics=[topic])


@pytest.mark.storage
async def test_every_look_counts_exactly_whatever_was_counted_before(
    ground: Ground, clock: FakeClock
) -> None:
    await begun(ground, 60)
    gauge = Gauge(1)
    assert (await read(ground, gauge)).queued == 60
    for second in range(1, 31):
        now = clock.advance(seconds=1)
        # Half of it reaches the ledger seconds after it was sent, as from another process.
        await send(ground, [2 * second - 1], at=now)
        await send(ground, [2 * second], at=now - timedelta(seconds=4), relay="other")
        found = await read(ground, gauge)
        assert found.relays == {"main": second, "other": second}
        assert found.done == 2 * second
        if second >= WINDOW.total_seconds():
            assert found.per_second == 2.0


@pytest.mark.storage
async def test_rate_average_and_time_left_are_those_of_the_ledger(
    ground: Ground, clock: FakeClock
) -> None:
    await begun(ground, 100)
    gauge = Gauge(1)
    clock.advance(seconds=20)
    await send(ground, list(range(1, 11)), at=clock.now())
    clock.advance(seconds=20)
    await send(ground, list(range(11, 41)), at=clock.now())
    found = await read(ground, gauge)
    assert (found.per_second, found.average_per_second) == (3.0, 1.0)
    assert found.seconds_left == 20.0
    clock.advance(seconds=11)
    found = await read(ground, gauge)
    assert (found.per_second, found.seconds_left) == (0.0, None)


@pytest.mark.storage
async def test_what_reaches_the_ledger_much_too_late_is_counted_at_the_next_recount(
    ground: Ground, clock: FakeClock
) -> None:
    await begun(ground, 2)
    gauge, slow = Gauge(1, recount_s=0), Gauge(1)
    for each in (gauge, slow):
        await read(ground, each)
    clock.advance(hours=1)
    for each in (gauge, slow):
        await read(ground, each)
    await send(ground, [1], at=clock.now() - timedelta(minutes=30))
    assert (await read(ground, gauge)).sent == 1
    async with ground.db.reading() as session:
        assert (await slow.read(session, now=clock.now())).sent == 0


@pytest.mark.storage
async def test_reasons_are_told_by_state_and_reply_the_most_frequent_first(
    ground: Ground, smtp: Catcher, deliver: Deliver
) -> None:
    for name, reply in (
        ("a", "450 4.2.1 Later"),
        ("b", "450 4.2.1 Later"),
        ("c", "550 5.3.5 not here"),
    ):
        await people.subscribed(ground, f"{name}@example.org")
        smtp.answer("RCPT", f"{name}@example.org", reply)
    topic = await people.topic(ground)
    await mailing.start(ground, topics=[topic.id])
    await deliver()
    found = await read(ground, Gauge(1))
    assert [(each.state, each.reply_code, each.count) for each in found.reasons] == [
        ("deferred", 450, 2), ("failed", 550, 1),
    ]  # fmt: skip
    assert found.state is DispatchState.SENDING
    async with ground.db.transaction() as session:
        await dispatch.pause(session, dispatch_id=1)
    assert not (await read(ground, Gauge(1))).is_moving


async def test_a_look_reads_two_indexes_and_no_table(ground: Ground, clock: FakeClock) -> None:
    await begun(ground, 20)
    await send(ground, [1, 2, 3], at=clock.now())
    asked: list[tuple[str, Any]] = []

    def listen(_connection: Any, _cursor: Any, statement: str, values: Any, *_more: Any) -> None:
        if "FROM deliveries" in statement:
            asked.append((statement, values))

    gauge = Gauge(1)
    event.listen(ground.db.engine.sync_engine, "before_cursor_execute", listen)
    async with ground.db.reading() as session:
        for _ in range(2):
            await gauge.read(session, now=clock.now())
            clock.advance(seconds=30)
        event.remove(ground.db.engine.sync_engine, "before_cursor_execute", listen)
        connection = await session.connection()
        plans = [
            (await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)).all()
            for statement, values in asked
        ]
    ways = [step[-1] for plan in plans for step in plan if "deliveries" in step[-1]]
    assert len(ways) == 6
    for way in ways:
        assert "COVERING INDEX ix_deliveries_odd (dispatch_id=?" in way or (
            "COVERING INDEX ix_deliveries_sent (dispatch_id=? AND sent_at>?)" in way
        )


@pytest.mark.storage
async def test_however_many_watch_the_database_is_asked_once(ground: Ground) -> None:
    await begun(ground, 3)
    watch = Watch(ground)
    found = await asyncio.gather(*(watch.read(1) for _ in range(50)))
    assert watch.looks == 1
    assert {each.queued for each in found} == {3}


async def test_who_waits_for_the_next_look_goes_when_the_service_ends(ground: Ground) -> None:
    watch = Watch(ground)
    waiting = asyncio.create_task(watch.pause())
    watch.close()
    assert await waiting is False
