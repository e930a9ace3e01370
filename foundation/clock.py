"""What time it is, as something that is passed in, so that tests can pass their own."""

import functools
from datetime import UTC, datetime
from typing import Protocol
from zoneinfo import available_timezones

zone_names = functools.cache(available_timezones)
"""The time zones that there are; they are read from some hundred files, once."""


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


def known_zone(name: str) -> str:
    """`name`, if there is such a time zone. Raises `ValueError`, for settings and documents."""
    if name not in zone_names():
        raise ValueError("must be a time zone such as America/New_York")
    return name
