"""What staff see first: what goes out next, what is on its way, what came of it, who is new."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import feed_sources, inbox_lists, outcomes, welcome
from campaigns.inbox_models import Feed, FeedState, ItemState
from campaigns.models import Campaign, CampaignState, Development
from campaigns.outcomes import Outcome
from campaigns.series_models import Series, SeriesState
from campaigns.welcome_models import WelcomeStep
from delivery import holding_back, relay_state
from foundation.frozen import frozen
from foundation.ground import Ground
from subscribers import funnel, growth, widget_health
from subscribers.funnel import Stage
from subscribers.growth import Growth
from subscribers.models import Member, MemberState, Partner

DAYS = 28
"""Of growth, unless others are asked for."""
_SOME = 5


@frozen
class Overview:
    """Everything on the page, read at one moment."""

    sending: Sequence[Campaign]
    coming: Sequence[Campaign]
    """Scheduled, the next first."""
    waiting: Sequence[Campaign]
    """For a person: given for review, or held with a reason."""
    series: Sequence[Series]
    """Those whose coming edition could not be drafted."""
    welcome: Sequence[tuple[WelcomeStep, str]]
    """Steps that people wait for because they can't be made, with their topics."""
    feeds: Sequence[Feed]
    """Those that are not read any more."""
    incoming: int
    """Items of the inbox that nobody has decided about."""
    applications: int
    """Organisations that wait for an answer."""
    partners: Sequence[Partner]
    """Whose pages with our form need a look."""
    troubles: Sequence[str]
    """What the relays or running senders complain of."""
    is_full: bool
    """Whether the database's disk is full."""
    held: Sequence[holding_back.Held]
    """Limits that keep mail back for now, while something is being sent."""
    outcomes: Sequence[Outcome]
    growth: Growth
    """Who came and left, for the days that were asked for."""
    steps: Mapping[Stage, int]
    """On the same days: how often our forms were seen and begun."""
    developments: Sequence[Development]
    is_new: bool
    """No campaign was ever made."""


async def read(ground: Ground, *, days: int = DAYS) -> Overview:
    """Read all of it in one transaction; `days` is how far back growth goes, today included."""
    today = ground.clock.now().astimezone(ground.settings.site.tzinfo).date()
    since = today - timedelta(days=days - 1)
    async with ground.db.reading() as session:
        sending = await _in_states(session, CampaignState.SENDING, CampaignState.PAUSED)
        relays = await relay_state.read(ground, session)
        said = [*await relay_state.troubles(session)]
        said += [relay.said for relay in relays if relay.is_resting and relay.said not in said]
        now = ground.clock.now()
        held = await holding_back.read(ground.settings, session, now=now)
        return Overview(
            held=held,
            sending=sending,
            coming=await _in_states(session, CampaignState.SCHEDULED),
            waiting=await _waiting(session),
            series=await _broken_series(session),
            welcome=await welcome.troubled(session),
            feeds=await feed_sources.listed(session, state=FeedState.BROKEN, limit=20),
            incoming=await _incoming(ground, session),
            applications=await _applications(session),
            partners=await widget_health.troubled(session),
            troubles=said,
            is_full=ground.db.is_full,
            outcomes=await outcomes.latest(session, limit=_SOME),
            growth=await growth.read(ground, session, since=since, until=today),
            steps=await funnel.steps(session, since=since, until=today),
            developments=await _newest(session),
            is_new=(await session.execute(sa.select(col(Campaign.id)).limit(1))).first() is None,
        )


async def _in_states(session: AsyncSession, *states: CampaignState) -> Sequence[Campaign]:
    """The campaigns in these states, the first to start first; index `ix_campaigns_due`."""
    statement = (
        select(Campaign)
        .where(col(Campaign.state).in_([state.value for state in states]))
        .order_by(col(Campaign.scheduled_at), col(Campaign.id))
        .limit(20)
    )
    return (await session.exec(statement)).all()


async def _waiting(session: AsyncSession) -> Sequence[Campaign]:
    held = sa.and_(
        col(Campaign.state).in_([CampaignState.APPROVED.value, CampaignState.DRAFT.value]),
        col(Campaign.waiting_reason) != "",
    )
    statement = (
        select(Campaign)
        .where(sa.or_(col(Campaign.state) == CampaignState.IN_REVIEW.value, held))
        .order_by(col(Campaign.updated_at))
        .limit(20)
    )
    return (await session.exec(statement)).all()


async def _broken_series(session: AsyncSession) -> Sequence[Series]:
    statement = (
        select(Series)
        .where(
            sa.or_(col(Series.state) == SeriesState.BROKEN.value, col(Series.failures) > 0),
            col(Series.state) != SeriesState.PAUSED.value,
        )
        .order_by(col(Series.id))
        .limit(20)
    )
    return (await session.exec(statement)).all()


async def _incoming(ground: Ground, session: AsyncSession) -> int:
    found = await inbox_lists.counts(ground, session, inbox_lists.Query())
    return found[ItemState.NEW] + found[ItemState.APART]


async def _applications(session: AsyncSession) -> int:
    statement = sa.select(sa.func.count()).where(col(Member.state) == MemberState.APPLIED.value)
    return int((await session.execute(statement)).scalar_one())


async def _newest(session: AsyncSession) -> Sequence[Development]:
    statement = (
        select(Development)
        .order_by(col(Development.happened_on).desc(), col(Development.id).desc())
        .limit(_SOME)
    )
    return (await session.exec(statement)).all()
