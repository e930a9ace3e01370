"""What came of thirty days of mail: counted from the ledger, and where it turns amber and red."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlmodel import col

from delivery import allowances
from delivery.arriving import standing
from delivery.arriving.standing import Standing
from delivery.models import BounceKind, Delivery, DeliveryState, Proof, Return
from foundation.findings import Finding, Tone
from foundation.ground import Ground
from tests.delivery.arriving.zones import said
from tests.world import mailing
from tests.world.clock import FakeClock


def counted(
    sent: int, *, refused: int = 0, blocking: tuple[tuple[str, int], ...] = (), **kinds: int
) -> dict[str, Finding]:
    """What is said of these counts, by code."""
    came_back = Counter({BounceKind(kind): count for kind, count in kinds.items()})
    found = Standing(
        sent=sent, came_back=came_back, refused=refused, returned=0, blocking=blocking, held=()
    )
    return {each.code: each for each in standing.examine(found)}


@pytest.mark.parametrize(
    ("complaints", "mails", "tone"),
    [
        (0, 10_000, Tone.GOOD),
        (9, 10_000, Tone.GOOD),
        (10, 10_000, Tone.WARN),
        (29, 10_000, Tone.WARN),
        (30, 10_000, Tone.BAD),
        (1, 50, Tone.GOOD),
        (2, 50, Tone.WARN),
    ],
)
def test_complaints_are_held_against_what_gmail_and_yahoo_want(
    complaints: int, mails: int, tone: Tone
) -> None:
    assert counted(mails, complaint=complaints)["complaints"].tone is tone


@pytest.mark.parametrize(
    ("hard", "mails", "tone"),
    [
        *((19, 1000, Tone.GOOD), (20, 1000, Tone.WARN), (50, 1000, Tone.BAD)),
        (20, 100, Tone.GOOD),
    ],
)
def test_dead_mailboxes_are_held_against_limits(hard: int, mails: int, tone: Tone) -> None:
    assert counted(mails, hard=hard)["bounces"].tone is tone


def test_blocks_are_never_the_readers_fault_and_name_who_blocks() -> None:
    found = counted(990, refused=10, block=10, blocking=(("outlook.com", 8), ("aol.com", 2)))
    assert found["blocks"].tone is Tone.WARN
    assert "outlook.com (8), aol.com (2)" in said([found["blocks"]])
    assert counted(9990, refused=10, block=10)["blocks"].tone is Tone.NEUTRAL
    assert "blocks" not in counted(100)


def test_where_nothing_was_sent_nobody_complained() -> None:
    assert counted(0)["complaints"].tone is Tone.NEUTRAL


async def came_back(
    ground: Ground,
    kind: BounceKind,
    delivery_id: int,
    *,
    at: datetime,
    domain: str = "example.org",
    proof: Proof = Proof.TOKEN,
) -> None:
    """Something came back of a mail."""
    async with ground.db.transaction() as session:
        session.add(
            Return(
                delivery_id=delivery_id,
                domain=domain,
                proof=proof.value,
                kind=kind.value,
                digest=f"{kind}:{delivery_id}:{domain}:{proof}",
                received_at=at,
            )
        )


@pytest.mark.storage
async def test_mails_of_the_last_thirty_days_are_counted_once_each(
    ground: Ground, clock: FakeClock
) -> None:
    topic = await mailing.crowd(ground, 8)
    await mailing.start(ground, topics=[topic])
    now = clock.now()
    async with ground.db.transaction() as session:
        ids = list(await session.scalars(sa.select(col(Delivery.id)).order_by(col(Delivery.id))))
        for number, delivery_id in enumerate(ids[:6]):
            days = 40 if number == 5 else number
            await session.execute(
                sa.update(Delivery)
                .where(col(Delivery.id) == delivery_id)
                .values(state=DeliveryState.SENT.value, sent_at=now - timedelta(days=days))
            )
    await came_back(ground, BounceKind.HARD, ids[0], at=now)
    await came_back(ground, BounceKind.HARD, ids[0], at=now, proof=Proof.HEADERS)
    await came_back(ground, BounceKind.HARD, ids[1], at=now, proof=Proof.NONE)
    await came_back(ground, BounceKind.HARD, ids[2], at=now - timedelta(days=31))
    await came_back(ground, BounceKind.COMPLAINT, ids[3], at=now)
    await came_back(ground, BounceKind.BLOCK, ids[6], at=now, proof=Proof.RELAY)
    await came_back(ground, BounceKind.BLOCK, ids[7], at=now, proof=Proof.RELAY)
    async with ground.db.reading() as session:
        found = await standing.read(ground.settings, session, now=now)
    assert found.sent == 5
    assert found.came_back == {
        BounceKind.HARD: 1,
        BounceKind.COMPLAINT: 1,
        BounceKind.BLOCK: 2,
    }
    assert found.refused == 2
    assert found.returned == 4
    assert found.blocking == [("example.org", 2)]


@pytest.mark.storage
async def test_a_host_that_wants_less_is_named_with_its_words(ground: Ground) -> None:
    await allowances.slow_down(
        ground, name="domains:gmail", measured=60.0, said="421 4.7.28 too many from you"
    )
    async with ground.db.reading() as session:
        found = await standing.read(ground.settings, session, now=ground.clock.now())
    lines = [each for each in standing.examine(found) if each.code == "slowed"]
    assert [each.tone for each in lines] == [Tone.WARN]
    assert "too many from you" in said(lines)


async def test_counting_reads_indexes_not_the_ledger(ground: Ground, clock: FakeClock) -> None:
    asked: list[tuple[str, Any]] = []

    def listen(_connection: Any, _cursor: Any, statement: str, values: Any, *_more: Any) -> None:
        if "FROM deliveries" in statement or "FROM returns" in statement:
            asked.append((statement, values))

    event.listen(ground.db.engine.sync_engine, "before_cursor_execute", listen)
    async with ground.db.reading() as session:
        await standing.read(ground.settings, session, now=clock.now())
        event.remove(ground.db.engine.sync_engine, "before_cursor_execute", listen)
        connection = await session.connection()
        plans = [
            (await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)).all()
            for statement, values in asked
        ]
    ways = [step[-1] for plan in plans for step in plan if step[-1].startswith(("SEARCH", "SCAN"))]
    of_ledger = [way for way in ways if "deliveries" in way]
    assert len(of_ledger) == 1
    assert "COVERING INDEX ix_deliveries_sent (dispatch_id=? AND sent_at>?)" in of_ledger[0]
    of_returns = [way for way in ways if "returns" in way]
    assert len(of_returns) == 2
    assert all("ix_returns_received_at (received_at>?)" in way for way in of_returns), of_returns
