"""Half a year of a series: two changes of the clocks, an empty fortnight, a crash, two schedulers.

Developments arrive as they do in an office, some late, held, untranslated or a partner's. Every
edition's items and reasons are compared with what was meant.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime

import pytest

from campaigns import campaign_views, overview, series_runs
from campaigns.models import CampaignState
from campaigns.series_models import SeriesRun
from foundation.ground import Ground
from tests.campaigns import editions, newsroom
from tests.world.clock import FakeClock

Deliver = Callable[[], Awaitable[None]]


async def closing(ground: Ground, clock: FakeClock, moment: datetime) -> None:
    """Two schedulers look a second before content closes, and at once when it does; and again."""
    clock.set(moment)
    clock.advance(seconds=-1)
    assert await series_runs.draft_due(ground) == []
    clock.set(moment)
    await asyncio.gather(series_runs.draft_due(ground), series_runs.draft_due(ground))
    assert await series_runs.draft_due(ground) == []
    assert (await overview.read(ground)).series == []  # whoever was late did not fail at it


def at(month: int, day: int, hour: int, *, year: int = 2026) -> datetime:
    """A moment, in UTC."""
    return datetime(year, month, day, hour, tzinfo=UTC)


async def autumn(ground: Ground, clock: FakeClock) -> None:
    """Four editions; the clocks go back between the last two."""
    rosa = await editions.partner(ground, "Rosa House")
    for number in range(1, 5):
        await editions.news(ground, f"News {number}", date(2026, 9, number))
    await editions.news(ground, "Rosa one", date(2026, 9, 8), partner_id=rosa)
    await editions.news(ground, "Rosa two", date(2026, 9, 9), partner_id=rosa)
    await editions.news(ground, "Still a draft", date(2026, 9, 10), is_published=False)
    held = at(9, 25, 12)
    await editions.news(ground, "Held back", date(2026, 9, 11), not_before=held)
    await editions.news(ground, "Town meeting", date(2026, 9, 24), kind="public-meeting")
    await closing(ground, clock, at(9, 16, 21))
    # What did not fit goes first; what was held may be told; the meeting was in.
    await editions.news(ground, "Rosa three", date(2026, 9, 22), partner_id=rosa)
    await closing(ground, clock, at(9, 30, 21))
    await editions.news(ground, "Only in English", date(2026, 10, 12), spanish=None)
    await closing(ground, clock, at(10, 14, 21))
    # Nine o'clock is an hour later from November on, but this one still closes by summer time.
    await editions.news(ground, "Late in", date(2026, 10, 2))
    await editions.news(ground, "On time", date(2026, 10, 27))
    await editions.news(ground, "To come", date(2026, 11, 3))
    await editions.crash(ground, at(10, 28, 21))
    assert len(await editions.runs(ground, 1)) == 3
    assert len((await campaign_views.listed(ground)).items) == 3
    await closing(ground, clock, at(10, 28, 21))


async def winter(ground: Ground, clock: FakeClock) -> None:
    """Ten more, five of them with news; the clocks go forward before the last."""
    for month, day, has_news in (
        (11, 11, True), (11, 25, False), (12, 9, True), (12, 23, False),
        (1, 6, True), (1, 20, False), (2, 3, True), (2, 17, False), (3, 3, False),
    ):  # fmt: skip
        year = 2026 if month > 6 else 2027
        clock.set(at(month, day, 12, year=year))
        for word in ("First", "Second") if has_news else ():
            await editions.news(ground, f"{word} of {month}/{day}", date(year, month, day))
        await closing(ground, clock, at(month, day, 22, year=year))
    for word in ("First", "Second"):
        await editions.news(ground, f"{word} of March", date(2027, 3, 15))
    await closing(ground, clock, at(3, 17, 21, year=2027))  # an hour sooner than in winter


@pytest.mark.storage
async def test_half_a_year_has_one_edition_for_each_date_with_what_it_should_hold(
    ground: Ground, clock: FakeClock
) -> None:
    clock.set(at(9, 14, 12))
    await newsroom.issue(ground)
    kept = await editions.made(ground, least=2, partner_most=1, is_yearly=True)
    await autumn(ground, clock)
    await winter(ground, clock)
    found = await editions.runs(ground, kept.id)
    assert editions.outcomes(found) == {
        "2026-09-17": "drafted",
        "2026-10-01": "drafted",
        "2026-10-15": "drafted",
        "2026-10-29": "drafted",
        "2026-11-12": "drafted",
        "2026-11-26": "skipped too-little",
        "2026-12-10": "drafted",
        "2026-12-24": "skipped too-little",
        "2027-01-07": "drafted",
        "2027-01-21": "skipped too-little",
        "2027-02-04": "drafted",
        "2027-02-18": "skipped too-little",
        "2027-03-04": "skipped too-little",
        "2027-03-18": "drafted",
    }
    assert [f"{each.volume}/{each.number}" for each in found if each.number] == [
        "1/1", "1/2", "1/3", "1/4", "1/5", "1/6", "2/1", "2/2", "2/3",
    ]  # fmt: skip
    await assert_autumn(ground, found)
    assert {each.sends_at.hour for each in found[:4]} == {13}
    assert {each.sends_at.hour for each in found[4:13]} == {14}
    assert found[13].sends_at.hour == 13
    page = await campaign_views.listed(ground, limit=100)
    assert len(page.items) == 9
    assert {each.state for each in page.items} == {CampaignState.IN_REVIEW.value}


async def assert_autumn(ground: Ground, found: list[SeriesRun]) -> None:
    """What the first editions held, and why."""
    assert await editions.reasons(ground, found[0]) == {
        "Rosa two": "in: new",
        "News 4": "in: new",
        "News 3": "in: new",
        "Town meeting": "in: new",
        "Held back": "out: embargo",
        "Still a draft": "out: draft",
        "Rosa one": "out: partner-quota",
        "News 2": "out: section-full",
        "News 1": "out: section-full",
    }
    second = await editions.reasons(ground, found[1])
    assert {name: why for name, why in second.items() if why.startswith("in")} == {
        "Rosa one": "in: carried",
        "News 2": "in: carried",
        "News 1": "in: carried",
    }
    assert second["Rosa three"] == "out: partner-quota"
    assert second["Held back"] == "out: section-full"
    assert second["News 3"] == second["Town meeting"] == "out: used"
    third = await editions.reasons(ground, found[2])
    assert list(third.items())[:3] == [
        ("Rosa three", "in: carried"),
        ("Held back", "in: carried"),
        ("Only in English", "in: new"),
    ]
    fourth = await editions.reasons(ground, found[3])
    assert fourth["Late in"] == fourth["On time"] == "in: new"
    assert fourth["To come"] == "out: not-yet"
    assert found[5].values == {"found": 0, "needed": 2}
    first = await editions.bulletin(ground, found[0])
    assert first.document["editions"]["en"]["subject"] == "Neighbors no. 1, September 17, 2026"
    assert first.document["editions"]["es"]["subject"] == "Vecinos n.º 1, 17 de septiembre de 2026"
    assert first.document["editions"]["es"]["preheader"] == "Volumen 1"
