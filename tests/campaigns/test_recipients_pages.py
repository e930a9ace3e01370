"""Staff see by pages alone to whom a campaign did not simply go out, and try them again."""

import csv
import html
import io
import re
import urllib.parse
from collections.abc import Awaitable, Callable

import pytest
import sqlalchemy as sa

from campaigns import campaign_views, lifecycle, recipients
from campaigns.models import Campaign, CampaignState
from delivery import returns
from delivery.models import BounceKind, Delivery
from delivery.returns import Event
from foundation.accounts.models import Role
from foundation.ground import Ground
from subscribers.models import Subscription
from tests.campaigns.test_campaign_pages import words
from tests.handbill.test_api import bearer
from tests.world import campaigning, mailing, people
from tests.world.smtp import Catcher
from tests.world.web import Web

RETURNS = (
    ("ana", BounceKind.HARD, "user-unknown"),
    ("fay", BounceKind.SOFT, "mailbox-full"),
    ("fay", BounceKind.HARD, "mailbox-disabled"),
    ("gus", BounceKind.BLOCK, "spam-refused"),
    ("hal", BounceKind.HARD, "user-unknown"),
    ("hal", BounceKind.COMPLAINT, ""),
)
"""Of fay and hal the second is worse."""
Deliver = Callable[[], Awaitable[None]]


@pytest.fixture
async def campaign(ground: Ground, smtp: Catcher, deliver: Deliver) -> Campaign:
    """Sent to ana; two failed, one with another reply, and one is put off."""
    replies = {
        "bo": "550 5.3.5 Setup <b>here</b>",
        "cy": "550 5.3.5 Setup <b>here</b>",
        "di": "554 5.6.0 =Too odd",
        "ed": "450 4.2.1 Later",
    }
    for name in ("ana", *replies):
        await people.subscribed(ground, f"{name}@example.org")
    for name, reply in replies.items():
        smtp.answer("RCPT", f"{name}@example.org", reply)
    made, _ = await campaigning.started(ground)
    await deliver()
    smtp.answers.clear()
    smtp.messages.clear()
    return made


async def test_a_list_says_who_and_why_and_narrows_to_a_reason(
    web: Web, campaign: Campaign
) -> None:
    viewer = await web.as_staff(Role.VIEWER)
    here = f"/staff/campaigns/{campaign.id}/recipients"
    assert here in (await viewer.get(f"/staff/campaigns/{campaign.id}")).text
    page = await viewer.get(here)
    said = words(page.text)
    assert "Failed (3) Put off (1) Uncertain (0) Not sent (0)".replace(" ", "") in said.replace(
        " ", ""
    )
    assert "bo@example.org" in said
    assert "ed@example.org" not in said
    assert "refused for good by the receiving side" in said
    assert "<b>here</b>" not in page.text
    narrowed = words((await viewer.get(f"{here}?state=failed&reason=refused&code=554")).text)
    assert "di@example.org" in narrowed
    assert "bo@example.org" not in narrowed
    assert "ed@example.org" in words((await viewer.get(f"{here}?state=deferred")).text)
    assert "nobody here" in words((await viewer.get(f"{here}?state=uncertain")).text)


async def test_a_long_list_comes_in_pages(web: Web, ground: Ground) -> None:
    await mailing.crowd(ground, recipients.PAGE + 1)
    campaign, _ = await campaigning.started(ground)
    async with ground.db.transaction() as session:
        await session.execute(sa.update(Delivery).values(state="failed", reason="refused"))
    viewer = await web.as_staff(Role.VIEWER)
    here = f"/staff/campaigns/{campaign.id}/recipients?state=failed"
    first = (await viewer.get(here)).text
    assert mailing.address(1) in first
    assert mailing.address(recipients.PAGE + 1) not in first
    onward = re.search(r'href="([^"]+)" rel="next"', first)
    assert onward is not None
    second = (await viewer.get(html.unescape(onward[1]))).text
    assert mailing.address(recipients.PAGE + 1) in second
    assert mailing.address(recipients.PAGE) not in second
    assert 'rel="next"' not in second


async def test_who_is_ticked_is_tried_again(
    web: Web, ground: Ground, campaign: Campaign, smtp: Catcher, deliver: Deliver
) -> None:
    editor = await web.as_staff(Role.EDITOR)
    here = f"/staff/campaigns/{campaign.id}/recipients"
    numbers = {row.subscriber_id: row.id for row in await mailing.rows(ground)}
    bo = str(numbers[2])
    assert f'value="{bo}"' in (await editor.get(here)).text
    nobody = await editor.post(f"{here}/retry", {"state": "failed"})
    assert nobody.status == 409
    assert "Tick somebody first" in nobody.text
    done = await editor.post(f"{here}/retry", {"state": "failed", "delivery": bo})
    assert done.status == 303
    assert "One is tried again now." in (await editor.get(done.location)).text
    await deliver()
    assert [each.rcpt_to for each in smtp.messages] == ["bo@example.org"]


async def test_where_nobody_may_be_mailed_any_more_nothing_is_offered(
    web: Web, ground: Ground, campaign: Campaign
) -> None:
    editor = await web.as_staff(Role.EDITOR)
    here = f"/staff/campaigns/{campaign.id}/recipients?state=failed"
    assert "again now" in (await editor.get(here)).text
    async with ground.db.transaction() as session:
        await session.execute(sa.update(Subscription).values(state="unsubscribed"))
    page = (await editor.get(here)).text
    assert "may not be mailed any more" in page
    assert "again now" not in page


async def test_all_of_a_reason_are_tried_again_and_the_rest_given_up(
    web: Web, ground: Ground, campaign: Campaign, smtp: Catcher, deliver: Deliver
) -> None:
    editor = await web.as_staff(Role.EDITOR)
    here = f"/staff/campaigns/{campaign.id}/recipients"
    meant = {"state": "failed", "reason": "refused", "code": "550", "whom": "all"}
    page = await editor.get(f"{here}?state=failed&reason=refused&code=550")
    assert "Try these 2 again now" in page.text
    assert (await editor.post(f"{here}/retry", meant)).status == 303
    given_up = await editor.post(f"{here}/give-up", {"state": "deferred", "whom": "all"})
    assert given_up.status == 303
    await deliver()
    assert {each.rcpt_to for each in smtp.messages} == {"bo@example.org", "cy@example.org"}
    await lifecycle.follow_dispatches(ground)
    assert await campaigning.state(ground, campaign.id) == CampaignState.SENT
    counts = await mailing.counts(ground)
    assert (counts.sent, counts.failed, counts.deferred) == (3, 2, 0)


async def test_an_author_decides_nothing_and_takes_no_file_along(
    web: Web, ground: Ground, campaign: Campaign
) -> None:
    author = await web.as_staff(Role.AUTHOR)
    here = f"/staff/campaigns/{campaign.id}"
    page = (await author.get(f"{here}/recipients")).text
    for step in ("recipients/retry", "recipients/give-up", "recipients/export", "decide-uncertain"):
        assert (
            await author.post(f"{here}/{step}", {"state": "failed", "whom": "all"})
        ).status == 403
    assert "again now" not in page
    assert 'name="delivery"' not in page
    assert (await mailing.counts(ground)).failed == 3


async def test_the_file_holds_everybody_meant_in_cells_that_run_nowhere(
    web: Web, campaign: Campaign
) -> None:
    editor = await web.as_staff(Role.EDITOR)
    here = f"/staff/campaigns/{campaign.id}/recipients"
    answer = await editor.post(f"{here}/export", {"state": "failed"})
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert f"campaign-{campaign.id}-failed.csv" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.body.decode("utf-8-sig"))))
    assert [row["email"] for row in rows] == ["bo@example.org", "cy@example.org", "di@example.org"]
    assert (rows[0]["reason"], rows[0]["reply_code"], rows[0]["state"]) == (
        "refused",
        "550",
        "failed",
    )
    assert not any(cell.startswith("=") for row in rows for cell in row.values())
    assert (
        "campaign.recipients-exported"
        in (await (await web.as_staff(Role.OWNER)).get("/staff/audit")).text
    )


async def test_what_becomes_of_the_uncertain_is_chosen_on_the_campaigns_page(
    web: Web, ground: Ground, campaign: Campaign
) -> None:
    editor = await web.as_staff(Role.EDITOR)
    here = f"/staff/campaigns/{campaign.id}"
    assert 'value="hold" checked' in (await editor.get(here)).text
    chosen = await editor.post(f"{here}/decide-uncertain", {"when_uncertain": "resend"})
    assert chosen.status == 303
    assert 'value="resend" checked' in (await editor.get(here)).text
    view = await campaign_views.show(ground, campaign_id=campaign.id)
    assert view.dispatch is not None
    assert (view.dispatch.when_uncertain, view.campaign.when_uncertain) == ("resend", "resend")
    wrong = await editor.post(f"{here}/decide-uncertain", {"when_uncertain": "sometimes"})
    assert wrong.status == 422


async def test_a_campaign_that_never_started_has_nobody_to_list(web: Web, ground: Ground) -> None:
    draft = await campaigning.draft(ground)
    viewer = await web.as_staff(Role.VIEWER)
    assert (await viewer.get(f"/staff/campaigns/{draft.id}/recipients")).status == 404


@pytest.mark.storage
async def test_what_came_back_stands_beside_each_and_is_found_by_kind_and_reason(
    web: Web, ground: Ground, smtp: Catcher, deliver: Deliver
) -> None:
    assert smtp.port
    for name in ("ana", "fay", "gus", "hal", "ivy"):
        await people.subscribed(ground, f"{name}@example.org")
    campaign, _ = await campaigning.started(ground)
    await deliver()
    events = [
        Event(via="ses", kind=kind, reason=reason, address=f"{name}@example.org")
        for name, kind, reason in RETURNS
    ]
    assert (await returns.take_events(ground, events)).new == len(events)
    editor = await web.as_staff(Role.EDITOR)
    here = f"/staff/campaigns/{campaign.id}"
    assert f'href="{here}/recipients?state=sent"' in (await editor.get(here)).text
    page = (await editor.get(f"{here}/recipients")).text
    assert "Came back (4)" in words(page), "nobody is odd, so this is what is shown"
    for said in ("Dead address: the mailbox was closed", "Refused us: taken for spam", "Complaint"):
        assert said in words(page)
    assert "Not just now" not in words(page)
    assert "again now" not in page

    async def found(**asked: str) -> list[str]:
        query = urllib.parse.urlencode({"state": "sent", **asked})
        shown = (await editor.get(f"{here}/recipients?{query}")).text
        table = shown.partition('aria-labelledby="who-title"')[2]
        return sorted(set(re.findall(r"\b(\w+)@example\.org", table)))

    assert await found() == ["ana", "fay", "gus", "hal"]
    assert await found(kind="hard") == ["ana", "fay"]
    assert await found(kind="hard", reason="user-unknown") == ["ana"]
    assert await found(kind="complaint", reason="") == ["hal"]
    answer = await editor.post(f"{here}/recipients/export", {"state": "sent", "kind": "hard"})
    assert "-came-back.csv" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.body.decode("utf-8-sig"))))
    assert [(row["email"], row["came_back"], row["came_back_reason"]) for row in rows] == [
        ("ana@example.org", "hard", "user-unknown"),
        ("fay@example.org", "hard", "mailbox-disabled"),
    ]
    await editor.post(f"{here}/recipients/retry", {"state": "sent", "whom": "all"})
    assert (await mailing.counts(ground)).sent == 5, "who got it is not sent to again"
    headers = await bearer(ground, "read")
    one = f"/api/v1/campaigns/{campaign.id}/recipients?came_back"
    told = (await web.get(f"{one}=block", headers=headers)).json()
    assert [(each["email"], each["came_back_reason"]) for each in told["items"]] == [
        ("gus@example.org", "spam-refused")
    ]
    assert len((await web.get(f"{one}=any", headers=headers)).json()["items"]) == 4
    assert (await web.get(f"{one}=odd", headers=headers)).status == 422
