"""Developments in a bulletin: which a block shows, and in which words.

`block_content.py` asks for the block as the compiler takes it; the composer's pages for the list,
so that each can be shortened beside its item.
"""

import dataclasses
from datetime import timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import block_models, developments, links, nearby, shortening
from campaigns.block_models import Near
from campaigns.developments import Told
from campaigns.models import Development, Issue
from campaigns.resolving import Resolver
from foundation import errors
from foundation.ground import Ground
from foundation.i18n import N_
from templates import content

AT_MOST = 30


async def resolved(to: Resolver, block: block_models.Developments) -> content.Block | None:
    """The block in an edition's language; None, and a finding, where it shows nothing there."""
    found = await shown(to.ground, to.session, to.issue, block)
    told = [(each, _told(to, block, each)) for each in found]
    if block.only_translated or to.document.only_translated:
        told = [(each, words) for each, words in told if not words.language_note]
    if not told:
        to.note("no-developments", N_("Block %(number)s finds no developments and is left out."))
        return None
    for each, words in told:
        _note(to, block, each, words.headline)
    title = block.texts.get(to.language, block_models.TitleText()).title
    theirs = [each.partner_id for each in found if each.partner_id and block.credits]
    names = await developments.partner_names(to.session, theirs)
    around = [await nearby.around(block.near, each.postal_code, each.miles) for each, _ in told]
    if block.near is not Near.NO and not any(around):
        to.note(
            "nothing-near",
            N_("Block %(number)s heeds who lives near, but nothing in it has a ZIP code."),
        )
    items = tuple(
        _item(to, words, names.get(each.partner_id), zip_codes)
        for (each, words), zip_codes in zip(told, around, strict=True)
    )
    return content.Developments(title=title, items=items)


async def shown(
    ground: Ground, session: AsyncSession, issue: Issue | None, block: block_models.Developments
) -> list[Development]:
    """What a block shows, in order: those named, then all others since its day.

    Raises `errors.Invalid` for names that are not there, and where it takes an issue.
    """
    first = await developments.chosen(session, block.keys) if block.keys else []
    today = ground.clock.now().astimezone(ground.settings.site.tzinfo).date()
    day = block.since
    if block.since_days is not None:
        day = today - timedelta(days=block.since_days)
    if day is None:
        return first
    if issue is None:
        raise errors.Invalid(
            N_("“All since a date” needs an issue: choose the bulletin's issue first.")
        )
    most = min(block.limit, AT_MOST)
    found = await developments.since(
        session,
        issue_id=issue.id,
        day=day,
        until=today,
        limit=most + len(first),
        shown_at=ground.clock.now(),
    )
    named = {each.id for each in first}
    rest = [each for each in found if each.id not in named]
    return [*first, *rest[: max(0, most - len(first))]]


def _told(to: Resolver, block: block_models.Developments, development: Development) -> Told:
    """The development in the bulletin's own words where it has some, else in the desk's.

    Where the desk has nothing in the language, own words stand alone: none of another beside them.
    """
    told = developments.tell(to.ground, development, to.translator)
    texts = shortening.words(block, development).texts
    own = texts.get(to.language)
    if own and told.language_note and own.headline:
        return dataclasses.replace(
            told,
            headline=own.headline,
            summary_html=_html(to, own),
            language=to.language,
            language_note="",
        )
    own = texts.get(told.language) if told.language_note else own
    if own is None:
        return told
    return dataclasses.replace(
        told,
        headline=own.headline or told.headline,
        summary_html=_html(to, own) or told.summary_html,
    )


def _note(
    to: Resolver, block: block_models.Developments, development: Development, headline: str
) -> None:
    """Nothing goes out that only staff may see; what was left behind is said."""
    if not development.is_published:
        to.note(
            "development-not-published",
            N_("Block %(number)s tells of “%(headline)s”, which is not published yet."),
            is_blocking=True,
            headline=headline,
        )
    elif development.not_before and developments.is_held(development, to.ground.clock.now()):
        to.note(
            "development-held",
            N_("Block %(number)s tells of “%(headline)s”, which is held until %(moment)s."),
            is_blocking=True,
            headline=headline,
            moment=to.translator.moment(development.not_before),
        )
    if shortening.moved(to.ground, to.document, block, development, to.language):
        to.note(
            "shortened-behind",
            N_(
                "Block %(number)s tells of “%(headline)s” in its own words; "
                "the desk's text was changed since."
            ),
            headline=headline,
        )
    if to.language not in shortening.words(block, development).texts:
        to.note_behind("development", development.id, development.behind, headline)


def _html(to: Resolver, own: block_models.OwnWordsText) -> str:
    return links.absolute_html(to.ground, own.summary_html)


def _item(to: Resolver, told: Told, partner: str | None, zip_codes: str) -> content.DevelopmentItem:
    said = to.translator.gettext(N_("Brought to you by %(partner)s"))
    return content.DevelopmentItem(
        kind=told.kind.value,
        kind_label=told.kind_label,
        date_label=to.translator.date(told.happened_on),
        place=told.place,
        headline=told.headline,
        summary_html=told.summary_html,
        url=told.source_url,
        source_name=told.source_name,
        credit=said % {"partner": partner} if partner else "",
        language_note=told.language_note,
        language=told.language if told.language_note else "",
        zip_codes=zip_codes,
    )
