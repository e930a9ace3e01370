"""How many people came and left, by day, topic, language, source and partner.

Past days are counted once by the scheduler and kept, so that a year is read as fast of a million
people as of a hundred, and stays right when somebody is erased. Days that are not over are counted
when they are read as long as little happened in them; else as of a few minutes ago.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation.frozen import frozen
from foundation.ground import Ground
from subscribers import growth_counting
from subscribers.growth_counting import Counts, Found
from subscribers.growth_models import GrowthCount, GrowthDay
from subscribers.models import Consent, Partner, Topic

AT_ONCE = 2_000
"""So many steps of consent are counted while somebody waits; more by the scheduler."""
_OFTEN = timedelta(minutes=5)
_AFTERWARDS = timedelta(hours=1)
"""A day that was counted so long after its end stays as it is."""
_AT_A_TIME = 31
_MOST_ROWS = 20
OTHERS = "*"


class Part(StrEnum):
    """What people are told apart by."""

    TOPIC = "topic"
    LANGUAGE = "language"
    SOURCE = "source"
    PARTNER = "partner"


@frozen
class Row:
    """One topic, language, source or partner."""

    name: str
    """A slug, code or name; blank: none; `*`: all that have no row of their own."""
    counts: Counts


@frozen
class Growth:
    """The days that were asked for."""

    days: Mapping[date, Counts]
    parts: Mapping[Part, Sequence[Row]]
    """The fullest first."""
    as_of: datetime
    """When the newest of the days was counted."""

    @property
    def total(self) -> Counts:
        """All days together; who came twice counts twice."""
        return sum(self.days.values(), start=Counts())


async def read(ground: Ground, session: AsyncSession, *, since: date, until: date) -> Growth:
    """How many came and left from one day to another, both included."""
    now = ground.clock.now()
    days = [since + timedelta(days=n) for n in range((until - since).days + 1)]
    kept_at = dict(
        (
            await session.execute(
                sa.select(col(GrowthDay.day), col(GrowthDay.counted_at)).where(
                    col(GrowthDay.day).between(since, until)
                )
            )
        ).all()
    )
    fresh = [day for day in days if not _is_final(ground, day, kept_at.get(day))]
    live: Found = {}
    as_of = now
    if fresh and await _is_little(ground, session, fresh):
        live = await growth_counting.count(ground, session, fresh)
    else:
        as_of = max([kept_at[day] for day in fresh if day in kept_at], default=now)
        fresh = []
    kept = await _kept(session, since, until, without=fresh)
    by_day = {day: kept.days.get(day, Counts()) for day in days}
    by_part: dict[Part, dict[str | int, Counts]] = kept.parts
    for (day, topic_id, language, source, partner_id), counts in live.items():
        if topic_id:
            _add(by_part[Part.TOPIC], topic_id, counts)
            continue
        by_day[day] += counts
        for part, name in (
            (Part.LANGUAGE, language), (Part.SOURCE, source), (Part.PARTNER, partner_id),
        ):  # fmt: skip
            _add(by_part[part], name, counts)
    names: dict[Part, Mapping[Any, str]] = {
        Part.TOPIC: await _names(session, Topic.id, Topic.slug),
        Part.PARTNER: await _names(session, Partner.id, Partner.name),
    }
    return Growth(
        days=by_day,
        parts={part: _rows(by_part[part], names.get(part)) for part in Part},
        as_of=as_of,
    )


async def work(ground: Ground) -> None:
    """Count what is not kept yet or not for good, and keep it."""
    today = ground.clock.now().astimezone(ground.settings.site.tzinfo).date()
    async with ground.db.reading() as session:
        first = await session.scalar(sa.select(sa.func.min(col(Consent.at))))
        kept = dict(
            (await session.execute(sa.select(col(GrowthDay.day), col(GrowthDay.counted_at)))).all()
        )
    if first is None:
        return
    began = first.astimezone(ground.settings.site.tzinfo).date()
    days = [began + timedelta(days=n) for n in range((today - began).days + 1)]
    due = [day for day in days if _is_due(ground, day, kept.get(day))]
    for place in range(0, len(due), _AT_A_TIME):
        await _keep(ground, due[place : place + _AT_A_TIME])


async def _keep(ground: Ground, days: Sequence[date]) -> None:
    counted_at = ground.clock.now()
    async with ground.db.reading() as session:
        found = await growth_counting.count(ground, session, days)
    try:
        async with ground.db.transaction() as session:
            await _write(session, days, found, counted_at)
    except exc.IntegrityError:
        # Another process counted the same days just now.
        return


async def _write(
    session: AsyncSession, days: Sequence[date], found: Found, counted_at: datetime
) -> None:
    for table in (GrowthCount, GrowthDay):
        await session.execute(sa.delete(table).where(col(table.day).in_(days)))
    session.add_all(
        GrowthCount(
            day=day, topic_id=topic_id, language=language, source=source,
            partner_id=partner_id, joined=counts.joined, confirmed=counts.confirmed,
            left=counts.left, barred=counts.barred,
        )
        for (day, topic_id, language, source, partner_id), counts in sorted(
            found.items(), key=lambda each: each[0]
        )
    )  # fmt: skip
    session.add_all(GrowthDay(day=day, counted_at=counted_at) for day in days)
    await session.flush()


def _is_due(ground: Ground, day: date, counted_at: datetime | None) -> bool:
    return not _is_final(ground, day, counted_at) and (
        counted_at is None or ground.clock.now() - counted_at >= _OFTEN
    )


def _is_final(ground: Ground, day: date, counted_at: datetime | None) -> bool:
    return counted_at is not None and counted_at >= growth_counting.ends(ground, day) + _AFTERWARDS


async def _is_little(ground: Ground, session: AsyncSession, days: Sequence[date]) -> bool:
    """Whether few enough steps were taken on these days, which follow one another."""
    some = (
        sa.select(sa.literal(1))
        .select_from(Consent)
        .where(
            col(Consent.at) >= growth_counting.begins(ground, days[0]),
            col(Consent.at) < growth_counting.ends(ground, days[-1]),
        )
        .limit(AT_ONCE + 1)
        .subquery()
    )
    return bool(
        (await session.scalar(sa.select(sa.func.count()).select_from(some)) or 0) <= AT_ONCE
    )


@frozen
class _Kept:
    """Sums of kept days."""

    days: Mapping[date, Counts]
    parts: dict[Part, dict[str | int, Counts]]


async def _kept(
    session: AsyncSession, since: date, until: date, *, without: Sequence[date]
) -> _Kept:
    """Read along the primary key, which begins with the day."""
    condition = [col(GrowthCount.day).between(since, until)]
    if without:
        condition.append(col(GrowthCount.day).not_in(without))
    whole = col(GrowthCount.topic_id) == 0
    columns: Mapping[Part, Any] = {
        Part.TOPIC: col(GrowthCount.topic_id),
        Part.LANGUAGE: col(GrowthCount.language),
        Part.SOURCE: col(GrowthCount.source),
        Part.PARTNER: col(GrowthCount.partner_id),
    }

    async def sums(column: Any, *further: Any) -> dict[Any, Counts]:
        statement = (
            sa.select(
                column,
                *(
                    sa.func.sum(col(each))
                    for each in (
                        GrowthCount.joined, GrowthCount.confirmed, GrowthCount.left,
                        GrowthCount.barred,
                    )
                ),
            )
            .where(*condition, *further)
            .group_by(column)
        )  # fmt: skip
        return {
            key: Counts(
                joined=int(joined), confirmed=int(confirmed), left=int(left), barred=int(barred)
            )
            for key, joined, confirmed, left, barred in (await session.execute(statement)).all()
        }

    return _Kept(
        days=await sums(col(GrowthCount.day), whole),
        parts={
            part: await sums(column, sa.not_(whole) if part is Part.TOPIC else whole)
            for part, column in columns.items()
        },
    )


def _add(several: dict[str | int, Counts], name: str | int, counts: Counts) -> None:
    several[name] = several.get(name, Counts()) + counts


def _rows(found: Mapping[str | int, Counts], names: Mapping[Any, str] | None) -> list[Row]:
    told: dict[str, Counts] = {}
    for key, counts in found.items():
        name = str(key) if names is None else names.get(key, "")
        told[name] = told.get(name, Counts()) + counts
    ordered = sorted(told.items(), key=lambda each: (-each[1].confirmed, -each[1].joined, each[0]))
    rest = [counts for _, counts in ordered[_MOST_ROWS:]]
    rows = [Row(name=name, counts=counts) for name, counts in ordered[:_MOST_ROWS]]
    return rows + ([Row(name=OTHERS, counts=sum(rest, start=Counts()))] if rest else [])


async def _names(session: AsyncSession, number: Any, name: Any) -> Mapping[Any, str]:
    return dict((await session.execute(sa.select(number, name))).all())
