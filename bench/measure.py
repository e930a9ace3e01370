"""Repeats a measurement and its yardstick in turn, and says what came of them as a table."""

import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

Rate = Callable[[], Awaitable[float]]
"""Does the work once and says how much of it was done in a second."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What was measured of one thing: how much a second, each time."""

    name: str
    unit: str
    yardstick: str
    ours: Sequence[float]
    theirs: Sequence[float]
    goal: float | None = None
    """The ratio that we want to reach; None where none was set."""
    notes: list[str] = field(default_factory=list)
    """What else was seen."""

    @property
    def ratio(self) -> float:
        """Ours to the yardstick's, by medians; more is better."""
        return statistics.median(self.ours) / statistics.median(self.theirs)

    def as_dict(self) -> dict[str, Any]:
        """For `bench/results.json`."""
        return {**asdict(self), "ratio": round(self.ratio, 3)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """Something that has no yardstick but a limit, which it should stay under."""

    name: str
    value: float
    unit: str
    limit: float
    times: int = 1
    """How many observations it comes from."""

    def as_dict(self) -> dict[str, Any]:
        """For `bench/results.json`."""
        return asdict(self)


class Spent:
    """Processor time of this process for each thing done, ours and the yardstick's.

    It says more than the rates where other work shares the processors.
    """

    def __init__(self, *, each: int) -> None:
        self._each = each
        self._ours: list[float] = []
        self._theirs: list[float] = []

    async def on_ours(self, doing: Awaitable[float]) -> float:
        """Do it once, and note what it took."""
        return await self._noted(self._ours, doing)

    async def on_theirs(self, doing: Awaitable[float]) -> float:
        """The same for the yardstick."""
        return await self._noted(self._theirs, doing)

    def told(self) -> str:
        """Medians, in words."""
        ours, theirs = statistics.median(self._ours), statistics.median(self._theirs)
        return (
            f"{ours * 1e6:.0f} µs of processor time each, the yardstick {theirs * 1e6:.0f} µs: "
            f"a ratio of {theirs / ours:.2f}"
        )

    async def _noted(self, where: list[float], doing: Awaitable[float]) -> float:
        began = time.process_time()
        found = await doing
        where.append((time.process_time() - began) / self._each)
        return found


async def compare(
    name: str,
    *,
    unit: str,
    yardstick: str,
    ours: Rate,
    theirs: Rate,
    times: int,
    goal: float | None = None,
) -> Result:
    """Measure both in turn, so that what else the machine does strikes both alike."""
    pairs = [(await theirs(), await ours()) for _ in range(times)]
    return Result(
        name=name,
        unit=unit,
        yardstick=yardstick,
        ours=[own for _, own in pairs],
        theirs=[other for other, _ in pairs],
        goal=goal,
    )


def table(results: Sequence[Result | Figure]) -> str:
    """A line for each result: medians with their spread (highest less lowest), then the ratio.

    Figures follow with their limits, then what else was seen.
    """
    ratios = [each for each in results if isinstance(each, Result)]
    figures = [each for each in results if isinstance(each, Figure)]
    parts = [_columns(_of_ratios(ratios))] if ratios else []
    if figures:
        parts.append(_columns(_of_figures(figures)))
    parts += [f"{each.name}: {note}" for each in ratios for note in each.notes]
    return "\n\n".join(parts)


_Row = tuple[str, ...]


def _of_ratios(results: Sequence[Result]) -> list[_Row]:
    rows: list[_Row] = [("", "Handbill", "yardstick", "ratio", "goal", "")]
    rows += [
        (
            each.name,
            _shown(each.ours),
            _shown(each.theirs),
            f"{each.ratio:.2f}",
            f"{each.goal:.1f}" if each.goal else "",
            each.yardstick,
        )
        for each in results
    ]
    return rows


def _of_figures(figures: Sequence[Figure]) -> list[_Row]:
    rows: list[_Row] = [("", "found", "limit", "")]
    rows += [
        (
            each.name,
            f"{each.value:,.2f} {each.unit}".rstrip(),
            f"{each.limit:g} {each.unit}".rstrip(),
            f"of {each.times:,}" if each.times > 1 else "",
        )
        for each in figures
    ]
    return rows


def _columns(rows: Sequence[_Row]) -> str:
    """Names to the left, figures to the right, what they are about behind them."""
    first, *middle = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]
    return "\n".join(
        "  ".join(
            [
                name.ljust(first),
                *(cell.rjust(width) for cell, width in zip(figures, middle, strict=True)),
                told,
            ]
        ).rstrip()
        for name, *figures, told in rows
    )


def _shown(rates: Sequence[float]) -> str:
    middle = statistics.median(rates)
    spread = (max(rates) - min(rates)) / middle
    return f"{middle:,.0f}/s ±{spread / 2:.0%}"
