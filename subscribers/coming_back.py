"""A person whose mail was stopped asks to be let in again, from their own mailbox, and confirms it.

Asked for behind the preferences link, which only their mailbox has, and confirmed behind a link in
a mail that goes there: so it lifts a complaint too, which a sign-up form never does. What the
office put there by hand stays with the office. Being subscribed is another matter: nobody comes
back to a topic by this.
"""

import enum
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation.addresses import Address
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.notices import Notice
from foundation.tokens import Purpose
from subscribers import limits, preferences, suppression
from subscribers.models import Subscriber, Suppression, SuppressionReason

LIFTABLE = tuple(each for each in SuppressionReason if each is not SuppressionReason.BY_HAND)
"""Reasons that a person lifts by themselves in this way."""


class Asked(enum.StrEnum):
    """What asking came to."""

    SENT = "sent"
    """The mail to confirm is on its way."""
    TOO_OFTEN = "too-often"
    """One was sent a little while ago."""
    NOT_ALLOWED = "not-allowed"
    """Nothing is stopped, or the office stopped it."""


class Standing(enum.StrEnum):
    """How the link in that mail stands, or what pressing its button came to."""

    READY = "ready"
    DONE = "done"
    """Mail may go to the person again, since just now or before."""
    TOO_LATE = "too-late"
    """The link is too old, or mail was stopped again since."""


@frozen
class Found:
    """What the page behind the link says."""

    standing: Standing
    language: str | None = None
    preferences_url: str = ""


async def ask(ground: Ground, *, token: str) -> Asked:
    """Queue the mail that asks to confirm; `token` is of the preferences link.

    Raises `errors.BadToken`, and `errors.NotFound` for who was erased.
    """
    async with ground.db.transaction() as session:
        person = await preferences.person_of(ground, session, token)
        reasons = await suppression.reasons(ground, session, email_key=person.email_key)
        if not reasons or SuppressionReason.BY_HAND in reasons:
            return Asked.NOT_ALLOWED
        address = Address(email=person.email, key=person.email_key)
        if not await limits.may_confirm(ground, session, address=address):
            return Asked.TOO_OFTEN
        minute = int(ground.clock.now().timestamp()) // 60
        await ground.notices.queue(
            session,
            Notice(
                kind="confirm",
                to=person.email,
                language=person.language,
                context={
                    "confirm_url": ground.link("/come-back", Purpose.COME_BACK, person.id, minute),
                    "topics": ground.settings.site.name,
                },
                subscriber_id=person.id,
            ),
        )
    return Asked.SENT


async def look(ground: Ground, *, token: str) -> Found:
    """How the mailed link stands; changes nothing. Raises `errors.BadToken`."""
    person_id, issued_at = _opened(ground, token)
    async with ground.db.reading() as session:
        return await _found(ground, session, person_id, issued_at)


async def confirm(ground: Ground, *, token: str) -> Found:
    """The person pressed the button: mail may go to them again. Raises `errors.BadToken`."""
    person_id, issued_at = _opened(ground, token)
    async with ground.db.transaction() as session:
        found = await _found(ground, session, person_id, issued_at)
        if found.standing is not Standing.READY:
            return found
        person = await session.get_one(Subscriber, person_id)
        await suppression.lift(
            ground, session, email_key=person.email_key, because="", by="", only=LIFTABLE
        )
    return Found(
        standing=Standing.DONE, language=found.language, preferences_url=found.preferences_url
    )


def _opened(ground: Ground, token: str) -> tuple[int, datetime]:
    person_id, minute = ground.tokens.open(Purpose.COME_BACK, token)
    return person_id, datetime.fromtimestamp(minute * 60, tz=UTC)


async def _found(
    ground: Ground, session: AsyncSession, person_id: int, issued_at: datetime
) -> Found:
    person = await session.get(Subscriber, person_id)
    if person is None:
        return Found(standing=Standing.TOO_LATE)
    active = await session.execute(
        sa.select(col(Suppression.reason), col(Suppression.created_at)).where(
            col(Suppression.address_hash) == suppression.hashed(ground, person.email_key),
            col(Suppression.lifted_at).is_(None),
        )
    )
    rows = active.all()
    # Sealed to the minute: what was put there after it is not what they were asked about.
    until = issued_at + timedelta(minutes=1)
    is_stopped_since = any(at > until or why not in LIFTABLE for why, at in rows)
    ends = issued_at + timedelta(days=ground.settings.signup.confirm_link_days)
    if not rows:
        standing = Standing.DONE
    elif is_stopped_since or ground.clock.now() > ends:
        standing = Standing.TOO_LATE
    else:
        standing = Standing.READY
    return Found(
        standing=standing,
        language=person.language,
        preferences_url=ground.link("/preferences", Purpose.PREFERENCES, person.id),
    )
