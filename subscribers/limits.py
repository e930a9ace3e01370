"""How often a stranger's form may cause mail: per network, form, address, domain, and in all.

Sign-up forms are used to flood people with confirmations; these limits keep that small. The answer
to whoever sent the form is the same on either side of a limit, so nothing here is ever shown.
"""

import enum
import functools
from collections.abc import Collection, Sequence
from datetime import timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import errors, throttle
from foundation.addresses import Address
from foundation.ground import Ground
from foundation.i18n import N_

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_TEN_MINUTES = timedelta(minutes=10)
_TOTAL = "confirm-total"
_SUBMISSIONS = "submissions"
_ATTACK = "submissions-attack"
FLOOD = 10
"""A network that sends this many times its limit within an hour is not people."""


class _Rank(enum.IntEnum):
    """In this order counters are held, everywhere, so that no two transactions wait in a circle."""

    NETWORK = 1
    PARTNER = 2
    FORM = 3
    ADDRESS = 4
    DAY = 5
    DOMAIN = 6
    TOTAL = 7


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


class Submission:
    """One of several sign-ups that are counted together, see `throttle.Tally`.

    Made before the tally is taken, with what may have to be counted; asked afterwards.
    """

    __slots__ = ("_from_network", "_mail", "_network", "_pages")

    def __init__(
        self,
        ground: Ground,
        tally: throttle.Tally,
        *,
        network: str,
        form_id: int | None,
        partner_id: int | None,
        address: Address | None,
        unlimited: Collection[str],
    ) -> None:
        settings = ground.settings.signup
        subject = _common_subject(ground, "signup-network", network)
        self._network = tally.plan(subject, window=_HOUR, rank=_Rank.NETWORK)
        self._from_network = settings.submissions_per_network_per_hour
        self._pages: list[tuple[throttle.Planned, int]] = []
        self._mail: _Mail | None = None
        if address is None:
            return
        for rank, number, limit in (
            (_Rank.PARTNER, partner_id, settings.submissions_per_partner_per_hour),
            (_Rank.FORM, form_id, settings.submissions_per_form_per_hour),
        ):
            if number is not None:
                subject = f"signup-{rank.name.lower()}:{number}"
                self._pages.append((tally.plan(subject, window=_HOUR, rank=rank), limit))
        self._mail = _Mail(ground, tally, address=address, unlimited=unlimited)

    def network_load(self) -> float:
        """Count it for its network; returns the share of what that may send."""
        return self._network.add() / self._from_network

    def page_load(self) -> float:
        """Count it for its form and its partner's pages; returns the larger share used."""
        return max([each.add() / limit for each, limit in self._pages], default=0.0)

    def may_confirm(self) -> bool:
        """Count its confirmation mail; returns whether that may go out."""
        return self._mail is not None and self._mail.may_go()


async def note_submissions(ground: Ground, session: AsyncSession, number: int = 1) -> None:
    """Count submissions from the public, whatever becomes of them, and see an attack."""
    now = ground.clock.now()
    sent = await throttle.count(
        session, subject=_SUBMISSIONS, window=_TEN_MINUTES, now=now, by=number
    )
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
    return (await may_confirm_each(ground, session, addresses=[address]))[0]


async def may_confirm_each(
    ground: Ground, session: AsyncSession, *, addresses: Sequence[Address]
) -> list[bool]:
    """The same for several addresses that one transaction writes to, counted together."""
    tally = throttle.Tally(ground.clock.now())
    big = unlimited_domains(ground)
    mails = [_Mail(ground, tally, address=each, unlimited=big) for each in addresses]
    await tally.take(session)
    may_go = [mail.may_go() for mail in mails]
    await tally.give_back(session)
    return may_go


def unlimited_domains(ground: Ground) -> Collection[str]:
    """Domains that have mailboxes for all: many people there are no sign of anything."""
    return {name for limit in ground.settings.domain_limit for name in limit.domains}


async def room_in_hour(ground: Ground, session: AsyncSession) -> int:
    """How many confirmation mails may still go out within the present hour."""
    sent = await throttle.peek(session, subject=_TOTAL, window=_HOUR, now=ground.clock.now())
    return max(0, ground.settings.signup.confirmations_per_hour - sent)


class _Mail:
    """A confirmation mail, counted for its address, its domain and in all."""

    __slots__ = ("_counters",)

    def __init__(
        self,
        ground: Ground,
        tally: throttle.Tally,
        *,
        address: Address,
        unlimited: Collection[str],
    ) -> None:
        limits = ground.settings.signup
        hour = _subject(ground, "confirm-address", address.key)
        counted = [
            (hour, _HOUR, _Rank.ADDRESS, limits.confirmations_per_address_per_hour),
            # Its name tells it from the hour's: at midnight both windows start together.
            (f"{hour}:day", _DAY, _Rank.DAY, limits.confirmations_per_address_per_day),
        ]
        if address.domain not in unlimited:
            domain = _common_subject(ground, "confirm-domain", address.domain)
            limit = limits.confirmations_per_domain_per_hour
            counted.append((domain, _HOUR, _Rank.DOMAIN, limit))
        counted.append((_TOTAL, _HOUR, _Rank.TOTAL, limits.confirmations_per_hour))
        self._counters = [
            (tally.plan(subject, window=window, rank=rank), limit)
            for subject, window, rank, limit in counted
        ]

    def may_go(self) -> bool:
        """Count it, as far as the limits before have room; what one refuses uses up no other."""
        return all(planned.add() <= limit for planned, limit in self._counters)


def _subject(ground: Ground, name: str, value: str) -> str:
    return throttle.subject_key(name, value, secret=ground.tokens.derive("throttle"))


def _common_subject(ground: Ground, name: str, value: str) -> str:
    """The same for what many have in common, so that it is worth keeping: never for an address."""
    return _known_key(name, value, ground.tokens.derive("throttle"))


@functools.lru_cache(maxsize=4096)
def _known_key(name: str, value: str, secret: bytes) -> str:
    return throttle.subject_key(name, value, secret=secret)
