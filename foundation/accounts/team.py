"""Who works here and what they may do."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import addresses, audit, errors
from foundation.accounts import signin
from foundation.accounts.models import Role, Staff, StaffSession
from foundation.audit import Actor
from foundation.ground import Ground
from foundation.i18n import N_
from foundation.notices import Notice


async def everybody(ground: Ground) -> Sequence[Staff]:
    """All of the office, those who left last."""
    statement = (
        select(Staff)
        .where(Staff.role != Role.PARTNER.value)
        .order_by(col(Staff.is_active).desc(), col(Staff.email_key))
    )
    async with ground.db.reading() as session:
        return (await session.exec(statement)).all()


async def add(
    ground: Ground,
    *,
    actor: Actor,
    email: str,
    role: Role,
    name: str = "",
    language: str | None = None,
    is_mailed: bool = False,
    partner_id: int | None = None,
) -> str:
    """Add a person, or give one who is there a new link and role; returns the sign-in link.

    With `partner_id` it is somebody of a partner, in the role `partner`. Raises `errors.Invalid`
    for what is no address, and for a partner when it is that of somebody else.
    """
    address = addresses.parse(email)
    async with ground.db.transaction() as session:
        person = (
            await session.exec(select(Staff).where(Staff.email_key == address.key))
        ).one_or_none()
        before = _shown(person) if person else None
        if partner_id is not None and person is not None and person.partner_id != partner_id:
            raise errors.Invalid(N_("Somebody else signs in with this address."))
        if person is not None:
            await _keep_an_owner(session, person, role=role, is_active=True)
        else:
            person = Staff(
                email=address.email,
                email_key=address.key,
                role=role.value,
                language=language or ground.settings.site.language,
                created_at=ground.clock.now(),
            )
            session.add(person)
        person.role, person.is_active, person.partner_id = role.value, True, partner_id
        person.name = name or person.name
        await session.flush()
        _note(ground, session, actor, person, action="staff.added", before=before)
        url = signin.issue_link(ground, session, staff=person)
        if is_mailed:
            await ground.notices.queue(session, _invitation(actor, person, url))
    return url


async def of_partner(ground: Ground, *, partner_id: int) -> Sequence[Staff]:
    """The people who may sign in for a partner."""
    statement = select(Staff).where(Staff.partner_id == partner_id).order_by(col(Staff.email_key))
    async with ground.db.reading() as session:
        return (await session.exec(statement)).all()


async def change(
    ground: Ground, *, actor: Actor, staff_id: int, role: Role, is_active: bool
) -> Staff:
    """Give a person another role, or close or reopen the account; closing signs them out.

    Raises `errors.NotFound`, and `errors.Refused` rather than leave the site without an owner.
    """
    async with ground.db.transaction() as session:
        person = await session.get(Staff, staff_id)
        is_of_partner = role is Role.PARTNER
        if person is None or (person.role == Role.PARTNER) != is_of_partner:
            raise errors.NotFound(N_("There is no such person."))
        before = _shown(person)
        await _keep_an_owner(session, person, role=role, is_active=is_active)
        person.role, person.is_active = role.value, is_active
        if not is_active:
            await session.execute(
                sa.delete(StaffSession).where(col(StaffSession.staff_id) == staff_id)
            )
        _note(ground, session, actor, person, action="staff.changed", before=before)
    return person


async def set_profile(ground: Ground, *, staff_id: int, name: str, language: str) -> None:
    """Change one's own name and language. Raises `errors.Invalid` for a language not offered."""
    if language not in ground.catalog.languages:
        raise errors.Invalid(N_("This language is not offered here."))
    async with ground.db.transaction() as session:
        await session.execute(
            sa.update(Staff).where(col(Staff.id) == staff_id).values(name=name, language=language)
        )


async def _keep_an_owner(
    session: AsyncSession, person: Staff, *, role: Role, is_active: bool
) -> None:
    stays = role is Role.OWNER and is_active
    if stays or person.role != Role.OWNER or not person.is_active:
        return
    others = sa.select(sa.func.count()).where(
        col(Staff.role) == Role.OWNER.value,
        col(Staff.is_active).is_(True),
        col(Staff.id) != person.id,
    )
    if (await session.execute(others)).scalar_one() == 0:
        raise errors.Refused(N_("A site needs an owner. Make somebody else one first."))


def _shown(person: Staff) -> dict[str, Any]:
    return {"role": person.role, "is_active": person.is_active}


def _note(
    ground: Ground,
    session: AsyncSession,
    actor: Actor,
    person: Staff,
    *,
    action: str,
    before: dict[str, Any] | None,
) -> None:
    audit.record(
        session,
        actor=actor,
        at=ground.clock.now(),
        action=action,
        object_kind="staff",
        object_id=person.id,
        before=before,
        after={"email": person.email, **_shown(person)},
    )


def _invitation(actor: Actor, person: Staff, url: str) -> Notice:
    return Notice(
        kind="invite",
        to=person.email,
        language=person.language,
        context={"signin_url": url, "name": person.name, "inviter": actor.label},
    )
