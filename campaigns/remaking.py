"""What many bulletins are made of was changed: those that are still to be sent get a new version.

An approval holds for one version of a bulletin, so it is withdrawn by that, and whoever approves
looks at the bulletin as it has become. What was sent is kept by itself and stays as it was.
"""

from collections.abc import Iterable

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import versions
from campaigns.models import Bulletin, Campaign, CampaignState
from foundation import audit
from foundation.audit import Actor
from foundation.ground import Ground
from foundation.i18n import N_, Translator

_UNSENT = (
    CampaignState.DRAFT,
    CampaignState.IN_REVIEW,
    CampaignState.APPROVED,
    CampaignState.SCHEDULED,
)


async def remake(
    ground: Ground,
    session: AsyncSession,
    *,
    actor: Actor,
    bulletin_ids: Iterable[int],
    because: str,
) -> int:
    """A new version of each of those bulletins that a campaign is still to send; says how many.

    `because` names what was changed, for the log. In the caller's transaction.
    """
    waiting = sa.select(col(Campaign.bulletin_id)).where(
        col(Campaign.state).in_([state.value for state in _UNSENT])
    )
    statement = (
        select(Bulletin)
        .where(col(Bulletin.id).in_(list(bulletin_ids)), col(Bulletin.id).in_(waiting))
        .order_by(col(Bulletin.id))
        .with_for_update()
    )
    found = (await session.exec(statement)).all()
    now = ground.clock.now()
    for bulletin in found:
        session.add(await versions.keep(session, bulletin, now=now))
        bulletin.version += 1
        bulletin.updated_by, bulletin.updated_at = actor.label, now
        audit.record(
            session,
            actor=actor,
            at=now,
            action="bulletin.remade",
            object_kind="bulletin",
            object_id=bulletin.id,
            before={"version": bulletin.version - 1},
            after={"version": bulletin.version, "because": because},
        )
    return len(found)


def told(speaks: Translator, count: int) -> str:
    """That something was saved, and what follows for bulletins that are still to be sent."""
    if not count:
        return speaks.gettext(N_("Saved."))
    return speaks.ngettext(
        "Saved. %(count)s bulletin that is still to be sent shows it now; if it was approved, it "
        "has to be approved again.",
        "Saved. %(count)s bulletins that are still to be sent show it now; those that were "
        "approved have to be approved again.",
        count,
    ) % {"count": count}
