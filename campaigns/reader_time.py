"""Sending at an hour of the clocks where each reader lives, told by their ZIP code.

Who gave no ZIP code, or one that is not there, lives by the clock that the campaign was scheduled
on. A time that clocks skip that night moves forward by the gap, one that they show twice is the
first (RFC 5545 §3.3.5). Where the time is past already when sending begins, the mail goes at once.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import audiences, bulletins, zip_zones
from campaigns.models import Bulletin, Campaign
from delivery.models import Delivery
from foundation.frozen import frozen
from foundation.ground import Ground
from subscribers.models import Subscriber

_WHOLE, _START = 5, 3
"""Digits of a ZIP code, and those that tell the region."""


@frozen
class Hour:
    """The readers of one zone, and when it is their hour."""

    zone: str
    at: datetime
    people: int


async def hours(
    ground: Ground, session: AsyncSession, campaign: Campaign, bulletin: Bulletin, *,
    local: str, zone: str,
) -> list[Hour]:  # fmt: skip
    """When each part of a campaign's audience gets it, the first first.

    Only zones where somebody lives; the campaign's own is always there. Raises `errors.Invalid`.
    """
    languages = bulletins.languages(bulletin) or [ground.settings.site.language]
    resolved = await audiences.resolve(
        ground, session, audiences.parse(campaign.audience), languages=languages
    )
    lives = _by_zone({each: each for each in _zones()}, zone)
    people = audiences.select_recipients(resolved).with_only_columns(lives.label("zone")).subquery()
    counted = sa.select(people.c.zone, sa.func.count()).group_by(people.c.zone)
    found = {zone: 0, **dict((await session.execute(counted)).all())}
    each_zone = (
        Hour(zone=name, at=moment(local, name), people=count) for name, count in found.items()
    )
    return sorted(each_zone, key=lambda each: (each.at, each.zone))


def not_before(
    *, local: str, zone: str
) -> Callable[[sa.ColumnElement[int]], sa.ColumnElement[datetime]]:
    """SQL: of a subscriber's number, when it is their hour; as `dispatch.Order` takes it."""
    kind = sa.inspect(Delivery).columns["due_at"].type
    moments = {each: sa.literal(moment(local, each), type_=kind) for each in _zones()}
    due = _by_zone(moments, sa.literal(moment(local, zone), type_=kind))

    def of(subscriber: sa.ColumnElement[int]) -> sa.ColumnElement[datetime]:
        return sa.select(due).where(col(Subscriber.id) == subscriber).scalar_subquery()

    return of


def moment(local: str, zone: str) -> datetime:
    """A time such as `2026-12-01T09:00` by the clocks of a zone, as an instant."""
    typed = datetime.fromisoformat(local)
    return typed.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)


def _zones() -> list[str]:
    return list(dict.fromkeys((*zip_zones.STARTS, *zip_zones.CODES)))


def _by_zone(values: Mapping[str, Any], otherwise: Any) -> sa.ColumnElement[Any]:
    """SQL: the value of the zone that somebody lives in. Whole codes stand before beginnings."""
    typed = sa.func.trim(col(Subscriber.postal_code))
    whole, start = sa.func.substr(typed, 1, _WHOLE), sa.func.substr(typed, 1, _START)
    return sa.case(
        *((whole.in_(codes.split()), values[each]) for each, codes in zip_zones.CODES.items()),
        *((start.in_(codes.split()), values[each]) for each, codes in zip_zones.STARTS.items()),
        else_=otherwise,
    )
