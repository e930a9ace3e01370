"""On PostgreSQL, a quick sender need not ask for a moment, in which nothing can be committed."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import sqlalchemy as sa
from sqlmodel import col

from delivery import dispatch, holdings
from delivery.letter import Letter
from delivery.models import Dispatch, Quiet, Worker
from delivery.rechecking import Look, Recheck
from foundation import audit, standstill
from foundation.ground import Ground
from foundation.tokens import Purpose
from subscribers import erasing, unsubscribe
from subscribers.models import Subscriber
from tests.delivery.looks import leased, statements_from_now_on, suppressed, written
from tests.world.databases import PostgresServer

ANA, BO = "ana@example.org", "bo@example.org"
LASTS_S, LONG_S = 0.3, 3600.0


@pytest.fixture
async def database_url(postgres: PostgresServer) -> AsyncIterator[str]:
    """SQLite's looks are answered from shared memory."""
    url = await postgres.fresh()
    yield url
    await postgres.drop(url)


@pytest.fixture(autouse=True)
def lasting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long enough that a change which does not wait is done before it is over."""
    monkeypatch.setattr(standstill, "LASTS_S", LASTS_S)
    monkeypatch.setattr(standstill, "ASKS_S", LASTS_S)
    # However slow this machine is, who asks twice asks often.
    monkeypatch.setattr(standstill, "SOON_S", LONG_S)


async def asked_often(ground: Ground) -> tuple[Recheck, list[Letter]]:
    """The look of a sender that knows about two letters, and for which all stands still."""
    async with ground.db.transaction() as session:
        now = ground.clock.now()
        session.add(Worker(id=1, node="", pid=1, journal="", started_at=now, seen_at=now))
    letters = await leased(ground, ANA, BO)
    recheck = Recheck(ground, worker_id=1, upcoming=lambda: letters)
    while recheck.known(letters[1]) is None:
        assert await recheck.look(letters[1]) is Look.GO
    return recheck, letters


async def bo(ground: Ground) -> int:
    async with ground.db.reading() as session:
        found = await session.scalar(
            sa.select(col(Subscriber.id)).where(col(Subscriber.email) == BO)
        )
    assert found is not None
    return found


async def is_suppressed(ground: Ground) -> None:
    await suppressed(ground, BO)


async def unsubscribes(ground: Ground) -> None:
    token = ground.tokens.seal(Purpose.UNSUBSCRIBE, await bo(ground), 0, 0)
    await unsubscribe.by_token(ground, token=token, via="one-click")


async def is_erased(ground: Ground) -> None:
    await erasing.erase(
        ground,
        subscriber_id=await bo(ground),
        via="staff",
        actor=audit.SYSTEM,
        elsewhere=(holdings,),
    )


async def is_paused(ground: Ground) -> None:
    async with ground.db.transaction() as session:
        number = await session.scalar(sa.select(col(Dispatch.id)))
        await dispatch.pause(session, dispatch_id=number or 0)


async def is_cancelled(ground: Ground) -> None:
    async with ground.db.transaction() as session:
        number = await session.scalar(sa.select(col(Dispatch.id)))
        await dispatch.cancel(session, dispatch_id=number or 0)


@pytest.mark.parametrize(
    ("change", "then"),
    [
        (is_suppressed, Look.SUPPRESSED),
        (unsubscribes, Look.UNSUBSCRIBED),
        (is_erased, Look.ERASED),
        (is_paused, Look.HOLD),
        (is_cancelled, Look.STOPPED),
    ],
)
async def test_what_stops_a_message_is_committed_when_no_sender_relies_on_the_contrary(
    ground: Ground, change: Callable[[Ground], Awaitable[None]], then: Look
) -> None:
    recheck, (_, letter) = await asked_often(ground)
    await change(ground)
    assert recheck.known(letter) is None
    assert await recheck.look(letter) is then
    await recheck.close()


async def test_meanwhile_looks_take_no_question_and_what_senders_record_waits_for_nobody(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standstill, "LASTS_S", LONG_S)
    monkeypatch.setattr(standstill, "ASKS_S", LONG_S)
    recheck, letters = await asked_often(ground)
    async with ground.db.transaction() as session:
        await written(session, letters[0])
        mark = await recheck.mark(session, Quiet.CLAIM)
    await recheck.carry(mark)
    asked = statements_from_now_on(ground)
    assert recheck.known(letters[1]) is Look.GO
    assert await recheck.look(letters[1]) is Look.GO
    assert asked == []
    await recheck.close()
