"""Ways for staff to come in: a one-time link by mail or from the command line, or a password."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import addresses, audit, errors, throttle, tokens
from foundation.accounts import passwords, sessions
from foundation.accounts.models import SignInLink, Staff, StaffSession
from foundation.audit import Actor, ActorKind
from foundation.ground import Ground
from foundation.i18n import N_
from foundation.notices import Notice

_HOUR = timedelta(hours=1)


async def request_link(ground: Ground, *, email: str, network: str) -> None:
    """Mail a one-time link to `email` if it belongs to staff; the caller can't tell whether it did.

    Raises `errors.Invalid` for what is no address and `errors.TooMany` for too many tries.
    """
    address = addresses.parse(email)
    await _allow(ground, address=address.key, network=network)
    async with ground.db.transaction() as session:
        person = await _active(session, address.key)
        if person is None:
            return
        url = issue_link(ground, session, staff=person)
        minutes = str(ground.settings.security.signin_link_minutes)
        await ground.notices.queue(
            session,
            Notice(
                kind="signin",
                to=person.email,
                language=person.language,
                context={"signin_url": url, "minutes": minutes},
            ),
        )


def issue_link(ground: Ground, session: AsyncSession, *, staff: Staff) -> str:
    """A one-time link for `staff`, kept in the caller's transaction."""
    now = ground.clock.now()
    secret = tokens.secret_token()
    session.add(
        SignInLink(
            staff_id=staff.id,
            secret_hash=tokens.hash_secret(secret),
            created_at=now,
            expires_at=now + timedelta(minutes=ground.settings.security.signin_link_minutes),
        )
    )
    return ground.url(f"/staff/signin/{secret}")


async def use_link(ground: Ground, *, secret: str, browser: str) -> str:
    """Spend a link; returns the secret of the session that begins.

    Raises `errors.BadToken` when the link is unknown, used or too old. Two at once: one gets in.
    """
    now = ground.clock.now()
    async with ground.db.transaction() as session:
        spent = (
            sa.update(SignInLink)
            .where(
                col(SignInLink.secret_hash) == tokens.hash_secret(secret),
                col(SignInLink.used_at).is_(None),
                col(SignInLink.expires_at) > now,
            )
            .values(used_at=now)
            .returning(col(SignInLink.staff_id))
        )
        staff_id = (await session.execute(spent)).scalar_one_or_none()
        person = await session.get(Staff, staff_id) if staff_id is not None else None
        if person is None or not person.is_active:
            raise errors.BadToken(
                N_("This sign-in link was used already or is too old. Ask for a new one.")
            )
        return _enter(ground, session, person, browser=browser, way="link", now=now)


async def with_password(
    ground: Ground, *, email: str, password: str, network: str, browser: str
) -> str:
    """Begin a session by password; returns its secret.

    Raises `errors.Invalid` with one and the same message whatever was wrong, and `errors.TooMany`.
    """
    try:
        key = addresses.parse(email).key
    except errors.Invalid:
        key = ""
    await _allow(ground, address=key, network=network)
    async with ground.db.reading() as session:
        person = await _active(session, key)
    right = await passwords.is_right(password, person.password_hash if person else None)
    if person is None or not right:
        raise errors.Invalid(
            N_("Address and password don't fit. You can also sign in by a link sent to you.")
        )
    async with ground.db.transaction() as session:
        return _enter(
            ground, session, person, browser=browser, way="password", now=ground.clock.now()
        )


async def set_password(
    ground: Ground, *, staff_id: int, session_id: int, present: str, password: str
) -> None:
    """Choose a new password; other browsers of the person are signed out.

    Raises `errors.Invalid` naming the field: `present` must fit if a password was set before.
    """
    async with ground.db.reading() as session:
        person = await session.get_one(Staff, staff_id)
    if person.password_hash and not await passwords.is_right(present, person.password_hash):
        wrong = errors.Invalid(N_("This is not your present password."))
        raise errors.Invalid(wrong.msgid, fields={"present": wrong})
    try:
        passwords.check_strength(
            password, minimum=ground.settings.security.password_min_length, email=person.email
        )
    except errors.Invalid as problem:
        raise errors.Invalid(
            problem.msgid, fields={"password": problem}, **problem.values
        ) from None
    hashed = await passwords.hash_password(password)
    async with ground.db.transaction() as session:
        await session.execute(
            sa.update(Staff).where(col(Staff.id) == staff_id).values(password_hash=hashed)
        )
        await session.execute(
            sa.delete(StaffSession).where(
                col(StaffSession.staff_id) == staff_id, col(StaffSession.id) != session_id
            )
        )
        audit.record(
            session,
            actor=_actor(person),
            at=ground.clock.now(),
            action="staff.password_changed",
            object_kind="staff",
            object_id=staff_id,
        )


async def tidy(ground: Ground) -> None:
    """Drop links and sessions that ended longer ago than `[retention] sessions_days`."""
    before = ground.clock.now() - timedelta(days=ground.settings.retention.sessions_days)
    async with ground.db.transaction() as session:
        for table in (SignInLink, StaffSession):
            await session.execute(sa.delete(table).where(col(table.expires_at) < before))
        await throttle.forget(session, before=ground.clock.now() - timedelta(days=2))


def _enter(
    ground: Ground, session: AsyncSession, person: Staff, *, browser: str, way: str, now: datetime
) -> str:
    audit.record(
        session,
        actor=_actor(person),
        at=now,
        action="staff.signed_in",
        object_kind="staff",
        object_id=person.id,
        after={"way": way},
    )
    return sessions.start(session, ground, staff=person, browser=browser)


def _actor(person: Staff) -> Actor:
    return Actor(kind=ActorKind.STAFF, label=person.name or person.email, staff_id=person.id)


async def _active(session: AsyncSession, key: str) -> Staff | None:
    statement = select(Staff).where(Staff.email_key == key, col(Staff.is_active).is_(True))
    return (await session.exec(statement)).first()


async def _allow(ground: Ground, *, address: str, network: str) -> None:
    """Count a try for the address and for the network. Raises `errors.TooMany`."""
    limit = ground.settings.security.signin_attempts_per_hour
    secret = ground.tokens.derive("throttle")
    async with ground.db.transaction() as session:
        counts = [
            await throttle.count(
                session,
                subject=throttle.subject_key(f"signin-{name}", value, secret=secret),
                window=_HOUR,
                now=ground.clock.now(),
            )
            for name, value in (("address", address), ("network", network))
        ]
    # A network may be a whole office behind one address.
    if counts[0] > limit or counts[1] > limit * 5:
        raise errors.TooMany(
            N_("Too many tries. Wait an hour, then try again."), retry_after_s=3600
        )
