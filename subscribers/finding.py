"""People looked for by staff and by programs: a page of those who fit, and how many there are.

A site may hold a million people, and each page is to come within a tenth of a second: pages go by
keyset, counts end at `COUNTED`, and what few people have is looked up by an index of its own.
"""

import enum
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import addresses, errors
from foundation.frozen import frozen
from foundation.ground import Ground
from subscribers import catchwords, suppression
from subscribers.models import Subscriber, SubscriberTag, Subscription, SubscriptionState, Topic

COUNTED = 1000
"""Where a count of who fits ends."""
_FEW = 20_000


class Standing(enum.StrEnum):
    """How a person stands with us as a whole; the list can be narrowed by it."""

    CONFIRMED = "confirmed"
    """Gets bulletins on at least one topic."""
    PENDING = "pending"
    """Asked to be signed up and has not confirmed yet."""
    UNSUBSCRIBED = "unsubscribed"
    """Took everything back."""
    SUPPRESSED = "suppressed"
    """Must not be mailed: bounces, a complaint, or by hand."""


@frozen
class Query:
    """What is looked for."""

    text: str = ""
    """Words; each has to begin one of the address, a name, the town or the postal code."""
    is_inside: bool = False
    """Whether they may stand within such words, too; that takes a second among a million people."""
    topic: str = ""
    """A topic's slug: people who have anything to do with it."""
    standing: Standing | None = None
    """With a topic, the state on that topic."""
    language: str = ""
    tag: str = ""


@frozen
class Row:
    """One person in the list."""

    subscriber: Subscriber
    standing: Standing
    topics: Sequence[str]
    """Slugs of the topics confirmed."""


@frozen
class Found:
    """Some of the people who fit, newest first."""

    rows: Sequence[Row]
    total: int
    """Of all who fit: exactly, unless `is_more`."""
    is_more: bool
    """There are more than `total`, which is `COUNTED`."""
    next_after: int | None = None


async def search(
    ground: Ground, *, query: Query, after: int | None = None, limit: int = 50
) -> Found:
    """The people who fit, newest first; pages by keyset on the row number."""
    async with ground.db.reading() as session:
        condition = await _condition(session, query)
        newest = col(Subscriber.id).desc()
        fitting = sa.select(col(Subscriber.id)).where(condition).order_by(newest)
        # Looked through once for both: where few fit, that is what takes its time.
        numbers = (await session.scalars(fitting.limit(max(COUNTED, limit) + 1))).all()
        page = numbers[: limit + 1]
        if after is not None:
            further = fitting.where(col(Subscriber.id) < after).limit(limit + 1)
            page = (await session.scalars(further)).all()
        people = await session.exec(
            select(Subscriber).where(col(Subscriber.id).in_(page[:limit])).order_by(newest)
        )
        rows = await with_standing(session, people.all())
    return Found(
        rows=rows,
        total=min(len(numbers), COUNTED),
        is_more=len(numbers) > COUNTED,
        next_after=rows[-1].subscriber.id if len(page) > limit else None,
    )


async def with_standing(session: AsyncSession, people: Sequence[Subscriber]) -> list[Row]:
    """People with how they stand as a whole, in their order."""
    ids = [person.id for person in people]
    states: dict[int, set[str]] = {}
    confirmed: dict[int, list[str]] = {}
    rows = await session.exec(
        select(col(Subscription.subscriber_id), col(Subscription.state), col(Topic.slug))
        .join(Topic, col(Topic.id) == col(Subscription.topic_id))
        .where(col(Subscription.subscriber_id).in_(ids))
        .order_by(col(Topic.position), col(Topic.id))
    )
    for subscriber_id, state, slug in rows:
        states.setdefault(subscriber_id, set()).add(state)
        if state == SubscriptionState.CONFIRMED:
            confirmed.setdefault(subscriber_id, []).append(slug)
    suppressed = set(
        await session.scalars(
            sa.select(col(Subscriber.id)).where(
                col(Subscriber.id).in_(ids), suppression.is_active_for(col(Subscriber.id))
            )
        )
    )
    return [
        Row(
            subscriber=person,
            standing=_as_a_whole(
                states.get(person.id, set()), is_suppressed=person.id in suppressed
            ),
            topics=confirmed.get(person.id, []),
        )
        for person in people
    ]


def _as_a_whole(states: set[str], *, is_suppressed: bool) -> Standing:
    if is_suppressed:
        return Standing.SUPPRESSED
    for standing in (Standing.CONFIRMED, Standing.PENDING):
        if standing.value in states:
            return standing
    return Standing.UNSUBSCRIBED


async def _condition(session: AsyncSession, query: Query) -> sa.ColumnElement[bool]:
    parts = [sa.true(), *await says(session, query.text, is_inside=query.is_inside)]
    if query.language:
        parts.append(col(Subscriber.language) == query.language)
    if query.tag:
        tagged = sa.select(col(SubscriberTag.subscriber_id))
        parts.append(await _among(session, tagged.where(col(SubscriberTag.tag) == query.tag)))
    if query.standing is Standing.SUPPRESSED:
        parts.append(await _among(session, suppression.everybody()))
    topic_ids = await _topic_ids(session, query.topic)
    if query.topic or query.standing not in (None, Standing.SUPPRESSED):
        parts += await _stands(session, query.standing, topic_ids, is_whole=not query.topic)
    return sa.and_(*parts)


async def says(
    session: AsyncSession, text: str, *, is_inside: bool = False
) -> list[sa.ColumnElement[bool]]:
    """SQL: what tells who a person is has each word of a text; the whole address of one is theirs.

    An address may be typed in part: it is looked for by its words until it is somebody's.
    """
    if not text.strip():
        return []
    if "@" in text and (number := await _who_has(session, text)) is not None:
        return [col(Subscriber.id) == number]
    found = catchwords.with_each(text, is_inside=is_inside)
    return [await _among(session, those) for those in found] or [sa.false()]


async def _who_has(session: AsyncSession, text: str) -> int | None:
    try:
        key = addresses.parse(text).key
    except errors.Invalid:
        return None
    who = sa.select(col(Subscriber.id)).where(col(Subscriber.email_key) == key)
    return (await session.scalars(who)).first()


async def _topic_ids(session: AsyncSession, slug: str) -> list[int]:
    """The topic of that name, or every topic: indexes begin with it."""
    statement = sa.select(col(Topic.id)).order_by(col(Topic.id))
    if slug:
        statement = statement.where(col(Topic.slug) == slug)
    return list((await session.scalars(statement)).all())


async def _stands(
    session: AsyncSession, standing: Standing | None, topic_ids: Sequence[int], *, is_whole: bool
) -> list[sa.ColumnElement[bool]]:
    """A standing that is read from subscriptions: on some topics, or as a whole."""
    if standing in (None, Standing.SUPPRESSED):
        return [await _among(session, _subscribed(topic_ids, *SubscriptionState))]
    state = SubscriptionState(standing.value)
    parts = [await _among(session, _subscribed(topic_ids, state))]
    if is_whole:
        better = {
            SubscriptionState.PENDING: (SubscriptionState.CONFIRMED,),
            SubscriptionState.UNSUBSCRIBED: (
                SubscriptionState.CONFIRMED,
                SubscriptionState.PENDING,
            ),
        }.get(state, ())
        parts += [~_is_one_of(_subscribed(topic_ids, each)) for each in better]
    return [*parts, ~suppression.is_active_for(col(Subscriber.id))]


def _subscribed(topic_ids: Sequence[int], *states: SubscriptionState) -> sa.Select[int]:
    """Who is on one of some topics in one of some states."""
    return sa.select(col(Subscription.subscriber_id)).where(
        col(Subscription.topic_id).in_(topic_ids),
        col(Subscription.state).in_([each.value for each in states]),
    )


async def _among(session: AsyncSession, those: sa.Select[Any]) -> sa.ColumnElement[bool]:
    """SQL: is one of those whom a query of one column finds.

    Where they are few, they are looked up. Where they are many, each person is asked in turn, as
    the first thousand are soon found then.
    """
    if await _counted(session, those, most=_FEW + 1) > _FEW:
        return _is_one_of(those)
    return col(Subscriber.id).in_(those)


def _is_one_of(those: sa.Select[Any]) -> sa.ColumnElement[bool]:
    (person,) = those.selected_columns
    return those.where(person == col(Subscriber.id)).correlate(Subscriber).exists()


async def _counted(session: AsyncSession, those: sa.Select[Any], *, most: int) -> int:
    """How many, where they are no more than `most`."""
    some = those.limit(most).subquery()
    return int((await session.execute(sa.select(sa.func.count()).select_from(some))).scalar_one())
