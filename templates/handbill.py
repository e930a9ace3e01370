"""Sets a bulletin as a handbill: a PDF of exactly two pages, a sheet printed on both sides.

Typst sets it (docs/decisions/0026-typst-prints-the-handbill.md). A short bulletin stands in large
type on the front, and the way to sign up fills the back; a longer one goes on to the back in two
columns; of one that is too long still, as much as fits, and where to read on.
"""

import functools
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from foundation.frozen import frozen
from templates import broadside
from templates.broadside import Piece

SOURCE = Path(__file__).parent / "print" / "handbill.typ"
PAGES = 2
_MOST_CHARACTERS = 16_000
"""More than two pages hold: what is behind is not even tried."""
_FEWEST_WORDS = 40
"""Of a paragraph that is cut; fewer are not worth beginning."""


@frozen
class Sheet:
    """What is printed, in one language."""

    language: str
    direction: str
    paper: str
    """As Typst calls it: `us-letter` or `a4`."""
    accent: str
    publisher: str
    postal_address: str
    title: str
    lead: str
    dateline: str
    issue: str
    pieces: Sequence[Piece]
    page_words: str
    invitation: str
    promise: str
    signup: str
    """The address that the code leads to."""
    qr: str
    """The code, as SVG."""
    qr_words: str
    continues: str
    """Where the whole can be read."""
    continues_words: str


@frozen
class _Way:
    """One way of setting it."""

    columns: int
    size: float
    title_size: float
    has_back: bool
    """Whether the bulletin goes on on the back, above the way to sign up."""


_WAYS = (
    _Way(columns=1, size=14, title_size=36, has_back=False),
    _Way(columns=1, size=12.5, title_size=32, has_back=False),
    _Way(columns=2, size=12.5, title_size=36, has_back=False),
    _Way(columns=2, size=11, title_size=32, has_back=False),
    _Way(columns=2, size=12.5, title_size=36, has_back=True),
    _Way(columns=2, size=11, title_size=32, has_back=True),
    _Way(columns=2, size=10, title_size=28, has_back=True),
)
"""From the largest type to the smallest that is easy to read on paper."""
_LEAST_PANEL = 9
_MOST_PANEL = 36
"""How high the way to sign up stands under a bulletin, in half centimetres."""


def pdf(sheet: Sheet, *, stamp: int) -> bytes:
    """The handbill; `stamp` is when it was made, in Unix seconds. Takes up to a second of a core.

    Call it in a thread: Typst lets other threads run meanwhile.
    """
    import typst

    made = typst.compile(
        str(SOURCE),
        format="pdf",
        sys_inputs={"sheet": json.dumps(fitted(sheet))},
        font_paths=_fonts(),
        timestamp=stamp,
    )
    if not isinstance(made, bytes):
        raise TypeError("a PDF is one file")
    return made


def fitted(sheet: Sheet) -> dict[str, Any]:
    """What is set and how, so that it ends with the second page."""
    whole = _imaginable(sheet.pieces)
    for way in _WAYS:
        values = _values(sheet, way, whole)
        if whole == list(sheet.pieces) and _fits(values):
            break
    else:
        values = _cut(sheet, _WAYS[-1], whole)
    return _levelled(values) if values["has_back"] else values


def _imaginable(pieces: Sequence[Piece]) -> Sequence[Piece]:
    """As many pieces as could fit at all; setting more would only take time."""
    room, kept = _MOST_CHARACTERS, []
    for piece in pieces:
        room -= broadside.weight(piece)
        if room < 0:
            if broadside.length(piece):
                kept.append(broadside.shortened(piece, _MOST_CHARACTERS // 5))
            break
        kept.append(piece)
    return kept


def _levelled(values: dict[str, Any]) -> dict[str, Any]:
    """The way to sign up as high as there is room, which makes the columns above end level."""

    def raised(by: int) -> dict[str, Any]:
        return {**values, "panel": (_LEAST_PANEL + by) / 2}

    return raised(_most(_MOST_PANEL - _LEAST_PANEL, lambda by: _fits(raised(by))))


def _cut(sheet: Sheet, way: _Way, pieces: Sequence[Piece]) -> dict[str, Any]:
    """As many whole pieces as fit with the line that says where to read on, then a part of one."""

    def begun(number: int) -> dict[str, Any]:
        return _values(sheet, way, pieces[:number], is_cut=True)

    number = _most(len(pieces) - 1, lambda count: _fits(begun(count)))
    if number < len(pieces):
        following = pieces[number]

        def torn(words: int) -> dict[str, Any]:
            part = broadside.shortened(following, words)
            return _values(sheet, way, [*pieces[:number], part], is_cut=True)

        words = _most(broadside.length(following) - 1, lambda count: _fits(torn(count)))
        if words >= _FEWEST_WORDS:
            return torn(words)
    # A headline with nothing under it says nothing.
    while number and pieces[number - 1]["k"] in ("h", "rule"):
        number -= 1
    return begun(number)


def _most(limit: int, fits: Callable[[int], bool]) -> int:
    """The largest number up to `limit` that fits, 0 if none does: by halves."""
    low, high = 0, max(limit, 0)
    while low < high:
        middle = (low + high + 1) // 2
        if fits(middle):
            low = middle
        else:
            high = middle - 1
    return low


def _fits(values: dict[str, Any]) -> bool:
    import typst

    said = typst.query(
        str(SOURCE),
        "<pages>",
        field="value",
        one=True,
        sys_inputs={"sheet": json.dumps(values)},
        font_paths=_fonts(),
    )
    return int(json.loads(said)) <= PAGES


def _values(
    sheet: Sheet, way: _Way, pieces: Sequence[Piece], *, is_cut: bool = False
) -> dict[str, Any]:
    return {
        "language": sheet.language.partition("-")[0],
        "direction": sheet.direction,
        "paper": sheet.paper,
        "accent": sheet.accent,
        "publisher": sheet.publisher,
        "postal_address": " ".join(sheet.postal_address.split()),
        "title": sheet.title,
        "lead": sheet.lead,
        "dateline": sheet.dateline,
        "issue": sheet.issue,
        "pieces": list(pieces),
        "page_words": sheet.page_words,
        "invitation": sheet.invitation,
        "promise": sheet.promise,
        "signup": sheet.signup,
        "signup_shown": broadside.shown(sheet.signup),
        "qr": sheet.qr,
        "qr_words": sheet.qr_words,
        "continues": sheet.continues if is_cut else "",
        "continues_shown": broadside.shown(sheet.continues),
        "continues_words": sheet.continues_words,
        "columns": way.columns,
        "size": way.size,
        "title_size": way.title_size,
        "has_back": way.has_back,
        "panel": _LEAST_PANEL / 2,
    }


@functools.cache
def _fonts() -> Any:
    """Typst's own fonts, which have all Latin letters; the machine's for other scripts."""
    import typst

    return typst.Fonts(include_system_fonts=True)
