"""What happens behind a confirmation link: a page with a button, and what pressing it does.

Looking changes nothing, so that programs which follow every link confirm nobody. Pressing twice
does it once, and an old link never undoes an unsubscription.
"""

import enum
from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import tables
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.notices import Notice
from foundation.tokens import Purpose
from subscribers import catchwords, consent, intake, languages, sharing, suppression, topics
from subscribers.models import (
    ConsentStep,
    SignUp,
    SignUpState,
    Subscriber,
    SubscriberTag,
    Subscription,
    SubscriptionState,
    Topic,
)

_WAITING = (SignUpState.SUBMITTED, SignUpState.HELD, SignUpState.SUSPECT)
"""States from which a sign-up can be confirmed."""


class Answer(enum.StrEnum):
    """How a confirmation link stands, or what pressing its button came to."""

    READY = "ready"
    """Waits for the button."""
    DONE = "done"
    """Confirmed just now."""
    ALREADY = "already"
    """Was confirmed before, and still is."""
    USED = "used"
    """Was confirmed before; the person has unsubscribed since, and the link does not undo that."""
    TOO_LATE = "too-late"
    """The link is older than is allowed, or what it was for is gone."""
    BLOCKED = "blocked"
    """The address was suppressed by a complaint or by hand; only the office can help."""


@frozen
class Confirmed:
    """What the page behind a confirmation link says."""

    answer: Answer
    language: str | None = None
    email: str = ""
    first_name: str = ""
    topics: Sequence[str] = ()
    """By name, in the person's language."""
    preferences_url: str = ""


async def look(ground: Ground, *, token: str) -> Confirmed:
    """How a confirmation link stands; changes nothing. Raises `errors.BadToken`."""
    signup_id, subscriber_id, issued_at = _opened(ground, token)
    async with ground.db.reading() as session:
        found = await _found(session, signup_id, subscriber_id)
        if found is None:
            return Confirmed(answer=Answer.TOO_LATE)
        answer = await _standing(ground, session, *found, issued_at=issued_at)
        return await _said(ground, session, *found, answer=answer)


async def confirm(ground: Ground, *, token: str, network: str) -> Confirmed:
    """The person pressed the button: subscribed to what the sign-up asked for.

    What was sent in with it counts from now on. A suppression that the person may lift themselves
    is lifted (see `suppression`). Pressing twice does it once. Raises `errors.BadToken`.
    """
    signup_id, subscriber_id, issued_at = _opened(ground, token)
    async with ground.db.transaction() as session:
        found = await _found(session, signup_id, subscriber_id)
        if found is None:
            return Confirmed(answer=Answer.TOO_LATE)
        row, person = found
        answer = await _standing(ground, session, row, person, issued_at=issued_at)
        if answer is Answer.READY:
            answer = await _confirm(ground, session, row, person, network=network)
        return await _said(ground, session, row, person, answer=answer)


def _opened(ground: Ground, token: str) -> tuple[int, int, datetime]:
    numbers = ground.tokens.open(Purpose.CONFIRM, token)
    signup_id, subscriber_id, minute = numbers
    return (
        signup_id,
        subscriber_id,
        datetime.fromtimestamp(minute * 60, tz=ground.clock.now().tzinfo),
    )


async def _found(
    session: AsyncSession, signup_id: int, subscriber_id: int
) -> tuple[SignUp, Subscriber] | None:
    row = await session.get(SignUp, signup_id)
    person = await session.get(Subscriber, subscriber_id)
    if row is None or person is None or row.subscriber_id != person.id:
        return None
    return row, person


async def _standing(
    ground: Ground,
    session: AsyncSession,
    row: SignUp,
    person: Subscriber,
    *,
    issued_at: datetime,
) -> Answer:
    if row.state == SignUpState.CONFIRMED:
        return await _used(session, row, person)
    until = issued_at + timedelta(days=ground.settings.signup.confirm_link_days)
    if row.state not in _WAITING or ground.clock.now() > until:
        return Answer.TOO_LATE
    reasons = await suppression.reasons(ground, session, email_key=person.email_key)
    return Answer.BLOCKED if reasons & suppression.LASTING else Answer.READY


async def _used(session: AsyncSession, row: SignUp, person: Subscriber) -> Answer:
    """Whether something of a confirmed sign-up still holds."""
    holds = await session.scalar(
        sa.select(sa.func.count())
        .select_from(Subscription)
        .join(Topic, col(Topic.id) == col(Subscription.topic_id))
        .where(
            col(Subscription.subscriber_id) == person.id,
            col(Topic.slug).in_(row.topics),
            col(Subscription.state) == SubscriptionState.CONFIRMED.value,
        )
    )
    return Answer.ALREADY if holds else Answer.USED


async def _confirm(
    ground: Ground, session: AsyncSession, row: SignUp, person: Subscriber, *, network: str
) -> Answer:
    now = ground.clock.now()
    # Compare-and-set: of two presses at once, one confirms and the other finds it done.
    won = await session.execute(
        sa.update(SignUp)
        .where(col(SignUp.id) == row.id, col(SignUp.state).in_([each.value for each in _WAITING]))
        .values(state=SignUpState.CONFIRMED.value, confirmed_at=now)
        .returning(col(SignUp.id))
    )
    if won.first() is None:
        return Answer.ALREADY
    await suppression.lift(
        ground,
        session,
        email_key=person.email_key,
        because="",
        by="",
        only=suppression.LIFTED_BY_CONFIRMING,
    )
    _take_over(row, person, now=now)
    session.add(person)
    await catchwords.keep(session, [person.id])
    for tag in row.tags:
        await session.execute(
            tables.insert_for(session, SubscriberTag)
            .values(subscriber_id=person.id, tag=tag)
            .on_conflict_do_nothing()
        )
    wanted = await _still_there(session, row.topics)
    is_new = await _subscribe(session, row, person, wanted, now=now)
    wording = await consent.asked(ground, session, consent.CONFIRM, language=row.language)
    consent.record(
        session,
        subscriber_id=person.id,
        at=now,
        step=ConsentStep.CONFIRMED,
        topics=[topic.slug for topic in wanted],
        wording_id=wording.id,
        language=row.language,
        signup_id=row.id,
        form_id=row.form_id,
        network=network,
        via="link",
    )
    await sharing.give(ground, session, row=row, person=person, network=network)
    if is_new:
        await _welcome(ground, session, row, person, wanted)
    return Answer.DONE


def _take_over(row: SignUp, person: Subscriber, *, now: datetime) -> None:
    """What was sent in counts now; what was left blank stays as it was."""
    for name in intake.ABOUT_PERSON:
        if getattr(row, name):
            setattr(person, name, getattr(row, name))
    person.language = row.language
    person.further_languages = languages.without(person.further_languages, row.language)
    # The mailbox has just shown that it works.
    person.soft_bounces = 0
    person.first_soft_bounce_at = None
    person.updated_at = now


async def _still_there(session: AsyncSession, slugs: Sequence[str]) -> list[Topic]:
    statement = select(Topic).where(col(Topic.slug).in_(slugs)).order_by(col(Topic.position))
    return list((await session.exec(statement)).all())


async def _subscribe(
    session: AsyncSession,
    row: SignUp,
    person: Subscriber,
    wanted: Sequence[Topic],
    *,
    now: datetime,
) -> bool:
    """Confirm the topics; returns whether any was not confirmed before."""
    is_new = False
    for topic in wanted:
        insert = tables.insert_for(session, Subscription).values(
            subscriber_id=person.id,
            topic_id=topic.id,
            state=SubscriptionState.CONFIRMED.value,
            since=now,
            signup_id=row.id,
        )
        changed = await session.execute(
            insert.on_conflict_do_update(
                index_elements=["subscriber_id", "topic_id"],
                set_={
                    "state": insert.excluded.state,
                    "since": insert.excluded.since,
                    "signup_id": insert.excluded.signup_id,
                },
                where=col(Subscription.state) != SubscriptionState.CONFIRMED.value,
            ).returning(sa.literal(1))
        )
        is_new = changed.first() is not None or is_new
    return is_new


async def _welcome(
    ground: Ground,
    session: AsyncSession,
    row: SignUp,
    person: Subscriber,
    wanted: Sequence[Topic],
) -> None:
    unsubscribe_url = ground.link("/unsubscribe", Purpose.UNSUBSCRIBE, person.id, 0, 0)
    await ground.notices.queue(
        session,
        Notice(
            kind="welcome",
            to=person.email,
            language=row.language,
            context={
                "first_name": person.first_name,
                "topics": topics.names(wanted, row.language, default=ground.catalog.default),
                "preferences_url": ground.link("/preferences", Purpose.PREFERENCES, person.id),
                "unsubscribe_url": unsubscribe_url,
            },
            subscriber_id=person.id,
            unsubscribe_url=unsubscribe_url,
        ),
    )


async def _said(
    ground: Ground, session: AsyncSession, row: SignUp, person: Subscriber, *, answer: Answer
) -> Confirmed:
    default = ground.catalog.default
    return Confirmed(
        answer=answer,
        language=row.language,
        email=person.email,
        first_name=row.first_name or person.first_name,
        topics=[
            topics.name(topic, row.language, default=default)
            for topic in await _still_there(session, row.topics)
        ],
        preferences_url=ground.link("/preferences", Purpose.PREFERENCES, person.id),
    )
