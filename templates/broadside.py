"""Takes an edition as the archive keeps it (`kept.py`) apart into pieces that are set on paper.

A piece is what is not torn apart when a bulletin is too long for its sheet: a paragraph, an item of
a list, a development. `handbill.py` sets them. Nothing here is code to the typesetter: pieces go to
it as data.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from foundation.i18n import N_, Translator
from templates import prose

Piece = dict[str, Any]
_WITHOUT_LINE = frozenset({"p", "li", "quote", "img", "link"})
"""What has no line over itself, so that a divider in front of it says something."""
_LONGEST_TYPED = 48
_BREAK = re.compile(r"[/._=-](?=.)")
Pictures = Mapping[str, str]
"""Address of a picture → an SVG that holds it."""


def pieces(
    edition: Mapping[str, Any], *, pictures: Pictures, translator: Translator, whole_url: str = ""
) -> list[Piece]:
    """The pieces of an edition in their order; what can't be printed is left out.

    `whole_url`: where the bulletin can be read, and with it a handout that has an address which
    nobody would type.
    """
    made: list[Piece] = []
    for block in edition["blocks"]:
        made.extend(_MAKERS[block["kind"]](block, pictures, translator))
    for piece in made:
        if piece["k"] == "material" and whole_url and not _is_typed(piece["url"]):
            piece["shown"] = shown(whole_url)
    following = [*(each["k"] for each in made[1:]), "end"]
    return [
        piece
        for piece, after in zip(made, following, strict=False)
        if piece["k"] != "rule" or after in _WITHOUT_LINE
    ]


def sources(edition: Mapping[str, Any]) -> list[str]:
    """The addresses of an edition's pictures."""
    blocks = edition["blocks"]
    columns = [item for each in blocks if each["kind"] == "columns" for item in each["items"]]
    images = [each for each in blocks if each["kind"] == "image"]
    return [each["src"] for each in (*images, *filter(None, (it["image"] for it in columns)))]


def shown(url: str) -> str:
    """An address as people type it, with places where a line may end; of one that nobody would
    type, only whose it is.
    """
    words = _typed(url) if _is_typed(url) else urlsplit(url).netloc
    return _BREAK.sub("\\g<0>\u200b", words)


def _typed(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.netloc}{parts.path}".rstrip("/") if parts.netloc else url


def _is_typed(url: str) -> bool:
    """Whether people would type an address."""
    return max(map(len, _typed(url).split("/"))) <= _LONGEST_TYPED


def weight(piece: Piece) -> int:
    """About how much a piece says, in characters."""
    return sum(len(words) for words in _words(piece))


def shortened(piece: Piece, words: int) -> Piece:
    """A paragraph with only its first so many words, and a sign that it goes on."""
    left, spans = words, []
    for span in piece["spans"]:
        found = span.get("t", "").split(" ")
        if len(found) >= left:
            spans.append({**span, "t": " ".join(found[:left]).rstrip(" ,;:.") + "…"})
            break
        spans.append(span)
        left -= len(found)
    return {**piece, "spans": spans}


def length(piece: Piece) -> int:
    """How many words a paragraph has; 0 for what is not one."""
    if piece["k"] != "p":
        return 0
    return sum(len(span.get("t", "").split(" ")) for span in piece["spans"])


def _words(value: Any, name: str = "") -> Iterator[str]:
    match value:
        case str() if name not in ("k", "u", "url", "svg"):
            yield value
        case dict():
            for key, each in value.items():
                yield from _words(each, key)
        case list():
            for each in value:
                yield from _words(each)


def _rich(html: str) -> list[Piece]:
    made: list[Piece] = []
    for child in prose.parse(html).children:
        if isinstance(child, prose.Element):
            made.extend(_block(child, 0))
    return made


def _block(element: prose.Element, depth: int) -> Iterator[Piece]:
    if element.tag in prose.LISTS:
        for number, item in enumerate(element.children, start=1):
            if isinstance(item, prose.Element):
                mark = "–" if element.tag == "ul" else f"{number}."
                yield from _item(item, mark, depth)
    elif element.tag == "blockquote":
        spans: list[Piece] = []
        for child in element.children:
            spans.extend([{"br": True}] if spans else [])
            spans.extend(_spans(child))
        yield {"k": "quote", "spans": spans}
    else:
        kind = "h" if element.tag in prose.HEADINGS else "p"
        yield {"k": "p", "spans": list(_spans(element, b=kind == "h"))}


def _item(item: prose.Element, mark: str, depth: int) -> Iterator[Piece]:
    inside = [each for each in item.children if not _is_list(each)]
    spans = [span for child in inside for span in _spans(child)]
    yield {"k": "li", "mark": mark, "depth": depth, "spans": spans}
    for child in item.children:
        if isinstance(child, prose.Element) and child.tag in prose.LISTS:
            yield from _block(child, depth + 1)


def _is_list(node: prose.Element | str) -> bool:
    return isinstance(node, prose.Element) and node.tag in prose.LISTS


def _spans(node: prose.Element | str, **marks: Any) -> Iterator[Piece]:
    if isinstance(node, str):
        words = _one_line(node)
        if words:
            yield {"t": words, **marks}
        return
    if node.tag == "br":
        yield {"br": True}
        return
    inside = dict(marks)
    if node.tag in ("strong", "b"):
        inside["b"] = True
    elif node.tag in ("em", "i"):
        inside["i"] = True
    elif node.tag == "a" and node.href.startswith(("http", "mailto:")):
        inside["u"] = node.href
    for child in node.children:
        yield from _spans(child, **inside)


def _one_line(text: str) -> str:
    """Text with single blanks, also at its ends: words of the next element may follow."""
    words = " ".join(text.split())
    before = " " if text[:1].isspace() else ""
    after = " " if text[-1:].isspace() else ""
    return f"{before}{words}{after}" if words else (" " if text else "")


def _heading(block: Mapping[str, Any], _p: Pictures, _t: Translator) -> list[Piece]:
    return [{"k": "h", "text": block["text"]}]


def _rich_text(block: Mapping[str, Any], _p: Pictures, _t: Translator) -> list[Piece]:
    return _rich(block["html"])


def _developments(block: Mapping[str, Any], _p: Pictures, speaks: Translator) -> list[Piece]:
    made: list[Piece] = [{"k": "h", "text": block["title"]}] if block["title"] else []
    return [*made, *(_development(item, speaks) for item in block["items"])]


def _development(item: Mapping[str, Any], speaks: Translator) -> Piece:
    source = _source(speaks, item["source_name"])
    return {
        "k": "dev",
        "kind": item["kind_label"],
        "meta": " · ".join(filter(None, (item["date_label"], item["place"]))),
        "headline": item["headline"],
        "url": item["url"],
        "note": item["language_note"],
        "rich": _rich(item["summary_html"]),
        "source": " · ".join(filter(None, (source, item["credit"]))),
    }


def _figures(block: Mapping[str, Any], _p: Pictures, speaks: Translator) -> list[Piece]:
    made: list[Piece] = [{"k": "h", "text": block["title"]}] if block["title"] else []
    items = [
        {
            "value": each["value"],
            "label": each["label"],
            "source": _source(speaks, each["source_name"]),
        }
        for each in block["items"]
    ]
    return [*made, {"k": "figures", "items": items}]


def _material(block: Mapping[str, Any], _p: Pictures, speaks: Translator) -> list[Piece]:
    return [
        {
            "k": "material",
            "kind": speaks.gettext(N_("Handout")),
            "title": block["title"],
            "lead": block["lead"],
            "url": block["url"],
            "shown": shown(block["url"]),
        }
    ]


def _event(block: Mapping[str, Any], _p: Pictures, speaks: Translator) -> list[Piece]:
    return [
        {
            "k": "event",
            "kind": speaks.gettext(N_("Event")),
            "title": block["title"],
            "when": block["when_label"],
            "place": ", ".join(filter(None, (block["place"], block["address"]))),
            "rich": _rich(block["body_html"]),
            "url": block["url"],
            "shown": shown(block["url"]),
        }
    ]


def _action(block: Mapping[str, Any], _p: Pictures, _t: Translator) -> list[Piece]:
    return [
        {
            "k": "action",
            "lead": block["lead"],
            "label": block["label"],
            "url": block["url"],
            "shown": shown(block["url"]),
        }
    ]


def _image(block: Mapping[str, Any], pictures: Pictures, _t: Translator) -> list[Piece]:
    svg = pictures.get(block["src"])
    if svg is None:
        return []
    return [{"k": "img", "svg": svg, "alt": block["alt"], "caption": block["caption"]}]


def _quote(block: Mapping[str, Any], _p: Pictures, _t: Translator) -> list[Piece]:
    spans: list[Piece] = []
    for piece in _rich(block["html"]):
        spans += [{"br": True}] if spans else []
        spans += piece["spans"]
    by = ", ".join(filter(None, (block["by"], block["role"])))
    return [{"k": "said", "spans": spans, "by": f"— {by}" if by else ""}]


def _columns(block: Mapping[str, Any], pictures: Pictures, speaks: Translator) -> list[Piece]:
    """One column under the other: the sheet has columns of its own."""
    made: list[Piece] = []
    for column in block["items"]:
        if column["image"]:
            made += _image(column["image"], pictures, speaks)
        made += _rich(column["html"])
        if column["url"]:
            made.append(_link({"title": column["label"], "line": "", "url": column["url"]}))
    return made


def _links(block: Mapping[str, Any], _p: Pictures, _t: Translator) -> list[Piece]:
    made: list[Piece] = [{"k": "h", "text": block["title"]}] if block["title"] else []
    return [*made, *(_link(each) for each in block["items"])]


def _social(block: Mapping[str, Any], _p: Pictures, _t: Translator) -> list[Piece]:
    made: list[Piece] = []
    if block["title"]:
        made.append({"k": "p", "spans": [{"t": block["title"], "b": True}]})
    return [*made, *(_link(each) for each in block["items"])]


def _link(item: Mapping[str, Any]) -> Piece:
    return {
        "k": "link",
        "title": item["title"],
        "line": item["line"],
        "url": item["url"],
        "shown": shown(item["url"]),
    }


def _divider(_b: Mapping[str, Any], _p: Pictures, _t: Translator) -> list[Piece]:
    return [{"k": "rule"}]


def _source(speaks: Translator, name: str) -> str:
    return speaks.gettext(N_("Source: %(name)s")) % {"name": name} if name else ""


_MAKERS = {
    "heading": _heading,
    "rich_text": _rich_text,
    "developments": _developments,
    "figures": _figures,
    "material": _material,
    "event": _event,
    "action": _action,
    "image": _image,
    "quote": _quote,
    "columns": _columns,
    "links": _links,
    "social": _social,
    "divider": _divider,
}
