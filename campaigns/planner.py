"""What goes out when: campaigns in every state and editions to come, by day, for the calendar.

The days are those of the site's zone. The welcome is not here: it has no day of its own.
"""

import calendar
import dataclasses
import enum
import itertools
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import series_plans, series_rules
from campaigns.models import Campaign, CampaignState
from campaigns.preflight import overlap
from campaigns.series_models import Series, SeriesRun, SeriesState
from foundation.frozen import frozen
from foundation.ground import Ground

_MOST = 300
"""Campaigns that a page shows at most."""
_UNDATED = 20
_BEING_MADE = (CampaignState.DRAFT, CampaignState.IN_REVIEW, CampaignState.APPROVED)


class Span(enum.StrEnum):
    """How much is looked at."""

    MONTH = "month"
    """A month, in whole weeks."""
    WEEK = "week"
    """Seven days."""


@frozen
class Entry:
    """Something that goes out, or went out, at a moment."""

    at: datetime
    """By the site's clock."""
    name: str
    campaign: Campaign | None
    series_id: int | None = None
    """The series whose coming edition it is, where there is no campaign yet."""
    is_planned: bool = False
    """Nobody has scheduled it: it is when its series would send it."""
    is_close: bool = False
    """Another campaign goes out within a day of it, before or after."""


@frozen
class Calendar:
    """Some whole weeks."""

    span: Span
    day: date
    """The one that was asked for."""
    today: date
    weeks: Sequence[Sequence[date]]
    entries: Mapping[date, Sequence[Entry]]
    undated: Sequence[Campaign]
    """What is being made and has no day yet, the last changed first."""

    @property
    def before(self) -> date:
        """A day of the month or week before."""
        if self.span is Span.WEEK:
            return self.day - timedelta(days=7)
        return (self.day.replace(day=1) - timedelta(days=1)).replace(day=1)

    @property
    def after(self) -> date:
        """A day of the month or week after."""
        if self.span is Span.WEEK:
            return self.day + timedelta(days=7)
        return (self.day.replace(day=28) + timedelta(days=4)).replace(day=1)


async def read(ground: Ground, *, span: Span, day: date | None, first_weekday: int) -> Calendar:
    """The weeks around a day, today's where none is given; `first_weekday` 0 is Monday."""
    zone = ground.settings.site.tzinfo
    today = ground.clock.now().astimezone(zone).date()
    chosen = day or today
    weeks = _weeks(span, chosen, first_weekday)
    start = datetime.combine(weeks[0][0], time(), zone).astimezone(UTC)
    end = datetime.combine(weeks[-1][-1] + timedelta(days=1), time(), zone).astimezone(UTC)
    async with ground.db.reading() as session:
        found = [
            *await _campaigns(session, zone, start, end),
            *await _drafted(session, zone, start, end),
            *await _editions(session, ground.settings.site.zone, zone, start, end),
        ]
        undated = await _without_a_day(session)
    entries: dict[date, list[Entry]] = {}
    for entry in sorted(_with_neighbours(found), key=lambda each: (each.at, each.name)):
        entries.setdefault(entry.at.date(), []).append(entry)
    return Calendar(
        span=span, day=chosen, today=today, weeks=weeks, entries=entries, undated=undated
    )


def _weeks(span: Span, day: date, first_weekday: int) -> Sequence[Sequence[date]]:
    if span is Span.WEEK:
        first = day - timedelta(days=(day.weekday() - first_weekday) % 7)
        return [[first + timedelta(days=each) for each in range(7)]]
    return calendar.Calendar(first_weekday).monthdatescalendar(day.year, day.month)


async def _campaigns(
    session: AsyncSession, zone: ZoneInfo, start: datetime, end: datetime
) -> list[Entry]:
    """Those that began in the span, or are to."""
    statement = (
        select(Campaign)
        .where(
            sa.or_(
                sa.and_(col(Campaign.started_at) >= start, col(Campaign.started_at) < end),
                sa.and_(
                    col(Campaign.started_at).is_(None),
                    col(Campaign.scheduled_at) >= start,
                    col(Campaign.scheduled_at) < end,
                ),
            )
        )
        .order_by(col(Campaign.id).desc())
        .limit(_MOST)
    )
    return [
        Entry(at=moment.astimezone(zone), name=each.name, campaign=each)
        for each in (await session.exec(statement)).all()
        if (moment := each.started_at or each.scheduled_at) is not None
    ]


async def _drafted(
    session: AsyncSession, zone: ZoneInfo, start: datetime, end: datetime
) -> list[Entry]:
    """Editions that were drafted and wait for a person, when their series would send them."""
    statement = (
        sa.select(col(SeriesRun.sends_at), Campaign)
        .join(Campaign, col(Campaign.id) == col(SeriesRun.campaign_id))
        .where(
            col(SeriesRun.sends_at) >= start,
            col(SeriesRun.sends_at) < end,
            col(Campaign.scheduled_at).is_(None),
            col(Campaign.state).in_([state.value for state in _BEING_MADE]),
        )
        .order_by(col(SeriesRun.id).desc())
        .limit(_MOST)
    )
    return [
        Entry(at=moment.astimezone(zone), name=campaign.name, campaign=campaign, is_planned=True)
        for moment, campaign in (await session.execute(statement)).all()
    ]


async def _editions(
    session: AsyncSession, site_zone: str, zone: ZoneInfo, start: datetime, end: datetime
) -> list[Entry]:
    """Editions that are not drafted yet."""
    statement = (
        select(Series).where(Series.state == SeriesState.ACTIVE.value).order_by(col(Series.id))
    )
    found = []
    for series in (await session.exec(statement)).all():
        if series.next_on is None:
            continue
        rule = series_plans.parse(series.document).rule
        first = max(series.next_on, (start - timedelta(days=1)).date()) - timedelta(days=1)
        coming = series_rules.occurrences(rule, zone=site_zone, after=first)
        for each in itertools.takewhile(lambda one: one.sends_at < end, coming):
            if each.sends_at >= start:
                at = each.sends_at.astimezone(zone)
                found.append(Entry(at=at, name=series.name, campaign=None, series_id=series.id))
    return found


async def _without_a_day(session: AsyncSession) -> Sequence[Campaign]:
    planned = sa.select(col(SeriesRun.campaign_id)).where(col(SeriesRun.campaign_id).is_not(None))
    statement = (
        select(Campaign)
        .where(
            col(Campaign.state).in_([state.value for state in _BEING_MADE]),
            col(Campaign.scheduled_at).is_(None),
            col(Campaign.id).not_in(planned),
        )
        .order_by(col(Campaign.updated_at).desc(), col(Campaign.id).desc())
        .limit(_UNDATED)
    )
    return (await session.exec(statement)).all()


def _with_neighbours(found: Sequence[Entry]) -> list[Entry]:
    """Marks what is to go out within a day of another campaign; who gets both is counted later."""
    near = [each for each in found if each.campaign and _goes_out(each.campaign)]

    def is_close(entry: Entry) -> bool:
        others = (other for other in near if other is not entry)
        return any(abs(other.at - entry.at) < overlap.NEAR for other in others)

    return [
        dataclasses.replace(each, is_close=_is_scheduled(each) and is_close(each)) for each in found
    ]


def _is_scheduled(entry: Entry) -> bool:
    return entry.campaign is not None and entry.campaign.state == CampaignState.SCHEDULED


def _goes_out(campaign: Campaign) -> bool:
    return campaign.state not in (*_BEING_MADE, CampaignState.CANCELLED)
