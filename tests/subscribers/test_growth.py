"""How many came and left: by the site's days, each person once, kept when somebody is erased."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
from sqlmodel import col

from foundation.audit import COMMAND
from foundation.ground import Ground
from subscribers import growth, mending, unsubscribe
from subscribers.growth import Growth, Part
from subscribers.growth_counting import Counts
from subscribers.models import (
    Consent,
    ConsentStep,
    SignUp,
    SignUpState,
    Subscriber,
    Topic,
)
from tests.world import people
from tests.world.clock import FakeClock

TOPICS = ("secure-communities", "action-alerts")


async def step(
    ground: Ground, person: Subscriber, at: datetime, what: ConsentStep, topics: Sequence[str] = ()
) -> None:
    """Something happened to a person's consent at a moment."""
    async with ground.db.transaction() as session:
        session.add(
            Consent(
                subscriber_id=person.id, at=at, step=what.value, language="en", topics=list(topics)
            )
        )


async def read(ground: Ground, since: date, until: date) -> Growth:
    """The days, read."""
    async with ground.db.reading() as session:
        return await growth.read(ground, session, since=since, until=until)


def rows(found: Growth, part: Part) -> dict[str, Counts]:
    """One part by name."""
    return {row.name: row.counts for row in found.parts[part]}


@pytest.mark.storage
async def test_people_count_on_their_local_day_each_once(ground: Ground) -> None:
    ana = await people.subscribed(ground, "ana@example.org")
    bo = await people.subscribed(ground, "bo@example.org", language="es")
    # New York left summer time on 1 November 2026: that day had 25 hours.
    confirmed = ConsentStep.CONFIRMED
    await step(ground, ana, datetime(2026, 11, 1, 3, 59, tzinfo=UTC), confirmed, TOPICS)
    await step(ground, bo, datetime(2026, 11, 1, 4, 1, tzinfo=UTC), confirmed, TOPICS[:1])
    await step(ground, bo, datetime(2026, 11, 2, 4, 59, tzinfo=UTC), confirmed, TOPICS[:1])
    await people.topic(ground, TOPICS[1])
    found = await read(ground, date(2026, 10, 30), date(2026, 11, 2))
    assert found.days == {
        date(2026, 10, 30): Counts(),
        date(2026, 10, 31): Counts(confirmed=1),
        date(2026, 11, 1): Counts(confirmed=1),
        date(2026, 11, 2): Counts(),
    }
    assert rows(found, Part.TOPIC) == {
        TOPICS[0]: Counts(confirmed=2),
        TOPICS[1]: Counts(confirmed=1),
    }
    assert rows(found, Part.LANGUAGE) == {"en": Counts(confirmed=1), "es": Counts(confirmed=1)}


@pytest.mark.storage
async def test_who_left_one_topic_left_that_one_and_where_they_came_from_is_known(
    ground: Ground, clock: FakeClock
) -> None:
    today = clock.now().astimezone(ground.settings.site.tzinfo).date()
    one = await people.subscribed(ground, "one@example.org", topics=TOPICS)
    all_ = await people.subscribed(ground, "all@example.org", topics=TOPICS)
    async with ground.db.transaction() as session:
        for person, source in ((one, "flyer"), (all_, "radio"), (all_, "later")):
            session.add(
                SignUp(
                    subscriber_id=person.id, state=SignUpState.CONFIRMED.value, language="en",
                    source=source, created_at=clock.now(),
                )
            )  # fmt: skip
    clock.advance(minutes=1)
    async with ground.db.transaction() as session:
        first = await session.get(Subscriber, one.id)
        topic = (
            await session.execute(sa.select(Topic).where(col(Topic.slug) == TOPICS[1]))
        ).scalar_one()
        assert first
        await unsubscribe.end(ground, session, person=first, topic=topic, via="link")
    await mending.take_off(ground, actor=COMMAND, subscriber_id=all_.id, reason="")
    await mending.suppress(ground, actor=COMMAND, subscriber_id=all_.id, note="Asked")
    found = await read(ground, today, today)
    assert found.total == Counts(left=1, barred=1)
    assert rows(found, Part.TOPIC) == {TOPICS[0]: Counts(left=1), TOPICS[1]: Counts(left=2)}
    assert rows(found, Part.SOURCE) == {"radio": Counts(left=1, barred=1)}


@pytest.mark.storage
async def test_a_day_is_kept_once_it_is_over_whoever_is_erased_later(
    ground: Ground, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(growth, "AT_ONCE", 0)
    day = clock.now().astimezone(ground.settings.site.tzinfo).date()
    ana = await people.subscribed(ground, "ana@example.org")
    await step(ground, ana, clock.now(), ConsentStep.CONFIRMED, TOPICS[:1])
    await growth.work(ground)
    counted = clock.now()
    bo = await people.subscribed(ground, "bo@example.org")
    await step(ground, bo, clock.now(), ConsentStep.CONFIRMED, TOPICS[:1])
    clock.advance(minutes=4)
    await growth.work(ground)
    found = await read(ground, day, day)
    assert (found.total.confirmed, found.as_of) == (1, counted), "counted again after a while only"
    clock.advance(days=2)
    await growth.work(ground)
    assert (await read(ground, day, day)).total.confirmed == 2
    async with ground.db.transaction() as session:
        await session.execute(sa.delete(Subscriber))
    clock.advance(days=1)
    await growth.work(ground)
    found = await read(ground, day, day)
    assert found.days[day] == Counts(confirmed=2)
    assert rows(found, Part.TOPIC) == {TOPICS[0]: Counts(confirmed=2)}
