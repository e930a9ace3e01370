"""What went out can be found again by whoever may read it, and by nobody else."""

import html
import re
import warnings
from typing import Any

import feedparser
import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from campaigns import archive, archiving, audiences, campaign_views, lifecycle
from campaigns.archive_models import ArchivedEdition
from campaigns.models import Campaign, CampaignState, Visibility
from delivery.models import Dispatch, DispatchPlan
from foundation import errors
from foundation.accounts.models import Role
from foundation.audit import COMMAND, AuditEntry
from foundation.ground import Ground
from foundation.tokens import Purpose
from subscribers.models import SignUp
from tests.campaigns import newsroom
from tests.handbill.test_api import bearer
from tests.world import campaigning, people
from tests.world.clock import FakeClock
from tests.world.web import Web


async def three(ground: Ground) -> None:
    """Three bulletins: two in two languages, one of them of another issue, one in Spanish alone."""
    await newsroom.issue(ground)
    await newsroom.issue(ground, slug="clean-water", texts={"en": {"title": "Clean water"}})
    await newsroom.sent(
        ground,
        slug="detention",
        document=newsroom.written(
            blocks=[newsroom.text_block("Three were detained.", "Detención de tres en el ÁREA.")]
        ),
    )
    await newsroom.sent(
        ground,
        slug="wells",
        document=newsroom.written(
            issue="clean-water",
            blocks=[newsroom.text_block("A hundred per cent of wells: 100%_sure", "Pozos")],
        ),
    )
    await newsroom.sent(
        ground,
        slug="solo",
        document=newsroom.written(
            editions={"es": {"subject": "Sólo en español"}},
            default_language="es",
            blocks=[{"kind": "rich_text", "texts": {"es": {"html": "<p>El último</p>"}}}],
        ),
    )


@pytest.mark.storage
async def test_bulletins_are_found_by_issue_language_and_how_their_words_begin(
    ground: Ground,
) -> None:
    await three(ground)
    speaks = ground.translator("en")

    async def found(**wanted: str) -> list[str]:
        page = await archive.listed(ground, translator=speaks, wanted=archive.Wanted(**wanted))
        return [each.slug for each in page.items]

    assert await found() == ["solo", "wells", "detention"]
    assert await found(issue="clean-water") == ["wells"]
    assert await found(issue="no-such") == []
    assert await found(language="en") == ["wells", "detention"]
    assert await found(search="DETENCION area") == ["detention"]
    assert await found(search="detain") == ["detention"]
    assert await found(search="tained") == []
    assert await found(search="detencion", language="en") == []
    assert await found(search="ultimo", language="es") == ["solo"]
    assert await found(search="detained wells") == []
    # What is a pattern to the database is a blank to a reader.
    assert await found(search="%") == ["solo", "wells", "detention"]
    assert await found(search="100%_s") == ["wells"]
    assert await found(search="d_tained") == []


async def test_long_lists_go_on_where_the_page_ended(ground: Ground, web: Web) -> None:
    await newsroom.issue(ground)
    for number in range(5):
        await newsroom.sent(ground, slug=f"number-{number}")
    speaks = ground.translator("es")
    first = await archive.listed(ground, translator=speaks, limit=3)
    await newsroom.sent(ground, slug="meanwhile")
    rest = await archive.listed(ground, translator=speaks, limit=3, after=first.next_after)
    slugs = [each.slug for each in (*first.items, *rest.items)]
    assert slugs == [f"number-{number}" for number in (4, 3, 2, 1, 0)]
    assert rest.next_after is None
    assert {each.subject for each in first.items} == {"Lo que pasó"}
    page = (await web.get("/archive?q=hola&lang=en&language=es&after=nonsense")).text
    assert page.count('href="/archive/number-') == 5
    assert 'value="hola"' in page
    assert "No bulletin fits" in (await web.get("/archive?q=elephant")).text


@pytest.mark.storage
async def test_who_can_read_it_is_said_before_and_after_and_kept_in_the_log(
    ground: Ground, web: Web
) -> None:
    ana = await people.subscribed(ground, "ana@example.org")
    campaign, order = await campaigning.started(ground)
    view = f"/view/{ground.tokens.seal(Purpose.VIEW, order.id, ana.id, 0)}"
    editor = await web.as_staff(Role.EDITOR)
    page = f"/staff/campaigns/{campaign.id}"

    async def seen() -> tuple[bool, int, int]:
        slug = (await campaign_views.show(ground, campaign_id=campaign.id)).campaign.archive_slug
        listed = [await web.get(each) for each in ("/archive", "/archive/feed.xml", "/")]
        in_lists = {slug in each.text for each in listed if slug}
        assert len(in_lists) == 1
        return (
            in_lists.pop(),
            (await web.get(f"/archive/{slug}")).status,
            (await web.get(view)).status,
        )

    assert await seen() == (True, 200, 200)
    assert (await editor.post(f"{page}/visibility", {"visibility": "subscribers"})).status == 303
    assert await seen() == (False, 404, 200)
    assert (await web.get(view)).headers["X-Robots-Tag"] == "noindex"
    assert (await editor.post(f"{page}/visibility", {"visibility": "hidden"})).status == 303
    assert await seen() == (False, 404, 404)
    author = await web.as_staff(Role.AUTHOR)
    assert (await author.post(f"{page}/visibility", {"visibility": "public"})).status == 403
    headers = await bearer(ground)
    answer = await web.post(
        f"/api/v1/campaigns/{campaign.id}/visibility",
        json={"visibility": "public"},
        headers=headers,
    )
    assert answer.json()["visibility"] == "public"
    assert await seen() == (True, 200, 200)
    async with ground.db.reading() as session:
        said = await session.exec(
            select(AuditEntry)
            .where(AuditEntry.action == "campaign.visibility-set")
            .order_by(col(AuditEntry.id))
        )
        steps = [(each.before["visibility"], each.after["visibility"]) for each in said.all()]
    assert steps == [
        ("public", "subscribers"),
        ("subscribers", "hidden"),
        ("hidden", "public"),
    ]


async def test_a_page_of_the_archive_has_one_bulletin_and_who_comes_second_is_told_whose_it_is(
    ground: Ground, web: Web
) -> None:
    await people.subscribed(ground, "ana@example.org")
    first = await campaigning.draft(ground, name="First")
    second = await campaigning.draft(ground, name="Second")
    for each in (first, second):
        assert each.version == 1
    given = {"from_name": "", "from_address": "", "reply_to": "", "relay": ""}
    topics = {"topics": "secure-communities", "name": "Kept", "version": "1", **given}
    editor = await web.as_staff(Role.EDITOR)

    async def wish(number: int, slug: str) -> str:
        form = {**topics, "visibility": "subscribers", "archive_slug": slug}
        answer = await editor.post(f"/staff/campaigns/{number}/edit", form)
        return "" if answer.status == 303 else html.unescape(answer.text)

    assert await wish(first.id, "Our-Day") == ""
    assert "/archive/our-day is that of “Kept”" in await wish(second.id, "our-day")
    assert "Use small letters" in await wish(second.id, "no way")
    kept = (await campaign_views.show(ground, campaign_id=first.id)).campaign
    assert (kept.archive_slug, kept.visibility) == ("our-day", Visibility.SUBSCRIBERS)
    with pytest.raises(errors.Invalid, match="our-day"):
        await lifecycle.create(
            ground,
            actor=COMMAND,
            bulletin_id=first.bulletin_id,
            name="Third",
            audience=audiences.Audience(topics=["secure-communities"]),
            archive_slug="our-day",
        )


@pytest.mark.storage
async def test_of_two_who_take_a_page_at_one_moment_one_is_told(ground: Ground) -> None:
    first = await campaigning.draft(ground, name="First")
    second = await campaigning.draft(ground, name="Second")
    taken = sa.update(Campaign).values(archive_slug="our-day")

    async def take_both() -> None:
        async with ground.db.transaction() as session:
            await session.execute(taken.where(col(Campaign.id) == first.id))
            with archiving.named_once():
                await session.execute(taken.where(col(Campaign.id) == second.id))

    with pytest.raises(errors.Conflict, match="same moment"):
        await take_both()


async def test_names_that_are_taken_get_a_number_that_is_free(ground: Ground) -> None:
    await people.subscribed(ground, "ana@example.org")
    slugs = []
    for _ in range(3):
        campaign, _ = await campaigning.started(ground, name="Same")
        found = (await campaign_views.show(ground, campaign_id=campaign.id)).campaign
        slugs.append((found.archive_slug or "")[len("2026-11-02-") :])
    assert slugs == ["same", "same-2", "same-3"]


async def test_what_only_some_saw_is_not_found_by_its_words(ground: Ground) -> None:
    await newsroom.issue(ground)
    some = {**newsroom.text_block("Whisper"), "only_to": {"towns": ["Lynn"]}}
    await newsroom.sent(
        ground, document=newsroom.written(blocks=[newsroom.text_block("Hello"), some])
    )
    async with ground.db.reading() as session:
        rows = (await session.exec(select(ArchivedEdition))).all()
    assert all("whisper" not in each.words and "Whisper" not in str(each.edition) for each in rows)
    assert {each.description for each in rows} == {"In October", "En octubre"}


@pytest.mark.storage
async def test_what_went_out_before_the_archive_kept_it_is_found_too(ground: Ground) -> None:
    await newsroom.issue(ground)
    await newsroom.sent(ground)
    speaks = ground.translator("es")
    wanted = archive.Wanted(search="hola")
    async with ground.db.transaction() as session:
        plan = (await session.exec(select(DispatchPlan))).first()
        assert plan is not None
        both = DispatchPlan(dispatch_id=plan.dispatch_id, language="en+es", plan=plan.plan)
        session.add(both)
        await session.execute(sa.delete(ArchivedEdition))
    assert (await archive.listed(ground, translator=speaks)).items == []
    assert await archiving.fill_in(ground) == 2
    assert await archiving.fill_in(ground) == 0
    (entry,) = (await archive.listed(ground, translator=speaks, wanted=wanted)).items
    assert (entry.subject, entry.has_handbill) == ("Lo que pasó", False)


async def test_a_bulletins_page_says_what_it_is_and_leads_to_its_other_languages(
    ground: Ground, web: Web
) -> None:
    await newsroom.issue(ground)
    picture = await newsroom.picture(ground)
    image = {
        "kind": "image",
        "picture": picture.digest,
        "texts": {"en": {"alt": "A bar"}, "es": {"alt": "Una barra"}},
    }
    blocks = [newsroom.text_block('Hi {{ subscriber.first_name }} & "you"', "Hola"), image]
    await newsroom.sent(ground, document=newsroom.written(blocks=blocks))
    page = (await web.get("/archive/october?lang=es")).text
    base = "http://handbill.test/archive/october"
    for tag in (
        f'rel="canonical" href="{base}?lang=es"',
        f'hreflang="en" href="{base}?lang=en"',
        f'hreflang="x-default" href="{base}"',
        'property="og:title" content="Lo que pasó"',
        'property="og:description" content="En octubre"',
        f'property="og:url" content="{base}?lang=es"',
        f'property="og:image" content="http://handbill.test/pictures/{picture.digest}"',
        'property="og:image:alt" content="Una barra"',
    ):
        assert tag in page, tag


async def test_the_form_on_a_bulletins_page_signs_up_for_its_issue_and_says_from_where(
    ground: Ground, web: Web, clock: FakeClock
) -> None:
    await newsroom.issue(ground)
    await newsroom.sent(ground)
    page = await web.get("/archive/october?lang=es&utm_source=flyer")
    form = re.search(r'<form method="post" action="/subscribe".*?</form>', page.text, re.DOTALL)
    assert form
    fields = dict(
        re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form[0]),
        email="ana@example.org",
    )
    clock.advance(seconds=30)
    answer = await web.post("/subscribe", fields)
    assert answer.location == "/subscribe/sent?lang=es"
    async with ground.db.reading() as session:
        kept = (await session.exec(select(SignUp))).one()
    assert (kept.source, kept.page_path, kept.utm_source) == (
        "archive",
        "/archive/october",
        "flyer",
    )
    async with ground.db.reading() as session:
        assert (await session.exec(select(Dispatch))).one().state == CampaignState.SENT


async def test_every_feed_of_an_issue_in_a_language_is_valid_and_says_where_it_is(
    ground: Ground, web: Web
) -> None:
    await three(ground)
    page = (await web.get("/archive?language=es&issue=secure-communities")).text
    links = re.findall(r'<link rel="alternate" type="([^"]+)" title="[^"]+" href="([^"]+)"', page)
    assert len(links) == 3
    for kind, link in links:
        answer = await web.get(html.unescape(link))
        assert answer.headers["Content-Type"] == f"{kind}; charset=utf-8"
        own = f"http://handbill.test{html.unescape(link)}"
        if kind == "application/feed+json":
            feed = answer.json()
            assert feed["version"] == "https://jsonfeed.org/version/1.1"
            assert feed["feed_url"] == own
            assert feed["language"] == "es"
            entries = [(each["title"], each["url"], each["id"]) for each in feed["items"]]
            assert all(each["content_text"] for each in feed["items"])
        else:
            parsed = parsed_feed(answer.body)
            assert own in [each.href for each in parsed.feed.links if each.rel == "self"]
            assert parsed.feed.language == "es"
            assert all(each.published_parsed for each in parsed.entries)
            entries = [(each.title, each.link, each.id) for each in parsed.entries]
        base = "http://handbill.test/archive"
        assert entries == [
            ("Sólo en español", f"{base}/solo?lang=es", f"{base}/solo"),
            ("Lo que pasó", f"{base}/detention?lang=es", f"{base}/detention"),
        ]
    for nowhere in ("issue=no-such", "language=xx"):
        assert (await web.get(f"/archive/feed.rss?{nowhere}")).status == 404


async def test_no_word_can_break_a_feed(ground: Ground, web: Web) -> None:
    evil = "]]></title><script>&amp; \U0001f4a1"
    await newsroom.issue(ground)
    await newsroom.issue(ground, slug="odd", texts={"en": {"title": f"{evil} \ufffe"}})
    await newsroom.sent(
        ground, document=newsroom.written(editions={"en": {"subject": evil, "preheader": evil}})
    )
    for kind in ("xml", "rss"):
        feed = parsed_feed((await web.get(f"/archive/feed.{kind}")).body)
        assert feed.entries[0].title == evil
        feed = parsed_feed((await web.get(f"/archive/feed.{kind}?issue=odd")).body)
        assert feed.feed.title.strip().endswith(evil)
    assert (await web.get("/archive/feed.json")).json()["items"][0]["title"] == evil


async def test_who_has_a_feed_already_is_told_so_until_something_is_taken_back(
    ground: Ground, web: Web, clock: FakeClock
) -> None:
    await newsroom.issue(ground)
    await newsroom.sent(ground, slug="september")
    clock.advance(days=30)
    campaign = await newsroom.sent(ground)
    first = await web.get("/archive/feed.xml")
    assert "Accept-Language" in first.headers["Vary"]
    by_tag = {"If-None-Match": first.headers["ETag"]}
    by_date = {"If-Modified-Since": first.headers["Last-Modified"]}
    for known in (by_tag, by_date):
        again = await web.get("/archive/feed.xml", headers=known)
        assert (again.status, again.body) == (304, b"")
    stale = {**by_date, "If-None-Match": '"another"'}
    assert (await web.get("/archive/feed.xml", headers=stale)).status == 200
    clock.advance(minutes=5)
    await archiving.set_visibility(
        ground, actor=COMMAND, campaign_id=campaign.id, visibility=Visibility.HIDDEN
    )
    for known in (by_tag, by_date):
        again = await web.get("/archive/feed.xml", headers=known)
        assert again.status == 200
        assert b"october" not in again.body


def parsed_feed(body: bytes) -> Any:
    """A feed as readers see it; it has to be well-formed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        feed = feedparser.parse(body)
    assert not feed.bozo, feed.bozo_exception
    return feed
