"""How heavy a mail's HTML is, as a reader gets it: Gmail hides what comes after 102 KB."""

from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import audiences, compiling, readings
from campaigns.audiences import Resolved
from campaigns.compiling import Looked
from campaigns.models import Bulletin
from campaigns.preflight import items, places
from campaigns.preflight.items import Item
from foundation.ground import Ground
from foundation.i18n import N_
from templates import compiler

NEAR_BYTES = 92 * 1024
"""A little under what Gmail clips, so that a long name does not push a mail over."""


def look(ground: Ground, bulletin: Bulletin, looked: Looked) -> list[Item]:
    """A line for each language."""
    return [
        _told(bulletin, language, compiling.html_bytes(ground, compiled.plan))
        for language, compiled in looked.editions.items()
    ]


async def look_at_stacked(
    ground: Ground, session: AsyncSession, bulletin: Bulletin, looked: Looked, mine: Resolved
) -> list[Item]:
    """A line for each two editions that some readers get in one mail and that Gmail would cut."""
    made = list(looked.editions.values())
    languages = [each.language for each in made]
    if len(made) < 2 or languages != list(looked.document.languages):
        return []
    read = await audiences.read_by(session, mine)
    plans = compiling.stack(ground, made, keys=read.stacked)
    sizes = {key: compiling.html_bytes(ground, plan) for key, plan in plans.items()}
    return [
        items.warn(
            "weight-stacked",
            N_(
                "Some read %(language)s and %(other)s and get both in one mail, which has %(size)s "
                "KB of HTML. Gmail hides what comes after 102 KB, so they would miss the end of "
                "the second."
            ),
            place=places.bulletin(bulletin.id),
            about=key,
            language=readings.languages_in(key)[0],
            other=readings.languages_in(key)[1],
            size=round(size / 1024),
        )
        for key, size in sizes.items()
        if size > compiler.GMAIL_CLIPS_AT_BYTES
    ]


def _told(bulletin: Bulletin, language: str, size_bytes: int) -> Item:
    if size_bytes > compiler.GMAIL_CLIPS_AT_BYTES:
        return items.bad(
            "weight",
            N_(
                "The mail in %(language)s has %(size)s KB of HTML. Gmail hides what comes after "
                "102 KB, and the unsubscribe link with it."
            ),
            place=places.bulletin(bulletin.id),
            about=language,
            language=language,
            size=round(size_bytes / 1024),
        )
    if size_bytes > NEAR_BYTES:
        return items.warn(
            "weight",
            N_(
                "The mail in %(language)s has %(size)s KB of HTML, close to the 102 KB that "
                "Gmail shows."
            ),
            place=places.bulletin(bulletin.id),
            about=language,
            language=language,
            size=round(size_bytes / 1024),
        )
    return items.good(
        "weight",
        N_("The mail in %(language)s has %(size)s KB of HTML."),
        language=language,
        size=round(size_bytes / 1024),
    )
