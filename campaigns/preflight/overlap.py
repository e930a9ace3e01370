"""Other campaigns that reach the same people within a day."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import audiences
from campaigns.audiences import Resolved
from campaigns.models import Campaign, CampaignState
from campaigns.preflight import items, places
from campaigns.preflight.items import Item
from delivery.models import Delivery, Dispatch
from foundation import errors
from foundation.ground import Ground
from foundation.i18n import N_, NN_
from subscribers.models import Subscriber

NEAR = timedelta(hours=24)
COUNTED = 10_000
"""People are counted up to here; more is said to be more."""
_LOOKED_AT = 5

_REACHED = (CampaignState.SENDING.value, CampaignState.PAUSED.value, CampaignState.SENT.value)


async def look(
    ground: Ground, session: AsyncSession, campaign: Campaign, languages: list[str]
) -> list[Item]:
    """A line for each campaign near this one that goes to some of its people, too."""
    try:
        mine = await audiences.resolve(
            session, audiences.parse(campaign.audience), languages=languages
        )
    except errors.Invalid:
        return []  # on the list already
    moment = campaign.scheduled_at or ground.clock.now()
    found: list[Item] = []
    for other in await _near(session, campaign, moment):
        people = await _shared(session, mine, other)
        if people:
            found.append(_told(other, people))
    return found or [
        items.good("overlap", N_("No other campaign goes to these people within a day."))
    ]


def _told(other: Campaign, people: int) -> Item:
    place = places.campaign(other.id)
    if people > COUNTED:
        return items.warn(
            "overlap",
            N_("More than %(most)s of these people get “%(name)s” within a day, too."),
            place=place, about=str(other.id), most=COUNTED, name=other.name,
        )  # fmt: skip
    return items.warn(
        "overlap",
        NN_(
            "%(count)s of these people gets “%(name)s” within a day, too.",
            "%(count)s of these people get “%(name)s” within a day, too.",
        ),
        place=place, about=str(other.id), count=people, name=other.name,
    )  # fmt: skip


async def _near(session: AsyncSession, campaign: Campaign, moment: datetime) -> list[Campaign]:
    """Campaigns that went out less than a day before, or are to go out less than a day from it."""
    statement = (
        select(Campaign)
        .where(
            Campaign.id != campaign.id,
            sa.or_(
                sa.and_(
                    col(Campaign.state).in_(_REACHED),
                    col(Campaign.started_at) > moment - NEAR,
                    col(Campaign.started_at) < moment + NEAR,
                ),
                sa.and_(
                    col(Campaign.state) == CampaignState.SCHEDULED.value,
                    col(Campaign.scheduled_at) > moment - NEAR,
                    col(Campaign.scheduled_at) < moment + NEAR,
                ),
            ),
        )
        .order_by(col(Campaign.id).desc())
        .limit(_LOOKED_AT)
    )
    return list((await session.exec(statement)).all())


async def _shared(session: AsyncSession, mine: Resolved, other: Campaign) -> int:
    """How many get both, counted up to one more than `COUNTED`."""
    if other.state == CampaignState.SCHEDULED.value:
        try:
            theirs = await audiences.resolve(
                session, audiences.parse(other.audience), languages=mine.languages
            )
        except errors.Invalid:
            return 0
        gets_it = audiences.is_included(theirs)
    else:
        gets_it = _was_mailed(other)
    found = (
        sa.select(sa.literal(1))
        .select_from(Subscriber)
        .where(audiences.is_included(mine), gets_it)
        .limit(COUNTED + 1)
        .subquery()
    )
    counted = await session.execute(sa.select(sa.func.count()).select_from(found))
    return int(counted.scalar_one())


def _was_mailed(other: Campaign) -> sa.ColumnElement[bool]:
    """SQL: is in the ledger of a campaign; its unique index of dispatch and subscriber answers."""
    order = sa.select(col(Dispatch.id)).where(col(Dispatch.campaign_id) == other.id)
    return sa.exists().where(
        col(Delivery.dispatch_id) == order.scalar_subquery(),
        col(Delivery.subscriber_id) == col(Subscriber.id),
    )
