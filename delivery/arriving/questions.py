"""What staff want to know of whether mail arrives, and how answers are given."""

import enum
from collections.abc import Iterable, Mapping, Sequence

from foundation.findings import Finding, Tone
from foundation.i18n import N_


class Question(enum.StrEnum):
    """What staff want to know, in the order in which it is told."""

    DOMAIN = "domain"
    """May we send for this domain?"""
    SIGNED = "signed"
    """Is our mail signed?"""
    RETURNS = "returns"
    """Does mail that comes back reach us?"""
    RELAY = "relay"
    """Is the way to the relay safe?"""
    LINKS = "links"
    """Do our links lead to us?"""
    STANDING = "standing"
    """What do readers' hosts think of us?"""


TITLES = {
    Question.DOMAIN: N_("May we send for this domain?"),
    Question.SIGNED: N_("Is our mail signed?"),
    Question.RETURNS: N_("Does mail that comes back reach us?"),
    Question.RELAY: N_("Is the way to the relay safe?"),
    Question.LINKS: N_("Do our links lead to us?"),
    Question.STANDING: N_("What do readers' hosts think of us?"),
}
"""The questions in words, to be translated."""

Answers = Mapping[Question, Sequence[Finding]]


def worst(lines: Iterable[Finding]) -> Tone:
    """The most serious tone of some lines; without any, neutral."""
    tones = {each.tone for each in lines}
    order = (Tone.BAD, Tone.WARN, Tone.GOOD)
    return next((tone for tone in order if tone in tones), Tone.NEUTRAL)
