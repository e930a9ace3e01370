"""Lets editions go out by themselves: looked at, approved and scheduled when nothing is red.

`series_runs` marks those that are to go. Each step is one that a person could take, and each can be
taken up by another scheduler after a crash. What is red, or too late, waits for a person.
"""

from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import col, select

from campaigns import attention, bulletins, lifecycle, series_plans, transitions
from campaigns import schedule as schedules
from campaigns.models import Campaign, CampaignState
from campaigns.preflight import checklist, looking
from campaigns.series_models import RunReason, Series, SeriesRun
from foundation import errors, logs
from foundation.audit import SYSTEM, Actor, ActorKind
from foundation.ground import Ground

_log = logs.get("series")


async def send_drafted(ground: Ground) -> list[int]:
    """Approve and schedule what may go out; returns the campaigns that will.

    Any number of schedulers may call it.
    """
    statement = (
        select(SeriesRun).where(col(SeriesRun.is_to_send).is_(True)).order_by(col(SeriesRun.id))
    )
    async with ground.db.reading() as session:
        waiting = (await session.exec(statement)).all()
    return [
        run.campaign_id
        for run in waiting
        if run.campaign_id is not None and await _send(ground, run, run.campaign_id)
    ]


async def _send(ground: Ground, run: SeriesRun, campaign_id: int) -> bool:
    async with ground.db.reading() as session:
        series = await session.get_one(Series, run.series_id)
        campaign = await transitions.get(session, campaign_id)
        if looking.is_going_on(ground, await looking.last(session, campaign_id)):
            return False  # another scheduler, or a person, is at it
    actor = Actor(kind=ActorKind.SYSTEM, label=series.name)
    state = CampaignState(campaign.state)
    try:
        if state is CampaignState.IN_REVIEW:
            await _look(ground, campaign)
            await lifecycle.approve(ground, actor=actor, campaign_id=campaign_id)
            state = CampaignState.APPROVED
        if state is CampaignState.APPROVED:
            await _schedule(ground, actor, series, run, campaign_id)
    except errors.Busy:
        raise
    except errors.HandbillError as problem:
        await _wait_for_person(ground, run, campaign_id, problem)
        return False
    return await _done(ground, run)


async def _look(ground: Ground, campaign: Campaign) -> None:
    """Look through the list as a person would. Raises `errors.Refused` for what is red."""
    work = await looking.begin(ground, campaign_id=campaign.id)
    if work is not None:
        await looking.finish(ground, work)
    async with ground.db.reading() as session:
        bulletin = await bulletins.get(session, campaign.bulletin_id)
        await checklist.refuse_red(ground, session, campaign, bulletin)


async def _schedule(
    ground: Ground, actor: Actor, series: Series, run: SeriesRun, campaign_id: int
) -> None:
    """For its time; at once when that is over, but not for long."""
    now = ground.clock.now()
    if run.sends_at > now:
        rule = series_plans.parse(series.document).rule
        zone = rule.zone or ground.settings.site.zone
        at = schedules.local_text(run.sends_at, zone)
        await lifecycle.schedule(
            ground, actor=actor, campaign_id=campaign_id, at=at, zone=zone, fold=0
        )
    elif run.sends_at < now - timedelta(hours=ground.settings.delivery.late_start_hours):
        raise errors.Refused(attention.OVERDUE)
    else:
        await lifecycle.start(ground, actor=actor, campaign_id=campaign_id)


async def _done(ground: Ground, run: SeriesRun) -> bool:
    """Whether it was us who saw it through."""
    async with ground.db.transaction() as session:
        settled = await session.execute(
            sa.update(SeriesRun)
            .where(col(SeriesRun.id) == run.id, col(SeriesRun.is_to_send).is_(True))
            .values(is_to_send=False)
            .returning(col(SeriesRun.id))
        )
        return settled.first() is not None


async def _wait_for_person(
    ground: Ground, run: SeriesRun, campaign_id: int, problem: errors.HandbillError
) -> None:
    """Keep why it does not go by itself, and tell staff; once, whoever calls it."""
    said = {code: problem.say(ground.translator(code)) for code in ground.catalog.languages}
    async with ground.db.transaction() as session:
        settled = await session.execute(
            sa.update(SeriesRun)
            .where(col(SeriesRun.id) == run.id, col(SeriesRun.is_to_send).is_(True))
            .values(is_to_send=False, reason=RunReason.NOT_GREEN.value, values={"said": said})
            .returning(col(SeriesRun.id))
        )
        if settled.first() is None:
            return
        campaign = await transitions.get(session, campaign_id)
        await session.execute(
            sa.update(Campaign)
            .where(col(Campaign.id) == campaign_id)
            .values(waiting_reason=str(problem), waiting_texts=said)
        )
        await attention.tell_staff(ground, session, campaign=campaign, reason=problem)
        transitions.note(
            ground, session, SYSTEM, campaign_id, "waits",
            before={}, after={"waiting_reason": str(problem)},
        )  # fmt: skip
    _log.warning("an edition waits for a person", campaign=campaign_id, said=str(problem))
