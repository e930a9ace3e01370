"""Other campaigns that reach the same people within a day.

However many people there are, so many at most are looked at; the line says when that is not all.
"""

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
LOOKED_AT = 20_000
"""People of an audience at most; each costs a few looks into indexes."""
_CAMPAIGNS = 5

_REACHED = (CampaignState.SENDING.value, CampaignState.PAUSED.value, CampaignState.SENT.value)


async def look(
    ground: Ground, session: AsyncSession, campaign: Campaign, mine: Resolved
) -> list[Item]:
    """A line for each campaign near this one that goes to some of its people, too."""
    moment = campaign.scheduled_at or ground.clock.now()
    near = await _near(session, campaign, moment)
    if not near:
        return [_nothing(None)]
    looked_at = await _looked_at(session, mine)
    counted = [(other, await _shared(ground, session, mine, other)) for other in near]
    found = [_told(other, people, looked_at) for other, people in counted if people]
    return found or [_nothing(looked_at)]


def _nothing(looked_at: int | None) -> Item:
    if looked_at is None:
        return items.good("overlap", N_("No other campaign goes to these people within a day."))
    return items.neutral(
        "overlap",
        N_("Of %(most)s people who were looked at, nobody gets another campaign within a day."),
        most=looked_at,
    )


def _told(other: Campaign, people: int, looked_at: int | None) -> Item:
    words = (
        NN_(
            "%(count)s of these people gets “%(name)s” within a day, too.",
            "%(count)s of these people get “%(name)s” within a day, too.",
        )
        if looked_at is None
        else NN_(
            "Of %(most)s people who were looked at, %(count)s gets “%(name)s” within a day, too.",
            "Of %(most)s people who were looked at, %(count)s get “%(name)s” within a day, too.",
        )
    )
    return items.warn(
        "overlap",
        words,
        place=places.campaign(other.id), about=str(other.id), count=people, name=other.name,
        **({} if looked_at is None else {"most": looked_at}),
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
        .limit(_CAMPAIGNS)
    )
    return list((await session.exec(statement)).all())


async def _looked_at(session: AsyncSession, mine: Resolved) -> int | None:
    """How many people are looked at; None when that is everybody."""
    some = audiences.some(mine, limit=LOOKED_AT + 1).subquery()
    counted = sa.select(sa.func.count(), sa.func.count(some.c[0].distinct())).select_from(some)
    rows, people = (await session.execute(counted)).one()
    return int(people) if rows > LOOKED_AT else None


async def _shared(ground: Ground, session: AsyncSession, mine: Resolved, other: Campaign) -> int:
    """How many of those who are looked at get both."""
    if other.state == CampaignState.SCHEDULED.value:
        try:
            theirs = await audiences.resolve(
                ground, session, audiences.parse(other.audience), languages=mine.languages
            )
        except errors.Invalid:
            return 0
        gets_theirs = audiences.gets_it(theirs)
    else:
        gets_theirs = _was_mailed(other)
    some = audiences.some(mine, limit=LOOKED_AT + 1).subquery()
    counted = sa.select(sa.func.count(col(Subscriber.id))).where(
        col(Subscriber.id).in_(sa.select(some.c[0])), audiences.gets_it(mine), gets_theirs
    )
    return int((await session.execute(counted)).scalar_one())


def _was_mailed(other: Campaign) -> sa.ColumnElement[bool]:
    """SQL: is in the ledger of a campaign; its unique index of dispatch and subscriber answers."""
    order = sa.select(col(Dispatch.id)).where(col(Dispatch.campaign_id) == other.id)
    return sa.exists().where(
        col(Delivery.dispatch_id) == order.scalar_subquery(),
        col(Delivery.subscriber_id) == col(Subscriber.id),
    )
