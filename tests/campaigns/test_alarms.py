"""Too much that comes back pauses a campaign, once, until somebody has looked at the figures."""

import asyncio
from collections.abc import Sequence

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from campaigns import alarms, campaign_views, lifecycle, webhooks
from campaigns.alarm_models import Alarm
from campaigns.models import Campaign
from campaigns.webhook_models import WebhookCall
from delivery import returns, worker
from delivery.models import BounceKind, Delivery, Dispatch, QueuedNotice
from delivery.returns import Event
from foundation import errors
from foundation.accounts.models import Role
from foundation.audit import COMMAND, AuditEntry
from foundation.ground import Ground
from tests.campaigns.test_campaign_pages import words
from tests.subscribers import mailbox
from tests.world import campaigning, mailing, people
from tests.world.smtp import Catcher
from tests.world.web import Web

few = pytest.mark.settings(
    bounces={
        "least_sent": 10,
        "least_complaints": 2,
        "least_hard": 2,
        "complaint_alarm_percent": 10,
        "complaint_pause_percent": 20,
        "hard_pause_percent": 20,
    },
    mail={"staff_address": "staff@coalition.example"},
)


async def underway(ground: Ground, *, sent: int, waiting: int = 5) -> Campaign:
    """A campaign that so many have and so many wait for."""
    await mailing.crowd(ground, sent + waiting)
    campaign, order = await campaigning.started(ground)
    now = ground.clock.now()
    async with ground.db.transaction() as session:
        await session.execute(
            sa.update(Delivery)
            .where(col(Delivery.dispatch_id) == order.id, col(Delivery.subscriber_id) <= sent)
            .values(state="sent", sent_at=now)
        )
    return campaign


async def come_back(ground: Ground, kind: BounceKind, numbers: Sequence[int]) -> None:
    said = [Event(via="ses", kind=kind, address=mailing.address(each)) for each in numbers]
    assert (await returns.take_events(ground, said)).new == len(numbers)


async def state(ground: Ground, campaign: Campaign) -> str:
    return await campaigning.state(ground, campaign.id)


async def told_staff(ground: Ground) -> list[QueuedNotice]:
    kind, to = "campaign_needs_attention", "staff@coalition.example"
    return await mailbox.notices(ground, kind=kind, to=to)


async def known(ground: Ground) -> list[tuple[str, str, int, int, bool]]:
    async with ground.db.reading() as session:
        rows = (await session.exec(select(Alarm).order_by(col(Alarm.id)))).all()
    return [(row.kind, row.level, row.count, row.sent, row.has_paused) for row in rows]


@few
@pytest.mark.storage
async def test_complaints_pause_a_campaign_and_staff_are_told_why(ground: Ground) -> None:
    campaign = await underway(ground, sent=10)
    await come_back(ground, BounceKind.COMPLAINT, [1])
    assert await alarms.watch(ground) == []
    await come_back(ground, BounceKind.COMPLAINT, [2])
    found = await asyncio.gather(*(alarms.watch(ground) for _ in range(3)))
    assert sorted(found) == [[], [], [campaign.id]], "of several schedulers one does it"
    assert await state(ground, campaign) == "paused"
    assert await known(ground) == [("complaints", "stop", 2, 10, True)]
    async with ground.db.reading() as session:
        order = (await session.exec(select(Dispatch))).one()
        actions = select(AuditEntry).where(AuditEntry.action == "campaign.pause")
        (entry,) = (await session.exec(actions)).all()
    assert order.state == "paused"
    assert (entry.actor_kind, entry.before["state"]) == ("system", "sending")
    (told,) = await told_staff(ground)
    assert "2 of 10 people marked it as spam" in told.context["reason"]


@few
async def test_other_programs_hear_of_the_pause(ground: Ground) -> None:
    await webhooks.create(
        ground, actor=COMMAND, url="http://localhost:1/", events=["campaign.paused"]
    )
    await underway(ground, sent=10)
    await come_back(ground, BounceKind.COMPLAINT, [1, 2])
    await alarms.watch(ground)
    await webhooks.work(ground)
    async with ground.db.reading() as session:
        (call,) = (await session.exec(select(WebhookCall))).all()
    assert call.type == "campaign.paused"


@few
@pytest.mark.storage
async def test_dead_addresses_pause_only_above_their_share(ground: Ground) -> None:
    campaign = await underway(ground, sent=10)
    await come_back(ground, BounceKind.HARD, [1, 2])
    await alarms.watch(ground)
    assert await state(ground, campaign) == "sending", "20 % is not above 20 %"
    await come_back(ground, BounceKind.HARD, [3])
    await alarms.watch(ground)
    assert await state(ground, campaign) == "paused"
    assert await known(ground) == [("dead-addresses", "stop", 3, 10, True)]


@few
async def test_what_the_relay_itself_calls_dead_counts_too(ground: Ground, smtp: Catcher) -> None:
    for number in range(1, 13):
        await people.subscribed(ground, mailing.address(number))
    for number in (1, 2, 3):
        smtp.answer("RCPT", mailing.address(number), "550 5.1.1 no such user")
    smtp.answer("RCPT", mailing.address(12), "450 4.2.1 later")
    campaign, _ = await campaigning.started(ground)
    await worker.run_until_idle(ground)
    await alarms.watch(ground)
    assert await state(ground, campaign) == "paused"
    assert await known(ground) == [("dead-addresses", "stop", 3, 11, True)]


@pytest.mark.settings(bounces={"least_complaints": 1})
async def test_a_few_people_are_no_sample(ground: Ground) -> None:
    campaign = await underway(ground, sent=20)
    await come_back(ground, BounceKind.COMPLAINT, [1, 2, 3])
    await come_back(ground, BounceKind.HARD, range(4, 16))
    await alarms.watch(ground)
    assert await state(ground, campaign) == "sending"
    assert await known(ground) == []


@few
@pytest.mark.storage
async def test_it_goes_on_once_somebody_looked_and_is_not_paused_for_the_same_again(
    ground: Ground,
) -> None:
    campaign = await underway(ground, sent=10, waiting=20)
    await come_back(ground, BounceKind.COMPLAINT, [1, 2])
    await alarms.watch(ground)
    with pytest.raises(errors.Refused, match="Look at the figures"):
        await lifecycle.resume(ground, actor=COMMAND, campaign_id=campaign.id)
    await lifecycle.resume(ground, actor=COMMAND, campaign_id=campaign.id, is_acknowledged=True)
    await come_back(ground, BounceKind.COMPLAINT, [3])
    await alarms.watch(ground)
    assert await state(ground, campaign) == "sending"
    async with ground.db.transaction() as session:
        await session.execute(sa.update(Delivery).values(state="sent", sent_at=ground.clock.now()))
    await come_back(ground, BounceKind.COMPLAINT, [11, 12, 13])
    await alarms.watch(ground)
    assert await state(ground, campaign) == "paused", "four of the twenty that were sent since"
    assert await known(ground) == [
        ("complaints", "stop", 2, 10, True),
        ("complaints", "stop", 6, 30, True),
    ]


@few
async def test_a_smaller_share_only_tells_staff_once(ground: Ground) -> None:
    campaign = await underway(ground, sent=20)
    await come_back(ground, BounceKind.COMPLAINT, [1, 2])
    for _ in range(3):
        assert await alarms.watch(ground) == []
    assert await state(ground, campaign) == "sending"
    assert await known(ground) == [("complaints", "warn", 2, 20, False)]
    assert len(await told_staff(ground)) == 1


@few
async def test_what_was_paused_by_hand_or_is_over_is_not_touched_but_staff_are_told(
    ground: Ground,
) -> None:
    campaign = await underway(ground, sent=10)
    await lifecycle.pause(ground, actor=COMMAND, campaign_id=campaign.id, reason="a typo")
    await come_back(ground, BounceKind.COMPLAINT, [1, 2])
    await alarms.watch(ground)
    view = await campaign_views.show(ground, campaign_id=campaign.id)
    assert (view.campaign.state, view.campaign.waiting_reason) == ("paused", "a typo")
    assert await known(ground) == [("complaints", "stop", 2, 10, False)]
    await lifecycle.resume(ground, actor=COMMAND, campaign_id=campaign.id)


@few
async def test_the_page_shows_the_figures_and_what_to_do_and_lets_an_editor_go_on(
    ground: Ground, web: Web
) -> None:
    campaign = await underway(ground, sent=10)
    await come_back(ground, BounceKind.COMPLAINT, [1, 2])
    await alarms.watch(ground)
    here = f"/staff/campaigns/{campaign.id}"
    author = await web.as_staff(Role.AUTHOR)
    said = words((await author.get(here)).text)
    assert "2 of 10 people marked it as spam. That is 20%." in said
    assert "Go on sending" not in said
    assert "Es el 20" in words((await author.get(f"{here}?lang=es")).text)
    editor = await web.as_staff(Role.EDITOR)
    refused = await editor.post(f"{here}/resume")
    assert refused.status == 409
    assert "Look at the figures" in refused.text
    assert (await editor.post(f"{here}/resume", {"acknowledge": "1"})).status == 303
    assert await state(ground, campaign) == "sending"
    assert "marked it as spam" not in (await editor.get(here)).text


@few
async def test_an_alarm_of_a_campaign_that_is_over_is_put_away_by_who_has_seen_it(
    ground: Ground, web: Web
) -> None:
    campaign = await underway(ground, sent=15, waiting=0)
    async with ground.db.transaction() as session:
        await session.execute(sa.update(Dispatch).values(state="sent"))
    await lifecycle.follow_dispatches(ground)
    await come_back(ground, BounceKind.HARD, range(1, 6))
    await alarms.watch(ground)
    here = f"/staff/campaigns/{campaign.id}"
    editor = await web.as_staff(Role.EDITOR)
    assert "5 of 15 addresses do not exist any more" in (await editor.get(here)).text
    await editor.post(f"{here}/acknowledge")
    assert "do not exist any more" not in words((await editor.get(here)).text)


@few
async def test_complaints_about_a_welcome_set_off_no_campaigns_alarm(ground: Ground) -> None:
    topic = await mailing.crowd(ground, 10)
    await mailing.start(ground, topics=[topic], campaign_id=-1)
    async with ground.db.transaction() as session:
        sent = {"state": "sent", "sent_at": ground.clock.now()}
        await session.execute(sa.update(Delivery).values(**sent))
    await come_back(ground, BounceKind.COMPLAINT, [1, 2])
    assert await alarms.watch(ground) == []
    assert await known(ground) == []
