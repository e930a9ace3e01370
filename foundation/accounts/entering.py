"""What comes after a person has shown who they are: the session, or first the second step.

The ways in (`signin`, `second_step`, `passkeys`) end here. What several steps need to remember
between them is kept in the database for a few minutes; the browser holds only a random secret.
"""

import enum
from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import audit, errors, throttle, tokens
from foundation.accounts import sessions
from foundation.accounts.models import Begun, BegunKind, Staff
from foundation.audit import Actor, ActorKind
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_

WITHIN = timedelta(minutes=10)
"""So long may the steps of one sign-in lie apart."""
_HOUR = timedelta(hours=1)


class Way(enum.StrEnum):
    """By what somebody came in."""

    LINK = "link"
    PASSWORD = "password"  # noqa: S105 - a way, not a password
    PASSKEY = "passkey"
    """Holds both steps: the device, and what it asks its owner for."""


@frozen
class Visitor:
    """From where somebody comes in."""

    browser: str
    network: str
    """Truncated, never in full."""


@frozen
class Entry:
    """What came of a first step."""

    secret: str
    """For the cookie: of the session, or of what was begun if `needs_second_step`."""
    needs_second_step: bool
    is_first: bool = False
    """Whether they came in for the first time."""


async def enter(
    ground: Ground, session: AsyncSession, person: Staff, *, visitor: Visitor, way: Way
) -> Entry:
    """Let somebody in, in the caller's transaction, or ask for the second step where one is set."""
    if way is not Way.PASSKEY and await sessions.has_second_step(session, staff_id=person.id):
        secret = begin(ground, session, kind=BegunKind.SECOND_STEP, staff_id=person.id, way=way)
        return Entry(secret=secret, needs_second_step=True)
    return finish(ground, session, person, visitor=visitor, after={"way": way.value})


def finish(
    ground: Ground,
    session: AsyncSession,
    person: Staff,
    *,
    visitor: Visitor,
    after: dict[str, str],
) -> Entry:
    """Begin the session; `after` says in the log how they came in."""
    now = ground.clock.now()
    is_first = person.joined_at is None
    if is_first:
        person.joined_at = now
        session.add(person)
    audit.record(
        session,
        actor=acting(person),
        at=now,
        action="staff.signed_in",
        object_kind="staff",
        object_id=person.id,
        after=after,
    )
    secret = sessions.start(
        session, ground, staff=person, browser=visitor.browser, network=visitor.network
    )
    return Entry(secret=secret, needs_second_step=False, is_first=is_first)


def begin(
    ground: Ground,
    session: AsyncSession,
    *,
    kind: BegunKind,
    staff_id: int | None = None,
    way: Way | None = None,
    challenge: str = "",
) -> str:
    """Remember what was begun, in the caller's transaction; returns the secret for the cookie."""
    now = ground.clock.now()
    secret = tokens.secret_token()
    session.add(
        Begun(
            secret_hash=tokens.hash_secret(secret),
            kind=kind.value,
            staff_id=staff_id,
            way=way.value if way else "",
            challenge=challenge,
            created_at=now,
            expires_at=now + WITHIN,
        )
    )
    return secret


async def begun(
    ground: Ground, session: AsyncSession, *, secret: str, kind: BegunKind
) -> Begun | None:
    """What a browser has begun, if that is not too long ago."""
    statement = select(Begun).where(
        Begun.secret_hash == tokens.hash_secret(secret),
        Begun.kind == kind.value,
        col(Begun.expires_at) > ground.clock.now(),
    )
    return (await session.exec(statement)).first()


async def end_begun(session: AsyncSession, found: Begun) -> None:
    """Each is ended once. Raises `errors.BadToken` when somebody else was quicker."""
    gone = sa.delete(Begun).where(col(Begun.id) == found.id).returning(col(Begun.id))
    if (await session.execute(gone)).scalar_one_or_none() is None:
        raise too_late()


def too_late() -> errors.BadToken:
    """What is said when the steps lay too far apart."""
    return errors.BadToken(N_("This took too long. Sign in again from the beginning."))


def acting(person: Staff) -> Actor:
    """Somebody of staff, for the log."""
    return Actor(kind=ActorKind.STAFF, label=person.name or person.email, staff_id=person.id)


async def allow(ground: Ground, *tries: tuple[str, str, int]) -> None:
    """Count a try for each name and value under its limit in an hour. Raises `errors.TooMany`."""
    secret = ground.tokens.derive("throttle")
    is_over = False
    async with ground.db.transaction() as session:
        for name, value, limit in tries:
            subject = throttle.subject_key(name, value, secret=secret)
            counted = await throttle.count(
                session, subject=subject, window=_HOUR, now=ground.clock.now()
            )
            is_over = is_over or counted > limit
    if is_over:
        raise errors.TooMany(
            N_("Too many tries. Wait an hour, then try again."), retry_after_s=3600
        )
