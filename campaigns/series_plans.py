"""The plan of a series: when, from what, in which words, to whom; typed and checked.

Staff's form, the API and the demo all make these; `Series.document` keeps them.
"""

import enum
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field, StringConstraints

from campaigns import document_problems
from campaigns.block_models import Html, Language, Line, Near, Piece
from campaigns.documents import CampaignPart, Slug
from campaigns.models import DevelopmentKind
from campaigns.series_rules import Rule
from foundation.i18n import N_, Translator
from templates import content

MAX_SECTIONS = 10
MAX_ITEMS = 40
PLACES = ("volume", "number", "date")
"""What stands in braces and is put in when an edition is drafted."""
_PLACE = re.compile(r"(?<!\{)\{(\w+)\}(?!\})")

Count = Annotated[int, Field(ge=0, le=MAX_ITEMS)]


class Mode(enum.StrEnum):
    """How far an edition goes by itself."""

    DRAFT = "draft"
    """A draft waits for its author."""
    REVIEW = "review"
    """It is given for review, and waits for approval."""
    SEND = "send"
    """It goes out at its time if nothing on the list before sending is red."""


class SectionKind(enum.StrEnum):
    """What a section takes."""

    DEVELOPMENTS = "developments"
    """What happened up to the day of the edition, newest first."""
    EVENTS = "events"
    """Public meetings on that day or later, soonest first."""
    MATERIALS = "materials"
    """New handouts."""


class Fallback(enum.StrEnum):
    """What becomes of an item that has no text in an edition's language."""

    LABEL = "label"
    """It stands there in another language, which is said."""
    LEAVE_OUT = "leave-out"
    """It is left out of that edition."""


class Section(Piece):
    """A part of each edition, with a heading of its own in each language."""

    kind: SectionKind = SectionKind.DEVELOPMENTS
    issue: Slug | Literal[""] = ""
    """Whose items it takes; the series' own issue when blank."""
    kinds: list[DevelopmentKind] = []
    """Only these kinds of developments; all when empty."""
    headings: dict[Language, Line] = {}
    least: Count = 0
    """With fewer it is left out of the edition."""
    most: Annotated[int, Field(ge=1, le=MAX_ITEMS)] = 10
    carries_over: bool = True
    """Whether what did not fit is taken first the next time, or never."""
    near: Near = Near.NO
    """What living near the place of something changes for a reader; handouts have no place."""


class Words(Piece):
    """What stands around the items, in one language."""

    subject: Annotated[str, StringConstraints(min_length=1, max_length=300)]
    preheader: Line = ""
    title: Line = ""
    opening: Html = ""
    closing: Html = ""

    @pydantic.field_validator("subject", "preheader", "title", "opening", "closing")
    @classmethod
    def _places_exist(cls, value: str) -> str:
        unknown = unknown_places(value)
        if unknown:
            allowed = ", ".join(f"{{{name}}}" for name in PLACES)
            raise ValueError(f"there is no {unknown[0]}; there are {allowed}")
        return value


class Plan(Piece):
    """Everything about a series that staff decide."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=120)]
    issue: Slug
    mode: Mode = Mode.REVIEW
    rule: Rule
    template: content.Template = content.Template.BULLETIN
    editions: Annotated[dict[Language, Words], Field(min_length=1)]
    sections: Annotated[list[Section], Field(min_length=1, max_length=MAX_SECTIONS)]
    least: Count = 1
    """With fewer items that are new to its readers there is no edition."""
    most: Annotated[int, Field(ge=1, le=MAX_ITEMS)] = 12
    partner_most: Count = 0
    """Items of one partner in an edition; 0 is as many as there are."""
    credits: bool = True
    """Whether it is said which partner an item is from."""
    fallback: Fallback = Fallback.LABEL
    oldest_days: Annotated[int, Field(ge=1, le=366)] = 45
    """What is older than this is no news any more."""
    volume: Annotated[int, Field(ge=1, le=9999)] = 1
    next_number: Annotated[int, Field(ge=1, le=9999)] = 1
    is_yearly: bool = False
    """Whether each year is a volume, counted from 1."""
    owner: Line = ""
    """The address of the member of staff who is told when something is wrong."""
    audience: dict[str, Any] = {}
    """See `campaigns/audiences.py`."""
    campaign: CampaignPart = CampaignPart()

    @property
    def languages(self) -> list[str]:
        """Of the editions, by name: a database keeps no order of keys."""
        return sorted(self.editions)


def parse(values: Mapping[str, Any]) -> Plan:
    """A plan from its values. Raises `errors.Invalid`; its `fields` name every wrong place."""
    try:
        return Plan.model_validate(dict(values))
    except pydantic.ValidationError as problem:
        raise document_problems.explained(problem, values, "", model=Plan) from problem


def dump(plan: Plan) -> dict[str, Any]:
    """The plan as JSON values."""
    return plan.model_dump(mode="json", exclude_defaults=True)


def unknown_places(text: str) -> list[str]:
    """What stands in braces and can't be put in."""
    return [f"{{{name}}}" for name in _PLACE.findall(text) if name not in PLACES]


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with what stands in braces put in."""
    return _PLACE.sub(lambda found: values[found[1]], text)


MODE_WORDS: Mapping[Mode, str] = {
    Mode.DRAFT: N_("makes a draft"),
    Mode.REVIEW: N_("makes a draft and asks for approval"),
    Mode.SEND: N_("sends by itself if nothing is red"),
}
SECTION_WORDS: Mapping[SectionKind, str] = {
    SectionKind.DEVELOPMENTS: N_("What happened"),
    SectionKind.EVENTS: N_("Meetings to come"),
    SectionKind.MATERIALS: N_("New handouts"),
}


def heading(section: Section, speaks: Translator) -> str:
    """What a section is called: its heading in a language, or what it takes."""
    found = section.headings.get(speaks.language)
    return found or speaks.gettext(SECTION_WORDS[section.kind])
