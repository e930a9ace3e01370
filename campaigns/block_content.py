"""Turns one block of a document into what the compiler takes, in one language.

Everything that a block names is looked up here: developments, figures, materials, pictures, links
to pages of ours. What a language does not have is left out of its edition and reported.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from babel import dates

from campaigns import (
    block_models,
    development_blocks,
    documents,
    event_links,
    issues,
    links,
    materials,
    nearby,
    own_blocks,
    resolving,
    snippet_uses,
    wording,
)
from campaigns.block_models import Near
from campaigns.material_models import Source
from campaigns.models import IssuePart, PartKind
from campaigns.resolving import Resolver
from foundation import errors
from foundation.i18n import N_, Translator
from templates import content, prose


async def made(to: Resolver, block: block_models.AnyBlock) -> nearby.Spread | None:
    """What the block becomes; None, and a finding, where it says nothing in this language.

    Raises `errors.Invalid` and `errors.NotFound` for what is not there.
    """
    resolved = await _RESOLVERS[block.kind](to, block)
    if resolved is None:
        return None
    near = getattr(block, "near", Near.NO)
    return nearby.spread(resolved, near=near, rule=block.condition)


async def _heading(to: Resolver, block: block_models.Heading) -> content.Block | None:
    text = to.text(block.texts, "text")
    return content.Heading(text=text.text, level=block.level) if text else None


async def _rich_text(to: Resolver, block: block_models.RichText) -> content.Block | None:
    text = to.text(block.texts, "html")
    return content.RichText(html=links.absolute_html(to.ground, text.html)) if text else None


async def _figures(to: Resolver, block: block_models.Figures) -> content.Block | None:
    if not block.keys:
        to.note("empty-block", N_("Block %(number)s is still empty and is left out."))
        return None
    if to.issue is None:
        raise errors.Invalid(N_("Figures come from an issue: choose the bulletin's issue first."))
    parts = await issues.parts(to.session, to.issue.id)
    by_key = {each.key: each for each in parts if each.kind == PartKind.FIGURE.value}
    missing = [key for key in block.keys if key not in by_key]
    if missing:
        raise errors.Invalid(
            N_("There is no figure called %(keys)s."),
            keys=", ".join(f"“{key[:60]}”" for key in missing[:5]),
        )
    title = block.texts.get(to.language, block_models.TitleText()).title
    items = tuple(_figure(to, by_key[key]) for key in block.keys)
    return content.Figures(title=title, items=items)


def _figure(to: Resolver, part: IssuePart) -> content.Figure:
    worded = wording.pick(
        part.texts, to.translator, need="body", default=to.ground.settings.site.language
    )
    title = worded["title"]
    words = prose.plain(worded["body"])
    return content.Figure(
        value=part.value,
        label=f"{title}: {words}" if title and words else title or words,
        source_name=part.source_name,
        url=links.absolute(to.ground, part.source_url),
        language_note=worded.note,
        language=worded.language if worded.note else "",
    )


async def _material(to: Resolver, block: block_models.Material) -> content.Block | None:
    if not block.material:
        to.note("empty-block", N_("Block %(number)s is still empty and is left out."))
        return None
    material = await materials.by_slug(to.session, block.material)
    files = await materials.copies(to.session, [material.id])
    told = materials.tell(to.ground, material, files, to.translator)
    if not told.copies:
        raise errors.Invalid(N_("The material “%(title)s” has no file yet."), title=told.title)
    copy = told.copies[0]
    is_left_out = block.only_translated or to.document.only_translated
    if is_left_out and wording.note(copy.language, to.translator):
        return None
    to.note_behind("material", material.id, material.behind, told.title)
    text = block.texts.get(to.language, block_models.MaterialText())
    return content.Material(
        title=text.title or told.title,
        lead=text.lead or told.description,
        language=told.language if told.language_note and not (text.title or text.lead) else "",
        label=text.label or _material_label(to, copy),
        url=materials.offered_by(copy.url, to.ground, Source.MAIL),
    )


def _material_label(to: Resolver, copy: materials.Copy) -> str:
    """“Open the handout (PDF)”, with the language where it is another."""
    words = to.translator.gettext(N_("Open the handout"))
    if copy.kind:
        words = f"{words} ({copy.kind})"
    note = wording.note(copy.language, to.translator)
    return f"{words} {note}".strip()


async def _event(to: Resolver, block: block_models.Event) -> content.Block | None:
    text = to.text(block.texts, "title")
    if text is None:
        return None
    if block.starts_at is None:
        raise errors.Invalid(N_("The event has no time yet."))
    return content.Event(
        title=text.title,
        when_label=when(
            block.starts_at,
            block.ends_at,
            zone=block.zone or to.ground.settings.site.zone,
            translator=to.translator,
        ),
        place=text.place,
        address=text.address,
        body_html=links.absolute_html(to.ground, text.body_html),
        url=to.url(text.url, block.url),
        zip_codes=await nearby.around(block.near, block.postal_code, block.miles),
        calendar_url=event_links.address(to.ground, to.origin, block.id, to.language),
    )


async def _action(to: Resolver, block: block_models.Action) -> content.Block | None:
    text = to.text(block.texts, "label")
    if text is None:
        return None
    url = to.url(text.url, block.url)
    if not url:
        raise errors.Invalid(N_("The button leads nowhere yet: give it an address."))
    return content.Action(label=text.label, lead=text.lead, url=url)


async def _image(to: Resolver, block: block_models.Image) -> content.Block | None:
    text = block.texts.get(to.language, block_models.ImageText())
    url = to.url(text.url, block.url)
    if block.src:
        return content.Image(
            src=block.src, alt=text.alt, caption=text.caption, width=block.width, url=url
        )
    if not block.picture:
        to.note("empty-block", N_("Block %(number)s is still empty and is left out."))
        return None
    return await resolving.uploaded(
        to,
        block.picture,
        alt=text.alt,
        caption=text.caption,
        width=block.width,
        url=url,
        shape=block.shape,
    )


async def _divider(_to: Resolver, _block: block_models.Divider) -> content.Block | None:
    return content.Divider()


async def _snippet(to: Resolver, block: block_models.SavedSnippet) -> content.Block | None:
    """What the snippet is now; it says where it lacks a language as any block does."""
    if not block.snippet:
        to.note("empty-block", N_("Block %(number)s is still empty and is left out."))
        return None
    snippet = await snippet_uses.named(to.session, block.snippet)
    to.note_behind("snippet", snippet.id, snippet.behind, snippet.name)
    inner = documents.parse_block(snippet.block)
    return await _RESOLVERS[inner.kind](to, inner)


_RESOLVERS: Mapping[str, Callable[..., Awaitable[content.Block | None]]] = {
    "heading": _heading,
    "rich_text": _rich_text,
    "developments": development_blocks.resolved,
    "figures": _figures,
    "material": _material,
    "event": _event,
    "action": _action,
    "image": _image,
    "quote": own_blocks.quote,
    "columns": own_blocks.columns,
    "own_figures": own_blocks.figures,
    "links": own_blocks.link_list,
    "social": own_blocks.social,
    "snippet": _snippet,
    "divider": _divider,
}


def when(start: datetime, end: datetime | None, *, zone: str, translator: Translator) -> str:
    """Day and time of an event in words, with its zone: times in documents are local."""
    tzinfo = ZoneInfo(zone)
    begins = start.replace(tzinfo=tzinfo)
    locale = translator.locale
    day = dates.format_date(start.date(), "full", locale=locale)
    skeleton = "Hm" if "H" in dates.get_time_format("short", locale).pattern else "hm"
    # The short names that people of the place use (EST); CLDR has none in most languages.
    zone_name = begins.tzname() or zone
    if end is None or end == start:
        times = dates.format_skeleton(skeleton, begins, tzinfo=tzinfo, locale=locale)
    elif end.date() == start.date():
        ends = end.replace(tzinfo=tzinfo)
        times = dates.format_interval(begins, ends, skeleton, tzinfo=tzinfo, locale=locale)
    else:
        last = dates.format_date(end.date(), "full", locale=locale)
        first_time, last_time = (
            dates.format_skeleton(
                skeleton, each.replace(tzinfo=tzinfo), tzinfo=tzinfo, locale=locale
            )
            for each in (start, end)
        )
        return _one_kind_of_blank(f"{day}, {first_time} – {last}, {last_time} ({zone_name})")
    return _one_kind_of_blank(f"{day}, {times} ({zone_name})")


def _one_kind_of_blank(words: str) -> str:
    """CLDR's thin and narrow blanks break in some mail programs."""
    return " ".join(words.replace("\u202f", " ").replace("\u2009", " ").split(" "))
