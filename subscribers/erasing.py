"""Forgets a person for good, as they or staff for them ask; only a keyed hash of the address stays.

Called by the preferences page, staff's pages, the API and the command line. Rows that hang on the
person go with them (the words by which they are found, tags, subscriptions, consents, sign-ups,
queued notices); ledger rows stay and no longer say whose they are, so counts of past bulletins stay
right. An organisation that the person let have the address is told to forget it, see
`sharing.forget`.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlmodel import col

from foundation import audit
from foundation.audit import Actor, AuditEntry
from foundation.ground import Ground
from subscribers import people, sharing, suppression
from subscribers.holdings import Elsewhere
from subscribers.member_models import SignOn
from subscribers.models import FormerSubscriber, MemberContact, Subscriber, SuppressionReason


async def erase(
    ground: Ground,
    *,
    subscriber_id: int,
    via: str,
    actor: Actor,
    elsewhere: Sequence[Elsewhere] = (),
) -> None:
    """Erase everything about a person, in one transaction, with what is kept `elsewhere`.

    Raises `errors.NotFound`.
    """
    async with ground.db.transaction() as session:
        person = await people.get(session, subscriber_id)
        await suppression.add(
            ground,
            session,
            email_key=person.email_key,
            subscriber_id=subscriber_id,
            reason=SuppressionReason.ERASED,
            via=via,
        )
        await session.exec(
            sa.delete(MemberContact).where(col(MemberContact.email_key) == person.email_key)
        )
        await session.exec(sa.delete(SignOn).where(col(SignOn.email_key) == person.email_key))
        await sharing.forget(ground, session, subscriber_id=subscriber_id)
        for place in elsewhere:
            await place.forget(session, subscriber_id=subscriber_id)
        former = await session.scalars(
            sa.select(col(FormerSubscriber.former_id)).where(
                col(FormerSubscriber.subscriber_id) == subscriber_id
            )
        )
        # The log keeps that something was changed, by whom and when, but not the person's details.
        await session.exec(
            sa.update(AuditEntry)
            .where(
                col(AuditEntry.object_kind) == "subscriber",
                col(AuditEntry.object_id).in_([str(each) for each in (subscriber_id, *former)]),
            )
            .values(before={}, after={})
        )
        await session.exec(sa.delete(Subscriber).where(col(Subscriber.id) == subscriber_id))
        audit.record(
            session,
            actor=actor,
            at=ground.clock.now(),
            action="subscriber.erased",
            object_kind="subscriber",
            object_id=subscriber_id,
            after={"via": via},
        )
