"""Sessions of signed-in staff, kept in the database; the cookie holds only a random secret."""

import contextlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import errors, tokens
from foundation.accounts.models import Role, Staff, StaffSession
from foundation.ground import Ground

_SEEN_EVERY = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedIn:
    """Who a request comes from."""

    staff_id: int
    session_id: int
    email: str
    name: str
    role: Role
    language: str
    csrf_secret: str
    has_password: bool
    partner_id: int | None = None
    """The partner that somebody with the role `partner` belongs to."""


async def find(ground: Ground, *, secret: str) -> SignedIn | None:
    """The person behind a cookie, or None when the session ended or the account was closed."""
    now = ground.clock.now()
    statement = (
        select(StaffSession, Staff)
        .join(Staff, col(Staff.id) == col(StaffSession.staff_id))
        .where(StaffSession.secret_hash == tokens.hash_secret(secret))
    )
    async with ground.db.reading() as session:
        row = (await session.exec(statement)).first()
    if row is None:
        return None
    found, person = row
    if found.expires_at <= now or not person.is_active:
        return None
    if now - found.last_seen_at > _SEEN_EVERY:
        # Looking around goes on while the database takes no change.
        with contextlib.suppress(errors.Busy):
            await _mark_seen(ground, found, person)
    return SignedIn(
        staff_id=person.id,
        session_id=found.id,
        email=person.email,
        name=person.name,
        role=Role(person.role),
        language=person.language,
        csrf_secret=found.csrf_secret,
        has_password=person.password_hash is not None,
        partner_id=person.partner_id,
    )


def start(session: AsyncSession, ground: Ground, *, staff: Staff, browser: str) -> str:
    """Begin a session in the caller's transaction; returns the secret for the cookie."""
    now = ground.clock.now()
    secret = tokens.secret_token()
    session.add(
        StaffSession(
            staff_id=staff.id,
            secret_hash=tokens.hash_secret(secret),
            csrf_secret=secrets.token_urlsafe(24),
            browser=browser[:80],
            created_at=now,
            last_seen_at=now,
            expires_at=now + timedelta(days=ground.settings.security.session_days),
        )
    )
    return secret


async def end(ground: Ground, *, session_id: int) -> None:
    """Sign a browser out."""
    async with ground.db.transaction() as session:
        await session.exec(sa.delete(StaffSession).where(col(StaffSession.id) == session_id))


async def _mark_seen(ground: Ground, found: StaffSession, person: Staff) -> None:
    now = ground.clock.now()
    async with ground.db.transaction() as session:
        await session.exec(
            sa.update(StaffSession).where(col(StaffSession.id) == found.id).values(last_seen_at=now)
        )
        await session.exec(
            sa.update(Staff).where(col(Staff.id) == person.id).values(last_seen_at=now)
        )
