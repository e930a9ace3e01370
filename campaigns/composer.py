"""Arranging a bulletin's blocks: pure changes of a document, and how each kind of block is written.

`composer_pages.py` and `block_pages.py` call these and keep the result with `bulletins.save`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from campaigns import (
    block_models,
    documents,
    links,
    readers,
    social_names,
    staff_forms,
)
from campaigns.block_models import AnyBlock, Near
from campaigns.documents import Document
from campaigns.picture_making import Shape
from campaigns.staff_forms import FieldSpec, Widget
from foundation import errors
from foundation.ground import Ground
from foundation.i18n import N_, Translator
from templates import mergefields, prose


@dataclass(frozen=True, kw_only=True, slots=True)
class BlockForm:
    """How a kind of block is written: fields for all languages, and fields in each."""

    label: str
    hint: str
    shared: Sequence[FieldSpec] = ()
    sides: Sequence[FieldSpec] = ()


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
            "Paragraphs, lists and links. {{ subscriber.first_name | default_if_blank(“friend”) }} "
            "becomes the reader's first name."
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
START = "^"
"""In place of a block's name: before all blocks."""
SHAPES = (
    (Shape.AS_IS, N_("As it is")),
    (Shape.WIDE, N_("Wide (16:9)")),
    (Shape.SQUARE, N_("Square (1:1)")),
)
LEVELS = ((2, N_("Large")), (3, N_("Medium")), (4, N_("Small")))


def insert(document: Document, block: AnyBlock, *, after: str = "") -> Document:
    """The document with a block behind the one called `after`, at the `START`, else at the end.

    It keeps its name where that is free.
    """
    blocks = list(document.blocks)
    ids = [each.id for each in blocks]
    place = 0 if after == START else ids.index(after) + 1 if after in ids else len(blocks)
    if not block.id or block.id in ids:
        block = block.model_copy(update={"id": documents.new_id(ids)})
    return document.with_blocks([*blocks[:place], block, *blocks[place:]])


def replace(document: Document, block: AnyBlock) -> Document:
    """The document with another block of the same name; at the end if it is gone."""
    if all(each.id != block.id for each in document.blocks):
        return document.with_blocks([*document.blocks, block])
    return document.with_blocks(block if each.id == block.id else each for each in document.blocks)


def arrange(document: Document, *, action: str, block_id: str, fresh: str = "") -> Document:
    """Move a block `up` or `down`, `duplicate` (as `fresh`) or `delete` it.

    Raises `errors.NotFound`.
    """
    place = document.place(block_id)
    blocks = list(document.blocks)
    if action == "up" and place > 0:
        blocks[place - 1 : place + 1] = [blocks[place], blocks[place - 1]]
    elif action == "down" and place + 1 < len(blocks):
        blocks[place : place + 2] = [blocks[place + 1], blocks[place]]
    elif action == "delete":
        del blocks[place]
    elif action == "duplicate":
        name = fresh or documents.new_id(each.id for each in blocks)
        blocks.insert(place + 1, blocks[place].model_copy(update={"id": name}))
    return document.with_blocks(blocks)


def reorder(document: Document, ids: Sequence[str]) -> Document:
    """The blocks in the order of `ids`; those not named keep their order at the end."""
    order = {block_id: place for place, block_id in enumerate(ids)}
    return document.with_blocks(
        sorted(document.blocks, key=lambda block: order.get(block.id, len(order)))
    )


def started(
    ground: Ground, *, name: str, issue: str, template: str, since: date | None
) -> Document:
    """A new bulletin in every language of the site; with `since`, of the developments since."""
    blocks: list[dict[str, Any]] = []
    if since is not None:
        blocks = [
            {"kind": "rich_text", "texts": {}},
            {"kind": "developments", "since": since.isoformat()},
        ]
    return documents.parse(
        {
            "name": name,
            "issue": issue,
            "template": template,
            "default_language": ground.settings.site.language,
            "editions": {code: {} for code in ground.catalog.languages},
            "blocks": blocks,
        }
    )


def blank(kind: str) -> AnyBlock:
    """A new block of a kind in which nothing is written yet. Raises `errors.Invalid`."""
    return documents.parse_block({"kind": kind, "id": documents.new_id(())})


def block_from(
    kind: str,
    shared: Mapping[str, Any],
    sides: Mapping[str, Mapping[str, Any]],
    *,
    block_id: str,
    over: AnyBlock | None = None,
) -> AnyBlock:
    """A block from what was typed; blank fields are left out. Raises `errors.Invalid`.

    What a document says of the block `over` and no form asks for stays.
    """
    texts = {
        code: {name: text for name, text in fields.items() if text}
        for code, fields in sides.items()
        if any(fields.values())
    }
    typed = {name: value for name, value in shared.items() if value not in ("", None, [])}
    values: dict[str, Any] = {"kind": kind, **_unasked(kind, over, typed), **typed}
    if FORMS[kind].sides:
        values["texts"] = texts
    try:
        block = documents.parse_block(values)
    except errors.Invalid as problem:
        raise errors.Invalid(
            N_("Something needs to be mended before this can be kept."),
            fields={_field_name(place): said for place, said in problem.fields.items()},
        ) from problem
    _check_links(block)
    return block.model_copy(update={"id": block_id})


def values_of(block: AnyBlock) -> dict[str, str]:
    """A block as the values of its form."""
    kept = block.model_dump(mode="json", exclude_none=True)
    values: dict[str, str] = readers.values_of(block)
    for code, fields in kept.pop("texts", {}).items():
        for name, text in fields.items():
            if isinstance(text, list):
                values |= staff_forms.row_values(f"{name}-{code}", text)
            else:
                values[f"{name}-{code}"] = text
    for name, value in kept.items():
        if isinstance(value, bool):
            values[name] = "1" if value else ""
        elif name == "urls":
            values[name] = "\n".join(value)
        elif isinstance(value, (str, int)):
            values[name] = str(value)
    if isinstance(block, block_models.Event):
        for name, moment in (("starts_at", block.starts_at), ("ends_at", block.ends_at)):
            values[name] = block_models.local(moment) if moment else ""
    if values.get("limit") == str(block_models.MAX_DEVELOPMENTS):
        values["limit"] = ""
    return values


def excerpt(block: AnyBlock, language: str) -> str:
    """What a block says in a language, in a few words."""
    text = getattr(block, "texts", {}).get(language)
    if text is None:
        return ""
    return mergefields.at_a_glance(" · ".join(_said(text.model_dump())))[:400]


def _said(fields: Mapping[str, Any]) -> Iterator[str]:
    """The words of some fields; an address says nothing."""
    for name, value in fields.items():
        if isinstance(value, list):
            for each in value:
                yield from _said(each)
        elif value and not name.endswith("url"):
            yield prose.plain(value) if name.endswith("html") else value


def about(block: AnyBlock, translator: Translator) -> str:
    """What a block names, the same in all languages, in a few words."""
    speak = translator.gettext
    if isinstance(block, block_models.Developments):
        parts = []
        if block.keys:
            words = translator.ngettext("%(count)s chosen", "%(count)s chosen", len(block.keys))
            parts.append(words % {"count": len(block.keys)})
        if block.since is not None:
            parts.append(speak(N_("All since %(day)s")) % {"day": translator.date(block.since)})
        if block.since_days is not None:
            words = speak(N_("All of the last %(days)s days"))
            parts.append(words % {"days": block.since_days})
        return ", ".join(parts) or speak(N_("Nothing chosen yet"))
    if isinstance(block, block_models.Figures):
        return ", ".join(block.keys)
    if isinstance(block, block_models.Material):
        return block.material
    if isinstance(block, block_models.Event) and block.starts_at is not None:
        return block_models.local(block.starts_at).replace("T", " ")
    if isinstance(block, block_models.Action):
        return block.url
    if isinstance(block, block_models.SavedSnippet):
        return block.snippet
    if isinstance(block, block_models.Social):
        return ", ".join(social_names.name(each) for each in block.urls)
    return ""


def _unasked(kind: str, over: AnyBlock | None, typed: Mapping[str, Any]) -> dict[str, Any]:
    """What documents can say of a block and its form does not ask for."""
    if isinstance(over, block_models.Image) and kind == over.kind and "picture" not in typed:
        return {"src": over.src} if over.src else {}
    if isinstance(over, block_models.Developments) and kind == over.kind:
        is_chosen = "keys" in typed or "since" in typed
        return {"since_days": over.since_days} if over.since_days and not is_chosen else {}
    return {}


def _field_name(place: str) -> str:
    """`texts.es.title` → `title-es`; a list's place names the list."""
    parts = place.split(".")
    if parts[0] == "texts" and len(parts) >= 3:
        return f"{parts[2].partition('[')[0]}-{parts[1]}"
    if parts[0] in ("only_to", "all_but"):
        return "seen_by" if len(parts) == 1 else parts[1].partition("[")[0]
    return "main" if place == "document" else parts[0].partition("[")[0]


def _check_links(block: AnyBlock) -> None:
    """Refuse links that lead nowhere while the person who typed them is still there."""
    for name, value in block:
        if name == "urls":
            for each in value:
                links.check(each, field=name)
        elif name.endswith("url"):
            links.check(value, field=name)
    for code, text in getattr(block, "texts", {}).items():
        for name, value in text:
            if name.endswith("url"):
                links.check(value, field=f"{name}-{code}")
            elif name == "items":
                for each in value:
                    links.check(each.url, field=f"{name}-{code}")
