"""Mail to one person about one thing: kept with what it is about, sent once, then forgotten."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from delivery import outbox, worker
from delivery.models import NoticeState, QueuedNotice
from foundation.ground import Ground
from foundation.notices import Notice
from foundation.tokens import Purpose
from subscribers import suppression
from subscribers.models import Subscriber, SuppressionReason
from tests.world import mailing, people, sink
from tests.world.clock import FakeClock
from tests.world.sink import Sink
from tests.world.smtp import Catcher

ANA, BO = "ana@example.org", "bo@example.org"
SECRET = "http://handbill.test/confirm/a-secret-that-opens-something"


def asking(to: str = ANA, **details: Any) -> Notice:
    context = {"confirm_url": SECRET, "topics": "Secure Communities"}
    return Notice(kind="confirm", to=to, **{"language": "en", "context": context, **details})


async def queue(ground: Ground, *notices: Notice) -> None:
    async with ground.db.transaction() as session:
        for notice in notices:
            await ground.notices.queue(session, notice)


async def rows(ground: Ground) -> list[QueuedNotice]:
    async with ground.db.reading() as session:
        return list((await session.exec(select(QueuedNotice).order_by(col(QueuedNotice.id)))).all())


@pytest.mark.storage
async def test_a_notice_is_sent_once_in_the_persons_language_and_its_secrets_are_forgotten(
    ground: Ground, smtp: Catcher
) -> None:
    await queue(ground, asking(language="es"))
    await worker.run_until_idle(ground)
    await worker.run_until_idle(ground)
    (mail,) = smtp.messages
    assert (mail.rcpt_to, mail.parsed["To"]) == (ANA, ANA)
    assert '<html lang="es"' in mail.html
    assert SECRET in mail.text
    assert SECRET in mail.html
    (row,) = await rows(ground)
    assert (row.state, row.attempts, row.reply_code) == (NoticeState.SENT, 1, 250)
    assert row.context == {}
    assert "secret" not in row.model_dump_json()


async def test_a_notice_is_marked_as_written_by_a_program_and_is_no_list_mail(
    ground: Ground, smtp: Catcher
) -> None:
    await queue(ground, asking())
    await worker.run_until_idle(ground)
    parsed = smtp.messages[0].parsed
    assert parsed["Auto-Submitted"] == "auto-generated"
    assert parsed["Message-ID"]
    assert "List-Unsubscribe" not in parsed
    assert "X-Handbill-Campaign" not in parsed
    local = smtp.messages[0].mail_from.partition("@")[0].removeprefix("b+")
    assert ground.tokens.open_from_address(Purpose.RETURN_PATH, local) == (1, 1)


async def test_a_notice_that_a_list_sends_has_one_click_unsubscription(
    ground: Ground, smtp: Catcher
) -> None:
    url = ground.link("/unsubscribe", Purpose.UNSUBSCRIBE, 1, 0, 0)
    await queue(ground, asking(unsubscribe_url=url))
    await worker.run_until_idle(ground)
    parsed = smtp.messages[0].parsed
    assert f"<{url}>" in parsed["List-Unsubscribe"]
    assert parsed["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert (await rows(ground))[0].unsubscribe_url is None, "forgotten with the rest"


async def test_what_was_rolled_back_is_not_mailed_about(ground: Ground, smtp: Catcher) -> None:
    async with ground.db.transaction() as session:
        await ground.notices.queue(session, asking())
        await session.flush()
        await session.rollback()
    await worker.run_until_idle(ground)
    assert not smtp.messages


@pytest.mark.storage
async def test_a_notice_that_is_put_off_is_tried_again_and_keeps_what_it_needs_until_then(
    ground: Ground, smtp: Catcher, clock: FakeClock
) -> None:
    await queue(ground, asking(), asking(BO))
    smtp.answer("RCPT", ANA, "450 4.2.1 later")
    await worker.run_until_idle(ground)
    first, second = await rows(ground)
    assert (first.state, first.attempts, first.reply_code) == (NoticeState.QUEUED, 1, 450)
    assert first.due_at == clock.now() + timedelta(minutes=5)
    assert second.state == NoticeState.SENT
    smtp.accept_again()
    clock.advance(minutes=5)
    await worker.run_until_idle(ground)
    assert [each.rcpt_to for each in smtp.messages] == [BO, ANA]
    assert SECRET in smtp.messages[1].text
    assert (await rows(ground))[0].context == {}


@pytest.mark.settings(delivery={"give_up_hours": 1})
async def test_a_notice_that_never_gets_through_is_given_up_and_forgotten(
    ground: Ground, smtp: Catcher, clock: FakeClock
) -> None:
    await queue(ground, asking())
    smtp.answer("RCPT", ANA, "450 4.2.1 later")
    for _ in range(4):
        await worker.run_until_idle(ground)
        clock.advance(hours=1)
    (row,) = await rows(ground)
    assert (row.state, row.reply_code, row.context) == (NoticeState.FAILED, 450, {})


async def test_a_notice_that_is_refused_is_not_tried_again(
    ground: Ground, smtp: Catcher, clock: FakeClock
) -> None:
    await queue(ground, asking())
    smtp.answer("RCPT", ANA, "550 5.1.1 no such user ana@example.org")
    await worker.run_until_idle(ground)
    smtp.accept_again()
    clock.advance(days=1)
    await worker.run_until_idle(ground)
    assert not smtp.messages
    (row,) = await rows(ground)
    assert (row.state, row.reply_code, row.context) == (NoticeState.FAILED, 550, {})
    assert ANA not in row.reply_text


async def test_one_notice_that_can_not_be_made_does_not_hold_up_the_others(
    ground: Ground, smtp: Catcher
) -> None:
    broken = Notice(kind="confirm", to=ANA, language="en", context={"odd": "key"})
    await queue(ground, broken, Notice(kind="no-such", to=ANA, language="en"), asking(BO))
    await worker.run_until_idle(ground)
    assert [each.rcpt_to for each in smtp.messages] == [BO]
    states = [row.state for row in await rows(ground)]
    assert states == [NoticeState.FAILED, NoticeState.FAILED, NoticeState.SENT]


@pytest.mark.settings(relay={"connections": 1})
async def test_somebody_who_waits_for_a_confirmation_does_not_wait_for_a_bulletin(
    ground: Ground, server: Sink
) -> None:
    topic = await mailing.crowd(ground, 50)
    await mailing.start(ground, topics=[topic])
    await queue(ground, asking("now@example.org"))
    held = sink.Holding()
    server.acts["RCPT"] = held
    sending = asyncio.create_task(worker.run_until_idle(ground))
    assert (await held.reached()).recipient == "now@example.org"
    server.acts.clear()
    held.release()
    await sending
    assert server.total == 51


@pytest.mark.storage
@pytest.mark.settings(relay={"connections": 1})
async def test_erasing_a_person_erases_the_notice_that_waits_and_the_one_on_the_wire(
    ground: Ground, server: Sink
) -> None:
    ana = await people.subscribed(ground, ANA)
    await queue(ground, asking(subscriber_id=ana.id), asking(BO))
    held = sink.Holding()
    server.acts["RCPT"] = held
    sending = asyncio.create_task(worker.run_until_idle(ground))
    assert (await held.reached()).recipient == ANA
    async with ground.db.transaction() as session:
        await session.delete(await session.get_one(Subscriber, ana.id))
    server.acts.clear()
    held.release()
    await sending
    assert server.taken == {BO: 1}
    assert [row.to_address for row in await rows(ground)] == [BO]


@pytest.mark.storage
@pytest.mark.settings(relay={"connections": 1})
async def test_a_notice_that_is_anothers_before_its_last_dot_is_left_to_them(
    ground: Ground, server: Sink
) -> None:
    await queue(ground, asking())
    held, sending = await mailing.held_at(ground, server, "RCPT")
    (mine,) = await rows(ground)
    assert mine.worker_id is not None
    heir = mine.worker_id + 1
    async with ground.db.transaction() as session:
        (await session.get_one(QueuedNotice, mine.id)).worker_id = heir
    server.acts.clear()
    held.release()
    await sending
    assert server.total == 0
    (row,) = await rows(ground)
    assert (row.state, row.worker_id, row.attempts) == (NoticeState.QUEUED, heir, 0)


@pytest.mark.storage
@pytest.mark.parametrize(
    "is_sent_again",
    [
        pytest.param(True, marks=pytest.mark.settings(delivery={"uncertain": "resend"})),
        pytest.param(False, marks=pytest.mark.settings(delivery={"uncertain": "hold"})),
    ],
)
async def test_a_notice_of_which_nobody_knows_is_sent_once_more_where_the_settings_say_so(
    ground: Ground, server: Sink, clock: FakeClock, is_sent_again: bool
) -> None:
    await queue(ground, asking())
    server.acts["dot"] = sink.hanging_up
    await worker.run_until_idle(ground)
    server.acts.clear()
    clock.advance(hours=1)
    await worker.run_until_idle(ground)
    assert server.total == is_sent_again
    (row,) = await rows(ground)
    assert row.state == (NoticeState.SENT if is_sent_again else NoticeState.UNCERTAIN)


async def suppress(ground: Ground, who: Subscriber, reason: SuppressionReason) -> None:
    async with ground.db.transaction() as session:
        await suppression.add(ground, session, subscriber_id=who.id, reason=reason, via="bounce")


@pytest.mark.storage
@pytest.mark.parametrize(
    ("reason", "is_sent"),
    [
        (SuppressionReason.COMPLAINT, False),
        (SuppressionReason.BY_HAND, False),
        (SuppressionReason.HARD_BOUNCE, True),
    ],
)
async def test_after_a_complaint_no_notice_goes_out_but_a_bounce_does_not_stop_what_was_asked_for(
    ground: Ground, smtp: Catcher, reason: SuppressionReason, is_sent: bool
) -> None:
    ana = await people.subscribed(ground, ANA)
    await queue(ground, asking(subscriber_id=ana.id), asking(BO))
    await suppress(ground, ana, reason)
    await worker.run_until_idle(ground)
    assert len(smtp.to(ANA)) == is_sent
    assert len(smtp.to(BO)) == 1
    row = (await rows(ground))[0]
    assert row.state == (NoticeState.SENT if is_sent else NoticeState.FAILED)
    assert row.context == {}


@pytest.mark.storage
async def test_notices_that_are_over_are_deleted_after_their_time_and_those_that_wait_are_not(
    ground: Ground, smtp: Catcher, clock: FakeClock
) -> None:
    await queue(ground, asking(), asking(BO))
    smtp.answer("RCPT", BO, "450 later")
    await worker.run_until_idle(ground)
    clock.advance(days=ground.settings.retention.sent_notices_days, seconds=-1)
    await outbox.tidy(ground)
    assert len(await rows(ground)) == 2
    clock.advance(seconds=2)
    await outbox.tidy(ground)
    assert [row.to_address for row in await rows(ground)] == [BO]


@pytest.mark.storage
async def test_two_processes_do_not_send_one_notice_twice(ground: Ground, smtp: Catcher) -> None:
    await queue(ground, *(asking(f"p{number}@example.org") for number in range(30)))
    await asyncio.gather(*(worker.run_until_idle(ground) for _ in range(3)))
    assert sorted(each.rcpt_to for each in smtp.messages) == sorted(
        f"p{number}@example.org" for number in range(30)
    )
