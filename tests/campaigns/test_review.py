"""Review: who approves, what voids it, remarks at blocks, alerts of two, a start that is undone."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import col

from campaigns import (
    alert_release,
    approvals,
    audiences,
    bulletins,
    campaign_views,
    comments,
    documents,
    due,
    lifecycle,
    review_changes,
    trials,
)
from campaigns.approvals import Facet
from campaigns.models import Campaign, CampaignState
from campaigns.trial_plans import Plan, What
from delivery.models import Dispatch
from foundation import errors
from foundation.accounts import api_tokens
from foundation.accounts.api_tokens import Scope
from foundation.accounts.models import Role
from foundation.audit import COMMAND, Actor, ActorKind, AuditEntry
from foundation.ground import Ground
from tests.campaigns.test_campaign_pages import words
from tests.world import campaigning, people
from tests.world.clock import FakeClock
from tests.world.smtp import Catcher
from tests.world.web import Web

TWO = pytest.mark.settings(release={"approvers": 2})


async def colleague(ground: Ground, name: str, role: Role = Role.EDITOR) -> Actor:
    """Somebody of the office."""
    person, _ = await people.staff(ground, role, email=f"{name}@coalition.example")
    return Actor(kind=ActorKind.STAFF, label=person.name or person.email, staff_id=person.id)


async def stands(ground: Ground, campaign: Campaign) -> approvals.Standing:
    """How far a campaign is approved now."""
    async with ground.db.reading() as session:
        now = await session.get_one(Campaign, campaign.id)
        bulletin = await bulletins.get(session, now.bulletin_id)
        return await approvals.standing(ground, session, now, bulletin)


async def in_review(ground: Ground, author: Actor) -> Campaign:
    """A campaign that an author gave for review."""
    await people.topic(ground)
    made = await bulletins.create(ground, actor=author, document=campaigning.document())
    campaign = await lifecycle.create(
        ground,
        actor=author,
        bulletin_id=made.id,
        name="News",
        audience=audiences.Audience(topics=["secure-communities"]),
    )
    await lifecycle.request_review(ground, actor=author, campaign_id=campaign.id, note="By noon?")
    return campaign


@pytest.mark.storage
@TWO
async def test_two_different_people_who_did_not_write_it_have_to_approve_it(ground: Ground) -> None:
    ana, bo, cy = [await colleague(ground, name) for name in ("ana", "bo", "cy")]
    campaign = await in_review(ground, ana)
    with pytest.raises(errors.Refused, match="You wrote it"):
        await lifecycle.approve(ground, actor=ana, campaign_id=campaign.id)
    for _ in range(2):
        reached = await lifecycle.approve(ground, actor=bo, campaign_id=campaign.id)
        assert (reached.missing, len(reached.given)) == (1, 1)
        assert await campaigning.state(ground, campaign.id) == CampaignState.IN_REVIEW
    await lifecycle.approve(ground, actor=cy, campaign_id=campaign.id)
    view = await campaign_views.show(ground, campaign_id=campaign.id)
    assert view.campaign.state == CampaignState.APPROVED
    assert view.campaign.approved_by == f"{bo.label}, {cy.label}"


@TWO
async def test_who_is_alone_approves_what_they_wrote_and_two_are_not_asked_of_two(
    ground: Ground,
) -> None:
    ana = await colleague(ground, "ana", Role.OWNER)
    campaign = await in_review(ground, ana)
    assert (await lifecycle.approve(ground, actor=ana, campaign_id=campaign.id)).missing == 0
    bo = await colleague(ground, "bo")
    other = await in_review(ground, ana)
    with pytest.raises(errors.Refused):
        await lifecycle.approve(ground, actor=ana, campaign_id=other.id)
    await lifecycle.approve(ground, actor=bo, campaign_id=other.id)
    assert await campaigning.state(ground, other.id) == CampaignState.APPROVED


@pytest.mark.storage
@TWO
async def test_any_change_voids_an_approval_and_it_is_known_what_changed(ground: Ground) -> None:
    ana, bo, _ = [await colleague(ground, name) for name in ("ana", "bo", "cy")]
    campaign = await in_review(ground, ana)
    await people.topic(ground, "action-alerts")

    async def change(**more: Any) -> None:
        now = (await campaign_views.show(ground, campaign_id=campaign.id)).campaign
        kept = {
            "name": "News",
            "audience": audiences.parse(now.audience),
            "from_name": now.from_name,
            **more,
        }
        await lifecycle.update(
            ground, actor=ana, campaign_id=campaign.id, version=now.version, **kept
        )

    async def try_two() -> None:
        plan = Plan(what=What.SENDER, from_name="The board")
        await trials.plan(ground, actor=ana, campaign_id=campaign.id, wanted=plan)

    async def write() -> None:
        await bulletins.save(
            ground, actor=ana, bulletin_id=campaign.bulletin_id, version=1,
            document=campaigning.document("Other words"),
        )  # fmt: skip

    steps: list[tuple[Callable[[], Awaitable[None]], list[Facet]]] = [
        (lambda: change(audience=audiences.Audience(topics=["action-alerts"])), [Facet.AUDIENCE]),
        (lambda: change(from_name="Somebody else"), [Facet.SENDER]),
        (try_two, [Facet.TRIAL]),
        (write, []),
    ]
    for act, changed in steps:
        await lifecycle.approve(ground, actor=bo, campaign_id=campaign.id)
        assert len((await stands(ground, campaign)).given) == 1
        await act()
        after = await stands(ground, campaign)
        assert (after.given, list(after.changed)) == ([], changed)
    await lifecycle.approve(ground, actor=bo, campaign_id=campaign.id)
    await lifecycle.send_back(ground, actor=bo, campaign_id=campaign.id)
    assert (await stands(ground, campaign)).given == []


@pytest.mark.storage
@TWO
async def test_two_who_approve_at_one_moment_are_both_counted_or_told(ground: Ground) -> None:
    ana, bo, cy = [await colleague(ground, name) for name in ("ana", "bo", "cy")]
    campaign = await in_review(ground, ana)
    tries = await asyncio.gather(
        *(lifecycle.approve(ground, actor=each, campaign_id=campaign.id) for each in (bo, cy)),
        return_exceptions=True,
    )
    told = sum(isinstance(each, errors.Conflict) for each in tries)
    given = len((await stands(ground, campaign)).given)
    assert given == 2 - told
    assert (await campaigning.state(ground, campaign.id) == CampaignState.APPROVED) == (given == 2)


async def test_who_is_asked_who_gets_it_back_and_who_is_told_get_a_mail(
    web: Web, ground: Ground, smtp: Catcher, deliver: Callable[[], Awaitable[None]]
) -> None:
    await people.subscribed(ground)
    author = await web.as_staff(Role.AUTHOR, email="ana@coalition.example")
    editor = await web.as_staff(Role.EDITOR, email="bo@coalition.example")
    other, _ = await people.staff(ground, Role.EDITOR, email="cy@coalition.example")
    campaign = await campaigning.draft(ground)
    here = f"/staff/campaigns/{campaign.id}"
    asked = {"editor": str(other.id), "note": "By noon?"}
    assert (await author.post(f"{here}/request-review", asked)).status == 303
    await deliver()
    assert [mail.rcpt_to for mail in smtp.messages] == ["cy@coalition.example"]
    assert "By noon?" in smtp.messages[0].text
    assert f"{here}/review" in smtp.messages[0].text
    assert "By noon?" in (await editor.get(here)).text
    assert (await editor.post(f"{here}/send-back", {"reason": "Shorter"})).status == 303
    assert (await author.post(f"{here}/request-review")).status == 303
    assert (await editor.post(f"{here}/approve")).status == 303
    wrong = await editor.post(f"{here}/tell", {"tell": "no address"})
    assert "no address" in wrong.text
    named = {"tell": "board@coalition.example\nbo@coalition.example"}
    assert (await editor.post(f"{here}/tell", named)).status == 303
    smtp.messages.clear()
    await deliver()
    subjects = sorted((mail.rcpt_to, str(mail.parsed["Subject"])) for mail in smtp.messages)
    assert ("ana@coalition.example", "“News” came back to you") in subjects
    assert ("ana@coalition.example", "“News” is approved") in subjects
    assert (await editor.post(f"{here}/start")).status == 303
    await deliver()
    await lifecycle.follow_dispatches(ground)
    smtp.messages.clear()
    await deliver()
    assert sorted(mail.rcpt_to for mail in smtp.messages) == [
        "bo@coalition.example",
        "board@coalition.example",
    ]
    assert "People who have it: 1 of 1." in smtp.messages[0].text


async def test_remarks_stand_at_their_block_are_answered_and_settled(
    web: Web, ground: Ground
) -> None:
    campaign = await campaigning.draft(ground)
    bulletin = campaign.bulletin_id
    async with ground.db.reading() as session:
        block = bulletins.document_of(await bulletins.get(session, bulletin)).blocks[0].id
    editor, translator = await web.as_staff(Role.EDITOR), await web.as_staff(Role.TRANSLATOR)
    viewer = await web.as_staff(Role.VIEWER)
    there, review = (
        f"/staff/bulletins/{bulletin}/comments",
        f"/staff/campaigns/{campaign.id}/review",
    )
    said = {"block": block, "language": "es", "text": "<b>Too long</b>", "back": str(campaign.id)}
    assert (await viewer.post(there, said)).status == 403
    written = await editor.post(there, said)
    assert written.location == f"{review}#block-{block}"
    for page in (await viewer.get(review), await translator.get(f"/staff/bulletins/{bulletin}")):
        assert "&lt;b&gt;Too long" in page.text
    form = (await editor.get(review)).text
    assert f'maxlength="{comments.LONGEST}"' in form, "nobody types more than is kept"
    assert "1 remark is not settled" in (await editor.get(f"/staff/campaigns/{campaign.id}")).text
    await translator.post(there, {"answers": "1", "text": "Shorter now"})
    await editor.post(f"{there}/settle", {"comment": "1", "settled": "1"})
    shown = words((await viewer.get(review)).text)
    assert "1 settled remark" in shown
    assert shown.index("Too long") < shown.index("Shorter now")
    # Whoever answers says that it is not settled.
    await translator.post(there, {"answers": "1", "text": "But look"})
    async with ground.db.reading() as session:
        assert await comments.count_open(session, bulletin) == 1
        assert (await comments.of_bulletin(session, bulletin, [])).gone[0].comment.block == block
    assert (await editor.post(there, {"block": block, "text": " "})).status == 303
    endless = await editor.post(there, {"block": "x" * 9_000, "text": "y"})
    assert endless.location == f"/staff/bulletins/{bulletin}#remarks"
    assert (await editor.post(there, {"block": "nosuch", "text": "x"})).status == 404
    assert (await editor.post(f"{there}/settle", {"comment": "99"})).status == 404

    secret = await api_tokens.create(ground, actor=COMMAND, name="Desk", scopes=frozenset(Scope))
    program = {"Authorization": f"Bearer {secret}"}
    api = f"/api/v1/bulletins/{bulletin}/remarks"

    async def remarks() -> list[dict[str, Any]]:
        return list((await web.get(api, headers=program)).json()["items"])

    (listed,) = await remarks()
    assert [listed["block"], listed["language"], listed["is_settled"]] == [block, "es", False]
    assert [each["text"] for each in listed["answers"]] == ["Shorter now", "But look"]
    answer = {"text": "Half as long", "answers_id": listed["id"]}
    assert (await web.request("POST", api, json=answer, headers=program)).status == 201
    one = f"{api}/{listed['id']}"
    settled = await web.request("PATCH", one, json={"is_settled": True}, headers=program)
    assert settled.status == 200
    (listed,) = await remarks()
    assert [listed["settled_by"], listed["answers"][-1]["by"]] == ["Desk", "Desk"]
    nowhere = {"text": "x", "block": "nosuch"}
    gone = await web.request("POST", api, json=nowhere, headers=program)
    assert gone.status == 404


async def test_what_changed_since_the_last_approval_is_shown_block_by_block(
    web: Web, ground: Ground
) -> None:
    campaign = await campaigning.approved(ground)
    before = campaigning.document()
    texts = {"kind": "heading", "texts": {"en": {"text": "A new headline"}}}
    values = documents.dump(before)
    values["blocks"].append(texts)
    values["editions"]["en"]["subject"] = "Another subject"
    async with ground.db.reading() as session:
        kept = bulletins.document_of(await bulletins.get(session, campaign.bulletin_id))
    values["blocks"][0]["id"] = kept.blocks[0].id
    values["blocks"][0]["texts"]["en"]["html"] = "<p>Other words</p>"
    await bulletins.save(
        ground, actor=COMMAND, bulletin_id=campaign.bulletin_id, version=1,
        document=documents.parse(values),
    )  # fmt: skip
    editor = await web.as_staff(Role.EDITOR)
    page = words((await editor.get(f"/staff/campaigns/{campaign.id}/review")).text)
    assert "News (en) Another subject" in page
    assert "Changed since: the bulletin" in page
    assert "Text changed" in page
    assert "Heading new" in page
    gone = review_changes.between(documents.parse(values), kept)
    assert [each.kind for each in gone.removed] == [review_changes.Kind.REMOVED]
    turned = kept.with_blocks([*documents.parse(values).blocks[1:], *kept.blocks])
    back = review_changes.between(turned, turned.with_blocks(reversed(turned.blocks)))
    assert {each.kind for each in back.blocks.values()} == {review_changes.Kind.MOVED}


async def alert(ground: Ground, author: Actor) -> Campaign:
    """An alert that was only written."""
    await people.topic(ground)
    values = documents.dump(campaigning.document("Now")) | {"template": "alert"}
    made = await bulletins.create(ground, actor=author, document=documents.parse(values))
    return await lifecycle.create(
        ground,
        actor=author,
        bulletin_id=made.id,
        name="Now",
        audience=audiences.Audience(topics=["secure-communities"]),
    )


@pytest.mark.storage
async def test_an_alert_goes_out_when_a_second_person_confirms_it_in_time(
    ground: Ground, clock: FakeClock, smtp: Catcher, deliver: Callable[[], Awaitable[None]]
) -> None:
    await people.subscribed(ground)
    ana, bo, cy = [await colleague(ground, name) for name in ("ana", "bo", "cy")]
    campaign = await alert(ground, ana)
    number = campaign.id
    for _ in range(2):
        assert not await alert_release.confirm(ground, actor=ana, campaign_id=number)
    await deliver()
    assert sorted(mail.rcpt_to for mail in smtp.messages) == [
        "bo@coalition.example",
        "cy@coalition.example",
    ]
    clock.advance(minutes=ground.settings.release.alert_minutes)
    assert not await alert_release.confirm(ground, actor=bo, campaign_id=number)
    await bulletins.save(
        ground, actor=ana, bulletin_id=campaign.bulletin_id, version=1,
        document=documents.parse(
            documents.dump(campaigning.document("Now!")) | {"template": "alert"}
        ),
    )  # fmt: skip
    assert not await alert_release.confirm(ground, actor=cy, campaign_id=number)
    assert await campaigning.state(ground, number) == CampaignState.DRAFT
    clock.advance(minutes=1)
    tries = await asyncio.gather(
        *(alert_release.confirm(ground, actor=each, campaign_id=number) for each in (ana, bo)),
        return_exceptions=True,
    )
    assert [each for each in tries if each is True] == [True], tries
    async with ground.db.reading() as session:
        campaign = await session.get_one(Campaign, number)
        assert await session.scalar(sa.select(sa.func.count(col(Dispatch.id)))) == 1
        logged = (
            await session.scalars(
                sa.select(col(AuditEntry.after)).where(col(AuditEntry.action) == "campaign.approve")
            )
        ).one()
    assert campaign.state == CampaignState.SENDING
    assert campaign.approved_by in (f"{cy.label}, {ana.label}", f"{cy.label}, {bo.label}")
    assert logged["released_by"] == campaign.approved_by
    await deliver()
    got = [mail.rcpt_to for mail in smtp.messages]
    assert got.count("ana@example.org") == 1


async def test_an_alert_is_released_by_pages_and_never_started_by_one_person(
    web: Web, ground: Ground
) -> None:
    await people.subscribed(ground)
    first = await web.as_staff(Role.EDITOR, email="ana@coalition.example")
    second = await web.as_staff(Role.EDITOR, email="bo@coalition.example")
    campaign = await alert(ground, COMMAND)
    here = f"/staff/campaigns/{campaign.id}"
    await lifecycle.approve(ground, actor=COMMAND, campaign_id=campaign.id)
    for answer in (await first.get(f"{here}/start"), await first.post(f"{here}/start")):
        assert answer.location == f"{here}/release"
    assert "Confirm as the first" in (await first.get(f"{here}/release")).text
    assert (await first.post(f"{here}/release")).location == f"{here}/release"
    assert "You have confirmed it" in (await first.get(f"{here}/release")).text
    assert "Send to 1 person now" in (await second.get(f"{here}/release")).text
    assert (await second.post(f"{here}/release")).location == here
    assert await campaigning.state(ground, campaign.id) == CampaignState.SENDING
    assert (await second.post(f"{here}/release")).status == 409
    assert (await second.get(f"{here}/release")).location == here


@pytest.mark.settings(release={"undo_s": 30})
@pytest.mark.storage
async def test_a_start_can_be_undone_until_its_window_ends_and_nothing_leaves_before(
    web: Web, ground: Ground, clock: FakeClock, smtp: Catcher,
    deliver: Callable[[], Awaitable[None]],
) -> None:  # fmt: skip
    await people.subscribed(ground)
    campaign = await campaigning.approved(ground)
    editor = await web.as_staff(Role.EDITOR)
    here = f"/staff/campaigns/{campaign.id}"
    assert (await editor.post(f"{here}/start")).status == 303
    clock.advance(seconds=29)
    # Pressed again, it does not begin anew.
    assert (await editor.post(f"{here}/start")).status == 303
    page = await editor.get(here)
    assert 'data-countdown="1"' in page.text
    assert await due.start_due(ground) == []
    await deliver()
    assert smtp.messages == []
    assert (await editor.post(f"{here}/undo")).status == 303
    clock.advance(seconds=60)
    assert await due.start_due(ground) == []
    assert await campaigning.state(ground, campaign.id) == CampaignState.APPROVED
    async with ground.db.reading() as session:
        assert await session.scalar(sa.select(sa.func.count(col(Dispatch.id)))) == 0
    assert (await editor.post(f"{here}/start")).status == 303
    clock.advance(seconds=30)
    assert await due.start_due(ground) == [campaign.id]
    late = await editor.post(f"{here}/undo")
    assert late.status == 409
    assert "too late to undo" in late.text
    await deliver()
    assert len(smtp.messages) == 1


@pytest.mark.settings(release={"undo_s": 30})
async def test_what_could_not_begin_when_its_window_ended_can_be_started_again(
    ground: Ground, clock: FakeClock
) -> None:
    await people.subscribed(ground)
    campaign = await campaigning.approved(ground)
    await lifecycle.start_soon(ground, actor=COMMAND, campaign_id=campaign.id)
    clock.advance(hours=ground.settings.delivery.late_start_hours, minutes=1)
    assert await due.start_due(ground) == []
    assert await campaigning.state(ground, campaign.id) == CampaignState.APPROVED
    again = await lifecycle.start_soon(ground, actor=COMMAND, campaign_id=campaign.id)
    assert again == clock.now() + timedelta(seconds=30)
    clock.advance(seconds=30)
    assert await due.start_due(ground) == [campaign.id]
