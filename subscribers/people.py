"""A person as staff see them, with everything held; lists of people are in `finding.py`.

Called by `people_pages.py`, the API and the command line; changes are in `mending.py`. The values
that a mail's merge fields take for a person are here too.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import addresses, errors
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from subscribers import consent, finding
from subscribers.finding import Standing
from subscribers.models import (
    Consent,
    Form,
    FormerSubscriber,
    Member,
    MemberContact,
    Partner,
    SignUp,
    Subscriber,
    SubscriberTag,
    Subscription,
    SubscriptionState,
    Suppression,
    Topic,
)
from subscribers.recipients import Recipient


@frozen
class TopicState:
    """How a person stands to one topic."""

    topic: Topic
    state: SubscriptionState
    since: datetime


@frozen
class Source:
    """Where a sign-up came from."""

    signup: SignUp
    partner: str
    form: str
    """The form's name for the office; blank for our own page."""


@frozen
class Person:
    """Everything that this floor holds about somebody."""

    subscriber: Subscriber
    standing: Standing
    tags: Sequence[str]
    topics: Sequence[TopicState]
    consents: Sequence[Consent]
    sources: Sequence[Source]
    suppressions: Sequence[Suppression]
    speaks_for: Sequence[Member]


@frozen
class Mail:
    """A mail that a person was sent."""

    at: datetime
    subject: str
    state: str
    """Already in the reader's language."""
    url: str = ""


@frozen
class CameBack:
    """A mail to a person that came back, or a complaint of theirs."""

    at: datetime
    what: str
    """Already in the reader's language."""
    mail: str
    """Which mail it was; blank when that is not known."""
    url: str
    is_unproven: bool


@frozen
class WelcomeTold:
    """How a person stands to the welcome of a topic."""

    topic: str
    """By name."""
    said: str
    """Already in the reader's language."""
    url: str


@frozen
class ComingTold:
    """A campaign that is being made and would reach a person."""

    name: str
    said: str
    """How it stands, already in the reader's language."""
    url: str


class Coming(Protocol):
    """Tells which campaigns would reach a person; handed in as `MailHistory` is."""

    async def coming(
        self, ground: Ground, *, subscriber_id: int, language: str
    ) -> Sequence[ComingTold]:
        """The campaigns that would reach them as things stand, in words of `language`."""
        ...


class WelcomeHistory(Protocol):
    """Tells what of welcomes a person got; handed in as `MailHistory` is."""

    async def welcomes(
        self, ground: Ground, *, subscriber_id: int, language: str
    ) -> Sequence[WelcomeTold]:
        """The welcomes that a person is or was in, in words of `language`."""
        ...


class MailHistory(Protocol):
    """Tells which mails a person was sent; a higher floor knows, `handbill/app.py` hands it in."""

    async def mails(
        self, ground: Ground, *, subscriber_id: int, language: str, limit: int
    ) -> Sequence[Mail]:
        """The newest `limit` mails of a person, newest first, in words of `language`."""
        ...

    async def came_back(
        self, ground: Ground, *, subscriber_id: int, language: str, limit: int
    ) -> Sequence[CameBack]:
        """The newest `limit` things that came back from a person's mailbox, newest first."""
        ...


def merge_values(subscriber: Subscriber | Recipient) -> dict[str, str]:
    """What a mail's merge fields say about a person, by the field's name."""
    return {
        "subscriber.first_name": subscriber.first_name,
        "subscriber.last_name": subscriber.last_name,
        "subscriber.email": subscriber.email,
        "subscriber.language": subscriber.language,
        "subscriber.postal_code": subscriber.postal_code,
        "subscriber.town": subscriber.town,
        **{f"subscriber.fields.{name}": value for name, value in subscriber.fields.items()},
    }


async def by_email(ground: Ground, *, email: str) -> int:
    """The row number of whoever has an address. Raises `errors.Invalid`, `errors.NotFound`."""
    key = addresses.parse(email).key
    async with ground.db.reading() as session:
        found = await session.scalar(
            sa.select(col(Subscriber.id)).where(col(Subscriber.email_key) == key)
        )
    if found is None:
        raise _nobody()
    return int(found)


async def show(ground: Ground, *, subscriber_id: int) -> Person:
    """Everything about one person. Raises `errors.NotFound`."""
    async with ground.db.reading() as session:
        subscriber = await get(session, subscriber_id)
        rows = await finding.with_standing(session, [subscriber])
        states = await session.exec(
            select(Subscription, Topic)
            .join(Topic, col(Topic.id) == col(Subscription.topic_id))
            .where(Subscription.subscriber_id == subscriber_id)
            .order_by(col(Topic.position), col(Topic.id))
        )
        sources = await session.exec(
            select(SignUp, col(Partner.name), col(Form.name))
            .outerjoin(Partner, col(Partner.id) == col(SignUp.partner_id))
            .outerjoin(Form, col(Form.id) == col(SignUp.form_id))
            .where(SignUp.subscriber_id == subscriber_id)
            .order_by(col(SignUp.id).desc())
            .limit(50)
        )
        return Person(
            subscriber=subscriber,
            standing=rows[0].standing,
            tags=await tags_of(session, subscriber_id),
            topics=[
                TopicState(topic=topic, state=SubscriptionState(each.state), since=each.since)
                for each, topic in states
            ],
            consents=await consent.history(session, subscriber_id=subscriber_id),
            sources=[
                Source(signup=signup, partner=partner_name or "", form=form_name or "")
                for signup, partner_name, form_name in sources
            ],
            suppressions=(
                await session.exec(
                    select(Suppression)
                    .where(Suppression.subscriber_id == subscriber_id)
                    .order_by(col(Suppression.id).desc())
                )
            ).all(),
            speaks_for=(
                await session.exec(
                    select(Member)
                    .join(MemberContact, col(MemberContact.member_id) == col(Member.id))
                    .where(MemberContact.subscriber_id == subscriber_id)
                    .order_by(col(Member.id))
                )
            ).all(),
        )


async def tags(ground: Ground) -> list[str]:
    """Every tag in use, in order of the alphabet."""
    statement = sa.select(col(SubscriberTag.tag)).distinct().order_by(col(SubscriberTag.tag))
    async with ground.db.reading() as session:
        return list((await session.scalars(statement.limit(500))).all())


async def tags_of(session: AsyncSession, subscriber_id: int) -> list[str]:
    """A person's tags in order of the alphabet."""
    statement = (
        sa.select(col(SubscriberTag.tag))
        .where(col(SubscriberTag.subscriber_id) == subscriber_id)
        .order_by(col(SubscriberTag.tag))
    )
    return list((await session.scalars(statement)).all())


async def get(session: AsyncSession, subscriber_id: int) -> Subscriber:
    """One person's row. Raises `errors.NotFound`."""
    found = await session.get(Subscriber, subscriber_id)
    if found is None:
        raise _nobody()
    return found


async def current(session: AsyncSession, subscriber_id: int) -> Subscriber | None:
    """Whom a link in a mail is about: that person, or the record that theirs was joined with."""
    found = await session.get(Subscriber, subscriber_id)
    if found is None:
        former = await session.get(FormerSubscriber, subscriber_id)
        found = await session.get(Subscriber, former.subscriber_id) if former else None
    return found


def _nobody() -> errors.NotFound:
    return errors.NotFound(N_("There is nobody here with this address. They may have been erased."))
