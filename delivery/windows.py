"""Counts how much of a rate is used, in buckets, so that no stretch of a window's length overflows.

A permit counts in the bucket in which it was given out and is good only within that bucket. A
stretch as long as the window touches one bucket more than fit into it, so it is enough that no so
many neighbours ever hold more than the rate. Buckets before and after the present one are looked
at: clocks of several machines differ. Moments are whole microseconds since 1970 (`rates.tick`).
"""

from collections.abc import Iterable

from foundation.rates import Rate

Used = dict[str, dict[str, int]]
"""Window in seconds → number of the bucket → permits, as the database keeps it (JSON)."""
FOR_EVER = 1 << 62


def room(used: Used, rates: Iterable[Rate], tick: int, *, share: float = 1.0) -> int | None:
    """How many more may be let go at `tick` under all `rates`; None when there are no rates.

    `share` is the part of each rate that may be used up.
    """
    return min(
        (max(0, _most(rate, share) - _near(used, rate, rate.bucket(tick))) for rate in rates),
        default=None,
    )


def opens(used: Used, rates: Iterable[Rate], tick: int, *, share: float = 1.0) -> int:
    """When there is room for one at the earliest, if nobody takes any meanwhile."""
    return max((_opens(used, rate, tick, _most(rate, share)) for rate in rates), default=tick)


def ends(rates: Iterable[Rate], tick: int) -> int:
    """Until when a permit is good that is given out at `tick`: the end of its shortest bucket."""
    return min(
        (rate.starts(rate.bucket(tick) + 1) for rate in rates),
        default=FOR_EVER,
    )


def starts(rates: Iterable[Rate], tick: int) -> int:
    """Since when such a permit is good: before that, a clock was set back."""
    return max((rate.starts(rate.bucket(tick)) for rate in rates), default=0)


def spent(used: Used, rates: Iterable[Rate], tick: int, count: int) -> Used:
    """With `count` more given out at `tick` (fewer when it is below 0), and without what is past.

    Windows that are no longer among the rates are forgotten.
    """
    kept: Used = {}
    for rate in rates:
        mine = used.get(str(rate.window_s), {})
        bucket = rate.bucket(tick)
        counted = mine | {str(bucket): max(0, mine.get(str(bucket), 0) + count)}
        kept[str(rate.window_s)] = {
            number: permits for number, permits in counted.items() if permits
        }
    return kept


def pruned(used: Used, rates: Iterable[Rate], tick: int) -> Used:
    """Without buckets that are too old to matter, even to a clock that is a window behind."""
    return {
        str(rate.window_s): {
            number: permits
            for number, permits in used.get(str(rate.window_s), {}).items()
            if int(number) >= rate.bucket(tick) - 2 * rate.buckets
        }
        for rate in rates
    }


def _most(rate: Rate, share: float) -> int:
    return max(1, int(rate.count * share))


def _near(used: Used, rate: Rate, bucket: int) -> int:
    """Permits in every bucket that a stretch through this one can touch."""
    return sum(
        permits
        for number, permits in used.get(str(rate.window_s), {}).items()
        if abs(int(number) - bucket) <= rate.buckets
    )


def _opens(used: Used, rate: Rate, tick: int, most: int) -> int:
    bucket = rate.bucket(tick)
    near = _near(used, rate, bucket)
    if near < most:
        return tick
    for number, permits in sorted(
        (int(number), permits) for number, permits in used.get(str(rate.window_s), {}).items()
    ):
        if number < bucket - rate.buckets:
            continue
        near -= permits
        if near < most:
            return rate.starts(number + rate.buckets + 1)
    return rate.starts(bucket + 1)
