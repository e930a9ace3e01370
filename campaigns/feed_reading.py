"""Takes a feed apart: RSS and Atom in every form that sites produce, and JSON Feed.

Pure: octets in, stories out. What a feed says is never trusted. Its HTML becomes plain text; its
dates lie in the past; its links lead to web pages; documents that declare entities of their own are
refused, as those can grow without end when they are read (“billion laughs”).
"""

import html
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

from foundation import errors
from foundation.frozen import frozen
from foundation.i18n import N_

LINE = 300
SUMMARY = 600
LINK = 2000
_JSON_FEED = "https://jsonfeed.org/version/"
_ENTITY = re.compile(rb"<!ENTITY", re.IGNORECASE)
_BLOCK_END = re.compile(r"</(?:p|div|li|h\d|blockquote|tr)>|<br\s*/?>", re.IGNORECASE)
# What WordPress puts below every story, and after a shortened one.
_APPEARED_FIRST = re.compile(r"^The post .* (?:appeared first|first appeared) on .*$", re.MULTILINE)
_READ_MORE = re.compile(r"\s*(?:\[(?:…|\.\.\.)\]|Continue reading\b.{0,200}|Read more\b.{0,80})$")


@frozen
class Entry:
    """A story of a feed."""

    identity: str
    """What the feed calls it."""
    headline: str
    summary: str
    """Plain text; paragraphs stand apart by an empty line."""
    url: str
    """Blank where a story has no page."""
    source: str
    """Where it was first told, if the feed says so."""
    language: str
    day: date


@frozen
class Document:
    """A feed that was read."""

    title: str
    language: str
    entries: Sequence[Entry]
    """In the feed's order, which is mostly newest first."""
    skipped: int
    """Stories without a headline or with a link that leads nowhere."""


def read(
    octets: bytes, *, media_type: str = "", now: datetime, zone: ZoneInfo, most: int
) -> Document:
    """The feed in some octets, its first `most` stories.

    Raises `errors.Refused` where there is none. It may take seconds: call it in a thread.
    """
    if octets.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        return _read_json(octets, now=now, zone=zone, most=most)
    return _read_xml(octets, media_type=media_type, now=now, zone=zone, most=most)


def plain(text: str) -> str:
    """HTML as plain text without control characters; paragraphs stand apart by an empty line."""
    import nh3  # as templates.sanitise does

    apart = _BLOCK_END.sub("\n\n", text)
    words = html.unescape(nh3.clean(apart, tags=set(), clean_content_tags={"script", "style"}))
    # Fields of mails are for staff to write.
    words = words.replace("{{", "{").replace("}}", "}").replace("{%", "{").replace("%}", "}")
    words = "".join(each if each == "\n" or each.isprintable() else " " for each in words)
    parts = [" ".join(part.split()) for part in re.split(r"\n\s*\n", words)]
    return "\n\n".join(part for part in parts if part)


def line(text: object, limit: int = LINE) -> str:
    """HTML as one line of plain text."""
    return " ".join(plain(str(text)).split())[:limit].strip()


def paragraphs(text: str) -> str:
    """Plain text as HTML."""
    return "".join(
        f"<p>{html.escape(part, quote=False)}</p>" for part in text.split("\n\n") if part.strip()
    )


def web_link(text: object) -> str:
    """An address of the web, taken out of the one by which Google Alerts counts readers; or blank.

    Google writes `https://www.google.com/url?rct=j&sa=t&url=<the story>&ct=ga&…`.
    """
    url = str(text).strip()
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return ""
    if re.fullmatch(r"(?:www\.)?google\.[a-z.]{2,6}", host) and parts.path == "/url":
        inner = parse_qs(parts.query)
        return web_link((inner.get("url") or inner.get("q") or [""])[0])
    is_web = parts.scheme in ("http", "https") and bool(host) and not parts.username
    return url if is_web and len(url) <= LINK and url.isprintable() and " " not in url else ""


def _read_xml(
    octets: bytes, *, media_type: str, now: datetime, zone: ZoneInfo, most: int
) -> Document:
    import feedparser  # a megabyte and a half, for whoever reads feeds

    # Two octets a letter hide nothing.
    if _ENTITY.search(octets.replace(b"\0", b"")):
        raise errors.Refused(N_("It declares entities of its own, which no feed needs."))
    headers = {"content-type": media_type} if media_type else {}
    parsed = feedparser.parse(io.BytesIO(octets), response_headers=headers)
    if not parsed.get("version"):
        raise errors.Refused(N_("There is no RSS, Atom or JSON feed."))
    found = list(parsed.entries[:most])
    entries = list(_xml_entries(found, now=now, zone=zone))
    return Document(
        title=line(parsed.feed.get("title", "")),
        language=_tag(parsed.feed.get("language", "")),
        entries=entries,
        skipped=len(found) - len(entries),
    )


def _xml_entries(found: Sequence[Any], *, now: datetime, zone: ZoneInfo) -> Iterator[Entry]:
    for each in map(dict, found):  # feedparser's own kind of dictionary makes some things up
        headline = line(each.get("title", ""))
        identity = str(each.get("id", "")).strip()
        linked = str(each.get("link", "")).strip()
        # Where a guid does not say that it is no link, feedparser takes it for one.
        linked = "" if linked == identity and "://" not in linked else linked
        url = web_link(linked)
        if not headline or (linked and not url):
            continue
        source = each.get("source", {})
        told = _source(source.get("title", "") if isinstance(source, Mapping) else "", linked, url)
        yield Entry(
            identity=identity or url or headline,
            headline=_headline(headline, told),
            summary=_summary(each),
            url=url,
            source=told,
            language=_tag(each.get("language", "")),
            day=_xml_day(each, now=now, zone=zone),
        )


def _source(named: object, linked: str, url: str) -> str:
    """Where a story was first told; of one that an alert found, the site that has it."""
    name = line(named, 200)
    if name or linked == url:
        return name
    return (urlsplit(url).hostname or "").removeprefix("www.")


def _headline(headline: str, source: str) -> str:
    """Without the name of the paper at its end, where that is said anyway."""
    for joint in (" - ", " – ", " — ", " | "):
        if source and headline.endswith(joint + source):
            return headline.removesuffix(joint + source).strip() or headline
    return headline


def _summary(each: Mapping[str, Any]) -> str:
    """The feed's own summary, else the beginning of the story."""
    whole = [part.get("value", "") for part in each.get("content", []) if part.get("value")]
    text = plain(str(each.get("summary", "")) or (whole[0] if whole else ""))
    return shortened(_APPEARED_FIRST.sub("", text).strip())


def shortened(text: str, limit: int = SUMMARY) -> str:
    """Plain text cut at a word, without what says that there is more."""
    text = _READ_MORE.sub("…", text)
    if len(text) <= limit:
        return text
    return text[:limit].rsplit(" ", 1)[0].rstrip(" ,;:–-") + "…"


def _xml_day(each: Mapping[str, Any], *, now: datetime, zone: ZoneInfo) -> date:
    for name in ("published", "updated", "created"):
        parsed, written = each.get(f"{name}_parsed"), str(each.get(name, ""))
        if not parsed:
            continue
        try:
            year, month, day, hour, minute, second = parsed[:6]
            moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        except (TypeError, ValueError):
            continue
        return _day(moment, is_timed=":" in written, now=now, zone=zone)
    return now.astimezone(zone).date()


def _day(moment: datetime, *, is_timed: bool, now: datetime, zone: ZoneInfo) -> date:
    """The local day of a moment, or the very day where no time was said; none that is to come."""
    try:
        day = moment.astimezone(zone).date() if is_timed else moment.date()
    except OverflowError:
        day = date.max
    return min(day, now.astimezone(zone).date())


def _read_json(octets: bytes, *, now: datetime, zone: ZoneInfo, most: int) -> Document:
    """JSON Feed 1 and 1.1, by the letter (https://www.jsonfeed.org/version/1.1/)."""
    try:
        found = json.loads(octets.decode("utf-8-sig"))
    except (ValueError, RecursionError) as problem:
        raise errors.Refused(N_("It is JSON that can't be read.")) from problem
    version = found.get("version") if isinstance(found, dict) else None
    items = found.get("items") if isinstance(found, dict) else None
    if not isinstance(version, str) or not version.startswith(_JSON_FEED):
        raise errors.Refused(N_("There is no RSS, Atom or JSON feed."))
    if not isinstance(items, list) or not isinstance(found.get("title"), str):
        raise errors.Refused(N_("It calls itself a JSON Feed, but has no title or no list."))
    listed = items[:most]
    entries = list(_json_entries(listed, now=now, zone=zone))
    return Document(
        title=line(found["title"]),
        language=_tag(found.get("language")),
        entries=entries,
        skipped=len(listed) - len(entries),
    )


def _json_entries(items: Sequence[Any], *, now: datetime, zone: ZoneInfo) -> Iterator[Entry]:
    for each in items:
        if not isinstance(each, dict):
            continue
        identity = each.get("id")
        if isinstance(identity, (int, float)) and not isinstance(identity, bool):
            identity = str(identity)  # as §Items asks for
        url = web_link(_text(each, "url") or _text(each, "external_url"))
        body = _text(each, "summary") or _text(each, "content_html")
        text = plain(body) if body else plain(html.escape(_text(each, "content_text")))
        headline = line(_text(each, "title")) or shortened(" ".join(text.split()), 100)
        if not isinstance(identity, str) or not identity or not headline:
            continue
        yield Entry(
            identity=identity,
            headline=headline,
            summary=shortened(text),
            url=url,
            source="",
            language=_tag(each.get("language")),
            day=_json_day(each, now=now, zone=zone),
        )


def _text(each: Mapping[str, Any], name: str) -> str:
    found = each.get(name)
    return found if isinstance(found, str) else ""


def _json_day(each: Mapping[str, Any], *, now: datetime, zone: ZoneInfo) -> date:
    for name in ("date_published", "date_modified"):
        try:
            moment = datetime.fromisoformat(_text(each, name))
        except ValueError:
            continue
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return _day(moment, is_timed=True, now=now, zone=zone)
    return now.astimezone(zone).date()


def _tag(said: object) -> str:
    """A language tag as far as it is one."""
    text = str(said or "").strip().replace("_", "-")[:35]
    return text if re.fullmatch(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*", text) else ""


def wait_asked_for(said: str, now: datetime) -> timedelta | None:
    """What `Retry-After` asks for: seconds, or a date (RFC 9110 §10.2.3)."""
    from email.utils import parsedate_to_datetime

    said = said.strip()
    if said.isascii() and said.isdigit() and len(said) < 10:
        return timedelta(seconds=int(said))
    try:
        moment = parsedate_to_datetime(said)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(moment - now, timedelta())
