"""Which campaigns to come would reach a person; implements `subscribers.people.Coming`."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlmodel import col, select

from campaigns import audiences, schedule, transitions
from campaigns.models import Campaign, CampaignState
from foundation import errors, i18n
from foundation.ground import Ground
from foundation.i18n import Translator
from subscribers.models import Subscriber
from subscribers.people import ComingTold

_COMING = (
    CampaignState.SCHEDULED.value,
    CampaignState.APPROVED.value,
    CampaignState.IN_REVIEW.value,
    CampaignState.DRAFT.value,
)
_MOST = 20
"""Campaigns that are looked at, the newest first; each costs one look at one row."""


class Coming:
    """Implements `subscribers.people.Coming`."""

    async def coming(
        self, ground: Ground, *, subscriber_id: int, language: str
    ) -> Sequence[ComingTold]:
        """The campaigns that would reach them as things stand, in words."""
        speaks = ground.translator(language)
        statement = (
            select(Campaign)
            .where(col(Campaign.state).in_(_COMING))
            .order_by(col(Campaign.id).desc())
            .limit(_MOST)
        )
        found = []
        async with ground.db.reading() as session:
            for campaign in (await session.exec(statement)).all():
                try:
                    resolved = await audiences.resolve(
                        ground,
                        session,
                        audiences.parse(campaign.audience),
                        languages=[i18n.SOURCE],
                    )
                except errors.Invalid:
                    continue  # whatever it names is gone: it reaches nobody as it stands
                reached = sa.select(col(Subscriber.id)).where(
                    col(Subscriber.id) == subscriber_id, audiences.gets_it(resolved)
                )
                if (await session.execute(reached)).first() is not None:
                    found.append(_told(ground, campaign, speaks))
        return found


def _told(ground: Ground, campaign: Campaign, speaks: Translator) -> ComingTold:
    """“June bulletin: scheduled, Thursday at 9:00”."""
    said = speaks.gettext(transitions.STATE_WORDS[CampaignState(campaign.state)])
    if campaign.state == CampaignState.SCHEDULED and campaign.scheduled_at is not None:
        zone = campaign.scheduled_zone or ground.settings.site.zone
        said = f"{said}, {schedule.in_words(campaign.scheduled_at, zone, speaks)}"
    return ComingTold(name=campaign.name, said=said, url=f"/staff/campaigns/{campaign.id}")
