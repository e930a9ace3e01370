"""The kinds of blocks that a bulletin is made of, typed and checked, with who sees each.

`documents.py` puts them into a document; `docs/bulletin-documents.md` describes every key.
"""

import enum
import typing
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Literal

import pydantic
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from campaigns import zips
from campaigns.picture_making import Shape
from foundation import clock
from templates.conditions import Condition

MAX_DEVELOPMENTS = 50
MAX_FIGURES = 8
MAX_LINKS = 20
MAX_SOCIAL = 12

Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
LINE_LENGTH, ADDRESS_LENGTH, HTML_LENGTH = 300, 2_000, 50_000
"""Characters that the texts of a bulletin have at most."""
Line = Annotated[str, StringConstraints(max_length=LINE_LENGTH, pattern=r"^[^\x00-\x1f\x7f]*$")]
Address = Annotated[
    str, StringConstraints(max_length=ADDRESS_LENGTH, pattern=r"^[^\x00-\x1f\x7f]*$")
]
Html = Annotated[str, StringConstraints(max_length=HTML_LENGTH)]


Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
"""What a development is called: its short name, or its number."""
ZipCode = Annotated[str, StringConstraints(pattern=r"^(\d{5})?$")]
Miles = Annotated[int, Field(ge=1, le=zips.MOST_MILES)]


class Near(enum.StrEnum):
    """What it changes for a reader to live near the place of something."""

    NO = ""
    """Nothing."""
    FIRST = "first"
    """They have it first; all others see it in its usual place."""
    ONLY = "only"
    """They alone see it."""


class Piece(BaseModel):
    """Base of every part of a document: unknown keys are refused, nothing changes in place."""

    model_config = ConfigDict(
        defer_build=True, extra="forbid", frozen=True, str_strip_whitespace=True
    )


Named = Annotated[
    str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")
]
"""The name of a town, or a postal code or its beginning."""


class Readers(Piece):
    """Whoever fits one of these: places that people gave us, or speaking for a member."""

    towns: Annotated[list[Named], Field(max_length=200)] = []
    postal_codes: Annotated[list[Named], Field(max_length=200)] = []
    """Codes, or how they begin."""
    members: bool = False

    @pydantic.model_validator(mode="after")
    def _names_somebody(self) -> "Readers":
        if not (self.towns or self.postal_codes or self.members):
            raise ValueError("name towns, postal_codes or members")
        return self


class Block(Piece):
    """Base of every kind of block."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{0,20}$")] = ""
    """A name within the document, given when it is first kept."""
    only_to: Readers | None = None
    """Who sees it; everybody when neither this nor `all_but` is there."""
    all_but: Readers | None = None
    """Who does not see it."""

    @pydantic.model_validator(mode="after")
    def _one_rule(self) -> "Block":
        if self.only_to and self.all_but:
            raise ValueError("choose one of only_to and all_but")
        return self

    @property
    def condition(self) -> Condition | None:
        """On whom it depends whether it is shown; None for a block that everybody sees."""
        named = self.only_to or self.all_but
        if named is None:
            return None
        return Condition(
            towns=tuple(named.towns),
            postal_codes=tuple(named.postal_codes),
            members=named.members,
            is_reversed=self.all_but is not None,
        )


class HeadingText(Piece):
    """A headline in one language."""

    text: Line = ""


class Heading(Block):
    """A headline between blocks."""

    kind: Literal["heading"] = "heading"
    level: Annotated[int, Field(ge=2, le=4)] = 2
    texts: dict[Language, HeadingText] = {}


class RichTextText(Piece):
    """Rich text in one language."""

    html: Html = ""


class RichText(Block):
    """Paragraphs, lists, quotations and links."""

    kind: Literal["rich_text"] = "rich_text"
    texts: dict[Language, RichTextText] = {}


class TitleText(Piece):
    """The title over a list, in one language."""

    title: Line = ""


class OwnWordsText(Piece):
    """What a bulletin says of a development in one language; what is blank says the desk."""

    headline: Line = ""
    summary_html: Html = ""


class OwnWords(Piece):
    """What a bulletin says of a development in place of the desk."""

    texts: dict[Language, OwnWordsText] = {}


class Developments(Block):
    """Developments: those named by `keys`, then all others since a date or number of days."""

    kind: Literal["developments"] = "developments"
    keys: Annotated[list[str | pydantic.StrictInt], Field(max_length=MAX_DEVELOPMENTS)] = []
    since: date | None = None
    since_days: Annotated[int, Field(ge=1, le=3660)] | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_DEVELOPMENTS)] = MAX_DEVELOPMENTS
    only_translated: bool = False
    """Whether what has no text in an edition's language is left out there."""
    credits: bool = False
    """Whether it is said which partner each is from."""
    near: Near = Near.NO
    """What living near a development's place changes; those without a ZIP code are for all."""
    short: dict[Name, OwnWords] = {}
    """Own words for some of them, by key or number; see `shortening.py`."""
    texts: dict[Language, TitleText] = {}

    @pydantic.model_validator(mode="after")
    def _one_choice(self) -> "Developments":
        if self.since is not None and self.since_days is not None:
            raise ValueError("choose one of since and since_days")
        return self


class Figures(Block):
    """Figures of the issue's page, named by their keys."""

    kind: Literal["figures"] = "figures"
    keys: Annotated[list[str], Field(max_length=12)] = []
    texts: dict[Language, TitleText] = {}


class MaterialText(Piece):
    """What is said of a handout, in one language; blank fields come from the material."""

    title: Line = ""
    lead: Line = ""
    label: Line = ""


class Material(Block):
    """A handout of the issue, named by its slug."""

    kind: Literal["material"] = "material"
    material: Line = ""
    only_translated: bool = False
    """Whether it is left out of an edition whose language it has no file in."""
    texts: dict[Language, MaterialText] = {}


class EventText(Piece):
    """An event in one language."""

    title: Line = ""
    place: Line = ""
    address: Line = ""
    body_html: Html = ""
    url: Address = ""


class Event(Block):
    """Something to come to. Times are local to `zone` (the site's when blank)."""

    kind: Literal["event"] = "event"
    starts_at: pydantic.NaiveDatetime | None = None
    ends_at: pydantic.NaiveDatetime | None = None
    zone: str = ""
    url: Address = ""
    near: Near = Near.NO
    postal_code: ZipCode = ""
    """The ZIP code of where it is."""
    miles: Miles = zips.USUAL_MILES
    """How far around there is near."""
    texts: dict[Language, EventText] = {}

    @field_validator("zone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        return clock.known_zone(value) if value else value

    @pydantic.model_validator(mode="after")
    def _ends_after_start(self) -> "Event":
        if self.starts_at and self.ends_at and self.ends_at < self.starts_at:
            raise ValueError("ends_at is before starts_at")
        return self

    @pydantic.model_validator(mode="after")
    def _is_somewhere(self) -> "Event":
        if self.near is not Near.NO and not self.postal_code:
            raise ValueError("near needs the postal_code of the event")
        return self


class ActionText(Piece):
    """A call to action in one language; a blank `url` is the block's."""

    label: Line = ""
    lead: Line = ""
    url: Address = ""


class Action(Block):
    """The call to action: one button."""

    kind: Literal["action"] = "action"
    url: Address = ""
    texts: dict[Language, ActionText] = {}


class ImageText(Piece):
    """What a picture shows, in one language."""

    alt: Line = ""
    caption: Line = ""
    url: Address = ""


class Image(Block):
    """A picture: one that was uploaded (by digest or file name), or an address elsewhere."""

    kind: Literal["image"] = "image"
    picture: Line = ""
    src: Address = ""
    shape: Shape = Shape.AS_IS
    """How one that was uploaded is cut, around what has to be in view."""
    width: Annotated[int, Field(ge=16, le=1200)] | None = None
    url: Address = ""
    texts: dict[Language, ImageText] = {}


class QuoteText(Piece):
    """What somebody said, in one language."""

    html: Html = ""
    by: Line = ""
    """Who said it."""
    role: Line = ""
    """What they are: “teacher in Lynn”."""


class Quote(Block):
    """What somebody said, set apart."""

    kind: Literal["quote"] = "quote"
    texts: dict[Language, QuoteText] = {}


class ColumnsText(Piece):
    """The words of two columns in one language; a blank address is the block's."""

    first_html: Html = ""
    first_alt: Line = ""
    """What the picture shows."""
    first_label: Line = ""
    """The words on the button; no button without them."""
    first_url: Address = ""
    second_html: Html = ""
    second_alt: Line = ""
    second_label: Line = ""
    second_url: Address = ""


class Columns(Block):
    """Two columns, each with a picture, text and a button; one under the other on phones."""

    kind: Literal["columns"] = "columns"
    first_picture: Line = ""
    """A picture that was uploaded, by digest or file name."""
    first_url: Address = ""
    second_picture: Line = ""
    second_url: Address = ""
    texts: dict[Language, ColumnsText] = {}


class OwnFigure(Piece):
    """A number as it is written in one language, and where it is from."""

    value: Line = ""
    label: Line = ""
    """What it counts."""
    source: Line = ""
    url: Address = ""
    """Where its source can be read."""


class OwnFiguresText(Piece):
    """Figures in one language, under an optional title."""

    title: Line = ""
    items: Annotated[list[OwnFigure], Field(max_length=MAX_FIGURES)] = []


class OwnFigures(Block):
    """Figures that are written here, not on the issue's page."""

    kind: Literal["own_figures"] = "own_figures"
    texts: dict[Language, OwnFiguresText] = {}


class LinkItem(Piece):
    """One of a list of links; its own address where there is no title."""

    title: Line = ""
    url: Address = ""
    line: Line = ""
    """What is found there."""


class LinksText(Piece):
    """Links in one language, under an optional title."""

    title: Line = ""
    items: Annotated[list[LinkItem], Field(max_length=MAX_LINKS)] = []


class Links(Block):
    """A list of links, with a line about each."""

    kind: Literal["links"] = "links"
    texts: dict[Language, LinksText] = {}


class Social(Block):
    """Where else people can follow: addresses, which are called by whose they are."""

    kind: Literal["social"] = "social"
    urls: Annotated[list[Address], Field(max_length=MAX_SOCIAL)] = []
    texts: dict[Language, TitleText] = {}


class SavedSnippet(Block):
    """A saved snippet by its name, which shows as it is when the bulletin is made."""

    kind: Literal["snippet"] = "snippet"
    snippet: Line = ""


class Divider(Block):
    """A hairline between two parts."""

    kind: Literal["divider"] = "divider"


AnyBlock = (
    Heading
    | RichText
    | Columns
    | Quote
    | Developments
    | Figures
    | OwnFigures
    | Material
    | Event
    | Action
    | Links
    | Image
    | Social
    | SavedSnippet
    | Divider
)
KINDS: Mapping[str, type[Block]] = {
    model.model_fields["kind"].default: model for model in typing.get_args(AnyBlock)
}
"""Every kind of block by its name in documents."""


def local(moment: datetime) -> str:
    """A local time as documents write it: `2026-12-01T18:30`."""
    return moment.isoformat(timespec="minutes")
