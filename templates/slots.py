"""What a message plan is made of: text that is the same for all, slots, and sections for some.

Filling a slot is all the work that is left when a message goes out: each knows how a value is
escaped at the place where it stands.
"""

import html as std_html
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar
from urllib.parse import quote

from templates.conditions import Answers


class Place(StrEnum):
    """Where a slot stands, which decides how its value is escaped."""

    HEADER = "header"
    """In the subject."""
    HTML = "html"
    """Between HTML tags."""
    ATTRIBUTE = "attribute"
    """In a quoted HTML attribute, as text or as a whole address."""
    URL_PART = "url-part"
    """Inside an address of the HTML or the text part; percent-encoded."""
    TEXT = "text"
    """In the text part."""
    PIXEL = "pixel"
    """A whole image element that counts an opening, or nothing when the value is blank."""


_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_CONTROLS_IN_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
_CLEARLY_CLEAN = re.compile(r"[!-~](?:[ -~]*[!-~])?")


def clean(value: str) -> str:
    """A value as one line of real characters: no controls, line breaks or lone surrogates."""
    if _CLEARLY_CLEAN.fullmatch(value):
        return value
    whole = value.encode("utf-8", "replace").decode("utf-8")
    return _CONTROLS.sub(" ", whole).strip()


def scrubbed(text: str) -> str:
    """A longer text without controls and lone surrogates; line breaks and tabs stay."""
    whole = text.encode("utf-8", "replace").decode("utf-8")
    return _CONTROLS_IN_TEXT.sub(" ", whole)


@dataclass(frozen=True, slots=True)
class Slot:
    """A hole in a plan: which value goes there, how, and what stands in for a blank one."""

    name: str
    place: Place
    default: str = ""

    def fill(self, value: str) -> str:
        """The text that stands in the slot for `value`."""
        return _ESCAPES[self.place](clean(value) or clean(self.default))

    @property
    def keeps_plain(self) -> bool:
        """Whether a value of plain characters stands here just as it is."""
        return self.place not in (Place.URL_PART, Place.PIXEL)


def _pixel(value: str) -> str:
    if not value:
        return ""
    address = std_html.escape(value)
    return (
        f'<img src="{address}" alt="" width="1" height="1" role="presentation" '
        'style="display:block;width:1px;height:1px;border:0">'
    )


_ESCAPES: Mapping[Place, Callable[[str], str]] = {
    Place.HEADER: str,
    Place.HTML: std_html.escape,
    Place.ATTRIBUTE: std_html.escape,
    Place.URL_PART: lambda value: quote(value, safe=""),
    Place.TEXT: str,
    Place.PIXEL: _pixel,
}


Plain = str | Slot


@dataclass(frozen=True, slots=True)
class Section:
    """What is shown to a reader only if one of the plan's conditions holds for them."""

    condition: int
    """Its place among the plan's conditions, from 0."""
    segments: tuple[Plain, ...]


Segment = Plain | Section
Segments = tuple[Segment, ...]


def shown(segments: Sequence[Segment], answers: Answers | None) -> Iterator[Plain]:
    """The segments without those sections that `answers` hide; None hides nothing."""
    for part in segments:
        if not isinstance(part, Section):
            yield part
        elif answers is None or answers[part.condition]:
            yield from part.segments


def joined(segments: Iterable[Plain], values: Mapping[str, str]) -> str:
    """The text for one reader."""
    return "".join(
        [part if isinstance(part, str) else part.fill(values[part.name]) for part in segments]
    )


def filled(segments: Sequence[Segment], values: Mapping[str, str]) -> Segments:
    """With the slots filled that `values` names, neighbouring texts joined to be encoded as one."""
    return _merged(
        Section(part.condition, filled_plain(part.segments, values))
        if isinstance(part, Section)
        else _known(part, values)
        for part in segments
    )


def filled_plain(segments: Iterable[Plain], values: Mapping[str, str]) -> tuple[Plain, ...]:
    """The same for segments without sections."""
    return _merged(_known(part, values) for part in segments)


def _known(part: Plain, values: Mapping[str, str]) -> Plain:
    if isinstance(part, Slot) and part.name in values:
        return part.fill(values[part.name])
    return part


_Part = TypeVar("_Part", Plain, Segment)


def _merged(parts: Iterable[_Part]) -> tuple[_Part, ...]:
    found: list[_Part] = []
    for part in parts:
        before = found[-1] if found else None
        if isinstance(part, str) and isinstance(before, str):
            found[-1] = before + part
        else:
            found.append(part)
    return tuple(found)
