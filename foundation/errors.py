"""The one family of errors that verbs raise when a request can't be carried out.

Each carries a message that a person can act on, as an English msgid with its values, so that the
page, the API or the command line can say it in the reader's language. None knows about HTTP:
`foundation/web/errors.py` is the one place that turns an error into a status and a page.
"""

from collections.abc import Iterable, Mapping
from typing import Protocol


class Speaks(Protocol):
    """Translates a msgid, such as `foundation.i18n.Translator`."""

    def gettext(self, msgid: str) -> str:
        """The text of `msgid` in the reader's language."""
        ...


class Word(str):
    """A value of a message that is itself to be translated, such as the name of a state."""

    __slots__ = ()

    def say(self, speaks: Speaks) -> str:
        """The word in the reader's language."""
        return speaks.gettext(self)


class Said(Protocol):
    """Says itself in a reader's language."""

    def say(self, speaks: Speaks, /) -> str:
        """The words."""
        ...


class Several:
    """A value of a message that is several sentences, each to be translated by itself."""

    __slots__ = ("_parts",)

    def __init__(self, parts: Iterable[Said]) -> None:
        self._parts = tuple(parts)

    def __str__(self) -> str:
        return self.say(_English())

    def say(self, speaks: Speaks) -> str:
        """One after the other, in the reader's language."""
        return " ".join(part.say(speaks) for part in self._parts)


class _English:
    """Speaks as the msgids do."""

    def gettext(self, msgid: str) -> str:
        return msgid


class HandbillError(Exception):
    """Something asked for can't be done, and here is what to do about it.

    `msgid` is an English text with `%(name)s` places; `values` fill them.
    """

    def __init__(self, msgid: str, **values: object) -> None:
        self.msgid = msgid
        self.values = values
        super().__init__(msgid % values if values else msgid)

    def say(self, speaks: Speaks) -> str:
        """The message in the reader's language; `Word` and `Several` among its values too."""
        text = speaks.gettext(self.msgid)
        if not self.values:
            return text
        return text % {
            name: value.say(speaks) if isinstance(value, (Word, Several)) else value
            for name, value in self.values.items()
        }


class Invalid(HandbillError):
    """What was sent in is wrong; `fields` names each wrong field with its own message."""

    def __init__(
        self, msgid: str, *, fields: Mapping[str, HandbillError] | None = None, **values: object
    ) -> None:
        super().__init__(msgid, **values)
        self.fields: dict[str, HandbillError] = dict(fields or {})


class Mistyped(Invalid):
    """What was sent in may be right, but looks like a slip; `suggestion` is what was meant."""

    def __init__(self, msgid: str, *, suggestion: str, fields: Mapping[str, HandbillError]) -> None:
        super().__init__(msgid, fields=fields)
        self.suggestion = suggestion


class ProofNeeded(HandbillError):
    """A proof of work has to come along; `challenge` is what the proof has to solve."""

    def __init__(self, msgid: str, *, challenge: Mapping[str, object]) -> None:
        super().__init__(msgid)
        self.challenge = challenge


class NotFound(HandbillError):
    """There is no such thing, or not for this person."""


class Forbidden(HandbillError):
    """The person is known, but may not do this."""


class SignInNeeded(HandbillError):
    """The person has to say first who they are."""


class Refused(HandbillError):
    """The thing's state does not allow what was asked, such as starting a sent campaign."""


class Conflict(HandbillError):
    """Somebody else changed the thing in the meantime; nothing was overwritten."""


class TooLarge(HandbillError):
    """What was sent in is larger than is taken."""


class TooMany(HandbillError):
    """Asked too often; `retry_after_s` says when to come back, in seconds."""

    def __init__(self, msgid: str, *, retry_after_s: int, **values: object) -> None:
        super().__init__(msgid, **values)
        self.retry_after_s = retry_after_s


class Busy(HandbillError):
    """The database, disk or a server that is needed can't be used just now; try again."""


class NoRoom(Busy):
    """The database's disk is full; what waits is written when there is room again."""


class BadToken(HandbillError):
    """A link's token is forged, cut short, or meant for something else."""


class ConfigProblem(HandbillError):
    """The configuration is wrong; the message names the key, its line and what is allowed."""
