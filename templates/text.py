"""The text part of a bulletin, from the same blocks and with the same links as its HTML."""

import re
import textwrap
from collections.abc import Iterable

from foundation.i18n import Translator
from templates import content, prose, sheets
from templates.weaving import Woven

WIDTH = 72
_ADDRESS = re.compile(r"<(\S+)>")
"""Within other words it stands in brackets (RFC 3986 appendix C)."""


def bulletin(frame: sheets.Frame, page: sheets.Bulletin, translator: Translator) -> str:
    """The whole text part."""
    pieces = [_apart(_lines(f"({each.words})" for each in page.below))]
    pieces.append(_apart(_masthead(frame, page)))
    pieces.extend(
        part.opening + _apart(_block(part, translator)) + part.closing for part in page.parts
    )
    return "".join(pieces) + _footer(frame, page, translator) + "\n"


def _apart(piece: str) -> str:
    """A piece with a blank line behind it, so that it can be left out together with that."""
    return f"{piece}\n\n" if piece else ""


def wrapped(words: str, *, first: str = "", rest: str | None = None) -> str:
    """One paragraph in lines of at most `WIDTH`; addresses stay whole."""
    return textwrap.fill(
        " ".join(words.split()),
        width=WIDTH,
        initial_indent=first,
        subsequent_indent=first if rest is None else rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def underlined(words: str, line: str) -> str:
    """A headline with a line under it."""
    lines = wrapped(words).split("\n")
    return "\n".join([*lines, line * min(WIDTH, max(3, *(len(each) for each in lines)))])


def _masthead(frame: sheets.Frame, page: sheets.Bulletin) -> str:
    first = _dotted([frame.brand.site_name, page.date_label])
    tagline = wrapped(frame.brand.tagline)
    title = underlined(page.title, "=") if page.title else ""
    return "\n\n".join(
        each for each in ("\n".join(_kept([first, tagline, page.issue_title])), title) if each
    )


def _footer(frame: sheets.Frame, page: sheets.Bulletin, translator: Translator) -> str:
    _ = translator.gettext
    why = _(
        "You are getting this because you signed up for news from %(site)s "
        "and confirmed your address."
    )
    said = prose_text(page.footer)
    lines = [
        "-" * WIDTH,
        *([said, ""] if said else []),
        wrapped(why % {"site": frame.brand.site_name}),
        "",
        _labelled(_("Unsubscribe"), page.unsubscribe_url),
        _labelled(_("Change what you get"), page.preferences_url),
        _labelled(_("View in your browser"), page.view_url),
        "",
        *_kept([frame.brand.site_name, frame.brand.postal_address]),
    ]
    return "\n".join(lines)


def _block(part: Woven, translator: Translator) -> str:
    block = part.block
    match block:
        case content.Heading():
            return underlined(block.text, "=" if block.level == 2 else "-")
        case content.RichText():
            return prose_text(part.rich)
        case content.Developments() | content.Figures() | content.Links():
            return _titled(block.title, (_entry(item, translator) for item in part.items))
        case content.Columns():
            return _paragraphs(_entry(item, translator) for item in part.items)
        case content.Social():
            title = wrapped(f"{block.title}:") if block.title else ""
            return _lines([title, *(_labelled(each.title, each.url) for each in block.items)])
        case content.Divider():
            return "* * *"
        case _:
            return _entry(part, translator)


def _entry(part: Woven, translator: Translator) -> str:
    """A block that stands for itself, or one of a list."""
    block = part.block
    match block:
        case content.DevelopmentItem():
            return _development(block, prose_text(part.rich), translator)
        case content.Figure():
            return _figure(block, translator)
        case content.LinkItem():
            return _lines([wrapped(block.title), wrapped(block.line), block.url])
        case content.Column():
            return _column(block, prose_text(part.rich), translator)
        case content.Quote():
            return _quote(block, prose_text(part.rich))
        case content.Material():
            return _lines(
                [wrapped(block.title), wrapped(block.lead), _labelled(block.label, block.url)]
            )
        case content.Event():
            return _event(block, prose_text(part.rich), translator)
        case content.Action():
            return _paragraphs([wrapped(block.lead), _button(block.label, block.url, translator)])
        case content.Image():
            return _image(block)
    return ""


def _button(label: str, url: str, translator: Translator) -> str:
    arrow = "←" if translator.direction == "rtl" else "→"
    return _labelled(f"{arrow} {label}", url)


def _image(block: content.Image) -> str:
    words = f"[{block.alt}]" if block.alt else ""
    return _lines([wrapped(words), wrapped(block.caption), block.url])


def _quote(block: content.Quote, words: str) -> str:
    said = textwrap.indent(words, "> ", lambda _line: True)
    by = ", ".join(_kept([block.by, block.role]))
    return _paragraphs([said, wrapped(f"— {by}") if by else ""])


def _column(column: content.Column, words: str, translator: Translator) -> str:
    image = _image(column.image) if column.image else ""
    return _paragraphs([image, words, _button(column.label, column.url, translator)])


def _development(item: content.DevelopmentItem, summary: str, translator: Translator) -> str:
    head = [
        _dotted([item.kind_label.upper(), item.date_label, item.place]),
        wrapped(item.headline),
        item.language_note,
        item.url,
    ]
    source = _source(item.source_name, "", translator)
    return _paragraphs([_lines(head), summary, source, wrapped(item.credit)])


def _figure(item: content.Figure, translator: Translator) -> str:
    source = _source(item.source_name, item.url, translator)
    return _lines([wrapped(f"{item.value} {item.label}"), item.language_note, source])


def _source(name: str, url: str, translator: Translator) -> str:
    _ = translator.gettext
    words = _("Source: %(name)s") % {"name": name} if name else ""
    return _lines([words, url]) if words else _labelled(_("Read more"), url)


def _event(block: content.Event, body: str, translator: Translator) -> str:
    _ = translator.gettext
    where = ", ".join(_kept([block.place, block.address]))
    head = [
        wrapped(block.title),
        wrapped(_("When: %(when)s") % {"when": block.when_label}),
        wrapped(_("Where: %(place)s") % {"place": where}) if where else "",
    ]
    doors = [
        _labelled(_("More about it"), block.url),
        _labelled(_("Add it to your calendar"), block.calendar_url),
    ]
    return _paragraphs([_lines(head), body, *doors])


def prose_text(root: prose.Element | None) -> str:
    """Rich text as plain paragraphs, lists and quotations."""
    if root is None:
        return ""
    return _paragraphs(_prose_block(child) for child in root if isinstance(child, prose.Element))


def _prose_block(element: prose.Element) -> str:
    if element.tag in ("ul", "ol"):
        return "\n".join(
            _list_item(child, "- " if element.tag == "ul" else f"{number}. ")
            for number, child in enumerate(element, start=1)
            if isinstance(child, prose.Element)
        )
    if element.tag == "blockquote":
        return textwrap.indent(prose_text(element), "> ", lambda _line: True)
    if element.tag in ("h2", "h3", "h4"):
        return underlined(_inline(element), "-")
    return "\n".join(_line(line) for line in _inline(element).split("\n") if line.strip())


def _line(words: str) -> str:
    """A line; an address has brackets, so that it ends where it ends, unless it is all there is."""
    alone = _ADDRESS.fullmatch(words.strip())
    return alone[1] if alone else wrapped(words)


def _list_item(item: prose.Element, bullet: str) -> str:
    """An item's own words, and lists in it indented under them."""
    margin = " " * len(bullet)
    words = prose.Element("li", children=[each for each in item if not _is_block(each)])
    lines = [wrapped(_inline(words), first=bullet, rest=margin)] if words.words().strip() else []
    for each in item:
        if isinstance(each, prose.Element) and _is_block(each):
            inner = textwrap.indent(_prose_block(each), margin)
            lines.append(inner if lines else bullet + inner[len(bullet) :])
    return "\n".join(lines)


def _is_block(child: prose.Element | str) -> bool:
    return isinstance(child, prose.Element) and child.tag in prose.BLOCKS


def _inline(element: prose.Element) -> str:
    """The words of a paragraph, each link's address behind its words."""
    pieces: list[str] = []
    for child in element:
        if isinstance(child, str):
            pieces.append(" ".join(child.split("\n")))
        elif child.tag == "br":
            pieces.append("\n")
        elif child.tag == "a" and child.href:
            words = _inline(child).strip()
            address = child.href.removeprefix("mailto:")
            said = "" if words in (address, child.href) else f"{words} "
            pieces.append(f"{said}<{address}>")
        else:
            pieces.append(_inline(child))
    return "".join(pieces)


def _labelled(label: str, url: str) -> str:
    return f"{label}:\n{url}" if url else ""


def _titled(title: str, pieces: Iterable[str]) -> str:
    return _paragraphs([underlined(title, "-") if title else "", *pieces])


def _lines(pieces: Iterable[str]) -> str:
    return "\n".join(_kept(pieces))


def _paragraphs(pieces: Iterable[str]) -> str:
    return "\n\n".join(_kept(pieces))


def _kept(pieces: Iterable[str]) -> list[str]:
    return [piece for piece in pieces if piece]


def _dotted(pieces: Iterable[str]) -> str:
    return " · ".join(_kept(pieces))
