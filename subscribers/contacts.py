"""Who speaks for an organisation, and what each of them looks after.

Called by `members_pages.py` and `applying.py`. Nobody is a contact who did not press the button
behind the mailed link (`applying.confirm`).
"""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import addresses, audit, errors
from foundation.audit import Actor
from foundation.ground import Ground
from foundation.i18n import N_
from subscribers import member_mail, members
from subscribers.member_models import ContactDuty, MemberContactDuty
from subscribers.models import MemberContact


async def add(
    ground: Ground,
    *,
    actor: Actor,
    member_id: int,
    name: str,
    email: str,
    role: str = "",
    duties: Sequence[ContactDuty] = (),
) -> None:
    """Write another person down for an organisation, and ask them by mail to confirm.

    Raises `errors.Invalid` for a wrong address or one that is there already.
    """
    if not name.strip():
        raise members.wrong("contact_name", errors.Invalid(N_("Fill this in.")))
    try:
        address = addresses.parse(email)
    except errors.Invalid as problem:
        raise members.wrong("contact_email", problem) from problem
    now = ground.clock.now()
    async with ground.db.transaction() as session:
        member = await members.get(session, member_id)
        if any(c.email_key == address.key for c in await members.contacts_of(session, member_id)):
            raise members.wrong(
                "contact_email", errors.Invalid(N_("This person is there already."))
            )
        contact = MemberContact(
            member_id=member_id,
            name=name,
            email=address.email,
            email_key=address.key,
            role=role,
            created_at=now,
        )
        session.add(contact)
        await session.flush()
        await put_duties(session, contact_id=contact.id, duties=duties)
        if not await member_mail.ask(ground, session, member, contact):
            raise members.wrong(
                "contact_email", errors.Invalid(N_("This address is not to be mailed."))
            )
        audit.record(
            session,
            actor=actor,
            at=now,
            action="member.contact_added",
            object_kind="member",
            object_id=member_id,
            after={"contact": contact.id, "role": role, "duties": list(duties)},
        )


async def change(
    ground: Ground,
    *,
    actor: Actor,
    member_id: int,
    contact_id: int,
    role: str,
    duties: Sequence[ContactDuty],
) -> None:
    """Say anew what a contact is and looks after. Raises `errors.NotFound`."""
    async with ground.db.transaction() as session:
        contact = await _get(session, member_id, contact_id)
        before = {"contact": contact_id, "role": contact.role}
        contact.role = role
        session.add(contact)
        await put_duties(session, contact_id=contact_id, duties=duties)
        audit.record(
            session,
            actor=actor,
            at=ground.clock.now(),
            action="member.contact_changed",
            object_kind="member",
            object_id=member_id,
            before=before,
            after={"contact": contact_id, "role": role, "duties": list(duties)},
        )


async def remove(ground: Ground, *, actor: Actor, member_id: int, contact_id: int) -> None:
    """Somebody no longer speaks for an organisation; what they subscribed to is their own affair.

    Raises `errors.NotFound`, and `errors.Refused` for the last one who confirmed.
    """
    async with ground.db.transaction() as session:
        contact = await _get(session, member_id, contact_id)
        others = [
            each
            for each in await members.contacts_of(session, member_id)
            if each.id != contact_id and each.confirmed_at is not None
        ]
        if contact.confirmed_at is not None and not others:
            raise errors.Refused(
                N_("This is the only confirmed contact. Add another one first, who confirms.")
            )
        await session.delete(contact)
        audit.record(
            session,
            actor=actor,
            at=ground.clock.now(),
            action="member.contact_removed",
            object_kind="member",
            object_id=member_id,
            before={"contact": contact_id, "role": contact.role},
        )


async def put_duties(
    session: AsyncSession, *, contact_id: int, duties: Sequence[ContactDuty]
) -> None:
    """Have a contact look after these things and no others."""
    await session.execute(
        sa.delete(MemberContactDuty).where(col(MemberContactDuty.contact_id) == contact_id)
    )
    for duty in dict.fromkeys(duties):
        session.add(MemberContactDuty(contact_id=contact_id, duty=duty.value))


async def _get(session: AsyncSession, member_id: int, contact_id: int) -> MemberContact:
    found = await session.get(MemberContact, contact_id)
    if found is None or found.member_id != member_id:
        raise errors.NotFound(N_("There is no such contact."))
    return found
