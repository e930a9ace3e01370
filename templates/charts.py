"""Charts as places and words: axes begin at zero, nothing is smoothed, each figure has a table row.

Pages hand in figures and get a `Drawing`, which `macros/charts.html` puts on the page. There is no
text in the picture itself: a page in a script from right to left turns the picture around, and
words stay readable however narrow it gets.
"""

import enum
import math
from collections.abc import Callable, Sequence

from foundation.frozen import frozen

HEIGHT = 100
"""Of the picture; it is stretched to its place on the page."""
STEP = 10
"""What one column takes of the width."""
_MOST_BARS = 130
"""More can't be told from one another on a phone."""
_MOST_NAMES = 6
"""Under the picture, where there are more columns than `_ALL_NAMED`."""
_ALL_NAMED = 8
_MOST_TICKS = 4


class Kind(enum.StrEnum):
    """How figures are shown."""

    BARS = "bars"
    """Beside one another."""
    LINES = "lines"
    """Straight from each figure to the next."""


@frozen
class Series:
    """Figures of one kind, one for each column; None: nothing is known, which is not zero."""

    name: str
    values: Sequence[float | None]


@frozen
class Bar:
    """One figure as a bar."""

    series: int
    x: float
    y: float
    width: float
    height: float
    title: str


@frozen
class Row:
    """One column of the picture as a row of the table."""

    name: str
    values: Sequence[str]


@frozen
class Drawing:
    """A chart as it is put on the page."""

    title: str
    column: str
    """What the columns are: heads the first column of the table."""
    kind: Kind
    series: Sequence[str]
    width: int
    grid: Sequence[float]
    """Heights of the lines across."""
    ticks: Sequence[str]
    """What these lines stand for, the highest first; the last is zero."""
    bars: Sequence[Bar]
    runs: Sequence[tuple[int, Sequence[tuple[float, float]]]]
    """Series and points of each unbroken line."""
    names: Sequence[str]
    """Under the picture, each as wide as the others."""
    is_all_named: bool
    """Whether each column has its name right below."""
    rows: Sequence[Row]
    peak: tuple[str, str] | None
    """Where the highest figure is, and what it is; None when all are zero or unknown."""


def draw(
    *,
    title: str,
    column: str,
    names: Sequence[str],
    series: Sequence[Series],
    say: Callable[[float], str],
    short_names: Sequence[str] = (),
    say_scale: Callable[[float], str] | None = None,
    kind: Kind | None = None,
) -> Drawing:
    """A chart of some series over the same columns; `say` writes a figure.

    `short_names` stand below the picture instead of `names`; `say_scale` writes the figures of the
    axis, where they are said otherwise. Without a kind, it is bars as long as they can be told
    apart.
    """
    if kind is None:
        kind = Kind.BARS if len(names) * len(series) <= _MOST_BARS else Kind.LINES
    known = [(value, place) for one in series for place, value in enumerate(one.values)
             if value is not None]  # fmt: skip
    highest, place = max(known, default=(0.0, 0), key=lambda each: each[0])
    ticks = scale(highest)
    top = ticks[-1]
    each = 1 if len(names) <= _ALL_NAMED else math.ceil(len(names) / _MOST_NAMES)
    slots = math.ceil(len(names) / each) * each
    return Drawing(
        title=title,
        column=column,
        kind=kind,
        series=[one.name for one in series],
        width=max(slots, 1) * STEP,
        grid=[_height(tick, top) for tick in ticks],
        ticks=[(say_scale or say)(tick) for tick in reversed(ticks)],
        bars=_bars(names, series, top, say) if kind is Kind.BARS else [],
        runs=_runs(series, top) if kind is Kind.LINES else [],
        names=(short_names or names)[::each],
        is_all_named=each == 1,
        rows=[
            Row(name=name, values=[_said(one.values[number], say) for one in series])
            for number, name in enumerate(names)
        ],
        peak=(names[place], say(highest)) if highest else None,
    )


def scale(highest: float) -> list[float]:
    """Round figures from zero to the highest or a little above: steps of 1, 2 or 5 times ten."""
    if highest <= 0:
        return [0, 1]
    least = highest / _MOST_TICKS
    power = 10.0 ** math.floor(math.log10(least))
    step = next(power * times for times in (1, 2, 5, 10) if power * times >= least * 0.999999)
    if float(highest).is_integer():
        step = max(step, 1.0)
    count = math.ceil(highest / step - 1e-9)
    return [_whole(number * step) for number in range(count + 1)]


def _whole(number: float) -> float:
    rounded = round(number, 10)
    return int(rounded) if float(rounded).is_integer() else rounded


def _height(value: float, top: float) -> float:
    return round(HEIGHT * (1 - value / top), 2)


def _said(value: float | None, say: Callable[[float], str]) -> str:
    return say(value) if value is not None else "—"


def _bars(
    names: Sequence[str], series: Sequence[Series], top: float, say: Callable[[float], str]
) -> list[Bar]:
    width = round(STEP * 0.8 / len(series), 2)
    return [
        Bar(
            series=which,
            x=round(place * STEP + STEP * 0.1 + which * width, 2),
            y=_height(value, top),
            width=width,
            height=round(HEIGHT - _height(value, top), 2),
            title=f"{names[place]}: {say(value)}" + (f" ({one.name})" if len(series) > 1 else ""),
        )
        for which, one in enumerate(series)
        for place, value in enumerate(one.values)
        if value
    ]


def _runs(series: Sequence[Series], top: float) -> list[tuple[int, Sequence[tuple[float, float]]]]:
    """A line ends where a figure is missing: nothing is drawn over what is not known."""
    found: list[tuple[int, Sequence[tuple[float, float]]]] = []
    for which, one in enumerate(series):
        run: list[tuple[float, float]] = []
        for place, value in enumerate([*one.values, None]):
            if value is not None:
                run.append((place * STEP + STEP / 2, _height(value, top)))
            elif run:
                found.append((which, run))
                run = []
    return found
