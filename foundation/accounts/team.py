"""Who works here and what they may do."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import addresses, audit, errors
from foundation.accounts import sessions, signin
from foundation.accounts.models import LinkKind, Role, Staff
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
        if before is not None and person.role != role:
            await sessions.end_others(session, staff_id=person.id)
        person.role, person.is_active, person.partner_id = role.value, True, partner_id
        person.name = name or person.name
        await session.flush()
        _note(ground, session, actor, person, action="staff.added", before=before)
        if not is_mailed:
            return signin.issue_link(ground, session, staff=person)
        return await mail_invitation(ground, session, actor=actor, person=person)


async def mail_invitation(
    ground: Ground, session: AsyncSession, *, actor: Actor, person: Staff
) -> str:
    """Mail somebody a link of `[security] invitation_days`, in the caller's transaction."""
    person.invited_by = actor.label
    session.add(person)
    url = signin.issue_link(ground, session, staff=person, kind=LinkKind.INVITATION)
    context = {"signin_url": url, "name": person.name, "inviter": actor.label}
    await ground.notices.queue(
        session,
        Notice(kind="invite", to=person.email, language=person.language, context=context),
    )
    return url


async def of_partner(ground: Ground, *, partner_id: int) -> Sequence[Staff]:
    """The people who may sign in for a partner."""
    statement = select(Staff).where(Staff.partner_id == partner_id).order_by(col(Staff.email_key))
    async with ground.db.reading() as session:
        return (await session.exec(statement)).all()


async def change(
    ground: Ground, *, actor: Actor, staff_id: int, role: Role, is_active: bool
) -> Staff:
    """Give a person another role, or close or reopen the account; both sign them out.

    Raises `errors.NotFound`, and `errors.Refused` rather than leave the site without an owner.
    """
    async with ground.db.transaction() as session:
        person = await session.get(Staff, staff_id)
        is_of_partner = role is Role.PARTNER
        if person is None or (person.role == Role.PARTNER) != is_of_partner:
            raise errors.NotFound(N_("There is no such person."))
        before = _shown(person)
        await _keep_an_owner(session, person, role=role, is_active=is_active)
        if not is_active or person.role != role:
            # What a browser may do never changes under it: whoever got more signs in again.
            await sessions.end_others(session, staff_id=staff_id)
        person.role, person.is_active = role.value, is_active
        _note(ground, session, actor, person, action="staff.changed", before=before)
    return person


async def sign_out_everywhere(ground: Ground, *, actor: Actor, staff_id: int) -> int:
    """Sign somebody out in every browser; returns in how many. Raises `errors.NotFound`."""
    async with ground.db.transaction() as session:
        person = await session.get(Staff, staff_id)
        if person is None:
            raise errors.NotFound(N_("There is no such person."))
        ended = await sessions.end_others(session, staff_id=staff_id)
        audit.record(
            session,
            actor=actor,
            at=ground.clock.now(),
            action="staff.signed_out_everywhere",
            object_kind="staff",
            object_id=staff_id,
            after={"email": person.email, "browsers": ended},
        )
    return ended


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
