"""Whom mail that came back is about is believed only as far as it is proven."""

from datetime import timedelta

import pytest
from sqlmodel import select

from delivery import returns
from delivery.models import BounceKind, Return
from delivery.returns import Event, Taken
from foundation.ground import Ground
from subscribers.models import Suppression
from tests.delivery import reports
from tests.delivery.test_returns import ANA, bulletin
from tests.world import people
from tests.world.clock import FakeClock
from tests.world.smtp import Catcher

OFFICE = "office@coalition.example"


async def kept(ground: Ground) -> list[Return]:
    async with ground.db.reading() as session:
        return list((await session.exec(select(Return))).all())


async def suppressed(ground: Ground) -> list[str]:
    async with ground.db.reading() as session:
        return [row.reason for row in (await session.exec(select(Suppression))).all()]


def event(**said: object) -> Event:
    values = {"via": "ses", "kind": BounceKind.HARD, "address": ANA, "status": "5.1.1"}
    return Event(**{**values, **said})  # type: ignore[arg-type]


@pytest.mark.storage
async def test_a_verified_provider_is_believed_about_an_address_and_its_last_mail(
    ground: Ground, smtp: Catcher
) -> None:
    await people.subscribed(ground, ANA)
    await bulletin(ground, smtp)
    assert await returns.take_events(ground, [event()]) == Taken(new=1)
    assert await returns.take_events(ground, [event(), event()]) == Taken(repeated=2)
    (row,) = await kept(ground)
    assert (row.proof, row.via, row.delivery_id, row.dispatch_id) == ("provider", "ses", 1, 1)
    assert await suppressed(ground) == ["hard-bounce"]


@pytest.mark.storage
async def test_the_same_bounce_by_three_ways_counts_once(ground: Ground, smtp: Catcher) -> None:
    await people.subscribed(ground, ANA)
    mail = await bulletin(ground, smtp)
    token = mail.mail_from.removeprefix("b+").partition("@")[0]
    message_id = mail.parsed["Message-ID"].strip("<>")
    assert (await returns.ingest(ground, reports.status_report(to=mail.mail_from))).is_new
    said = [event(token=token), event(message_id=message_id, via="other"), event(status="")]
    assert await returns.take_events(ground, said) == Taken(repeated=3)
    assert len(await kept(ground)) == 1


async def test_a_provider_that_names_a_stranger_changes_nothing(
    ground: Ground, clock: FakeClock
) -> None:
    await people.subscribed(ground, ANA)
    said = [event(address="bo@example.org"), event(address="no address")]
    assert await returns.take_events(ground, said) == Taken(unknown=2)
    assert await kept(ground) == []
    late = event(occurred_at=clock.now() - timedelta(days=1))
    assert await returns.take_events(ground, [late]) == Taken(new=1)
