"""Feeds in the forms in which sites produce them, and feeds that mean no good."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from campaigns import feed_reading
from campaigns.feed_reading import Document
from foundation import errors

FILES = Path(__file__).parent / "feed_files"
NOW = datetime(2026, 11, 2, 15, tzinfo=UTC)
BOSTON = ZoneInfo("America/New_York")


def read(octets: bytes, *, media_type: str = "", most: int = 300) -> Document:
    return feed_reading.read(octets, media_type=media_type, now=NOW, zone=BOSTON, most=most)


def told(name: str) -> tuple[str, list[tuple[str, str, str, date]]]:
    """A file's title, and of each story headline, link, source and day."""
    found = read((FILES / name).read_bytes())
    return found.title, [(each.headline, each.url, each.source, each.day) for each in found.entries]


@pytest.mark.parametrize(
    ("name", "title", "story"),
    [
        (
            "wordpress.xml",
            "Immigration – The Chelsea Record",
            (
                "Council votes 8–3 to limit police’s role in deportations",
                "https://chelsearecord.example/2026/10/30/council-votes/",
                "",
                date(2026, 10, 30),  # late in the evening there
            ),
        ),
        (
            "drupal.xml",
            "Noticias",
            (
                "Audiencia pública sobre Comunidades Seguras",
                "https://legalaid.example/es/noticias/audiencia-publica",
                "",
                date(2026, 10, 28),
            ),
        ),
        (
            "substack.xml",
            "Neighbors & Sanctuary",
            (
                "What the new numbers say",
                "https://neighbors.substack.example/p/what-the-new-numbers-say",
                "",
                date(2026, 10, 29),
            ),
        ),
        (
            "google-alerts.xml",
            'Google Alert - "secure communities"',
            (
                "Sheriffs leave Secure Communities - Boston Globe",
                "https://www.globe.example/metro/sheriffs?page=2",
                "globe.example",
                date(2026, 10, 31),
            ),
        ),
        (
            "government-rss1.xml",
            "Opinions of the Court",
            (
                "26-1402: Peña v. Secretary",
                "https://www.court.example/opn.php?id=9931",
                "",
                date(2026, 10, 27),  # a day without a time is that day everywhere
            ),
        ),
        (
            "government-rss2.xml",
            "Public Meetings | Department of Public Safety",
            (
                "Notice of public hearing, Lynn City Hall, room 402",
                "https://www.agency.example/meetings/detail.aspx?ID=771&GUID=AB-1",
                "",
                date(2026, 10, 26),
            ),
        ),
    ],
)
def test_what_sites_produce_is_read(
    name: str, title: str, story: tuple[str, str, str, date]
) -> None:
    assert told(name) == (title, [story])


def test_summaries_are_plain_text_without_what_the_sites_software_adds() -> None:
    summaries = {
        name: read((FILES / f"{name}.xml").read_bytes()).entries[0].summary
        for name in ("wordpress", "drupal", "substack", "google-alerts", "government-rss2")
    }
    assert summaries["wordpress"] == (
        "The council voted late on Friday & sent the ordinance to the manager.…"
    )
    assert summaries["drupal"].endswith("El jueves a las 6 en la biblioteca, con intérpretes.")
    assert summaries["substack"] == "Half of those deported had no conviction"
    assert "Secure Communities ..." in summaries["google-alerts"]
    assert summaries["government-rss2"] == (
        "When: November 12, 6:00 p.m.\n\nInterpreters on request."
    )


def test_a_json_feed_is_read_by_the_letter() -> None:
    found = read((FILES / "jsonfeed.json").read_bytes())
    assert (found.title, found.language, found.skipped) == ("Mutual aid", "es-US", 3)
    first, second = found.entries
    assert (first.identity, first.summary, first.day) == ("17", "El sábado.", date(2026, 10, 30))
    assert second.headline == "A note & no title <b>at all</b>"
    assert (second.url, second.language) == ("https://other.example/a?utm_source=x", "en")
    assert second.day == date(2026, 11, 2)  # today instead of a day to come


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"<html><body>Not a feed</body></html>",
        b"\x00\xff\xfe" * 100,
        b'{"version": "https://jsonfeed.org/version/1", "items": {}}',
        b'{"version": "https://jsonfeed.org/version/1", "title": "x", "items": "y"}',
        b'{"version": 1}',
        b"{" * 200_000,
        b'{"a":' * 50_000 + b"1",
    ],
    ids=["empty", "page", "noise", "no title", "no list", "version", "open", "deep"],
)
def test_what_is_no_feed_is_refused(octets: bytes) -> None:
    with pytest.raises(errors.Refused):
        read(octets)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_feed_that_declares_entities_is_refused_before_anything_grows(encoding: str) -> None:
    lines = ["<!ENTITY a0 'ha'>"]
    lines += [f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 10)]
    feed = f"<!DOCTYPE rss [{''.join(lines)}]><rss version='2.0'><channel><title>&a9;</title>"
    with pytest.raises(errors.Refused, match="entities"):
        read(f"{feed}</channel></rss>".encode(encoding))


def rss(*items: str, encoding: str = "UTF-8") -> str:
    """A feed of some items."""
    return (
        f'<?xml version="1.0" encoding="{encoding}"?><rss version="2.0"><channel>'
        f"<title>Paper</title>{''.join(items)}</channel></rss>"
    )


@pytest.mark.parametrize(
    ("declared", "real", "media_type"),
    [
        ("UTF-8", "windows-1252", "application/rss+xml"),
        ("UTF-8", "windows-1252", "text/xml; charset=utf-8"),
        ("ISO-8859-1", "utf-8", "text/xml; charset=utf-8"),
        ("no-such-encoding", "utf-8", ""),
    ],
)
def test_a_feed_in_another_encoding_than_it_says_is_read_right(
    declared: str, real: str, media_type: str
) -> None:
    feed = rss(
        "<item><title>Reunión en Chelsea</title><link>https://a.example/1</link></item>",
        encoding=declared,
    )
    found = read(feed.encode(real), media_type=media_type)
    assert [each.headline for each in found.entries] == ["Reunión en Chelsea"]


def test_days_to_come_or_of_no_calendar_are_today_and_odd_links_are_left_out() -> None:
    found = read(
        rss(
            "<item><title>To come</title><link>https://a.example/1</link>"
            "<pubDate>Fri, 31 Dec 2999 00:00:00 GMT</pubDate></item>",
            "<item><title>Nonsense</title><link>https://a.example/2</link>"
            "<pubDate>yesterday-ish</pubDate></item>",
            "<item><title>Script</title><link>javascript:alert(1)</link></item>",
            "<item><title>Password</title><link>https://me:secret@a.example/</link></item>",
            "<item><link>https://a.example/no-headline</link></item>",
            "<item><title>{{ unsubscribe_url }} &lt;b&gt;now</title><guid>x</guid></item>",
        ).encode()
    )
    today = date(2026, 11, 2)
    assert [(each.headline, each.day) for each in found.entries] == [
        ("To come", today),
        ("Nonsense", today),
        ("{ unsubscribe_url } now", today),
    ]
    assert found.skipped == 3


def test_only_the_top_of_a_long_feed_is_looked_at() -> None:
    items = [f"<item><title>Story {n}</title><guid>{n}</guid></item>" for n in range(50)]
    assert len(read(rss(*items).encode(), most=20).entries) == 20
    listed = [{"id": str(n), "title": f"Story {n}"} for n in range(50)]
    document = {"version": "https://jsonfeed.org/version/1.1", "title": "x", "items": listed}
    assert len(read(json.dumps(document).encode(), most=20).entries) == 20


@pytest.mark.parametrize(
    ("said", "wait"),
    [
        ("120", timedelta(minutes=2)),
        ("Mon, 02 Nov 2026 16:00:00 GMT", timedelta(hours=1)),
        ("Mon, 02 Nov 2020 16:00:00 GMT", timedelta()),
        ("soon", None),
        ("9" * 40, None),
    ],
)
def test_what_a_server_asks_for_is_understood(said: str, wait: timedelta | None) -> None:
    assert feed_reading.wait_asked_for(said, NOW) == wait
