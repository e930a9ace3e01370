"""Numbers as a partner may see them: none so small or so exact that it tells of one person.

Every number is rounded down to a multiple of a set number; what is less than that is shown as
“fewer than” it. Rounding hides what adding and taking away on one page would give back, but for
corners where rows are all just below their next multiple: there, a total or a row that would say so
is shown a step lower. The decision record on small groups says what this does not hold against.
"""

from collections.abc import Sequence
from dataclasses import replace

from foundation.frozen import frozen
from foundation.i18n import N_, Translator
from subscribers.funnel import Funnel, Part, Row, Stage


@frozen
class Shown:
    """A funnel as it may be shown."""

    funnel: Funnel
    fewer_than: int
    """Less than this is never said exactly; 1: everything is exact."""

    @property
    def is_rounded(self) -> bool:
        """Whether numbers are rounded down."""
        return self.fewer_than > 1

    def is_small(self, number: int) -> bool:
        """Whether a number is shown as “fewer than”."""
        return self.is_rounded and number < self.fewer_than

    def tells(self, row: Row) -> bool:
        """Whether a row says more than that all of it is small."""
        return not all(map(self.is_small, row.counts.values()))


def say(number: int, fewer_than: int, speaks: Translator) -> str:
    """A number as it may be told: “fewer than 10”, or rounded down."""
    if fewer_than > 1 and number < fewer_than:
        words = speaks.gettext(N_("fewer than %(number)s"))
        return words % {"number": speaks.number(fewer_than)}
    return speaks.number(number // fewer_than * fewer_than)


def exact(funnel: Funnel) -> Shown:
    """As staff see it."""
    return Shown(funnel=funnel, fewer_than=1)


def rounded(funnel: Funnel, *, fewer_than: int) -> Shown:
    """As a partner sees it."""
    if fewer_than <= 1:
        return exact(funnel)
    total: dict[Stage, int] = {}
    counts = {part: [dict(row.counts) for row in rows] for part, rows in funnel.rows.items()}
    for stage in Stage:
        places = [
            [(part, place) for place, row in enumerate(rows) if _is_said(part, row, stage)]
            for part, rows in funnel.rows.items()
        ]
        columns = [[counts[part][place][stage] for part, place in several] for several in places]
        total[stage], columns = level(funnel.total[stage], columns, fewer_than)
        for several, column in zip(places, columns, strict=True):
            for (part, place), number in zip(several, column, strict=True):
                counts[part][place][stage] = number
    rows = {
        part: [replace(row, counts=counts[part][place]) for place, row in enumerate(several)]
        for part, several in funnel.rows.items()
    }
    return Shown(funnel=replace(funnel, total=total, rows=rows), fewer_than=fewer_than)


def level(total: int, columns: Sequence[Sequence[int]], step: int) -> tuple[int, list[list[int]]]:
    """A total and the rows of each part that add up to it, rounded down.

    A row may be up to `step - 1` above what is shown. So a part's rows say how large the total can
    be at most; where another part, or the total itself, says that it is nearly so, each of the
    rows would be known. What says so is lowered by a step, which is as true.
    """
    shown = [[number // step * step for number in column] for column in columns]
    most = total // step * step
    room = step - 1
    while True:
        for column in filter(None, shown):
            most = min(most, (sum(column) + (len(column) - 1) * room + room // 2) // step * step)
        too_telling = [column for column in shown if sum(column) > most]
        if not too_telling:
            return most, shown
        for column in too_telling:
            column[column.index(max(column))] -= step


def _is_said(part: Part, row: Row, stage: Stage) -> bool:
    """Of days that are too early to say who stayed, no number is shown."""
    return not (part is Part.DAY and stage is Stage.STAYED and row.is_early)
