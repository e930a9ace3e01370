"""What was found where something was looked at: how it is, and what to do where it is not well.

`handbill doctor`, the page on deliverability and the list before a campaign say it in lines of one
of four tones.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from foundation.errors import HandbillError, Speaks


class Tone(enum.StrEnum):
    """How much something matters."""

    GOOD = "good"
    """As it should be."""
    NEUTRAL = "neutral"
    """Said so that it is known; nothing has to be done, or nobody can tell from here."""
    WARN = "warn"
    """Look at it; it can go on like this."""
    BAD = "bad"
    """It can't, or must not, go on like this."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """A DNS record as it should stand."""

    name: str
    kind: str
    """TXT, MX, PTR, A…"""
    content: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One line: what was looked at, how it is, and what to do where it is not well."""

    code: str
    tone: Tone
    msgid: str
    values: Mapping[str, object] = field(default_factory=dict)
    advice: str = ""
    """A msgid; blank where nothing has to be done."""
    publish: Record | None = None
    """What to put into the DNS."""

    @property
    def is_good(self) -> bool:
        """Whether nothing has to be mended first."""
        return self.tone is not Tone.BAD

    def say(self, speaks: Speaks) -> str:
        """How it is."""
        values = {
            name: value.say(speaks) if isinstance(value, HandbillError) else value
            for name, value in self.values.items()
        }
        return speaks.gettext(self.msgid) % values

    def advise(self, speaks: Speaks) -> str:
        """What to do; blank where nothing has to be done."""
        return speaks.gettext(self.advice) % self.values if self.advice else ""


def good(code: str, msgid: str, **values: object) -> Finding:
    """A thing that is as it should be."""
    return Finding(code=code, tone=Tone.GOOD, msgid=msgid, values=values)


def neutral(code: str, msgid: str, advice: str = "", **values: object) -> Finding:
    """A thing that is good to know."""
    return Finding(code=code, tone=Tone.NEUTRAL, msgid=msgid, advice=advice, values=values)


def warn(
    code: str, msgid: str, advice: str, publish: Record | None = None, **values: object
) -> Finding:
    """A thing that could be better, with what to do."""
    return Finding(
        code=code, tone=Tone.WARN, msgid=msgid, advice=advice, publish=publish, values=values
    )


def bad(
    code: str, msgid: str, advice: str, publish: Record | None = None, **values: object
) -> Finding:
    """A thing that is not as it has to be, with what to do."""
    return Finding(
        code=code, tone=Tone.BAD, msgid=msgid, advice=advice, publish=publish, values=values
    )
