"""What takes a look at every recipient: by language, by where they came from, by hour of sending.

Of a small dispatch it is counted when somebody asks. Of a large one that takes seconds, so it is
counted by the scheduler and kept with its time, which the report says.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import leaving
from campaigns.models import Breakdown, Hit, HitKind
from delivery.models import Delivery, DeliveryState, Dispatch, Return
from foundation import tables
from foundation.frozen import frozen
from foundation.ground import Ground
from subscribers.models import (
    Consent,
    Form,
    Partner,
    SignUp,
    SignUpState,
    Subscriber,
)

AT_ONCE = 3_000
"""A dispatch to more people is counted by the scheduler."""
HOURS = 72
"""From the start, of which each is told by itself."""
_MOST_ROWS = 30
_OFTEN = timedelta(minutes=5)
_SHARE = 24
"""A count may be as old as one part in so many of the time since the start."""
_WATCHED = timedelta(days=60)


class Part(StrEnum):
    """What recipients are told apart by."""

    LANGUAGE = "language"
    """Of the edition that they got."""
    SOURCE = "source"
    """`?source=` of their first sign-up."""
    PARTNER = "partner"
    """On whose pages it was."""
    FORM = "form"
    """By which form."""


@frozen
class Row:
    """The recipients of one language, source, partner or form."""

    name: str
    """A code or name; blank: none, such as our own page. `*`: all those without a row."""
    recipients: int = 0
    sent: int = 0
    came_back: int = 0
    complaints: int = 0
    left: int = 0
    """Unsubscribed by this mail."""
    named: int = 0
    """Agreed to be counted by name."""
    clicked: int = 0
    """Of those, how many followed a link."""

    def __add__(self, other: "Row") -> "Row":
        """Both together, under the first one's name."""
        return Row(
            name=self.name,
            **{name: getattr(self, name) + getattr(other, name) for name in _COUNTS},
        )


_COUNTS = tuple(field.name for field in fields(Row) if field.name != "name")
OTHERS = "*"


@frozen
class Counted:
    """A breakdown; it was exact at `at`."""

    at: datetime
    by_language: Mapping[str, Mapping[str, int]]
    """Language of the edition → state → recipients."""
    parts: Mapping[Part, Sequence[Row]]
    """The largest first."""
    sent_by_hour: Sequence[int]
    """From the hour in which it began, up to the last in which something was sent."""

    @property
    def consenting(self) -> int:
        """Recipients who agreed to be counted by name."""
        return sum(row.named for row in self.parts[Part.LANGUAGE])


async def read(ground: Ground, session: AsyncSession, order: Dispatch) -> Counted | None:
    """Counted now, or as it was kept; None while a large dispatch was not counted yet."""
    if order.audience <= AT_ONCE:
        return await count(ground, session, order)
    return await kept(session, order.id)


async def kept(session: AsyncSession, dispatch_id: int) -> Counted | None:
    """What the scheduler counted last, if it did."""
    row = await session.get(Breakdown, dispatch_id)
    return _thawed(row) if row is not None else None


async def work(ground: Ground) -> None:
    """Count large dispatches whose kept count has become too old."""
    now = ground.clock.now()
    # Sent again, or told of what came back: however old it is, its count is old at once.
    is_news = sa.or_(
        col(Dispatch.finished_at).is_(None),
        col(Dispatch.finished_at) >= col(Breakdown.counted_at),
        sa.exists().where(
            col(Return.dispatch_id) == col(Dispatch.id),
            col(Return.received_at) >= col(Breakdown.counted_at),
        ),
    )
    async with ground.db.reading() as session:
        started = await session.execute(
            sa.select(Dispatch, col(Breakdown.counted_at), sa.func.coalesce(is_news, sa.true()))
            .outerjoin(Breakdown, col(Breakdown.dispatch_id) == col(Dispatch.id))
            .where(
                col(Dispatch.audience) > AT_ONCE,
                sa.or_(
                    col(Dispatch.started_at) > now - _WATCHED,
                    col(Breakdown.counted_at).is_(None),
                    is_news,
                ),
            )
            .order_by(col(Dispatch.id).desc())
        )
        due = [order for order, *counted in started if _is_due(order, *counted, now=now)]
    for order in due:
        async with ground.db.reading() as session:
            found = await count(ground, session, order)
        values = {"counted_at": found.at, "figures": _frozen(found)}
        async with ground.db.transaction() as session:
            await session.execute(
                tables.insert_for(session, Breakdown)
                .values(dispatch_id=order.id, **values)
                .on_conflict_do_update(index_elements=["dispatch_id"], set_=values)
            )


def _is_due(order: Dispatch, counted_at: datetime | None, is_news: bool, *, now: datetime) -> bool:
    if counted_at is None:
        return True
    old_enough = _OFTEN if is_news else max(_OFTEN, (now - order.started_at) / _SHARE)
    return now - counted_at >= old_enough


async def count(ground: Ground, session: AsyncSession, order: Dispatch) -> Counted:
    """Look at every recipient once; what is told apart is put together from the finest groups."""
    rows = (await session.execute(_groups(order.id))).all()
    by_language: dict[str, dict[str, int]] = {}
    found: dict[Part, dict[str, Row]] = {part: {} for part in Part}
    names = {
        Part.FORM: await _names(session, Form.id, Form.name),
        Part.PARTNER: await _names(session, Partner.id, Partner.name),
    }
    for language, state, form, partner, source, *counts in rows:
        row = Row(name="", **dict(zip(_COUNTS, map(int, counts), strict=True)))
        states = by_language.setdefault(language, {})
        states[state] = states.get(state, 0) + row.recipients
        for part, name in (
            (Part.LANGUAGE, language),
            (Part.SOURCE, source or ""),
            (Part.PARTNER, names[Part.PARTNER].get(partner, "")),
            (Part.FORM, names[Part.FORM].get(form, "")),
        ):
            found[part][name] = found[part].get(name, Row(name=name)) + row
    return Counted(
        at=ground.clock.now(),
        by_language=dict(sorted(by_language.items())),
        parts={part: _largest(several.values()) for part, several in found.items()},
        sent_by_hour=await _sent_by_hour(session, order),
    )


def _largest(rows: Iterable[Row]) -> list[Row]:
    ordered = sorted(rows, key=lambda row: (-row.recipients, row.name))
    rest = ordered[_MOST_ROWS:]
    return ordered[:_MOST_ROWS] + ([sum(rest, start=Row(name=OTHERS))] if rest else [])


def _groups(dispatch_id: int) -> sa.Select[*tuple[Any, ...]]:
    """Recipients by all that they are told apart by at once, with the counts of a `Row`.

    Where somebody came from is their first confirmed sign-up.
    """
    first = (
        sa.select(sa.func.min(col(SignUp.id)))
        .where(
            col(SignUp.subscriber_id) == col(Delivery.subscriber_id),
            col(SignUp.state) == SignUpState.CONFIRMED.value,
        )
        .correlate(Delivery)
        .scalar_subquery()
    )
    has_left = sa.exists().where(
        leaving.by_mail(dispatch_id), col(Consent.subscriber_id) == col(Delivery.subscriber_id)
    )
    has_clicked = sa.exists().where(
        col(Hit.delivery_id) == col(Delivery.id),
        col(Hit.kind) == HitKind.CLICK.value,
        col(Hit.is_human).is_(True),
    )
    is_sent = col(Delivery.state) == DeliveryState.SENT.value
    is_named = col(Subscriber.allows_tracking).is_(True)
    number = sa.func.count(col(Delivery.id))
    grouped = (
        col(Delivery.language),
        col(Delivery.state),
        col(SignUp.form_id),
        col(SignUp.partner_id),
        col(SignUp.source),
    )
    return (
        sa.select(
            *grouped,
            number,
            number.filter(is_sent),
            number.filter(is_sent, col(Delivery.bounce) != ""),
            number.filter(col(Delivery.complained_at).is_not(None)),
            number.filter(has_left),
            number.filter(is_named),
            number.filter(is_named, has_clicked),
        )
        .select_from(Delivery)
        .outerjoin(Subscriber, col(Subscriber.id) == col(Delivery.subscriber_id))
        .outerjoin(SignUp, col(SignUp.id) == first)
        .where(col(Delivery.dispatch_id) == dispatch_id)
        .group_by(*grouped)
    )


async def _names(session: AsyncSession, number: Any, name: Any) -> dict[int | None, str]:
    return dict((await session.execute(sa.select(number, name))).all())


async def _sent_by_hour(session: AsyncSession, order: Dispatch) -> list[int]:
    """Counted along `ix_deliveries_sent`, an hour at a time."""
    begins = hour_of(order.started_at)
    hours = (
        sa.values(
            sa.column("number", sa.Integer()),
            sa.column("begins", tables.UtcDateTime()),
            sa.column("ends", tables.UtcDateTime()),
        )
        .data(
            [
                (n, begins + timedelta(hours=n), begins + timedelta(hours=n + 1))
                for n in range(HOURS)
            ]
        )
        .cte("hours")
    )
    number = (
        sa.select(sa.func.count())
        .where(
            col(Delivery.dispatch_id) == order.id,
            col(Delivery.sent_at).is_not(None),
            col(Delivery.sent_at) >= hours.c.begins,
            col(Delivery.sent_at) < hours.c.ends,
        )
        .correlate(hours)
        .scalar_subquery()
    )
    statement = sa.select(hours.c.number, number).order_by(hours.c.number)
    counts = [int(count) for _, count in (await session.execute(statement)).all()]
    while counts and not counts[-1]:
        counts.pop()
    return counts


def hour_of(moment: datetime) -> datetime:
    """The full hour in which a moment is."""
    return moment.replace(minute=0, second=0, microsecond=0)


def _frozen(found: Counted) -> dict[str, Any]:
    return {
        "by_language": found.by_language,
        "parts": {part.value: [asdict(row) for row in rows] for part, rows in found.parts.items()},
        "sent_by_hour": list(found.sent_by_hour),
    }


def _thawed(row: Breakdown) -> Counted:
    figures = row.figures
    return Counted(
        at=row.counted_at,
        by_language=figures["by_language"],
        parts={
            part: [Row(**each) for each in figures["parts"].get(part.value, [])] for part in Part
        },
        sent_by_hour=figures["sent_by_hour"],
    )
