"""Mail that came back has its consequence, once, and only if it was ours."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlmodel import select

from delivery import holdings, returns, worker
from delivery.models import BounceKind, Return
from foundation import audit
from foundation.ground import Ground
from foundation.notices import Notice
from foundation.tokens import Purpose
from subscribers import erasing
from subscribers.models import Consent, Subscriber, Subscription, Suppression
from tests.delivery import reports
from tests.world import mailing, people
from tests.world.clock import FakeClock
from tests.world.smtp import Catcher, Received

ANA = "ana@example.org"
SOFT = {"status": "5.2.2", "diagnostic": "smtp; 552 5.2.2 mailbox full"}
BLOCK = {"status": "5.7.1", "diagnostic": "smtp; 550 5.7.1 your network is blocked"}


async def bulletin(ground: Ground, smtp: Catcher, campaign_id: int = 1) -> Received:
    """One more bulletin to Ana, taken by the relay."""
    topic = await people.topic(ground)
    await mailing.start(ground, topics=[topic.id], campaign_id=campaign_id)
    await worker.run_until_idle(ground)
    return smtp.messages[-1]


async def suppressed(ground: Ground) -> list[str]:
    async with ground.db.reading() as session:
        return [row.reason for row in (await session.exec(select(Suppression))).all()]


async def topics_of_ana(ground: Ground) -> list[str]:
    async with ground.db.reading() as session:
        return [row.state for row in (await session.exec(select(Subscription))).all()]


@pytest.mark.storage
async def test_a_hard_bounce_is_counted_and_the_address_is_never_mailed_again(
    ground: Ground, smtp: Catcher
) -> None:
    await people.subscribed(ground, ANA)
    mail = await bulletin(ground, smtp)
    done = await returns.ingest(ground, reports.status_report(to=mail.mail_from))
    assert (done.is_ours, done.is_new) == (True, True)
    counts = await mailing.counts(ground)
    assert (counts.sent, counts.bounced) == (1, {"hard": 1, "soft": 0, "block": 0})
    assert await suppressed(ground) == ["hard-bounce"]
    await people.subscribed(ground, "bo@example.org")
    await bulletin(ground, smtp, campaign_id=2)
    assert len(smtp.to(ANA)) == 1


@pytest.mark.storage
async def test_the_same_bounce_by_two_ways_counts_once(ground: Ground, smtp: Catcher) -> None:
    await people.subscribed(ground, ANA)
    mail = await bulletin(ground, smtp)
    report = reports.status_report(to=mail.mail_from)
    by_another_way = b"Received: by a mailbox that we poll\n" + report
    assert (await returns.ingest(ground, report)).is_new
    assert not (await returns.ingest(ground, report)).is_new
    assert not (await returns.ingest(ground, by_another_way)).is_new
    assert (await mailing.counts(ground)).bounced["hard"] == 1


@pytest.mark.storage
async def test_three_soft_bounces_over_two_weeks_end_it_and_fewer_do_not(
    ground: Ground, smtp: Catcher, clock: FakeClock
) -> None:
    await people.subscribed(ground, ANA)
    for number, days in ((1, 0), (2, 1), (3, 1), (4, 12)):
        clock.advance(days=days)
        mail = await bulletin(ground, smtp, campaign_id=number)
        assert await suppressed(ground) == [], "not three yet, or not for two weeks"
        await returns.ingest(ground, reports.status_report(to=mail.mail_from, **SOFT))
    assert await suppressed(ground) == ["soft-bounces"]


async def test_two_soft_bounces_end_nothing_however_far_apart_they_are(
    ground: Ground, smtp: Catcher, clock: FakeClock
) -> None:
    await people.subscribed(ground, ANA)
    for number in (1, 2):
        mail = await bulletin(ground, smtp, campaign_id=number)
        await returns.ingest(ground, reports.status_report(to=mail.mail_from, **SOFT))
        clock.advance(days=20)
    assert await suppressed(ground) == []


async def test_only_a_mail_that_was_taken_after_the_first_and_days_ago_got_through(
    ground: Ground, smtp: Catcher, clock: FakeClock
) -> None:
    await people.subscribed(ground, ANA)
    for number, days, is_back in ((1, 0, 0), (2, 10, 1), (3, 8, 1), (4, 8, 0), (5, 0, 1)):
        clock.advance(days=days)
        mail = await bulletin(ground, smtp, campaign_id=number)
        if is_back:
            await returns.ingest(ground, reports.status_report(to=mail.mail_from, **SOFT))
    assert await suppressed(ground) == ["soft-bounces"]


async def test_a_mail_that_got_through_between_soft_bounces_starts_the_count_again(
    ground: Ground, smtp: Catcher, clock: FakeClock
) -> None:
    await people.subscribed(ground, ANA)
    for number in range(1, 6):
        mail = await bulletin(ground, smtp, campaign_id=number)
        if number != 3:
            await returns.ingest(ground, reports.status_report(to=mail.mail_from, **SOFT))
        clock.advance(days=7)
    assert await suppressed(ground) == []


async def test_a_block_is_never_the_readers_fault(ground: Ground, smtp: Catcher) -> None:
    await people.subscribed(ground, ANA)
    for number in range(1, 5):
        mail = await bulletin(ground, smtp, campaign_id=number)
        await returns.ingest(ground, reports.status_report(to=mail.mail_from, **BLOCK))
    assert await suppressed(ground) == []
    assert (await mailing.counts(ground)).bounced["block"] == 1


@pytest.mark.storage
async def test_a_complaint_ends_every_mail_at_once(ground: Ground, smtp: Catcher) -> None:
    await people.subscribed(ground, ANA, topics=["secure-communities", "action-alerts"])
    mail = await bulletin(ground, smtp)
    returned = f"Return-Path: <{mail.mail_from}>\r\n".encode() + mail.data
    done = await returns.ingest(ground, reports.complaint(returned=returned))
    assert done.returned.kind is BounceKind.COMPLAINT
    assert await suppressed(ground) == ["complaint"]
    assert (await mailing.counts(ground)).complaints == 1
    alerts = await people.topic(ground, "action-alerts")
    await mailing.start(ground, topics=[alerts.id], campaign_id=2)
    await worker.run_until_idle(ground)
    assert len(smtp.messages) == 1


@pytest.mark.parametrize("action", ["delayed", "delivered"])
async def test_a_delay_or_a_receipt_has_no_consequence(
    ground: Ground, smtp: Catcher, action: str
) -> None:
    await people.subscribed(ground, ANA)
    mail = await bulletin(ground, smtp)
    octets = reports.status_report(to=mail.mail_from, action=action, status="4.4.1")
    assert (await returns.ingest(ground, octets)).is_ours
    assert await suppressed(ground) == []
    assert sum((await mailing.counts(ground)).bounced.values()) == 0


async def test_a_vacation_notice_has_no_consequence(ground: Ground, smtp: Catcher) -> None:
    await people.subscribed(ground, ANA)
    mail = await bulletin(ground, smtp)
    notice = reports.letter(to=mail.mail_from, subject="Away", Auto_Submitted="auto-replied")
    assert (await returns.ingest(ground, notice)).returned.kind is BounceKind.AUTO_REPLY
    assert await suppressed(ground) == []
    assert await topics_of_ana(ground) == ["confirmed"]


@pytest.mark.storage
async def test_a_forged_bounce_changes_nothing(ground: Ground, smtp: Catcher) -> None:
    ana = await people.subscribed(ground, ANA)
    mail = await bulletin(ground, smtp)
    local, _, domain = mail.mail_from.partition("@")
    token = local.removeprefix("b+")
    other = "b" if token[-5] != "b" else "c"
    forged = [
        f"b+{token[:-5]}{other}{token[-4:]}@{domain}",
        f"b+{token[:-3]}@{domain}",
        f"b+{'a' * 26}@{domain}",
        f"b+{ground.tokens.seal_for_address(Purpose.UNSUBSCRIBE, 1, 0)}@{domain}",
        ANA,
        f"ana={domain}@coalition.example",
    ]
    for number, to in enumerate(forged):
        done = await returns.ingest(ground, reports.status_report(to=to, recipient=ana.email))
        assert (done.is_ours, done.is_new) == (False, number == 0), to
    assert await suppressed(ground) == []
    async with ground.db.reading() as session:
        (kept,) = (await session.exec(select(Return))).all()
    assert (kept.proof, kept.times, kept.dispatch_id) == ("none", len(forged), None)
    assert sum((await mailing.counts(ground)).bounced.values()) == 0


async def test_the_case_of_a_return_address_does_not_matter(ground: Ground, smtp: Catcher) -> None:
    await people.subscribed(ground, ANA)
    mail = await bulletin(ground, smtp)
    octets = reports.status_report(to=mail.mail_from.upper())
    assert (await returns.ingest(ground, octets)).is_ours
    assert await suppressed(ground) == ["hard-bounce"]


@pytest.mark.storage
async def test_a_bounce_of_somebody_who_was_erased_is_taken_and_names_nobody(
    ground: Ground, smtp: Catcher
) -> None:
    ana = await people.subscribed(ground, ANA)
    mail = await bulletin(ground, smtp)
    await erasing.erase(
        ground, subscriber_id=ana.id, via="staff", actor=audit.SYSTEM, elsewhere=(holdings,)
    )
    assert (await returns.ingest(ground, reports.status_report(to=mail.mail_from))).is_ours
    assert (await mailing.counts(ground)).bounced["hard"] == 1


async def test_a_notice_that_comes_back_ends_mail_to_its_person(
    ground: Ground, smtp: Catcher
) -> None:
    ana = await people.subscribed(ground, ANA)
    async with ground.db.transaction() as session:
        notice = Notice(
            kind="join_received",
            to=ANA,
            language="en",
            context={"organisation": "Tenants"},
            subscriber_id=ana.id,
        )
        await ground.notices.queue(session, notice)
    await worker.run_until_idle(ground)
    octets = reports.status_report(to=smtp.messages[0].mail_from)
    assert (await returns.ingest(ground, octets)).is_new
    assert await suppressed(ground) == ["hard-bounce"]


async def test_evidence_is_blanked_after_its_time_and_the_count_stays(
    ground: Ground, smtp: Catcher, clock: FakeClock
) -> None:
    await people.subscribed(ground, ANA)
    mail = await bulletin(ground, smtp)
    await returns.ingest(ground, reports.status_report(to=mail.mail_from))
    for days, is_there in ((ground.settings.retention.bounce_evidence_days, True), (1, False)):
        clock.advance(days=days)
        await returns.tidy(ground)
        async with ground.db.reading() as session:
            (kept,) = (await session.exec(select(Return))).all()
        assert (kept.evidence is not None) is is_there
    assert (await mailing.counts(ground)).bounced["hard"] == 1


def asked(mail: Received, **changed: str) -> bytes:
    """What a mail program sends when its reader presses “unsubscribe” (RFC 2369 §3.2)."""
    found = re.search(r"<(mailto:[^>]+)>", mail.parsed["List-Unsubscribe"])
    assert found is not None
    address = urlsplit(found[1])
    headers = {"to": address.path, "subject": parse_qs(address.query)["subject"][0], **changed}
    return reports.letter(**headers)


@pytest.mark.storage
async def test_a_mail_to_the_unsubscribe_address_unsubscribes_whoever_its_token_names(
    ground: Ground, smtp: Catcher
) -> None:
    await people.subscribed(ground, ANA)
    mail = await bulletin(ground, smtp)
    done = await returns.ingest(ground, asked(mail))
    assert (done.is_ours, done.is_new, done.asks_to_leave) == (True, True, True)
    assert await topics_of_ana(ground) == ["unsubscribed"]
    async with ground.db.reading() as session:
        (step,) = (await session.exec(select(Consent))).all()
    assert (step.step, step.via, step.dispatch_id) == ("unsubscribed", "mail", 1)
    again = await returns.ingest(ground, asked(mail))
    assert (again.asks_to_leave, again.is_new) == (True, False)
    assert await suppressed(ground) == []
    await people.subscribed(ground, "bo@example.org")
    await bulletin(ground, smtp, campaign_id=2)
    assert len(smtp.to(ANA)) == 1


async def test_mail_to_the_unsubscribe_address_ends_the_topic_that_the_bulletin_was_about(
    ground: Ground, smtp: Catcher
) -> None:
    await people.subscribed(ground, ANA, topics=["secure-communities", "action-alerts"])
    mail = await bulletin(ground, smtp)
    await returns.ingest(ground, asked(mail))
    assert sorted(await topics_of_ana(ground)) == ["confirmed", "unsubscribed"]


async def test_it_does_not_matter_from_where_such_a_mail_comes_nor_what_was_put_before_its_token(
    ground: Ground, smtp: Catcher
) -> None:
    await people.subscribed(ground, ANA)
    mail = await bulletin(ground, smtp)
    token = mail.parsed["List-Unsubscribe"].rpartition("=")[2].rstrip(">")
    octets = asked(mail, subject=f"Re: unsubscribe {token}", Auto_Submitted="auto-generated")
    octets = octets.replace(b"From: ana@example.org", b"From: somebody-else@phone.example")
    assert (await returns.ingest(ground, octets)).asks_to_leave
    assert await topics_of_ana(ground) == ["unsubscribed"]


async def test_a_mail_to_the_unsubscribe_address_with_a_forged_token_is_refused(
    ground: Ground, smtp: Catcher
) -> None:
    ana = await people.subscribed(ground, ANA)
    mail = await bulletin(ground, smtp)
    token = mail.parsed["List-Unsubscribe"].rpartition("=")[2].rstrip(">")
    swapped = "x" if token[-3] != "x" else "y"
    forged = [
        "unsubscribe",
        "",
        f"{token[:-3]}{swapped}{token[-2:]}",
        token[:-1],
        token.swapcase(),
        ground.tokens.seal(Purpose.PREFERENCES, ana.id),
        ground.tokens.seal(Purpose.VIEW, ana.id, 0, 0),
        "a" * 5000,
    ]
    for subject in forged:
        done = await returns.ingest(ground, asked(mail, subject=subject))
        assert not done.asks_to_leave, subject
    assert await topics_of_ana(ground) == ["confirmed"]


async def test_a_bounce_that_quotes_the_unsubscribe_token_unsubscribes_nobody(
    ground: Ground, smtp: Catcher
) -> None:
    await people.subscribed(ground, ANA)
    mail = await bulletin(ground, smtp)
    token = mail.parsed["List-Unsubscribe"].rpartition("=")[2].rstrip(">")
    report = reports.status_report(to=mail.mail_from, **BLOCK)
    report = report.replace(b"Undelivered mail", f"Undelivered {token}".encode())
    assert not (await returns.ingest(ground, report)).asks_to_leave
    quoted = reports.letter(to="office@coalition.example", subject="Why did I get this?")
    assert not (await returns.ingest(ground, quoted + mail.data)).asks_to_leave
    assert await topics_of_ana(ground) == ["confirmed"]


async def test_whoever_is_gone_can_still_ask_to_leave(ground: Ground, smtp: Catcher) -> None:
    ana = await people.subscribed(ground, ANA)
    mail = await bulletin(ground, smtp)
    await erasing.erase(ground, subscriber_id=ana.id, via="staff", actor=audit.SYSTEM)
    done = await returns.ingest(ground, asked(mail))
    assert (done.asks_to_leave, done.is_new) == (True, False)
    async with ground.db.reading() as session:
        assert (await session.exec(select(Subscriber))).all() == []
