"""Charts are honest: axes from zero, nothing drawn over what is not known, each figure in a row."""

import pytest

from templates import charts
from templates.charts import Drawing, Kind, Series


def drawn(*values: float | None, kind: Kind | None = None) -> Drawing:
    """A chart of one series."""
    return charts.draw(
        title="Clicks",
        column="Hour",
        names=[f"{number}:00" for number in range(len(values))],
        series=[Series(name="Clicks", values=values)],
        say=lambda value: f"{value:g}",
        kind=kind,
    )


@pytest.mark.parametrize(
    ("highest", "ticks"),
    [
        (0, [0, 1]),
        (1, [0, 1]),
        (3, [0, 1, 2, 3]),
        (7, [0, 2, 4, 6, 8]),
        (200, [0, 50, 100, 150, 200]),
        (104_321, [0, 50_000, 100_000, 150_000]),
        (0.07, [0, 0.02, 0.04, 0.06, 0.08]),
    ],
)
def test_an_axis_begins_at_zero_and_ends_at_a_round_figure(
    highest: float, ticks: list[float]
) -> None:
    assert charts.scale(highest) == ticks


def test_a_bar_is_as_high_as_its_share_of_the_axis() -> None:
    found = drawn(5, 0, 10)
    assert found.ticks == ["10", "5", "0"]
    assert [(bar.y, bar.height) for bar in found.bars] == [(50, 50), (0, 100)]
    assert all(bar.y + bar.height == charts.HEIGHT for bar in found.bars)
    assert [row.values for row in found.rows] == [["5"], ["0"], ["10"]]
    assert found.peak == ("2:00", "10")


def test_a_line_stops_where_nothing_is_known() -> None:
    found = drawn(1, 2, None, 4, kind=Kind.LINES)
    assert [[y for _, y in points] for _, points in found.runs] == [[75, 50], [0]]
    assert [row.values for row in found.rows] == [["1"], ["2"], ["—"], ["4"]]


def test_of_many_columns_each_name_stands_below_its_first() -> None:
    found = drawn(*range(28))
    assert found.names == ["0:00", "5:00", "10:00", "15:00", "20:00", "25:00"]
    assert found.width == len(found.names) * 5 * charts.STEP
    assert len(found.rows) == 28
