"""A clock that can stand in the past while the demo's history is made, then goes on as usual."""

from datetime import UTC, datetime, timedelta


class DemoClock:
    """Implements `foundation.clock.Clock`: the machine's time plus a shift, or a fixed moment."""

    def __init__(self) -> None:
        self._fixed: datetime | None = None
        self._shift = timedelta()

    def now(self) -> datetime:
        """The present as the demo has it, aware, in UTC."""
        return self._fixed or datetime.now(UTC) + self._shift

    def stand_at(self, moment: datetime) -> None:
        """Stop at `moment` (aware) until told otherwise."""
        self._fixed = moment.astimezone(UTC)

    def run(self) -> None:
        """Go on with the machine's own time."""
        self._fixed = None
        self._shift = timedelta()

    def skip(self, amount: timedelta) -> None:
        """Let `amount` pass at once; used where a story would have to wait."""
        if self._fixed is not None:
            self._fixed += amount
        else:
            self._shift += amount
