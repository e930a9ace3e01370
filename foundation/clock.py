"""What time it is, as something that is passed in, so that tests can pass their own."""

import functools
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the present as an aware datetime in UTC."""

    def now(self) -> datetime:
        """The present, aware, in UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def __init__(self) -> None:
        self.now = functools.partial(datetime.now, UTC)
        """The present, aware, in UTC; asked several times for each message that goes out."""
