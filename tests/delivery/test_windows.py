"""However permits are asked for, no stretch as long as a rate's window ever holds more."""

from hypothesis import given, settings
from hypothesis import strategies as st

from delivery import windows
from foundation import rates
from foundation.rates import Rate
from tests.delivery.stretches import fullest

START = 1_793_000_000_000_000
"""A moment, in microseconds since 1970."""

RATES = st.lists(
    st.builds(Rate, st.integers(1, 30), st.sampled_from([1, 10, 60, 3600, 86_400])),
    min_size=1,
    max_size=3,
    unique_by=lambda rate: rate.window_s,
)
STEPS = st.lists(
    st.tuples(
        # How much time goes by before so many permits are asked for.
        st.one_of(st.integers(0, 400_000), st.integers(0, 90_000_000)),
        st.integers(1, 40),
        # How far the clock of the machine that asks is ahead.
        st.integers(0, 900_000),
        # How much of the permit's bucket passes before its message is let go, in percent.
        st.integers(0, 99),
    ),
    min_size=1,
    max_size=60,
)


@given(wanted=RATES, steps=STEPS)
@settings(max_examples=150, deadline=None)
def test_no_stretch_of_a_windows_length_ever_holds_more_than_the_rate(
    wanted: list[Rate], steps: list[tuple[int, int, int, int]]
) -> None:
    used: windows.Used = {}
    true_now = START
    let_go: list[int] = []
    for passed, asked, ahead, percent in steps:
        true_now += passed
        now = true_now + ahead
        given_out = min(asked, windows.room(used, wanted, now) or 0)
        used = windows.spent(windows.pruned(used, wanted, now), wanted, now, given_out)
        good_until = windows.ends(wanted, now)
        let_go += [now + (good_until - now) * percent // 100] * given_out
    for rate in wanted:
        assert fullest(let_go, rate.window_s) <= rate.count


@given(wanted=RATES, steps=STEPS)
@settings(max_examples=100, deadline=None)
def test_there_is_room_again_when_it_says_so_and_not_before(
    wanted: list[Rate], steps: list[tuple[int, int, int, int]]
) -> None:
    used: windows.Used = {}
    now = START
    for passed, asked, _, _ in steps:
        now += abs(passed)
        given_out = min(asked, windows.room(used, wanted, now) or 0)
        used = windows.spent(used, wanted, now, given_out)
    opens = windows.opens(used, wanted, now)
    assert (windows.room(used, wanted, opens) or 0) > 0
    if opens > now:
        assert windows.room(used, wanted, opens - 1) == 0


def test_what_was_not_used_can_be_given_back() -> None:
    rate = [Rate(5, 60)]
    used = windows.spent({}, rate, START, 5)
    assert windows.room(used, rate, START) == 0
    assert windows.room(windows.spent(used, rate, START, -2), rate, START) == 2


def test_a_share_of_every_rate_is_left_to_notices_but_never_all_of_it() -> None:
    wanted = [Rate(100, 86_400)]
    used = windows.spent({}, wanted, START, 95)
    assert windows.room(used, wanted, START, share=0.95) == 0
    assert windows.room(used, wanted, START) == 5
    assert windows.room({}, [Rate(1, 60)], START, share=0.95) == 1


def test_a_rate_is_used_up_to_its_count_again_and_again() -> None:
    wanted = rates.parse_all(["20/s"])
    used: windows.Used = {}
    let_go = 0
    for step in range(1000):  # ten seconds
        now = START + step * 10_000
        found = windows.room(used, wanted, now) or 0
        used = windows.spent(windows.pruned(used, wanted, now), wanted, now, found)
        let_go += found
    assert let_go >= 180


def test_a_permit_is_good_within_its_shortest_bucket_alone() -> None:
    wanted = [Rate(100, 86_400), Rate(5, 60)]
    starts, ends = windows.starts(wanted, START), windows.ends(wanted, START)
    shortest = wanted[1]
    assert starts <= START < ends
    assert shortest.bucket(starts) == shortest.bucket(ends - 1) == shortest.bucket(START)
