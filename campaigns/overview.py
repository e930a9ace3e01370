"""What staff see first: what goes out next, what is on its way, what came of it, who is new."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import feed_sources, inbox_lists, welcome
from campaigns.inbox_models import Feed, FeedState, ItemState
from campaigns.models import Campaign, CampaignState, Development, HitKind, HitTotal
from campaigns.series_models import Series, SeriesState
from campaigns.welcome_models import WelcomeStep
from delivery import holding_back, ledger, relay_state
from delivery.models import Dispatch
from foundation.ground import Ground
from subscribers import widget_health
from subscribers.models import Consent, ConsentStep, Member, MemberState, Partner

DAYS = 28
"""Of new people that are shown."""
_SOME = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """One sent campaign in a few figures."""

    campaign: Campaign
    sent: int
    opens: int
    clicks: int
    unsubscribed: int


@dataclass(frozen=True, kw_only=True, slots=True)
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
    held: Sequence[holding_back.Held]
    """Limits that keep mail back for now, while something is being sent."""
    outcomes: Sequence[Outcome]
    newcomers: Mapping[date, int]
    """Local day → people who confirmed, for the last `DAYS` days."""
    developments: Sequence[Development]
    is_new: bool
    """No campaign was ever made."""


async def read(ground: Ground) -> Overview:
    """Read all of it in one transaction."""
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
            outcomes=await _outcomes(session),
            newcomers=await _newcomers(session, now=now, zone=ground.settings.site.tzinfo),
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


async def _outcomes(session: AsyncSession) -> list[Outcome]:
    statement = (
        select(Campaign, col(Dispatch.id))
        .join(Dispatch, col(Dispatch.campaign_id) == col(Campaign.id))
        .where(Campaign.state == CampaignState.SENT.value)
        .order_by(col(Campaign.finished_at).desc(), col(Campaign.id).desc())
        .limit(_SOME)
    )
    found = (await session.exec(statement)).all()
    return [await _outcome(session, campaign, number) for campaign, number in found]


async def _outcome(session: AsyncSession, campaign: Campaign, dispatch_id: int) -> Outcome:
    totals = (
        sa.select(col(HitTotal.kind), sa.func.sum(col(HitTotal.human)))
        .where(col(HitTotal.dispatch_id) == dispatch_id)
        .group_by(col(HitTotal.kind))
    )
    hits: dict[str, int] = {
        kind: int(human) for kind, human in (await session.execute(totals)).all()
    }
    left = sa.select(sa.func.count(sa.distinct(col(Consent.subscriber_id)))).where(
        col(Consent.dispatch_id) == dispatch_id,
        col(Consent.step) == ConsentStep.UNSUBSCRIBED.value,
    )
    return Outcome(
        campaign=campaign,
        sent=(await ledger.counts(session, dispatch_id)).sent,
        opens=hits.get(HitKind.OPEN.value, 0),
        clicks=hits.get(HitKind.CLICK.value, 0),
        unsubscribed=int((await session.execute(left)).scalar_one()),
    )


async def _newcomers(session: AsyncSession, *, now: datetime, zone: ZoneInfo) -> dict[date, int]:
    """Confirmed sign-ups by local day in one query; a day is as long as the clocks make it."""
    today = now.astimezone(zone).date()
    days = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    starts = [datetime.combine(day, time(), tzinfo=zone) for day in days]
    # Labelled by number, as a local day is not the database's day.
    which = sa.case(
        *[
            (col(Consent.at) >= start, number)
            for number, start in reversed(list(enumerate(starts)))
        ],
        else_=-1,
    )
    statement = (
        sa.select(which, sa.func.count(sa.distinct(col(Consent.subscriber_id))))
        .where(col(Consent.step) == ConsentStep.CONFIRMED.value, col(Consent.at) >= starts[0])
        .group_by(sa.literal_column("1"))
    )
    counted: dict[int, int] = dict((await session.execute(statement)).all())
    return {day: counted.get(number, 0) for number, day in enumerate(days)}


async def _newest(session: AsyncSession) -> Sequence[Development]:
    statement = (
        select(Development)
        .order_by(col(Development.happened_on).desc(), col(Development.id).desc())
        .limit(_SOME)
    )
    return (await session.exec(statement)).all()
