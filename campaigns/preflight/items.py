"""One line of the list before sending: how something is, and where it can be mended."""

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace

from campaigns import wording
from campaigns.findings import Finding
from foundation.errors import Speaks
from foundation.findings import Tone
from foundation.frozen import frozen
from foundation.i18n import N_, Translator

_ORDER = (Tone.BAD, Tone.WARN, Tone.NEUTRAL, Tone.GOOD)


class Where(enum.StrEnum):
    """Where something can be mended."""

    BLOCK = "block"
    """A block of the bulletin, by its number."""
    HEAD = "head"
    """The subject, preheader and title of an edition."""
    BULLETIN = "bulletin"
    """The bulletin as a whole."""
    AUDIENCE = "audience"
    """Who gets the campaign."""
    SENDER = "sender"
    """From whom it comes, and by which relay."""
    SETTING = "setting"
    """A setting of the site."""
    CAMPAIGN = "campaign"
    """Another campaign."""
    HANDOUT = "handout"
    """A handout, with its files."""
    TRANSLATION = "translation"
    """The translation of a development, handout or snippet."""
    TRIAL = "trial"
    """The plan to try two forms."""


_WORDS: Mapping[Where, str] = {
    Where.BLOCK: N_("Block %(name)s"),
    Where.HEAD: N_("Subjects and look"),
    Where.BULLETIN: N_("The bulletin"),
    Where.AUDIENCE: N_("Who gets it"),
    Where.SENDER: N_("Sender"),
    Where.SETTING: N_("Setting %(name)s"),
    Where.CAMPAIGN: N_("The other campaign"),
    Where.HANDOUT: N_("The handout"),
    Where.TRANSLATION: N_("The translation"),
    Where.TRIAL: N_("Trying two forms"),
}


@frozen
class Place:
    """A page of the staff room where something can be mended."""

    where: Where
    path: str
    name: str = ""
    """A block's number, or a setting as `[section] key`."""

    def say(self, speaks: Speaks) -> str:
        """What the place is called."""
        return speaks.gettext(_WORDS[self.where]) % {"name": self.name}


@frozen
class Item:
    """One line of the list."""

    code: str
    tone: Tone
    msgid: str
    plural: str = ""
    """The msgid for several, where `values` have a `count`."""
    values: Mapping[str, object] = field(default_factory=dict)
    language_values: Sequence[str] = ()
    """Which of `values` are languages, to be named in the reader's."""
    finding: Finding | None = None
    """What the bulletin's own check said, in whose words it is told."""
    place: Place | None = None
    about: str = ""
    """Which of several with this code: a link, a language, a block."""
    is_final: bool = False
    """Whether a red one can't be overridden: sending would fail, or go to nobody."""
    reason: str = ""
    """Why an owner lets it go out in spite of this."""

    @property
    def key(self) -> str:
        """What this line is about, the same each time that it is looked at."""
        return f"{self.code}:{self.about}"

    @property
    def stops(self) -> bool:
        """Whether the campaign can't go out because of it."""
        return self.tone is Tone.BAD and not self.reason

    def say(self, speaks: Speaks) -> str:
        """The line in the reader's language."""
        if self.finding is not None:
            return self.finding.say(speaks)
        values = dict(self.values)
        if isinstance(speaks, Translator):
            for name in self.language_values:
                values[name] = wording.language_name(str(values[name]), speaks)
            values |= {
                name: speaks.number(each)
                for name, each in values.items()
                if type(each) is int and name != "number"
            }
        text = self._text(speaks)
        return text % values if values else text

    def _text(self, speaks: Speaks) -> str:
        count = self.values.get("count")
        if not self.plural or not isinstance(count, int):
            return speaks.gettext(self.msgid)
        if isinstance(speaks, Translator):
            return speaks.ngettext(self.msgid, self.plural, count)
        return speaks.gettext(self.msgid if count == 1 else self.plural)


Words = str | tuple[str, str]
"""A msgid, or one for a `count` of one and one for several."""


def good(code: str, words: Words, **values: object) -> Item:
    """Something that is as it should be."""
    return _made(Tone.GOOD, code, words, values)


def neutral(code: str, words: Words, **values: object) -> Item:
    """Something that was not looked at, or is only said."""
    return _made(Tone.NEUTRAL, code, words, values)


def warn(
    code: str, words: Words, *, place: Place | None = None, about: str = "", **values: object
) -> Item:
    """Something to look at; it can go out like this."""
    return replace(_made(Tone.WARN, code, words, values), place=place, about=about)


def bad(
    code: str,
    words: Words,
    *,
    place: Place | None = None,
    about: str = "",
    is_final: bool = False,
    **values: object,
) -> Item:
    """Something that has to be mended first, or that an owner has to answer for."""
    made = _made(Tone.BAD, code, words, values)
    return replace(made, place=place, about=about, is_final=is_final)


def _made(tone: Tone, code: str, words: Words, values: Mapping[str, object]) -> Item:
    singular, plural = (words, "") if isinstance(words, str) else words
    return Item(
        code=code,
        tone=tone,
        msgid=singular,
        plural=plural,
        values=values,
        language_values=[name for name in values if name in ("language", "other")],
    )


def ordered(found: Iterable[Item]) -> list[Item]:
    """What stops it first, then what should be looked at."""
    return sorted(found, key=lambda each: (_ORDER.index(each.tone), bool(each.reason)))


def is_clear(found: Iterable[Item]) -> bool:
    """Whether nothing stops the campaign."""
    return not any(each.stops for each in found)
