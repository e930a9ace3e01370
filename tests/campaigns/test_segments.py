"""A segment takes whoever fits it when it is asked; what was approved with it is looked at anew."""

from typing import Any

import pytest
import sqlalchemy as sa

from campaigns import audience_problems, audiences, campaign_views, follow_ups, lifecycle, segments
from campaigns.audience_rules import Rules
from campaigns.models import CampaignState
from campaigns.segment_models import Segment
from delivery.models import Delivery, DeliveryState
from foundation import errors
from foundation.accounts.models import Role
from foundation.audit import COMMAND
from foundation.ground import Ground
from subscribers.models import Subscriber
from tests.campaigns.test_campaign_pages import words
from tests.handbill.test_api import bearer
from tests.world import campaigning, people
from tests.world.web import Web

TOPIC = "secure-communities"
WORCESTER = {"kind": "postal-code", "codes": ["016"]}
SPANISH = {"kind": "language", "languages": ["es"]}


async def three(ground: Ground) -> None:
    """Ana and Bo in Worcester, Cy in Lowell; Bo reads Spanish, Cy is on another topic."""
    await people.subscribed(ground, "ana@example.org", postal_code="01608")
    await people.subscribed(ground, "bo@example.org", postal_code="01609", language="es")
    await people.subscribed(ground, "cy@example.org", postal_code="01852", topics=["action-alerts"])


def rules(**groups: Any) -> Rules:
    """A segment's rules."""
    return audience_problems.read(Rules, groups)


async def segment_of(ground: Ground, **groups: Any) -> Segment:
    """A kept segment."""
    return await segments.create(ground, actor=COMMAND, name="Around", rules=rules(**groups))


async def approved(ground: Ground, segment: Segment) -> int:
    """A campaign to a segment that may be sent."""
    made = await campaigning.draft(ground)
    audience = {"topics": [TOPIC], "all_of": [{"kind": "segment", "segment": segment.id}]}
    await lifecycle.update(
        ground,
        actor=COMMAND,
        campaign_id=made.id,
        version=made.version,
        name="To a segment",
        audience=audiences.parse(audience),
    )
    await lifecycle.approve(ground, actor=COMMAND, campaign_id=made.id)
    return made.id


@pytest.mark.storage
async def test_a_changed_segment_takes_approvals_back_and_what_was_sent_holds_its_own(
    ground: Ground,
) -> None:
    await three(ground)
    segment = await segment_of(ground, all_of=[WORCESTER])
    number = await approved(ground, segment)
    with pytest.raises(errors.Refused, match="“To a segment”"):
        await segments.put_away(ground, actor=COMMAND, segment_id=segment.id)
    change: dict[str, Any] = {"actor": COMMAND, "segment_id": segment.id, "version": 1}
    segment = await segments.update(
        ground, **change, name="Renamed", rules=rules(all_of=[WORCESTER])
    )
    assert await campaigning.state(ground, number) == CampaignState.APPROVED, "only its name"
    with pytest.raises(errors.Conflict):
        await segments.update(ground, **change, name="Late", rules=rules(all_of=[SPANISH]))
    change["version"] = segment.version
    await segments.update(ground, **change, name="Renamed", rules=rules(all_of=[SPANISH]))
    view = await campaign_views.show(ground, campaign_id=number)
    assert view.campaign.state == CampaignState.DRAFT
    assert "«Renamed»" in view.campaign.waiting_texts["es"]
    await lifecycle.approve(ground, actor=COMMAND, campaign_id=number)
    order = await lifecycle.start(ground, actor=COMMAND, campaign_id=number)
    assert (order.audience, order.excluded) == (1, {"not-in-segment": 1})
    change["version"] = 3
    await segments.update(ground, **change, name="Renamed", rules=rules(all_of=[WORCESTER]))
    sent = (await campaign_views.show(ground, campaign_id=number)).campaign
    held = audiences.parse(sent.audience)
    assert held.all_of[0].model_dump()["version"] == 3
    assert (await audiences.count(ground, held, languages=["en"])).included == 1
    async with ground.db.transaction() as session:
        await session.execute(sa.update(Delivery).values(state=DeliveryState.SENT))
        await session.execute(sa.update(Subscriber).values(language="en"))
    correction = await follow_ups.correct(ground, actor=COMMAND, campaign_id=number)
    counted = await audiences.count(ground, audiences.parse(correction.audience), languages=["en"])
    assert counted.included == 1, "who has it is told, though they fit it no more"
    async with ground.db.reading() as session:
        where = await segments.uses(session, segment.id)
    assert ([each.id for each in where.past], list(where.coming)) == ([number], [])
    await segments.put_away(ground, actor=COMMAND, segment_id=segment.id)
    await segment_of(ground, none_of=[SPANISH])


async def test_staff_make_one_see_who_is_in_it_and_take_its_people_along(
    web: Web, ground: Ground
) -> None:
    await three(ground)
    author, editor = await web.as_staff(Role.AUTHOR), await web.as_staff(Role.EDITOR)
    nothing = await author.post("/staff/segments/new", {"name": "Empty"})
    assert nothing.status == 422
    assert "Add one condition at least" in nothing.text
    typed = {"name": "Around", "c0-group": "all_of", "c0-kind": "postal-code", "c0-text": "016"}
    made = await author.post("/staff/segments/new", typed)
    assert made.status == 303, made.text
    page = words((await author.get(made.location)).text)
    assert "People who live in 016…." in page
    assert "2 people are in it now" in page
    assert "People who live in 016…" in words((await author.get("/staff/segments")).text)
    assert (await author.post(f"{made.location}/export")).status == 403
    file = await editor.post(f"{made.location}/export")
    assert file.text.count("@example.org") == 2
    assert "subscribers.exported" in (await editor.get("/staff/audit")).text
    number = await approved(ground, await _only(ground))
    assert "To a segment" in words((await editor.get(made.location)).text)
    assert "are in the segment “Around”" in words(
        (await editor.get(f"/staff/campaigns/{number}")).text
    )
    assert "have to be approved again" in words(
        (await editor.get(f"{made.location}/edit")).text.replace("has to be", "have to be")
    )


async def _only(ground: Ground) -> Segment:
    async with ground.db.reading() as session:
        return (await segments.offered(session))[0]


async def test_why_somebody_is_in_or_out_is_said_condition_by_condition(
    web: Web, ground: Ground
) -> None:
    await three(ground)
    segment = await segment_of(ground, all_of=[WORCESTER], none_of=[SPANISH])
    number = await approved(ground, segment)
    viewer = await web.as_staff(Role.VIEWER)
    here = f"/staff/segments/{segment.id}/why"
    assert (await viewer.get(here)).status == 200
    assert (
        "In: they would get it now" in (await viewer.post(here, {"email": "ana@example.org"})).text
    )
    out = words((await viewer.post(here, {"email": "BO@example.org"})).text)
    assert "Out: they would not get it now" in out
    assert "People who live in 016…: Yes" in out
    assert "People who want Spanish: Yes" in out
    campaign = f"/staff/campaigns/{number}/why"
    other = words((await viewer.post(campaign, {"email": "cy@example.org"})).text)
    assert "Confirmed on one of the topics at least: No" in other
    assert "Secure Communities: never asked for it" in other
    assert "People who are in the segment “Around”: No" in other
    assert (
        "nobody here with this address"
        in (await viewer.post(campaign, {"email": "moon@example.org"})).text
    )
    assert (await viewer.post(campaign, {"email": "no address"})).status == 422
    await lifecycle.start(ground, actor=COMMAND, campaign_id=number)
    gone = words((await viewer.post(campaign, {"email": "bo@example.org"})).text)
    assert "They are not among those to whom it was sent" in gone


async def test_programs_make_count_and_change_them(web: Web, ground: Ground) -> None:
    await three(ground)
    headers = await bearer(ground)

    async def call(verb: str, path: str, body: Any = None, status: int = 200) -> Any:
        answer = await web.request(verb, f"/api/v1/segments{path}", headers=headers, json=body)
        assert answer.status == status, answer.text
        return answer.json()

    made = await call("POST", "", {"name": "Around", "all_of": [WORCESTER]}, 201)
    assert (made["people"], made["by_language"]) == (2, {"en": 1, "es": 1})
    await call("POST", "", {"name": "around", "all_of": [WORCESTER]}, 422)
    await call("POST", "", {"name": "Odd", "all_of": [{"kind": "shoe-size"}]}, 422)
    changed = await call(
        "PUT", "/1", {"name": "Around", "any_of": [WORCESTER, SPANISH], "version": 1}
    )
    assert changed["version"] == 2
    await call("PUT", "/1", {"name": "Around", "all_of": [SPANISH], "version": 1}, 409)
    assert [each["name"] for each in (await call("GET", ""))["items"]] == ["Around"]
    assert (await call("POST", "/1/put-away"))["put_away_at"]
    assert (await call("GET", ""))["items"] == []
