"""What mails are of is named so that it is found again from what comes back."""

import pytest

from delivery import naming


@pytest.mark.parametrize("number", [12, -3])
def test_a_mark_stands_for_its_number_alone(number: int) -> None:
    assert naming.number(f" {naming.mark(number)} ") == number
    assert naming.page(number) in ("/staff/campaigns/12", "/staff/welcome-mailings/3")


@pytest.mark.parametrize("text", ["", "welcome-", "welcome-x", "-3", "12a", "١٢", "9" * 30])
def test_what_is_no_mark_stands_for_nothing(text: str) -> None:
    assert naming.number(text) == 0
