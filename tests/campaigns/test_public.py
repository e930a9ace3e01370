import html
import re
import warnings
from datetime import timedelta
from typing import Any

import feedparser
import pytest

from campaigns.models import CampaignState, Visibility
from foundation.ground import Ground
from tests.campaigns import newsroom
from tests.world.web import Web

PAGE = "/issues/secure-communities"


@pytest.mark.storage
async def test_the_issues_page_has_everything_in_the_readers_language(
    ground: Ground, web: Web
) -> None:
    issue = await newsroom.issue(ground)
    await newsroom.parts(ground, issue)
    await newsroom.handout(ground, issue, languages=("en", "es"))
    await newsroom.development(ground, issue, newsroom.news())
    english = (await web.get(PAGE)).text
    spanish = (await web.get(f"{PAGE}?lang=es")).text
    for words in (
        "Secure Communities",
        "Without",
        "With",
        "53%",
        "MIRA",
        "We stand against it",
        "It misses",
        "A meeting in Chelsea",
        "Is it an order?",
        "The intake form",
        "Legal help",
        "Photos",
        "Join the coalition",
        "Sign up for the bulletin",
    ):
        assert words in html.unescape(english), words
    for words in (
        "Comunidades Seguras",
        "Sin",
        "Nos oponemos",
        "No alcanza",
        "Una reunión en Chelsea",
        "¿Es una orden?",
        "La ficha de ingreso",
        "Ayuda legal",
        "Reunión pública",
        "20 de octubre de 2026",
    ):
        assert words in html.unescape(spanish), words
    assert '<html lang="es"' in spanish


async def test_the_two_doors_say_where_the_reader_came_from(ground: Ground, web: Web) -> None:
    await newsroom.issue(ground)
    page = (await web.get(PAGE)).text
    assert 'href="/subscribe?source=issue-page&amp;topic=secure-communities"' in page
    assert 'href="/join?source=issue-page"' in page


async def test_text_without_a_translation_is_marked_with_its_language(
    ground: Ground, web: Web
) -> None:
    issue = await newsroom.issue(ground)
    await newsroom.development(ground, issue, newsroom.news("Only English", spanish=None))
    page = (await web.get(f"{PAGE}?lang=es")).text
    assert re.search(r'<h3 lang="en"><a [^>]+>Only English</a> <span[^>]*>\(en inglés\)', page)


async def test_drafts_and_unpublished_issues_are_seen_by_nobody(ground: Ground, web: Web) -> None:
    issue = await newsroom.issue(ground)
    hidden = await newsroom.issue(ground, slug="hidden", is_published=False)
    await newsroom.development(ground, issue, newsroom.news("Draft words", is_published=False))
    assert "Draft words" not in (await web.get(PAGE)).text
    assert "Draft words" not in (await web.get(f"{PAGE}/developments")).text
    assert (await web.get("/issues/hidden")).status == 404
    assert "/issues/hidden" not in (await web.get("/")).text
    staff = await web.as_staff()
    assert (await staff.get(f"/staff/issues/{hidden.id}/preview")).status == 200


async def test_a_word_of_staff_can_not_break_the_page(ground: Ground, web: Web) -> None:
    evil = '"><script>alert(1)</script>'
    texts = {"en": {"title": evil, "summary": evil}}
    issue = await newsroom.issue(ground, texts=texts)
    await newsroom.development(ground, issue, newsroom.news(evil, place=evil, source_name=evil))
    for path in (PAGE, "/", "/issues", f"{PAGE}/developments"):
        assert "<script>alert" not in (await web.get(path)).text


async def test_what_happened_long_ago_is_on_further_pages(ground: Ground, web: Web) -> None:
    issue = await newsroom.issue(ground)
    for number in range(35):
        day = ground.clock.now().date() - timedelta(days=number)
        await newsroom.development(ground, issue, newsroom.news(f"News {number}.", day=day))
    page = (await web.get(PAGE)).text
    assert "News 7." in page
    assert "News 8." not in page
    first = (await web.get(f"{PAGE}/developments")).text
    onward = html.unescape(re.search(r'href="([^"]+after=[^"]+)"', first)[1])  # type: ignore[index]
    second = (await web.get(onward)).text
    assert "News 29." in first
    assert "News 30." in second
    assert "News 34." in second


async def test_the_front_shows_issues_and_works_without_any(ground: Ground, web: Web) -> None:
    assert (await web.get("/")).status == 200
    assert (await web.get("/issues")).status == 200
    await newsroom.issue(ground)
    assert "Secure Communities" in (await web.get("/")).text
    assert "Comunidades Seguras" in (await web.get("/?lang=es")).text


@pytest.mark.storage
async def test_the_archive_shows_what_was_sent_in_the_readers_language(
    ground: Ground, web: Web
) -> None:
    await newsroom.issue(ground)
    await newsroom.sent(ground)
    assert "What happened" in (await web.get("/archive")).text
    spanish = (await web.get("/archive/october?lang=es")).text
    assert "Lo que pasó" in spanish
    assert "/subscribe?source=archive" in spanish
    assert 'rel="canonical" href="http://handbill.test/archive/october?lang=es"' in spanish
    mail = (await web.get("/archive/october/mail?lang=es")).text
    assert "Hola" in mail


async def test_a_mail_in_the_archive_runs_nothing_counts_nothing_and_names_nobody(
    ground: Ground, web: Web
) -> None:
    await newsroom.issue(ground)
    await newsroom.sent(ground)
    answer = await web.get("/archive/october/mail")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "allow-scripts" not in policy
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    for counted in ("/r/", "/o/", "/unsubscribe/", "/preferences/"):
        assert counted not in answer.text
    assert "{{" not in answer.text


@pytest.mark.parametrize(
    "more",
    [
        {"visibility": Visibility.SUBSCRIBERS},
        {"visibility": Visibility.HIDDEN},
        {"state": CampaignState.DRAFT},
        {"state": CampaignState.CANCELLED},
        {"archive_slug": None},
    ],
)
async def test_what_was_not_sent_or_is_not_for_the_archive_is_not_there(
    ground: Ground, web: Web, more: dict[str, Any]
) -> None:
    await newsroom.issue(ground)
    await newsroom.sent(ground, **more)
    assert "october" not in (await web.get("/archive")).text
    assert (await web.get("/archive/october")).status == 404
    assert (await web.get("/archive/october/mail")).status == 404


async def test_feed_readers_can_follow_the_archive(ground: Ground, web: Web) -> None:
    empty = await web.get("/archive/feed.xml")
    assert empty.headers["Content-Type"].startswith("application/atom+xml")
    await newsroom.issue(ground)
    await newsroom.sent(ground)
    answer = await web.get("/archive/feed.xml?lang=es")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        feed = feedparser.parse(answer.body)
    assert not feed.bozo
    assert feed.version == "atom10"
    (entry,) = feed.entries
    assert entry.title == "Lo que pasó"
    assert entry.link == "http://handbill.test/archive/october?lang=es"
    assert entry.id == "http://handbill.test/archive/october"


async def test_public_pages_are_small(ground: Ground, web: Web) -> None:
    issue = await newsroom.issue(ground)
    await newsroom.parts(ground, issue)
    for number in range(10):
        await newsroom.development(ground, issue, newsroom.news(f"News {number}"))
    page = await web.get(PAGE)
    files = re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text)
    whole = len(page.body) + sum([len((await web.get(each)).body) for each in set(files)])
    assert whole < 60_000


@pytest.mark.parametrize("rule", ["only_to", "all_but"])
async def test_the_archive_shows_only_what_everybody_saw(
    ground: Ground, web: Web, rule: str
) -> None:
    await newsroom.issue(ground)
    blocks = [
        newsroom.text_block("For everybody"),
        {**newsroom.text_block("For some"), rule: {"towns": ["Lynn"], "members": True}},
    ]
    await newsroom.sent(ground, document=newsroom.written(blocks=blocks))
    mail = await web.get("/archive/october/mail")
    page = await web.get("/archive/october")
    assert "For everybody" in mail.text
    for answer in (mail, page, await web.get("/archive"), await web.get("/archive/feed.xml")):
        assert "For some" not in answer.text
        assert "Lynn" not in answer.text
