"""Makes the octets of deliveries before their turn comes: several in a row, signed ones far ahead.

Several in a row take half the time that each takes alone, between two writes to a socket, when the
processor's caches hold other things. A signature by RSA takes longer than all else about a message:
a process of its own makes it while others are sent. Letters stay where they lie meanwhile, so that
whatever becomes of one that waits for its signature costs no more than the work; and where there is
no such process, a letter is signed when its turn comes.
"""

import asyncio
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from delivery.dkim import Draft
from delivery.letter import Envelope, Letter
from delivery.signing_process import SigningProcess

_TURN = 8
"""When so many were taken it is looked how fast they go."""
_IN_A_ROW = 16
"""Signed ones that are begun at a time, and that are ready for whoever is slow."""
_MOST = 64
_WORTH_IT = 50
"""Fewer are signed sooner than a process is there that does."""
_LASTS_S = 0.03
"""So many are made ahead as go out in this time: they tell when they were made."""


class Making:
    """Of signed letters, for one worker."""

    def __init__(self, *, is_8bit: Callable[[], bool], made: Callable[[], None]) -> None:
        """`is_8bit` says what letters are made for now.

        `made` is called when some are there, and again when more of them lie there than are taken.
        """
        self._is_8bit = is_8bit
        self._made = made
        self._loop = asyncio.get_running_loop()
        self._process: SigningProcess | None = None
        self._begun: dict[Letter, tuple[Envelope, bool]] = {}
        """Those that wait for their signatures, the first asked for first; made for 8bit or not."""
        self._come: list[bytes] = []
        """Signatures of the first of them."""
        self._ahead = _IN_A_ROW
        self._taken = 0
        self._looked_at = self._loop.time()

    def is_there(self, letters: deque[Letter]) -> bool:
        """Whether the first of them can be had, to be asked by whoever takes it then.

        If not, `made` is called when it can.
        """
        letter = letters[0]
        if letter.is_made:
            self._taken += 1
            if self._taken == _TURN:
                self._look(letters)
            if len(letters) > _TURN and letters[_TURN].is_made:
                self._made()
            return True
        if letter not in self._begun:
            self._begin(letters)
        return letter not in self._begun

    def close(self) -> None:
        """Begin nothing more; what is being signed is thrown away."""
        self._begun.clear()
        if self._process is not None:
            self._process.close()

    def _look(self, letters: deque[Letter]) -> None:
        """See how fast they go, and begin as many as that asks for."""
        tick = self._loop.time()
        enough = int(self._taken * _LASTS_S / max(tick - self._looked_at, 1e-6))
        self._ahead = max(_IN_A_ROW, self._ahead // 2, min(_MOST, enough))
        self._taken, self._looked_at = 0, tick
        self._begin(letters)

    def _begin(self, letters: deque[Letter]) -> None:
        """Have some of the first ones signed, if there is somebody to do it."""
        if self._process is not None and not self._process.is_ready:
            return
        if self._process is None and len(letters) < _WORTH_IT:
            return
        first = itertools.islice(letters, self._ahead)
        left = (
            each
            for each in first
            if each.is_signed and not each.is_made and each not in self._begun
        )
        is_8bit = self._is_8bit()
        asked: list[Draft] = []
        for letter in itertools.islice(left, _IN_A_ROW):
            try:
                envelope = letter.compose(is_8bit)
            except Exception:  # noqa: BLE001, S112 - it says what is wrong when its turn comes
                continue
            if self._process is None:
                keys = [draft.key for draft in envelope.drafts]
                self._process = SigningProcess(keys, signed=self._give, gone=self._do_without)
                return
            if self._process.knows(envelope.drafts):
                self._begun[letter] = envelope, is_8bit
                asked += envelope.drafts
            else:
                letter.have(envelope.signed(), is_8bit=is_8bit)
        if asked and self._process is not None:
            self._process.ask(asked)

    def _give(self, signatures: Sequence[bytes]) -> None:
        """Some came, in the order in which they were asked for."""
        self._come += signatures
        while self._begun:
            letter, (envelope, is_8bit) = next(iter(self._begun.items()))
            count = len(envelope.drafts)
            if len(self._come) < count:
                break
            letter.have(envelope.signed(self._come[:count]), is_8bit=is_8bit)
            del self._begun[letter], self._come[:count]
        self._made()

    def _do_without(self, may_begin_another: bool) -> None:
        if may_begin_another:
            self._process = None
        self._begun.clear()
        self._come.clear()
        self._made()


def make_in_a_row(letters: Iterable[Letter], *, is_8bit: bool) -> None:
    """Make plain letters; one that can't be made says so when its turn comes.

    Their signatures are made after all else: the caches are full of one kind of work at a time.
    """
    composed: list[tuple[Letter, Envelope]] = []
    for letter in letters:
        if letter.is_made or letter.is_signed:
            continue
        try:
            composed.append((letter, letter.compose(is_8bit)))
        except Exception:  # noqa: BLE001, S112 - as above
            continue
    for letter, envelope in composed:
        try:
            letter.have(envelope.signed(), is_8bit=is_8bit)
        except Exception:  # noqa: BLE001, S112 - as above
            continue
