"""Which mails a person was sent, and what is told and forgotten about them."""

import pytest
from sqlmodel import select

from delivery import holdings, returns, worker
from delivery.history import History
from delivery.models import Delivery, Return
from foundation import audit
from foundation.ground import Ground
from subscribers import erasing
from tests.delivery import reports
from tests.world import mailing, people
from tests.world.clock import FakeClock
from tests.world.smtp import Catcher

ANA = "ana@example.org"


async def three_bulletins(ground: Ground, smtp: Catcher, clock: FakeClock) -> int:
    """One sent, one refused, one that came back; returns whose they are."""
    ana = await people.subscribed(ground, ANA)
    topic = await people.topic(ground)
    for number, reply in enumerate(("250 OK", "554 5.6.0 no, ana@example.org", "250 OK"), start=1):
        clock.advance(hours=1)
        smtp.answer("RCPT", ANA, reply)
        if reply.startswith("250"):
            smtp.accept_again()
        await mailing.start(ground, topics=[topic.id], campaign_id=number)
        await worker.run_until_idle(ground)
    report = reports.status_report(to=smtp.messages[-1].mail_from)
    await returns.ingest(ground, report)
    return ana.id


@pytest.mark.storage
async def test_a_persons_mails_are_listed_newest_first_with_what_became_of_them(
    ground: Ground, smtp: Catcher, clock: FakeClock
) -> None:
    ana = await three_bulletins(ground, smtp, clock)
    mails = await History().mails(ground, subscriber_id=ana, language="en", limit=10)
    assert [(mail.subject, mail.state, mail.url) for mail in mails] == [
        ("A bulletin", "came back", "/staff/campaigns/3"),
        ("A bulletin", "failed", "/staff/campaigns/2"),
        ("A bulletin", "sent", "/staff/campaigns/1"),
    ]
    assert mails[0].at == clock.now()
    spanish = await History().mails(ground, subscriber_id=ana, language="es", limit=1)
    assert [mail.state for mail in spanish] == ["devuelto"]


@pytest.mark.storage
async def test_who_asks_gets_a_list_of_their_mails_and_bounces(
    ground: Ground, smtp: Catcher, clock: FakeClock
) -> None:
    ana = await three_bulletins(ground, smtp, clock)
    async with ground.db.reading() as session:
        held = await holdings.held(session, subscriber_id=ana)
    assert [mail["state"] for mail in held["mails"]] == ["sent", "failed", "sent"]
    refused, bounced = held["returned"]
    assert (refused["kind"], refused["status"]) == ("block", "5.6.0")
    at = clock.now().isoformat(timespec="seconds")
    assert bounced == {"kind": "hard", "status": "5.1.1", "at": at}
    (newest, *_) = await History().came_back(ground, subscriber_id=ana, language="es", limit=10)
    assert newest.what == "Dirección inexistente: no existe ese buzón"


@pytest.mark.storage
async def test_erasing_leaves_the_counts_and_nothing_that_names_the_person(
    ground: Ground, smtp: Catcher, clock: FakeClock
) -> None:
    ana = await three_bulletins(ground, smtp, clock)
    before = [await mailing.counts(ground, number) for number in (1, 2, 3)]
    await erasing.erase(
        ground, subscriber_id=ana, via="staff", actor=audit.SYSTEM, elsewhere=(holdings,)
    )
    assert [await mailing.counts(ground, number) for number in (1, 2, 3)] == before
    async with ground.db.reading() as session:
        deliveries = (await session.exec(select(Delivery))).all()
        came_back = (await session.exec(select(Return))).all()
    assert {row.subscriber_id for row in deliveries} == {None}
    assert {row.subscriber_id for row in came_back} == {None}
    assert not [row for row in deliveries if row.reply_text]
    kept = {(row.evidence, row.diagnostic, row.domain) for row in came_back}
    assert kept == {(None, "", "")}
    assert await History().mails(ground, subscriber_id=ana, language="en", limit=10) == []
