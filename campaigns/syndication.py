"""The archive for feed readers: Atom (RFC 4287), RSS 2.0 and JSON Feed 1.1, from the same entries.

Feeds of others, which bring developments in, are read in `feeds.py`; these are ours, going out.
"""

import enum
import json
import re
from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

from campaigns import archive, issues
from campaigns.archive import Entry, Wanted
from foundation import errors
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_, Translator

ENTRIES = 20
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Format(enum.StrEnum):
    """How a feed is written; the value is the end of its address."""

    ATOM = "xml"
    """Atom, RFC 4287: the one that is linked first."""
    RSS = "rss"
    """RSS 2.0, for readers that know nothing else."""
    JSON = "json"
    """JSON Feed 1.1."""

    @property
    def media_type(self) -> str:
        """As a web server names it."""
        return _MEDIA_TYPES[self]


_MEDIA_TYPES = {
    Format.ATOM: "application/atom+xml; charset=utf-8",
    Format.RSS: "application/rss+xml; charset=utf-8",
    Format.JSON: "application/feed+json; charset=utf-8",
}


@frozen
class Item:
    """A bulletin in a feed."""

    id: str
    """Its address without a language: the same for ever."""
    url: str
    title: str
    summary: str
    language: str
    picture_url: str
    sent_at: datetime

    @property
    def rfc822(self) -> str:
        """When it went out, as RSS writes it."""
        return format_datetime(self.sent_at)


@frozen
class Feed:
    """What a feed says, whatever its format."""

    title: str
    description: str
    id: str
    url: str
    """Where it is itself."""
    home_url: str
    language: str
    author: str
    changed_at: datetime
    items: Sequence[Item]

    @property
    def rfc822(self) -> str:
        """When anything changed last, as RSS writes it."""
        return format_datetime(self.changed_at)


async def gather(
    ground: Ground, *, wanted: Wanted, kind: Format, asked: str, translator: Translator
) -> Feed:
    """The newest bulletins as a feed in a reader's language.

    `asked` is the language that the feed's address names, blank for none. Raises `errors.NotFound`
    for an issue or language that is not here.
    """
    named = {"issue": wanted.issue, "language": wanted.language}
    chosen = urlencode({name: value for name, value in named.items() if value})
    spoken = urlencode({"lang": asked}) if asked else ""
    page = await archive.listed(ground, translator=translator, wanted=wanted, limit=ENTRIES)
    title = await _title(ground, wanted, translator)
    changed_at = await archive.changed_at(ground) or ground.clock.now()
    base = ground.url(f"/archive/feed.{kind.value}")
    return Feed(
        title=_clean(title),
        description=translator.gettext(N_("What we have sent, as it was sent.")),
        id=_with(base, chosen),
        url=_with(base, "&".join(filter(None, (chosen, spoken)))),
        home_url=_with(ground.url("/archive"), "&".join(filter(None, (chosen, spoken)))),
        language=translator.language,
        author=_clean(ground.settings.site.name),
        changed_at=changed_at,
        items=[_item(ground, each) for each in page.items],
    )


def as_json(feed: Feed) -> str:
    """The feed as JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/)."""
    items: list[dict[str, Any]] = [
        {
            "id": each.id,
            "url": each.url,
            "title": each.title,
            "content_text": each.summary or each.title,
            "summary": each.summary or each.title,
            "date_published": each.sent_at.isoformat(),
            "language": each.language,
            **({"image": each.picture_url} if each.picture_url else {}),
        }
        for each in feed.items
    ]
    return json.dumps(
        {
            "version": "https://jsonfeed.org/version/1.1",
            "title": feed.title,
            "description": feed.description,
            "home_page_url": feed.home_url,
            "feed_url": feed.url,
            "language": feed.language,
            "authors": [{"name": feed.author}],
            "items": items,
        },
        ensure_ascii=False,
    )


async def _title(ground: Ground, wanted: Wanted, translator: Translator) -> str:
    """Site, and issue where it is one issue's; what is not there has no feed."""
    about = translator.gettext(N_("Past bulletins"))
    if wanted.language and wanted.language not in ground.catalog.languages:
        raise errors.NotFound(N_("There is no feed in this language."))
    if wanted.issue:
        async with ground.db.reading() as session:
            issue = await issues.by_slug(session, wanted.issue)
        if not issue.is_published:
            raise errors.NotFound(
                N_("There is no issue called “%(slug)s”."), slug=wanted.issue[:80]
            )
        about = issues.title(ground, issue, translator.language)
    return f"{ground.settings.site.name}: {about}"


def _item(ground: Ground, entry: Entry) -> Item:
    address = ground.url(f"/archive/{entry.slug}")
    return Item(
        id=address,
        url=f"{address}?lang={entry.language}",
        title=_clean(entry.subject) or entry.slug,
        summary=_clean(entry.description),
        language=entry.language,
        picture_url=_clean(entry.picture_url),
        sent_at=entry.sent_at,
    )


def _with(address: str, query: str) -> str:
    return f"{address}?{query}" if query else address


def _clean(text: str) -> str:
    """Without what XML 1.0 can't hold (§2.2), even escaped."""
    return _NOT_IN_XML.sub("", text)
