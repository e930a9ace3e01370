"""Counts the steps of consent of some days: by topic, language, source and partner at once.

Called by `growth.py`, which keeps what was counted and puts it together.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import tables
from foundation.frozen import frozen
from foundation.ground import Ground
from subscribers.models import (
    Consent,
    ConsentStep,
    SignUp,
    Subscriber,
    Subscription,
    SubscriptionState,
    Topic,
)


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


@frozen
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


Key = tuple[date, int, str, str, int]
"""Day, topic, language, source and partner."""
Found = dict[Key, Counts]


async def count(ground: Ground, session: AsyncSession, days: Sequence[date]) -> Found:
    """Look at every step of some days, by eight statements along the index of `consents.at`.

    Whoever took a topic back and has it again when it is counted did not leave it.
    """
    table = _table(ground, days)
    found: Found = {}
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


def _put(found: Found, kind: str, rows: Iterable[Any]) -> None:
    for day, topic_id, language, source, partner_id, number in rows:
        key = (day, topic_id, language, source or "", partner_id or 0)
        found[key] = found.get(key, Counts()) + Counts(**{kind: int(number)})


def _table(ground: Ground, days: Sequence[date]) -> sa.CTE:
    """The days with their ends, which the engines can't cut in the site's zone themselves."""
    moment = tables.UtcDateTime()
    # Rows of `sa.values` would be put into SQL anew each time, which takes longer than counting.
    return sa.union_all(
        *(
            sa.select(
                sa.literal(day, sa.Date()).label("day"),
                sa.literal(begins(ground, day), moment).label("begins"),
                sa.literal(ends(ground, day), moment).label("ends"),
            )
            for day in days
        )
    ).cte("days")


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


def begins(ground: Ground, day: date) -> datetime:
    """The first moment of a day in the site's zone."""
    return datetime.combine(day, time(), tzinfo=ground.settings.site.tzinfo)


def ends(ground: Ground, day: date) -> datetime:
    """The first moment after it."""
    return begins(ground, day + timedelta(days=1))
