"""An organisation applies to the coalition on the web, and its contact confirms by mail.

Called by `join.py`. A contact gets mail as one of the members only after pressing the button behind
the mailed link; then the person is a subscriber, confirmed on the hidden topic `coalition-members`.
Applying twice, or in another's name, tells whoever sends the form nothing new.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import addresses, errors
from foundation.ground import Ground
from foundation.i18n import N_
from foundation.tokens import Purpose
from subscribers import consent, limits, members, suppression, topics
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

STATEMENT_VERSION = 1
STATEMENT = N_(
    "We share the coalition's aims and agree to be named among its members. We work for the safety "
    "and dignity of everyone in our community, whatever their papers. The person who applies may "
    "speak for the organization, and agrees to get mail from the coalition as its contact."
)
"""What an organisation agrees to; a change of the words needs a new version."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Application:
    """What an organisation sent in."""

    name: str
    website: str = ""
    town: str = ""
    languages: Sequence[str] = ()
    """In which it works, in its own words."""
    mission: str = ""
    contact_name: str
    contact_email: str
    contact_role: str = ""
    agrees: bool
    statement_version: int = STATEMENT_VERSION
    """The version that was on the page."""
    language: str
    network: str = ""


class Confirmed(enum.StrEnum):
    """What pressing the button behind the mailed link came to."""

    DONE = "done"
    """The contact is confirmed; an application now waits for the coalition's answer."""
    ALREADY = "already"
    """It was pressed before; nothing changed."""
    TOO_LATE = "too-late"
    """The link is older than is allowed; apply again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Confirmation:
    """What pressing the button came to, and for which organisation."""

    outcome: Confirmed
    organisation: str
    language: str
    waits: bool
    """Whether the organisation waits for the coalition's answer."""


async def apply(ground: Ground, *, application: Application) -> None:
    """Take an application and mail its contact a link to confirm it.

    Says nothing about what was known before. Raises `errors.Invalid` with the wrong fields, and
    `errors.TooMany` when one network sends too many.
    """
    address = _check(application)
    async with ground.db.transaction() as session:
        await limits.check_network(ground, session, name="join", network=application.network)
    async with ground.db.transaction() as session:
        # Counting comes first: on PostgreSQL it holds a second form by the same person back until
        # the first is kept, so that a double press makes one application.
        may_mail = await limits.may_confirm(ground, session, address=address)
        found = await _same_application(session, application, address)
        if found is None:
            found = await _keep(ground, session, application, address)
        elif found.state == MemberState.UNCONFIRMED:
            await _renew(ground, session, found, application, address)
        if may_mail:
            await _answer_by_mail(ground, session, found, address)


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


async def drop_unconfirmed(ground: Ground) -> int:
    """Forget applications that nobody confirmed within the time kept; returns how many."""
    kept = timedelta(days=ground.settings.retention.unconfirmed_days)
    async with ground.db.transaction() as session:
        gone = await session.exec(
            sa.delete(Member)
            .where(
                col(Member.state) == MemberState.UNCONFIRMED.value,
                col(Member.applied_at) < ground.clock.now() - kept,
            )
            .returning(col(Member.id))
        )
        return len(gone.all())


def _check(application: Application) -> addresses.Address:
    problems: dict[str, errors.HandbillError] = {}
    for name in ("name", "contact_name"):
        if not getattr(application, name).strip():
            problems[name] = errors.Invalid(N_("Fill this in."))
    if not members.is_website(application.website):
        problems["website"] = members.wrong_website()
    if not application.agrees:
        problems["agrees"] = errors.Invalid(
            N_("Tick this if your organization agrees; without it we can't take you in.")
        )
    elif application.statement_version != STATEMENT_VERSION:
        problems["agrees"] = errors.Invalid(
            N_("The statement has changed since you opened this page. Read it once more.")
        )
    address: addresses.Address | None = None
    try:
        address = addresses.parse(application.contact_email)
    except errors.Invalid as problem:
        problems["contact_email"] = problem
    if problems or address is None:
        raise errors.Invalid(
            N_("Something needs to be mended before this can be sent."), fields=problems
        )
    return address


async def _same_application(
    session: AsyncSession, application: Application, address: addresses.Address
) -> Member | None:
    """The application of the same organisation by the same person that is still open or granted."""
    statement = (
        select(Member)
        .join(MemberContact, col(MemberContact.member_id) == col(Member.id))
        .where(
            MemberContact.email_key == address.key,
            col(Member.state).in_(
                [MemberState.UNCONFIRMED, MemberState.APPLIED, MemberState.APPROVED]
            ),
        )
        .order_by(col(Member.id).desc())
    )
    wanted = application.name.casefold()
    return next((m for m in await session.exec(statement) if m.name.casefold() == wanted), None)


async def _keep(
    ground: Ground, session: AsyncSession, application: Application, address: addresses.Address
) -> Member:
    now = ground.clock.now()
    member = Member(
        name=application.name,
        website=application.website,
        town=application.town,
        languages=list(application.languages),
        mission=application.mission,
        language=application.language,
        state=MemberState.UNCONFIRMED,
        statement_version=application.statement_version,
        applied_at=now,
        network=application.network or None,
    )
    session.add(member)
    await session.flush()
    session.add(
        MemberContact(
            member_id=member.id,
            name=application.contact_name,
            email=address.email,
            email_key=address.key,
            role=application.contact_role,
            created_at=now,
        )
    )
    await session.flush()
    return member


async def _renew(
    ground: Ground,
    session: AsyncSession,
    member: Member,
    application: Application,
    address: addresses.Address,
) -> None:
    """The same unconfirmed application once more: the newer words count."""
    now = ground.clock.now()
    member.website = application.website
    member.town = application.town
    member.languages = list(application.languages)
    member.mission = application.mission
    member.language = application.language
    member.statement_version = application.statement_version
    member.applied_at = now
    session.add(member)
    for contact in await members.contacts_of(session, member.id):
        if contact.email_key == address.key:
            contact.name = application.contact_name
            contact.role = application.contact_role
            contact.created_at = now
            session.add(contact)


async def _answer_by_mail(
    ground: Ground, session: AsyncSession, member: Member, address: addresses.Address
) -> None:
    """A link to confirm, or the news of how the application stands: only its contact reads it."""
    contacts = await members.contacts_of(session, member.id)
    contact = next(c for c in contacts if c.email_key == address.key)
    if contact.confirmed_at is None:
        await members.ask(ground, session, member, contact, is_own_wish=True)
    elif member.state == MemberState.APPLIED:
        await members.notify(ground, session, member, contact, kind="join_received")
    else:
        await members.notify(
            ground,
            session,
            member,
            contact,
            kind="join_approved",
            reason=member.decision_reason,
        )


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
        await members.notify(ground, session, member, contact, kind="join_received")
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
    wording = await consent.wording(
        session,
        key=f"join-{member.statement_version}",
        language=language,
        text=ground.translator(language).gettext(STATEMENT),
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
