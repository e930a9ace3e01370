"""Letters that wait for a relay: notices first, each only for a relay that may carry it.

A letter whose reader's host gets no more just now is set aside for a moment, or given back until
later, so that it neither stands in the way of others nor holds a lease for long.
"""

import asyncio
import itertools
import operator
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from delivery.letter import Letter
from delivery.limit import Limit
from delivery.limits import Limits
from delivery.making import Making
from delivery.routing import Route, Shares
from foundation import rates
from foundation.config import Settings

_ASIDE = 500
"""Letters that are set aside for one host, at most; others are given back."""
_LATER = timedelta(seconds=2)
_TURN_S = 0.5
"""How soon a relay asks again that was ahead of its share."""


@dataclass(eq=False, slots=True)
class _Lane:
    """Letters that the same relays may carry."""

    is_notice: bool
    route: Route
    shares: Shares | None
    """Among several relays, for deliveries."""
    letters: deque[Letter] = field(default_factory=deque)


@dataclass(eq=False, slots=True)
class _Post:
    """What one relay may be given."""

    notices: list[_Lane] = field(default_factory=list)
    bulk: list[_Lane] = field(default_factory=list)


class Waiting:
    """What a worker holds and nobody took yet."""

    def __init__(
        self,
        settings: Settings,
        limits: Limits,
        making: Making,
        *,
        is_resting: Callable[[str], bool],
        give_back: Callable[[Letter, datetime | None], None],
        give_up: Callable[[Letter], None],
        wake: Callable[[], None],
    ) -> None:
        """`give_up` is called for letters whose host was given up.

        `wake` is called when somebody who asked in vain should ask again.
        """
        self.hold_us = 0
        """A letter is kept for so long (microseconds) until it may go; 0: not at all."""
        self.notices = 0
        """Notices that wait, but for those set aside."""
        self.bulk = 0
        """Deliveries that wait, but for those set aside."""
        self._limits = limits
        self._making = making
        self._is_resting = is_resting
        self._give_back = give_back
        self._give_up = give_up
        self._wake = wake
        self._weights = {relay.name: relay.weight for relay in settings.relay}
        self._rest = timedelta(seconds=settings.delivery.relay_rest_s)
        self._posts = {name: _Post() for name in self._weights}
        self._lanes: dict[tuple[bool, Route], _Lane] = {}
        self._aside: dict[Limit, list[Letter]] = {}
        self._turn: asyncio.TimerHandle | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits at all."""
        return not (self.notices or self.bulk or self._aside)

    def __iter__(self) -> Iterator[Letter]:
        """All that wait, those that come next first."""
        for lane in sorted(self._lanes.values(), key=lambda lane: not lane.is_notice):
            yield from lane.letters
        for letters in self._aside.values():
            yield from letters

    def put(self, letters: Iterable[Letter]) -> None:
        """More; neighbours that the same relays may carry are put away at once."""
        for _, group in itertools.groupby(letters, operator.attrgetter("kind", "relays")):
            alike = list(group)
            self._lane(alike[0]).letters.extend(alike)
            self._count(alike[0], len(alike))

    def put_first(self, letter: Letter) -> None:
        """One that was taken and not sent."""
        self._lane(letter).letters.appendleft(letter)
        self._count(letter, 1)

    def discard(self, letter: Letter) -> bool:
        """Take out one; whether it was there."""
        lane = self._lane(letter).letters
        if letter in lane:
            lane.remove(letter)
            self._count(letter, -1)
            return True
        for limit, letters in self._aside.items():
            if letter in letters:
                letters.remove(letter)
                if not letters:
                    del self._aside[limit]
                return True
        return False

    def clear(self, *, is_notice: bool | None = None) -> list[Letter]:
        """Take out all, or all of one kind."""
        found = list(self)
        for lane in self._lanes.values():
            lane.letters.clear()
        self._aside.clear()
        self.notices = self.bulk = 0
        taken = [letter for letter in found if is_notice in (None, letter.is_notice)]
        self.put(letter for letter in found if is_notice not in (None, letter.is_notice))
        return taken

    def next(self, relay: str) -> Letter | None:
        """The next one for a relay, if there is one that may go now."""
        post = self._posts[relay]
        letter = self._from(post.notices, relay) if self.notices else None
        if letter is None and self.bulk:
            letter = self._from(post.bulk, relay)
        return letter

    def coming(self, relay: str, count: int) -> Sequence[Letter]:
        """Deliveries that come next, as far as can be said."""
        found: list[Letter] = []
        for lane in self._posts[relay].bulk:
            if lane.letters:
                found += [lane.letters[place] for place in range(min(count, len(lane.letters)))]
                break
        return found

    def look_again(self) -> None:
        """Somebody's limit may have opened: bring back what was set aside for it."""
        for limit, letters in list(self._aside.items()):
            is_notice = any(letter.is_notice for letter in letters)
            if limit.is_free or self._limits.has_room(limit, is_notice=is_notice):
                del self._aside[limit]
                for letter in reversed(letters):
                    self.put_first(letter)
            elif not self._is_soon(limit, is_notice=is_notice):
                del self._aside[limit]
                for letter in letters:
                    self._give_back(letter, self._later(limit))
        self._wake()

    def is_shut(self, *, is_notice: bool) -> bool:
        """Whether no relay takes such letters for now."""
        return not any(self._takes(name, is_notice=is_notice) for name in self._posts)

    def sweep(self) -> None:
        """Give back what none of its relays takes for now, while others take other things."""
        for lane in self._lanes.values():
            is_notice, route = lane.is_notice, lane.route
            if lane.letters and not any(self._takes(name, is_notice=is_notice) for name in route):
                letters, lane.letters = lane.letters, deque()
                for letter in letters:
                    self._count(letter, -1)
                    self._give_back(letter, self._reopens(route, is_notice=is_notice))

    def _count(self, letter: Letter, change: int) -> None:
        if letter.is_notice:
            self.notices += change
        else:
            self.bulk += change

    def _ask_again(self) -> None:
        """Wake those whose turn it was not, some time from now."""
        if self._turn is None:
            self._turn = asyncio.get_running_loop().call_later(_TURN_S, self._turn_over)

    def _turn_over(self) -> None:
        self._turn = None
        self._wake()

    def _from(self, lanes: list[_Lane], relay: str) -> Letter | None:
        """One out of those lanes; what was claimed first goes first."""
        limit = self._limits.relays.get(relay)
        for lane in lanes if len(lanes) == 1 else sorted(lanes, key=_age):
            if not lane.letters:
                continue
            if limit is not None and not self._limits.has_room(limit, is_notice=lane.is_notice):
                return None
            if lane.shares is not None and not lane.shares.is_turn(
                relay, is_usable=self._is_usable
            ):
                self._ask_again()
                continue
            letter = self._pop(lane)
            if letter is not None:
                if lane.shares is not None:
                    lane.shares.took(relay)
                    self._wake()
                return letter
        return None

    def _lane(self, letter: Letter) -> _Lane:
        route = letter.relays or tuple(self._weights)
        key = letter.is_notice, route
        lane = self._lanes.get(key)
        if lane is None:
            weights = [(name, self._weights[name]) for name in route]
            is_shared = len(route) > 1 and not letter.is_notice
            lane = _Lane(letter.is_notice, route, Shares(weights) if is_shared else None)
            self._lanes[key] = lane
            for name in route:
                post = self._posts[name]
                (post.notices if letter.is_notice else post.bulk).append(lane)
        return lane

    def _pop(self, lane: _Lane) -> Letter | None:
        letters = lane.letters
        while letters:
            letter, group = letters[0], letters[0].group
            has_room = (
                group is None
                or group.is_free
                or self._limits.has_room(group, is_notice=letter.is_notice)
            )
            if has_room and letter.is_signed and not self._making.is_there(letters):
                return None
            letters.popleft()
            if lane.is_notice:
                self.notices -= 1
            else:
                self.bulk -= 1
            if has_room or group is None:
                return letter
            self._set_aside(letter, group)
        return None

    def _set_aside(self, letter: Letter, limit: Limit) -> None:
        """Keep a letter whose host gets no more just now, or give it back until it may."""
        if limit.is_given_up and not letter.is_notice:
            self._give_up(letter)
            return
        aside = self._aside.get(limit, [])
        is_soon = self._is_soon(limit, is_notice=letter.is_notice)
        if limit.is_wanted or (is_soon and len(aside) < _ASIDE):
            self._aside.setdefault(limit, aside).append(letter)
        else:
            self._give_back(letter, self._later(limit))

    def _is_soon(self, limit: Limit, *, is_notice: bool) -> bool:
        """Whether it is worth keeping a letter for it."""
        tick = self._limits.tick()
        return limit.is_full or limit.may_open(
            is_notice=is_notice, within_us=self.hold_us, tick=tick
        )

    def _later(self, limit: Limit) -> datetime:
        tick = self._limits.tick()
        later = rates.tick(rates.moment(tick) + _LATER) if limit.is_full else 0
        return rates.moment(max(later, limit.promise(tick)))

    def _is_usable(self, name: str) -> bool:
        return self._takes(name, is_notice=False)

    def _takes(self, name: str, *, is_notice: bool) -> bool:
        """Whether a relay takes such letters now or in a moment."""
        if self._is_resting(name):
            return False
        limit = self._limits.relays.get(name)
        return limit is None or self._is_soon(limit, is_notice=is_notice)

    def _reopens(self, route: Route, *, is_notice: bool) -> datetime:
        """When one of the relays of a route may take such letters again."""
        tick = self._limits.tick()
        moments = []
        for name in route:
            limit = self._limits.relays.get(name)
            if self._is_resting(name) or limit is None:
                moments.append(rates.moment(tick) + self._rest)
            elif is_notice:
                moments.append(rates.moment(limit.opens(is_notice=True, tick=tick)))
            else:
                moments.append(rates.moment(limit.promise(tick)))
        return min(moments)


def _age(lane: _Lane) -> float:
    """When the lease of its first letter ends."""
    return lane.letters[0].lease.tick if lane.letters else 0.0
