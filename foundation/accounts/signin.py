"""Ways for staff to come in: a one-time link by mail or from the command line, or a password.

Where somebody has a second step, `second_step` or `passkeys` lets them in after these.
"""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import addresses, errors, throttle, tokens
from foundation.accounts import entering, passwords, sessions, telling
from foundation.accounts.entering import Entry, Visitor, Way
from foundation.accounts.models import Begun, LinkKind, SignInLink, Staff, StaffSession
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from foundation.notices import Notice

OFFICE_SIZE = 5
"""A network may be a whole office behind one address: so many times the tries of one person."""


@frozen
class Link:
    """A one-time link as whoever opens it sees it."""

    kind: LinkKind
    person: Staff
    is_open: bool
    """Whether it still works."""
    expires_at: datetime


async def request_link(ground: Ground, *, email: str, network: str) -> None:
    """Mail a one-time link to `email` if it belongs to staff; the caller can't tell whether it did.

    Raises `errors.Invalid` for what is no address and `errors.TooMany` for too many tries.
    """
    await _mail_link(ground, email=email, network=network, kind=LinkKind.SIGN_IN)


async def request_reset(ground: Ground, *, email: str, network: str) -> None:
    """The same with a link that leads to choosing another password."""
    await _mail_link(ground, email=email, network=network, kind=LinkKind.PASSWORD)


async def _mail_link(ground: Ground, *, email: str, network: str, kind: LinkKind) -> None:
    address = addresses.parse(email)
    await allow(ground, address=address.key, network=network)
    async with ground.db.transaction() as session:
        person = await _active(session, address.key)
        if person is None:
            return
        is_reset = kind is LinkKind.PASSWORD
        url = issue_link(ground, session, staff=person, kind=kind)
        minutes = str(ground.settings.security.signin_link_minutes)
        await ground.notices.queue(
            session,
            Notice(
                kind="password_reset" if is_reset else "signin",
                to=person.email,
                language=person.language,
                context={"reset_url" if is_reset else "signin_url": url, "minutes": minutes},
            ),
        )


def issue_link(
    ground: Ground, session: AsyncSession, *, staff: Staff, kind: LinkKind = LinkKind.SIGN_IN
) -> str:
    """A one-time link for `staff`, kept in the caller's transaction."""
    now = ground.clock.now()
    security = ground.settings.security
    lasts = timedelta(minutes=security.signin_link_minutes)
    if kind is LinkKind.INVITATION:
        lasts = timedelta(days=security.invitation_days)
    secret = tokens.secret_token()
    session.add(
        SignInLink(
            staff_id=staff.id,
            kind=kind.value,
            secret_hash=tokens.hash_secret(secret),
            created_at=now,
            expires_at=now + lasts,
        )
    )
    folder = "password/" if kind is LinkKind.PASSWORD else ""
    return ground.url(f"/staff/signin/{folder}{secret}")


async def look(ground: Ground, *, secret: str) -> Link | None:
    """What a link is for, without spending it; None for one that we don't know (any more)."""
    statement = (
        select(SignInLink, Staff)
        .join(Staff, col(Staff.id) == col(SignInLink.staff_id))
        .where(SignInLink.secret_hash == tokens.hash_secret(secret), col(Staff.is_active).is_(True))
    )
    async with ground.db.reading() as session:
        found = (await session.exec(statement)).first()
    if found is None:
        return None
    link, person = found
    return Link(
        kind=LinkKind(link.kind),
        person=person,
        is_open=link.used_at is None and link.expires_at > ground.clock.now(),
        expires_at=link.expires_at,
    )


async def use_link(ground: Ground, *, secret: str, visitor: Visitor) -> Entry:
    """Spend a link and come in.

    Raises `errors.BadToken` when the link is unknown, used or too old. Two at once: one gets in.
    """
    async with ground.db.transaction() as session:
        kinds = (LinkKind.SIGN_IN, LinkKind.INVITATION)
        person = await _spend(ground, session, secret, kinds=kinds)
        return await entering.enter(ground, session, person, visitor=visitor, way=Way.LINK)


async def accept(
    ground: Ground, *, secret: str, name: str, password: str, visitor: Visitor
) -> Entry:
    """Take an invitation: spend its link, keep name and password, come in.

    Raises `errors.Invalid` for a weak password, which leaves the link as it is.
    """
    link = await look(ground, secret=secret)
    if link is None or link.kind is not LinkKind.INVITATION:
        raise _spent()
    hashed = await _checked_hash(ground, link.person, password)
    async with ground.db.transaction() as session:
        person = await _spend(ground, session, secret, kinds=(LinkKind.INVITATION,))
        person.name = name or person.name
        person.password_hash = hashed
        return await entering.enter(ground, session, person, visitor=visitor, way=Way.LINK)


async def reset_password(ground: Ground, *, secret: str, password: str) -> None:
    """Choose a password by a mailed link; all browsers of the person are signed out.

    They sign in afterwards, with their second step where they have one: who can read somebody's
    mail does not come in by that alone. Raises `errors.BadToken` and `errors.Invalid`.
    """
    link = await look(ground, secret=secret)
    if link is None or link.kind is not LinkKind.PASSWORD:
        raise _spent()
    hashed = await _checked_hash(ground, link.person, password)
    async with ground.db.transaction() as session:
        person = await _spend(ground, session, secret, kinds=(LinkKind.PASSWORD,))
        person.password_hash = hashed
        await sessions.end_others(session, staff_id=person.id)
        await telling.noted(
            ground, session, person, action="staff.password_changed", after={"way": "link"}
        )


async def with_password(ground: Ground, *, email: str, password: str, visitor: Visitor) -> Entry:
    """Come in by password.

    Raises `errors.Invalid` with one and the same message whatever was wrong, and `errors.TooMany`.
    """
    try:
        key = addresses.parse(email).key
    except errors.Invalid:
        key = ""
    await allow(ground, address=key, network=visitor.network)
    async with ground.db.reading() as session:
        person = await _active(session, key)
    right = await passwords.is_right(password, person.password_hash if person else None)
    if person is None or not right:
        raise errors.Invalid(
            N_("Address and password don't fit. You can also sign in by a link sent to you.")
        )
    async with ground.db.transaction() as session:
        there = await session.get_one(Staff, person.id)
        return await entering.enter(ground, session, there, visitor=visitor, way=Way.PASSWORD)


async def prove(ground: Ground, *, staff_id: int, session_id: int, password: str) -> str:
    """Show once more that it is them, before a change; returns the session's new secret.

    Raises `errors.Invalid` for a wrong password and `errors.TooMany`.
    """
    limit = ground.settings.security.signin_attempts_per_hour
    await entering.allow(ground, ("prove", str(staff_id), limit))
    async with ground.db.reading() as session:
        person = await session.get_one(Staff, staff_id)
    # Whoever has no password signs in again instead.
    if not await passwords.is_right(password, person.password_hash) or not person.password_hash:
        raise errors.Invalid(N_("This is not your present password."))
    return await sessions.renew(ground, session_id=session_id)


async def set_password(
    ground: Ground, *, staff_id: int, session_id: int, present: str, password: str
) -> str:
    """Choose a new password; other browsers of the person are signed out.

    Returns this browser's new secret. Raises `errors.Invalid` naming the field: `present` must fit
    if a password was set before.
    """
    async with ground.db.reading() as session:
        person = await session.get_one(Staff, staff_id)
    if person.password_hash and not await passwords.is_right(present, person.password_hash):
        wrong = errors.Invalid(N_("This is not your present password."))
        raise errors.Invalid(wrong.msgid, fields={"present": wrong})
    hashed = await _checked_hash(ground, person, password)
    async with ground.db.transaction() as session:
        await session.execute(
            sa.update(Staff).where(col(Staff.id) == staff_id).values(password_hash=hashed)
        )
        await sessions.end_others(session, staff_id=staff_id, kept=session_id)
        await telling.noted(ground, session, person, action="staff.password_changed")
    return await sessions.renew(ground, session_id=session_id)


async def tidy(ground: Ground) -> None:
    """Drop links and sessions that ended longer ago than `[retention] sessions_days`.

    Of browsers that were not seen for `network_days`, the network goes too.
    """
    now = ground.clock.now()
    retention = ground.settings.retention
    before = now - timedelta(days=retention.sessions_days)
    async with ground.db.transaction() as session:
        for table in (SignInLink, StaffSession, Begun):
            await session.execute(sa.delete(table).where(col(table.expires_at) < before))
        unseen = now - timedelta(days=retention.network_days)
        await session.execute(
            sa.update(StaffSession)
            .where(col(StaffSession.last_seen_at) < unseen, col(StaffSession.network) != "")
            .values(network="")
        )
        await throttle.forget(session, before=now - timedelta(days=2))


async def allow(ground: Ground, *, address: str, network: str) -> None:
    """Count a try to sign in for the address and for the network. Raises `errors.TooMany`."""
    limit = ground.settings.security.signin_attempts_per_hour
    await entering.allow(
        ground,
        ("signin-address", address, limit),
        ("signin-network", network, limit * OFFICE_SIZE),
    )


async def _spend(
    ground: Ground, session: AsyncSession, secret: str, *, kinds: tuple[LinkKind, ...]
) -> Staff:
    now = ground.clock.now()
    spent = (
        sa.update(SignInLink)
        .where(
            col(SignInLink.secret_hash) == tokens.hash_secret(secret),
            col(SignInLink.kind).in_([kind.value for kind in kinds]),
            col(SignInLink.used_at).is_(None),
            col(SignInLink.expires_at) > now,
        )
        .values(used_at=now)
        .returning(col(SignInLink.staff_id))
    )
    staff_id = (await session.execute(spent)).scalar_one_or_none()
    person = await session.get(Staff, staff_id) if staff_id is not None else None
    if person is None or not person.is_active:
        raise _spent()
    return person


def _spent() -> errors.BadToken:
    return errors.BadToken(
        N_("This sign-in link was used already or is too old. Ask for a new one.")
    )


async def _checked_hash(ground: Ground, person: Staff, password: str) -> str:
    minimum = ground.settings.security.password_min_length
    try:
        passwords.check_strength(password, minimum=minimum, email=person.email)
    except errors.Invalid as problem:
        raise errors.Invalid(
            problem.msgid, fields={"password": problem}, **problem.values
        ) from None
    return await passwords.hash_password(password)


async def _active(session: AsyncSession, key: str) -> Staff | None:
    statement = select(Staff).where(Staff.email_key == key, col(Staff.is_active).is_(True))
    return (await session.exec(statement)).first()
