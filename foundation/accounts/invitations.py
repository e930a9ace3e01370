"""Invitations that nobody took yet: who invited whom, until when; sent again, or withdrawn."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import audit, errors
from foundation.accounts import team
from foundation.accounts.models import LinkKind, Role, SignInLink, Staff
from foundation.audit import Actor, AuditEntry
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_


@frozen
class Invitation:
    """Somebody who was asked to come and has not come in yet."""

    person: Staff
    until: datetime | None
    """When the newest link ends; None when there is none any more."""
    is_open: bool


async def pending(ground: Ground) -> Sequence[Invitation]:
    """Those of the office who never came in, the last invited first."""
    now = ground.clock.now()
    until = (
        sa.select(sa.func.max(col(SignInLink.expires_at)))
        .where(
            col(SignInLink.staff_id) == col(Staff.id),
            col(SignInLink.used_at).is_(None),
            col(SignInLink.kind) != LinkKind.PASSWORD.value,
        )
        .scalar_subquery()
    )
    statement = (
        select(Staff, until)
        .where(
            col(Staff.joined_at).is_(None),
            col(Staff.is_active).is_(True),
            col(Staff.role) != Role.PARTNER.value,
        )
        .order_by(col(Staff.id).desc())
    )
    async with ground.db.reading() as session:
        found = (await session.exec(statement)).all()
    return [_seen(person, until, now) for person, until in found]


async def send_again(ground: Ground, *, actor: Actor, staff_id: int) -> Staff:
    """Mail another link; earlier ones end. Raises `errors.NotFound`, `errors.Refused`."""
    async with ground.db.transaction() as session:
        person = await _waiting(session, staff_id)
        gone = sa.delete(SignInLink).where(col(SignInLink.staff_id) == staff_id)
        await session.execute(gone)
        await team.mail_invitation(ground, session, actor=actor, person=person)
        _note(ground, session, actor, person, action="staff.invited_again")
    return person


async def withdraw(ground: Ground, *, actor: Actor, staff_id: int) -> Staff:
    """Take an invitation back: its link no longer works, and nothing of the person is kept.

    Raises `errors.NotFound`, and `errors.Refused` for somebody who has come in meanwhile.
    """
    async with ground.db.transaction() as session:
        person = await _waiting(session, staff_id)
        _note(ground, session, actor, person, action="staff.invitation_withdrawn")
        await session.execute(sa.delete(SignInLink).where(col(SignInLink.staff_id) == staff_id))
        await session.delete(person)
    return person


def _seen(person: Staff, until: datetime | None, now: datetime) -> Invitation:
    return Invitation(person=person, until=until, is_open=until is not None and until > now)


async def _waiting(session: AsyncSession, staff_id: int) -> Staff:
    person = await session.get(Staff, staff_id)
    if person is None or person.role == Role.PARTNER:
        raise errors.NotFound(N_("There is no such person."))
    # Whoever did anything is named in the log: such a person can't be one that was never here.
    acted = sa.select(sa.exists().where(col(AuditEntry.staff_id) == staff_id))
    if person.joined_at is not None or (await session.execute(acted)).scalar_one():
        raise errors.Refused(N_("This person has come in already. Close the account instead."))
    return person


def _note(
    ground: Ground, session: AsyncSession, actor: Actor, person: Staff, *, action: str
) -> None:
    audit.record(
        session,
        actor=actor,
        at=ground.clock.now(),
        action=action,
        object_kind="staff",
        object_id=person.id,
        after={"email": person.email, "role": person.role},
    )
