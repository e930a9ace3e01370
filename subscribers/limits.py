"""How often a stranger's form may cause mail: per network, form, address, domain, and in all.

Sign-up forms are used to flood people with confirmations; these limits keep that small. The answer
to whoever sent the form is the same on either side of a limit, so nothing here is ever shown.
"""

from datetime import timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import errors, throttle
from foundation.addresses import Address
from foundation.ground import Ground
from foundation.i18n import N_

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_TEN_MINUTES = timedelta(minutes=10)
_SUBMISSIONS = "submissions"
_ATTACK = "submissions-attack"
FLOOD = 10
"""A network that sends this many times its limit within an hour is not people."""


async def network_load(ground: Ground, session: AsyncSession, *, name: str, network: str) -> float:
    """Count a submission from a network; returns its share of what is allowed (1.0 is the limit).

    A request whose network can't be told counts with all others of that kind.
    """
    sent = await throttle.count(
        session,
        subject=_subject(ground, f"{name}-network", network),
        window=_HOUR,
        now=ground.clock.now(),
    )
    return sent / ground.settings.signup.submissions_per_network_per_hour


async def check_network(ground: Ground, session: AsyncSession, *, name: str, network: str) -> None:
    """Count a submission from a network. Raises `errors.TooMany` over the limit."""
    if await network_load(ground, session, name=name, network=network) > 1:
        raise errors.TooMany(
            N_("Too many of these came from your network. Please try again in an hour."),
            retry_after_s=int(_HOUR.total_seconds()),
        )


async def page_load(
    ground: Ground, session: AsyncSession, *, form_id: int | None, partner_id: int | None
) -> float:
    """Count a submission of a form and of a partner's pages; returns the larger share used."""
    limits, now = ground.settings.signup, ground.clock.now()
    counted = (
        (f"signup-partner:{partner_id}", partner_id, limits.submissions_per_partner_per_hour),
        (f"signup-form:{form_id}", form_id, limits.submissions_per_form_per_hour),
    )
    return max(
        [
            await throttle.count(session, subject=subject, window=_HOUR, now=now) / limit
            for subject, number, limit in counted
            if number is not None
        ],
        default=0.0,
    )


async def note_submission(ground: Ground, session: AsyncSession) -> None:
    """Count a submission from the public, whatever becomes of it, and see an attack."""
    now = ground.clock.now()
    sent = await throttle.count(session, subject=_SUBMISSIONS, window=_TEN_MINUTES, now=now)
    if sent >= ground.settings.signup.challenge_from_per_10_minutes:
        await throttle.count(session, subject=_ATTACK, window=_TEN_MINUTES, now=now)


async def is_attacked(ground: Ground, session: AsyncSession) -> bool:
    """Whether so much was sent in within the last hour that it can't all be people."""
    since = ground.clock.now() - _HOUR
    return await throttle.has_happened(session, subject=_ATTACK, since=since)


async def may_confirm(ground: Ground, session: AsyncSession, *, address: Address) -> bool:
    """Count a confirmation mail to an address; returns whether it may go out.

    On PostgreSQL the counter's row also holds back a second submission for the same address until
    the first one's transaction has ended.
    """
    limits = ground.settings.signup
    now = ground.clock.now()
    subject = _subject(ground, "confirm-address", address.key)
    in_hour = await throttle.count(session, subject=subject, window=_HOUR, now=now)
    # What the hour's limit refuses does not use up the day's.
    if in_hour > limits.confirmations_per_address_per_hour:
        return False
    # The name tells the day's counter from the hour's: at midnight both windows start together.
    in_day = await throttle.count(session, subject=f"{subject}:day", window=_DAY, now=now)
    if in_day > limits.confirmations_per_address_per_day:
        return False
    if not await _may_confirm_at(ground, session, domain=address.domain):
        return False
    total = await throttle.count(session, subject="confirm-total", window=_HOUR, now=now)
    return total <= limits.confirmations_per_hour


async def room_in_hour(ground: Ground, session: AsyncSession) -> int:
    """How many confirmation mails may still go out within the present hour."""
    sent = await throttle.peek(
        session, subject="confirm-total", window=_HOUR, now=ground.clock.now()
    )
    return max(0, ground.settings.signup.confirmations_per_hour - sent)


async def _may_confirm_at(ground: Ground, session: AsyncSession, *, domain: str) -> bool:
    """Count a confirmation mail to a domain, unless it is one of those with mailboxes for all."""
    settings = ground.settings
    if any(domain in limit.domains for limit in settings.domain_limit):
        return True
    sent = await throttle.count(
        session,
        subject=_subject(ground, "confirm-domain", domain),
        window=_HOUR,
        now=ground.clock.now(),
    )
    return sent <= settings.signup.confirmations_per_domain_per_hour


def _subject(ground: Ground, name: str, value: str) -> str:
    return throttle.subject_key(name, value, secret=ground.tokens.derive("throttle"))
