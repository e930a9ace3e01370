"""On PostgreSQL: what senders claim and record makes no answer old, and everything else does."""

from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa

from delivery import ledger
from delivery.letter import Lease, Letter
from delivery.models import Declaration, Quiet, Worker
from delivery.rechecking import Look, Recheck
from foundation.config import Settings
from foundation.ground import Ground
from foundation.snapshots import TRANSACTION
from subscribers import suppression
from subscribers.models import SuppressionReason
from tests.delivery.looks import leased, letter_of, statements_from_now_on, suppressed, written
from tests.world import grounds, mailing
from tests.world.clock import FakeClock
from tests.world.databases import PostgresServer


@pytest.fixture
async def database_url(postgres: PostgresServer) -> AsyncIterator[str]:
    """SQLite's looks are answered from shared memory."""
    url = await postgres.fresh()
    yield url
    await postgres.drop(url)


@pytest.fixture
async def ground(settings: Settings, clock: FakeClock) -> AsyncIterator[Ground]:
    """With two senders."""
    async with grounds.standing(settings, clock) as made:
        await begun(made)
        yield made


async def begun(ground: Ground) -> None:
    """Two senders have begun."""
    async with ground.db.transaction() as session:
        for number in (1, 2):
            moment = ground.clock.now()
            session.add(
                Worker(id=number, node="here", pid=1, journal="", started_at=moment, seen_at=moment)
            )


async def foreseen(ground: Ground, *addresses: str) -> tuple[Recheck, list[Letter]]:
    """The look of a sender who claimed these people, and knows about them from that."""
    letters = await leased(ground, *addresses)
    recheck = Recheck(ground, worker_id=1, upcoming=lambda: letters)
    async with ground.db.transaction() as session:
        mark = await recheck.mark(session, Quiet.CLAIM)
        found = await recheck.foresee(session, letters)
    await recheck.carry(mark, found)
    return recheck, letters


async def test_what_senders_claim_and_record_leaves_what_is_known(ground: Ground) -> None:
    recheck, letters = await foreseen(ground, "ana@example.org", "bo@example.org")
    other = Recheck(ground, worker_id=2, upcoming=list)
    for each in (recheck, other, other):
        async with ground.db.transaction() as session:
            await written(session, letters[0])
            mark = await each.mark(session, Quiet.CLAIM)
        await each.carry(mark)
        asked = statements_from_now_on(ground)
        assert await recheck.look(letters[1]) is Look.GO
        assert asked == []
    await recheck.close()
    await other.close()


async def test_results_that_follow_close_upon_a_claim_leave_what_is_known(ground: Ground) -> None:
    recheck, letters = await foreseen(ground, "ana@example.org", "bo@example.org")
    other = Recheck(ground, worker_id=2, upcoming=list)
    for kind in Quiet:
        async with ground.db.transaction() as session:
            await written(session, letters[0])
            mark = await other.mark(session, kind)
        await other.carry(mark)
    asked = statements_from_now_on(ground)
    assert await recheck.look(letters[1]) is Look.GO
    assert asked == []
    await recheck.close()
    await other.close()


@pytest.mark.parametrize("when", ["before", "between", "looked beside", "after"])
async def test_a_commit_of_others_beside_a_claim_is_seen(ground: Ground, when: str) -> None:
    first, second = await leased(ground, "ana@example.org", "bo@example.org")
    recheck = Recheck(ground, worker_id=1, upcoming=list)
    assert await recheck.look(first) is Look.GO
    if when == "before":
        await suppressed(ground, "bo@example.org")
    async with ground.db.transaction() as session:
        mark = await recheck.mark(session, Quiet.CLAIM)
        found = await recheck.foresee(session, [second])
        if when in ("between", "looked beside"):
            await suppressed(ground, "bo@example.org")
        if when == "looked beside":
            assert await recheck.look(first) is Look.GO
    if when == "after":
        await suppressed(ground, "bo@example.org")
    await recheck.carry(mark, found)
    assert await recheck.look(second) is Look.SUPPRESSED
    await recheck.close()


async def test_a_row_that_another_transaction_wrote_than_it_names_says_nothing(
    ground: Ground,
) -> None:
    """As in a copy of a database that was brought into another server."""
    recheck, (letter,) = await foreseen(ground, "ana@example.org")
    async with ground.db.transaction() as session:
        await suppression.add(
            ground,
            session,
            email_key="ana@example.org",
            reason=SuppressionReason.BY_HAND,
            via="test",
        )
        number = await session.scalar(sa.select(TRANSACTION))
    assert number is not None
    async with ground.db.transaction() as session:
        session.add(Declaration(worker_id=2, kind=Quiet.CLAIM, number=number))
        await recheck.mark(session, Quiet.CLAIM)
    assert await recheck.look(letter) is Look.SUPPRESSED
    await recheck.close()


@pytest.mark.parametrize("statistics", ["none", "up to date"])
async def test_a_look_reads_no_more_than_what_it_is_asked_about(
    ground: Ground, statistics: str
) -> None:
    """A ledger holds millions, and a look asks about a few at a time."""
    now = ground.clock.now()
    async with ground.db.transaction() as session:
        await session.execute(_FORGET_STATISTICS)
    topic = await mailing.crowd(ground, 20_000)
    await mailing.start(ground, topics=[topic])
    if statistics == "up to date":
        async with ground.db.transaction() as session:
            await session.execute(_ANALYZE)
    lease = Lease.starting(now, seconds=60)
    async with ground.db.transaction() as session:
        rows = await ledger.claim(session, worker_id=1, limit=100, now=now, until=lease.until)
    letters = [letter_of(row, topic, lease) for row in rows]
    recheck = Recheck(ground, worker_id=1, upcoming=list)
    async with ground.db.transaction() as session:
        before = await session.scalar(_ROWS_READ)  # of what this connection did until now
        found = await recheck.foresee(session, letters)
        read = await session.scalar(_ROWS_READ) - before
    assert list(found.values()) == [Look.GO] * 100
    assert read < 1000
    await recheck.close()


_FORGET_STATISTICS = sa.text("TRUNCATE deliveries, subscribers, subscriptions CASCADE")
"""An emptied table keeps what an earlier test let be known about it, and one that is new does not.
"""
_ANALYZE = sa.text("ANALYZE deliveries, subscribers, subscriptions")
_ROWS_READ = sa.text(
    "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables"
)
