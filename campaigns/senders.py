"""Who is to write next: for looks at whether mail arrives (`delivery.arriving.known.Planned`)."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns.models import Campaign, CampaignState

_AHEAD = (
    CampaignState.DRAFT,
    CampaignState.IN_REVIEW,
    CampaignState.APPROVED,
    CampaignState.SCHEDULED,
)


async def authors(session: AsyncSession) -> Sequence[str]:
    """Addresses in From of campaigns that were not started yet; served by `ix_campaigns_due`."""
    statement = (
        sa.select(col(Campaign.from_address))
        .where(
            col(Campaign.state).in_([each.value for each in _AHEAD]),
            col(Campaign.from_address) != "",
        )
        .distinct()
        .order_by(col(Campaign.from_address))
    )
    return (await session.scalars(statement)).all()
