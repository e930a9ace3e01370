"""How many people came and left, by day, topic, language, source and partner.

Past days are counted once by the scheduler and kept, so that a year is read as fast of a million
people as of a hundred, and stays right when somebody is erased. Days that are not over are counted
when they are read as long as little happened in them; else as of a few minutes ago.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import tables
from foundation.ground import Ground
from subscribers.growth_models import GrowthCount, GrowthDay
from subscribers.models import (
    Consent,
    ConsentStep,
    Partner,
    SignUp,
    Subscriber,
    Subscription,
    SubscriptionState,
    Topic,
)

AT_ONCE = 2_000
"""So many steps of consent are counted while somebody waits; more by the scheduler."""
_OFTEN = timedelta(minutes=5)
_AFTERWARDS = timedelta(hours=1)
"""A day that was counted so long after its end stays as it is."""
_AT_A_TIME = 31
_MOST_ROWS = 20
OTHERS = "*"


class _Words(GenericFunction[Any]):
    """A table of the words in a JSON list, in its column `value`."""

    name = "each_word"
    inherit_cache = True


@compiles(_Words)
def _words(element: _Words, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **options)})"


@compiles(_Words, "postgresql")
def _words_on_postgresql(element: _Words, compiler: SQLCompiler, **options: Any) -> str:
    return f"jsonb_array_elements_text({compiler.process(element.clauses, **options)})"


class Part(StrEnum):
    """What people are told apart by."""

    TOPIC = "topic"
    LANGUAGE = "language"
    SOURCE = "source"
    PARTNER = "partner"


@dataclass(frozen=True, kw_only=True, slots=True)
class Counts:
    """Different people on a day, or the sum of such days."""

    joined: int = 0
    """Asked to be signed up, on a form or otherwise."""
    confirmed: int = 0
    """Confirmed it by mail, or were brought along by the office, which vouched for them."""
    left: int = 0
    """Took everything back; of a topic: took that one back."""
    barred: int = 0
    """May not be mailed from then on: mail came back, a complaint, or put there by the office."""

    def __add__(self, other: "Counts") -> "Counts":
        """Both together."""
        return Counts(
            joined=self.joined + other.joined,
            confirmed=self.confirmed + other.confirmed,
            left=self.left + other.left,
            barred=self.barred + other.barred,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One topic, language, source or partner."""

    name: str
    """A slug, code or name; blank: none; `*`: all that have no row of their own."""
    counts: Counts


@dataclass(frozen=True, kw_only=True, slots=True)
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


_Key = tuple[date, int, str, str, int]
"""Day, topic, language, source and partner."""
_Found = dict[_Key, Counts]


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
    live: _Found = {}
    as_of = now
    if fresh and await _is_little(ground, session, fresh):
        live = await count(ground, session, fresh)
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
        found = await count(ground, session, days)
    try:
        async with ground.db.transaction() as session:
            await _write(session, days, found, counted_at)
    except exc.IntegrityError:
        # Another process counted the same days just now.
        return


async def _write(
    session: AsyncSession, days: Sequence[date], found: _Found, counted_at: datetime
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
    return counted_at is not None and counted_at >= _ends(ground, day) + _AFTERWARDS


def _begins(ground: Ground, day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=ground.settings.site.tzinfo)


def _ends(ground: Ground, day: date) -> datetime:
    return _begins(ground, day + timedelta(days=1))


async def _is_little(ground: Ground, session: AsyncSession, days: Sequence[date]) -> bool:
    """Whether few enough steps were taken on these days, which follow one another."""
    some = (
        sa.select(sa.literal(1))
        .select_from(Consent)
        .where(
            col(Consent.at) >= _begins(ground, days[0]), col(Consent.at) < _ends(ground, days[-1])
        )
        .limit(AT_ONCE + 1)
        .subquery()
    )
    return bool(
        (await session.scalar(sa.select(sa.func.count()).select_from(some)) or 0) <= AT_ONCE
    )


async def count(ground: Ground, session: AsyncSession, days: Sequence[date]) -> _Found:
    """Look at every step of some days, by eight statements along the index of `consents.at`.

    Whoever took a topic back and has it again when it is counted did not leave it.
    """
    table = _table(ground, days)
    found: _Found = {}
    asked, confirmed = (ConsentStep.ASKED,), (ConsentStep.CONFIRMED, ConsentStep.IMPORTED)
    everything = sa.cast(col(Consent.topics), sa.Text) == "[]"
    gone = sa.and_(
        col(Consent.step).in_([ConsentStep.UNSUBSCRIBED.value, ConsentStep.TOPICS_CHANGED.value]),
        sa.or_(
            everything,
            sa.and_(
                col(Consent.step) == ConsentStep.UNSUBSCRIBED.value,
                sa.not_(
                    sa.exists().where(
                        col(Subscription.subscriber_id) == col(Consent.subscriber_id),
                        col(Subscription.state) == SubscriptionState.CONFIRMED.value,
                    )
                ),
            ),
        ),
    )
    barred = (ConsentStep.SUPPRESSED,)
    for kind, condition in (
        ("joined", _is(asked)), ("confirmed", _is(confirmed)), ("left", gone),
        ("barred", _is(barred)),
    ):  # fmt: skip
        _put(found, kind, await session.execute(_whole(table, condition)))
    for kind, steps in (("joined", asked), ("confirmed", confirmed)):
        _put(found, kind, await session.execute(_by_topic(table, _is(steps))))
    for kind, state in (
        ("confirmed", SubscriptionState.CONFIRMED), ("left", SubscriptionState.UNSUBSCRIBED),
    ):  # fmt: skip
        _put(found, kind, await session.execute(_by_change(table, state)))
    return found


def _is(steps: Sequence[ConsentStep]) -> sa.ColumnElement[bool]:
    return col(Consent.step).in_([step.value for step in steps])


def _put(found: _Found, kind: str, rows: Iterable[Any]) -> None:
    for day, topic_id, language, source, partner_id, number in rows:
        key = (day, topic_id, language, source or "", partner_id or 0)
        found[key] = found.get(key, Counts()) + Counts(**{kind: int(number)})


def _table(ground: Ground, days: Sequence[date]) -> sa.CTE:
    """The days with their ends, which the engines can't cut in the site's zone themselves."""
    moment = tables.UtcDateTime()
    return (
        sa.values(
            sa.column("day", sa.Date()), sa.column("begins", moment), sa.column("ends", moment)
        )
        .data([(day, _begins(ground, day), _ends(ground, day)) for day in days])
        .cte("days")
    )


def _steps(table: sa.CTE, topic: Any) -> sa.Select[Any]:
    """Steps with their day, and where each person came from: their first sign-up of any state."""
    first = (
        sa.select(sa.func.min(col(SignUp.id)))
        .where(col(SignUp.subscriber_id) == col(Consent.subscriber_id))
        .correlate(Consent)
        .scalar_subquery()
    )
    grouped = (
        table.c.day, topic.label("topic_id"), col(Subscriber.language), col(SignUp.source),
        col(SignUp.partner_id),
    )  # fmt: skip
    return (
        sa.select(*grouped, sa.func.count(sa.distinct(col(Consent.subscriber_id))))
        .select_from(table)
        .join(
            Consent,
            sa.and_(col(Consent.at) >= table.c.begins, col(Consent.at) < table.c.ends),
        )
        .join(Subscriber, col(Subscriber.id) == col(Consent.subscriber_id))
        .outerjoin(SignUp, col(SignUp.id) == first)
        .group_by(
            table.c.day, sa.text("topic_id"), col(Subscriber.language), col(SignUp.source),
            col(SignUp.partner_id),
        )
    )  # fmt: skip


def _whole(table: sa.CTE, condition: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return _steps(table, sa.literal_column("0")).where(condition)


def _by_topic(table: sa.CTE, condition: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Steps that name their topics."""
    words = sa.func.each_word(col(Consent.topics)).table_valued("value", name="words")
    return (
        _steps(table, col(Topic.id))
        .join(words, sa.true())
        .join(Topic, col(Topic.slug) == words.c.value)
        .where(condition)
    )


def _by_change(table: sa.CTE, state: SubscriptionState) -> sa.Select[Any]:
    """Topics that began or ended at the very moment of the step, which need not name them."""
    return (
        _steps(table, col(Subscription.topic_id))
        .join(
            Subscription,
            sa.and_(
                col(Subscription.subscriber_id) == col(Consent.subscriber_id),
                col(Subscription.since) == col(Consent.at),
                col(Subscription.state) == state.value,
            ),
        )
        .where(
            col(Consent.step) == ConsentStep.TOPICS_CHANGED.value
            if state is SubscriptionState.CONFIRMED
            else _is((ConsentStep.TOPICS_CHANGED, ConsentStep.UNSUBSCRIBED))
        )
    )


@dataclass(frozen=True, kw_only=True, slots=True)
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
