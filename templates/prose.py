"""Rich text as a small tree, so that the HTML and the text part are made from the same thing."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

from templates import sanitise

BLOCKS = frozenset({"p", "ul", "ol", "li", "blockquote", "h2", "h3", "h4"})


@dataclass(slots=True)
class Element:
    """One element; the root of a document has an empty tag."""

    tag: str
    href: str = ""
    children: list["Element | str"] = field(default_factory=list)

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
                blocks.append(Element("p", children=run))
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
    if element.tag in ("ul", "ol"):
        items: list[Element | str] = [
            child for child in element if isinstance(child, Element) and child.tag == "li"
        ]
        return [Element(element.tag, children=items)] if items else []
    return [element]
