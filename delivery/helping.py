"""How many deliveries a worker claims at a time: what lasts it for a second or a few.

With more in hand a slow sender would hold rows beyond their lease, and what it read about people
would grow old; with fewer a quick one would ask the database all the time.
"""

_FIRST = 100
_LEAST = 10
_QUICK_S = 1.0
_SLOW_S = 5.0


class Helping:
    """For one worker; `most` is the most that it may claim at a time."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = min(most, _FIRST)
        self._at: float | None = None

    def size(self) -> int:
        """How many to claim now."""
        return self._size

    def taken(self, tick: float) -> None:
        """So many were claimed at this moment: how soon after the last tells what they last."""
        if self._at is not None and tick - self._at < _QUICK_S:
            self._size = min(self._most, self._size * 2)
        elif self._at is not None and tick - self._at > _SLOW_S:
            self._size = max(min(self._most, _LEAST), self._size // 2)
        self._at = tick
