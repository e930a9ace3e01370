"""Writes people to a CSV file, page by page, in cells that no spreadsheet takes for a formula.

Called by the command line and by staff's download; importing understands the same columns.
"""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import audit, cells
from foundation.audit import Actor
from foundation.ground import Ground
from subscribers import suppression, topics
from subscribers.models import (
    Subscriber,
    SubscriberTag,
    Subscription,
    SubscriptionState,
    Topic,
)

COLUMNS = (
    "email",
    "first_name",
    "last_name",
    "postal_code",
    "town",
    "language",
    "further_languages",
    "reads_both",
    "tags",
    "topics",
    "status",
    "created_at",
)
_PAGE = 2000


async def chunks(
    ground: Ground,
    *,
    topic_slugs: Sequence[str] = (),
    chosen: sa.ColumnElement[bool] | None = None,
) -> AsyncIterator[bytes]:
    """The file in pieces: everybody, or who is confirmed on one of the topics and may be mailed.

    `chosen` is SQL about subscribers that narrows it, such as a segment's.

    Raises `errors.Invalid` that names topics which are not there.
    """
    async with ground.db.reading() as session:
        wanted = [topic.id for topic in await topics.by_slugs(session, topic_slugs)]
    yield cells.lines([COLUMNS]).encode("utf-8-sig")
    after = 0
    while True:
        async with ground.db.reading() as session:
            people = await _page(session, wanted, after, chosen)
            if not people:
                return
            rows = await _rows(session, people)
        yield cells.lines(rows).encode()
        after = people[-1].id


async def note(
    ground: Ground, *, actor: Actor, topic_slugs: Sequence[str] = (), segment: str = ""
) -> None:
    """Write into the audit log that somebody takes addresses out of the house.

    Raises `errors.Invalid` that names topics which are not there.
    """
    async with ground.db.transaction() as session:
        await topics.by_slugs(session, topic_slugs)
        audit.record(
            session,
            actor=actor,
            at=ground.clock.now(),
            action="subscribers.exported",
            object_kind="file",
            object_id="csv",
            after={"topics": list(topic_slugs), **({"segment": segment} if segment else {})},
        )


async def export_file(
    ground: Ground,
    *,
    path: Path,
    topic_slugs: Sequence[str] = (),
    chosen: sa.ColumnElement[bool] | None = None,
) -> int:
    """Write the file; returns how many people are in it. Raises as `chunks` does."""
    ends = 0
    with path.open("wb") as file:
        async for chunk in chunks(ground, topic_slugs=topic_slugs, chosen=chosen):
            file.write(chunk)
            ends += chunk.count(b"\r\n")
    return ends - 1


async def _page(
    session: AsyncSession,
    wanted: Sequence[int],
    after: int,
    chosen: sa.ColumnElement[bool] | None,
) -> list[Subscriber]:
    """By keyset on the primary key, so that a page costs the same at the end as at the start."""
    statement = (
        select(Subscriber)
        .where(col(Subscriber.id) > after)
        .order_by(col(Subscriber.id))
        .limit(_PAGE)
    )
    if chosen is not None:
        statement = statement.where(chosen)
    if wanted:
        statement = statement.where(
            sa.exists().where(
                col(Subscription.subscriber_id) == col(Subscriber.id),
                col(Subscription.topic_id).in_(wanted),
                col(Subscription.state) == SubscriptionState.CONFIRMED.value,
            ),
            sa.not_(suppression.is_active_for(col(Subscriber.id))),
        )
    return list((await session.exec(statement)).all())


async def _rows(session: AsyncSession, people: Sequence[Subscriber]) -> list[list[str]]:
    first, last = people[0].id, people[-1].id
    ids = {person.id for person in people}
    tags: dict[int, list[str]] = {}
    for subscriber_id, tag in await session.exec(
        select(col(SubscriberTag.subscriber_id), col(SubscriberTag.tag))
        .where(col(SubscriberTag.subscriber_id).between(first, last))
        .order_by(col(SubscriberTag.tag))
    ):
        if subscriber_id in ids:
            tags.setdefault(subscriber_id, []).append(tag)
    states: dict[int, dict[str, str]] = {}
    for subscriber_id, slug, state in await session.exec(
        select(col(Subscription.subscriber_id), col(Topic.slug), col(Subscription.state))
        .join(Topic, col(Topic.id) == col(Subscription.topic_id))
        .where(col(Subscription.subscriber_id).between(first, last))
        .order_by(col(Topic.slug))
    ):
        states.setdefault(subscriber_id, {})[slug] = state
    suppressed = set(
        await session.scalars(
            sa.select(col(Subscriber.id)).where(
                col(Subscriber.id).between(first, last),
                suppression.is_active_for(col(Subscriber.id)),
            )
        )
    )
    return [
        _row(
            person,
            tags.get(person.id, []),
            states.get(person.id, {}),
            is_suppressed=person.id in suppressed,
        )
        for person in people
    ]


def _row(
    person: Subscriber, tags: Sequence[str], states: dict[str, str], *, is_suppressed: bool
) -> list[str]:
    confirmed = [slug for slug, state in states.items() if state == SubscriptionState.CONFIRMED]
    if is_suppressed:
        status = "suppressed"
    elif confirmed:
        status = "subscribed"
    elif SubscriptionState.PENDING in states.values():
        status = "pending"
    else:
        status = "unsubscribed"
    return [
        person.email,
        person.first_name,
        person.last_name,
        person.postal_code,
        person.town,
        person.language,
        person.further_languages.replace(" ", ","),
        "yes" if person.reads_both else "",
        ",".join(tags),
        ",".join(confirmed),
        status,
        person.created_at.isoformat(timespec="seconds"),
    ]
