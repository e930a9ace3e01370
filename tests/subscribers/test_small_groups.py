"""What a partner sees on one page does not give away a number that is shown as “fewer than”."""

import itertools
from collections import defaultdict
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers import small_groups
from subscribers.funnel import Funnel, Part, Row, Stage, Wish

Rows = tuple[int, ...]
Seen = tuple[int, tuple[int, ...], tuple[int, ...]]
_FIRST = date(2026, 1, 1)


def shown(days: Rows, pages: Rows, step: int) -> Seen:
    """What stands on the page of a partner who has these sign-ups on these days and pages."""

    def rows(values: Rows) -> list[Row]:
        return [
            Row(name=str(number), counts=dict.fromkeys(Stage, value))
            for number, value in enumerate(values)
        ]

    found = Funnel(
        wish=Wish(partner_id=1, since=_FIRST, until=_FIRST + timedelta(days=len(days) - 1)),
        total=dict.fromkeys(Stage, sum(days)),
        rows={Part.DAY: rows(days), Part.PAGE: rows(pages)},
        settled_until=date(2026, 2, 1),
    )
    page = small_groups.rounded(found, fewer_than=step).funnel
    return (
        page.total[Stage.SUBMITTED],
        tuple(row.counts[Stage.SUBMITTED] for row in page.rows[Part.DAY]),
        tuple(row.counts[Stage.SUBMITTED] for row in page.rows[Part.PAGE]),
    )


@pytest.mark.parametrize(("step", "days", "pages"), [(2, 4, 2), (3, 3, 2), (3, 4, 1), (4, 2, 2)])
def test_whoever_knows_how_numbers_are_made_can_tell_no_small_one_from_a_page(
    step: int, days: int, pages: int
) -> None:
    """Every page is made of every world there can be; each leaves each small number open."""
    worlds = defaultdict(list)
    for in_days in itertools.product(range(2 * step), repeat=days):
        total = sum(in_days)
        ways = [(total,)] if pages == 1 else [(n, total - n) for n in range(total + 1)]
        for in_pages in ways:
            worlds[shown(in_days, in_pages, step)].append(in_days + in_pages)
    assert len(worlds) > 10
    for (_, *parts), possible in worlds.items():
        cells = [number for part in parts for number in part]
        for place, number in enumerate(cells):
            if number < step:
                assert len({world[place] for world in possible}) > 1, (parts, possible[0])


@given(
    st.lists(st.integers(0, 40), min_size=1, max_size=60),
    st.integers(2, 20),
    st.integers(1, 4),
)
def test_no_small_number_follows_from_the_total_and_its_neighbours(
    days: list[int], step: int, pages: int
) -> None:
    in_pages = [sum(days[start::pages]) for start in range(pages)]
    total, day_cells, page_cells = shown(tuple(days), tuple(in_pages), step)
    room = step - 1
    assert total <= sum(days)
    for cells in (day_cells, page_cells):
        assert all(number % step == 0 for number in cells)
        for number in cells:
            least = max(0, total - (sum(cells) - number) - (len(cells) - 1) * room)
            assert least <= number + room / 2


def test_staff_see_every_number_as_it_is() -> None:
    assert shown((1, 2), (3,), 1) == (3, (1, 2), (3,))
