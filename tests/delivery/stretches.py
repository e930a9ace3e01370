"""How full the fullest stretch of a window's length is."""

from collections.abc import Sequence


def fullest(ticks: Sequence[int], window_s: int) -> int:
    """The most moments (in microseconds) that any stretch of `window_s` seconds holds."""
    ordered = sorted(ticks)
    most, first = 0, 0
    for last, tick in enumerate(ordered):
        while tick - ordered[first] >= window_s * 1_000_000:
            first += 1
        most = max(most, last - first + 1)
    return most
