"""Weaves what staff typed into an edition: merge fields and links become marks.

`block_weaving.py` does so for every kind of block.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from foundation import isolating
from foundation.frozen import frozen
from foundation.i18n import N_
from templates import content, marks, mergefields, plan, problems, prose, sanitise, slots
from templates.conditions import Condition

_UP_TO_PATH = re.compile(r"https?://[^/?#]+[/?#]|mailto:[^?]+\?", re.IGNORECASE)
_AUTHORITY = re.compile(r"https?://[^/?#]*", re.IGNORECASE)
_NO_PAGES = ("/files/", "/pictures/", "/static/", "/events/")
"""What is the same in every language, or says it already."""
# What may stand in an address as it is (RFC 3986 §2); all else is percent-encoded.
_SAFE = "!#$%&'()*+,/:;=?@[]~"


@frozen
class Woven:
    """A block with its marks, its rich text as a tree, and the blocks inside it."""

    kind: str
    """The block's name in the templates, such as `developments`."""
    block: (
        content.Block | content.DevelopmentItem | content.Figure | content.Column | content.LinkItem
    )
    rich: prose.Element | None = None
    items: tuple["Woven", ...] = ()
    level: int = 0
    """Of its headline, from 1; see `templates/headings.py`."""
    opening: str = ""
    """The mark that stands before a block that only some see; blank for everybody's."""
    closing: str = ""


@dataclass(slots=True)
class Weaver:
    """Weaves one edition; collects its links and concerns on the way."""

    marks: marks.Marks
    statics: Mapping[str, str]
    """The values of `mergefields.STATIC_FIELDS`."""
    direction: str = "ltr"
    """In which the edition at hand runs."""
    site: str = ""
    """Our own address, where links to our pages have to say a language; blank where none has to."""
    language: str = ""
    """That language."""
    first_link: int = 1
    links: list[plan.Link] = field(default_factory=list)
    conditions: list[Condition] = field(default_factory=list)
    concerns: list[problems.Concern] = field(default_factory=list)

    def text(self, typed: str, where: problems.Spot) -> str:
        """Plain text with its merge fields resolved or marked."""
        return "".join(
            self._field(part) if isinstance(part, mergefields.Field) else part
            for part in mergefields.parse(self._converted(slots.clean(typed)), place=where)
        )

    def address(self, typed: str, label: str, where: problems.Spot) -> str:
        """An address for a link: a click's mark, or what it stands for where none is counted."""
        url = self._converted(typed.strip())
        if not sanitise.is_address(url):
            raise problems.ContentProblem(
                N_(
                    "In %(place)s: “%(url)s” can't be a link. "
                    "A link starts with https://, http:// or mailto:."
                ),
                place=where,
                url=url[:200],
            )
        parts = mergefields.parse(url, place=where)
        if mergefields.is_url_field(url):
            return self.text(url, where)
        self._refuse_fields_in_host(parts, url, where)
        resolved = self.ours("".join(self._part_of_address(part) for part in parts))
        is_personal = any(
            isinstance(part, mergefields.Field) and not part.is_static for part in parts
        )
        if not url.lower().startswith("http") or resolved == self.statics["archive_url"]:
            return resolved
        if is_personal:
            self.concerns.append(
                problems.Concern(
                    code="link-not-counted",
                    msgid=N_(
                        "The link %(url)s holds a merge field, so clicks on it are not counted."
                    ),
                    values={"url": url},
                )
            )
            return resolved
        return self.marks.make(f"click:{self._number(resolved, label)}")

    def ours(self, url: str) -> str:
        """The address of a page of ours, which opens in the edition's language; others stay."""
        path = url.removeprefix(self.site)
        is_page = self.site and path != url and path.startswith(("/", "?", "#"))
        if not is_page or path.startswith(_NO_PAGES) or "lang=" in path:
            return url
        page, mark, place = url.partition("#")
        return f"{page}{'&' if '?' in page else '?'}lang={self.language}{mark}{place}"

    def rich(self, html: str, where: problems.Spot) -> prose.Element:
        """Rich text, sanitised, as a tree with marks."""
        return self._element(prose.parse(self._converted(html)), where)

    def _converted(self, typed: str) -> str:
        """What was typed with other systems' merge tags as ours; those unknown are a concern."""
        conversion = mergefields.convert_foreign(typed)
        for tag in conversion.unknown:
            concern = problems.Concern(
                code="foreign-merge-tag",
                msgid=N_(
                    "“%(tag)s” looks like a merge tag of another system. Nobody here knows it, "
                    "so readers will see it as it is."
                ),
                values={"tag": tag},
            )
            if concern not in self.concerns:
                self.concerns.append(concern)
        return conversion.text

    def _element(self, element: prose.Element, where: problems.Spot) -> prose.Element:
        href = element.href
        if element.tag == "a" and href:
            href = self.address(href, element.words().strip(), where)
        children: list[prose.Element | str] = []
        for child in element:
            if isinstance(child, prose.Element):
                children.append(self._element(child, where))
            else:
                children.extend(self._words(child, where, is_linked=element.tag == "a"))
        if href and not element.words().strip():
            # Nobody could see or hear a link without words.
            children = [mergefields.without_fields(element.href).removeprefix("mailto:")]
        return prose.Element(element.tag, href, children)

    def _words(
        self, words: str, where: problems.Spot, *, is_linked: bool
    ) -> list[prose.Element | str]:
        """Words of rich text; a field that stands for an address becomes a link to it."""
        found: list[prose.Element | str] = []
        for part in mergefields.parse(words, place=where):
            if not isinstance(part, mergefields.Field):
                found.append(part)
            elif part.is_url and not is_linked:
                found.append(prose.Element("a", self._field(part), [self._field(part)]))
            else:
                found.append(self._field(part))
        return found

    def _field(self, merge_field: mergefields.Field) -> str:
        if merge_field.is_static:
            return self.statics[merge_field.name] or merge_field.default
        mark = self.marks.make(merge_field.name, default=merge_field.default)
        return mark if merge_field.is_url else self.apart(mark)

    def apart(self, words: str) -> str:
        """Words that may run otherwise than the edition, such as a name or an address."""
        return isolating.apart(words, direction=self.direction)

    def _part_of_address(self, part: mergefields.Part) -> str:
        if isinstance(part, str):
            authority = _AUTHORITY.match(part)
            kept = authority[0] if authority else ""
            return kept + quote(part[len(kept) :], safe=_SAFE, errors="replace")
        if part.is_static:
            return quote(self._field(part), safe="", errors="replace")
        return self.marks.make(part.name, role=marks.Role.URL_PART, default=part.default)

    def _refuse_fields_in_host(
        self, parts: tuple[mergefields.Part, ...], url: str, where: problems.Spot
    ) -> None:
        start = parts[0]
        if len(parts) > 1 and not (isinstance(start, str) and _UP_TO_PATH.match(start)):
            raise problems.ContentProblem(
                N_(
                    "In %(place)s: in the link “%(url)s” a merge field may stand only "
                    "behind the host's name."
                ),
                place=where,
                url=url[:200],
            )

    def _number(self, url: str, label: str) -> int:
        for link in self.links:
            if link.url == url:
                return link.number
        number = self.first_link + len(self.links)
        self.links.append(plan.Link(number, url, slots.clean(label)[:200]))
        return number
