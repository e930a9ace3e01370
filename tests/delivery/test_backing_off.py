"""Which replies say that we are too fast, and what follows from them."""

from datetime import timedelta

import pytest

from delivery import backing_off
from delivery.backing_off import Pace
from foundation.sections import Delivery
from tests.world.clock import START

SETTINGS = Delivery()


@pytest.mark.parametrize(
    ("code", "text", "is_about_pace"),
    [
        (421, "4.7.0 Try again later, closing connection", True),
        (421, "closing", True),
        (450, "4.2.1 The user you are trying to contact is receiving mail at a rate that", True),
        (451, "4.7.650 The mail server has been temporarily rate limited", True),
        (451, "4.7.500 Server busy. Please try again later", True),
        (452, "too many recipients received this hour", True),
        (454, "Throttling failure: Maximum sending rate exceeded.", True),
        (450, "4.2.0 Greylisted, try again in 5 minutes", False),
        (451, "4.7.1 Greylisting in action, please come back later", False),
        (452, "4.2.2 The mailbox is full", False),
        (450, "4.1.1 unverified address", False),
        (451, "4.3.0 temporarily out of storage", False),
        (550, "5.7.1 rate limited for good", False),
        (0, "the connection was closed", False),
    ],
)
def test_replies_about_our_pace_are_told_from_others(
    code: int, text: str, is_about_pace: bool
) -> None:
    assert backing_off.is_about_pace(code, text) is is_about_pace


def trouble(pace: Pace | None, *, after_s: float = 0, measured: float = 600) -> Pace:
    """What a reply leads to, so long after the start."""
    now = START + timedelta(seconds=after_s)
    return backing_off.slowed(pace, measured=measured, said="421", now=now, settings=SETTINGS)


def test_each_trouble_halves_but_never_below_the_least() -> None:
    pace = trouble(None)
    found = [pace.ceiling]
    for number in range(1, 8):
        pace = trouble(pace, after_s=20 * number)
        found.append(pace.ceiling)
    assert found == [300, 150, 75, 37.5, 18.75, 9.375, 6, 6]


def test_a_pace_is_a_rate_and_a_width() -> None:
    pace = trouble(None)
    assert (pace.rate.count, pace.rate.window_s) == (50, 10)
    assert pace.width(8) == 4
    assert trouble(trouble(None, measured=6), after_s=20, measured=6).rate.count == 1
    assert trouble(None, measured=6000).width(1) == 1


def test_it_gets_faster_only_by_success_and_only_step_by_step() -> None:
    pace = trouble(None)

    def after(has_taken: bool, seconds: int) -> float | None:
        now = START + timedelta(seconds=seconds)
        found = backing_off.eased(pace, has_taken=has_taken, now=now, settings=SETTINGS)
        return found.ceiling if found is not None else None

    assert after(True, 59) == 300
    assert after(False, 60) == 300
    assert after(True, 60) == 375
    assert after(False, 3600) is None
