"""Resolves the blocks whose every word is written in the bulletin: quotes, columns, links, figures.

`block_content.py` calls these for their kinds; what a language does not have is left out there too.
"""

from collections.abc import Sequence
from typing import Any

from campaigns import block_models, links, resolving, social_names
from campaigns.resolving import Resolver
from foundation import errors
from foundation.i18n import N_
from templates import content


async def quote(to: Resolver, block: block_models.Quote) -> content.Block | None:
    """What somebody said."""
    text = to.text(block.texts, "html")
    if text is None:
        return None
    html = links.absolute_html(to.ground, text.html)
    return content.Quote(html=html, by=text.by, role=text.role)


async def columns(to: Resolver, block: block_models.Columns) -> content.Block | None:
    """Both columns; pictures are the same in all languages, so one without words may be a pair."""
    text = block.texts.get(to.language, block_models.ColumnsText())
    if not (block.first_picture or block.second_picture or any(text.model_dump().values())):
        to.text(block.texts, "first_html")
        return None
    first = await _column(
        to,
        picture=block.first_picture,
        alt=text.first_alt,
        html=text.first_html,
        label=text.first_label,
        url=to.url(text.first_url, block.first_url),
    )
    second = await _column(
        to,
        picture=block.second_picture,
        alt=text.second_alt,
        html=text.second_html,
        label=text.second_label,
        url=to.url(text.second_url, block.second_url),
    )
    return content.Columns(items=(first, second))


async def _column(
    to: Resolver, *, picture: str, alt: str, html: str, label: str, url: str
) -> content.Column:
    if label and not url:
        raise errors.Invalid(N_("The button leads nowhere yet: give it an address."))
    return content.Column(
        html=links.absolute_html(to.ground, html),
        image=await resolving.uploaded(to, picture, alt=alt) if picture else None,
        label=label,
        url=url if label else "",
    )


async def figures(to: Resolver, block: block_models.OwnFigures) -> content.Block | None:
    """Figures of the bulletin's own, which look as those of an issue do."""
    found = _items(to, block.texts)
    if found is None:
        return None
    title, items = found
    return content.Figures(
        title=title,
        items=tuple(
            content.Figure(
                value=each.value,
                label=each.label,
                source_name=each.source,
                url=links.absolute(to.ground, each.url),
            )
            for each in items
        ),
    )


async def link_list(to: Resolver, block: block_models.Links) -> content.Block | None:
    """A list of links."""
    found = _items(to, block.texts)
    if found is None:
        return None
    title, items = found
    if any(not each.url for each in items):
        raise errors.Invalid(N_("A link in the list leads nowhere yet: give it an address."))
    return content.Links(
        title=title,
        items=tuple(
            content.LinkItem(
                title=each.title or social_names.host(each.url),
                url=links.absolute(to.ground, each.url),
                line=each.line,
            )
            for each in items
        ),
    )


async def social(to: Resolver, block: block_models.Social) -> content.Block | None:
    """Where else people can follow, each called by whose it is."""
    if not block.urls:
        to.note("empty-block", N_("Block %(number)s is still empty and is left out."))
        return None
    title = block.texts.get(to.language, block_models.TitleText()).title
    items = tuple(
        content.LinkItem(title=social_names.name(url), url=links.absolute(to.ground, url))
        for url in block.urls
    )
    return content.Social(title=title, items=items)


def _items(to: Resolver, texts: Any) -> tuple[str, Sequence[Any]] | None:
    """Title and entries in this edition's language; None, and a finding, where there are none."""
    text = to.text(texts, "items")
    return (text.title, text.items) if text else None
