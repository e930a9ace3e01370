"""One limit as one worker knows it: permits in hand, messages under way, and how fast it went.

Permits come from `allowances`, some at a time; what is not used within its bucket goes back.
"""

import time
from collections import deque

from delivery.allowances import Ask, Grant, Terms
from delivery.backing_off import Pace
from delivery.blocking import Hold
from foundation import rates
from foundation.frozen import frozen

_FIRST, _LARGEST = 10, 1000
_NOTICES = 5
"""Permits for notices that are fetched at a time."""
_METER_S = 60.0
_AHEAD_US = 3_600_000_000
"""Nobody is given back for longer than this: settings and hosts change their minds."""
_A_MINUTE_S = 60


@frozen
class Permit:
    """What a letter holds: good from `starts` until before `ends`."""

    spent: tuple[tuple["Limit", int], ...]
    """From which limits, and when each was given out."""
    starts: int
    ends: int


class Limit:
    """One limit: a relay's, or that of a host of readers' mailboxes."""

    def __init__(self, terms: Terms, *, width: int = 0, full: int, backs_off: bool = False) -> None:
        self.terms = terms
        self.backs_off = backs_off
        self.has_rates = bool(terms.rates or terms.warmup)
        self.is_free = not (self.has_rates or width)
        """Whether nothing is counted: all that has to be asked for most letters."""
        self.open = 0
        """Messages under way."""
        self.taken = 0
        """Messages that were taken, ever."""
        self.unused: list[tuple[int, int]] = []
        """Permits to give back: when they were given out, and how many."""
        self.is_wanted = False
        """Whether permits are to be fetched, or are being fetched."""
        self.pace: Pace | None = None
        self.hold: Hold | None = None
        self.blocks = 0
        """Refusals for what we are or send, in a row."""
        self._held_until = 0
        self._set_width = self._width = width
        self._full = width or full
        self._bulk = 0
        self._notices = 0
        self._tick = self._starts = self._ends = 0
        self._opens = (0, 0)
        self._wanted_notices = 0
        self._size = _FIRST
        self._promised = 0
        self._taken_when_asked = 0
        self._meter: deque[tuple[float, int]] = deque([(time.monotonic(), 0)])

    def admits(self, *, is_notice: bool, tick: int) -> bool:
        """Whether one more may go out now; if permits are missing, they are to be fetched."""
        if tick < self._held_until and not is_notice:
            return False
        return not self.is_full and self.has_permit(is_notice=is_notice, tick=tick)

    def has_permit(self, *, is_notice: bool, tick: int) -> bool:
        """The same without regard to how many are under way."""
        if not self.has_rates:
            return True
        if not self._starts <= tick < self._ends:
            self._expire()
        if self._bulk or (is_notice and self._notices):
            return True
        if tick >= self._opens[is_notice] or self.unused:
            self.is_wanted = True
            if is_notice:
                self._wanted_notices = _NOTICES
        return False

    def may_open(self, *, is_notice: bool, within_us: int, tick: int) -> bool:
        """Whether permits are there, or may be had within some time."""
        if self._held_until - tick > within_us and not is_notice:
            return False
        if not self.has_rates or self.is_wanted:
            return True
        is_good = self._starts <= tick < self._ends
        has_some = bool(self._bulk or (is_notice and self._notices))
        return (is_good and has_some) or self._opens[is_notice] - tick <= within_us

    def spend(self, *, is_notice: bool) -> int:
        """Use the permit that was seen to be there; returns when it was given out."""
        if is_notice and self._notices:
            self._notices -= 1
        else:
            self._bulk -= 1
        return self._tick

    @property
    def starts(self) -> int:
        """Since when the permits in hand are good."""
        return self._starts

    @property
    def ends(self) -> int:
        """Until when the permits in hand are good."""
        return self._ends

    @property
    def is_in_use(self) -> bool:
        """Whether forgetting it would lose something."""
        is_watched = self.pace or self.hold or self.blocks
        return bool(self.open or self._bulk or self._notices or self.unused or is_watched)

    @property
    def is_given_up(self) -> bool:
        """Whether its host refuses us for good, as far as those are concerned who wait for it."""
        return self.hold is not None and self.hold.is_given_up

    @property
    def is_full(self) -> bool:
        """Whether as many messages are under way as may be."""
        return bool(self._width) and self.open >= self._width

    def opens(self, *, is_notice: bool, tick: int) -> int:
        """When permits may be had again, as far as is known; `tick` when that is not known."""
        held_until = 0 if is_notice else self._held_until
        return max(tick, held_until, self._opens[is_notice] if self.has_rates else 0)

    def promise(self, tick: int) -> int:
        """When the next one that is given back may be tried: each a little after the one before."""
        self._promised = max(self._promised, self.opens(is_notice=False, tick=tick)) + self._step_us
        return min(self._promised, tick + _AHEAD_US + self._promised % 60_000_000)

    def ask(self) -> Ask:
        """What to fetch now."""
        has_taken, self._taken_when_asked = self.taken > self._taken_when_asked, self.taken
        return Ask(
            terms=self.terms,
            bulk=self._size,
            notices=self._wanted_notices,
            unused=self._returned(),
            has_taken=has_taken,
        )

    def farewell(self) -> Ask | None:
        """What to give back at the end, if there is anything."""
        self._expire()
        return Ask(terms=self.terms, unused=self._returned()) if self.unused else None

    def give_back(self, given_at: int) -> None:
        """One permit was not used."""
        self.unused.append((given_at, 1))

    def _returned(self) -> list[tuple[int, int]]:
        unused, self.unused = self.unused, []
        return unused

    def take(self, grant: Grant) -> None:
        """What was fetched."""
        self.is_wanted = False
        self._expire()
        self._size = min(_LARGEST, self._size * 2)
        self._bulk, self._notices = grant.bulk, grant.notices
        self._tick, self._starts, self._ends = grant.tick, grant.starts, grant.ends
        self._opens = (grant.bulk_opens, grant.notices_open)
        self._wanted_notices = 0
        self.set_pace(grant.pace)

    def set_terms(self, terms: Terms) -> None:
        """Other rates hold from now on, so that permits in hand go back."""
        self.return_all()
        self.terms = terms
        self.has_rates = bool(terms.rates or terms.warmup or self.pace)
        self.is_free = not (self.has_rates or self._width or self.hold)

    def set_width(self, width: int, *, full: int, backs_off: bool) -> None:
        """So many may be under way at once (0: as many as there are connections) from now on."""
        self.backs_off = backs_off
        self._set_width, self._full = width, width or full
        self.set_pace(self.pace)

    def return_all(self) -> None:
        """Permits in hand go back."""
        self._expire()
        self._opens = (0, 0)

    def set_pace(self, pace: Pace | None) -> None:
        """What its host wants now."""
        self.pace = pace
        self.has_rates = bool(self.terms.rates or self.terms.warmup or pace)
        self._width = pace.width(self._full) if pace is not None else self._set_width
        self.is_free = not (self.has_rates or self._width or self.hold)

    def set_hold(self, hold: Hold | None) -> None:
        """What is known of its host's refusals; None: nothing any more."""
        self.hold = hold
        self.blocks = 0
        self._held_until = rates.tick(hold.until) if hold is not None else 0
        self.is_free = not (self.has_rates or self._width or self.hold)

    def measure(self, monotonic_s: float) -> None:
        """Note how much was taken until now."""
        self._meter.append((monotonic_s, self.taken))
        while len(self._meter) > 1 and monotonic_s - self._meter[0][0] > _METER_S:
            self._meter.popleft()

    def per_minute(self, monotonic_s: float) -> float:
        """Messages a minute that were taken lately, from this worker."""
        began_s, taken = self._meter[0]
        return (self.taken - taken) * _A_MINUTE_S / max(1.0, monotonic_s - began_s)

    def _expire(self) -> None:
        left = self._bulk + self._notices
        if left:
            self.unused.append((self._tick, left))
            if left > self._size // 2:
                self._size = max(1, self._size // 2)
        self._bulk = self._notices = 0
        self._starts = self._ends = 0

    @property
    def _step_us(self) -> int:
        """The time between two messages at the slowest of the rates."""
        held = (*self.terms.rates, *((self.pace.rate,) if self.pace is not None else ()))
        return max((rate.window_s * 1_000_000 // rate.count for rate in held), default=1000)
