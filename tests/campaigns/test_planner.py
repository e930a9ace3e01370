"""The calendar: what goes out when, in the site's days, and moving it without losing its hour."""

from datetime import date, timedelta

import pytest

from campaigns import bulletins, campaign_views, lifecycle, planner
from campaigns.models import CampaignState
from campaigns.planner import Span
from foundation.accounts.models import Role
from foundation.audit import COMMAND
from foundation.ground import Ground
from tests.campaigns import editions, newsroom
from tests.campaigns.test_campaign_pages import words
from tests.world import campaigning, people
from tests.world.web import Web

LOS_ANGELES = "America/Los_Angeles"


async def scheduled(ground: Ground, name: str, at: str, zone: str = "America/New_York") -> int:
    """A campaign that starts by itself."""
    made = await campaigning.approved(ground, name=name)
    await lifecycle.schedule(ground, actor=COMMAND, campaign_id=made.id, at=at, zone=zone)
    return made.id


@pytest.mark.storage
async def test_each_stands_on_its_day_of_the_sites_zone_with_editions_to_come(
    ground: Ground,
) -> None:
    await newsroom.issue(ground)
    await people.subscribed(ground)
    series = await editions.made(ground)
    late = await scheduled(ground, "Late", "2026-12-01T22:30", LOS_ANGELES)
    near = await scheduled(ground, "Near", "2026-12-02T09:00")
    draft = await campaigning.draft(ground, name="No day")
    found = await planner.read(ground, span=Span.MONTH, day=date(2026, 12, 10), first_weekday=6)
    assert (found.weeks[0][0], found.weeks[-1][-1]) == (date(2026, 11, 29), date(2027, 1, 2))
    # 22:30 in Los Angeles is the next day in Boston.
    there = {each.name: each for each in found.entries[date(2026, 12, 2)] if each.campaign}
    assert set(there) == {"Late", "Near"}
    assert [there[name].is_close for name in ("Late", "Near")] == [True, True]
    assert [each.id for each in found.undated] == [draft.id]
    coming = [each for day in found.entries.values() for each in day if each.series_id == series.id]
    assert coming
    assert all(each.campaign is None for each in coming)
    week = await planner.read(ground, span=Span.WEEK, day=date(2026, 12, 2), first_weekday=0)
    assert [day.day for day in week.weeks[0]] == [30, 1, 2, 3, 4, 5, 6]
    assert {each.campaign.id for each in week.entries[date(2026, 12, 2)] if each.campaign} >= {
        late,
        near,
    }
    assert found.before == date(2026, 11, 1)
    assert found.after == date(2027, 1, 1)
    assert week.after - week.before == timedelta(days=14)


async def test_what_is_dropped_on_a_day_keeps_its_hour_and_its_zone(
    web: Web, ground: Ground
) -> None:
    await people.subscribed(ground)
    number = await scheduled(ground, "News", "2026-12-01T09:00", LOS_ANGELES)
    editor, author = await web.as_staff(Role.EDITOR), await web.as_staff(Role.AUTHOR)
    page = (await editor.get("/staff/calendar?view=month&day=2026-12-01")).text
    assert f'data-move="/staff/calendar/move/{number}"' in page
    assert "09:00 America/Los Angeles" in words(page)
    assert "data-move=" not in (await author.get("/staff/calendar?day=2026-12-01")).text
    there = f"/staff/calendar/move/{number}"
    assert (await author.post(there, {"day": "2026-12-08"})).status == 403
    moved = await editor.post(there, {"day": "2026-12-08", "back": "week:2026-12-01"})
    assert moved.location == "/staff/calendar?view=week&day=2026-12-01"
    campaign = (await campaign_views.show(ground, campaign_id=number)).campaign
    assert (campaign.scheduled_local, campaign.scheduled_zone) == ("2026-12-08T09:00", LOS_ANGELES)
    past = await editor.post(there, {"day": "2026-10-01"})
    assert past.status == 422
    assert "This time is past" in past.text
    by_keyboard = {"at": "2026-12-09T10:00", "zone": "America/New_York", "back": "//evil.example"}
    assert (await editor.post(there, by_keyboard)).location.startswith("/staff/calendar?")
    twice = await editor.post(there, {"at": "2027-11-07T01:30", "zone": "America/New_York"})
    assert "comes twice" in twice.text
    assert (
        "Nothing goes out in these days"
        in (await editor.get("/staff/calendar?day=2030-01-01")).text
    )
    assert (await editor.get("/staff/calendar?view=year&day=nonsense")).status == 200


async def test_what_hangs_on_a_drop_is_said_first_and_what_is_begun_is_not_moved(
    web: Web, ground: Ground
) -> None:
    await people.subscribed(ground)
    number = await scheduled(ground, "News", "2026-12-01T09:00")
    other = await scheduled(ground, "Other", "2026-12-01T12:00")
    editor = await web.as_staff(Role.EDITOR)
    shown = await editor.get(f"/staff/calendar/overlap/{other}")
    assert "1 of these people gets “News” within a day, too." in words(shown.text)
    campaign = (await campaign_views.show(ground, campaign_id=number)).campaign
    await bulletins.save(
        ground, actor=COMMAND, bulletin_id=campaign.bulletin_id, version=1,
        document=campaigning.document("Changed"),
    )  # fmt: skip
    asked = await editor.post(f"/staff/calendar/move/{number}", {"day": "2026-12-08"})
    assert "was changed after it was approved" in asked.text
    assert (await campaign_views.show(ground, campaign_id=number)).campaign.scheduled_local[
        :10
    ] == ("2026-12-01")
    await lifecycle.start(ground, actor=COMMAND, campaign_id=other)
    begun = await editor.post(f"/staff/calendar/move/{other}", {"day": "2026-12-08"})
    assert begun.status == 409
    assert await campaigning.state(ground, other) == CampaignState.SENDING
