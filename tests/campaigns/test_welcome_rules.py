"""When steps of the welcome are due, by the wall's clock."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from campaigns import welcome_rules
from campaigns.welcome_models import StepKind, WelcomeStep

NEW_YORK = ZoneInfo("America/New_York")
SIX_HOURS = timedelta(hours=6)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def local(text: str) -> datetime:
    """A moment as people there write it."""
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).astimezone(UTC)


def step(number: int, days: int, hour: int = 9, created_at: datetime = LONG_AGO) -> WelcomeStep:
    """A step that is not kept."""
    return WelcomeStep(
        id=number,
        welcome_id=1,
        kind=StepKind.EXPLAINER.value,
        object_id=1,
        name="It",
        days=days,
        hour=hour,
        created_at=created_at,
    )


@pytest.mark.parametrize(
    ("confirmed", "days", "hour", "due"),
    [
        ("2026-11-03T10:00", 1, 9, "2026-11-04T09:00"),
        ("2026-11-03T23:59", 1, 9, "2026-11-04T09:00"),
        ("2026-11-03T08:00", 0, 9, "2026-11-03T09:00"),
        ("2026-11-03T10:00", 0, 9, "2026-11-04T09:00"),  # not before it was confirmed
        ("2026-10-30T10:00", 3, 9, "2026-11-02T09:00"),  # clocks went back in between
        ("2026-03-07T10:00", 1, 2, "2026-03-08T03:00"),  # a time that clocks skip
    ],
)
def test_a_step_is_due_at_its_hour_by_the_wall_so_many_days_later(
    confirmed: str, days: int, hour: int, due: str
) -> None:
    found = welcome_rules.moment(step(1, days, hour), local(confirmed), NEW_YORK)
    assert found == local(due)


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-11-04T08:59", "2026-11-04T09:00"),
        ("2026-11-04T09:00", "2026-11-04T09:00"),
        ("2026-11-04T14:30", "2026-11-04T14:30"),  # the service was down in the morning
        ("2026-11-04T15:30", "2026-11-05T09:00"),  # too late for today
        ("2026-11-04T23:30", "2026-11-05T09:00"),
        ("2026-11-05T03:00", "2026-11-05T09:00"),
    ],
)
def test_nobody_is_written_to_long_after_the_hour_of_a_day(now: str, opens: str) -> None:
    assert welcome_rules.opening(step(1, 1), local(now), NEW_YORK, SIX_HOURS) == local(opens)


def test_steps_come_in_their_order_and_one_that_was_added_too_late_does_not() -> None:
    began = local("2026-11-03T10:00")
    late = step(3, 2, created_at=local("2026-11-06T12:00"))
    steps = [step(2, 5), late, step(1, 1)]
    for done, number in ((set[int](), 1), ({1}, 2)):
        found = welcome_rules.coming(steps, done, began, NEW_YORK)
        assert found is not None
        assert found[0].id == number
    assert welcome_rules.coming(steps, {1, 2}, began, NEW_YORK) is None
    later = welcome_rules.coming(steps, {1}, local("2026-11-05T10:00"), NEW_YORK)
    assert later is not None
    assert later[0] is late
