"""What `doctor` says about one thing: how it is, and what to do where it is not well."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from foundation.errors import HandbillError, Speaks


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One line: what was looked at, how it is, and what to do where it is not well."""

    code: str
    is_good: bool
    msgid: str
    values: Mapping[str, object] = field(default_factory=dict)
    advice: str = ""
    """A msgid; blank where all is well."""

    def say(self, speaks: Speaks) -> str:
        """How it is."""
        values = {
            name: value.say(speaks) if isinstance(value, HandbillError) else value
            for name, value in self.values.items()
        }
        return speaks.gettext(self.msgid) % values

    def advise(self, speaks: Speaks) -> str:
        """What to do; blank where all is well."""
        return speaks.gettext(self.advice) % self.values if self.advice else ""


def good(code: str, msgid: str, **values: object) -> Finding:
    """A thing that is as it should be."""
    return Finding(code=code, is_good=True, msgid=msgid, values=values)


def bad(code: str, msgid: str, advice: str, **values: object) -> Finding:
    """A thing that is not, with what to do."""
    return Finding(code=code, is_good=False, msgid=msgid, advice=advice, values=values)
