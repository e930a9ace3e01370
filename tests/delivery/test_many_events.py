"""Many events at once, and the same from two sides at once, come to what they would one by one."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from delivery import identifying, returns, worker
from delivery.guessing import Clues
from delivery.identifying import About
from delivery.models import BounceKind, Delivery, Return
from delivery.returns import Event
from foundation.ground import Ground
from foundation.tokens import Purpose
from subscribers.models import Consent, Subscriber, Subscription, Suppression
from tests.world import mailing, people
from tests.world.clock import FakeClock
from tests.world.smtp import Catcher

KINDS = (BounceKind.SOFT, BounceKind.HARD, BounceKind.BLOCK, BounceKind.COMPLAINT)


async def mailed(ground: Ground, *names: str, campaign_id: int = 1) -> dict[str, Delivery]:
    """A bulletin that these people got."""
    topic = await people.topic(ground)
    for name in names if campaign_id == 1 else ():
        await people.subscribed(ground, f"{name}@example.org")
    order = await mailing.start(ground, topics=[topic.id], campaign_id=campaign_id)
    await worker.run_until_idle(ground)
    async with ground.db.reading() as session:
        everybody = {row.id: row.email for row in (await session.exec(select(Subscriber))).all()}
    rows = await mailing.rows(ground, order.id)
    return {everybody[row.subscriber_id or 0].partition("@")[0]: row for row in rows}


def token(ground: Ground, row: Delivery) -> str:
    return ground.tokens.seal_for_address(Purpose.RETURN_PATH, row.id, 0)


def event(name: str, kind: BounceKind = BounceKind.HARD, **said: object) -> Event:
    values = {"via": "ses", "kind": kind, "address": f"{name}@example.org", "status": "5.1.1"}
    return Event(**{**values, **said})  # type: ignore[arg-type]


async def outcome(ground: Ground, letter: str) -> list[object]:
    """All that is known of whoever's name begins with a letter, but for row numbers."""
    found: list[object] = []
    async with ground.db.reading() as session:
        person = col(Subscriber.email).like(f"{letter}%")
        order: tuple[Any, ...] = (
            col(Subscriber.email),
            sa.literal_column("2"),
            sa.literal_column("3"),
        )
        for wanted in (
            sa.select(col(Subscriber.email), col(Subscriber.soft_bounces), sa.literal(0)),
            sa.select(col(Subscriber.email), col(Return.kind), col(Return.proof)).join(
                Return, col(Return.subscriber_id) == col(Subscriber.id)
            ),
            sa.select(
                col(Subscriber.email), col(Delivery.bounce), col(Delivery.complained_at).is_(None)
            ).join(Delivery, col(Delivery.subscriber_id) == col(Subscriber.id)),
            sa.select(col(Subscriber.email), col(Suppression.reason), col(Suppression.note)).join(
                Suppression, col(Suppression.subscriber_id) == col(Subscriber.id)
            ),
            sa.select(col(Subscriber.email), col(Consent.step), col(Consent.via)).join(
                Consent, col(Consent.subscriber_id) == col(Subscriber.id)
            ),
            sa.select(col(Subscriber.email), col(Subscription.state), sa.literal(0)).join(
                Subscription, col(Subscription.subscriber_id) == col(Subscriber.id)
            ),
        ):
            rows = await session.execute(wanted.where(person).order_by(*order))
            found.append([(row[0][1:], *row[1:]) for row in rows])
    return found


@pytest.mark.storage
async def test_many_at_once_come_to_the_same_as_one_by_one(
    ground: Ground, smtp: Catcher, clock: FakeClock
) -> None:
    names = [f"{letter}{number}" for letter in "ab" for number in range(8)]
    first = await mailed(ground, *names)
    clock.advance(days=5)
    second = await mailed(ground, *names, campaign_id=2)
    ids = {
        (each.rcpt_to.partition("@")[0], each.parsed["X-Handbill-Campaign"]): each.parsed[
            "Message-ID"
        ].strip("<>")
        for each in smtp.messages
    }

    def about(letter: str) -> list[Event]:
        """In every way that something can be told, several things of some people."""
        told = [
            event(f"{letter}{number}", kind, token=token(ground, first[f"{letter}{number}"]))
            for number, kind in enumerate(KINDS)
        ]
        told += [
            event(f"{letter}{number}", kind, message_id=ids[f"{letter}{number}", "2"])
            for number, kind in enumerate(KINDS, start=2)
        ]
        told += [
            event(f"{letter}0", BounceKind.SOFT, token=token(ground, second[f"{letter}0"])),
            event(f"{letter}4", BounceKind.HARD, campaign="1"),
            event(f"{letter}4", BounceKind.HARD, campaign="1", via="other"),
            event(f"{letter}5", BounceKind.BLOCK, message_id="made-up@example.org"),
            event(f"{letter}6", occurred_at=clock.now() - timedelta(days=4)),
            event(f"{letter}6", BounceKind.NONE, is_unsubscribe=True),
            event(f"{letter}7", BounceKind.NONE),
            event(f"{letter}7", BounceKind.SOFT, campaign="99"),
            event("stranger"),
        ]
        return told

    at_once = await returns.take_events(ground, about("a"))
    one_by_one = [await returns.take_events(ground, [each]) for each in about("b")]
    assert at_once.new == sum(each.new for each in one_by_one) == 14
    assert at_once.repeated == sum(each.repeated for each in one_by_one) == 1
    assert at_once.unknown == sum(each.unknown for each in one_by_one) == 2
    assert await outcome(ground, "a") == await outcome(ground, "b")
    assert await returns.take_events(ground, about("a")[:9]) == returns.Taken(repeated=9)


async def test_a_hundred_take_no_more_questions_than_ten(ground: Ground, smtp: Catcher) -> None:
    assert smtp.port
    names = [f"p{number}" for number in range(110)]
    rows = await mailed(ground, *names)
    asked: list[str] = []

    async def questions(some: Sequence[str]) -> int:
        asked.clear()
        told = [
            event(name, KINDS[number % 4], token=token(ground, rows[name]))
            for number, name in enumerate(some)
        ]
        assert (await returns.take_events(ground, told)).new == len(some)
        return len(asked)

    def heard(_c: object, _cursor: object, statement: str, *_more: object) -> None:
        asked.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", heard)
    try:
        assert await questions(names[:10]) == await questions(names[10:]) > 0
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", heard)


@pytest.fixture
def together(engine: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """So many transactions have looked before the first of them writes.

    SQLite has one writer: there, each waits until the one before has ended.
    """
    if engine == "postgresql":
        barrier, whose = asyncio.Barrier(2), identifying.whose

        async def look(ground: Ground, session: object, clues: Sequence[Clues]) -> object:
            found: Sequence[About | None] = await whose(ground, session, clues)  # type: ignore[arg-type]
            async with asyncio.timeout(90):
                await barrier.wait()
            return found

        monkeypatch.setattr(identifying, "whose", look)
    return 2


@pytest.mark.storage
async def test_one_bounce_that_two_tell_at_the_same_moment_counts_once(
    ground: Ground, smtp: Catcher, together: int
) -> None:
    assert smtp.port
    rows = await mailed(ground, "ana", "bo")
    for kind, who in ((BounceKind.HARD, "ana"), (BounceKind.SOFT, "bo")):
        said = [
            event(who, kind, token=token(ground, rows[who]), via=f"way-{number}")
            for number in range(together)
        ]
        taken = await asyncio.gather(*(returns.take_events(ground, [each]) for each in said))
        assert sorted((each.new, each.repeated) for each in taken) == [(0, 1), (1, 0)]
    async with ground.db.reading() as session:
        assert sorted(row.kind for row in (await session.exec(select(Return))).all()) == [
            "hard",
            "soft",
        ]
        assert len((await session.exec(select(Suppression))).all()) == 1
        tallies = {row.email: row.soft_bounces for row in await session.exec(select(Subscriber))}
    assert tallies == {"ana@example.org": 0, "bo@example.org": 1}
    counts = await mailing.counts(ground)
    assert counts.bounced == {"hard": 1, "soft": 1, "block": 0}


@pytest.mark.storage
async def test_two_bounces_of_one_person_at_the_same_moment_are_both_counted(
    ground: Ground, smtp: Catcher, together: int
) -> None:
    assert together
    assert smtp.port
    first = await mailed(ground, "ana")
    second = await mailed(ground, campaign_id=2)
    said = [
        event("ana", BounceKind.SOFT, token=token(ground, rows["ana"])) for rows in (first, second)
    ]
    taken = await asyncio.gather(*(returns.take_events(ground, [each]) for each in said))
    assert [each.new for each in taken] == [1, 1]
    async with ground.db.reading() as session:
        assert (await session.exec(select(Subscriber))).one().soft_bounces == 2
