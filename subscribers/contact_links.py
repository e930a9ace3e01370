"""What happens behind the link that asks a contact of an organisation to confirm.

Looking changes nothing. A contact gets mail as one of the members only after pressing the button;
then the person is a subscriber, confirmed on the hidden topic `coalition-members`.
"""

import enum
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import errors
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from foundation.tokens import Purpose
from subscribers import catchwords, consent, member_mail, members, statements, suppression, topics
from subscribers.models import (
    ConsentStep,
    Member,
    MemberContact,
    MemberState,
    Subscriber,
    Subscription,
    SubscriptionState,
    SuppressionReason,
    TopicKind,
)


class Confirmed(enum.StrEnum):
    """What pressing the button behind the mailed link came to."""

    DONE = "done"
    """The contact is confirmed; an application now waits for the coalition's answer."""
    ALREADY = "already"
    """It was pressed before; nothing changed."""
    TOO_LATE = "too-late"
    """The link is older than is allowed; apply again."""


@frozen
class Confirmation:
    """What pressing the button came to, and for which organisation."""

    outcome: Confirmed
    organisation: str
    language: str
    waits: bool
    """Whether the organisation waits for the coalition's answer."""


async def confirm(ground: Ground, *, token: str, network: str) -> Confirmation:
    """The contact pressed the button: the application stands, the person is a subscriber.

    Raises `errors.BadToken`, and `errors.NotFound` when the application is gone.
    """
    contact_id = _contact_id(ground, token)
    async with ground.db.transaction() as session:
        member, contact = await _of_contact(session, contact_id)
        outcome = await _confirm_contact(ground, session, member, contact, network=network)
        return Confirmation(
            outcome=outcome,
            organisation=member.name,
            language=member.language,
            waits=member.state == MemberState.APPLIED,
        )


async def of_token(ground: Ground, *, token: str) -> tuple[Member, MemberContact]:
    """Who a mailed link is about. Raises `errors.BadToken` and `errors.NotFound`."""
    async with ground.db.reading() as session:
        return await _of_contact(session, _contact_id(ground, token))


async def _confirm_contact(
    ground: Ground,
    session: AsyncSession,
    member: Member,
    contact: MemberContact,
    *,
    network: str,
) -> Confirmed:
    now = ground.clock.now()
    if contact.confirmed_at is not None:
        return Confirmed.ALREADY
    if contact.created_at + timedelta(days=ground.settings.signup.confirm_link_days) < now:
        return Confirmed.TOO_LATE
    # Compare-and-set: of two presses at once, one confirms and the other finds it done.
    won = await session.exec(
        sa.update(MemberContact)
        .where(col(MemberContact.id) == contact.id, col(MemberContact.confirmed_at).is_(None))
        .values(confirmed_at=now)
        .returning(col(MemberContact.id))
    )
    if won.first() is None:
        return Confirmed.ALREADY
    person = await _subscriber(ground, session, member, contact, now=now)
    contact.subscriber_id = person.id
    session.add(contact)
    await _subscribe(ground, session, person, member, network=network, now=now)
    if member.state == MemberState.UNCONFIRMED:
        member.state = MemberState.APPLIED
        member.confirmed_at = now
        member.version += 1
        session.add(member)
        await member_mail.notify(ground, session, member, contact, kind="join_received")
    return Confirmed.DONE


async def _subscriber(
    ground: Ground, session: AsyncSession, member: Member, contact: MemberContact, *, now: datetime
) -> Subscriber:
    """The contact as a subscriber, made when nobody has the address yet."""
    found = (
        await session.exec(select(Subscriber).where(Subscriber.email_key == contact.email_key))
    ).first()
    if found is not None:
        await _welcome_back(ground, session, found)
        return found
    first_name, _, last_name = contact.name.partition(" ")
    made = Subscriber(
        email=contact.email,
        email_key=contact.email_key,
        first_name=first_name,
        last_name=last_name,
        town=member.town,
        language=ground.translator(member.language).language,
        created_at=now,
        updated_at=now,
    )
    session.add(made)
    await session.flush()
    await catchwords.keep(session, [made.id])
    await suppression.link(ground, session, subscriber=made)
    await _welcome_back(ground, session, made)
    return made


async def _welcome_back(ground: Ground, session: AsyncSession, person: Subscriber) -> None:
    """The mailbox has just shown that it works, and the person that they want mail."""
    await suppression.lift(
        ground,
        session,
        email_key=person.email_key,
        because="",
        by="",
        only=[reason for reason in SuppressionReason if reason not in suppression.LASTING],
    )


async def _subscribe(
    ground: Ground,
    session: AsyncSession,
    person: Subscriber,
    member: Member,
    *,
    network: str,
    now: datetime,
) -> None:
    topic = await topics.ensure(
        session,
        slug=members.TOPIC,
        kind=TopicKind.MEMBERS,
        texts={
            code: {
                "name": ground.translator(code).gettext(N_("Coalition members")),
                "description": "",
            }
            for code in ground.catalog.languages
        },
        now=now,
    )
    found = (
        await session.exec(
            select(Subscription).where(
                Subscription.subscriber_id == person.id, Subscription.topic_id == topic.id
            )
        )
    ).first()
    if found is None:
        found = Subscription(subscriber_id=person.id, topic_id=topic.id, state="", since=now)
    found.state = SubscriptionState.CONFIRMED
    found.since = now
    session.add(found)
    language = ground.translator(member.language).language
    agreed = await statements.version(ground, session, member.statement_version)
    wording = await consent.wording(
        session,
        key=f"join-{agreed.number}",
        language=language,
        text=agreed.text(language),
        now=now,
    )
    consent.record(
        session,
        subscriber_id=person.id,
        at=now,
        step=ConsentStep.CONFIRMED,
        topics=[members.TOPIC],
        wording_id=wording.id,
        language=language,
        network=network or None,
        via="join",
        reason=member.name,
    )


async def _of_contact(session: AsyncSession, contact_id: int) -> tuple[Member, MemberContact]:
    contact = await session.get(MemberContact, contact_id)
    member = await session.get(Member, contact.member_id) if contact else None
    if contact is None or member is None:
        raise errors.NotFound(N_("This application is not kept any more. You can apply again."))
    return member, contact


def _contact_id(ground: Ground, token: str) -> int:
    numbers = ground.tokens.open(Purpose.MEMBER, token)
    if len(numbers) != 1:
        raise errors.BadToken(N_("This link is not complete. Open it again from the mail."))
    return numbers[0]
