"""Marks that stand for slots while a message is being rendered, and cutting them out afterwards.

A mark is one made-up word, so it goes through Jinja, MJML and line wrapping like any other text;
nobody can type it, because each compilation draws a new one. The same mark stands for the same
value in the HTML and in the text part, and where it stands decides how the value is escaped.
"""

import enum
import re
import secrets
from dataclasses import dataclass, field

from templates import plan


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


_PLAIN_PLACE = {Part.SUBJECT: plan.Place.HEADER, Part.TEXT: plan.Place.TEXT}


def _new_word() -> str:
    return f"hbq{secrets.token_hex(8)}q"


@dataclass(slots=True)
class Marks:
    """The marks of one compilation."""

    _word: str = field(default_factory=_new_word)
    _made: list[tuple[str, Role, str]] = field(default_factory=list)

    def make(self, name: str, *, role: Role = Role.VALUE, default: str = "") -> str:
        """The mark for a value; the same one for the same request."""
        wish = (name, role, default)
        if wish not in self._made:
            self._made.append(wish)
        return f"{self._word}{self._made.index(wish)}z"

    def cut(self, rendered: str, part: Part) -> plan.Segments:
        """What was rendered, as static text with slots where the marks were."""
        rendered = plan.scrubbed(rendered)
        segments: list[plan.Segment] = []
        at = 0
        for found in re.finditer(rf"{self._word}(\d+)z", rendered):
            if found.start() > at:
                segments.append(rendered[at : found.start()])
            segments.append(self._slot(int(found[1]), rendered, found.start(), part))
            at = found.end()
        if at < len(rendered):
            segments.append(rendered[at:])
        return tuple(segments)

    def _slot(self, number: int, rendered: str, start: int, part: Part) -> plan.Slot:
        name, role, default = self._made[number]
        if role is Role.URL_PART:
            return plan.Slot(name, plan.Place.URL_PART, default)
        if role is Role.PIXEL:
            return plan.Slot(name, plan.Place.PIXEL, default)
        place = _PLAIN_PLACE.get(part)
        if place is None:
            is_in_tag = rendered.rfind("<", 0, start) > rendered.rfind(">", 0, start)
            place = plan.Place.ATTRIBUTE if is_in_tag else plan.Place.HTML
        return plan.Slot(name, place, default)
