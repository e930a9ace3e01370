"""What changed after the list was frozen counts until a message's last dot."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
import sqlalchemy as sa
from sqlmodel import col

from delivery import holdings, worker
from delivery.models import Delivery, DeliveryState, Reason
from foundation import audit
from foundation.ground import Ground
from foundation.tokens import Purpose
from subscribers import erasing, suppression, unsubscribe
from subscribers.models import Subscriber, SuppressionReason
from tests.world import mailing, people, sink
from tests.world.sink import Sink
from tests.world.smtp import Catcher

ANA, BO = "ana@example.org", "bo@example.org"
Change = Callable[[Ground, Subscriber], Awaitable[None]]


async def unsubscribes(ground: Ground, who: Subscriber) -> None:
    token = ground.tokens.seal(Purpose.UNSUBSCRIBE, who.id, 0, 0)
    await unsubscribe.by_token(ground, token=token, via="one-click")


async def complains(ground: Ground, who: Subscriber) -> None:
    async with ground.db.transaction() as session:
        await suppression.add(
            ground,
            session,
            subscriber_id=who.id,
            reason=SuppressionReason.COMPLAINT,
            via="bounce",
        )


async def is_suppressed_by_hand(ground: Ground, who: Subscriber) -> None:
    async with ground.db.transaction() as session:
        await suppression.add(
            ground,
            session,
            subscriber_id=who.id,
            reason=SuppressionReason.BY_HAND,
            via="staff",
        )


async def is_erased(ground: Ground, who: Subscriber) -> None:
    await erasing.erase(
        ground, subscriber_id=who.id, via="staff", actor=audit.SYSTEM, elsewhere=(holdings,)
    )


changes = pytest.mark.parametrize(
    ("change", "reason"),
    [
        (unsubscribes, Reason.UNSUBSCRIBED),
        (complains, Reason.SUPPRESSED),
        (is_suppressed_by_hand, Reason.SUPPRESSED),
        (is_erased, Reason.ERASED),
    ],
)


async def check_only_bo_got_it(ground: Ground, reason: Reason) -> None:
    found = await mailing.counts(ground)
    assert (found.audience, found.sent, found.cancelled) == (2, 1, 1)
    (left_out,) = [
        row for row in await mailing.rows(ground) if row.state == DeliveryState.CANCELLED
    ]
    assert left_out.reason == reason
    assert left_out.worker_id is None
    assert left_out.sent_at is None


@pytest.mark.storage
@changes
async def test_who_leaves_between_the_start_and_their_turn_gets_nothing_and_is_counted(
    ground: Ground, smtp: Catcher, change: Change, reason: Reason
) -> None:
    ana = await people.subscribed(ground, ANA)
    await people.subscribed(ground, BO)
    topic = await people.topic(ground)
    await mailing.start(ground, topics=[topic.id])
    await change(ground, ana)
    await worker.run_until_idle(ground)
    assert [each.rcpt_to for each in smtp.messages] == [BO]
    await check_only_bo_got_it(ground, reason)


@pytest.mark.storage
@changes
@pytest.mark.settings(relay={"connections": 1})
async def test_who_leaves_while_their_mail_is_on_the_wire_gets_nothing(
    ground: Ground, server: Sink, change: Change, reason: Reason
) -> None:
    ana = await people.subscribed(ground, ANA)
    await people.subscribed(ground, BO)
    topic = await people.topic(ground)
    await mailing.start(ground, topics=[topic.id])
    held = sink.Holding()
    server.acts["RCPT"] = held
    sending = asyncio.create_task(worker.run_until_idle(ground))
    assert (await held.reached()).recipient == ANA
    await change(ground, ana)
    server.acts.clear()
    held.release()
    await sending
    assert server.taken == {BO: 1}
    await check_only_bo_got_it(ground, reason)


@pytest.mark.storage
@changes
@pytest.mark.settings(relay={"connections": 1})
async def test_who_leaves_when_their_envelope_went_along_with_the_dot_before_gets_nothing(
    ground: Ground, server: Sink, change: Change, reason: Reason
) -> None:
    await people.subscribed(ground, BO)
    ana = await people.subscribed(ground, ANA)
    topic = await people.topic(ground)
    await mailing.start(ground, topics=[topic.id])
    held = sink.Holding()
    server.acts["dot"] = held
    sending = asyncio.create_task(worker.run_until_idle(ground))
    connection = await held.reached()
    connection.take()
    await connection.until_unread(b"RCPT TO:<ana@example.org>\r\nDATA\r\n")
    await change(ground, ana)
    server.acts.clear()
    held.release()
    await sending
    assert server.taken == {BO: 1}
    await check_only_bo_got_it(ground, reason)


async def test_one_of_several_topics_left_is_enough_to_get_the_mail(
    ground: Ground, smtp: Catcher
) -> None:
    topics = ["secure-communities", "action-alerts"]
    ana = await people.subscribed(ground, ANA, topics=topics)
    first, second = [await people.topic(ground, slug) for slug in topics]
    await mailing.start(ground, topics=[first.id, second.id])
    token = ground.tokens.seal(Purpose.UNSUBSCRIBE, ana.id, 0, first.id)
    await unsubscribe.by_token(ground, token=token, via="link")
    await worker.run_until_idle(ground)
    assert [each.rcpt_to for each in smtp.messages] == [ANA]


async def test_a_suppression_that_was_lifted_holds_nobody_back(
    ground: Ground, smtp: Catcher
) -> None:
    ana = await people.subscribed(ground, ANA)
    await complains(ground, ana)
    async with ground.db.transaction() as session:
        await suppression.lift(ground, session, email_key=ANA, because="asked us to", by="Bo")
    topic = await people.topic(ground)
    await mailing.start(ground, topics=[topic.id])
    await worker.run_until_idle(ground)
    assert [each.rcpt_to for each in smtp.messages] == [ANA]


async def test_who_only_asked_to_join_a_topic_gets_no_bulletin(
    ground: Ground, smtp: Catcher
) -> None:
    from subscribers.models import SubscriptionState

    await people.subscribed(ground, ANA, state=SubscriptionState.PENDING)
    topic = await people.topic(ground)
    await mailing.start(ground, topics=[topic.id])
    await worker.run_until_idle(ground)
    assert not smtp.messages
    (row,) = await mailing.rows(ground)
    assert (row.state, row.reason) == (DeliveryState.CANCELLED, Reason.UNSUBSCRIBED)


async def test_who_moved_meanwhile_is_mailed_at_the_address_of_now(
    ground: Ground, smtp: Catcher
) -> None:
    ana = await people.subscribed(ground, ANA, first_name="Ana")
    topic = await people.topic(ground)
    await mailing.start(ground, topics=[topic.id])
    async with ground.db.transaction() as session:
        person = await session.get_one(Subscriber, ana.id)
        person.email = person.email_key = "new@example.org"
        session.add(person)
    await worker.run_until_idle(ground)
    assert [each.rcpt_to for each in smtp.messages] == ["new@example.org"]


@pytest.mark.storage
@pytest.mark.settings(relay={"connections": 1})
async def test_who_is_suppressed_by_the_refusal_of_one_mail_does_not_get_the_next(
    ground: Ground, server: Sink
) -> None:
    """Also when all were claimed together, and the third one's look has asked about the last.

    Behind the first two it is noted that the relay is well, and that makes everybody ask anew.
    """
    await people.subscribed(ground, ANA)
    topic = await people.topic(ground)
    for number in range(1, 6):
        await mailing.start(ground, topics=[topic.id], campaign_id=number)
    held = sink.Holding()
    replies: list[sink.Act] = [
        *[sink.usually("RCPT")] * 3,
        sink.replying("550 5.1.1 no such mailbox"),
        held,
    ]

    def act(connection: sink.Connection) -> None:
        replies.pop(0)(connection)

    server.acts["RCPT"] = act
    sending = asyncio.create_task(worker.run_until_idle(ground))
    await held.reached()
    await mailing.until(ground, lambda session: session.scalar(_HAS_FAILED))
    server.acts.clear()
    held.release()
    await sending
    assert server.taken == {ANA: 3}
    (last,) = await mailing.rows(ground, 5)
    assert (last.state, last.reason) == (DeliveryState.CANCELLED, Reason.SUPPRESSED)


_HAS_FAILED = sa.select(sa.exists().where(col(Delivery.state) == DeliveryState.FAILED.value))
