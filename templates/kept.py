"""An edition as the archive keeps it: plain values that JSON holds, with nobody's data among them.

Merge fields are filled as for nobody in particular, and blocks that only some readers saw are left
out. `campaigns/archiving.py` keeps it when a bulletin goes out; whoever sets it anew (the printable
handbill) reads it.
"""

import html
import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from templates import content, mergefields

KINDS: Mapping[type[content.Block], str] = {
    content.Heading: "heading",
    content.RichText: "rich_text",
    content.Developments: "developments",
    content.Material: "material",
    content.Event: "event",
    content.Action: "action",
    content.Image: "image",
    content.Figures: "figures",
    content.Quote: "quote",
    content.Columns: "columns",
    content.Links: "links",
    content.Social: "social",
    content.Divider: "divider",
}
"""What each block is called, as in documents."""
_FOR_SOME = frozenset({"shown_to", "zip_codes"})
"""What says who sees it, which is nobody's business."""
_BRACED = re.compile(r"\{\{.*?\}\}", re.DOTALL)


def kept(edition: content.Edition, values: Mapping[str, str]) -> dict[str, Any]:
    """The edition as anybody may see it; `values` are those that are the same for everybody."""
    blocks = [
        {"kind": KINDS[type(block)], **_settled(asdict(block), values)}
        for block in edition.blocks
        if block.shown_to is None or block.shown_to.is_ordinary
    ]
    head = {
        name: _settled(getattr(edition, name), values)
        for name in ("language", "direction", "subject", "title", "preheader", "issue_title")
    }
    return {**head, "date_label": edition.date_label, "blocks": blocks}


def _settled(value: Any, values: Mapping[str, str], *, is_html: bool = False) -> Any:
    """A value with all merge fields in its texts filled."""
    match value:
        case str():
            return _in_html(value, values) if is_html else mergefields.settled(value, values)
        case dict():
            return {
                name: _settled(each, values, is_html=name.endswith("html"))
                for name, each in value.items()
                if name not in _FOR_SOME
            }
        case list() | tuple():
            return [_settled(each, values) for each in value]
    return value


def _in_html(markup: str, values: Mapping[str, str]) -> str:
    """The same in markup, where a field's quotation marks may be entities."""

    def filled(found: re.Match[str]) -> str:
        return html.escape(mergefields.settled(html.unescape(found[0]), values), quote=True)

    return _BRACED.sub(filled, markup)
