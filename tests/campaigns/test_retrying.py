"""Who did not get a bulletin gets it again only if staff say so, and only who may be mailed."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from campaigns import lifecycle, reports, retrying
from campaigns.models import Campaign, CampaignState
from delivery import dispatch, listing, worker
from delivery import retrying as rows
from delivery.listing import Choice
from delivery.models import Delivery, DeliveryState, Dispatch, DispatchState, Reason, WhenUncertain
from delivery.retrying import Retried
from foundation import errors
from foundation.audit import COMMAND, AuditEntry
from foundation.ground import Ground
from subscribers import mending
from subscribers.models import Subscription, SubscriptionState
from tests.world import campaigning, databases, grounds, mailing, people, sink
from tests.world.clock import FakeClock
from tests.world.sink import Connection
from tests.world.smtp import Catcher

Deliver = Callable[[], Awaitable[None]]
FAILED = Choice(state=DeliveryState.FAILED)
DEFERRED = Choice(state=DeliveryState.DEFERRED)
UNCERTAIN = Choice(state=DeliveryState.UNCERTAIN)


async def over(ground: Ground, deliver: Deliver) -> Campaign:
    """A campaign that was sent to whom it could be sent."""
    campaign, _ = await campaigning.started(ground)
    await deliver()
    await lifecycle.follow_dispatches(ground)
    return campaign


async def logged(ground: Ground, action: str) -> list[AuditEntry]:
    """What the log says of one kind of step."""
    async with ground.db.reading() as session:
        return list(
            (await session.exec(select(AuditEntry).where(AuditEntry.action == action))).all()
        )


async def retry(ground: Ground, campaign: Campaign, choice: Choice) -> Retried:
    """As somebody at the command line."""
    return await retrying.retry(ground, actor=COMMAND, campaign_id=campaign.id, choice=choice)


@pytest.mark.storage
async def test_the_uncertain_get_it_again_when_staff_say_so_and_nobody_else_does(
    database_url: str, tmp_path: Path, clock: FakeClock
) -> None:
    async with sink.running() as server:
        settings = grounds.settings(
            url=database_url,
            folder=tmp_path,
            changes={"relay": {"connections": 1}, "delivery": {"relay_rest_s": 0.01}},
            relay_port=server.port,
        )
        async with grounds.standing(settings, clock) as ground:
            await people.subscribed(ground, email="lost@example.org")
            campaign, _ = await campaigning.started(ground)
            server.acts["dot"] = sink.hanging_up
            await worker.run_until_idle(ground)
            await lifecycle.follow_dispatches(ground)
            report = await reports.report(ground, campaign_id=campaign.id)
            assert [email for _, email in report.uncertain_people] == ["lost@example.org"]
            assert server.total == 0

            server.acts.clear()
            await worker.run_until_idle(ground)
            assert server.total == 0, "not by itself"
            assert (await retry(ground, campaign, UNCERTAIN)).queued == 1
            assert await campaigning.state(ground, campaign.id) == CampaignState.SENDING
            await worker.run_until_idle(ground)
            await lifecycle.follow_dispatches(ground)
            assert server.taken == {"lost@example.org": 1}
            report = await reports.report(ground, campaign_id=campaign.id)
            assert (report.state, report.sent, report.uncertain) == ("sent", 1, 0)
            with pytest.raises(errors.Refused, match="Nobody"):
                await retry(ground, campaign, UNCERTAIN)
            assert await campaigning.state(ground, campaign.id) == CampaignState.SENT


@pytest.mark.storage
async def test_a_retry_takes_all_of_a_reason_and_nobody_who_may_not_be_mailed(
    ground: Ground, smtp: Catcher, deliver: Deliver
) -> None:
    names = ("again", "other", "left", "barred", "bounced", "late")
    numbers = {name: (await people.subscribed(ground, f"{name}@example.org")).id for name in names}
    for name in names:
        code = "550 5.3.5 Setup" if name != "other" else "554 5.6.0 Too odd"
        smtp.answer("RCPT", f"{name}@example.org", code)
    campaign = await over(ground, deliver)
    assert (await mailing.counts(ground)).failed == 6
    async with ground.db.transaction() as session:
        await session.execute(
            sa.update(Subscription)
            .where(col(Subscription.subscriber_id) == numbers["left"])
            .values(state=SubscriptionState.UNSUBSCRIBED.value)
        )
        await session.execute(
            sa.update(Delivery)
            .where(col(Delivery.subscriber_id) == numbers["bounced"])
            .values(bounce="hard")
        )
        await session.execute(
            sa.update(Delivery)
            .where(col(Delivery.subscriber_id) == numbers["late"])
            .values(reason=Reason.GAVE_UP.value)
        )
    await mending.suppress(ground, actor=COMMAND, subscriber_id=numbers["barred"], note="asked")
    smtp.answers.clear()
    choice = Choice(state=DeliveryState.FAILED, reason=Reason.REFUSED, reply_code=550)
    done = await retry(ground, campaign, choice)
    assert (done.queued, done.withheld) == (1, 3)
    assert (await mailing.counts(ground)).queued == 1
    await deliver()
    await lifecycle.follow_dispatches(ground)
    assert [each.rcpt_to for each in smtp.messages] == ["again@example.org"]
    counts = await mailing.counts(ground)
    assert (counts.sent, counts.failed) == (1, 5)
    assert await campaigning.state(ground, campaign.id) == CampaignState.SENT
    (entry,) = await logged(ground, "campaign.retry")
    assert entry.actor_label == COMMAND.label
    assert entry.after == {
        "state": "sending", "of": "failed", "reason": "refused", "reply_code": 550, "people": 1,
    }  # fmt: skip


@pytest.mark.storage
async def test_chosen_rows_alone_are_tried_again(
    ground: Ground, smtp: Catcher, deliver: Deliver
) -> None:
    for name in ("a", "b", "c"):
        await people.subscribed(ground, f"{name}@example.org")
        smtp.answer("RCPT", f"{name}@example.org", "550 5.3.5 Setup")
    campaign = await over(ground, deliver)
    chosen = [(await mailing.rows(ground))[number].id for number in (0, 2)]
    smtp.answers.clear()
    choice = Choice(state=DeliveryState.FAILED, ids=chosen)
    done = await retry(ground, campaign, choice)
    assert done.queued == 2
    await deliver()
    assert {each.rcpt_to for each in smtp.messages} == {"a@example.org", "c@example.org"}


@pytest.mark.storage
async def test_who_failed_long_ago_gets_the_whole_time_of_retries_again(
    ground: Ground, smtp: Catcher, deliver: Deliver, clock: FakeClock
) -> None:
    await people.subscribed(ground, "a@example.org")
    smtp.answer("RCPT", "a@example.org", "550 5.3.5 Setup")
    campaign = await over(ground, deliver)
    clock.advance(days=30)
    smtp.answer("RCPT", "a@example.org", "450 4.2.1 Later")
    await retry(ground, campaign, FAILED)
    await deliver()
    assert (await mailing.counts(ground)).deferred == 1


@pytest.mark.storage
async def test_who_was_put_off_is_tried_now_or_given_up_by_choice(
    ground: Ground, smtp: Catcher, deliver: Deliver
) -> None:
    for name in ("now", "never"):
        await people.subscribed(ground, f"{name}@example.org")
        smtp.answer("RCPT", f"{name}@example.org", "450 4.2.1 Later")
    campaign, _ = await campaigning.started(ground)
    await deliver()
    assert (await mailing.counts(ground)).deferred == 2
    smtp.answers.clear()
    await deliver()
    assert smtp.messages == [], "not due yet"
    first, second = [row.id for row in await mailing.rows(ground)]
    choice = Choice(state=DeliveryState.DEFERRED, ids=[second])
    assert (
        await retrying.give_up(ground, actor=COMMAND, campaign_id=campaign.id, choice=choice) == 1
    )
    counts = await mailing.counts(ground)
    assert (counts.deferred, counts.failed) == (1, 1)
    assert (await mailing.rows(ground))[1].reason == Reason.GIVEN_UP
    done = await retry(ground, campaign, DEFERRED)
    assert done.queued == 1
    await deliver()
    assert [each.rcpt_to for each in smtp.messages] == ["now@example.org"]
    assert (await mailing.rows(ground))[0].id == first
    await lifecycle.follow_dispatches(ground)
    assert await campaigning.state(ground, campaign.id) == CampaignState.SENT
    (entry,) = await logged(ground, "campaign.give-up")
    assert (entry.after["of"], entry.after["chosen"], entry.after["people"]) == ("deferred", 1, 1)


@pytest.mark.storage
async def test_whom_a_worker_holds_is_neither_tried_again_nor_given_up(
    ground: Ground, smtp: Catcher, deliver: Deliver
) -> None:
    for name in ("held", "free"):
        await people.subscribed(ground, f"{name}@example.org")
        smtp.answer("RCPT", f"{name}@example.org", "450 4.2.1 Later")
    await campaigning.started(ground)
    await deliver()
    async with ground.db.transaction() as session:
        held = (await session.exec(select(Delivery).order_by(col(Delivery.id)))).all()[0]
        held.worker_id = 99
    for state in (DeliveryState.DEFERRED, DeliveryState.FAILED, DeliveryState.UNCERTAIN):
        async with ground.db.transaction() as session:
            await session.execute(sa.update(Delivery).values(state=state.value))
            choice = Choice(state=state)
            given_up = await rows.give_up(session, dispatch_id=1, choice=choice)
            assert given_up == (1 if choice == DEFERRED else 0)
            await session.execute(sa.update(Delivery).values(state=state.value))
            done = await rows.retry(session, dispatch_id=1, choice=choice, now=ground.clock.now())
            assert done == Retried(queued=1, withheld=0)


@pytest.mark.storage
async def test_a_cancelled_campaign_tries_nobody_again(
    ground: Ground, smtp: Catcher, deliver: Deliver
) -> None:
    for name in ("a", "b"):
        await people.subscribed(ground, f"{name}@example.org")
    smtp.answer("RCPT", "a@example.org", "550 5.3.5 Setup")
    smtp.answer("RCPT", "b@example.org", "450 4.2.1 Later")
    campaign, _ = await campaigning.started(ground)
    await deliver()
    await lifecycle.cancel(ground, actor=COMMAND, campaign_id=campaign.id)
    with pytest.raises(errors.Refused, match="cancelled"):
        await retry(ground, campaign, FAILED)
    async with ground.db.transaction() as session:
        done = await rows.retry(session, dispatch_id=1, choice=FAILED, now=ground.clock.now())
    assert done.queued == 0
    assert (await mailing.counts(ground)).failed == 1


@pytest.mark.storage
async def test_a_worker_that_closes_a_dispatch_waits_for_who_queues_somebody_anew(
    ground: Ground, smtp: Catcher, deliver: Deliver
) -> None:
    """On SQLite there is one writer at a time, so it is so by itself."""
    await people.subscribed(ground, "a@example.org")
    smtp.answer("RCPT", "a@example.org", "550 5.3.5 Setup")
    await over(ground, deliver)
    async with ground.db.transaction() as session:
        await session.execute(sa.update(Dispatch).values(state=DispatchState.SENDING.value))

    async def close() -> None:
        async with ground.db.transaction() as session:
            await dispatch.finish(session, now=ground.clock.now())

    async with ground.db.transaction() as session:
        await rows.retry(session, dispatch_id=1, choice=FAILED, now=ground.clock.now())
        closing = asyncio.create_task(close())
        await waits_for_a_lock(ground)
    await closing
    async with ground.db.reading() as session:
        found = await session.get_one(Dispatch, 1)
    assert (found.state, (await mailing.counts(ground)).queued) == ("sending", 1)


async def waits_for_a_lock(ground: Ground) -> None:
    """Until somebody waits for somebody else's transaction."""
    if ground.db.dialect == "postgresql":
        await databases.waits(ground.db)
    else:
        await asyncio.sleep(0)


@pytest.mark.storage
async def test_a_list_names_everybody_in_pages_and_counts_them_by_reason(
    ground: Ground, smtp: Catcher, deliver: Deliver
) -> None:
    for number in range(7):
        await people.subscribed(ground, f"p{number}@example.org")
        reply = "550 5.3.5 Setup" if number < 5 else "554 5.6.0 Too odd"
        smtp.answer("RCPT", f"p{number}@example.org", reply)
    await over(ground, deliver)
    found: list[str] = []
    after = 0
    async with ground.db.reading() as session:
        while page := await listing.listed(session, 1, FAILED, after=after, limit=3):
            assert len(page) <= 3
            found += [each.email for each in page]
            after = page[-1].id
        groups = await listing.groups(session, 1)
        assert await listing.listed(session, 99, FAILED) == []
    assert found == [f"p{number}@example.org" for number in range(7)]
    assert [(each.reason, each.reply_code, each.count) for each in groups] == [
        ("refused", 550, 5), ("refused", 554, 2),
    ]  # fmt: skip
    assert "Setup" in groups[0].example


@pytest.mark.storage
@pytest.mark.parametrize("choice", WhenUncertain)
async def test_a_campaign_says_what_becomes_of_the_uncertain_while_it_is_sending(
    database_url: str, tmp_path: Path, clock: FakeClock, choice: WhenUncertain
) -> None:
    other = next(each for each in WhenUncertain if each is not choice)
    async with sink.running() as server:
        settings = grounds.settings(
            url=database_url,
            folder=tmp_path,
            changes={
                "relay": {"connections": 1},
                "delivery": {"relay_rest_s": 0.01, "uncertain": other.value},
            },
            relay_port=server.port,
        )
        async with grounds.standing(settings, clock) as ground:
            await people.subscribed(ground, email="lost@example.org")
            campaign, order = await campaigning.started(ground)
            assert order.when_uncertain == other
            await retrying.decide_uncertain(
                ground, actor=COMMAND, campaign_id=campaign.id, when_uncertain=choice
            )

            def lose(connection: Connection) -> None:
                server.acts.clear()
                connection.hang_up()

            server.acts["dot"] = lose
            async with mailing.sending(ground):
                if choice is WhenUncertain.HOLD:
                    await mailing.stand(ground, uncertain=1)
                else:
                    await mailing.stand(ground, deferred=1)
                    assert (await mailing.rows(ground))[0].reason == Reason.RESENT
                    clock.advance(minutes=5)
                    await mailing.stand(ground, sent=1)
            (entry,) = await logged(ground, "campaign.decide-uncertain")
            assert entry.after["when_uncertain"] == choice


@pytest.mark.parametrize("choice", WhenUncertain)
@pytest.mark.parametrize("setting", WhenUncertain)
async def test_what_a_campaign_says_of_the_uncertain_before_it_starts_goes_before_the_settings(
    ground: Ground, choice: WhenUncertain, setting: WhenUncertain
) -> None:
    present = ground.settings.section("delivery")
    ground.settings.put("delivery", present.model_copy(update={"uncertain": setting.value}))
    await people.subscribed(ground, "a@example.org")
    campaign = await campaigning.approved(ground)
    await retrying.decide_uncertain(
        ground, actor=COMMAND, campaign_id=campaign.id, when_uncertain=choice
    )
    order = await lifecycle.start(ground, actor=COMMAND, campaign_id=campaign.id)
    assert order.when_uncertain == choice
