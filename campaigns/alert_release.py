"""Alerts that two people release together: both confirm within minutes, then it goes out at once.

The two confirmations stand for review and approval. Each is for exactly what was read, so a change
in between asks for both anew.
"""

from datetime import timedelta

from sqlalchemy import exc
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import approvals, bulletins, lifecycle, transitions
from campaigns.models import Bulletin, Campaign
from campaigns.preflight import checklist
from campaigns.review_models import AlertRelease
from campaigns.transitions import Verb
from foundation import errors
from foundation.accounts.models import Staff
from foundation.audit import Actor
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from foundation.notices import Notice
from templates import content


@frozen
class Standing:
    """How far an alert is released."""

    first: AlertRelease | None
    """Who confirmed it as it stands, while that counts."""
    seconds_left: int
    """How long a second person has."""
    is_mine: bool
    """Whether the first is who looks."""
    is_alone: bool
    """Nobody else may confirm, so one is enough."""


def takes_two(ground: Ground, bulletin: Bulletin) -> bool:
    """Whether a bulletin is an alert that two people release."""
    is_alert = bulletins.document_of(bulletin).template is content.Template.ALERT
    return is_alert and ground.settings.release.alert_minutes > 0


async def show(ground: Ground, *, actor: Actor, campaign_id: int) -> Standing:
    """How far it is, for who looks. Raises `errors.NotFound`."""
    async with ground.db.reading() as session:
        campaign = await transitions.get(session, campaign_id)
        bulletin = await bulletins.get(session, campaign.bulletin_id)
        return await _standing(ground, session, actor, campaign, bulletin)


async def confirm(ground: Ground, *, actor: Actor, campaign_id: int) -> bool:
    """Confirm it, as the first or the second; returns whether it goes out now.

    Raises `errors.Refused` (its state, whatever keeps it from going out, nobody would get it),
    `errors.Conflict` for who was at it at the same moment, `errors.NotFound`.
    """
    async with ground.db.transaction() as session:
        campaign = await transitions.get(session, campaign_id)
        transitions.allow(campaign, Verb.APPROVE)
        bulletin = await bulletins.get(session, campaign.bulletin_id)
        if not takes_two(ground, bulletin):
            raise errors.Refused(N_("Only an alert is released by two people together."))
        standing = await _standing(ground, session, actor, campaign, bulletin)
        if standing.first is not None and not standing.is_mine:
            await _send(ground, session, actor, campaign, bulletin, standing.first.by)
            return True
        if standing.is_alone:
            await _send(ground, session, actor, campaign, bulletin, "")
            return True
        if standing.first is None:
            await checklist.refuse_red(ground, session, campaign, bulletin)
            await _be_first(ground, session, actor, campaign, bulletin)
        return False


async def _standing(
    ground: Ground, session: AsyncSession, actor: Actor, campaign: Campaign, bulletin: Bulletin
) -> Standing:
    found = await session.get(AlertRelease, campaign.id)
    left = 0
    if found is not None:
        ends_at = found.confirmed_at + timedelta(minutes=ground.settings.release.alert_minutes)
        left = int((ends_at - ground.clock.now()).total_seconds())
        is_of_now = (found.bulletin_version, found.seen) == (
            bulletin.version,
            await approvals.said(session, campaign),
        )
        if left <= 0 or not is_of_now:
            found, left = None, 0
    return Standing(
        first=found,
        seconds_left=left,
        is_mine=found is not None and (found.staff_id, found.by) == (actor.staff_id, actor.label),
        is_alone=not await _others(session, actor),
    )


async def _be_first(
    ground: Ground, session: AsyncSession, actor: Actor, campaign: Campaign, bulletin: Bulletin
) -> None:
    """Keep it, and call the others."""
    found = await session.get(AlertRelease, campaign.id)
    now = ground.clock.now()
    kept = found or AlertRelease(
        campaign_id=campaign.id, by="", confirmed_at=now, bulletin_version=0
    )
    kept.by, kept.staff_id, kept.confirmed_at = actor.label, actor.staff_id, now
    kept.bulletin_version = bulletin.version
    kept.seen = await approvals.said(session, campaign)
    session.add(kept)
    try:
        await session.flush()
    except exc.IntegrityError as problem:
        raise errors.Conflict(
            N_("Somebody else confirmed it at this moment. Look, and confirm it as the second.")
        ) from problem
    transitions.note(
        ground, session, actor, campaign.id, "alert-confirmed",
        before={}, after={"bulletin_version": bulletin.version},
    )  # fmt: skip
    until = now + timedelta(minutes=ground.settings.release.alert_minutes)
    await ground.notices.queue_all(
        session,
        [
            Notice(
                kind="alert_release",
                to=each.email,
                language=each.language,
                context={
                    "campaign": campaign.name,
                    "who": actor.label,
                    "until": ground.translator(each.language).moment(until),
                    "url": ground.url(f"/staff/campaigns/{campaign.id}/release"),
                },
            )
            for each in await _others(session, actor)
        ],
    )


async def _send(
    ground: Ground, session: AsyncSession, actor: Actor, campaign: Campaign, bulletin: Bulletin,
    first: str,
) -> None:  # fmt: skip
    """Approved by both, and begun, in this transaction: a second press finds it begun."""
    both = ", ".join(filter(None, (first, actor.label)))
    await transitions.move(
        ground, session, actor, campaign, Verb.APPROVE, {"released_by": both},
        approved_version=bulletin.version, approved_by=both, waiting_reason="",
    )  # fmt: skip
    await lifecycle.start_in(ground, session, actor, campaign)


async def _others(session: AsyncSession, actor: Actor) -> list[Staff]:
    """Who else may confirm."""
    return [each for each in await approvals.who_may(session) if each.id != actor.staff_id]
