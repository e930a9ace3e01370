"""Sending once more to those who may or may not have got a bulletin: staff decide, never we."""

from campaigns import lifecycle, transitions
from campaigns.transitions import Verb
from delivery import ledger
from foundation import errors
from foundation.audit import Actor
from foundation.ground import Ground
from foundation.i18n import N_


async def resend(ground: Ground, *, actor: Actor, campaign_id: int) -> int:
    """Queue them again, at the risk of a second copy; returns how many.

    Raises `errors.Refused` unless it is sent and somebody is uncertain, `errors.NotFound`.
    """
    async with ground.db.transaction() as session:
        campaign = await transitions.get(session, campaign_id)
        await transitions.move(
            ground, session, actor, campaign, Verb.RESEND_UNCERTAIN, finished_at=None
        )
        order = await lifecycle.dispatch_of(session, campaign_id)
        found = (
            await ledger.resend_uncertain(session, order.id, now=ground.clock.now())
            if order is not None
            else 0
        )
        if not found:
            raise errors.Refused(N_("There is nobody of whom it is uncertain."))
    return found
