"""What a provider tells of our mail is in the ledger, the suppressions and the report, once."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from campaigns import reports
from delivery import returns, worker
from delivery.models import Return
from foundation.ground import Ground
from subscribers.models import Subscriber, Subscription, Suppression
from tests.delivery import reports as returned_reports
from tests.delivery.hooks import calling
from tests.delivery.hooks.calling import Caller
from tests.delivery.hooks.conftest import Door
from tests.delivery.hooks.parts import Mail
from tests.world import campaigning, grounds, mailing, people
from tests.world import web as web_world
from tests.world.clock import FakeClock
from tests.world.smtp import Catcher
from tests.world.web import Answer


async def bulletin(
    ground: Ground, smtp: Catcher, *addresses: str, campaign_id: int = 1
) -> list[Mail]:
    """A bulletin to some people, taken by the relay."""
    for address in addresses:
        await people.subscribed(ground, address)
    topic = await people.topic(ground)
    before = len(smtp.messages)
    await mailing.start(ground, topics=[topic.id], campaign_id=campaign_id)
    await worker.run_until_idle(ground)
    found = {mail.rcpt_to: Mail.of(mail) for mail in smtp.messages[before:]}
    return [found[address] for address in addresses]


async def told(door: Door, caller: Caller, *items: Any, at: Any) -> Sequence[int]:
    """Taken, repeated and ignored of items that come one call after the other."""
    counts = [0, 0, 0]
    for item in items:
        answer = await door.post(caller.NAME, caller.call(item, at=at))
        assert answer.status == 200, answer.text
        for place, name in enumerate(("taken", "repeated", "ignored")):
            counts[place] += answer.json()[name]
    return counts


async def suppressed(ground: Ground) -> list[tuple[str, str]]:
    """Whose address must not be mailed, and why."""
    statement = (
        sa.select(col(Subscriber.email), col(Suppression.reason))
        .join(Subscriber, col(Subscriber.id) == col(Suppression.subscriber_id))
        .order_by(col(Subscriber.email))
    )
    async with ground.db.reading() as session:
        return [(email, reason) for email, reason in (await session.execute(statement)).all()]


def person(caller: Caller, what: str) -> str:
    """A reader of their own for each provider and thing that happens to them."""
    return f"{what}-{caller.NAME}@example.org"


WHATS = ("hard", "soft", "delayed", "complaint", "delivered", "left", "unheard_of")


async def test_each_provider_s_events_reach_the_ledger_the_suppressions_and_the_report(
    ground: Ground, smtp: Catcher, door: Door, clock: FakeClock
) -> None:
    cases = [(caller, what) for caller in calling.ALL for what in WHATS]
    mails = await bulletin(ground, smtp, *(person(caller, what) for caller, what in cases))
    clock.advance(minutes=20)
    seen = {}
    for (caller, what), mail in zip(cases, mails, strict=True):
        item = getattr(caller, what)(mail)
        if item is not None:
            seen[caller.NAME, what] = await told(door, caller, item, at=clock.now())
    for (name, what), found in seen.items():
        wanted = [0, 0, 1] if what in ("delivered", "unheard_of") else [1, 0, 0]
        assert found == wanted, (name, what)
    complaining = [each for each in calling.ALL if (each.NAME, "complaint") in seen]
    leaving = [each for each in calling.ALL if (each.NAME, "left") in seen]
    assert len(complaining) == len(leaving) == 6
    assert await suppressed(ground) == sorted(
        [(person(each, "hard"), "hard-bounce") for each in calling.ALL]
        + [(person(each, "complaint"), "complaint") for each in complaining]
    )
    counts = await mailing.counts(ground)
    assert counts.bounced == {"hard": 7, "soft": 7, "block": 0}
    assert (counts.complaints, counts.sent) == (6, len(mails))
    async with ground.db.reading() as session:
        gone = sa.select(col(Subscriber.email)).join(
            Subscription, col(Subscription.subscriber_id) == col(Subscriber.id)
        )
        gone = gone.where(col(Subscription.state) == "unsubscribed")
        left = set((await session.scalars(gone)).all())
        kept = (await session.exec(select(Return).order_by(col(Return.id)))).all()
    assert left == {person(each, "left") for each in leaving}
    assert {each.delivery_id for each in kept} <= set(range(1, len(mails) + 1))
    reasons = {(each.via, each.kind): each.reason for each in kept}
    assert {reasons[each.NAME, "soft"] for each in calling.ALL} == {"mailbox-full"}
    assert all(each.evidence for each in kept)


async def test_what_is_told_again_late_or_out_of_order_changes_nothing(
    ground: Ground, smtp: Catcher, door: Door, clock: FakeClock
) -> None:
    mails = await bulletin(ground, smtp, *(person(each, "hard") for each in calling.ALL))
    for caller, mail in zip(calling.ALL, mails, strict=True):
        hard = caller.hard(mail)
        first = caller.call(hard, at=clock.now())
        assert (await door.post(caller.NAME, first)).json()["taken"] == 1
        assert (await door.post(caller.NAME, first)).json()["repeated"] == 1, caller.NAME
        again = await told(
            door,
            caller,
            hard,
            caller.delivered(mail),
            caller.delayed(mail),
            caller.soft(mail),
            caller.hard(mail),
            at=clock.now(),
        )
        assert again[2] == 1, "delivered"
    counts = await mailing.counts(ground)
    assert counts.bounced == {"hard": 7, "soft": 0, "block": 0}
    assert [reason for _, reason in await suppressed(ground)] == ["hard-bounce"] * 7


@pytest.mark.storage
async def test_somebody_who_came_back_is_not_unsubscribed_by_an_event_that_is_told_again(
    ground: Ground, smtp: Catcher, door: Door, clock: FakeClock
) -> None:
    (mail,) = await bulletin(ground, smtp, "ana@example.org")
    caller = calling.BY_NAME["sendgrid"]
    left = caller.left(mail)
    assert await told(door, caller, left, at=clock.now()) == [1, 0, 0]
    async with ground.db.transaction() as session:
        await session.execute(sa.update(Subscription).values(state="confirmed"))
    assert await told(door, caller, left, at=clock.now()) == [0, 1, 0]
    async with ground.db.reading() as session:
        assert (await session.exec(select(Subscription.state))).all() == ["confirmed"]


@pytest.mark.storage
async def test_the_same_bounce_by_two_providers_and_by_mail_at_once_counts_once(
    ground: Ground, smtp: Catcher, door: Door, clock: FakeClock
) -> None:
    (mail,) = await bulletin(ground, smtp, "ana@example.org")
    report = returned_reports.status_report(to=mail.sender)
    names = ("ses", "postal", "mailgun", "brevo")
    calls = [
        door.post(
            name, calling.BY_NAME[name].call(calling.BY_NAME[name].hard(mail), at=clock.now())
        )
        for name in names
    ]
    *answers, ingested = await asyncio.gather(*calls, returns.ingest(ground, report))
    assert isinstance(ingested, returns.Ingested)
    told_first = [each.json()["taken"] for each in answers if isinstance(each, Answer)]
    assert sum(told_first) + ingested.is_new == 1
    assert (await mailing.counts(ground)).bounced["hard"] == 1
    async with ground.db.reading() as session:
        assert len((await session.exec(select(Return))).all()) == 1


@pytest.mark.storage
async def test_two_processes_that_get_the_same_call_at_once_act_once(
    ground: Ground, smtp: Catcher, door: Door, clock: FakeClock
) -> None:
    addresses = [f"reader{number}@example.org" for number in range(20)]
    mails = await bulletin(ground, smtp, *addresses)
    caller = calling.BY_NAME["sendgrid"]
    mixed = [
        (caller.complaint if number % 2 else caller.soft)(mail) for number, mail in enumerate(mails)
    ]
    sent = caller.call(*mixed, at=clock.now())
    token = calling.BY_NAME["mailgun"].call(
        calling.BY_NAME["mailgun"].delivered(mails[0]), at=clock.now()
    )
    async with grounds.standing(ground.settings, clock) as second:
        async with web_world.browsing(second) as other_web:
            doors = [door, Door(other_web)] * 3
            answers = await asyncio.gather(*(each.post("sendgrid", sent) for each in doors))
            tokens = await asyncio.gather(*(each.post("mailgun", token) for each in doors))
    assert {each.status for each in (*answers, *tokens)} == {200}
    assert sum(each.json()["taken"] for each in answers) == 20
    counts = await mailing.counts(ground)
    assert (counts.bounced["soft"], counts.complaints) == (10, 10)
    async with ground.db.reading() as session:
        tallies = (await session.exec(select(Subscriber.soft_bounces))).all()
    assert sorted(tallies) == [0] * 10 + [1] * 10


async def test_a_provider_that_gives_neither_id_nor_sender_back_gives_our_campaign_back(
    ground: Ground, smtp: Catcher, door: Door, clock: FakeClock
) -> None:
    (first,) = await bulletin(ground, smtp, "ana@example.org")
    assert smtp.messages[0].parsed["X-PM-Metadata-campaign"] == "1"
    assert smtp.messages[0].parsed["X-Mailin-custom"] == "handbill-campaign:1"
    await bulletin(ground, smtp, campaign_id=2)
    for name in ("postmark", "brevo"):
        caller = calling.BY_NAME[name]
        strange = Mail(
            address=first.address, message_id="<made.by@the-relay.example>", campaign="1"
        )
        await told(door, caller, caller.soft(strange), at=clock.now())
    assert [(await mailing.counts(ground, number)).bounced["soft"] for number in (1, 2)] == [1, 0]


@pytest.mark.settings(webhook_source=[])
async def test_without_such_a_provider_no_mail_carries_its_header(
    ground: Ground, smtp: Catcher
) -> None:
    await bulletin(ground, smtp, "ana@example.org")
    names = {name.lower() for name in smtp.messages[0].parsed}
    assert not {name for name in names if name.startswith(("x-pm", "x-mailin"))}


async def test_an_event_about_nobody_here_is_taken_and_has_no_consequence(
    ground: Ground, smtp: Catcher, door: Door, clock: FakeClock
) -> None:
    await bulletin(ground, smtp, "ana@example.org")
    for caller in calling.ALL:
        stranger = Mail(address="someone@elsewhere.example")
        assert await told(door, caller, caller.hard(stranger), at=clock.now()) == [0, 0, 1]
    assert await suppressed(ground) == []


async def test_bounce_complaint_and_goodbye_show_in_the_report_of_their_campaign(
    ground: Ground, smtp: Catcher, door: Door, clock: FakeClock
) -> None:
    for name in ("a", "b", "c"):
        await people.subscribed(ground, f"{name}@example.org")
    campaign, _ = await campaigning.started(ground)
    await worker.run_until_idle(ground)
    mails = [Mail.of(mail) for mail in smtp.messages]
    caller = calling.BY_NAME["sendgrid"]
    what = (caller.hard(mails[0]), caller.complaint(mails[1]), caller.left(mails[2]))
    await told(door, caller, *what, at=clock.now())
    found = await reports.report(ground, campaign_id=campaign.id)
    assert (found.bounced["hard"], found.complaints, found.unsubscribed) == (1, 1, 1)
