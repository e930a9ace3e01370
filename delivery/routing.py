"""Which relays may carry a message, and how they share what several of them may.

A campaign goes by the relay that it names. Else a relay that lists the sender's domain takes it,
or, where none does, one that lists no domains at all.
"""

import time
from collections.abc import Callable, Iterable, Sequence

from foundation.relaying import Relay

Route = tuple[str, ...]
"""The relays of which one is to carry a message, by name."""

_LEAD = 20
"""Messages by which one relay may be ahead of its share: connections are kept busy by them."""
_PATIENCE_S = 1.0
"""A relay that takes nothing for so long has lost what it was behind."""


def route(relays: Sequence[Relay], *, from_address: str, named: str = "") -> Route:
    """The relays for a sender's address; one that is named and not there counts as none named."""
    if named in [relay.name for relay in relays]:
        return (named,)
    domain = from_address.rpartition("@")[2].lower()
    own = [relay.name for relay in relays if domain in relay.sender_domains]
    return tuple(own or [relay.name for relay in relays if not relay.sender_domains])


class Shares:
    """Who of several relays is to take the next message, by weight, among those that can be used.

    One that could not be used does not catch up. One of weight 0 stands by for the others.
    """

    def __init__(self, weights: Iterable[tuple[str, int]]) -> None:
        self._weights = dict(weights)
        self._given = dict.fromkeys(self._weights, 0.0)
        self._took_s = dict.fromkeys(self._weights, time.monotonic())
        self._usable: frozenset[str] = frozenset()

    def is_turn(self, name: str, *, is_usable: Callable[[str], bool]) -> bool:
        """Whether a relay may take one more now."""
        usable = frozenset(filter(is_usable, self._weights))
        if usable != self._usable:
            self._welcome(usable)
        others = [other for other in usable if other != name and self._weights[other]]
        if not others:
            return True
        weight = self._weights[name]
        if not weight:
            return False
        least = min(self._given[other] for other in others)
        if (self._given[name] - least) * weight < _LEAD:
            return True
        return self._forgive(name, others)

    def took(self, name: str) -> None:
        """A relay took one."""
        self._given[name] += 1 / (self._weights[name] or 1)
        self._took_s[name] = time.monotonic()

    def _welcome(self, usable: frozenset[str]) -> None:
        """Whoever is new starts where the others are."""
        there = [self._given[name] for name in usable & self._usable if self._weights[name]]
        now = time.monotonic()
        for name in usable - self._usable:
            self._given[name] = max([self._given[name], *there])
            self._took_s[name] = now
        self._usable = usable

    def _forgive(self, name: str, others: Sequence[str]) -> bool:
        """Wait no longer for those that take nothing."""
        now = time.monotonic()
        mine = self._given[name]
        behind = [other for other in others if self._given[other] < mine]
        if any(now - self._took_s[other] < _PATIENCE_S for other in behind):
            return False
        for other in behind:
            self._given[other] = mine
        return True
