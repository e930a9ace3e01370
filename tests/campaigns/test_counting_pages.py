"""Pages come before their numbers where those take long, and say so, with an honest estimate."""

import asyncio
import random
from collections.abc import Mapping
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import col

from campaigns import audience_estimates, audience_rules, audiences, lifecycle, segments
from foundation.accounts.models import Role
from foundation.asides import Work
from foundation.audit import COMMAND
from foundation.ground import Ground
from subscribers.models import Subscriber
from tests.campaigns.test_campaign_pages import words
from tests.world import campaigning, mailing, people
from tests.world.web import Web

PEOPLE = 5000
AT_ONCE: Mapping[str, Any] = {"page_patience_s": 0}


async def crowd(ground: Ground) -> None:
    """Many people, of whom every tenth lives in Lowell."""
    await mailing.crowd(ground, PEOPLE)
    tenth = col(Subscriber.id) % 10 == 0
    async with ground.db.transaction() as session:
        await session.execute(sa.update(Subscriber).where(tenth).values(town="Lowell"))


def held(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, *, is_first_alone: bool = False
) -> tuple[asyncio.Event, asyncio.Event]:
    """Hold what is counted up, or the first of it; told when one begins, and when all may go on."""
    began, may_go, apart = asyncio.Event(), asyncio.Event(), ground.db.apart

    async def late(work: Work[Any]) -> Any:
        is_held = not (is_first_alone and began.is_set())
        began.set()
        if is_held:
            await may_go.wait()
        return await apart(work)

    monkeypatch.setattr(ground.db, "apart", late)
    return began, may_go


@pytest.mark.storage
async def test_an_estimate_holds_the_true_number_between_its_ends(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    await crowd(ground)
    monkeypatch.setattr(audience_estimates, "_CHANCE", random.Random(1))
    slugs = [(await people.topic(ground)).slug]
    for rules, true in (
        ({}, PEOPLE),
        ({"all_of": [{"kind": "town", "towns": ["Lowell"]}]}, PEOPLE // 10),
        ({"none_of": [{"kind": "town", "towns": ["Lowell"]}]}, PEOPLE - PEOPLE // 10),
        ({"all_of": [{"kind": "tag", "tags": ["nobody"]}]}, 0),
    ):
        audience = audiences.parse({"topics": slugs, **rules})
        found = await audience_estimates.estimate(ground, audience)
        assert found is not None
        assert found.least <= true <= found.most, rules
        assert found.least <= found.about <= found.most, rules
        assert found.most - found.least < PEOPLE / 10, "it would say nothing"


async def test_few_people_are_counted_and_not_estimated(ground: Ground) -> None:
    await people.subscribed(ground)
    audience = audiences.Audience(topics=["secure-communities"])
    assert await audience_estimates.estimate(ground, audience) is None


@pytest.mark.settings(server=AT_ONCE)
async def test_a_page_comes_at_once_says_that_people_are_counted_and_asks_again(
    web: Web, ground: Ground
) -> None:
    await crowd(ground)
    campaign = await campaigning.draft(ground)
    rules = audience_rules.Rules(all_of=[audience_rules.Town(towns=["Lowell"])])
    segment = await segments.create(ground, actor=COMMAND, name="Around", rules=rules)
    editor = await web.as_staff(Role.EDITOR)
    for path, exactly in (
        (f"/staff/campaigns/{campaign.id}", "5,000 people would get it now"),
        (f"/staff/segments/{segment.id}", "500 people are in it now"),
    ):
        page = await editor.get(path)
        said = words(page.text)
        assert "people, as an estimate" in said
        assert "Everybody is being counted now; the exact number comes here." in said
        assert exactly not in said
        assert f'hx-get="{path}?whole=1"' in page.text
        assert f'href="{path}?whole=1"' in page.text, "without a script it can be waited for, too"
        assert exactly in words((await editor.get(f"{path}?whole=1")).text)
        assert "personas, según una estimación" in words((await editor.get(f"{path}?lang=es")).text)
    checked = await editor.get(f"/staff/campaigns/{campaign.id}")
    assert "Whom it reaches is being counted" in checked.text
    whole = await editor.get(f"/staff/campaigns/{campaign.id}?whole=1")
    assert "Whom it reaches is being counted" not in whole.text


@pytest.mark.settings(server=AT_ONCE)
async def test_while_an_audience_is_chosen_the_form_is_counted_as_it_stands(
    web: Web, ground: Ground
) -> None:
    await crowd(ground)
    author = await web.as_staff(Role.AUTHOR)
    topic = (await people.topic(ground)).slug
    typed = {"topics": topic, "bulletin": "0", "c0-group": "all_of", "c0-kind": "town"}
    typed |= {"c0-text": "Lowell"}
    part = await author.post("/staff/campaigns/count", typed)
    assert "as an estimate" in part.text
    assert 'hx-post="/staff/campaigns/count?whole=1" hx-include="closest form"' in part.text
    for path, more in (
        ("/staff/campaigns/count?whole=1", {}),
        ("/staff/campaigns/count", {"action": "count"}),
        ("/staff/campaigns/count", {"action": "sample"}),
    ):
        part = await author.post(path, {**typed, **more})
        assert "500 people would get it now" in words(part.text), more


@pytest.mark.settings(server=AT_ONCE)
async def test_the_same_page_in_two_windows_comes_to_the_number_of_each(
    web: Web, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    await crowd(ground)
    author = await web.as_staff(Role.AUTHOR)
    began, may_go = held(ground, monkeypatch)
    windows = []
    for town in ("Lowell", "Boston"):
        page = await author.get("/staff/campaigns/new")
        typed = {"topics": (await people.topic(ground)).slug, "bulletin": "0"}
        typed |= {"c0-group": "all_of", "c0-kind": "town", "c0-text": town}
        windows.append({**typed, "page_id": page.field("page_id")})
    mine, yours = windows
    began.clear()
    waiting = asyncio.create_task(author.post("/staff/campaigns/count?whole=1", mine))
    await began.wait()
    assert "being counted" in (await author.post("/staff/campaigns/count", yours)).text
    may_go.set()
    assert "500 people would get it now" in words((await waiting).text)


@pytest.mark.settings(server=AT_ONCE)
async def test_a_window_that_waits_for_an_older_audience_asks_for_the_newer_one(
    web: Web, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    await crowd(ground)
    campaign = await campaigning.draft(ground)
    editor, here = await web.as_staff(Role.EDITOR), f"/staff/campaigns/{campaign.id}"
    began, may_go = held(ground, monkeypatch)
    waiting = asyncio.create_task(editor.get(f"{here}?whole=1"))
    await began.wait()
    await lifecycle.update(
        ground, actor=COMMAND, campaign_id=campaign.id, version=campaign.version,
        name=campaign.name, audience=audiences.parse(
            {**campaign.audience, "all_of": [{"kind": "town", "towns": ["Lowell"]}]}
        ),
    )  # fmt: skip
    assert (await editor.get(here)).status == 200
    may_go.set()
    answer = await waiting
    assert (answer.status, answer.location) == (303, f"{here}?whole=1")
    assert "500 people would get it now" in words((await editor.get(answer.location)).text)


@pytest.mark.settings(server={"page_patience_s": 0.3})
async def test_a_list_is_not_called_whole_while_its_audience_is_counted(
    web: Web, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    await people.subscribed(ground)
    campaign = await campaigning.draft(ground)
    viewer, here = await web.as_staff(Role.VIEWER), f"/staff/campaigns/{campaign.id}"
    _, may_go = held(ground, monkeypatch, is_first_alone=True)
    page = await viewer.get(here)
    assert "Whom it reaches is being counted" in page.text
    may_go.set()
    page = await viewer.get(f"{here}?whole=1")
    assert "Whom it reaches is being counted" not in page.text
    assert "1 person would get it now." in page.text
