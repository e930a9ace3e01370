"""An organisation applies to the coalition on the web, and its contacts confirm by mail.

Called by `join.py`. It names one contact or two, each of whom gets a link; with the first button
pressed the application stands. Applying twice, or in another's name, tells whoever sends the form
nothing new. What happens behind the link is in `contact_links.py`.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import addresses, errors
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from subscribers import contacts, limits, member_mail, members, statements
from subscribers.contact_links import Confirmation, Confirmed, confirm, of_token
from subscribers.member_models import ContactDuty
from subscribers.models import Member, MemberContact, MemberState
from subscribers.statements import STATEMENT, STATEMENT_VERSION

__all__ = [
    "STATEMENT",
    "STATEMENT_VERSION",
    "Application",
    "Confirmation",
    "Confirmed",
    "Named",
    "apply",
    "confirm",
    "drop_unconfirmed",
    "of_token",
]


@frozen
class Named:
    """Somebody whom an application names as a contact."""

    name: str
    email: str
    role: str = ""
    duties: Sequence[ContactDuty] = ()


@frozen
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
    contact_duties: Sequence[ContactDuty] = ()
    second: Named | None = None
    """Whom to write to when the first is away."""
    wants_listing: bool = False
    """Wants to be named on the public page of members, once it is one."""
    agrees: bool
    statement_version: int = STATEMENT_VERSION
    """The version that was on the page."""
    language: str
    network: str = ""

    @property
    def people(self) -> Sequence[Named]:
        """Its contacts; the first is the one who applies."""
        first = Named(
            name=self.contact_name,
            email=self.contact_email,
            role=self.contact_role,
            duties=self.contact_duties,
        )
        return [first, self.second] if self.second else [first]


async def apply(ground: Ground, *, application: Application) -> None:
    """Take an application and mail each of its contacts a link to confirm it.

    Says nothing about what was known before. Raises `errors.Invalid` with the wrong fields, and
    `errors.TooMany` when one network sends too many.
    """
    async with ground.db.reading() as session:
        statement = await statements.current(ground, session)
    people = _check(application, statement_version=statement.number)
    async with ground.db.transaction() as session:
        await limits.check_network(ground, session, name="join", network=application.network)
    async with ground.db.transaction() as session:
        # Counting comes first: on PostgreSQL it holds a second form by the same people back until
        # the first is kept, so that a double press makes one application.
        counted = await limits.may_confirm_each(
            ground, session, addresses=[each.address for each in people]
        )
        may_mail = [each.address.key for each, may in zip(people, counted, strict=True) if may]
        await statements.keep(ground, session)
        found = await _same_application(session, application, people[0].address)
        if found is None:
            found = await _keep(ground, session, application, people)
        elif found.state == MemberState.UNCONFIRMED:
            await _renew(ground, session, found, application, people)
        await _answer_by_mail(ground, session, found, people, may_mail=may_mail)


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


@frozen
class _Person:
    named: Named
    address: addresses.Address


def _check(application: Application, *, statement_version: int) -> Sequence[_Person]:
    """The contacts with their addresses. Raises `errors.Invalid` with every wrong field."""
    problems: dict[str, errors.HandbillError] = {}
    if not application.name.strip():
        problems["name"] = errors.Invalid(N_("Fill this in."))
    if not members.is_website(application.website):
        problems["website"] = members.wrong_website()
    if not application.agrees:
        problems["agrees"] = errors.Invalid(
            N_("Tick this if your organization agrees; without it we can't take you in.")
        )
    elif application.statement_version != statement_version:
        problems["agrees"] = errors.Invalid(
            N_("The statement has changed since you opened this page. Read it once more.")
        )
    people: dict[str, _Person] = {}
    for prefix, named in zip(("contact", "second"), application.people, strict=False):
        if not named.name.strip():
            problems[f"{prefix}_name"] = errors.Invalid(N_("Fill this in."))
        try:
            address = addresses.parse(named.email)
        except errors.Invalid as problem:
            problems[f"{prefix}_email"] = problem
            continue
        if address.key in people:
            problems[f"{prefix}_email"] = errors.Invalid(
                N_("Name another person here, with an address of their own.")
            )
        people[address.key] = _Person(named=named, address=address)
    if problems:
        raise errors.Invalid(
            N_("Something needs to be mended before this can be sent."), fields=problems
        )
    return list(people.values())


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
    ground: Ground, session: AsyncSession, application: Application, people: Sequence[_Person]
) -> Member:
    member = Member(
        name=application.name,
        **_said(application),
        state=MemberState.UNCONFIRMED,
        applied_at=ground.clock.now(),
        network=application.network or None,
    )
    session.add(member)
    await session.flush()
    for person in people:
        await _name(ground, session, member, person)
    return member


def _said(application: Application) -> dict[str, Any]:
    """What an organisation says of itself, by column."""
    return {
        "website": application.website,
        "town": application.town,
        "languages": list(application.languages),
        "mission": application.mission,
        "language": application.language,
        "statement_version": application.statement_version,
        "is_listed": application.wants_listing,
    }


async def _renew(
    ground: Ground,
    session: AsyncSession,
    member: Member,
    application: Application,
    people: Sequence[_Person],
) -> None:
    """The same unconfirmed application once more: the newer words and people count."""
    for name, value in _said(application).items():
        setattr(member, name, value)
    member.applied_at = ground.clock.now()
    session.add(member)
    for contact in await members.contacts_of(session, member.id):
        if contact.email_key not in [each.address.key for each in people]:
            await session.delete(contact)
    for person in people:
        await _name(ground, session, member, person)


async def _name(ground: Ground, session: AsyncSession, member: Member, person: _Person) -> None:
    """Write a contact of an unconfirmed application down, or what is newly said of them."""
    known = {each.email_key: each for each in await members.contacts_of(session, member.id)}
    contact = known.get(person.address.key) or MemberContact(
        member_id=member.id,
        name="",
        email=person.address.email,
        email_key=person.address.key,
        created_at=ground.clock.now(),
    )
    contact.name = person.named.name
    contact.role = person.named.role
    contact.created_at = ground.clock.now()
    session.add(contact)
    await session.flush()
    await contacts.put_duties(session, contact_id=contact.id, duties=person.named.duties)


async def _answer_by_mail(
    ground: Ground,
    session: AsyncSession,
    member: Member,
    people: Sequence[_Person],
    *,
    may_mail: Sequence[str],
) -> None:
    """A link to confirm, or the news of how the application stands: only contacts read it."""
    applicant = people[0].address.key
    for contact in await members.contacts_of(session, member.id):
        if contact.email_key not in may_mail:
            continue
        if contact.confirmed_at is None:
            is_own_wish = contact.email_key == applicant
            await member_mail.ask(ground, session, member, contact, is_own_wish=is_own_wish)
        elif member.state == MemberState.APPLIED:
            await member_mail.notify(ground, session, member, contact, kind="join_received")
        else:
            await member_mail.welcome(ground, session, member, contact)
