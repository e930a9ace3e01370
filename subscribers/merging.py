"""Joins two records of the same person: one address stays, and what was said with either counts.

Called by staff's pages and the API. A refusal outlives a consent: a topic that was taken back with
either address is taken back, and whoever complained or was barred by hand with either stays barred.
Nobody gets mail at an address that its reader never confirmed. The other address is forgotten; that
it must not be mailed, where that was so, is kept as a hash. There is no way back.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import audit, errors, tables
from foundation.audit import Actor
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from subscribers import catchwords, consent, people, sharing, suppression
from subscribers.holdings import Elsewhere
from subscribers.models import (
    Consent,
    ConsentStep,
    FormerSubscriber,
    MemberContact,
    SignUp,
    SignUpState,
    Subscriber,
    SubscriberTag,
    Subscription,
    SubscriptionState,
    Suppression,
    SuppressionReason,
    Topic,
)

_OF_THE_MAILBOX = frozenset({SuppressionReason.HARD_BOUNCE, SuppressionReason.SOFT_BOUNCES})
"""Reasons that are about an address and not about who reads there: they stay with that address."""
_FILLED = ("first_name", "last_name", "postal_code", "town")
"""Taken from the other record where the one that stays has nothing."""
_OPEN = (SignUpState.SUBMITTED.value, SignUpState.HELD.value, SignUpState.SUSPECT.value)


@frozen
class TopicOutcome:
    """How the person will stand to a topic, and how each record stood."""

    topic: Topic
    kept: SubscriptionState | None
    former: SubscriptionState | None
    outcome: SubscriptionState | None
    """None: on none of the lists, as before; only what waited for a confirmation is dropped."""


@frozen
class Preview:
    """What joining would do."""

    kept: Subscriber
    former: Subscriber
    topics: Sequence[TopicOutcome]
    details: Mapping[str, str]
    """What is filled in from the other record: name of the field → value."""
    tags: Sequence[str]
    """Those that the person will have."""
    barred: Sequence[SuppressionReason]
    """Why the person will not be mailed at all; empty when they may be."""
    stays_barred: Sequence[SuppressionReason]
    """Why the address that goes must not be mailed by itself, which stays so."""
    told: Sequence[str]
    """Organisations that have the address that goes, and are told to forget it."""
    allows_tracking: bool
    problem: errors.Refused | None
    """Why it can't be done this way round."""


async def preview(ground: Ground, *, kept_id: int, former_id: int) -> Preview:
    """What joining would do; changes nothing. Raises `errors.NotFound`, `errors.Invalid`."""
    async with ground.db.reading() as session:
        return await _look(ground, session, kept_id, former_id)


async def merge(
    ground: Ground,
    *,
    actor: Actor,
    kept_id: int,
    former_id: int,
    seen: tuple[datetime, datetime] | None = None,
    elsewhere: Sequence[Elsewhere] = (),
) -> None:
    """Join `former_id` into `kept_id`, in one transaction with what is kept `elsewhere`.

    `seen` is when either record was changed last, as the preview showed it. Raises
    `errors.NotFound`, `errors.Invalid` for one and the same record, `errors.Refused` where the
    address that would stay was never confirmed, `errors.Conflict` when either changed meanwhile.
    """
    now = ground.clock.now()
    async with ground.db.transaction() as session:
        # In the order of their numbers, so that two who join the same pair wait in one order.
        await session.execute(
            sa.select(col(Subscriber.id))
            .where(col(Subscriber.id).in_([kept_id, former_id]))
            .order_by(col(Subscriber.id))
            .with_for_update()
        )
        found = await _look(ground, session, kept_id, former_id)
        if seen is not None and seen != (found.kept.updated_at, found.former.updated_at):
            raise errors.Conflict(
                N_("This person was changed meanwhile. Reload the page, then change it again.")
            )
        if found.problem is not None:
            raise found.problem
        kept, former = found.kept, found.former
        await sharing.forget(ground, session, subscriber_id=former_id)
        for place in elsewhere:
            await place.hand_over(session, former_id=former_id, subscriber_id=kept_id)
        await _join_topics(session, found, now)
        await _hand_over(session, former_id, kept_id)
        await _bar(ground, session, found)
        _fill(kept, former, found, now)
        session.add(kept)
        session.add_all(
            SubscriberTag(subscriber_id=kept_id, tag=tag)
            for tag in sorted(set(found.tags) - set(await people.tags_of(session, kept_id)))
        )
        await session.flush()
        await catchwords.keep(session, [kept_id])
        await session.execute(sa.delete(Subscriber).where(col(Subscriber.id) == former_id))
        session.add(FormerSubscriber(former_id=former_id, subscriber_id=kept_id, merged_at=now))
        consent.record(
            session,
            subscriber_id=kept_id,
            at=now,
            step=ConsentStep.MERGED,
            language=kept.language,
            via="staff",
        )
        audit.record(
            session,
            actor=actor,
            at=now,
            action="subscriber.merged",
            object_kind="subscriber",
            object_id=kept_id,
            before={"id": former_id, "email": former.email},
            after={"topics": [each.topic.slug for each in found.topics
                              if each.outcome is SubscriptionState.CONFIRMED]},
        )  # fmt: skip


async def _look(ground: Ground, session: AsyncSession, kept_id: int, former_id: int) -> Preview:
    if kept_id == former_id:
        raise errors.Invalid(N_("This is the same record. Choose another one."))
    kept = await people.get(session, kept_id)
    former = await people.get(session, former_id)
    ours, theirs = await _states(session, kept_id), await _states(session, former_id)
    topics = (await session.exec(select(Topic).order_by(col(Topic.position), col(Topic.id)))).all()
    outcomes = [
        TopicOutcome(
            topic=topic,
            kept=ours.get(topic.id),
            former=theirs.get(topic.id),
            outcome=joined(ours.get(topic.id), theirs.get(topic.id)),
        )
        for topic in topics
        if topic.id in ours or topic.id in theirs
    ]
    gone_reasons = await suppression.reasons(ground, session, email_key=former.email_key)
    our_reasons = await suppression.reasons(ground, session, email_key=kept.email_key)
    gains = any(
        each.outcome is SubscriptionState.CONFIRMED and each.kept is not SubscriptionState.CONFIRMED
        for each in outcomes
    )
    is_proven = not gains or await _is_proven(session, kept_id)
    return Preview(
        kept=kept,
        former=former,
        topics=outcomes,
        details=_details(kept, former),
        tags=sorted(
            {*await people.tags_of(session, kept_id), *await people.tags_of(session, former_id)}
        ),
        barred=sorted(our_reasons | (gone_reasons - _OF_THE_MAILBOX)),
        stays_barred=sorted(gone_reasons),
        told=[each.name for each in await sharing.holders(session, subscriber_id=former_id)],
        allows_tracking=kept.allows_tracking and former.allows_tracking,
        problem=None if is_proven else errors.Refused(
            N_("Nobody has confirmed %(email)s by mail yet, so no bulletins can go there. Let the "
               "other address stay, or wait until this one is confirmed."),
            email=kept.email,
        ),
    )  # fmt: skip


def joined(
    kept: SubscriptionState | None, former: SubscriptionState | None
) -> SubscriptionState | None:
    """How the person stands afterwards: what was taken back with either address stays so.

    What waited for a confirmation at the address that goes can't be confirmed there any more.
    """
    if SubscriptionState.UNSUBSCRIBED in (kept, former):
        return SubscriptionState.UNSUBSCRIBED
    if SubscriptionState.CONFIRMED in (kept, former):
        return SubscriptionState.CONFIRMED
    return kept


async def _states(session: AsyncSession, subscriber_id: int) -> dict[int, SubscriptionState]:
    rows = await session.execute(
        sa.select(col(Subscription.topic_id), col(Subscription.state)).where(
            col(Subscription.subscriber_id) == subscriber_id
        )
    )
    return {topic_id: SubscriptionState(state) for topic_id, state in rows.all()}


async def _is_proven(session: AsyncSession, subscriber_id: int) -> bool:
    """Whether somebody who reads at the address said yes, or the office vouched for it."""
    said_yes = sa.exists().where(
        col(Consent.subscriber_id) == subscriber_id,
        col(Consent.step).in_([ConsentStep.CONFIRMED.value, ConsentStep.IMPORTED.value]),
    )
    has_topic = sa.exists().where(
        col(Subscription.subscriber_id) == subscriber_id,
        col(Subscription.state) == SubscriptionState.CONFIRMED.value,
    )
    return bool(await session.scalar(sa.select(sa.or_(said_yes, has_topic))))


def _details(kept: Subscriber, former: Subscriber) -> dict[str, str]:
    found = {
        name: getattr(former, name)
        for name in _FILLED
        if not getattr(kept, name) and getattr(former, name)
    }
    return found | {
        name: value for name, value in former.fields.items() if value and not kept.fields.get(name)
    }


def _fill(kept: Subscriber, former: Subscriber, found: Preview, now: datetime) -> None:
    for name, value in found.details.items():
        if name in _FILLED:
            setattr(kept, name, value)
    own = {name: value for name, value in found.details.items() if name not in _FILLED}
    kept.fields = {**kept.fields, **own}
    kept.further_languages = kept.further_languages or former.further_languages
    kept.allows_tracking = found.allows_tracking
    kept.created_at = min(kept.created_at, former.created_at)
    kept.updated_at = now


async def _join_topics(session: AsyncSession, found: Preview, now: datetime) -> None:
    for each in found.topics:
        if each.outcome is None or each.outcome is each.kept:
            continue
        insert = tables.insert_for(session, Subscription).values(
            subscriber_id=found.kept.id,
            topic_id=each.topic.id,
            state=each.outcome.value,
            since=now,
        )
        await session.execute(
            insert.on_conflict_do_update(
                index_elements=["subscriber_id", "topic_id"],
                set_={"state": insert.excluded.state, "since": insert.excluded.since},
            )
        )


async def _hand_over(session: AsyncSession, former_id: int, kept_id: int) -> None:
    """What hangs on the former row and would go with it, but for what waited at its address."""
    await session.execute(
        sa.update(SignUp)
        .where(col(SignUp.subscriber_id) == former_id, col(SignUp.state).in_(_OPEN))
        .values(state=SignUpState.EXPIRED.value)
        .execution_options(synchronize_session=False)
    )
    for table in (Consent, SignUp, MemberContact, FormerSubscriber):
        await session.execute(
            sa.update(table)
            .where(col(table.subscriber_id) == former_id)
            .values(subscriber_id=kept_id)
            .execution_options(synchronize_session=False)
        )


async def _bar(ground: Ground, session: AsyncSession, found: Preview) -> None:
    """Reasons that are about the person hold for the address that stays; each holds for its own."""
    rows = await session.exec(
        select(Suppression)
        .where(Suppression.subscriber_id == found.former.id, col(Suppression.lifted_at).is_(None))
        .order_by(col(Suppression.id))
    )
    for each in rows.all():
        reason = SuppressionReason(each.reason)
        if reason not in _OF_THE_MAILBOX:
            await suppression.add(
                ground,
                session,
                subscriber_id=found.kept.id,
                reason=reason,
                note=each.note,
                via="staff",
                return_id=each.return_id,
            )
    # The hash of the address that goes stays, and is nobody's.
    await session.execute(
        sa.update(Suppression)
        .where(col(Suppression.subscriber_id) == found.former.id)
        .values(subscriber_id=None)
        .execution_options(synchronize_session=False)
    )
