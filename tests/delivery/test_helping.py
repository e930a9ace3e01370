"""A quick worker claims more at a time, a slow one less."""

from delivery.helping import Helping


def after(helping: Helping, *, claims: int, every_s: float, since_s: float = 0.0) -> int:
    """How many are claimed at a time after so many claims, one every so often."""
    for number in range(claims):
        helping.taken(since_s + number * every_s)
    return helping.size()


def test_who_comes_back_at_once_gets_more_up_to_the_most() -> None:
    assert after(Helping(1000), claims=2, every_s=0.1) == 200
    assert after(Helping(1000), claims=10, every_s=0.1) == 1000


def test_who_takes_long_gets_less_and_more_again_when_the_relay_is_quick() -> None:
    helping = Helping(1000)
    after(helping, claims=10, every_s=0.1)
    assert after(helping, claims=20, every_s=60, since_s=100) == 10
    assert after(helping, claims=2, every_s=0.1, since_s=10_000) == 20


def test_the_pace_in_between_changes_nothing() -> None:
    assert after(Helping(1000), claims=10, every_s=2) == 100


def test_the_settings_most_holds_from_the_first_claim_on() -> None:
    assert Helping(5).size() == 5
    assert after(Helping(5), claims=10, every_s=60) == 5
