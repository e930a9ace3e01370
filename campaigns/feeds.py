"""Reads a news feed once, by hand, into unpublished drafts of developments; staff publish them.

What was fetched once is never added again, even when staff changed it meanwhile: a draft's key is
made from the entry's own id. Feeds that are read again and again go to the inbox instead, see
`feed_sources.py` and `feed_polling.py`.
"""

import asyncio
import hashlib
from urllib.parse import urlsplit

from sqlmodel import col, select

from campaigns import developments, feed_fetching, feed_reading, issues
from campaigns.development_drafts import Draft
from campaigns.feed_reading import Document, Entry
from campaigns.models import Development, DevelopmentKind
from foundation import errors
from foundation.audit import Actor
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_


@frozen
class Fetched:
    """What came of a feed."""

    title: str
    added: int
    known: int
    """Entries that were fetched before."""
    skipped: int
    """Entries without a headline or a link that can be followed."""


async def fetch(
    ground: Ground, *, actor: Actor, issue_slug: str, url: str, language: str = ""
) -> Fetched:
    """Add what is new in a feed to an issue, unpublished.

    `language` is the feed's where it does not say. Raises `errors.NotFound` for the issue,
    `errors.Invalid` for the address, `errors.Refused` when there is no feed to be had.
    """
    async with ground.db.reading() as session:
        issue = await issues.by_slug(session, issue_slug)
    url = feed_fetching.checked(url)
    try:
        got = await feed_fetching.get(ground, url)
        document = await parsed(ground, got.octets or b"", media_type=got.media_type)
    except errors.Refused as problem:
        raise errors.Refused(
            N_("The feed at %(url)s can't be fetched: %(said)s"),
            url=url,
            said=errors.Several([problem]),
        ) from problem
    title = document.title or urlsplit(url).hostname or ""
    linked = [each for each in document.entries if each.url]
    entries = {_key(each): each for each in linked}
    known = await _known(ground, list(entries))
    fresh = [(key, each) for key, each in entries.items() if key not in known]
    for key, entry in reversed(fresh):
        code = language_of(ground, language, entry.language, document.language)
        draft = _draft(entry, key=key, source=entry.source or title, language=code)
        await developments.add(ground, actor=actor, issue_id=issue.id, draft=draft)
    return Fetched(
        title=title,
        added=len(fresh),
        known=len(known),
        skipped=document.skipped + len(document.entries) - len(entries),
    )


async def parsed(ground: Ground, octets: bytes, *, media_type: str) -> Document:
    """A feed's octets taken apart, beside the loop. Raises `errors.Refused`."""
    return await asyncio.to_thread(
        feed_reading.read,
        octets,
        media_type=media_type,
        now=ground.clock.now(),
        zone=ground.settings.site.tzinfo,
        most=ground.settings.desk.feed_stories,
    )


def language_of(ground: Ground, *wishes: str) -> str:
    """The first of some languages that the site speaks, else the site's."""
    for each in wishes:
        for code in (each.lower(), each.partition("-")[0].lower()):
            if code in ground.catalog.languages:
                return code
    return ground.settings.site.language


def _key(entry: Entry) -> str:
    digest = hashlib.sha256(entry.identity.encode("utf-8", "replace")).hexdigest()[:24]
    return f"feed-{digest}"


async def _known(ground: Ground, keys: list[str]) -> set[str]:
    statement = select(Development.key).where(col(Development.key).in_(keys))
    async with ground.db.reading() as session:
        return {key for key in (await session.exec(statement)).all() if key}


def _draft(entry: Entry, *, key: str, source: str, language: str) -> Draft:
    summary = feed_reading.paragraphs(entry.summary)
    return Draft(
        kind=DevelopmentKind.NEWS,
        happened_on=entry.day,
        texts={language: {"headline": entry.headline, "summary": summary}},
        source_name=source,
        source_url=entry.url,
        key=key,
        is_published=False,
    )
