"""Reads a news feed (RSS, Atom) into unpublished drafts of developments; staff publish them.

What was fetched once is never added again, even when staff changed it meanwhile: a draft's key is
made from the entry's own id.
"""

import asyncio
import hashlib
import html
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import feedparser
import nh3
from sqlmodel import col, select

from campaigns import developments, issues
from campaigns.developments import Draft
from campaigns.models import Development, DevelopmentKind
from foundation import errors, outward
from foundation.audit import Actor
from foundation.ground import Ground
from foundation.i18n import N_
from foundation.outward import OutwardError, Trouble

MAX_BYTES = 5_000_000
MAX_ENTRIES = 100
_LIMITS = outward.Limits(timeout_s=30, redirects=5, wanted_bytes=MAX_BYTES + 1)
_LINE = 300
_SUMMARY = 600
_LINK = 2000


@dataclass(frozen=True, kw_only=True, slots=True)
class Fetched:
    """What came of a feed."""

    title: str
    added: int
    known: int
    """Entries that were fetched before."""
    skipped: int
    """Entries without a headline or a link that can be followed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Entry:
    key: str
    headline: str
    summary: str
    url: str
    day: date


async def fetch(
    ground: Ground, *, actor: Actor, issue_slug: str, url: str, language: str = ""
) -> Fetched:
    """Add what is new in a feed to an issue, unpublished.

    `language` is the feed's where it does not say. Raises `errors.NotFound` for the issue,
    `errors.Invalid` for the address, `errors.Refused` when there is no feed to be had.
    """
    async with ground.db.reading() as session:
        issue = await issues.by_slug(session, issue_slug)
    octets = await _download(ground, _checked(url))
    parsed = await asyncio.to_thread(feedparser.parse, io.BytesIO(octets))
    if not parsed.get("version"):
        raise errors.Refused(N_("There is no RSS or Atom feed at %(url)s."), url=url)
    title = _line(parsed.feed.get("title", "")) or urlsplit(url).hostname or ""
    code = _language(ground, parsed.feed.get("language", ""), language)
    found = list(parsed.entries[:MAX_ENTRIES])
    entries = {each.key: each for each in _entries(found, ground.clock.now().date())}
    known = await _known(ground, list(entries))
    fresh = [each for key, each in entries.items() if key not in known]
    for entry in reversed(fresh):
        await developments.add(
            ground, actor=actor, issue_id=issue.id, draft=_draft(entry, title, code)
        )
    return Fetched(
        title=title, added=len(fresh), known=len(known), skipped=len(found) - len(entries)
    )


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise errors.Invalid(N_("A feed's address starts with https:// or http://."))
    return url


async def _download(ground: Ground, url: str) -> bytes:
    try:
        async with ground.outward.session() as session:
            answer = await session.ask("GET", url, _LIMITS)
    except OutwardError as problem:
        if problem.trouble is Trouble.PRIVATE:
            raise errors.Refused(
                N_("The feed at %(url)s is in a private network, which the settings don't open."),
                url=url,
            ) from problem
        raise _unreachable(url, str(problem)) from problem
    if answer.status != 200:
        raise _unreachable(url, f"HTTP {answer.status}")
    if len(answer.body) > MAX_BYTES:
        raise errors.Refused(N_("The feed at %(url)s is too large."), url=url)
    return answer.body


def _unreachable(url: str, said: str) -> errors.Refused:
    return errors.Refused(
        N_("The feed at %(url)s can't be fetched: %(said)s"), url=url, said=said[:200]
    )


def _entries(found: list[Any], today: date) -> Iterator[_Entry]:
    """Those that can be used; in the feed's order, which is newest first."""
    for each in found:
        headline, url = _line(each.get("title", "")), str(each.get("link", "")).strip()
        parts = urlsplit(url)
        if not headline or parts.scheme not in ("http", "https") or len(url) > _LINK:
            continue
        identity = str(each.get("id", "")) or url
        digest = hashlib.sha256(identity.encode("utf-8", "replace")).hexdigest()[:24]
        yield _Entry(
            key=f"feed-{digest}",
            headline=headline,
            summary=_plain(str(each.get("summary", "")))[:_SUMMARY],
            url=url,
            day=_day(each.get("published_parsed") or each.get("updated_parsed"), today),
        )


async def _known(ground: Ground, keys: list[str]) -> set[str]:
    statement = select(Development.key).where(col(Development.key).in_(keys))
    async with ground.db.reading() as session:
        return {key for key in (await session.exec(statement)).all() if key}


def _draft(entry: _Entry, source: str, language: str) -> Draft:
    summary = f"<p>{html.escape(entry.summary, quote=False)}</p>" if entry.summary else ""
    return Draft(
        kind=DevelopmentKind.NEWS,
        happened_on=entry.day,
        texts={language: {"headline": entry.headline, "summary": summary}},
        source_name=source,
        source_url=entry.url,
        key=entry.key,
        is_published=False,
    )


def _language(ground: Ground, said: object, wished: str) -> str:
    """One that the site speaks: the caller's wish, else the feed's own, else the site's."""
    for each in (wished, str(said).partition("-")[0].lower()):
        if each in ground.catalog.languages:
            return each
    return ground.settings.site.language


def _day(parsed: Any, today: date) -> date:
    """The entry's day, never one to come."""
    try:
        found = date(*parsed[:3]) if parsed else today
    except (TypeError, ValueError):
        found = today
    return min(found, today)


def _line(text: object) -> str:
    return _plain(str(text))[:_LINE]


def _plain(text: str) -> str:
    """Text without markup and control characters, in one line."""
    words = html.unescape(nh3.clean(text, tags=set()))
    return " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", words).split())
