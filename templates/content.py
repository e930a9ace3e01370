"""A resolved edition in one language: what the compiler takes, with nothing left to look up.

`campaigns` builds these from its bulletins. Fields that end in `_html` hold rich text, which the
compiler sanitises; `url` fields hold absolute http(s) addresses, a `mailto:`, or one merge field
that stands for an address; every other text is plain. Merge fields may stand in any text.
"""

from enum import StrEnum

from foundation import looks, sections
from foundation.frozen import frozen
from templates.conditions import Condition


class Template(StrEnum):
    """The mail templates that an edition can be set in."""

    BULLETIN = "bulletin"
    """A regular bulletin: masthead with issue and date, any number of blocks."""
    ALERT = "alert"
    """A short call to do one thing now."""


@frozen
class Shown:
    """Base of every block."""

    shown_to: Condition | None = None
    """Who sees it; None is everybody."""


@frozen
class Heading(Shown):
    """A headline between blocks; `level` runs from 2 (the largest) to 4."""

    text: str
    level: int = 2


@frozen
class RichText(Shown):
    """Paragraphs, lists, quotations and links."""

    html: str


@frozen
class DevelopmentItem:
    """One dated thing that happened, told in the edition's language."""

    kind: str
    """The kind's code, such as `ruling`."""
    kind_label: str
    date_label: str
    headline: str
    place: str = ""
    summary_html: str = ""
    url: str = ""
    source_name: str = ""
    credit: str = ""
    """Says which partner brought it."""
    language_note: str = ""
    """Says that the text is in another language, where there is no translation."""
    language: str = ""
    """That other language's tag."""
    zip_codes: str = ""
    """The codes around its place, one behind the other; blank where nearness does not matter."""


@frozen
class Developments(Shown):
    """A list of developments under an optional title."""

    items: tuple[DevelopmentItem, ...]
    title: str = ""


@frozen
class Material(Shown):
    """A handout to open or print; `label` is the link's text."""

    title: str
    url: str
    label: str
    lead: str = ""
    language: str = ""
    """Of title and lead, where that is another language than the edition's."""


@frozen
class Event(Shown):
    """Something to come to: when, where, and what happens there."""

    title: str
    when_label: str
    body_html: str = ""
    place: str = ""
    address: str = ""
    url: str = ""
    zip_codes: str = ""
    """The codes around its place, one behind the other; blank where nearness does not matter."""
    calendar_url: str = ""
    """Where it can be had for a calendar."""


@frozen
class Action(Shown):
    """The call to action: one button, with a sentence that leads to it."""

    label: str
    url: str
    lead: str = ""


@frozen
class Image(Shown):
    """A picture; `alt` says what it shows (empty only where it adds nothing), `width` in pixels."""

    src: str
    alt: str
    is_decorative: bool = False
    """Whether somebody said that it adds nothing."""
    width: int | None = None
    caption: str = ""
    url: str = ""


@frozen
class Figure:
    """One number, what it counts, and where it is from."""

    value: str
    label: str
    source_name: str = ""
    url: str = ""
    language_note: str = ""
    """Says that its words are in another language, where there is no translation."""
    language: str = ""
    """That other language's tag."""


@frozen
class Figures(Shown):
    """Numbers that tell the story, under an optional title."""

    items: tuple[Figure, ...]
    title: str = ""


@frozen
class Quote(Shown):
    """What somebody said, who they are, and what they are."""

    html: str
    by: str = ""
    role: str = ""


@frozen
class Column:
    """One of two columns; a button needs both label and address."""

    html: str = ""
    image: Image | None = None
    label: str = ""
    url: str = ""


@frozen
class Columns(Shown):
    """Two columns, one under the other on phones."""

    items: tuple[Column, ...]


@frozen
class LinkItem:
    """One of a list of links, and a line about it."""

    title: str
    url: str
    line: str = ""


@frozen
class Links(Shown):
    """A list of links under an optional title."""

    items: tuple[LinkItem, ...]
    title: str = ""


@frozen
class Social(Shown):
    """Where else people can follow, in one line, behind an optional title."""

    items: tuple[LinkItem, ...]
    title: str = ""


@frozen
class Divider(Shown):
    """A hairline between two parts."""


Block = (
    Heading
    | RichText
    | Columns
    | Quote
    | Developments
    | Figures
    | Material
    | Event
    | Action
    | Links
    | Image
    | Social
    | Divider
)


def images(block: Block) -> tuple[Image, ...]:
    """The pictures of a block."""
    if isinstance(block, Image):
        return (block,)
    if isinstance(block, Columns):
        return tuple(each.image for each in block.items if each.image)
    return ()


@frozen
class Edition:
    """A bulletin in one language, ready to be compiled."""

    language: str
    """A BCP 47 tag such as `es`."""
    subject: str
    title: str
    blocks: tuple[Block, ...]
    direction: str = "ltr"
    template: Template | str = Template.BULLETIN
    own_template: str = ""
    """The source of a template that is the site's own; it stands in for `template`."""
    preheader: str = ""
    """What inboxes show behind the subject."""
    date_label: str = ""
    issue_title: str = ""
    campaign_name: str = ""


@frozen
class Brand:
    """Who is writing: the same for everything that a site sends."""

    site_name: str
    site_url: str
    postal_address: str
    accent: str = "#8c2f1b"
    """The one colour for what acts or matters, as `#rrggbb`."""
    logo_url: str = ""
    language: str = ""
    """The site's default: links to its pages say in which other language they are to open."""
    paper: str = ""
    ink: str = ""
    headline_face: str = ""
    text_face: str = ""
    """Blank is the usual, for each of these."""
    tagline: str = ""
    """Under the name at the head of a mail."""
    footer_html: str = ""
    """At the foot of a bulletin."""

    @classmethod
    def from_site(
        cls, site: sections.Site, look: looks.Look | None = None, *, language: str = ""
    ) -> "Brand":
        """The brand that the settings describe, with what staff chose; its words in a language."""
        chosen = look or looks.Look()
        return cls(
            site_name=site.name,
            site_url=site.url,
            postal_address=site.postal_address,
            accent=chosen.accent or site.accent,
            logo_url=f"{site.url.rstrip('/')}{chosen.logo}" if chosen.logo else site.logo_url,
            language=site.language,
            paper=chosen.paper,
            ink=chosen.ink,
            headline_face=chosen.headline_face,
            text_face=chosen.text_face,
            tagline=chosen.taglines.get(language, ""),
            footer_html=chosen.footers.get(language, ""),
        )
