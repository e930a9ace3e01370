"""Starts campaigns when their time has come; what can't start then waits for a person."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col

from campaigns import attention, lifecycle, transitions
from campaigns.models import Campaign, CampaignState
from campaigns.transitions import Verb
from foundation import errors, logs
from foundation.audit import SYSTEM
from foundation.ground import Ground

_log = logs.get("campaigns")


async def start_due(ground: Ground) -> list[int]:
    """Start what is due; returns the campaigns started. Any number of schedulers may call it.

    What was due while nobody looked starts if it is not older than `[delivery] late_start_hours`;
    else, and when it can't go out, it waits for a person, who is told.
    """
    now = ground.clock.now()
    oldest = now - timedelta(hours=ground.settings.delivery.late_start_hours)
    statement = (
        sa.select(col(Campaign.id), col(Campaign.scheduled_at))
        .where(
            col(Campaign.state) == CampaignState.SCHEDULED.value,
            col(Campaign.scheduled_at) <= now,
        )
        .order_by(col(Campaign.scheduled_at), col(Campaign.id))
    )
    async with ground.db.reading() as session:
        due = (await session.execute(statement)).all()
    started = []
    for number, moment in due:
        if moment < oldest:
            await _wait_for_person(ground, number, moment, errors.Refused(attention.OVERDUE))
        elif await _start_by_itself(ground, number, moment):
            started.append(number)
    return started


async def _start_by_itself(ground: Ground, campaign_id: int, moment: datetime) -> bool:
    try:
        await lifecycle.start(ground, actor=SYSTEM, campaign_id=campaign_id, is_due=True)
    except (errors.Busy, errors.Conflict):
        # Later, or not at all: another scheduler was first, or a person undid it.
        return False
    except errors.HandbillError as problem:
        async with ground.db.reading() as session:
            campaign = await transitions.get(session, campaign_id)
        if campaign.state != CampaignState.SCHEDULED:
            return False  # another scheduler, or a person, was first
        _log.warning("a due campaign could not start", campaign=campaign_id, said=str(problem))
        await _wait_for_person(ground, campaign_id, moment, problem)
        return False
    return True


async def _wait_for_person(
    ground: Ground, campaign_id: int, moment: datetime, reason: errors.HandbillError
) -> None:
    """Take what was due at `moment` off the schedule and tell staff why; once, whoever calls it."""
    async with ground.db.transaction() as session:
        campaign = await transitions.get(session, campaign_id)
        if campaign.state != CampaignState.SCHEDULED or campaign.scheduled_at != moment:
            return
        await transitions.wait(ground, session, campaign, Verb.UNSCHEDULE, reason)
        await attention.tell_staff(ground, session, campaign=campaign, reason=reason)
