"""The life of a campaign: draft, review, approval, schedule, sending, pause, the end.

What may follow what stands in `transitions`; what sending begins with, in `work_order`; what starts
by itself, in `due`.
"""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import (
    alarms,
    announcing,
    archiving,
    audience_words,
    audiences,
    bulletins,
    campaign_values,
    campaign_views,
    compiling,
    reader_time,
    reviewing,
    transitions,
    trials,
    work_order,
)
from campaigns import schedule as schedules
from campaigns.approvals import Standing
from campaigns.audiences import Audience
from campaigns.models import Bulletin, Campaign, CampaignState, Visibility
from campaigns.preflight import checklist, overrides
from campaigns.transitions import Verb
from delivery import dispatch
from delivery.models import Dispatch, DispatchState, WhenUncertain
from foundation import errors
from foundation.audit import SYSTEM, Actor
from foundation.ground import Ground
from foundation.i18n import N_


async def create(
    ground: Ground,
    *,
    actor: Actor,
    bulletin_id: int,
    name: str,
    audience: Audience,
    from_name: str = "",
    from_address: str = "",
    reply_to: str = "",
    relay: str = "",
    when_uncertain: str = "",
    visibility: Visibility = Visibility.PUBLIC,
    archive_slug: str = "",
) -> Campaign:
    """A draft that sends a bulletin. Raises `errors.Invalid`, `errors.NotFound`."""
    async with ground.db.transaction() as session:
        return await add(
            ground,
            session,
            actor=actor,
            bulletin_id=bulletin_id,
            name=name,
            audience=audience,
            from_name=from_name,
            from_address=from_address,
            reply_to=reply_to,
            relay=relay,
            when_uncertain=when_uncertain,
            visibility=visibility,
            archive_slug=archive_slug,
        )


async def add(
    ground: Ground,
    session: AsyncSession,
    *,
    actor: Actor,
    bulletin_id: int,
    name: str,
    audience: Audience,
    from_name: str,
    from_address: str,
    reply_to: str,
    relay: str,
    when_uncertain: str,
    visibility: Visibility = Visibility.PUBLIC,
    archive_slug: str = "",
) -> Campaign:
    """As `create`, in the caller's transaction."""
    values = campaign_values.checked(name, audience, from_name, from_address, reply_to)
    values["relay"] = campaign_values.known_relay(ground, relay)
    values["when_uncertain"] = WhenUncertain(when_uncertain).value if when_uncertain else ""
    values["visibility"] = visibility.value
    values["archive_slug"] = await archiving.checked_slug(session, archive_slug)
    now = ground.clock.now()
    bulletin = await bulletins.get(session, bulletin_id)
    await audiences.resolve(ground, session, audience, languages=[""])
    made = Campaign(
        bulletin_id=bulletin.id,
        state=CampaignState.DRAFT.value,
        created_by=actor.label,
        created_at=now,
        updated_at=now,
        **{**values, "name": values["name"] or bulletin.name},
    )
    session.add(made)
    with archiving.named_once():
        await session.flush()
    said = await audience_words.logged(ground, session, values)
    transitions.note(ground, session, actor, made.id, "created", before={}, after=said)
    return made


async def update(
    ground: Ground,
    *,
    actor: Actor,
    campaign_id: int,
    version: int,
    name: str,
    audience: Audience,
    from_name: str = "",
    from_address: str = "",
    reply_to: str = "",
    relay: str = "",
    visibility: Visibility = Visibility.PUBLIC,
    archive_slug: str = "",
) -> Campaign:
    """Change a draft that was seen at `version`.

    Raises `errors.Invalid`, `errors.NotFound`, `errors.Refused` once it is approved, and
    `errors.Conflict` when somebody else changed it meanwhile.
    """
    values = campaign_values.checked(name, audience, from_name, from_address, reply_to)
    values["relay"] = campaign_values.known_relay(ground, relay)
    values["visibility"] = visibility.value
    async with ground.db.transaction() as session:
        campaign = await transitions.get(session, campaign_id)
        transitions.allow(campaign, Verb.UPDATE)
        await audiences.resolve(ground, session, audience, languages=[""])
        values["archive_slug"] = await archiving.checked_slug(
            session, archive_slug, besides=campaign_id
        )
        before = {key: getattr(campaign, key) for key in values}
        with archiving.named_once():
            changed = await session.execute(
                sa.update(Campaign)
                .where(col(Campaign.id) == campaign_id, col(Campaign.version) == version)
                .values(**values, version=version + 1, updated_at=ground.clock.now())
                .returning(col(Campaign.id))
            )
        if changed.first() is None:
            raise errors.Conflict(
                N_("Somebody else changed this campaign meanwhile. Reload, then change it.")
            )
        await overrides.withdraw(session, campaign_id)
        transitions.note(
            ground,
            session,
            actor,
            campaign_id,
            "updated",
            before=await audience_words.logged(ground, session, before),
            after=await audience_words.logged(ground, session, values),
        )
        await session.refresh(campaign)
    return campaign


async def request_review(
    ground: Ground, *, actor: Actor, campaign_id: int, note: str = "", editor_id: int | None = None
) -> None:
    """Ask an editor, or any of them, to read it; they get a mail.

    Raises `errors.Refused`, `errors.NotFound`, `errors.Invalid` for somebody who may not approve.
    """
    async with ground.db.transaction() as session:
        campaign = await transitions.get(session, campaign_id)
        await transitions.move(ground, session, actor, campaign, Verb.REQUEST_REVIEW)
        await reviewing.ask(ground, session, actor, campaign, note, editor_id)


async def approve(ground: Ground, *, actor: Actor, campaign_id: int) -> Standing:
    """Approve it as it stands, alone or as one of several; a later change withdraws it.

    Raises `errors.Refused` (also while something stops it from going out, and for whoever wrote it
    where others have to read it), `errors.NotFound`.
    """
    async with ground.db.transaction() as session:
        campaign = await transitions.get(session, campaign_id)
        transitions.allow(campaign, Verb.APPROVE)
        bulletin = await bulletins.get(session, campaign.bulletin_id)
        await _refuse_blocked(ground, session, bulletin)
        return await reviewing.approve(ground, session, actor, campaign, bulletin)


async def send_back(ground: Ground, *, actor: Actor, campaign_id: int, reason: str = "") -> None:
    """Back to the author, who is told. Raises `errors.Refused`, `errors.NotFound`."""
    async with ground.db.transaction() as session:
        campaign = await transitions.get(session, campaign_id)
        await transitions.move(
            ground, session, actor, campaign, Verb.SEND_BACK,
            approved_version=None, approved_by="", waiting_reason=reason[:500],
        )  # fmt: skip
        await reviewing.returned(ground, session, actor, campaign, reason[:500])


async def schedule(
    ground: Ground, *, actor: Actor, campaign_id: int, at: str, zone: str, fold: int | None = None,
    at_readers_time: bool = False,
) -> None:  # fmt: skip
    """Start by itself at a local time of a zone, or when clocks show it where each reader lives.

    Raises `errors.Invalid` for a time that does not exist or is past, `errors.Refused` (also for a
    red item on the list before sending), `errors.NotFound`.
    """
    now = ground.clock.now()
    moment = last = schedules.resolve(at, zone, fold=fold)
    async with ground.db.transaction() as session:
        campaign = await transitions.get(session, campaign_id)
        if at_readers_time:
            if await trials.of_campaign(session, campaign_id) is not None:
                raise errors.Refused(
                    N_("It tries two forms, so all readers have to get it at one time.")
                )
            bulletin = await bulletins.get(session, campaign.bulletin_id)
            hours = await reader_time.hours(
                ground, session, campaign, bulletin, local=at.strip(), zone=zone
            )
            # Where the hour is past it goes at once; somewhere it has to be still to come.
            moment, last = max(now, hours[0].at), max(hours[-1].at, last)
        if last <= now:
            past = errors.Invalid(N_("This time is past. Choose a later one, or start now."))
            raise errors.Invalid(past.msgid, fields={"at": past})
        await _schedule(
            ground, session, actor, campaign, moment, at.strip(), zone,
            at_readers_time=at_readers_time,
        )  # fmt: skip


async def start_soon(ground: Ground, *, actor: Actor, campaign_id: int) -> datetime:
    """Start when the undo window is over, by itself; until then `unschedule` undoes it.

    Nothing is frozen and no ledger is filled before, so there is nothing to take back. Pressing
    twice changes nothing. Returns when it begins; raises as `schedule` does.
    """
    now = ground.clock.now()
    zone = ground.settings.site.zone
    async with ground.db.transaction() as session:
        campaign = await transitions.get(session, campaign_id)
        is_counting = campaign.state == CampaignState.SCHEDULED and campaign.undo_from is not None
        if is_counting and campaign.scheduled_at is not None:
            return campaign.scheduled_at
        moment = now + timedelta(seconds=ground.settings.release.undo_s)
        local = schedules.local_text(moment, zone)
        await _schedule(ground, session, actor, campaign, moment, local, zone, undo_from=now)
    return moment


async def unschedule(ground: Ground, *, actor: Actor, campaign_id: int) -> None:
    """Wait for a person again. Raises `errors.Refused`, `errors.NotFound`."""
    await _step(
        ground, actor, campaign_id, Verb.UNSCHEDULE,
        scheduled_at=None, scheduled_local="", scheduled_zone="", undo_from=None,
        at_readers_time=False,
    )  # fmt: skip


async def start(
    ground: Ground, *, actor: Actor, campaign_id: int, is_due: bool = False
) -> Dispatch:
    """Freeze the plans, fill the ledger, and let workers begin: all in one transaction, or nothing.

    `is_due`: only if it is scheduled and its time has come, else `errors.Conflict`: somebody undid
    it, or chose another time. Raises `errors.Refused` (state, a change after approval, a red item
    on the list before sending, whoever asks), `errors.NotFound`.
    """
    async with ground.db.transaction() as session:
        campaign = await transitions.get(session, campaign_id)
        if is_due and not (campaign.scheduled_at and campaign.scheduled_at <= ground.clock.now()):
            raise errors.Conflict(N_("It is not due."))
        return await start_in(
            ground, session, actor, campaign,
            at_readers_time=is_due and campaign.at_readers_time,
        )  # fmt: skip


async def start_in(
    ground: Ground, session: AsyncSession, actor: Actor, campaign: Campaign, *,
    at_readers_time: bool = False,
) -> Dispatch:  # fmt: skip
    """As `start`, in the caller's transaction; perhaps to each reader at their hour."""
    transitions.allow(campaign, Verb.START)
    bulletin = await bulletins.get(session, campaign.bulletin_id)
    _refuse_changed(campaign, bulletin)
    await checklist.refuse_red(ground, session, campaign, bulletin)
    slug = await archiving.slug_for(ground, session, campaign)
    with archiving.named_once():
        await transitions.move(
            ground, session, actor, campaign, Verb.START,
            started_at=ground.clock.now(), archive_slug=slug, waiting_reason="", undo_from=None,
            at_readers_time=at_readers_time,
        )  # fmt: skip
    order = await work_order.hand_over(ground, session, campaign, bulletin, slug)
    await announcing.started(ground, session, actor, campaign, bulletin, order)
    return order


async def pause(ground: Ground, *, actor: Actor, campaign_id: int, reason: str = "") -> None:
    """Hold what is not sent yet. Raises `errors.Refused`, `errors.NotFound`."""
    async with ground.db.transaction() as session:
        campaign = await transitions.get(session, campaign_id)
        await transitions.move(
            ground, session, actor, campaign, Verb.PAUSE, waiting_reason=reason[:500]
        )
        order = await campaign_views.order_of(session, campaign_id)
        await dispatch.pause(session, dispatch_id=order.id, reason=reason[:500])


async def resume(
    ground: Ground, *, actor: Actor, campaign_id: int, is_acknowledged: bool = False
) -> None:
    """Go on where it was held.

    One that an alarm paused goes on once somebody has looked at the figures (`is_acknowledged`, or
    `alarms.acknowledge` before). Raises `errors.Refused`, `errors.NotFound`.
    """
    async with ground.db.transaction() as session:
        campaign = await transitions.get(session, campaign_id)
        if is_acknowledged:
            transitions.allow(campaign, Verb.RESUME)
            await alarms.settle(ground, session, actor=actor, campaign_id=campaign_id)
        await alarms.refuse_unacknowledged(session, campaign_id)
        await transitions.move(ground, session, actor, campaign, Verb.RESUME, waiting_reason="")
        order = await campaign_views.order_of(session, campaign_id)
        await dispatch.resume(session, dispatch_id=order.id)


async def cancel(ground: Ground, *, actor: Actor, campaign_id: int) -> None:
    """Stop for good, at any moment before it is sent. Raises `errors.Refused`."""
    async with ground.db.transaction() as session:
        campaign = await transitions.get(session, campaign_id)
        await transitions.move(
            ground, session, actor, campaign, Verb.CANCEL, finished_at=ground.clock.now()
        )
        order = await campaign_views.dispatch_of(session, campaign_id)
        if order is not None:
            await dispatch.cancel(session, dispatch_id=order.id)


async def follow_dispatches(ground: Ground) -> list[int]:
    """Close campaigns whose every recipient has an outcome; returns them."""
    finished = sa.select(col(Dispatch.campaign_id)).where(
        col(Dispatch.state) == DispatchState.SENT.value
    )
    now = ground.clock.now()
    async with ground.db.transaction() as session:
        closed = await session.execute(
            sa.update(Campaign)
            .where(
                col(Campaign.state).in_([CampaignState.SENDING.value, CampaignState.PAUSED.value]),
                col(Campaign.id).in_(finished),
            )
            .values(state=CampaignState.SENT.value, finished_at=now, updated_at=now)
            .returning(col(Campaign.id))
            .execution_options(synchronize_session=False)
        )
        numbers = list(closed.scalars().all())
        for number in numbers:
            transitions.note(
                ground, session, SYSTEM, number, "sent",
                before={"state": CampaignState.SENDING.value},
                after={"state": CampaignState.SENT.value},
            )  # fmt: skip
            await announcing.done(ground, session, number)
    return numbers


async def _schedule(
    ground: Ground, session: AsyncSession, actor: Actor, campaign: Campaign, moment: datetime,
    local: str, zone: str, *, undo_from: datetime | None = None, at_readers_time: bool = False,
) -> None:  # fmt: skip
    transitions.allow(campaign, Verb.SCHEDULE)
    bulletin = await bulletins.get(session, campaign.bulletin_id)
    _refuse_changed(campaign, bulletin)
    await checklist.refuse_red(ground, session, campaign, bulletin)
    await transitions.move(
        ground, session, actor, campaign, Verb.SCHEDULE,
        scheduled_at=moment, scheduled_local=local, scheduled_zone=zone, undo_from=undo_from,
        at_readers_time=at_readers_time, waiting_reason="",
    )  # fmt: skip


async def _step(ground: Ground, actor: Actor, campaign_id: int, verb: Verb, **values: Any) -> None:
    async with ground.db.transaction() as session:
        await transitions.move(
            ground, session, actor, await transitions.get(session, campaign_id), verb, **values
        )


def _refuse_changed(campaign: Campaign, bulletin: Bulletin) -> None:
    if campaign.approved_version != bulletin.version:
        raise errors.Refused(
            N_("The bulletin was changed after it was approved. Have it approved again.")
        )


async def _refuse_blocked(ground: Ground, session: AsyncSession, bulletin: Bulletin) -> None:
    found = await compiling.concerns(ground, session, bulletin)
    blocking = [each for each in found if each.is_blocking]
    if blocking:
        raise errors.Refused(
            N_("It can't go out like this: %(problems)s"), problems=errors.Several(blocking)
        )
