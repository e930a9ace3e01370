"""How fast mail goes to a host that asked us to be slower, and how it gets faster again.

The first such reply halves what the host got a minute; each further one halves that. Then the pace
is raised by a quarter after every quiet step in which mail was taken, until it is at twice what it
was when the trouble began: then nothing holds it any more.
"""

import re
from dataclasses import replace
from datetime import datetime, timedelta

from foundation.frozen import frozen
from foundation.rates import Rate
from foundation.sections import Delivery as Settings

_SAME_TROUBLE = timedelta(seconds=10)
"""Replies within this time are to mail that was under way together: they count as one."""
_RAISE = 1.25
_FREE_AT = 2.0
_WINDOW_S = 10
_A_MINUTE_S = 60
_ABOUT_US = re.compile(
    r"\b4\.7\.\d|\brate\b|too (many|much|fast|quick)|throttl|slow down|unusual", re.IGNORECASE
)
_NOT_PACE = re.compile(r"gr[ae]y-?list", re.IGNORECASE)
"""Greylisting answers 451 4.7.1 to everybody's first try."""
_SERVICE_CLOSING = 421


@frozen
class Pace:
    """What a host gets for now, from all processes together."""

    ceiling: float
    """Messages a minute."""
    measured: float
    """Messages a minute that it got when the trouble began."""
    said: str
    troubled_at: datetime
    stepped_at: datetime

    @property
    def rate(self) -> Rate:
        """As a rate over a short window, so that it does not come in bursts."""
        count = max(1, round(self.ceiling * _WINDOW_S / _A_MINUTE_S))
        return Rate(count, _WINDOW_S)

    def width(self, full: int) -> int:
        """How many messages may be under way at once, of as many as otherwise."""
        return max(1, min(full, int(full * self.ceiling / self.measured)))


def is_about_pace(code: int, text: str) -> bool:
    """Whether a reply says that we are too fast (RFC 3463 §3.8, and providers' words)."""
    if code == _SERVICE_CLOSING:
        return True
    is_for_now = 400 <= code < 500
    return bool(is_for_now and _ABOUT_US.search(text) and not _NOT_PACE.search(text))


def slowed(
    pace: Pace | None, *, measured: float, said: str, now: datetime, settings: Settings
) -> Pace:
    """After a host said that we are too fast; `measured` is what it got a minute until now."""
    least = float(settings.back_off_least_per_minute)
    if pace is None:
        measured = max(measured, least)
        ceiling = max(least, measured / 2)
        return Pace(ceiling=ceiling, measured=measured, said=said, troubled_at=now, stepped_at=now)
    if now - pace.troubled_at < _SAME_TROUBLE:
        return replace(pace, said=said)
    ceiling = max(least, pace.ceiling / 2)
    return replace(pace, ceiling=ceiling, said=said, troubled_at=now, stepped_at=now)


def eased(pace: Pace, *, has_taken: bool, now: datetime, settings: Settings) -> Pace | None:
    """After some time; `has_taken` says whether it took mail since. None: it is free again."""
    if is_over(pace, now=now, settings=settings):
        return None
    if not has_taken or now - pace.stepped_at < timedelta(seconds=settings.back_off_step_s):
        return pace
    raised = pace.ceiling * _RAISE
    if raised >= pace.measured * _FREE_AT:
        return None
    return replace(pace, ceiling=raised, stepped_at=now)


def is_over(pace: Pace, *, now: datetime, settings: Settings) -> bool:
    """Whether the trouble is so long ago that it is forgotten."""
    return now - pace.troubled_at >= timedelta(minutes=settings.back_off_forget_minutes)
