"""Weaves what staff typed into an edition's blocks: merge fields and links become marks.

Both parts of a message are made from the result, so they hold the same words and the same links.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import quote

from foundation import isolating
from foundation.i18n import N_
from templates import content, marks, mergefields, plan, problems, prose, sanitise, slots
from templates.conditions import Condition

_UP_TO_PATH = re.compile(r"https?://[^/?#]+[/?#]|mailto:[^?]+\?", re.IGNORECASE)
_AUTHORITY = re.compile(r"https?://[^/?#]*", re.IGNORECASE)
_NO_PAGES = ("/files/", "/pictures/", "/static/", "/events/")
"""What is the same in every language, or says it already."""
# What may stand in an address as it is (RFC 3986 §2); all else is percent-encoded.
_SAFE = "!#$%&'()*+,/:;=?@[]~"


@dataclass(frozen=True, kw_only=True, slots=True)
class Woven:
    """A block with its marks, its rich text as a tree, and the blocks inside it."""

    kind: str
    """The block's name in the templates, such as `developments`."""
    block: content.Block | content.DevelopmentItem | content.Figure
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


def weave(blocks: tuple[content.Block, ...], weaver: Weaver) -> tuple[Woven, ...]:
    """All blocks of an edition, in order."""
    return tuple(
        _section(weaver, _WEAVERS[type(block)](weaver, block, number), block.shown_to)
        for number, block in enumerate(blocks, start=1)
    )


def _section(weaver: Weaver, woven: Woven, condition: Condition | None) -> Woven:
    """A block between the marks of its condition, if it has one."""
    if condition is None:
        return woven
    if condition not in weaver.conditions:
        weaver.conditions.append(condition)
    opening = weaver.marks.opening(weaver.conditions.index(condition))
    return replace(woven, opening=opening, closing=weaver.marks.closing)


def _where(msgid: str, number: int) -> problems.Where:
    return problems.Where(msgid=msgid, number=number)


def _heading(weaver: Weaver, block: content.Heading, number: int) -> Woven:
    where = _where(N_("block %(number)s (heading)"), number)
    level = min(4, max(2, block.level))
    return Woven(
        kind="heading", block=replace(block, text=weaver.text(block.text, where), level=level)
    )


def _rich_text(weaver: Weaver, block: content.RichText, number: int) -> Woven:
    where = _where(N_("block %(number)s (text)"), number)
    return Woven(kind="rich_text", block=block, rich=weaver.rich(block.html, where))


def _developments(weaver: Weaver, block: content.Developments, number: int) -> Woven:
    where = _where(N_("block %(number)s (developments)"), number)
    items = tuple(
        Woven(
            kind="development",
            block=replace(
                item,
                headline=weaver.text(item.headline, where),
                place=weaver.apart(item.place),
                source_name=weaver.apart(item.source_name),
                url=_maybe(weaver, item.url, item.headline, where),
            ),
            rich=weaver.rich(item.summary_html, where) if item.summary_html.strip() else None,
        )
        for item in block.items
    )
    title = weaver.text(block.title, where)
    return Woven(kind="developments", block=replace(block, title=title), items=items)


def _figures(weaver: Weaver, block: content.Figures, number: int) -> Woven:
    where = _where(N_("block %(number)s (figures)"), number)
    items = tuple(
        Woven(
            kind="figure",
            block=replace(
                item,
                value=weaver.apart(weaver.text(item.value, where)),
                source_name=weaver.apart(item.source_name),
                label=weaver.text(item.label, where),
                url=_maybe(weaver, item.url, item.source_name or item.label, where),
            ),
        )
        for item in block.items
    )
    title = weaver.text(block.title, where)
    return Woven(kind="figures", block=replace(block, title=title), items=items)


def _material(weaver: Weaver, block: content.Material, number: int) -> Woven:
    where = _where(N_("block %(number)s (material)"), number)
    woven = replace(
        block,
        title=weaver.text(block.title, where),
        lead=weaver.text(block.lead, where),
        label=weaver.text(block.label, where),
        url=weaver.address(block.url, block.title, where),
    )
    return Woven(kind="material", block=woven)


def _event(weaver: Weaver, block: content.Event, number: int) -> Woven:
    where = _where(N_("block %(number)s (event)"), number)
    woven = replace(
        block,
        title=weaver.text(block.title, where),
        when_label=weaver.text(block.when_label, where),
        place=weaver.apart(weaver.text(block.place, where)),
        address=weaver.apart(weaver.text(block.address, where)),
        url=_maybe(weaver, block.url, block.title, where),
        calendar_url=_maybe(weaver, block.calendar_url, block.title, where),
    )
    body = weaver.rich(block.body_html, where) if block.body_html.strip() else None
    return Woven(kind="event", block=woven, rich=body)


def _action(weaver: Weaver, block: content.Action, number: int) -> Woven:
    where = _where(N_("block %(number)s (call to action)"), number)
    woven = replace(
        block,
        label=weaver.text(block.label, where),
        lead=weaver.text(block.lead, where),
        url=weaver.address(block.url, block.label, where),
    )
    return Woven(kind="action", block=woven)


def _image(weaver: Weaver, block: content.Image, number: int) -> Woven:
    where = _where(N_("block %(number)s (picture)"), number)
    if not sanitise.is_picture(block.src):
        raise problems.ContentProblem(
            N_("In %(place)s: “%(url)s” is not the web address of a picture."),
            place=where,
            url=block.src[:200],
        )
    if not block.alt.strip():
        weaver.concerns.append(
            problems.Concern(
                code="picture-without-words",
                msgid=N_(
                    "The picture in block %(number)s has no alternative text; "
                    "readers who can't see it learn nothing from it."
                ),
                values={"number": number},
            )
        )
    woven = replace(
        block,
        alt=weaver.text(block.alt, where),
        caption=weaver.text(block.caption, where),
        url=_maybe(weaver, block.url, block.alt or block.caption, where),
        width=min(552, block.width) if block.width else None,
    )
    return Woven(kind="image", block=woven)


def _divider(_weaver: Weaver, block: content.Divider, _number: int) -> Woven:
    return Woven(kind="divider", block=block)


def _maybe(weaver: Weaver, url: str, label: str, where: problems.Where) -> str:
    return weaver.address(url, label, where) if url.strip() else ""


_WEAVERS: Mapping[type, Callable[..., Woven]] = {
    content.Heading: _heading,
    content.RichText: _rich_text,
    content.Developments: _developments,
    content.Figures: _figures,
    content.Material: _material,
    content.Event: _event,
    content.Action: _action,
    content.Image: _image,
    content.Divider: _divider,
}
