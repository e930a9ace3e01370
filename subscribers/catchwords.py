"""The words by which people are found: those of their address, their names, town and postal code.

They stand in an index of their own, as looking through a million people takes a second. Whoever
makes or changes people calls `keep` in the same transaction; whoever forgets somebody need not, as
words go with their person. `finding.py` and the lists of recipients ask it.
"""

import functools
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import lookup, rows, tables, words
from subscribers.models import Subscriber
from subscribers.word_models import SubscriberWord

_LAST = "\U0010ffff"
"""Behind every other character, octet by octet."""
_SOURCES = (
    Subscriber.email, Subscriber.first_name, Subscriber.last_name, Subscriber.postal_code,
    Subscriber.town,
)  # fmt: skip
_LISTED = "listed"


def of(texts: Iterable[str]) -> set[str]:
    """The words of what is known of somebody."""
    return {word[: lookup.LONGEST_WORD] for text in texts for word in words.folded(text).split()}


async def keep(session: AsyncSession, subscriber_ids: Collection[int]) -> None:
    """Write the words of some people down as they are now; whoever is gone has none."""
    if not subscriber_ids:
        return
    people = sa.select(col(Subscriber.id), *map(col, _SOURCES))
    found = await session.execute(people.where(col(Subscriber.id).in_(subscriber_ids)))
    theirs = col(SubscriberWord.subscriber_id)
    await session.execute(sa.delete(SubscriberWord).where(theirs.in_(subscriber_ids)))
    await _write(session, {number: of(texts) for number, *texts in found.all()})


def first(email: str) -> list[tuple[str]]:
    """The words of somebody of whom no more than the address is known, each as a row."""
    return [(word,) for word in sorted(of([email]))]


async def keep_first(session: AsyncSession, people: str, *, made_at: datetime) -> None:
    """Write down the `first` words of people who were made at a moment.

    `people` is a list by `rows.packed`: the key of each address second, the words fifth. Who has
    such a key for longer keeps the words that are there.
    """
    dialect = session.get_bind().dialect.name
    await session.execute(_first_insertion(dialect), {_LISTED: people, "made_at": made_at})


async def _write(session: AsyncSession, found: Mapping[int, set[str]]) -> None:
    if not found:
        return
    # Sorted, so that two processes that meet at the same people wait in one order only.
    pairs = sorted((number, word) for number, said in found.items() for word in said)
    dialect = session.get_bind().dialect.name
    listed = rows.packed((place, *pair) for place, pair in enumerate(pairs))
    await session.execute(_insertion(dialect), {_LISTED: listed})


@functools.cache
def _insertion(dialect: str) -> sa.Executable:
    listed = rows.Rows(_LISTED)
    columns = {"subscriber_id": listed.number(1), "word": listed.text(2)}
    return rows.insertion(dialect, SubscriberWord, listed, columns).on_conflict_do_nothing()


@functools.cache
def _first_insertion(dialect: str) -> sa.Executable:
    listed = rows.Rows(_LISTED)
    said = rows.Rows("words", within=listed.document(4))
    fresh = (
        sa.select(col(Subscriber.id), said.text(0))
        .select_from(listed.table)
        .join(said.table, sa.true())
        .join(Subscriber, col(Subscriber.email_key) == listed.text(1))
        .where(col(Subscriber.created_at) == sa.bindparam("made_at", type_=tables.UtcDateTime()))
        .order_by(listed.number(0))
    )
    columns = ["subscriber_id", "word"]
    insertion = tables.insert_on(dialect, SubscriberWord).from_select(columns, fresh)
    return insertion.on_conflict_do_nothing()


def with_each(text: str, *, is_inside: bool) -> Sequence[sa.Select[Any]]:
    """Numbers of people who have a word that begins so, for each word of a text.

    Along the primary key; `is_inside` goes through all words and looks within them, too.
    """
    matches = _contains if is_inside else _begins
    person = sa.select(col(SubscriberWord.subscriber_id))
    return [person.where(matches(typed)) for typed in lookup.typed(text)]


def _begins(typed: str) -> sa.ColumnElement[bool]:
    word = col(SubscriberWord.word)
    return sa.and_(word >= typed, word < typed + _LAST)


def _contains(typed: str) -> sa.ColumnElement[bool]:
    return col(SubscriberWord.word).contains(typed, autoescape=True)
