"""An owner lets a campaign go out in spite of what is red, and says why.

It counts for the lines that were red then, and for the bulletin as it stands: another version, or a
change of the campaign, takes it back (`overrides`).
"""

from campaigns import bulletins, transitions
from campaigns.models import CampaignState
from campaigns.preflight import checklist
from campaigns.preflight.models import Override
from foundation import errors, tables
from foundation.audit import Actor
from foundation.findings import Tone
from foundation.ground import Ground
from foundation.i18n import N_

SHORTEST = 10
LONGEST = 500
"""Characters of a reason."""
_OVER = frozenset(
    {
        CampaignState.SENDING.value,
        CampaignState.PAUSED.value,
        CampaignState.SENT.value,
        CampaignState.CANCELLED.value,
    }
)


async def override(ground: Ground, *, actor: Actor, campaign_id: int, reason: str) -> None:
    """Let it go out as it is; whoever calls this has made sure that an owner asks.

    Raises `errors.Invalid` without a reason, `errors.Refused` where nothing is red, where it can't
    be overridden, or when the campaign was started, and `errors.NotFound`.
    """
    reason = " ".join(reason.split())[:LONGEST]
    if len(reason) < SHORTEST:
        short = errors.Invalid(N_("Say why, in a few words: it is kept in the log."))
        raise errors.Invalid(short.msgid, fields={"why": short})
    async with ground.db.transaction() as session:
        campaign = await transitions.get(session, campaign_id)
        if campaign.state in _OVER:
            raise errors.Refused(N_("It was started already, so there is nothing to decide."))
        bulletin = await bulletins.get(session, campaign.bulletin_id)
        found = await checklist.look(ground, session, campaign, bulletin)
        red = [each for each in found if each.tone is Tone.BAD]
        final = [each for each in red if each.is_final]
        if final:
            raise errors.Refused(
                N_("Nobody can send past this: %(problems)s"), problems=errors.Several(final)
            )
        if not red:
            raise errors.Refused(N_("Nothing is red, so there is nothing to decide."))
        values = {
            "bulletin_version": bulletin.version,
            "keys": [each.key for each in red],
            "reason": reason,
            "by": actor.label,
            "at": ground.clock.now(),
        }
        insert = tables.insert_for(session, Override).values(campaign_id=campaign_id, **values)
        await session.execute(
            insert.on_conflict_do_update(index_elements=["campaign_id"], set_=values)
        )
        transitions.note(
            ground,
            session,
            actor,
            campaign_id,
            "override",
            before={},
            after={
                "reason": reason,
                "bulletin_version": bulletin.version,
                "red": [each.say(ground.translator("en")) for each in red],
            },
        )
