"""A clock that moves only when a test says so."""

from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 2, 15, 0, tzinfo=UTC)


class FakeClock:
    """Implements `foundation.clock.Clock`."""

    def __init__(self, moment: datetime = START) -> None:
        self._moment = moment

    def now(self) -> datetime:
        """The moment set last."""
        return self._moment

    def set(self, moment: datetime) -> None:
        """Jump to `moment` (aware)."""
        assert moment.tzinfo is not None
        self._moment = moment.astimezone(UTC)

    def advance(self, **amount: float) -> datetime:
        """Go on by a timedelta's keywords, such as `minutes=5`."""
        self._moment += timedelta(**amount)
        return self._moment
