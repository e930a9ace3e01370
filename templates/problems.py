"""What can be wrong with a template, with what staff typed, or with a stored plan."""

from collections.abc import Mapping
from dataclasses import field

from foundation import errors
from foundation.frozen import frozen
from foundation.i18n import N_


class TemplateProblem(errors.HandbillError):
    """A mail template is wrong; `file` and `line` say where, `detail` what."""

    def __init__(self, *, file: str, line: int, detail: str) -> None:
        super().__init__(
            N_("%(file)s, line %(line)s: %(detail)s"), file=file, line=line, detail=detail
        )
        self.file = file
        self.line = line
        self.detail = detail


@frozen
class Where:
    """Where in an edition something stands, to be said in the language of whoever reads it."""

    msgid: str
    """An English text, with `%(number)s` where a block's number belongs."""
    number: int = 0
    """The block, counted from 1; 0 outside the blocks."""

    def __str__(self) -> str:
        return self.msgid % {"number": self.number} if self.number else self.msgid

    def say(self, speaks: errors.Speaks) -> str:
        """The place in the reader's language."""
        text = speaks.gettext(self.msgid)
        return text % {"number": self.number} if self.number else text


Spot = str | Where
"""Where something stands: as it is, or to be translated."""


class ContentProblem(errors.Invalid):
    """What staff typed can't be sent as it is; `place` says where it stands."""

    def __init__(self, msgid: str, *, place: Spot, **values: object) -> None:
        super().__init__(msgid, fields=None, place=place, **values)
        self.place = place

    def say(self, speaks: errors.Speaks) -> str:
        """The message in the reader's language, its place too."""
        where = self.place.say(speaks) if isinstance(self.place, Where) else self.place
        return speaks.gettext(self.msgid) % {**self.values, "place": where}


class MergeFieldProblem(ContentProblem):
    """A merge field does not exist or is not written as one."""


class PlanProblem(errors.HandbillError):
    """A stored plan can't be read, or values for its slots are missing."""


class NoticeProblem(errors.HandbillError):
    """A notice was asked for with the wrong particulars."""


@frozen
class Concern:
    """Something that does not stop a mail but should be looked at before it goes out."""

    code: str
    msgid: str
    values: Mapping[str, str | int] = field(default_factory=dict)

    def say(self, speaks: errors.Speaks) -> str:
        """The concern in the reader's language."""
        text = speaks.gettext(self.msgid)
        return text % self.values if self.values else text
