"""An hour where each reader lives: one dispatch, nobody before their hour, each of them once."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlmodel import col, select

from campaigns import campaign_views, due, lifecycle, reader_time, trials, zip_zones
from campaigns.models import Campaign, CampaignState
from campaigns.trial_plans import Plan, What
from delivery import blocks, ledger
from delivery.models import Delivery, Dispatch, Reason
from foundation import errors
from foundation.accounts.models import Role
from foundation.audit import COMMAND
from foundation.ground import Ground
from subscribers.models import Subscriber
from tests.campaigns.test_campaign_pages import words
from tests.world import campaigning, people
from tests.world.clock import FakeClock
from tests.world.smtp import Catcher
from tests.world.web import Web
from tools import zip_zones as making

NEW_YORK = "America/New_York"
AT = "2026-12-01T09:00"
LIVES = {
    "boston@example.org": ("02108", 14),
    "elpaso@example.org": ("79901-1234", 16),
    "phoenix@example.org": (" 85001", 16),
    "seattle@example.org": ("98101", 17),
    "honolulu@example.org": ("96813", 19),
    "nowhere@example.org": ("", 14),
    "london@example.org": ("SW1A 1AA", 14),
}
"""Address → ZIP code, and the hour in UTC that is nine o'clock there."""


def test_zones_are_those_of_the_package_that_knows_zip_codes() -> None:
    starts, codes = making.table()
    assert {zone: found.split() for zone, found in zip_zones.STARTS.items()} == starts
    assert {zone: found.split() for zone, found in zip_zones.CODES.items()} == codes


def wait_until(clock: FakeClock, hour: int, *, day: int = 1) -> None:
    """Until an hour in UTC of a day of December."""
    then = datetime(2026, 12, day, hour, tzinfo=UTC)
    clock.advance(seconds=(then - clock.now()).total_seconds())


async def planned(ground: Ground) -> Campaign:
    """A campaign for nine o'clock wherever somebody lives."""
    for address, (code, _) in LIVES.items():
        await people.subscribed(ground, address, postal_code=code)
    campaign = await campaigning.approved(ground)
    await lifecycle.schedule(
        ground, actor=COMMAND, campaign_id=campaign.id, at=AT, zone=NEW_YORK, at_readers_time=True
    )
    return (await campaign_views.show(ground, campaign_id=campaign.id)).campaign


@pytest.mark.storage
async def test_everybody_gets_it_once_at_their_hour_and_nobody_before(
    ground: Ground, clock: FakeClock, smtp: Catcher, deliver: Callable[[], Awaitable[None]]
) -> None:
    campaign = await planned(ground)
    assert campaign.scheduled_at == datetime(2026, 12, 1, 14, tzinfo=UTC)
    got: dict[str, int] = {}
    for hour in range(13, 20):
        wait_until(clock, hour)
        await due.start_due(ground)
        await deliver()
        for mail in smtp.messages:
            assert mail.rcpt_to not in got
            got[mail.rcpt_to] = hour
        smtp.messages.clear()
        if hour == 14:
            async with ground.db.reading() as session:
                waiting = (
                    await session.exec(
                        select(Delivery.reason).where(col(Delivery.sent_at).is_(None))
                    )
                ).all()
                counted = await ledger.counts(session, 1)
            assert set(waiting) == {Reason.OWN_TIME}
            assert (counted.queued, counted.sent) == (4, 3)
            # Whoever lets a host's mail go lets nobody's hour go.
            await blocks.hold(ground, name="domain:example.org", said="550 not from you")
            await blocks.release(ground, actor=COMMAND, name="domain:example.org")
    assert got == {address: hour for address, (_, hour) in LIVES.items()}
    assert await lifecycle.follow_dispatches(ground) == [campaign.id]


@pytest.mark.storage
async def test_where_the_hour_is_past_it_goes_at_once_and_skipped_hours_move_forward(
    ground: Ground, clock: FakeClock
) -> None:
    wait_until(clock, 15)
    campaign = await planned(ground)
    assert campaign.scheduled_at == clock.now()
    assert await due.start_due(ground) == [campaign.id]
    async with ground.db.reading() as session:
        rows = (
            await session.exec(
                select(Subscriber.email, Delivery.due_at, Delivery.reason)
                .join(Delivery, col(Delivery.subscriber_id) == col(Subscriber.id))
                .order_by(col(Delivery.id))
            )
        ).all()
        order = (await session.exec(select(Dispatch))).one()
    assert {email: moment.hour for email, moment, _ in rows} == {
        address: hour for address, (_, hour) in LIVES.items()
    }
    assert {email for email, moment, reason in rows if reason} == {
        email for email, moment, _ in rows if moment > clock.now()
    }
    assert order.last_due_at == datetime(2026, 12, 1, 19, tzinfo=UTC)
    # Clocks go forward over 02:30 on 14 March 2027 in Boston, not in Phoenix; back over 01:30.
    assert reader_time.moment("2027-03-14T02:30", NEW_YORK).hour == 7
    assert reader_time.moment("2027-03-14T02:30", "America/Phoenix").hour == 9
    assert reader_time.moment("2026-11-01T01:30", NEW_YORK).hour == 5


async def test_it_is_refused_when_past_everywhere_and_beside_a_trial_and_forgotten_by_a_start(
    ground: Ground, clock: FakeClock
) -> None:
    campaign = await planned(ground)
    await lifecycle.unschedule(ground, actor=COMMAND, campaign_id=campaign.id)
    await lifecycle.send_back(ground, actor=COMMAND, campaign_id=campaign.id)
    plan = Plan(what=What.SENDER, from_name="The board")
    await trials.plan(ground, actor=COMMAND, campaign_id=campaign.id, wanted=plan)
    await lifecycle.approve(ground, actor=COMMAND, campaign_id=campaign.id)
    both: dict[str, Any] = {"actor": COMMAND, "campaign_id": campaign.id}
    with pytest.raises(errors.Refused, match="tries two forms"):
        await lifecycle.schedule(ground, at=AT, zone=NEW_YORK, at_readers_time=True, **both)
    await lifecycle.send_back(ground, **both)
    await trials.drop(ground, **both)
    await lifecycle.approve(ground, **both)
    wait_until(clock, 18)
    await lifecycle.schedule(ground, at=AT, zone=NEW_YORK, at_readers_time=True, **both)
    await lifecycle.start(ground, **both)
    async with ground.db.reading() as session:
        assert set((await session.exec(select(Delivery.due_at))).all()) == {clock.now()}
    other = await campaigning.approved(ground, name="Other")
    clock.advance(hours=1)
    with pytest.raises(errors.Invalid, match="is past"):
        await lifecycle.schedule(
            ground, actor=COMMAND, campaign_id=other.id, at=AT, zone=NEW_YORK, at_readers_time=True
        )


async def test_pages_say_when_each_part_gets_it_and_how_many_wait(
    web: Web, ground: Ground, clock: FakeClock
) -> None:
    for address, (code, _) in LIVES.items():
        await people.subscribed(ground, address, postal_code=code)
    campaign = await campaigning.approved(ground)
    editor = await web.as_staff(Role.EDITOR)
    here = f"/staff/campaigns/{campaign.id}"
    sent = {"at": AT, "zone": NEW_YORK, "at_readers_time": "1"}
    assert (await editor.post(f"{here}/schedule", sent)).status == 303
    page = words((await editor.get(here)).text)
    assert "3 America/New York" in page
    assert "1 Pacific/Honolulu" in page
    asked = await editor.post(f"/staff/calendar/move/{campaign.id}", {"day": "2026-12-02"})
    assert "Each reader gets it at this hour where they live" in asked.text
    moved = {"at": "2026-12-02T09:00", "zone": NEW_YORK}
    assert (await editor.post(f"/staff/calendar/move/{campaign.id}", moved)).status == 303
    wait_until(clock, 14, day=2)
    assert await due.start_due(ground) == [campaign.id]
    editor = await web.as_staff(Role.EDITOR)
    assert "4 people wait for the hour where they live" in words((await editor.get(here)).text)
    assert await campaigning.state(ground, campaign.id) == CampaignState.SENDING
