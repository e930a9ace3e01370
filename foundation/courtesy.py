"""Whoever looks at a page goes first: while one is made, bulletins of the same process wait.

A page asks the database some fifty times, and each time it would wait until ten connections had
their next message. A sender waits at a message's end, where nothing is on the wire that others
wait for, and has an eighth of the time for itself whatever is asked of the pages.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

HOLD_S = 0.15
"""So long a sender waits at a time."""
TURN_S = 0.02
"""Then it goes on for so long at least, whoever asks."""
OLD_S = 1.0
"""An answer that takes longer, such as a stream that stays open, is not waited for any more."""


class Courtesy:
    """Of one process. Nothing waits where nobody sends, or where nobody asks."""

    def __init__(self, tick: Callable[[], float] = time.monotonic) -> None:
        self._tick = tick
        self._asking: dict[object, float] = {}
        """Those that wait for a page, and since when."""
        self._over: Callable[[], None] | None = None
        self._next: asyncio.TimerHandle | None = None
        """The end of a wait or of a turn; None while nobody asks."""
        self.is_asked = False
        """Whether a sender should wait now."""

    def tell_when_over(self, over: Callable[[], None]) -> None:
        """Call this when a sender that waits may go on; there is one sender in a process."""
        self._over = over

    @contextmanager
    def answering(self) -> Iterator[None]:
        """While a page is made."""
        asker = object()
        self._asking[asker] = self._tick()
        if self._over is not None and self._next is None:
            self._ask()
        try:
            yield
        finally:
            self._asking.pop(asker, None)
            if self.is_asked and not self._asking:
                self._let_go()

    def _ask(self) -> None:
        """A sender waits from now on, if anybody still asks."""
        oldest = self._tick() - OLD_S
        self._asking = {asker: since for asker, since in self._asking.items() if since > oldest}
        self.is_asked = bool(self._asking)
        if self.is_asked:
            self._later(HOLD_S, self._let_go)
        else:
            self._next = None

    def _let_go(self) -> None:
        """The last one was answered, or it has been long enough."""
        self.is_asked = False
        self._later(TURN_S, self._ask)
        if self._over is not None:
            self._over()

    def _later(self, seconds: float, then: Callable[[], None]) -> None:
        if self._next is not None:
            self._next.cancel()
        self._next = asyncio.get_running_loop().call_later(seconds, then)
