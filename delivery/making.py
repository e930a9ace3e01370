"""Makes the octets of deliveries, some in one go before their turn comes.

Each takes half the time that it takes alone, between two writes to a socket, when the processor's
caches hold other things. Signatures are most of the work where there are any, and are made without
holding up other threads: so those letters are made by several, each core making some.
"""

import contextlib
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from delivery.letter import Letter

_AHEAD = 15
_THREADS = 4


class Making:
    """For one worker; `coming` gives the letters that a relay will be given next."""

    def __init__(self, coming: Callable[[str, int], Sequence[Letter]]) -> None:
        self._coming = coming
        self._threads = ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1), "making")

    def make(self, letter: Letter, relay: str, *, is_8bit: bool) -> None:
        """Make one letter, and those behind it that are not made yet; raises as its `compose`."""
        if not letter.is_signed:
            letter.make(is_8bit=is_8bit)

        others = [each for each in self._coming(relay, _AHEAD) if not each.is_made]
        if letter.is_signed:
            first = self._threads.submit(letter.make, is_8bit=is_8bit)
            list(self._threads.map(lambda each: _make([each], is_8bit=is_8bit), others))
            first.result()
        else:
            _make(others, is_8bit=is_8bit)

    def close(self) -> None:
        """Make nothing more."""
        self._threads.shutdown(wait=False)


def _make(letters: Iterable[Letter], *, is_8bit: bool) -> None:
    """Make letters; one that can't be made says so when its turn comes."""
    left = iter(letters)
    is_done = False
    while not is_done:
        with contextlib.suppress(Exception):
            for each in left:
                each.make(is_8bit=is_8bit)
            is_done = True
