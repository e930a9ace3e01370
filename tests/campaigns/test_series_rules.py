"""When series come out: days by RFC 5545, moments by the clock on the wall."""

import itertools
from datetime import UTC, date, datetime
from typing import Any

import pytest

from campaigns import series_rules
from campaigns.series_rules import Rule
from foundation import i18n

BOSTON = "America/New_York"


def rule(pattern: str, **more: Any) -> Rule:
    """A rule from the first of January 2026."""
    return Rule.model_validate({"pattern": pattern, "starts_on": "2026-01-01", **more})


def days(of: Rule, count: int, *, after: date | None = None) -> list[str]:
    """The first days of a rule."""
    found = series_rules.occurrences(of, zone=BOSTON, after=after)
    return [each.day.isoformat() for each in itertools.islice(found, count)]


def test_every_second_thursday_is_counted_from_the_first_of_them() -> None:
    # The second of January is a Friday: the first Thursday is the eighth.
    of = rule("fortnightly", weekday=3, starts_on="2026-01-02")
    assert days(of, 3) == ["2026-01-08", "2026-01-22", "2026-02-05"]
    assert days(of, 2, after=date(2026, 1, 22)) == ["2026-02-05", "2026-02-19"]
    assert days(rule("weekly", weekday=3), 2) == ["2026-01-01", "2026-01-08"]


def test_a_month_has_its_second_thursday_and_its_last() -> None:
    second = rule("monthly-weekday", weekday=3, which=2)
    assert days(second, 3) == ["2026-01-08", "2026-02-12", "2026-03-12"]
    last = rule("monthly-weekday", weekday=4, which=-1)
    assert days(last, 2) == ["2026-01-30", "2026-02-27"]


def test_the_first_weekday_of_the_month_is_no_saturday() -> None:
    assert days(rule("monthly-workday"), 5) == [
        "2026-01-01", "2026-02-02", "2026-03-02", "2026-04-01", "2026-05-01",
    ]  # fmt: skip
    assert days(rule("monthly-workday", which=-1), 2) == ["2026-01-30", "2026-02-27"]


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (31, ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]),
        (30, ["2026-01-30", "2026-02-28", "2026-03-30", "2026-04-30"]),
        (28, ["2026-01-28", "2026-02-28", "2026-03-28", "2026-04-28"]),
    ],
)
def test_a_day_that_a_month_has_not_is_its_last_day(day: int, expected: list[str]) -> None:
    assert days(rule("monthly-day", day=day), 4) == expected


def test_the_29th_of_february_is_there_every_fourth_year() -> None:
    of = rule("monthly-day", day=29, starts_on="2028-02-01")
    assert days(of, 1) == ["2028-02-29"]


def test_nine_o_clock_stays_nine_o_clock_when_clocks_change() -> None:
    found = series_rules.occurrences(rule("weekly", weekday=3), zone=BOSTON)
    moments = {each.day: each.sends_at for each in itertools.islice(found, 45)}
    assert moments[date(2026, 3, 5)] == datetime(2026, 3, 5, 14, tzinfo=UTC)
    assert moments[date(2026, 3, 12)] == datetime(2026, 3, 12, 13, tzinfo=UTC)
    assert moments[date(2026, 10, 29)] == datetime(2026, 10, 29, 13, tzinfo=UTC)
    assert moments[date(2026, 11, 5)] == datetime(2026, 11, 5, 14, tzinfo=UTC)


def test_a_time_that_clocks_skip_moves_forward_and_one_shown_twice_is_the_first() -> None:
    night = rule("weekly", weekday=6, at="02:30", closes_at="02:30")
    spring = next(series_rules.occurrences(night, zone=BOSTON, after=date(2026, 3, 7)))
    assert spring.sends_at == datetime(2026, 3, 8, 7, 30, tzinfo=UTC)  # 03:30 in summer time
    early = rule("weekly", weekday=6, at="01:30", closes_at="01:30")
    autumn = series_rules.occurrences(early, zone=BOSTON, after=date(2026, 10, 31))
    first, second = itertools.islice(autumn, 2)
    assert first.sends_at == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)  # 01:30 in summer time
    assert second.day == date(2026, 11, 8)


def test_content_closes_by_the_wall_clock_too_and_never_after_it_is_sent() -> None:
    of = rule("weekly", weekday=0, at="09:00", closes_days=3, closes_at="17:00")
    found = next(series_rules.occurrences(of, zone=BOSTON, after=date(2026, 3, 8)))
    assert found.closes_at == datetime(2026, 3, 6, 22, tzinfo=UTC)  # before the change
    assert found.sends_at == datetime(2026, 3, 9, 13, tzinfo=UTC)  # after it
    with pytest.raises(ValueError, match="close before"):
        rule("weekly", at="09:00", closes_at="10:00")


def test_a_rule_can_be_said_in_each_language() -> None:
    catalog = i18n.load(languages=["en", "es"], default="en", zone=BOSTON)
    english, spanish = catalog.translator("en"), catalog.translator("es")
    fortnight = rule("fortnightly", weekday=3)
    assert series_rules.in_words(fortnight, english, zone=BOSTON) == (
        "every two weeks on Thursday at 9:00 AM (America/New_York)"
    )
    assert series_rules.in_words(fortnight, spanish, zone=BOSTON) == (
        "cada dos semanas, el jueves, a las 9:00 (America/New_York)"
    )
    last = rule("monthly-day", day=31, zone="America/Chicago")
    assert series_rules.in_words(last, english, zone=BOSTON) == (
        "on the last day of the month at 9:00 AM (America/Chicago)"
    )
