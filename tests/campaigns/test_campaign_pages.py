"""Staff lead a campaign through its life by pages alone, with no script, each in their role."""

import re
from collections.abc import Awaitable, Callable

import pytest

from campaigns import bulletins, campaign_views, due, lifecycle
from campaigns.models import CampaignState
from foundation.accounts.models import Role
from foundation.audit import COMMAND
from foundation.ground import Ground
from subscribers.models import SubscriptionState
from tests.world import campaigning, people
from tests.world.clock import FakeClock
from tests.world.smtp import Catcher
from tests.world.web import Web

TOPIC = "secure-communities"


def words(page: str) -> str:
    """A page as it reads, without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


@pytest.mark.parametrize("path", ["/staff", "/staff/campaigns", "/staff/campaigns/1"])
async def test_nobody_sees_them_without_signing_in(web: Web, path: str) -> None:
    assert (await web.get(path)).status == 303


async def test_a_campaign_goes_from_bulletin_to_report_by_pages_alone(
    web: Web, ground: Ground, smtp: Catcher, deliver: Callable[[], Awaitable[None]]
) -> None:
    await people.subscribed(ground, "ana@example.org", language="es")
    await people.subscribed(ground, "bo@example.org")
    bulletin = await campaigning.bulletin(ground)
    author, editor = await web.as_staff(Role.AUTHOR), await web.as_staff(Role.EDITOR)
    asked = await author.get(f"/staff/campaigns/new?bulletin={bulletin.id}")
    assert asked.field("name") == "News"
    made = await author.post(
        "/staff/campaigns/new",
        {"bulletin": str(bulletin.id), "name": "June", "topics": TOPIC},
    )
    assert made.status == 303, made.text
    here = made.location
    assert (await author.post(f"{here}/request-review")).status == 303
    assert "waits to be read and approved" in words((await editor.get("/staff")).text)
    assert (await editor.post(f"{here}/approve")).status == 303
    assert "Send to 2 people…" in (await editor.get(here)).text
    assert "Send to 2 people" in (await editor.get(f"{here}/start")).text
    assert (await editor.post(f"{here}/start")).status == 303
    assert "0 of 2 done" in (await editor.get("/staff")).text
    await deliver()
    await lifecycle.follow_dispatches(ground)
    report = words((await editor.get(here)).text)
    assert "Spanish 1 1 0 0 0 0 0" in report
    assert "Together 2 2 0 0 0 0 0" in report
    assert sorted(mail.rcpt_to for mail in smtp.messages) == [
        "ana@example.org",
        "author@coalition.example",
        "bo@example.org",
        "editor@coalition.example",
    ]


async def test_an_author_can_not_approve_schedule_or_send(web: Web, ground: Ground) -> None:
    await people.subscribed(ground)
    campaign = await campaigning.approved(ground)
    author = await web.as_staff(Role.AUTHOR)
    here = f"/staff/campaigns/{campaign.id}"
    page = (await author.get(here)).text
    for step in ("approve", "schedule", "start", "pause", "cancel", "send-back"):
        assert (await author.post(f"{here}/{step}")).status == 403
        assert f'action="{here}/{step}"' not in page
        assert f'href="{here}/{step}"' not in page
    assert await campaigning.state(ground, campaign.id) == CampaignState.APPROVED


async def test_a_viewer_changes_nothing(web: Web, ground: Ground) -> None:
    campaign = await campaigning.draft(ground)
    viewer = await web.as_staff(Role.VIEWER)
    here = f"/staff/campaigns/{campaign.id}"
    assert (await viewer.get(here)).status == 200
    assert (await viewer.get(f"{here}/edit")).status == 403
    assert (await viewer.post(f"{here}/request-review")).status == 403


async def test_the_audience_is_counted_without_a_script(web: Web, ground: Ground) -> None:
    bulletin = await campaigning.bulletin(ground)
    await people.subscribed(ground, "ana@example.org", language="es")
    await people.subscribed(ground, "bo@example.org")
    await people.subscribed(ground, "cy@example.org", state=SubscriptionState.PENDING)
    author = await web.as_staff(Role.AUTHOR)
    chosen = {"bulletin": str(bulletin.id), "name": "Mine", "topics": TOPIC, "languages": "es"}
    page = await author.post("/staff/campaigns/new", {**chosen, "action": "count"})
    assert page.status == 200
    assert page.field("name") == "Mine"
    said = words(page.text)
    assert "1 person would get it now" in said
    assert "1 want another language" in said
    assert "1 asked to be signed up, but did not confirm" in said
    part = await author.post("/staff/campaigns/count", chosen)
    assert "<html" not in part.text
    assert "1 person would get it now" in words(part.text)


async def test_what_is_missing_is_said_and_what_was_typed_stays(web: Web, ground: Ground) -> None:
    bulletin = await campaigning.bulletin(ground)
    author = await web.as_staff(Role.AUTHOR)
    page = await author.post(
        "/staff/campaigns/new",
        {"bulletin": str(bulletin.id), "name": "Kept", "reply_to": "no address"},
    )
    assert page.status == 422
    assert page.field("name") == "Kept"
    assert "Choose one topic at least" in page.text


async def test_the_second_of_two_who_change_a_campaign_is_told(web: Web, ground: Ground) -> None:
    campaign = await campaigning.draft(ground)
    author = await web.as_staff(Role.AUTHOR)
    edit = f"/staff/campaigns/{campaign.id}/edit"
    seen = (await author.get(edit)).field("version")
    first = {"version": seen, "name": "First", "topics": TOPIC}
    assert (await author.post(edit, first)).status == 303
    second = await author.post(edit, {**first, "name": "Second"})
    assert second.status == 409
    assert second.field("name") == "Second"
    view = await campaign_views.show(ground, campaign_id=campaign.id)
    assert view.campaign.name == "First"


async def test_a_time_is_shown_in_its_own_zone_and_in_the_sites(web: Web, ground: Ground) -> None:
    await people.subscribed(ground)
    campaign = await campaigning.approved(ground)
    editor = await web.as_staff(Role.EDITOR)
    here = f"/staff/campaigns/{campaign.id}"
    done = await editor.post(
        f"{here}/schedule", {"at": "2026-12-01T09:00", "zone": "America/Los_Angeles"}
    )
    assert done.status == 303
    page = words((await editor.get(here)).text)
    assert "Tuesday, December 1, 2026, 9:00 AM" in page
    assert "Tuesday, December 1, 2026, 12:00 PM" in page
    assert "9:00 AM (America/Los_Angeles)" in (await editor.get("/staff")).text


async def test_a_time_that_does_not_exist_is_refused_with_two_that_do(
    web: Web, ground: Ground
) -> None:
    campaign = await campaigning.approved(ground)
    editor = await web.as_staff(Role.EDITOR)
    page = await editor.post(
        f"/staff/campaigns/{campaign.id}/schedule",
        {"at": "2027-03-14T02:30", "zone": "America/New_York"},
    )
    assert page.status == 422
    assert "Choose 01:30 or 03:30" in page.text
    assert page.field("at") == "2027-03-14T02:30"


async def test_a_time_that_comes_twice_is_asked_about(web: Web, ground: Ground) -> None:
    await people.subscribed(ground)
    campaign = await campaigning.approved(ground)
    editor = await web.as_staff(Role.EDITOR)
    path = f"/staff/campaigns/{campaign.id}/schedule"
    typed = {"at": "2027-11-07T01:30", "zone": "America/New_York"}
    asked = await editor.post(path, typed)
    assert asked.status == 422
    assert "comes twice" in asked.text
    assert (await editor.post(path, {**typed, "fold": "1"})).status == 303
    view = await campaign_views.show(ground, campaign_id=campaign.id)
    assert view.campaign.scheduled_at is not None
    assert view.campaign.scheduled_at.isoformat() == "2027-11-07T06:30:00+00:00"


async def test_a_step_that_came_too_late_says_why(web: Web, ground: Ground) -> None:
    await people.subscribed(ground)
    campaign, _ = await campaigning.started(ground)
    editor = await web.as_staff(Role.EDITOR)
    page = await editor.post(f"/staff/campaigns/{campaign.id}/start")
    assert page.status == 409
    assert "It is sending" in page.text
    spanish = await editor.post(f"/staff/campaigns/{campaign.id}/start?lang=es")
    assert "It is sending" not in spanish.text


async def test_pausing_going_on_and_cancelling_are_a_button_each(web: Web, ground: Ground) -> None:
    await people.subscribed(ground)
    campaign, _ = await campaigning.started(ground)
    editor = await web.as_staff(Role.EDITOR)
    here = f"/staff/campaigns/{campaign.id}"
    await editor.post(f"{here}/pause", {"reason": "a typo in the date"})
    assert "a typo in the date" in (await editor.get(here)).text
    await editor.post(f"{here}/resume")
    assert await campaigning.state(ground, campaign.id) == CampaignState.SENDING
    await editor.post(f"{here}/cancel")
    page = words((await editor.get(here)).text)
    assert "Together 1 0 0 0 0 0 1" in page
    assert "were still waiting when sending was stopped" in page


async def test_how_sending_stands_is_there_without_a_script(
    web: Web, ground: Ground, smtp: Catcher, deliver: Callable[[], Awaitable[None]]
) -> None:
    await people.subscribed(ground, "ana@example.org")
    await people.subscribed(ground, "bo@example.org")
    smtp.answer("RCPT", "bo@example.org", "450 4.2.1 Later")
    campaign, _ = await campaigning.started(ground)
    await deliver()
    viewer = await web.as_staff(Role.VIEWER)
    page = words((await viewer.get(f"/staff/campaigns/{campaign.id}")).text)
    assert "1 of 2 done" in page
    assert "1 put off by the receiving side; tried again (450)" in page
    assert "relay: 1 (100%)" in page
    assert "See how it stands now" in page


async def test_a_changed_bulletin_asks_for_approval_on_the_page(web: Web, ground: Ground) -> None:
    await people.subscribed(ground)
    campaign = await campaigning.approved(ground)
    await bulletins.save(
        ground,
        actor=COMMAND,
        bulletin_id=campaign.bulletin_id,
        version=1,
        document=campaigning.document("Other words"),
    )
    editor = await web.as_staff(Role.EDITOR)
    page = (await editor.get(f"/staff/campaigns/{campaign.id}")).text
    assert "Approve again" in page
    assert "/start" not in page


async def test_what_is_overdue_asks_for_somebody_on_the_overview(
    web: Web, ground: Ground, clock: FakeClock
) -> None:
    await people.subscribed(ground)
    campaign = await campaigning.approved(ground)
    await lifecycle.schedule(
        ground, actor=COMMAND, campaign_id=campaign.id, at="2026-11-03T09:00", zone="UTC"
    )
    clock.advance(days=3)
    await due.start_due(ground)
    editor = await web.as_staff(Role.EDITOR)
    assert "due while the service was down" in words((await editor.get("/staff")).text)
    assert "due while" not in words((await editor.get("/staff?lang=es")).text)


async def test_a_reason_is_shown_as_typed_never_run(web: Web, ground: Ground) -> None:
    campaign = await campaigning.approved(ground)
    editor = await web.as_staff(Role.EDITOR)
    here = f"/staff/campaigns/{campaign.id}"
    await editor.post(f"{here}/send-back", {"reason": "<i>100% wrong</i> %(name)s"})
    for path in (here, "/staff/campaigns", "/staff"):
        assert "&lt;i&gt;100% wrong&lt;/i&gt; %(name)s" in (await editor.get(path)).text


async def test_names_are_shown_as_typed_never_run(web: Web, ground: Ground) -> None:
    await campaigning.draft(ground, name="<script>alert(1)</script>")
    viewer = await web.as_staff(Role.VIEWER)
    for path in ("/staff/campaigns", "/staff/campaigns/1"):
        assert "<script>alert" not in (await viewer.get(path)).text
