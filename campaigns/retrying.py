"""What staff decide about recipients to whom a campaign did not go out: again, no more, or held."""

from typing import Any

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import campaign_views, transitions
from campaigns.models import Campaign, CampaignState
from campaigns.transitions import Verb
from delivery import retrying
from delivery.listing import Choice
from delivery.models import DeliveryState, Dispatch, WhenUncertain
from delivery.retrying import Retried
from foundation import errors
from foundation.audit import Actor
from foundation.ground import Ground
from foundation.i18n import N_

NOBODY = N_("Nobody of them can be sent to again: they were tried meanwhile, or may not be mailed.")


async def retry(ground: Ground, *, actor: Actor, campaign_id: int, choice: Choice) -> Retried:
    """Queue them anew; a campaign that was over is sending again.

    Whoever bounced, unsubscribed or is suppressed is passed over. Raises `errors.Invalid` for a
    state that can't be tried again, `errors.Refused` (the campaign's state, or nobody is left to be
    tried), `errors.NotFound`.
    """
    if choice.state not in retrying.REASONS:
        raise errors.Invalid(N_("Only who failed, was put off or is uncertain can be tried again."))
    async with ground.db.transaction() as session:
        campaign, order = await _started(session, campaign_id, Verb.RETRY)
        done = await retrying.retry(
            session, dispatch_id=order.id, choice=choice, now=ground.clock.now()
        )
        if not done.queued:
            raise errors.Refused(NOBODY)
        values = {"finished_at": None} if campaign.state == CampaignState.SENT else {}
        await transitions.move(
            ground, session, actor, campaign, Verb.RETRY, said=_said(choice, done.queued), **values
        )
    return done


async def give_up(ground: Ground, *, actor: Actor, campaign_id: int, choice: Choice) -> int:
    """Try those no more who were put off; returns how many.

    Raises `errors.Invalid` for another state, `errors.Refused` (the campaign's state, or nobody is
    put off any more), `errors.NotFound`.
    """
    if choice.state is not DeliveryState.DEFERRED:
        raise errors.Invalid(N_("Only who was put off can be given up."))
    async with ground.db.transaction() as session:
        campaign, order = await _started(session, campaign_id, Verb.GIVE_UP)
        given_up = await retrying.give_up(session, dispatch_id=order.id, choice=choice)
        if not given_up:
            raise errors.Refused(N_("Nobody of them is put off any more."))
        await transitions.move(
            ground, session, actor, campaign, Verb.GIVE_UP, said=_said(choice, given_up)
        )
    return given_up


async def decide_uncertain(
    ground: Ground, *, actor: Actor, campaign_id: int, when_uncertain: WhenUncertain
) -> None:
    """What becomes of recipients of whom it turns out uncertain whether they got it.

    Who is uncertain already stays so. Raises `errors.Refused`, `errors.NotFound`.
    """
    async with ground.db.transaction() as session:
        campaign = await transitions.get(session, campaign_id)
        await transitions.move(
            ground,
            session,
            actor,
            campaign,
            Verb.DECIDE_UNCERTAIN,
            when_uncertain=when_uncertain.value,
        )
        order = await campaign_views.dispatch_of(session, campaign_id)
        if order is not None:
            await retrying.decide_uncertain(session, dispatch_id=order.id, choice=when_uncertain)


async def _started(
    session: AsyncSession, campaign_id: int, verb: Verb
) -> tuple[Campaign, Dispatch]:
    # The campaign first, then its dispatch, as every other step does: so nobody waits in a circle.
    held = sa.select(col(Campaign.id)).where(col(Campaign.id) == campaign_id).with_for_update()
    await session.execute(held)
    campaign = await transitions.get(session, campaign_id)
    transitions.allow(campaign, verb)
    return campaign, await campaign_views.order_of(session, campaign_id)


def _said(choice: Choice, count: int) -> dict[str, Any]:
    """For the log: who was meant, and how many that were."""
    meant = {
        "of": choice.state.value,
        "reason": choice.reason,
        "reply_code": choice.reply_code,
        "chosen": len(choice.ids) if choice.ids is not None else None,
    }
    return {**{name: value for name, value in meant.items() if value is not None}, "people": count}
