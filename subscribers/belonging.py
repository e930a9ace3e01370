"""What a member does by itself, on its own page behind the mailed link: stay, be named, leave.

Called by `membership_pages.py`. The link works for as long as its person is a confirmed contact of
a member; looking changes nothing.
"""

import enum

from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import audit, errors
from foundation.audit import Actor, ActorKind
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from foundation.tokens import Purpose
from subscribers import logos, members, renewing, statements
from subscribers.member_models import MemberLogo
from subscribers.models import Member, MemberContact, MemberState


class Standing(enum.StrEnum):
    """How the member behind a link stands."""

    MEMBER = "member"
    """It is one."""
    LEFT = "left"
    """It has left; the page says so and offers nothing."""


@frozen
class Own:
    """What the page shows."""

    standing: Standing
    member: Member
    contact: MemberContact
    statement: statements.Version
    """The newest version, to agree to when the member has not yet."""
    logo: MemberLogo | None


async def look(ground: Ground, *, token: str) -> Own:
    """The page behind a link. Raises `errors.BadToken`, `errors.NotFound`."""
    async with ground.db.reading() as session:
        return await _opened(ground, session, token)


async def stay(ground: Ground, *, token: str, agrees: bool) -> Own:
    """A contact says that the member stays; a newer statement needs agreement for that.

    Raises `errors.Invalid` without it, `errors.Refused` for who has left, and as `look`.
    """
    async with ground.db.transaction() as session:
        own = await _member(ground, session, token)
        is_new = own.statement.number > own.member.statement_version
        if is_new and not agrees:
            raise members.wrong(
                "agrees", errors.Invalid(N_("Tick this if your organization agrees with it."))
            )
        version = own.statement.number if is_new else own.member.statement_version
        await statements.keep(ground, session)
        renewing.stays(session, own.member, now=ground.clock.now(), statement_version=version)
        _record(ground, session, own, "member.renewed", {"statement_version": version})
    return own


async def show(
    ground: Ground, *, token: str, is_listed: bool, mission: str, website: str, town: str
) -> Own:
    """A contact says whether and how the member is named in public.

    Raises `errors.Invalid` for a wrong web address, `errors.Refused`, and as `look`.
    """
    if not members.is_website(website):
        raise members.wrong("website", members.wrong_website())
    async with ground.db.transaction() as session:
        own = await _member(ground, session, token)
        own.member.is_listed = is_listed
        own.member.mission, own.member.website, own.member.town = mission, website, town
        own.member.version += 1
        session.add(own.member)
        _record(ground, session, own, "member.shown", {"is_listed": is_listed})
    return own


async def put_logo(ground: Ground, *, token: str, content: bytes, alt: str) -> Own:
    """A contact sends the member's logo, with what it shows in words; blank content keeps it.

    Raises `errors.Invalid` for what is no picture or has no words, `errors.Refused`, as `look`.
    """
    if not alt.strip():
        raise members.wrong(
            "alt", errors.Invalid(N_("Say what the picture shows: not everybody sees it."))
        )
    made = await logos.remade(content) if content else None
    async with ground.db.transaction() as session:
        own = await _member(ground, session, token)
        await logos.keep(ground, session, member_id=own.member.id, logo=made, alt=alt)
        _record(ground, session, own, "member.logo_changed", {"alt": alt})
    return await look(ground, token=token)


async def drop_logo(ground: Ground, *, token: str) -> Own:
    """A contact takes the logo away. Raises `errors.Refused`, and as `look`."""
    async with ground.db.transaction() as session:
        own = await _member(ground, session, token)
        await logos.drop(session, member_id=own.member.id)
        _record(ground, session, own, "member.logo_changed", {"alt": ""})
    return await look(ground, token=token)


async def leave(ground: Ground, *, token: str, reason: str) -> Own:
    """A contact says that the member leaves; every contact is told. Raises as `stay`."""
    async with ground.db.transaction() as session:
        own = await _member(ground, session, token)
        version = own.member.version
        await members.leave(
            ground, session, own.member, actor=_actor(own), version=version, reason=reason
        )
    return await look(ground, token=token)


async def _member(ground: Ground, session: AsyncSession, token: str) -> Own:
    own = await _opened(ground, session, token)
    if own.standing is Standing.LEFT:
        raise errors.Refused(
            N_("%(organisation)s has left the coalition."), organisation=own.member.name
        )
    return own


async def _opened(ground: Ground, session: AsyncSession, token: str) -> Own:
    numbers = ground.tokens.open(Purpose.MEMBERSHIP, token)
    contact = await session.get(MemberContact, numbers[0])
    member = await session.get(Member, contact.member_id) if contact else None
    known = (MemberState.APPROVED, MemberState.LEFT)
    if (
        contact is None
        or member is None
        or contact.confirmed_at is None
        or member.state not in known
    ):
        raise errors.NotFound(N_("This link belongs to nobody who speaks for a member now."))
    return Own(
        standing=Standing.MEMBER if member.state == MemberState.APPROVED else Standing.LEFT,
        member=member,
        contact=contact,
        statement=await statements.current(ground, session),
        logo=await session.get(MemberLogo, member.id),
    )


def _actor(own: Own) -> Actor:
    """The log names the contact by number: it outlives the person's wish to be forgotten."""
    return Actor(kind=ActorKind.SYSTEM, label=f"contact {own.contact.id}")


def _record(
    ground: Ground, session: AsyncSession, own: Own, action: str, after: dict[str, object]
) -> None:
    audit.record(
        session,
        actor=_actor(own),
        at=ground.clock.now(),
        action=action,
        object_kind="member",
        object_id=own.member.id,
        after=after,
    )
