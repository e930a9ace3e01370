"""A person takes a subscription back, from one topic or from all, by a link that never expires.

Called by the page behind the link, by one click in a mail program (RFC 8058) and for mail sent to
the unsubscribe address. It works twice, and after the person was erased, with the same answer.
"""

from collections.abc import Awaitable, Callable, Sequence

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.tokens import Purpose
from subscribers import consent, people, topics
from subscribers.holdings import Elsewhere
from subscribers.models import (
    ConsentStep,
    SignUp,
    SignUpState,
    Subscriber,
    Subscription,
    SubscriptionState,
    Topic,
)

MAX_REASON = 500


@frozen
class Standing:
    """What an unsubscribe link is about, as its page shows it."""

    language: str | None = None
    email: str = ""
    """Blank when the person is gone."""
    topics: Sequence[tuple[str, str]] = ()
    """Slug and name of every topic that the person gets, or has asked for."""
    suggested: str = ""
    """The slug of the topic that the mail was about; blank for everything."""
    preferences_url: str = ""


@frozen
class Unsubscribed:
    """What was taken back."""

    language: str | None = None
    topic: str = ""
    """The one topic by name; blank for everything."""
    remaining: Sequence[str] = ()
    """Topics that the person still gets, by name."""
    has_changed: bool = False
    """Whether there was anything left to take back."""
    preferences_url: str = ""


async def look(ground: Ground, *, token: str) -> Standing:
    """What a link is about; changes nothing. Raises `errors.BadToken`."""
    subscriber_id, _, topic_id = _opened(ground, token)
    async with ground.db.reading() as session:
        person = await people.current(session, subscriber_id)
        if person is None:
            return Standing()
        language, default = person.language, ground.catalog.default
        open_topics = await _open_topics(session, person.id)
        return Standing(
            language=language,
            email=person.email,
            topics=[
                (topic.slug, topics.name(topic, language, default=default)) for topic in open_topics
            ],
            suggested=next((topic.slug for topic in open_topics if topic.id == topic_id), ""),
            preferences_url=ground.link("/preferences", Purpose.PREFERENCES, person.id),
        )


async def by_token(
    ground: Ground,
    *,
    token: str,
    topic_slug: str | None = None,
    is_everything: bool = False,
    reason: str = "",
    via: str,
    elsewhere: Sequence[Elsewhere] = (),
    is_new: Callable[[AsyncSession], Awaitable[bool]] | None = None,
) -> Unsubscribed:
    """Take back what a link stands for: `topic_slug`, else the link's own topic, else everything.

    `is_everything` overrules the link's topic. The mail that the link was in is recorded as far as
    `elsewhere` knows it. Nothing changes unless `is_new`, where the same wish may come twice.
    Raises `errors.BadToken`, and `errors.Invalid` for an unknown topic.
    """
    subscriber_id, delivery_id, topic_id = _opened(ground, token)
    async with ground.db.transaction() as session:
        person = await people.current(session, subscriber_id)
        if person is None or (is_new is not None and not await is_new(session)):
            return Unsubscribed()
        topic = await _topic(session, topic_slug, topic_id=0 if is_everything else topic_id)
        dispatch_id = None
        for place in elsewhere if delivery_id else ():
            dispatch_id = dispatch_id or await place.dispatch_of(session, delivery_id=delivery_id)
        has_changed = await end(
            ground,
            session,
            person=person,
            topic=topic,
            reason=reason[:MAX_REASON],
            via=via,
            dispatch_id=dispatch_id,
        )
        language, default = person.language, ground.catalog.default
        return Unsubscribed(
            language=language,
            topic=topics.name(topic, language, default=default) if topic else "",
            remaining=[
                topics.name(each, language, default=default)
                for each in await _open_topics(session, person.id)
            ],
            has_changed=has_changed,
            preferences_url=ground.link("/preferences", Purpose.PREFERENCES, person.id),
        )


async def end(
    ground: Ground,
    session: AsyncSession,
    *,
    person: Subscriber,
    topic: Topic | None,
    via: str,
    reason: str = "",
    dispatch_id: int | None = None,
) -> bool:
    """End one subscription, or all; returns whether there was any.

    Ending all of them also drops sign-ups whose mail was held: nobody who has just left is asked.
    """
    now = ground.clock.now()
    statement = (
        sa.update(Subscription)
        .where(
            col(Subscription.subscriber_id) == person.id,
            col(Subscription.state) != SubscriptionState.UNSUBSCRIBED.value,
        )
        .values(state=SubscriptionState.UNSUBSCRIBED.value, since=now)
        .returning(col(Subscription.id))
    )
    if topic is not None:
        statement = statement.where(col(Subscription.topic_id) == topic.id)
    else:
        await session.execute(
            sa.update(SignUp)
            .where(
                col(SignUp.subscriber_id) == person.id,
                col(SignUp.state).in_([SignUpState.HELD.value, SignUpState.SUSPECT.value]),
            )
            .values(state=SignUpState.EXPIRED.value)
        )
    if not (await session.execute(statement)).all():
        return False
    consent.record(
        session,
        subscriber_id=person.id,
        at=now,
        step=ConsentStep.UNSUBSCRIBED,
        topics=[topic.slug] if topic else [],
        language=person.language,
        via=via,
        reason=reason,
        dispatch_id=dispatch_id,
    )
    return True


def _opened(ground: Ground, token: str) -> tuple[int, int, int]:
    subscriber_id, delivery_id, topic_id = ground.tokens.open(Purpose.UNSUBSCRIBE, token)
    return subscriber_id, delivery_id, topic_id


async def _open_topics(session: AsyncSession, subscriber_id: int) -> list[Topic]:
    statement = (
        select(Topic)
        .join(Subscription, col(Subscription.topic_id) == col(Topic.id))
        .where(
            col(Subscription.subscriber_id) == subscriber_id,
            col(Subscription.state) != SubscriptionState.UNSUBSCRIBED.value,
        )
        .order_by(col(Topic.position), col(Topic.id))
    )
    return list((await session.exec(statement)).all())


async def _topic(session: AsyncSession, slug: str | None, *, topic_id: int) -> Topic | None:
    if slug:
        return (await topics.by_slugs(session, [slug]))[0]
    return await session.get(Topic, topic_id) if topic_id else None
