"""What a partner's pages brought, from a form that was seen to a person who stayed.

Called by `funnel_pages.py` and the API. Forms seen and started are what browsers told
(`steps.py`); sent in, confirmed and stayed are counted exactly, from the sign-ups. A sign-up
belongs to the day on which it was sent in, whenever it was confirmed.
"""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import errors, tables
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from subscribers.models import (
    Form,
    SignUp,
    SignUpState,
    Subscription,
    SubscriptionState,
    Suppression,
)
from subscribers.partner_models import StepCount

STAYED_DAYS = 30
LONGEST_DAYS = 366
_MOST_PAGES = 30
"""Pages that have a row of their own; the rest share one."""


class Stage(enum.StrEnum):
    """How far people came."""

    SEEN = "seen"
    """The form came into view."""
    STARTED = "started"
    """Something was typed or ticked in it."""
    SUBMITTED = "submitted"
    """It was sent in."""
    CONFIRMED = "confirmed"
    """The person confirmed by mail."""
    STAYED = "stayed"
    """Thirty days after the day of the sign-up the person still got something."""


class Part(enum.StrEnum):
    """What rows are made by."""

    DAY = "day"
    PAGE = "page"
    FORM = "form"
    LANGUAGE = "language"


OTHER_PAGES = "*"
"""Stands for the pages without a row of their own."""

Counts = Mapping[Stage, int]


@frozen
class Wish:
    """What is asked for."""

    partner_id: int
    since: date
    until: date
    """Included."""
    form_id: int | None = None
    """0: the form at `/subscribe`; None: all."""
    page: str | None = None
    language: str | None = None


@frozen
class Row:
    """One day, page, form or language."""

    name: str
    """A day as `2026-11-26`, a path, a form's name or a language's code; blank: not known."""
    counts: Counts
    is_early: bool = False
    """Too few days have gone by to say who stayed."""


@frozen
class Funnel:
    """The numbers, together and by each part."""

    wish: Wish
    total: Counts
    rows: Mapping[Part, Sequence[Row]]
    settled_until: date
    """The last day of which it is known who stayed."""


async def funnel(ground: Ground, wish: Wish) -> Funnel:
    """The exact numbers. Raises `errors.Invalid` for days that make no sense."""
    if not wish.since <= wish.until <= wish.since + timedelta(days=LONGEST_DAYS - 1):
        raise errors.Invalid(
            N_("Choose a first day and a last day after it, a year apart at most.")
        )
    today = ground.clock.now().astimezone(ground.settings.site.tzinfo).date()
    settled_until = today - timedelta(days=STAYED_DAYS + 1)
    async with ground.db.reading() as session:
        found = {part: await _by(ground, session, wish, part) for part in Part}
        forms = {
            str(number): name
            for number, name in await session.execute(sa.select(col(Form.id), col(Form.name)))
        }
    days = [wish.since + timedelta(days=n) for n in range((wish.until - wish.since).days + 1)]
    return Funnel(
        wish=wish,
        total=_sum(found[Part.DAY].values()),
        rows={
            Part.DAY: [
                Row(
                    name=day.isoformat(),
                    counts=found[Part.DAY].get(day.isoformat(), _sum(())),
                    is_early=day > settled_until,
                )
                for day in days
            ],
            Part.PAGE: _pages(found[Part.PAGE]),
            Part.FORM: [
                replace(row, name=forms.get(row.name, "")) for row in _rows(found[Part.FORM])
            ],
            Part.LANGUAGE: _rows(found[Part.LANGUAGE]),
        },
        settled_until=settled_until,
    )


async def steps(session: AsyncSession, *, since: date, until: date) -> Counts:
    """How often forms were seen and started on all pages together, ours and partners'."""
    seen, started = (
        await session.execute(
            sa.select(
                sa.func.coalesce(sa.func.sum(col(StepCount.seen)), 0),
                sa.func.coalesce(sa.func.sum(col(StepCount.started)), 0),
            ).where(col(StepCount.day).between(since, until))
        )
    ).one()
    return {Stage.SEEN: int(seen), Stage.STARTED: int(started)}


def form_number(text: str | None) -> int | None:
    """The number of a form in an address; None for none."""
    is_number = text and text.isascii() and text.isdigit() and len(text) < 18
    return int(text) if text and is_number else None


def _rows(found: Mapping[str, Counts]) -> list[Row]:
    """The fullest first."""
    ordered = sorted(found.items(), key=lambda each: (*_fullness(each[1]), each[0]))
    return [Row(name=name, counts=counts) for name, counts in ordered]


def _pages(found: Mapping[str, Counts]) -> list[Row]:
    rows = _rows(found)
    rest = [row.counts for row in rows[_MOST_PAGES:]]
    return rows[:_MOST_PAGES] + ([Row(name=OTHER_PAGES, counts=_sum(rest))] if rest else [])


def _fullness(counts: Counts) -> tuple[int, int]:
    return -counts[Stage.SUBMITTED], -counts[Stage.SEEN]


def _sum(several: Any) -> Counts:
    return {stage: sum(counts[stage] for counts in several) for stage in Stage}


async def _by(
    ground: Ground, session: AsyncSession, wish: Wish, part: Part
) -> dict[str, dict[Stage, int]]:
    """The counts by the values of one part."""
    found: dict[str, dict[Stage, int]] = {}
    for key, seen, started in await session.execute(_steps(wish, part)):
        counts = found.setdefault(_name(key), dict.fromkeys(Stage, 0))
        counts[Stage.SEEN], counts[Stage.STARTED] = int(seen), int(started)
    rows = await session.execute(_signups(ground, wish, part))
    for key, submitted, confirmed, stayed in rows:
        counts = found.setdefault(_name(key), dict.fromkeys(Stage, 0))
        counts[Stage.SUBMITTED] = submitted
        counts[Stage.CONFIRMED], counts[Stage.STAYED] = confirmed, stayed
    return found


def _name(key: date | str | int) -> str:
    return key.isoformat() if isinstance(key, date) else str(key)


def _steps(wish: Wish, part: Part) -> sa.Select[Any]:
    """Read along the primary key, which begins with the partner and the day."""
    columns: Mapping[Part, Any] = {
        Part.DAY: col(StepCount.day),
        Part.PAGE: col(StepCount.page),
        Part.FORM: col(StepCount.form_id),
        Part.LANGUAGE: col(StepCount.language),
    }
    statement: sa.Select[Any] = sa.select(
        columns[part], sa.func.sum(col(StepCount.seen)), sa.func.sum(col(StepCount.started))
    ).where(
        col(StepCount.partner_id) == wish.partner_id,
        col(StepCount.day).between(wish.since, wish.until),
    )
    if wish.form_id is not None:
        statement = statement.where(col(StepCount.form_id) == wish.form_id)
    if wish.page is not None:
        statement = statement.where(col(StepCount.page) == wish.page)
    if wish.language is not None:
        statement = statement.where(col(StepCount.language) == wish.language)
    return statement.group_by(columns[part])


def _signups(ground: Ground, wish: Wish, part: Part) -> sa.Select[Any]:
    """Sign-ups joined to the days of the site's zone, which the engines can't cut themselves."""
    days = _days(ground, wish)
    form = sa.func.coalesce(col(SignUp.form_id), 0)
    columns: Mapping[Part, Any] = {
        Part.DAY: days.c.day,
        Part.PAGE: col(SignUp.page_path),
        Part.FORM: form,
        Part.LANGUAGE: col(SignUp.language),
    }
    is_confirmed = col(SignUp.state) == SignUpState.CONFIRMED.value
    number = sa.func.count(col(SignUp.id))
    statement = (
        sa.select(
            columns[part].label("part"),
            number,
            number.filter(is_confirmed),
            number.filter(is_confirmed, _stayed(days, ground.clock.now())),
        )
        .select_from(days)
        .join(
            SignUp,
            sa.and_(col(SignUp.created_at) >= days.c.begins, col(SignUp.created_at) < days.c.ends),
        )
        .where(col(SignUp.partner_id) == wish.partner_id)
    )
    if wish.form_id is not None:
        statement = statement.where(form == wish.form_id)
    if wish.page is not None:
        statement = statement.where(col(SignUp.page_path) == wish.page)
    if wish.language is not None:
        statement = statement.where(col(SignUp.language) == wish.language)
    return statement.group_by(sa.text("part"))


def _days(ground: Ground, wish: Wish) -> sa.CTE:
    """A table of the days that are asked for: when each begins, ends, and is settled."""
    zone = ground.settings.site.tzinfo

    def midnight(day: date) -> datetime:
        return datetime.combine(day, time(), tzinfo=zone)

    rows = [
        (day, midnight(day), midnight(day + one), midnight(day + one * (STAYED_DAYS + 1)))
        for one in (timedelta(days=1),)
        for day in (wish.since + one * n for n in range((wish.until - wish.since).days + 1))
    ]
    moment = tables.UtcDateTime()
    return (
        sa.values(
            sa.column("day", sa.Date()),
            sa.column("begins", moment),
            sa.column("ends", moment),
            sa.column("settled", moment),
        )
        .data(rows)
        .cte("days")
    )


def _stayed(days: sa.CTE, now: datetime) -> sa.ColumnElement[bool]:
    """SQL: thirty days after, the person had a topic and could be mailed."""
    gets_something = sa.exists().where(
        col(Subscription.subscriber_id) == col(SignUp.subscriber_id),
        sa.or_(
            col(Subscription.state) == SubscriptionState.CONFIRMED.value,
            sa.and_(
                col(Subscription.state) == SubscriptionState.UNSUBSCRIBED.value,
                col(Subscription.since) >= days.c.settled,
            ),
        ),
    )
    is_stopped = sa.exists().where(
        col(Suppression.subscriber_id) == col(SignUp.subscriber_id),
        col(Suppression.created_at) < days.c.settled,
        col(Suppression.lifted_at).is_(None),
    )
    return sa.and_(days.c.settled <= now, gets_something, sa.not_(is_stopped))
