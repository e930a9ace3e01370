"""Intervals for shares and their difference, against the values that were published with them."""

import pytest

from campaigns import intervals


@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilsons_interval_is_that_of_newcombes_first_paper(
    count: int, total: int, low: float, high: float
) -> None:
    """R. G. Newcombe, Statistics in Medicine 17, 1998, pp. 857–872, table I, method 3."""
    found = intervals.share(count, total)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_the_interval_of_a_difference_is_that_of_newcombes_second_paper(
    first: tuple[int, int], second: tuple[int, int], low: float, high: float
) -> None:
    """The same, pp. 873–890, table II, method 10."""
    found = intervals.difference(intervals.share(*first), intervals.share(*second))
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)
    other = intervals.difference(intervals.share(*second), intervals.share(*first))
    assert (round(other.low, 4), round(other.high, 4)) == (-high, -low)
    assert found.is_clear is (low > 0)


def test_of_nobody_nothing_is_known() -> None:
    none = intervals.share(0, 0)
    assert (none.low, none.high) == (0.0, 1.0)
    assert not intervals.difference(none, intervals.share(9, 10)).is_clear
