"""Events reach calendars once, and stay right there when a correction tells them otherwise."""

import html
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import icalendar
import pytest

from campaigns import (
    archiving,
    bulletins,
    campaign_views,
    compiling,
    documents,
    follow_ups,
    lifecycle,
)
from campaigns.models import Campaign, Visibility
from delivery.models import DispatchPlan
from foundation.audit import COMMAND
from foundation.ground import Ground
from templates.plan import Plan
from tests.campaigns import newsroom
from tests.world import campaigning, people
from tests.world.clock import FakeClock
from tests.world.smtp import Catcher
from tests.world.web import Answer, Web

LONG = "Una audiencia; sobre todo, “lo que falta”\\ y más — " + "ñandú " * 20


def event(**more: Any) -> dict[str, Any]:
    """A meeting on the evening before the clocks change in New York."""
    texts = {
        "en": {"title": "A meeting, at last; bring \\ friends", "place": "City Hall"},
        "es": {"title": LONG.strip(), "place": "Ayuntamiento", "address": "Calle 1"},
    }
    values = {"starts_at": "2027-03-13T18:30", "ends_at": "2027-03-14T03:30", "texts": texts}
    return {"kind": "event", "id": "meeting", **values, **more}


async def sending(ground: Ground, *blocks: dict[str, Any]) -> Campaign:
    """A campaign of an issue that has begun."""
    await newsroom.issue(ground)
    await people.subscribed(ground, "ana@example.org")
    kept = newsroom.written()
    campaign = await campaigning.of_blocks(ground, kept, *blocks)
    return await begun(ground, campaign.id)


async def begun(ground: Ground, number: int) -> Campaign:
    await lifecycle.approve(ground, actor=COMMAND, campaign_id=number)
    await lifecycle.start(ground, actor=COMMAND, campaign_id=number)
    return (await campaign_views.show(ground, campaign_id=number)).campaign


def events(answer: Answer) -> list[Any]:
    """The events of a calendar, which has to be one."""
    assert answer.status == 200, answer.text
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    lines = answer.body.split(b"\r\n")
    assert b"\n" not in answer.body.replace(b"\r\n", b"")
    assert max(map(len, lines)) <= 75
    return icalendar.Calendar.from_ical(answer.body).walk("VEVENT")


@pytest.mark.storage
async def test_an_issues_calendar_has_its_events_in_their_zone_and_the_readers_language(
    ground: Ground, web: Web
) -> None:
    some = event(id="some", only_to={"towns": ["Lynn"]})
    campaign = await sending(ground, event(), some)
    path = "/issues/secure-communities/events.ics"
    answer = await web.get(f"{path}?lang=es")
    (found,) = events(answer)
    assert found["SUMMARY"] == LONG.strip()
    assert found["LOCATION"] == "Ayuntamiento, Calle 1"
    assert found["DTSTART"].params["TZID"] == "America/New_York"
    # The clocks go forward that night: nine hours by them are eight.
    assert found["DTSTART"].dt.astimezone(UTC) == datetime(2027, 3, 13, 23, 30, tzinfo=UTC)
    assert found["DTEND"].dt.astimezone(UTC) == datetime(2027, 3, 14, 7, 30, tzinfo=UTC)
    assert b"BEGIN:VTIMEZONE" in answer.body
    assert [each["SUMMARY"] for each in events(await web.get("/events.ics?lang=en"))] == [
        "A meeting, at last; bring \\ friends"
    ]
    again = await web.get(path, headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status == 200  # another language
    known = {"If-None-Match": answer.headers["ETag"]}
    assert (await web.get(f"{path}?lang=es", headers=known)).status == 304
    page = (await web.get("/issues/secure-communities?lang=es")).text
    assert "Ayuntamiento, Calle 1" in page
    assert page.count('href="/events/') == 1
    await archiving.set_visibility(
        ground, actor=COMMAND, campaign_id=campaign.id, visibility=Visibility.SUBSCRIBERS
    )
    assert events(await web.get(path)) == []
    assert (await web.get("/issues/no-such/events.ics")).status == 404


async def test_a_correction_changes_the_event_that_people_have_in_their_calendars(
    ground: Ground,
    web: Web,
    clock: FakeClock,
    smtp: Catcher,
    deliver: Callable[[], Awaitable[None]],
) -> None:
    campaign = await sending(ground, event())
    await deliver()
    await lifecycle.follow_dispatches(ground)
    url = await linked(ground, campaign)
    (before,) = events(await web.get(url))
    clock.advance(hours=1)
    draft = await follow_ups.correct(ground, actor=COMMAND, campaign_id=campaign.id)
    async with ground.db.reading() as session:
        copy = await bulletins.get(session, draft.bulletin_id)
    document = bulletins.document_of(copy)
    moved = [
        {**each, "starts_at": "2027-03-12T18:00"} if each["kind"] == "event" else each
        for each in documents.dump(document)["blocks"]
    ]
    changed = documents.parse({**documents.dump(document), "blocks": moved})
    await bulletins.save(
        ground, actor=COMMAND, bulletin_id=copy.id, version=copy.version, document=changed
    )
    async with ground.db.reading() as session:
        copy = await bulletins.get(session, draft.bulletin_id)
        plans = await compiling.compile_plans(ground, session, copy)
    assert url in [each.url for each in plans["en"].links]
    await begun(ground, draft.id)
    (after,) = events(await web.get(url))
    assert after["UID"] == before["UID"]
    assert (before["SEQUENCE"], after["SEQUENCE"]) == (0, 1)
    assert after["LAST-MODIFIED"].dt > before["LAST-MODIFIED"].dt
    assert after["DTSTART"].dt.day == 12
    assert len(events(await web.get("/issues/secure-communities/events.ics"))) == 1
    await deliver()
    await lifecycle.follow_dispatches(ground)
    assert len(smtp.messages) == 2
    others = await follow_ups.send_to_others(ground, actor=COMMAND, campaign_id=campaign.id)
    await people.subscribed(ground, "bo@example.org")
    await begun(ground, others.id)
    (last,) = events(await web.get("/events.ics"))
    assert (last["SEQUENCE"], last["DTSTART"].dt.day) == (1, 12)


async def test_the_link_in_a_mail_works_before_and_after_and_not_once_it_is_taken_back(
    ground: Ground, web: Web
) -> None:
    made = await newsroom.bulletin(ground, newsroom.written(issue="", blocks=[event()]))
    async with ground.db.reading() as session:
        plans = await compiling.compile_plans(ground, session, made)
    (link,) = plans["es"].links
    assert link.url in plans["es"].text({f"click:{link.number}": link.url} | empty(plans["es"]))
    assert events(await web.get(link.url))[0]["SUMMARY"] == LONG.strip()
    assert (await web.get("/events/forged.ics")).status == 400
    campaign = await sending(ground, event(only_to={"towns": ["Lynn"]}))
    url = await linked(ground, campaign)
    assert len(events(await web.get(url))) == 1
    assert events(await web.get("/events.ics")) == []
    await archiving.set_visibility(
        ground, actor=COMMAND, campaign_id=campaign.id, visibility=Visibility.HIDDEN
    )
    assert (await web.get(url)).status == 404


def empty(plan: Plan) -> dict[str, str]:
    return {name: "" for name in plan.slot_names if not name.startswith("click:")}


async def linked(ground: Ground, campaign: Campaign) -> str:
    """Where the mail's link to a calendar leads."""
    order = (await campaign_views.show(ground, campaign_id=campaign.id)).dispatch
    assert order is not None
    async with ground.db.reading() as session:
        row = await session.get(DispatchPlan, (order.id, "en"))
    assert row is not None
    found = [each.url for each in Plan.thaw(row.plan).links if "/events/" in each.url]
    assert re.fullmatch(r"http://handbill\.test/events/[\w-]+\.ics\?lang=en", found[0])
    return html.unescape(found[0])
