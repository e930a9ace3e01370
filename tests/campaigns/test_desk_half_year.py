"""Half a year of the desk: feeds, an inbox, a partner and a series, up to each edition.

Three feeds tell hundreds of stories: a paper that calls what is new something else at every
reading, an alert that finds half of them again in other words, a Spanish one in JSON. An editor
keeps what is left, a partner proposes, some fortnights are empty, the clocks change twice, and one
scheduler is killed at the cut-off.
"""

import asyncio
import json
from datetime import UTC, date, datetime, timedelta

import pytest
from aiohttp import web

from campaigns import (
    campaign_views,
    compiling,
    feed_polling,
    inbox,
    inbox_lists,
    inbox_rules,
    proposals,
    series_runs,
)
from campaigns.inbox_models import ItemState
from campaigns.inbox_rules import RuleDraft
from campaigns.proposals import Proposal
from campaigns.series_models import SeriesRun
from foundation.ground import Ground
from templates.content import Developments
from tests.campaigns import desk, editions, newsroom
from tests.campaigns.newsroom import ANA
from tests.world import abroad
from tests.world.clock import FakeClock

CLOSINGS = [
    (9, 16, 21), (9, 30, 21), (10, 14, 21), (10, 28, 21), (11, 11, 22), (11, 25, 22),
    (12, 9, 22), (12, 23, 22), (1, 6, 22), (1, 20, 22), (2, 3, 22), (2, 17, 22), (3, 3, 22),
    (3, 17, 21),
]  # fmt: skip
"""Month, day and hour (UTC) when content closes: five in the afternoon in Boston."""
EVENTFUL = {(9, 16), (9, 30), (10, 28), (11, 11), (12, 9), (3, 17)}
"""In the other fortnights nothing happens, so that there is no edition."""
CRASH = (10, 28)
PAPER = (
    "Lynn councilors write letter {n} to the sheriff",
    "Chelsea opens legal clinic {n} in its library",
    "Judge hears argument {n} about detainers without warrants",
)
SPANISH = (
    "Vecinos de Lawrence preparan la reunión número {n}",
    "La parroquia de Lynn reparte el folleto {n}",
)
OLD = tuple(f"High school sports, season {n}" for n in range(150))
OWN = "Rosa’s own story {n} of clinic day {day}"


class Newsroom:
    """What the three feeds tell just now."""

    def __init__(self) -> None:
        self.pages: dict[str, web.Response | str | int] = {}
        self._turn = 0

    def tell(self, fortnight: int, day: date) -> None:
        """The stories of a fortnight; each reading finds other names for the same."""
        turn = self._turn = self._turn + 1
        dated = day.strftime("%a, %d %b %Y 15:00:00 GMT")
        told = [each.format(n=fortnight) for each in PAPER]
        paper = [
            (f"{turn}-{n}", each, f"https://paper.example/{fortnight}/{n}?utm_id={turn}")
            for n, each in enumerate(told)
        ]
        weekly = f"https://paper.example/sports/{fortnight}"
        sports = (f"s{turn}", f"High school sports, week {fortnight}", weekly)
        again = [
            (f"a{fortnight}-{n}", f"{each} today", f"https://radio.example/{fortnight}/{n}")
            for n, each in enumerate(told[:2])
        ]
        old = [(each, each, f"https://paper.example/old/{n}") for n, each in enumerate(OLD)]
        old = old if turn <= 2 else []
        self.pages["/paper"] = desk.rss(*paper, sports, *old, title="The Paper", day=dated)
        # It finds what the paper has told some time before.
        self.pages["/alert"] = desk.rss(*(again if turn % 2 == 0 else ()), title="An alert")
        items = [
            {
                "id": fortnight * 100 + n,
                "title": each.format(n=fortnight),
                "url": f"https://faro.example/{fortnight}/{n}",
                "date_published": f"{day.isoformat()}T12:00:00-05:00",
            }
            for n, each in enumerate(SPANISH)
        ]
        feed = {"version": "https://jsonfeed.org/version/1.1", "title": "El Faro", "items": items}
        self.pages["/faro"] = web.Response(text=json.dumps({**feed, "language": "es"}))


async def decide(ground: Ground) -> None:
    """The editor keeps and publishes everything that is left to decide."""
    async with ground.db.reading() as session:
        page = await inbox_lists.listed(ground, session, inbox_lists.Query(), limit=200)
    seen = [(each.id, each.version) for each in reversed(page.items)]

    async def keep(number: int, version: int) -> None:
        await inbox.keep(ground, actor=ANA, item_id=number, version=version, is_published=True)

    assert (await inbox.for_each(seen, keep)).left == []


async def propose(ground: Ground, partner_id: int, headline: str, day: date) -> None:
    story = Proposal(
        issue_id=1, headline=headline, summary="Told by us.", language="en", happened_on=day
    )
    await proposals.propose(ground, actor=ANA, partner_id=partner_id, proposal=story)


@pytest.mark.storage
async def test_half_a_year_of_feeds_partners_and_editions(ground: Ground, clock: FakeClock) -> None:
    clock.set(datetime(2026, 9, 10, 12, tzinfo=UTC))
    await newsroom.issue(ground)
    rosa = await editions.partner(ground, "Rosa House")
    section = {"headings": {"en": "What happened", "es": "Lo que pasó"}, "most": 20}
    kept = await editions.made(ground, sections=[section], most=30, least=2, partner_most=1)
    await inbox_rules.add(ground, actor=ANA, draft=RuleDraft(words=["sports"], is_drop=True))
    told = Newsroom()
    async with abroad.serving(told.pages) as there:
        ours = desk.reaching(ground, there)
        for path in ("/paper", "/alert", "/faro"):
            await desk.feed(ours, there.url(path))
        for fortnight, (month, day, hour) in enumerate(CLOSINGS):
            closes = datetime(2026 if month > 6 else 2027, month, day, hour, tzinfo=UTC)
            clock.set(closes - timedelta(days=2))
            if (month, day) in EVENTFUL:
                for _ in range(2):
                    told.tell(fortnight, clock.now().date())
                    await asyncio.gather(feed_polling.poll_due(ours), feed_polling.poll_due(ours))
                    clock.advance(hours=1)
                for number in range(2 if fortnight == 0 else 0 if fortnight == 1 else 1):
                    headline = OWN.format(n=fortnight, day=number)
                    await propose(ground, rosa, headline, clock.now().date())
                await decide(ground)
            if (month, day) == CRASH:
                await editions.crash(ground, closes)
                assert len(await editions.runs(ground, kept.id)) == fortnight
            clock.set(closes)
            await asyncio.gather(series_runs.draft_due(ground), series_runs.draft_due(ground))
    await assert_what_came_of_it(ground, kept.id)


async def assert_what_it_holds(ground: Ground, run: SeriesRun, fortnight: int) -> None:
    """The mail of each language tells all of it, each story in a language that it has."""
    campaign = (await campaign_views.show(ground, campaign_id=run.campaign_id or 0)).bulletin
    async with ground.db.reading() as session:
        made = await compiling.compile_editions(ground, session, campaign)
    assert sorted(made) == ["en", "es"]
    for edition in made.values():
        (block,) = edition.resolved.edition.blocks
        assert isinstance(block, Developments)
        told = {each.headline: each.credit for each in block.items}
        assert {each.format(n=fortnight) for each in (*PAPER, *SPANISH)} < told.keys()
        assert {name for name, credit in told.items() if credit} == (
            told.keys() - {each.format(n=fortnight) for each in (*PAPER, *SPANISH)}
        ), "only the partner's is credited"


async def assert_what_came_of_it(ground: Ground, series_id: int) -> None:
    """Each story once, in the edition of its fortnight; the partner's as many as it may have."""
    found = await editions.runs(ground, series_id)
    assert [each.outcome for each in found] == [
        "drafted" if (month, day) in EVENTFUL else "skipped" for month, day, _ in CLOSINGS
    ]
    for fortnight, run in enumerate(found):
        if run.outcome == "skipped":
            assert run.reason == "too-little"
            continue
        reasons = await editions.reasons(ground, run)
        # The first time there were two of the partner's, which may have one: the newer, then the
        # other when nothing else came.
        own = {0: OWN.format(n=0, day=1), 1: OWN.format(n=0, day=0)}
        assert {title for title, why in reasons.items() if why.startswith("in")} == {
            *(each.format(n=fortnight) for each in (*PAPER, *SPANISH)),
            own.get(fortnight, OWN.format(n=fortnight, day=0)),
        }
        await assert_what_it_holds(ground, run, fortnight)
        if fortnight == 0:
            assert reasons[OWN.format(n=0, day=0)] == "out: partner-quota"
    async with ground.db.reading() as session:
        counted = await inbox_lists.counts(ground, session, inbox_lists.Query())
    told = len(EVENTFUL)
    assert {state: count for state, count in counted.items() if count} == {
        ItemState.KEPT: told * (len(PAPER) + len(SPANISH) + 1),
        ItemState.SAME: told * 2,
        ItemState.DROPPED: told + len(OLD),
    }
