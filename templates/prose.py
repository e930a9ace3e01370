"""Rich text as a small tree, so that the HTML and the text part are made from the same thing."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

from templates import sanitise

HEADINGS = frozenset({"h2", "h3", "h4"})
LISTS = frozenset({"ul", "ol"})
BLOCKS = frozenset({"p", "li", "blockquote"}) | LISTS | HEADINGS


@dataclass(slots=True)
class Element:
    """One element; the root of a document has an empty tag."""

    tag: str
    href: str = ""
    children: list["Element | str"] = field(default_factory=list)
    level: int = 0
    """Of a heading among those of the mail; its tag says how large it looks."""

    def words(self) -> str:
        """The text inside, without any markup."""
        return "".join(
            child if isinstance(child, str) else child.words() for child in self.children
        )

    def __iter__(self) -> Iterator["Element | str"]:
        """The children in order."""
        return iter(self.children)


def parse(html: str) -> Element:
    """The tree of `html`, sanitised; loose text between blocks becomes paragraphs."""
    builder = _Builder()
    builder.feed(sanitise.rich_text(html))
    builder.close()
    return _with_paragraphs(builder.root)


def plain(html: str) -> str:
    """The words of rich text, in one line."""
    blocks = [each if isinstance(each, str) else _words(each) for each in parse(html).children]
    return " ".join(" ".join(blocks).split())


class _Builder(HTMLParser):
    """Builds the tree; sanitised HTML is well formed, so a stack is enough."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("")
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        name = sanitise.SYNONYMS.get(tag, tag)
        element = Element(name, href=dict(attrs).get("href") or "")
        self._open[-1].children.append(element)
        if name != "br":
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if tag != "br" and len(self._open) > 1:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        children = self._open[-1].children
        if children and isinstance(children[-1], str):
            children[-1] += data
        else:
            children.append(data)


def _with_paragraphs(parent: Element) -> Element:
    """The same with every run of inline children in a paragraph, blank ones left out."""
    blocks: list[Element | str] = []
    run: list[Element | str] = []
    for child in [*parent.children, None]:
        if child is None or (isinstance(child, Element) and child.tag in BLOCKS):
            if any(not isinstance(each, str) or each.strip() for each in run):
                blocks.append(Element("p", children=_inlined(run)))
            run = []
            if child is not None:
                blocks.extend(_flattened(child))
        else:
            run.append(child)
    return Element(parent.tag, parent.href, blocks)


def _flattened(element: Element) -> list[Element | str]:
    """A block with its own blocks in order; `div` in `div` (now `p` in `p`) is taken apart."""
    holds_blocks = any(isinstance(each, Element) and each.tag in BLOCKS for each in element)
    if element.tag == "blockquote":
        return [_with_paragraphs(element)]
    if element.tag == "p" and holds_blocks:
        return _with_paragraphs(element).children
    if element.tag == "p" and not element.words().strip():
        return []
    if element.tag in LISTS:
        items: list[Element | str] = [
            _item(child) for child in element if isinstance(child, Element) and child.tag == "li"
        ]
        return [Element(element.tag, children=items)] if items else []
    return [Element(element.tag, children=_inlined(element))]


def _item(item: Element) -> Element:
    """An entry of a list: its own words in a line, then the lists in it."""
    lists = [each for each in item if isinstance(each, Element) and each.tag in LISTS]
    words = _inlined(each for each in item if each not in lists)
    return Element("li", children=[*words, *(each for it in lists for each in _flattened(it))])


def _inlined(children: Iterable[Element | str]) -> list[Element | str]:
    """What stands in a line: blocks in it are taken apart, with a line break between them."""
    found: list[Element | str] = []
    is_apart = False
    for child in children:
        is_block = isinstance(child, Element) and child.tag in BLOCKS
        inner = _inlined(child) if isinstance(child, Element) else []
        parts = inner if is_block else [child]
        if isinstance(child, Element) and child.tag != "br" and not is_block:
            parts = [Element(child.tag, child.href, inner)]
        if found and (is_apart or is_block) and _has_words(parts):
            found.append(Element("br"))
        is_apart = is_block or (is_apart and not _has_words(parts))
        found += parts
    return found


def _has_words(parts: Iterable[Element | str]) -> bool:
    return any(not isinstance(each, str) or each.strip() for each in parts)


def _words(element: Element) -> str:
    """The words of an element; a line break or the next item is a blank."""
    return "".join(
        child
        if isinstance(child, str)
        else f" {_words(child)} "
        if child.tag in BLOCKS | {"br"}
        else _words(child)
        for child in element
    )
