"""A host that refuses us for what we are or send: it is left alone for a while, nobody is blamed.

One such reply may be about one mailbox, so its recipient waits and is tried again. After some in a
row, with nothing taken in between, mail to the host is held, and for longer each time that it
refuses us again. When it was held as often as `[bounces] block_hold_minutes` has entries, and
refuses us once more, whoever waits for it fails with that reason. Notices are never held.
"""

from datetime import datetime, timedelta

from delivery.bounces import classifier
from delivery.bounces.reasons import BounceReason
from delivery.models import BounceKind
from foundation.frozen import frozen
from foundation.sections import Bounces as Settings

_GIVEN_UP_FOR = timedelta(minutes=15)
"""So long whoever waits for a host that was given up fails at once; then it may be tried anew."""
_ABOUT_US = frozenset(
    {
        BounceReason.SPAM_REFUSED,
        BounceReason.POLICY_REFUSED,
        BounceReason.AUTHENTICATION_FAILED,
        BounceReason.REPUTATION,
        BounceReason.RELAYING_DENIED,
        BounceReason.RATE_LIMITED,
    }
)
"""Why a server refuses more than this one message to this one mailbox."""
_ABOUT_THE_MESSAGE = ("5.5.", "5.6.")
"""Protocol and content (RFC 3463 §3.6, §3.7): the same message would be refused again."""


@frozen
class Hold:
    """What is known of a host that refused us."""

    times: int
    """How often in a row mail to it was held."""
    since: datetime
    until: datetime
    said: str
    """The host's words."""
    is_given_up: bool
    """Whether it refused us once more after it was held for the last time."""


def is_block(reply_code: int, text: str) -> bool:
    """Whether a server's final reply is about us, and may be another one later."""
    if not 500 <= reply_code < 600:
        return False
    judged = classifier.classify_reply(reply_code, text)
    is_about_us = judged.reason in _ABOUT_US and not judged.status.startswith(_ABOUT_THE_MESSAGE)
    return judged.kind is BounceKind.BLOCK and is_about_us


def wait_after(tries: int, settings: Settings) -> timedelta | None:
    """How long one who was refused so waits after so many tries; None: no longer."""
    waits = settings.block_hold_minutes
    return timedelta(minutes=waits[tries - 1]) if tries <= len(waits) else None


def held(before: Hold | None, *, said: str, now: datetime, settings: Settings) -> Hold:
    """After a host refused us several times in a row; what was under way changes nothing."""
    if before is not None and now < before.until:
        return before
    times = before.times + 1 if before is not None and not is_over(before, now, settings) else 1
    wait = wait_after(times, settings)
    return Hold(
        times=times,
        since=now,
        until=now + (wait or _GIVEN_UP_FOR),
        said=said,
        is_given_up=wait is None,
    )


def is_over(hold: Hold, now: datetime, settings: Settings) -> bool:
    """Whether it is so long ago that the host begins anew with a clean slate."""
    if hold.is_given_up:
        return now >= hold.until
    first = wait_after(1, settings) or timedelta()
    return now >= hold.until + first
