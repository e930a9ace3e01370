"""Housekeeping, called by the scheduler: mail what limits held back, forget people in time."""

from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import throttle
from foundation.addresses import Address
from foundation.frozen import frozen
from foundation.ground import Ground
from subscribers import applying, limits, signing, suppression, tabling
from subscribers.models import (
    Consent,
    ConsentStep,
    Member,
    SignUp,
    SignUpState,
    Subscriber,
    Subscription,
    SubscriptionState,
    Suppression,
    Topic,
)

_PAGE = 200
_COUNTERS_KEPT = timedelta(days=2)


@frozen
class Tidied:
    """What was forgotten."""

    networks: int
    signups_expired: int
    people: int
    applications: int


@frozen
class _Held:
    row: SignUp
    person: Subscriber
    network: str | None


async def tidy(ground: Ground) -> Tidied:
    """Blank networks that were kept long enough; forget who never confirmed anything.

    Somebody is forgotten only when all they ever did was to be typed into a form: who confirmed,
    unsubscribed or was brought along stays, with the record of it.
    """
    now = ground.clock.now()
    kept = ground.settings.retention
    async with ground.db.transaction() as session:
        networks = await _blank_networks(session, before=now - timedelta(days=kept.network_days))
        unconfirmed_since = now - timedelta(days=kept.unconfirmed_days)
        expired = await session.execute(
            sa.update(SignUp)
            .where(
                col(SignUp.state).in_(
                    [SignUpState.SUBMITTED.value, SignUpState.HELD.value, SignUpState.SUSPECT.value]
                ),
                col(SignUp.created_at) < unconfirmed_since,
            )
            .values(
                state=SignUpState.EXPIRED.value,
                first_name="",
                last_name="",
                postal_code="",
                further_languages="",
                tags=[],
            )
            .returning(col(SignUp.id))
        )
        signups_expired = len(expired.all())
        await session.execute(
            sa.delete(Subscription).where(
                col(Subscription.state) == SubscriptionState.PENDING.value,
                col(Subscription.since) < unconfirmed_since,
            )
        )
        gone = await session.execute(
            sa.delete(Subscriber)
            .where(col(Subscriber.created_at) < unconfirmed_since, *_was_only_typed_in())
            .returning(col(Subscriber.id))
        )
        people = len(gone.all())
        await signing.drop_unconfirmed(ground, session)
        await throttle.forget(session, before=now - _COUNTERS_KEPT)
    return Tidied(
        networks=networks,
        signups_expired=signups_expired,
        people=people,
        applications=await applying.drop_unconfirmed(ground),
    )


async def release_held(ground: Ground) -> int:
    """Send the confirmation mails that limits held back, as far as the same limits allow now.

    Oldest first; returns how many were queued. A sign-up that has nothing left to ask expires: its
    topics were confirmed meanwhile, or a link for them is on its way already.
    """
    queued = after = 0
    full_networks: set[str] = set()
    while True:
        async with ground.db.transaction() as session:
            page = await _held(ground, session, after=after)
            for held in page:
                if not await limits.room_in_hour(ground, session):
                    return queued
                if held.network in full_networks:
                    continue
                queued += await _release(ground, session, held, full_networks)
        if len(page) < _PAGE:
            return queued
        after = page[-1].row.id


async def _blank_networks(session: AsyncSession, *, before: object) -> int:
    blanked = await session.execute(
        sa.update(Consent)
        .where(col(Consent.network).is_not(None), col(Consent.at) < before)
        .values(network=None)
        .returning(col(Consent.id))
    )
    await session.execute(
        sa.update(Member)
        .where(col(Member.network).is_not(None), col(Member.applied_at) < before)
        .values(network=None)
    )
    return len(blanked.all())


def _was_only_typed_in() -> list[sa.ColumnElement[bool]]:
    """SQL: nothing is known of a person but forms that were sent in and never confirmed."""
    lives_on = sa.exists().where(
        col(Subscription.subscriber_id) == col(Subscriber.id),
        col(Subscription.state) != SubscriptionState.PENDING.value,
    )
    did_more = sa.exists().where(
        col(Consent.subscriber_id) == col(Subscriber.id),
        col(Consent.step) != ConsentStep.ASKED.value,
    )
    may_confirm_yet = sa.exists().where(
        col(SignUp.subscriber_id) == col(Subscriber.id),
        col(SignUp.state) != SignUpState.EXPIRED.value,
    )
    was_asked = sa.exists().where(col(SignUp.subscriber_id) == col(Subscriber.id))
    return [sa.not_(lives_on), sa.not_(did_more), sa.not_(may_confirm_yet), was_asked]


async def _held(ground: Ground, session: AsyncSession, *, after: int) -> Sequence[_Held]:
    """Held sign-ups whose link would still be welcome, without those that no mail may go to."""
    lasting = sa.exists().where(
        col(Suppression.subscriber_id) == col(SignUp.subscriber_id),
        col(Suppression.lifted_at).is_(None),
        col(Suppression.reason).in_([reason.value for reason in suppression.LASTING]),
    )
    since = ground.clock.now() - timedelta(days=ground.settings.signup.confirm_link_days)
    statement = (
        select(SignUp, Subscriber, Consent.network)
        .join(Subscriber, col(Subscriber.id) == col(SignUp.subscriber_id))
        .outerjoin(
            Consent,
            sa.and_(
                col(Consent.subscriber_id) == col(SignUp.subscriber_id),
                col(Consent.signup_id) == col(SignUp.id),
                col(Consent.step) == ConsentStep.ASKED.value,
            ),
        )
        .where(
            col(SignUp.state) == SignUpState.HELD.value,
            col(SignUp.id) > after,
            col(SignUp.created_at) > since,
            sa.not_(lasting),
        )
        .order_by(col(SignUp.id))
        .limit(_PAGE)
    )
    return [
        _Held(row=row, person=person, network=network)
        for row, person, network in (await session.exec(statement)).all()
    ]


async def _release(
    ground: Ground, session: AsyncSession, held: _Held, full_networks: set[str]
) -> int:
    if await _has_nothing_to_ask(ground, session, held):
        held.row.state = SignUpState.EXPIRED.value
        session.add(held.row)
        return 0
    if held.network:
        load = await limits.network_load(ground, session, name="signup", network=held.network)
        if load > 1:
            full_networks.add(held.network)
            return 0
    address = Address(email=held.person.email, key=held.person.email_key)
    if not await limits.may_confirm(ground, session, address=address):
        return 0
    statement = (
        select(Topic).where(col(Topic.slug).in_(held.row.topics)).order_by(col(Topic.position))
    )
    wanted = (await session.exec(statement)).all()
    held.row.state = SignUpState.SUBMITTED.value
    session.add(held.row)
    await tabling.send_link(ground, session, row=held.row, person=held.person, wanted=wanted)
    return 1


async def _has_nothing_to_ask(ground: Ground, session: AsyncSession, held: _Held) -> bool:
    wanted = set(held.row.topics)
    confirmed = await session.scalars(
        sa.select(col(Topic.slug))
        .join(Subscription, col(Subscription.topic_id) == col(Topic.id))
        .where(
            col(Subscription.subscriber_id) == held.person.id,
            col(Subscription.state) == SubscriptionState.CONFIRMED.value,
        )
    )
    if wanted <= set(confirmed):
        return True
    since = ground.clock.now() - timedelta(days=ground.settings.signup.confirm_link_days)
    on_their_way = await session.scalars(
        sa.select(col(SignUp.topics)).where(
            col(SignUp.subscriber_id) == held.person.id,
            col(SignUp.state) == SignUpState.SUBMITTED.value,
            col(SignUp.created_at) > since,
        )
    )
    return any(wanted <= set(others) for others in on_their_way)
