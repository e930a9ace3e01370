"""Who gets something else on a day, so that no welcome comes beside it."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import audiences, welcome_rules
from campaigns.models import Campaign, CampaignState
from delivery.models import IS_OPEN, Delivery
from foundation import errors, i18n, rows
from foundation.ground import Ground
from subscribers.models import Subscriber


async def mailed(
    ground: Ground, session: AsyncSession, subscribers: Sequence[int]
) -> frozenset[int]:
    """Those of some people who got a mail on this local day, or are to get one.

    That is what the ledger sent them today or holds for them, of campaigns and of welcomes, and
    campaigns that are scheduled to start before the day ends.
    """
    if not subscribers:
        return frozenset()
    begins, ends = welcome_rules.day(ground.clock.now(), ground.settings.site.tzinfo)
    asked = {"people": rows.packed([number] for number in subscribers)}
    listed = rows.Rows("people")
    these = sa.select(listed.number(0)).select_from(listed.table)
    in_ledger = sa.select(col(Delivery.subscriber_id)).where(
        col(Delivery.subscriber_id).in_(these),
        sa.or_(
            IS_OPEN,
            sa.func.coalesce(col(Delivery.sent_at), col(Delivery.first_attempt_at)) >= begins,
        ),
    )
    found = set((await session.scalars(in_ledger, asked)).all())
    ahead = select(Campaign).where(
        Campaign.state == CampaignState.SCHEDULED.value, col(Campaign.scheduled_at) < ends
    )
    for campaign in (await session.exec(ahead)).all():
        try:
            resolved = await audiences.resolve(
                ground, session, audiences.parse(campaign.audience), languages=[i18n.SOURCE]
            )
        except errors.Invalid:
            continue  # it can't start either
        gets_it = sa.select(col(Subscriber.id)).where(
            col(Subscriber.id).in_(these), audiences.gets_it(resolved)
        )
        found |= set((await session.scalars(gets_it, asked)).all())
    return frozenset(number for number in found if number is not None)
