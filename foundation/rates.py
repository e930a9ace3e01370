"""How often something may happen, as settings write it: `20/s`, `500/min`, `10000/h`, `100000/day`.

A rate is meant strictly: no stretch of time as long as its window ever holds more. Windows are cut
into short buckets, so that counting does not need to remember every single message.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_WRITTEN = re.compile(r"(\d{1,9})\s*/\s*(\w+)")
_UNITS = {
    **dict.fromkeys(("s", "sec", "second"), 1),
    **dict.fromkeys(("m", "min", "minute"), 60),
    **dict.fromkeys(("h", "hour"), 3600),
    **dict.fromkeys(("d", "day"), 86_400),
}
_FEW, _MANY = 10, 60
"""Buckets in a window of seconds, and in a longer one."""
_LONG_S = 60


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` in any stretch of `window_s` seconds."""

    count: int
    window_s: int

    @property
    def buckets(self) -> int:
        """So many buckets are as long as the window; a stretch touches one more at most."""
        return _MANY if self.window_s >= _LONG_S else _FEW

    @property
    def bucket_us(self) -> int:
        """The length of a bucket in microseconds."""
        return self.window_s * 1_000_000 // self.buckets

    def bucket(self, tick: int) -> int:
        """The number of the bucket in which a moment lies: microseconds since 1970, as `tick`."""
        return tick // self.bucket_us

    def starts(self, bucket: int) -> int:
        """The first moment of a bucket."""
        return bucket * self.bucket_us


def parse(written: str) -> Rate:
    """A rate from its text. Raises `ValueError` that says how one is written."""
    found = _WRITTEN.fullmatch(written.strip())
    window_s = _UNITS.get(found[2].lower()) if found else None
    if found is None or window_s is None or int(found[1]) == 0:
        raise ValueError(
            f"{written!r} is no rate; write it as 20/s, 500/min, 10000/h or 100000/day"
        )
    return Rate(int(found[1]), window_s)


def parse_all(written: Iterable[str]) -> tuple[Rate, ...]:
    """Several rates that hold together; of two for the same window, the smaller one counts.

    Raises `ValueError` as `parse`.
    """
    smallest: dict[int, int] = {}
    for rate in map(parse, written):
        smallest[rate.window_s] = min(rate.count, smallest.get(rate.window_s, rate.count))
    return tuple(Rate(count, window_s) for window_s, count in sorted(smallest.items()))


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def tick(moment: datetime) -> int:
    """A moment in whole microseconds since 1970: buckets need exact numbers."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment(at: int) -> datetime:
    """The moment of a tick, aware, in UTC."""
    return _EPOCH + timedelta(microseconds=at)
