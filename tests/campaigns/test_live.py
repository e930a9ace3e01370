"""Staff see sending move by an event stream; programs ask for the same as JSON."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from campaigns import lifecycle, live_pages
from foundation.accounts.models import Role
from foundation.audit import COMMAND
from foundation.ground import Ground
from handbill import app
from tests.handbill.test_api import bearer, problem
from tests.world import campaigning, people
from tests.world.smtp import Catcher
from tests.world.web import Web

Deliver = Callable[[], Awaitable[None]]


class Stream:
    """An open event stream."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.answer = answer

    async def next(self) -> tuple[str, Any]:
        """The next event: its name and what it says."""
        name = ""
        async for line in self.answer.content:
            field, _, value = line.decode().rstrip("\n").partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                return name, json.loads(value)
        return "", None


@asynccontextmanager
async def streaming(web: Web, campaign_id: int, language: str = "en") -> AsyncIterator[Stream]:
    """The stream of a campaign, as a browser opens it."""
    path = f"/staff/campaigns/{campaign_id}/live?lang={language}"
    async with web.http.get(path, allow_redirects=False) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/event-stream"
        yield Stream(answer)


async def test_events_come_until_it_is_over(
    web: Web, ground: Ground, smtp: Catcher, deliver: Deliver
) -> None:
    for number in range(2):
        await people.subscribed(ground, f"p{number}@example.org")
    campaign, _ = await campaigning.started(ground)
    viewer = await web.as_staff(Role.VIEWER)
    async with asyncio.timeout(90), streaming(viewer, campaign.id) as stream:
        name, told = await stream.next()
        assert (name, told["value"], told["maximum"]) == ("progress", 0, 2)
        assert told["texts"]["done"] == "0 of 2 done"
        await deliver()
        while told["value"] < 2:
            name, told = await stream.next()
        assert told["lists"]["relays"] == ["relay: 2 (100%)"]
        await lifecycle.follow_dispatches(ground)
        while name == "progress":
            name, told = await stream.next()
        assert name == "over"
        assert await stream.next() == ("", None), "the stream ends"
    assert len(smtp.messages) == 2


async def test_a_pause_ends_the_stream_so_that_the_page_shows_it(web: Web, ground: Ground) -> None:
    await people.subscribed(ground)
    campaign, _ = await campaigning.started(ground)
    viewer = await web.as_staff(Role.VIEWER)
    async with asyncio.timeout(90), streaming(viewer, campaign.id) as stream:
        await stream.next()
        await lifecycle.pause(ground, actor=COMMAND, campaign_id=campaign.id)
        name = "progress"
        while name == "progress":
            name, _ = await stream.next()
        assert name == "over"


async def test_words_and_figures_are_the_readers(web: Web, ground: Ground) -> None:
    await people.subscribed(ground)
    campaign, _ = await campaigning.started(ground)
    viewer = await web.as_staff(Role.VIEWER)
    async with streaming(viewer, campaign.id, language="es") as stream:
        _, told = await stream.next()
    assert told["texts"]["done"] == "0 de 1"


async def test_only_who_is_signed_in_sees_it(web: Web, ground: Ground) -> None:
    await people.subscribed(ground)
    campaign, _ = await campaigning.started(ground)
    assert (await web.get(f"/staff/campaigns/{campaign.id}/live")).status == 303
    viewer = await web.as_staff(Role.VIEWER)
    assert (await viewer.get("/staff/campaigns/99/live")).status == 404
    draft = await campaigning.draft(ground, name="Other")
    assert (await viewer.get(f"/staff/campaigns/{draft.id}/live")).status == 404


async def test_many_tabs_share_a_look_and_a_closed_one_ends_its_task(ground: Ground) -> None:
    await people.subscribed(ground)
    campaign, _ = await campaigning.started(ground)
    built = app.build(ground)
    runner = aiohttp.web.AppRunner(built)
    await runner.setup()
    site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    web = Web(ground, f"http://127.0.0.1:{runner.addresses[0][1]}")
    viewer = await web.as_staff(Role.VIEWER)
    before = asyncio.all_tasks()
    async with asyncio.timeout(90):
        tabs = [await viewer.http.get(f"/staff/campaigns/{campaign.id}/live") for _ in range(10)]
        for tab in tabs:
            await Stream(tab).next()
        assert built[live_pages.WATCH].looks <= 2
        began = asyncio.all_tasks() - before
        assert len(began) >= len(tabs)
        for tab in tabs:
            tab.close()
        await asyncio.wait(began)
    assert asyncio.all_tasks() <= before
    await web.close()
    await runner.cleanup()


async def test_a_program_asks_for_the_same(
    web: Web, ground: Ground, smtp: Catcher, deliver: Deliver
) -> None:
    await people.subscribed(ground, "a@example.org")
    await people.subscribed(ground, "b@example.org")
    smtp.answer("RCPT", "b@example.org", "450 4.2.1 Later")
    campaign, _ = await campaigning.started(ground)
    await deliver()
    headers = await bearer(ground, "read")
    path = f"/api/v1/campaigns/{campaign.id}/progress"
    found = (await web.get(path, headers=headers)).json()
    assert (found["state"], found["sent"], found["deferred"], found["done"]) == ("sending", 1, 1, 1)
    assert found["reasons"] == [
        {"state": "deferred", "reason": "put-off", "reply_code": 450, "count": 1}
    ]
    assert sum(found["relays"].values()) == 1
    assert found["per_second"] == 0.1
    problem(await web.get("/api/v1/campaigns/99/progress", headers=headers), 404)
