"""Organisations of the coalition, as staff keep them: listed, decided on, mended.

Called by `members_pages.py` and the API; how an organisation comes in is in `applying.py`, who
speaks for it in `contacts.py`. Whatever changes an organisation asks for the version that the
person saw, so nobody decides on old facts.
"""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.sql.elements import SQLCoreOperations
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import audit, errors
from foundation.audit import Actor
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from subscribers import member_mail
from subscribers.member_models import ContactDuty, MemberContactDuty, MemberQuestion
from subscribers.models import Member, MemberContact, MemberState, Partner

TOPIC = "coalition-members"
"""The hidden topic that contacts of members are subscribed to."""

TRANSITIONS: Mapping[MemberState, frozenset[MemberState]] = {
    MemberState.UNCONFIRMED: frozenset({MemberState.APPLIED}),
    MemberState.APPLIED: frozenset({MemberState.APPROVED, MemberState.DECLINED}),
    MemberState.APPROVED: frozenset({MemberState.LEFT}),
    MemberState.DECLINED: frozenset({MemberState.APPROVED}),
    MemberState.LEFT: frozenset({MemberState.APPROVED}),
}
"""What may follow what. The first step is the contact's own; every other is taken by staff."""


_DUTIES = list(ContactDuty)


@frozen
class Details:
    """What staff may mend about an organisation."""

    name: str
    website: str = ""
    town: str = ""
    languages: Sequence[str] = ()
    mission: str = ""
    is_listed: bool = False


@frozen
class Page:
    """Some organisations, newest application first."""

    members: Sequence[Member]
    contacts: Mapping[int, str]
    """Member → the names of its contacts."""
    next_after: int | None = None


@frozen
class Card:
    """One organisation with the people who speak for it."""

    member: Member
    contacts: Sequence[MemberContact]
    duties: Mapping[int, Sequence[ContactDuty]]
    """Contact → what they look after; who looks after nothing is not in it."""
    questions: Sequence[MemberQuestion]
    """What it was asked while it applied, oldest first."""
    partner: Partner | None


def contact_exists_for(subscriber_id: SQLCoreOperations[int]) -> sa.ColumnElement[bool]:
    """SQL: the person is a confirmed contact of an approved member."""
    theirs = contacts().where(col(MemberContact.subscriber_id) == subscriber_id)
    return sa.exists(theirs)


def contacts(*, duties: Sequence[ContactDuty] = ()) -> sa.Select[int | None]:
    """SQL: the confirmed contacts of approved members, who look after one of `duties` if any."""
    contact = (
        sa.select(col(MemberContact.subscriber_id))
        .select_from(MemberContact)
        .join(Member, col(Member.id) == col(MemberContact.member_id))
        .where(
            col(MemberContact.confirmed_at).is_not(None),
            col(Member.state) == MemberState.APPROVED.value,
        )
    )
    if not duties:
        return contact
    return contact.join(
        MemberContactDuty, col(MemberContactDuty.contact_id) == col(MemberContact.id)
    ).where(col(MemberContactDuty.duty).in_([duty.value for duty in duties]))


async def listed(
    ground: Ground, *, state: MemberState | None = None, after: int | None = None, limit: int = 50
) -> Page:
    """Organisations in a state (or all but the unconfirmed), newest first, by keyset."""
    shown = (
        col(Member.state) == state.value
        if state
        else col(Member.state) != MemberState.UNCONFIRMED.value
    )
    statement = select(Member).where(shown).order_by(col(Member.id).desc()).limit(limit + 1)
    if after is not None:
        statement = statement.where(col(Member.id) < after)
    async with ground.db.reading() as session:
        rows = list((await session.exec(statement)).all())
        found = rows[:limit]
        contacts = await session.exec(
            select(MemberContact)
            .where(col(MemberContact.member_id).in_([member.id for member in found]))
            .order_by(col(MemberContact.id))
        )
        names: dict[int, list[str]] = {}
        for contact in contacts:
            names.setdefault(contact.member_id, []).append(contact.name)
    return Page(
        members=found,
        contacts={member_id: ", ".join(who) for member_id, who in names.items()},
        next_after=found[-1].id if len(rows) > limit else None,
    )


async def counts(ground: Ground) -> dict[MemberState, int]:
    """How many organisations are in each state."""
    statement = select(col(Member.state), sa.func.count()).group_by(col(Member.state))
    async with ground.db.reading() as session:
        rows = (await session.exec(statement)).all()
    found = dict.fromkeys(MemberState, 0)
    for state, number in rows:
        found[MemberState(state)] = number
    return found


async def card(ground: Ground, *, member_id: int) -> Card:
    """One organisation with its contacts. Raises `errors.NotFound`."""
    async with ground.db.reading() as session:
        member = await get(session, member_id)
        asked = (
            select(MemberQuestion)
            .where(MemberQuestion.member_id == member_id)
            .order_by(col(MemberQuestion.id))
        )
        partner = select(Partner).where(Partner.member_id == member_id).order_by(col(Partner.id))
        return Card(
            member=member,
            contacts=await contacts_of(session, member_id),
            duties=await _duties_of(session, member_id),
            questions=(await session.exec(asked)).all(),
            partner=(await session.exec(partner.limit(1))).first(),
        )


async def approve(
    ground: Ground, *, actor: Actor, member_id: int, version: int, reason: str = ""
) -> None:
    """Take an organisation in and tell its contacts, with a word of welcome if there is one.

    Raises `errors.Refused`, `errors.Conflict`, `errors.NotFound`.
    """
    async with ground.db.transaction() as session:
        member = await _decide(
            ground, session, MemberState.APPROVED, actor, member_id, version, reason
        )
        for contact in await contacts_of(session, member_id):
            if contact.confirmed_at is not None:
                await member_mail.welcome(ground, session, member, contact)


async def decline(
    ground: Ground, *, actor: Actor, member_id: int, version: int, reason: str
) -> None:
    """Turn an application down; the reason goes to its contacts by mail.

    Raises `errors.Invalid` without a reason, `errors.Refused`, `errors.Conflict`.
    """
    if not reason.strip():
        raise errors.Invalid(
            N_("Give a reason: the organization gets it by mail."),
            fields={"reason": errors.Invalid(N_("Fill this in."))},
        )
    async with ground.db.transaction() as session:
        member = await _decide(
            ground, session, MemberState.DECLINED, actor, member_id, version, reason
        )
        contacts = await contacts_of(session, member_id)
        await member_mail.tell(
            ground, session, member, contacts, kind="join_declined", reason=reason
        )


async def mark_left(
    ground: Ground, *, actor: Actor, member_id: int, version: int, reason: str = ""
) -> None:
    """A member is one no more; its contacts are no longer in the members' audience, and are told.

    Raises `errors.Refused`, `errors.Conflict`, `errors.NotFound`.
    """
    async with ground.db.transaction() as session:
        member = await get(session, member_id)
        await leave(ground, session, member, actor=actor, version=version, reason=reason)


async def leave(
    ground: Ground,
    session: AsyncSession,
    member: Member,
    *,
    actor: Actor,
    version: int,
    reason: str,
) -> None:
    """A member leaves, by its own wish or the office's; all its contacts are told.

    Raises `errors.Refused`, `errors.Conflict`.
    """
    await _decide(ground, session, MemberState.LEFT, actor, member.id, version, reason)
    member.is_listed = False
    member.renewed_at = member.renewal_asked_at = member.renewal_reminded_at = None
    session.add(member)
    contacts = await contacts_of(session, member.id)
    await member_mail.tell(ground, session, member, contacts, kind="member_left")


async def update(
    ground: Ground, *, actor: Actor, member_id: int, version: int, details: Details
) -> None:
    """Mend what is known about an organisation.

    Raises `errors.Invalid`, `errors.NotFound`, and `errors.Conflict` when it was changed meanwhile.
    """
    _check_details(details)
    async with ground.db.transaction() as session:
        member = await get(session, member_id)
        changes = {
            "name": details.name,
            "website": details.website,
            "town": details.town,
            "languages": list(details.languages),
            "mission": details.mission,
            "is_listed": details.is_listed,
        }
        before = {name: getattr(member, name) for name in changes}
        await write(session, member, version=version, changes=changes)
        audit.record(
            session,
            actor=actor,
            at=ground.clock.now(),
            action="member.updated",
            object_kind="member",
            object_id=member_id,
            before=before,
            after=changes,
        )


def _check_details(details: Details) -> None:
    if not details.name.strip():
        raise wrong("name", errors.Invalid(N_("Fill this in.")))
    if not is_website(details.website):
        raise wrong("website", wrong_website())


def is_website(text: str) -> bool:
    """Whether a text is blank or could be a web address."""
    return not text or (text.startswith(("https://", "http://")) and " " not in text)


def wrong_website() -> errors.Invalid:
    """What is said of any other text."""
    return errors.Invalid(N_("A web address starts with https:// or http://."))


def wrong(name: str, problem: errors.HandbillError) -> errors.Invalid:
    """What is said of one wrong field."""
    return errors.Invalid(
        N_("Something needs to be mended before this can be kept."), fields={name: problem}
    )


async def _decide(
    ground: Ground,
    session: AsyncSession,
    state: MemberState,
    actor: Actor,
    member_id: int,
    version: int,
    reason: str,
) -> Member:
    member = await get(session, member_id)
    present = MemberState(member.state)
    if member.version == version and (
        state not in TRANSITIONS[present] or present is MemberState.UNCONFIRMED
    ):
        raise errors.Refused(
            N_(
                "%(organisation)s can't be changed in that way now. "
                "Reload the page to see how it stands."
            ),
            organisation=member.name,
        )
    now = ground.clock.now()
    changes = {
        "state": state.value,
        "decided_at": now,
        "decided_by": actor.label,
        "decision_reason": reason,
    }
    await write(session, member, version=version, changes=changes)
    audit.record(
        session,
        actor=actor,
        at=now,
        action=f"member.{state.value}",
        object_kind="member",
        object_id=member_id,
        before={"state": present.value},
        after={"state": state.value, "reason": reason},
    )
    return member


async def write(
    session: AsyncSession, member: Member, *, version: int, changes: Mapping[str, object]
) -> None:
    """Compare-and-set on the version that the person saw."""
    won = await session.exec(
        sa.update(Member)
        .where(col(Member.id) == member.id, col(Member.version) == version)
        .values(**changes, version=version + 1)
        .returning(col(Member.id))
    )
    if won.first() is None:
        raise errors.Conflict(
            N_("Somebody else changed this organization meanwhile. Reload the page, then decide.")
        )
    await session.refresh(member)


async def get(session: AsyncSession, member_id: int) -> Member:
    """One organisation. Raises `errors.NotFound`."""
    member = await session.get(Member, member_id)
    if member is None:
        raise errors.NotFound(N_("There is no such organization."))
    return member


async def contacts_of(session: AsyncSession, member_id: int) -> list[MemberContact]:
    """Everybody who speaks for an organisation, or was asked to confirm that they do."""
    statement = (
        select(MemberContact)
        .where(MemberContact.member_id == member_id)
        .order_by(col(MemberContact.id))
    )
    return list((await session.exec(statement)).all())


async def _duties_of(session: AsyncSession, member_id: int) -> dict[int, list[ContactDuty]]:
    rows = await session.execute(
        sa.select(col(MemberContactDuty.contact_id), col(MemberContactDuty.duty))
        .join(MemberContact, col(MemberContact.id) == col(MemberContactDuty.contact_id))
        .where(col(MemberContact.member_id) == member_id)
    )
    found: dict[int, list[ContactDuty]] = {}
    for contact_id, duty in rows:
        found.setdefault(contact_id, []).append(ContactDuty(duty))
    return {contact_id: sorted(duties, key=_DUTIES.index) for contact_id, duties in found.items()}
