"""Feeds are read politely, in their own rhythm, and given up with a word."""

import asyncio
from datetime import timedelta

import pytest
from aiohttp import web
from sqlmodel import select

from campaigns import feed_polling, feed_sources, overview
from delivery.models import QueuedNotice
from foundation import errors
from foundation.ground import Ground
from tests.campaigns import desk, newsroom
from tests.campaigns.newsroom import ANA, BEN
from tests.world import abroad, people
from tests.world.clock import FakeClock

STORY = ("1", "A vote on detainers in Chelsea", "https://paper.example/1")
OTHER = ("2", "Sheriffs say that they leave the program", "https://paper.example/2")


@pytest.mark.storage
async def test_a_feed_is_read_in_its_own_rhythm_by_one_scheduler_and_brings_each_story_once(
    ground: Ground, clock: FakeClock
) -> None:
    await newsroom.issue(ground)
    pages: dict[str, web.Response | str | int] = {
        "/feed": desk.with_headers(
            desk.rss(STORY), ETag='"a"', Last_Modified="Mon, 02 Nov 2026 14:00:00 GMT"
        )
    }
    async with abroad.serving(pages) as there:
        ours = desk.reaching(ground, there)
        kept = await desk.feed(ours, there.url("/feed"), every_minutes=60)
        await asyncio.gather(feed_polling.poll_due(ours), feed_polling.poll_due(ours))
        assert await desk.told(ground) == [(STORY[1], "new")]
        assert there.asked == ["GET /feed"]
        clock.advance(minutes=59)
        assert await desk.polled(ours) == []
        clock.advance(minutes=1)
        pages["/feed"] = 304
        assert [each.is_unchanged for each in await desk.polled(ours)] == [True]
        heard = there.heard["/feed"]
        assert heard["If-None-Match"] == '"a"'
        assert heard["If-Modified-Since"] == "Mon, 02 Nov 2026 14:00:00 GMT"
        clock.advance(hours=1)
        pages["/feed"] = desk.rss(OTHER, STORY)
        (reading,) = await desk.polled(ours)
        assert (len(reading.taken.added), len(reading.taken.known)) == (1, 1)
        assert [each for each, _ in await desk.told(ground)] == [STORY[1], OTHER[1]]
        found = await desk.now(ground, kept.id)
        assert (found.title, found.added, found.etag) == ("City Desk", 2, "")
        assert found.next_at == clock.now() + timedelta(hours=1)


@pytest.mark.settings(desk={"feed_failures_before_pause": 3, "feed_max_bytes": 20_000})
async def test_a_feed_that_fails_is_asked_less_and_less_then_given_up_and_staff_are_told(
    ground: Ground, clock: FakeClock
) -> None:
    await people.staff(ground, email="owner@coalition.example")
    await newsroom.issue(ground)
    pages: dict[str, web.Response | str | int] = {"/feed": 500}
    async with abroad.serving(pages) as there:
        ours = desk.reaching(ground, there)
        kept = await desk.feed(ours, there.url("/feed"), every_minutes=60, name="The town")
        waits, found = [], kept
        for page in (500, desk.rss(*[("9", "x" * 30_000, "https://a.example")]), "/round"):
            pages["/feed"], pages["/round"] = page, "/round"
            (reading,) = await desk.polled(ours)
            assert reading.problem is not None
            found = await desk.now(ground, kept.id)
            waits.append(found.next_at - clock.now())
            clock.set(found.next_at)
        assert waits[:2] == [timedelta(hours=2), timedelta(hours=4)]
        assert found.state == "broken"
        assert found.problem_texts["es"] == "Redirige una y otra vez."
        assert await desk.polled(ours) == []
        assert [each.id for each in (await overview.read(ground)).feeds] == [kept.id]
        async with ground.db.reading() as session:
            (notice,) = (await session.exec(select(QueuedNotice))).all()
        assert (notice.kind, notice.context["feed"]) == ("feed_needs_attention", "The town")
        # It is mended, and somebody looks.
        pages["/feed"] = desk.rss(STORY)
        assert (await feed_polling.poll_now(ours, feed_id=kept.id)).problem is None
        found = await desk.now(ground, kept.id)
        assert (found.state, found.failures, found.problem_texts) == ("active", 0, {})


async def test_what_servers_ask_for_is_heeded_and_a_feed_that_is_gone_is_given_up_at_once(
    ground: Ground, clock: FakeClock
) -> None:
    await newsroom.issue(ground)
    busy = desk.with_headers(web.Response(status=429), Retry_After="7200")
    closed = desk.with_headers(
        web.Response(status=503), Retry_After="Tue, 03 Nov 2026 15:00:00 GMT"
    )
    forever = desk.with_headers(web.Response(status=429), Retry_After="99999999")
    pages: dict[str, web.Response | str | int] = {
        "/busy": busy, "/closed": closed, "/forever": forever, "/gone": 410,
    }  # fmt: skip
    async with abroad.serving(pages) as there:
        ours = desk.reaching(ground, there)
        for path in pages:
            await desk.feed(ours, there.url(path))
        await desk.polled(ours)
    found = [await desk.now(ground, number) for number in (1, 2, 3, 4)]
    assert [each.next_at - clock.now() for each in found[:3]] == [
        timedelta(hours=2),
        timedelta(days=1),
        timedelta(days=7),
    ]
    assert [each.state for each in found] == ["active", "active", "active", "broken"]


async def test_a_feed_never_leads_inside_and_a_slow_one_does_not_stop_the_others(
    ground: Ground,
) -> None:
    await newsroom.issue(ground)
    pages: dict[str, web.Response | str | int] = {
        "/inside": "http://127.0.0.2:PORT/feed",
        "/named": "http://inside.coop:PORT/feed",
        "/feed": desk.rss(STORY),
    }
    async with abroad.serving(pages) as there:
        there.names["inside.coop"] = ["10.1.2.3"]
        ours = desk.reaching(ground, there)
        for path in pages:
            await desk.feed(ours, there.url(path))
        found = await desk.polled(ours)
        assert [str(each.problem or "") for each in found] == [
            "It is in a private network, which the settings don't open."
        ] * 2 + [""]
        assert there.asked.count("GET /feed") == 1


async def test_feeds_that_call_everything_anew_at_each_reading_bring_nothing_twice(
    ground: Ground, clock: FakeClock
) -> None:
    await newsroom.issue(ground)
    day = "Mon, 02 Nov 2026 14:00:00 GMT"
    pages: dict[str, web.Response | str | int] = {}
    async with abroad.serving(pages) as there:
        ours = desk.reaching(ground, there)
        await desk.feed(ours, there.url("/ids"))
        await desk.feed(ours, there.url("/links"))
        for turn in range(4):
            pages["/ids"] = desk.rss((f"id-{turn}", STORY[1], f"{STORY[2]}?utm_source={turn}"))
            pages["/links"] = desk.rss(
                (f"x{turn}", OTHER[1], f"https://cms.example/a?session={turn}"), day=day
            )
            assert all(each.problem is None for each in await desk.polled(ours))
            clock.advance(hours=1)
    assert await desk.told(ground) == [(STORY[1], "new"), (OTHER[1], "new")]


async def test_words_keep_stories_out_and_let_stories_in(ground: Ground) -> None:
    await newsroom.issue(ground)
    stories = [
        ("1", "Deportación de un vecino", "https://a.example/1"),
        ("2", "Deportations and high-school sports", "https://a.example/2"),
        ("3", "The weather", "https://a.example/3"),
        ("4", "S-Comm, explained", "https://a.example/4"),
    ]
    async with abroad.serving({"/feed": desk.rss(*stories)}) as there:
        ours = desk.reaching(ground, there)
        await desk.feed(
            ours, there.url("/feed"), include=["deport*", "s-comm"], exclude=["HIGH SCHOOL"]
        )
        (reading,) = await desk.polled(ours)
    assert reading.left_out == 2
    assert {each for each, _ in await desk.told(ground)} == {stories[0][1], stories[3][1]}


@pytest.mark.storage
async def test_feeds_are_changed_paused_and_removed_by_one_person_at_a_time(
    ground: Ground,
) -> None:
    issue = await newsroom.issue(ground)
    kept = await desk.feed(ground, "https://paper.example/feed")
    draft = feed_sources.FeedDraft(issue_id=issue.id, url="https://paper.example/new")
    changed = await feed_sources.update(ground, actor=ANA, feed_id=kept.id, version=1, draft=draft)
    with pytest.raises(errors.Conflict):
        await feed_sources.pause(ground, actor=BEN, feed_id=kept.id, version=1)
    await feed_sources.pause(ground, actor=BEN, feed_id=kept.id, version=changed.version)
    assert await desk.polled(ground) == []
    for url, more in (
        ("https://paper.example/new", {}),
        ("ftp://paper.example/", {}),
        ("https://me:secret@paper.example/", {}),
        ("https://other.example/", {"every_minutes": 5}),
        ("https://other.example/", {"language": "xx"}),
        ("https://other.example/", {"include": ["!!!"]}),
        ("https://other.example/", {"partner_id": 99}),
    ):
        with pytest.raises(errors.Invalid):
            await desk.feed(ground, url, **more)
    await feed_sources.remove(ground, actor=ANA, feed_id=kept.id, version=3)
    with pytest.raises(errors.NotFound):
        await desk.now(ground, kept.id)
