"""How each kind of block is written: the fields of its form, for all languages and in each.

`block_pages.py` shows and reads the forms; what was typed becomes a block in `composer.py`.
"""

from collections.abc import Mapping, Sequence

from campaigns import block_models
from campaigns.block_models import Near
from campaigns.picture_making import Shape
from campaigns.staff_forms import FieldSpec, Widget
from foundation.frozen import frozen
from foundation.i18n import N_


@frozen
class BlockForm:
    """How a kind of block is written: fields for all languages, and fields in each."""

    label: str
    hint: str
    shared: Sequence[FieldSpec] = ()
    sides: Sequence[FieldSpec] = ()
    inner: Sequence[FieldSpec] = ()
    """Fields in each language that are asked for elsewhere, once for each thing in the block."""


def _own_url(name: str) -> FieldSpec:
    return FieldSpec(
        name=name,
        label=N_("Its own address, if it has one"),
        hint=N_("Empty: the address for all languages"),
        limit=2000,
    )


_LINK = N_("Starts with https:// or mailto:; site:/… is a page of ours")
_TWO_COLUMNS = N_(
    "Two things side by side, each with a picture, text and a button; on phones, one under the "
    "other."
)
_DESK = N_("Empty: what the desk says")
NEAR: Mapping[Near, str] = {
    Near.NO: N_("Changes nothing"),
    Near.FIRST: N_("They have it first, all others in its usual place"),
    Near.ONLY: N_("They alone see it"),
}
"""What it changes to live near, in words."""
_NEAR = FieldSpec(
    name="near",
    label=N_("For people who live near"),
    widget=Widget.SELECT,
    hint=N_("Who gave no ZIP code lives near nothing."),
)
_ONLY_TRANSLATED = FieldSpec(
    name="only_translated",
    label=N_("Leave out of an edition what is not in its language"),
    widget=Widget.FLAG,
)

FORMS: Mapping[str, BlockForm] = {
    "heading": BlockForm(
        label=N_("Heading"),
        hint=N_("A headline between blocks."),
        shared=(FieldSpec(name="level", label=N_("Size"), widget=Widget.SELECT),),
        sides=(FieldSpec(name="text", label=N_("Words"), limit=200),),
    ),
    "rich_text": BlockForm(
        label=N_("Text"),
        hint=N_(
            "Paragraphs, lists and links. “Reader’s name and more” puts in what differs from one "
            "reader to another."
        ),
        sides=(FieldSpec(name="html", label=N_("Text"), widget=Widget.RICH),),
    ),
    "columns": BlockForm(
        label=N_("Two columns"),
        hint=_TWO_COLUMNS,
        shared=(
            FieldSpec(name="first_picture", label=N_("Picture of the first"), widget=Widget.SELECT),
            FieldSpec(name="first_url", label=N_("Where its button leads"), hint=_LINK, limit=2000),
            FieldSpec(
                name="second_picture", label=N_("Picture of the second"), widget=Widget.SELECT
            ),
            FieldSpec(
                name="second_url", label=N_("Where its button leads"), hint=_LINK, limit=2000
            ),
        ),
        sides=(
            FieldSpec(name="first_html", label=N_("First column"), widget=Widget.RICH),
            FieldSpec(name="first_alt", label=N_("What its picture shows"), limit=300),
            FieldSpec(name="first_label", label=N_("Words on its button"), limit=80),
            _own_url("first_url"),
            FieldSpec(name="second_html", label=N_("Second column"), widget=Widget.RICH),
            FieldSpec(name="second_alt", label=N_("What its picture shows"), limit=300),
            FieldSpec(name="second_label", label=N_("Words on its button"), limit=80),
            _own_url("second_url"),
        ),
    ),
    "quote": BlockForm(
        label=N_("Quote"),
        hint=N_("What somebody said, and who they are."),
        sides=(
            FieldSpec(name="html", label=N_("Their words"), widget=Widget.RICH),
            FieldSpec(name="by", label=N_("Who said it"), limit=200),
            FieldSpec(name="role", label=N_("What they are"), hint=N_("Such as: teacher in Lynn")),
        ),
    ),
    "developments": BlockForm(
        label=N_("Developments"),
        hint=N_("What happened: developments that you choose, or all since a day."),
        shared=(
            FieldSpec(
                name="since",
                label=N_("All since"),
                widget=Widget.DATE,
                hint=N_("Empty: only what is chosen below. Else what is chosen stands first."),
            ),
            FieldSpec(name="limit", label=N_("At most"), widget=Widget.NUMBER),
            _NEAR,
            _ONLY_TRANSLATED,
            FieldSpec(
                name="credits", label=N_("Say which partner each is from"), widget=Widget.FLAG
            ),
            FieldSpec(name="keys", label=N_("Choose"), widget=Widget.CHECKS),
        ),
        sides=(FieldSpec(name="title", label=N_("Title over the list"), limit=200),),
        inner=(
            FieldSpec(name="headline", label=N_("Headline"), hint=_DESK, limit=200),
            FieldSpec(name="summary_html", label=N_("Summary"), hint=_DESK, widget=Widget.RICH),
        ),
    ),
    "figures": BlockForm(
        label=N_("Figures"),
        hint=N_("Numbers from the issue's page, with their sources."),
        shared=(FieldSpec(name="keys", label=N_("Which"), widget=Widget.CHECKS),),
        sides=(FieldSpec(name="title", label=N_("Title over the list"), limit=200),),
    ),
    "own_figures": BlockForm(
        label=N_("Figures of your own"),
        hint=N_("Numbers that you write here, each with what it counts and where it is from."),
        sides=(
            FieldSpec(name="title", label=N_("Title over the list"), limit=200),
            FieldSpec(
                name="items",
                label=N_("Figures"),
                widget=Widget.ROWS,
                rows=(
                    FieldSpec(
                        name="value", label=N_("Number"), hint=N_("Such as “1 in 3”"), limit=40
                    ),
                    FieldSpec(name="label", label=N_("What it counts"), limit=300),
                    FieldSpec(name="source", label=N_("Source"), limit=200),
                    FieldSpec(name="url", label=N_("Address of the source"), limit=2000),
                ),
                most=block_models.MAX_FIGURES,
            ),
        ),
    ),
    "material": BlockForm(
        label=N_("Handout"),
        hint=N_("A handout to open or print, in the reader's language where there is one."),
        shared=(
            FieldSpec(name="material", label=N_("Which"), widget=Widget.SELECT),
            _ONLY_TRANSLATED,
        ),
        sides=(
            FieldSpec(name="lead", label=N_("A sentence that leads to it"), limit=300),
            FieldSpec(name="title", label=N_("Another title"), hint=N_("Empty: the handout's own")),
            FieldSpec(name="label", label=N_("Words of the link"), limit=80),
        ),
    ),
    "event": BlockForm(
        label=N_("Event"),
        hint=N_("Something to come to: when, where, and what happens there."),
        shared=(
            FieldSpec(name="starts_at", label=N_("Starts"), widget=Widget.MOMENT),
            FieldSpec(name="ends_at", label=N_("Ends"), widget=Widget.MOMENT),
            FieldSpec(name="zone", label=N_("Time zone"), hint=N_("Empty: this site's")),
            FieldSpec(name="url", label=N_("Address of more about it"), hint=_LINK, limit=2000),
            _NEAR,
            FieldSpec(
                name="postal_code",
                label=N_("ZIP code or town of the place"),
                hint=N_("Such as 01608 or “Worcester, MA”"),
            ),
            FieldSpec(name="miles", label=N_("Miles around that are near"), widget=Widget.NUMBER),
        ),
        sides=(
            FieldSpec(name="title", label=N_("Title"), limit=200),
            FieldSpec(name="place", label=N_("Place"), limit=200),
            FieldSpec(name="address", label=N_("Street and town"), limit=200),
            FieldSpec(name="body_html", label=N_("What happens there"), widget=Widget.RICH),
            _own_url("url"),
        ),
    ),
    "action": BlockForm(
        label=N_("Call to action"),
        hint=N_("One button, for the one thing that readers should do."),
        shared=(FieldSpec(name="url", label=N_("Where it leads"), hint=_LINK, limit=2000),),
        sides=(
            FieldSpec(name="lead", label=N_("A sentence that leads to it"), limit=300),
            FieldSpec(name="label", label=N_("Words on the button"), limit=80),
            _own_url("url"),
        ),
    ),
    "links": BlockForm(
        label=N_("List of links"),
        hint=N_("Where to read on: a title, an address and a line for each."),
        sides=(
            FieldSpec(name="title", label=N_("Title over the list"), limit=200),
            FieldSpec(
                name="items",
                label=N_("Links"),
                widget=Widget.ROWS,
                rows=(
                    FieldSpec(name="title", label=N_("Title"), limit=200),
                    FieldSpec(name="url", label=N_("Address"), hint=_LINK, limit=2000),
                    FieldSpec(name="line", label=N_("A line about it"), limit=300),
                ),
                most=block_models.MAX_LINKS,
            ),
        ),
    ),
    "image": BlockForm(
        label=N_("Picture"),
        hint=N_("Say what it shows: many readers' programs don't load pictures."),
        shared=(
            FieldSpec(name="shape", label=N_("Cut to"), widget=Widget.SELECT),
            FieldSpec(name="width", label=N_("Width in pixels"), widget=Widget.NUMBER),
            FieldSpec(name="url", label=N_("Where a press on it leads"), hint=_LINK, limit=2000),
        ),
        sides=(
            FieldSpec(
                name="alt",
                label=N_("What it shows"),
                hint=N_("Empty: what is said of the picture under Pictures"),
                limit=300,
            ),
            FieldSpec(name="caption", label=N_("Words under it"), limit=300),
        ),
    ),
    "social": BlockForm(
        label=N_("Social links"),
        hint=N_(
            "Where else people can follow you. Each is called by its name: Instagram, WhatsApp…"
        ),
        shared=(
            FieldSpec(
                name="urls",
                label=N_("Addresses, one to a line"),
                widget=Widget.AREA,
                hint=N_("Such as https://instagram.com/yourcoalition"),
                limit=8000,
            ),
        ),
        sides=(
            FieldSpec(
                name="title",
                label=N_("Words before them"),
                hint=N_("Such as: Follow us"),
                limit=200,
            ),
        ),
    ),
    "snippet": BlockForm(
        label=N_("Saved snippet"),
        hint=N_(
            "Something that you say again and again, written once. Change it there, and it changes "
            "in every bulletin that is not sent yet."
        ),
        shared=(FieldSpec(name="snippet", label=N_("Which"), widget=Widget.SELECT),),
    ),
    "divider": BlockForm(label=N_("Line"), hint=N_("A thin line between two parts.")),
}
"""Every kind of block, in the order in which they are offered."""

WORDED = frozenset(
    {"heading", "rich_text", "quote", "own_figures", "event", "action", "links", "image"}
)
"""Kinds that say nothing without words of their own."""
SHAPES = (
    (Shape.AS_IS, N_("As it is")),
    (Shape.WIDE, N_("Wide (16:9)")),
    (Shape.SQUARE, N_("Square (1:1)")),
)
LEVELS = ((2, N_("Large")), (3, N_("Medium")), (4, N_("Small")))
