"""Marks that stand for slots while a message is being rendered, and cutting them out afterwards.

A mark is one made-up word, so it goes through Jinja, MJML and line wrapping like any other text;
nobody can type it, because each compilation draws a new one. The same mark stands for the same
value in the HTML and in the text part, and where it stands decides how the value is escaped.
"""

import enum
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field

from foundation.frozen import frozen
from templates import slots


class Role(enum.Enum):
    """What a mark stands for."""

    VALUE = "value"
    """A value, as text or as a whole address."""
    URL_PART = "url-part"
    """A value inside an address."""
    PIXEL = "pixel"
    """The image that counts an opening."""


class Part(enum.Enum):
    """The parts of a message."""

    SUBJECT = "subject"
    TEXT = "text"
    HTML = "html"


_PLAIN_PLACE = {Part.SUBJECT: slots.Place.HEADER, Part.TEXT: slots.Place.TEXT}


def _new_word() -> str:
    return f"hbq{secrets.token_hex(8)}q"


@dataclass(slots=True)
class Marks:
    """The marks of one compilation. Those of a section stand before and behind it."""

    _word: str = field(default_factory=_new_word)
    _made: list[tuple[str, Role, str]] = field(default_factory=list)

    def make(self, name: str, *, role: Role = Role.VALUE, default: str = "") -> str:
        """The mark for a value; the same one for the same request."""
        wish = (name, role, default)
        if wish not in self._made:
            self._made.append(wish)
        return f"{self._word}{self._made.index(wish)}z"

    @property
    def pattern(self) -> re.Pattern[str]:
        """What every mark looks like."""
        return re.compile(rf"{self._word}([se]?)(\d+)z")

    def opening(self, condition: int) -> str:
        """The mark before a section for whoever a condition holds for."""
        return f"{self._word}s{condition}z"

    @property
    def closing(self) -> str:
        """The mark behind a section."""
        return f"{self._word}e0z"

    def cut(self, rendered: str, part: Part) -> slots.Segments:
        """What was rendered, as static text with slots and sections where the marks were."""
        rendered = slots.scrubbed(rendered)
        segments: list[slots.Segment] = []
        inner: list[slots.Plain] | None = None
        condition = 0
        for each in self._split(rendered, part):
            if isinstance(each, _Border):
                if inner:
                    segments.append(slots.Section(condition, tuple(inner)))
                inner, condition = ([] if each.is_opening else None), each.condition
            elif inner is None:
                segments.append(each)
            else:
                inner.append(each)
        return tuple(segments)

    def _split(self, rendered: str, part: Part) -> Iterator["slots.Plain | _Border"]:
        at = 0
        for found in self.pattern.finditer(rendered):
            if found.start() > at:
                yield rendered[at : found.start()]
            if found[1]:
                yield _Border(is_opening=found[1] == "s", condition=int(found[2]))
            else:
                yield self._slot(int(found[2]), rendered, found.start(), part)
            at = found.end()
        if at < len(rendered):
            yield rendered[at:]

    def _slot(self, number: int, rendered: str, start: int, part: Part) -> slots.Slot:
        name, role, default = self._made[number]
        if role is Role.URL_PART:
            return slots.Slot(name, slots.Place.URL_PART, default)
        if role is Role.PIXEL:
            return slots.Slot(name, slots.Place.PIXEL, default)
        place = _PLAIN_PLACE.get(part)
        if place is None:
            is_in_tag = rendered.rfind("<", 0, start) > rendered.rfind(">", 0, start)
            place = slots.Place.ATTRIBUTE if is_in_tag else slots.Place.HTML
        return slots.Slot(name, place, default)


@frozen
class _Border:
    """Where a section begins or ends."""

    is_opening: bool
    condition: int
