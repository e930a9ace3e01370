"""How each kind of block is woven: which of its texts hold merge fields, and where it leads.

Both parts of a message are made from the result, so they hold the same words and the same links.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from foundation.i18n import N_
from templates import content, problems, sanitise
from templates.conditions import Condition
from templates.weaving import Weaver, Woven

_COLUMN_WIDTH = 264
"""The widest a picture stands in a column, in pixels."""


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
    woven = _picture(weaver, block, where, number)
    return Woven(
        kind="image", block=replace(woven, width=min(552, woven.width) if woven.width else None)
    )


def _picture(
    weaver: Weaver, image: content.Image, where: problems.Where, number: int
) -> content.Image:
    if not sanitise.is_picture(image.src):
        raise problems.ContentProblem(
            N_("In %(place)s: “%(url)s” is not the web address of a picture."),
            place=where,
            url=image.src[:200],
        )
    if not (image.alt.strip() or image.is_decorative):
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
    return replace(
        image,
        alt=weaver.text(image.alt, where),
        caption=weaver.text(image.caption, where),
        url=_maybe(weaver, image.url, image.alt or image.caption, where),
    )


def _quote(weaver: Weaver, block: content.Quote, number: int) -> Woven:
    where = _where(N_("block %(number)s (quote)"), number)
    woven = replace(
        block,
        by=weaver.apart(weaver.text(block.by, where)),
        role=weaver.text(block.role, where),
    )
    return Woven(kind="quote", block=woven, rich=weaver.rich(block.html, where))


def _columns(weaver: Weaver, block: content.Columns, number: int) -> Woven:
    where = _where(N_("block %(number)s (columns)"), number)
    items = tuple(_column(weaver, each, where, number) for each in block.items)
    return Woven(kind="columns", block=block, items=items)


def _column(weaver: Weaver, column: content.Column, where: problems.Where, number: int) -> Woven:
    image = _picture(weaver, column.image, where, number) if column.image else None
    rich = weaver.rich(column.html, where) if column.html.strip() else None
    woven = replace(
        column,
        image=replace(image, width=min(_COLUMN_WIDTH, image.width or _COLUMN_WIDTH))
        if image
        else None,
        label=weaver.text(column.label, where),
        url=_maybe(weaver, column.url, column.label, where),
    )
    return Woven(kind="column", block=woven, rich=rich)


def _links(weaver: Weaver, block: content.Links, number: int) -> Woven:
    return _listed(weaver, block, "links", _where(N_("block %(number)s (links)"), number))


def _social(weaver: Weaver, block: content.Social, number: int) -> Woven:
    return _listed(weaver, block, "social", _where(N_("block %(number)s (social links)"), number))


def _listed(
    weaver: Weaver, block: content.Links | content.Social, kind: str, where: problems.Where
) -> Woven:
    links = tuple(
        replace(
            item,
            title=weaver.text(item.title, where),
            url=weaver.address(item.url, item.title, where),
            line=weaver.text(item.line, where),
        )
        for item in block.items
    )
    title = weaver.text(block.title, where)
    return Woven(
        kind=kind,
        block=replace(block, title=title, items=links),
        items=tuple(Woven(kind="link", block=each) for each in links),
    )


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
    content.Quote: _quote,
    content.Columns: _columns,
    content.Links: _links,
    content.Social: _social,
    content.Divider: _divider,
}
