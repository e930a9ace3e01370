"""Local times become instants; what clocks skip is refused, what they repeat has two."""

from datetime import UTC, datetime

import pytest

from campaigns import schedule
from foundation import errors

NEW_YORK = "America/New_York"


@pytest.mark.parametrize(
    ("at", "zone", "moment"),
    [
        ("2026-12-01T09:00", NEW_YORK, datetime(2026, 12, 1, 14, 0, tzinfo=UTC)),
        ("2026-07-01T09:00", NEW_YORK, datetime(2026, 7, 1, 13, 0, tzinfo=UTC)),
        ("2026-12-01T09:00", "America/Phoenix", datetime(2026, 12, 1, 16, 0, tzinfo=UTC)),
        # The hour before and after the clocks go forward on 8 March 2026.
        ("2026-03-08T01:59", NEW_YORK, datetime(2026, 3, 8, 6, 59, tzinfo=UTC)),
        ("2026-03-08T03:00", NEW_YORK, datetime(2026, 3, 8, 7, 0, tzinfo=UTC)),
    ],
)
def test_a_local_time_is_one_instant(at: str, zone: str, moment: datetime) -> None:
    assert schedule.resolve(at, zone) == moment


def test_a_time_that_the_clocks_skip_is_refused_with_two_others() -> None:
    with pytest.raises(errors.Invalid, match=r"02:30 does not exist. Choose 01:30 or 03:30"):
        schedule.resolve("2026-03-08T02:30", NEW_YORK)


def test_a_time_that_comes_twice_is_the_first_unless_asked() -> None:
    first = schedule.resolve("2026-11-01T01:30", NEW_YORK)
    assert first == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    second = schedule.resolve("2026-11-01T01:30", NEW_YORK, fold=1)
    assert second == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    assert schedule.is_repeated("2026-11-01T01:30", NEW_YORK)
    assert not schedule.is_repeated("2026-11-01T02:30", NEW_YORK)


@pytest.mark.parametrize(
    ("at", "zone", "field"),
    [
        ("tomorrow", NEW_YORK, "at"),
        ("2026-12-01", NEW_YORK, "at"),
        ("2026-12-01T25:00", NEW_YORK, "at"),
        ("2026-12-01T09:00+00:00", NEW_YORK, "at"),
        ("", NEW_YORK, "at"),
        ("2026-12-01T09:00", "Boston", "zone"),
        ("2026-12-01T09:00", "../etc/passwd", "zone"),
    ],
)
def test_what_is_no_time_or_zone_names_its_field(at: str, zone: str, field: str) -> None:
    with pytest.raises(errors.Invalid) as caught:
        schedule.resolve(at, zone)
    assert list(caught.value.fields) == [field]
