"""Whom mail that came back is about is believed only as far as it is proven."""

from datetime import timedelta

import pytest
from sqlmodel import col, select

from delivery import returns
from delivery.models import BounceKind, Return
from delivery.returns import Event, Taken
from foundation.ground import Ground
from subscribers import suppression
from subscribers.models import Suppression, SuppressionReason
from tests.delivery import reports
from tests.delivery.test_returns import ANA, bulletin, topics_of_ana
from tests.world import mailing, people
from tests.world.clock import FakeClock
from tests.world.smtp import Catcher

OFFICE = "office@coalition.example"


async def kept(ground: Ground) -> list[Return]:
    async with ground.db.reading() as session:
        return list((await session.exec(select(Return).order_by(col(Return.id)))).all())


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
    assert await returns.take_events(ground, [event()]) == Taken(new=1), "another day"
    assert await returns.take_events(ground, [event(via="other")]) == Taken(repeated=1)


async def test_what_anybody_may_have_written_does_not_stand_in_the_way_of_what_is_proven(
    ground: Ground,
) -> None:
    await people.subscribed(ground, ANA)
    forged = reports.status_report(to=OFFICE, recipient=ANA)
    assert (await returns.ingest(ground, forged)).is_unproven
    assert await returns.take_events(ground, [event()]) == Taken(new=1)
    assert await suppressed(ground) == ["hard-bounce"]


async def test_our_message_id_proves_itself_and_a_made_up_one_does_not(
    ground: Ground, smtp: Catcher
) -> None:
    await people.subscribed(ground, ANA)
    mail = await bulletin(ground, smtp)
    report = reports.complaint(returned=mail.data).replace(b"List-Unsubscribe", b"X-Nothing")
    first = mail.parsed["Message-ID"][1:2].encode()
    forged = report.replace(
        b"Message-ID: <" + first, b"Message-ID: <" + b"0" * (first == b"1") + b"1"
    )
    assert (await returns.ingest(ground, forged)).is_ours is False
    assert await suppressed(ground) == []
    assert (await returns.ingest(ground, report)).is_ours
    assert [(row.proof, row.delivery_id) for row in await kept(ground)][-1] == ("headers", 1)
    assert await suppressed(ground) == ["complaint"]


async def test_a_complaint_without_any_address_is_known_by_the_sealed_link_in_it(
    ground: Ground, smtp: Catcher
) -> None:
    await people.subscribed(ground, ANA)
    mail = await bulletin(ground, smtp)
    redacted = mail.data.replace(b"ana@example.org", b"redacted@provider.example")
    redacted = redacted.replace(b"Message-ID", b"X-Message-ID")
    assert (await returns.ingest(ground, reports.complaint(returned=redacted))).is_ours
    assert await suppressed(ground) == ["complaint"]


@pytest.mark.storage
async def test_a_provider_that_repeats_itself_is_heard_once(
    ground: Ground, smtp: Catcher, clock: FakeClock
) -> None:
    await people.subscribed(ground, ANA)
    await bulletin(ground, smtp)
    said = event(kind=BounceKind.SOFT, event_id="4711", status="4.2.2")
    assert await returns.take_events(ground, [said]) == Taken(new=1)
    clock.advance(days=2)
    await bulletin(ground, smtp, campaign_id=2)
    assert await returns.take_events(ground, [said, said]) == Taken(repeated=2)
    leaves = event(kind=BounceKind.NONE, event_id="4712", is_unsubscribe=True)
    assert await returns.take_events(ground, [leaves]) == Taken(new=1)
    assert await topics_of_ana(ground) == ["unsubscribed"]


async def test_the_worst_that_is_known_of_a_mail_stays_in_whatever_order_it_comes(
    ground: Ground, smtp: Catcher
) -> None:
    await people.subscribed(ground, ANA)
    await bulletin(ground, smtp)
    for kind in (BounceKind.SOFT, BounceKind.HARD, BounceKind.BLOCK, BounceKind.SOFT):
        await returns.take_events(ground, [event(kind=kind)])
    assert (await mailing.counts(ground)).bounced == {"hard": 1, "soft": 0, "block": 0}


async def test_a_bounce_of_a_mail_from_before_somebody_came_back_is_old_news(
    ground: Ground, smtp: Catcher, clock: FakeClock
) -> None:
    ana = await people.subscribed(ground, ANA)
    await bulletin(ground, smtp)
    clock.advance(days=1)
    async with ground.db.transaction() as session:
        key = ana.email_key
        reason = SuppressionReason.HARD_BOUNCE
        await suppression.add(ground, session, email_key=key, reason=reason, via="bounce")
        await suppression.lift(ground, session, email_key=key, because="it works", by="Bo")
    assert await returns.take_events(ground, [event(campaign="1")]) == Taken(new=1)
    async with ground.db.reading() as session:
        assert await suppression.reasons(ground, session, email_key=key) == frozenset()
