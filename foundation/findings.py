"""What was found where something was looked at: how it is, and what to do where it is not well.

`handbill doctor`, the page on deliverability and the list before a campaign say it in lines of one
of four tones.
"""

import dataclasses
import enum
from collections.abc import Mapping
from dataclasses import field
from datetime import datetime

from foundation.errors import HandbillError, Speaks
from foundation.frozen import frozen
from foundation.i18n import Translator


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


class Share(float):
    """A value that is a part of a whole, told as a percentage."""

    __slots__ = ()


@frozen
class Record:
    """A DNS record as it should stand."""

    name: str
    kind: str
    """TXT, MX, PTR, A…"""
    content: str


@frozen
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
    def is_bad(self) -> bool:
        """Whether it has to be mended."""
        return self.tone is Tone.BAD

    def publishing(self, record: Record) -> "Finding":
        """The same, with what to put into the DNS."""
        return dataclasses.replace(self, publish=record)

    def say(self, speaks: Speaks) -> str:
        """How it is."""
        return speaks.gettext(self.msgid) % self._told(speaks)

    def advise(self, speaks: Speaks) -> str:
        """What to do; blank where nothing has to be done."""
        return speaks.gettext(self.advice) % self._told(speaks) if self.advice else ""

    def _told(self, speaks: Speaks) -> Mapping[str, object]:
        return {name: _told(value, speaks) for name, value in self.values.items()}


def _told(value: object, speaks: Speaks) -> object:
    """A value as its reader writes it."""
    if isinstance(value, HandbillError):
        return value.say(speaks)
    if isinstance(speaks, Translator):
        if isinstance(value, Share):
            return speaks.percent(value, digits=2)
        if isinstance(value, datetime):
            return speaks.moment(value)
        if isinstance(value, int):
            return speaks.number(value)
    return value


def good(code: str, msgid: str, **values: object) -> Finding:
    """A thing that is as it should be."""
    return Finding(code=code, tone=Tone.GOOD, msgid=msgid, values=values)


def neutral(code: str, msgid: str, advice: str = "", **values: object) -> Finding:
    """A thing that is good to know."""
    return Finding(code=code, tone=Tone.NEUTRAL, msgid=msgid, advice=advice, values=values)


def warn(code: str, msgid: str, advice: str, **values: object) -> Finding:
    """A thing that could be better, with what to do."""
    return Finding(code=code, tone=Tone.WARN, msgid=msgid, advice=advice, values=values)


def bad(code: str, msgid: str, advice: str, **values: object) -> Finding:
    """A thing that is not as it has to be, with what to do."""
    return Finding(code=code, tone=Tone.BAD, msgid=msgid, advice=advice, values=values)
