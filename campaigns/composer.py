"""Arranging a bulletin's blocks: pure changes of a document, and blocks from what was typed.

`composer_pages.py` and `block_pages.py` call these and keep the result with `bulletins.save`.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from campaigns import (
    block_forms,
    block_models,
    documents,
    links,
    readers,
    social_names,
    staff_forms,
)
from campaigns.block_models import AnyBlock
from campaigns.documents import Document
from foundation import errors
from foundation.ground import Ground
from foundation.i18n import N_, Translator
from templates import mergefields, prose

START = "^"
"""In place of a block's name: before all blocks."""


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
    if block_forms.FORMS[kind].sides:
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
        unasked: dict[str, Any] = {"short": _still_shown(over, typed)}
        if over.since_days and not is_chosen:
            unasked["since_days"] = over.since_days
        return unasked
    return {}


def _still_shown(
    over: block_models.Developments, typed: Mapping[str, Any]
) -> Mapping[str, block_models.OwnWords]:
    """Own words, without those for developments that were taken out of what is shown."""
    if "since" in typed or (over.since_days and "keys" not in typed):
        return over.short
    named = {str(key) for key in over.keys} - set(typed.get("keys", []))
    return {name: own for name, own in over.short.items() if name not in named}


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
