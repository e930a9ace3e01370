"""Sessions of signed-in staff, kept in the database; the cookie holds only a random secret."""

import contextlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import errors, tokens
from foundation.accounts.models import CodeApp, Passkey, Role, Staff, StaffSession
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_

PROVEN_FOR = timedelta(minutes=30)
"""So long after signing in nobody is asked again before they change how they come in."""
_SEEN_EVERY = timedelta(minutes=5)
_BROWSER_CHARACTERS = 300


@frozen
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
    proven_at: datetime | None = None
    """When they last showed that it is them."""
    owes_second_step: bool = False
    """Whether their role has to have a second step, and they have not set one up yet."""


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
        is_asked = person.role in ground.settings.security.second_step_roles
        owes = is_asked and not await has_second_step(session, staff_id=person.id)
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
        proven_at=found.proven_at,
        owes_second_step=owes,
    )


async def has_second_step(session: AsyncSession, *, staff_id: int) -> bool:
    """Whether a person has an app that shows codes, or a passkey."""
    statement = sa.select(
        sa.or_(
            sa.exists().where(
                col(CodeApp.staff_id) == staff_id, col(CodeApp.confirmed_at).is_not(None)
            ),
            sa.exists().where(col(Passkey.staff_id) == staff_id),
        )
    )
    return bool((await session.execute(statement)).scalar_one())


def start(
    session: AsyncSession, ground: Ground, *, staff: Staff, browser: str, network: str = ""
) -> str:
    """Begin a session in the caller's transaction; returns the secret for the cookie."""
    now = ground.clock.now()
    secret = tokens.secret_token()
    session.add(
        StaffSession(
            staff_id=staff.id,
            secret_hash=tokens.hash_secret(secret),
            csrf_secret=secrets.token_urlsafe(24),
            browser=browser[:_BROWSER_CHARACTERS],
            network=network,
            created_at=now,
            last_seen_at=now,
            expires_at=now + timedelta(days=ground.settings.security.session_days),
            proven_at=now,
        )
    )
    return secret


async def renew(ground: Ground, *, session_id: int) -> str:
    """Give a session another secret, after the person has shown once more that it is them.

    Whoever had the old one is out (OWASP ASVS 5.0 §7.2.4). Returns the secret for the cookie.
    """
    secret = tokens.secret_token()
    values = {
        "secret_hash": tokens.hash_secret(secret),
        "csrf_secret": secrets.token_urlsafe(24),
        "proven_at": ground.clock.now(),
    }
    async with ground.db.transaction() as session:
        await session.execute(
            sa.update(StaffSession).where(col(StaffSession.id) == session_id).values(values)
        )
    return secret


async def of_person(ground: Ground, *, staff_id: int) -> Sequence[StaffSession]:
    """Where somebody is signed in, last seen first."""
    statement = (
        select(StaffSession)
        .where(StaffSession.staff_id == staff_id, StaffSession.expires_at > ground.clock.now())
        .order_by(col(StaffSession.last_seen_at).desc(), col(StaffSession.id).desc())
    )
    async with ground.db.reading() as session:
        return (await session.exec(statement)).all()


async def end(ground: Ground, *, session_id: int) -> None:
    """Sign a browser out."""
    async with ground.db.transaction() as session:
        await session.exec(sa.delete(StaffSession).where(col(StaffSession.id) == session_id))


async def end_own(ground: Ground, *, staff_id: int, session_id: int) -> None:
    """Sign another of one's own browsers out. Raises `errors.NotFound` for somebody else's."""
    ours = (col(StaffSession.id) == session_id, col(StaffSession.staff_id) == staff_id)
    async with ground.db.transaction() as session:
        gone = await session.execute(
            sa.delete(StaffSession).where(*ours).returning(col(StaffSession.id))
        )
        if gone.scalar_one_or_none() is None:
            raise errors.NotFound(N_("This browser is signed out already."))


async def end_others(session: AsyncSession, *, staff_id: int, kept: int | None = None) -> int:
    """Sign somebody out everywhere but in one browser; in the caller's transaction."""
    gone = sa.delete(StaffSession).where(col(StaffSession.staff_id) == staff_id)
    if kept is not None:
        gone = gone.where(col(StaffSession.id) != kept)
    return len((await session.execute(gone.returning(col(StaffSession.id)))).all())


async def _mark_seen(ground: Ground, found: StaffSession, person: Staff) -> None:
    now = ground.clock.now()
    async with ground.db.transaction() as session:
        await session.exec(
            sa.update(StaffSession).where(col(StaffSession.id) == found.id).values(last_seen_at=now)
        )
        await session.exec(
            sa.update(Staff).where(col(Staff.id) == person.id).values(last_seen_at=now)
        )
