"""A campaign's life: each step from its states alone, once, logged, by the bulletin approved."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import col

from campaigns import audiences, bulletins, campaign_views, due, lifecycle, retrying, transitions
from campaigns.models import Campaign, CampaignState
from campaigns.transitions import TRANSITIONS, Verb
from delivery.listing import Choice
from delivery.models import Delivery, DeliveryState, Dispatch, WhenUncertain
from foundation import errors
from foundation.audit import COMMAND, AuditEntry
from foundation.ground import Ground
from tests.world import campaigning, people
from tests.world.clock import FakeClock
from tests.world.smtp import Catcher

AT, ZONE = "2026-12-01T09:00", "America/New_York"


async def put(ground: Ground, campaign_id: int, state: CampaignState) -> None:
    """Bring a row into a state, whatever it was in."""
    async with ground.db.transaction() as session:
        await session.execute(
            sa.update(Campaign).where(col(Campaign.id) == campaign_id).values(state=state.value)
        )


async def do(ground: Ground, verb: Verb, campaign_id: int) -> None:
    """Take a step as staff would."""
    more: dict[str, Any] = {}
    if verb is Verb.SCHEDULE:
        more = {"at": AT, "zone": ZONE}
    if verb is Verb.UPDATE:
        view = await campaign_views.show(ground, campaign_id=campaign_id)
        more = {"version": view.campaign.version, "name": "n", "audience": audiences.Audience()}
    if verb in (Verb.RETRY, Verb.GIVE_UP):
        more = {"choice": Choice(state=DeliveryState.DEFERRED)}
    if verb is Verb.DECIDE_UNCERTAIN:
        more = {"when_uncertain": WhenUncertain.RESEND}
    room: Any = retrying if hasattr(retrying, verb.value.replace("-", "_")) else lifecycle
    act: Any = getattr(room, verb.value.replace("-", "_"))
    await act(ground, actor=COMMAND, campaign_id=campaign_id, **more)


@pytest.mark.parametrize("verb", [verb for verb in Verb if verb is not Verb.SIGN])
async def test_a_step_from_another_state_is_refused_with_a_word(ground: Ground, verb: Verb) -> None:
    campaign = await campaigning.approved(ground)
    for state in set(CampaignState) - set(TRANSITIONS[verb]):
        await put(ground, campaign.id, state)
        with pytest.raises(errors.Refused) as caught:
            await do(ground, verb, campaign.id)
        assert transitions.STATE_WORDS[state] in str(caught.value)
        assert "%(" not in caught.value.say(ground.translator("es"))
        assert await campaigning.state(ground, campaign.id) == state


@pytest.mark.storage
async def test_the_whole_way_is_in_the_log(
    ground: Ground, smtp: Catcher, deliver: Callable[[], Awaitable[None]]
) -> None:
    await people.subscribed(ground, "ana@example.org", language="es")
    campaign, _ = await campaigning.started(ground)
    await lifecycle.pause(ground, actor=COMMAND, campaign_id=campaign.id, reason="a typo")
    await deliver()
    assert smtp.messages == []
    await lifecycle.resume(ground, actor=COMMAND, campaign_id=campaign.id)
    await deliver()
    assert [message.rcpt_to for message in smtp.messages] == ["ana@example.org"]
    assert smtp.messages[0].parsed["Subject"] == "News (es)"
    await lifecycle.follow_dispatches(ground)
    assert await campaigning.state(ground, campaign.id) == CampaignState.SENT
    async with ground.db.reading() as session:
        actions = await session.scalars(
            sa.select(col(AuditEntry.action))
            .where(col(AuditEntry.object_kind) == "campaign")
            .order_by(col(AuditEntry.id))
        )
    assert actions.all() == [
        f"campaign.{verb}"
        for verb in ("created", "request-review", "approve", "start", "pause", "resume", "sent")
    ]


@pytest.mark.storage
async def test_starting_at_once_from_many_sides_sends_once(ground: Ground) -> None:
    await people.subscribed(ground)
    campaign = await campaigning.approved(ground)
    tries = await asyncio.gather(
        *(lifecycle.start(ground, actor=COMMAND, campaign_id=campaign.id) for _ in range(5)),
        return_exceptions=True,
    )
    assert sum(isinstance(each, Dispatch) for each in tries) == 1, tries
    assert all(isinstance(each, (Dispatch, errors.Refused, errors.Conflict)) for each in tries)
    async with ground.db.reading() as session:
        assert await session.scalar(sa.select(sa.func.count(col(Delivery.id)))) == 1


async def test_a_change_after_approval_withdraws_it(ground: Ground) -> None:
    await people.subscribed(ground)
    campaign = await campaigning.approved(ground)
    changed = campaigning.document("Other words")
    await bulletins.save(
        ground, actor=COMMAND, bulletin_id=campaign.bulletin_id, version=1, document=changed
    )
    for act in (Verb.START, Verb.SCHEDULE):
        with pytest.raises(errors.Refused, match="approved again"):
            await do(ground, act, campaign.id)
    await do(ground, Verb.APPROVE, campaign.id)
    await do(ground, Verb.START, campaign.id)


async def test_nothing_is_started_for_nobody(ground: Ground) -> None:
    campaign = await campaigning.approved(ground)
    with pytest.raises(errors.Refused, match="Nobody"):
        await do(ground, Verb.START, campaign.id)
    assert await campaigning.state(ground, campaign.id) == CampaignState.APPROVED
    async with ground.db.reading() as session:
        assert await session.scalar(sa.select(sa.func.count(col(Dispatch.id)))) == 0


async def test_what_can_not_go_out_is_not_approved(ground: Ground) -> None:
    document = campaigning.document()
    broken = document.model_copy(
        update={
            "editions": {
                **document.editions,
                "en": document.editions["en"].model_copy(
                    update={"subject": "Dear {{ subscriber.frist_name }}"}
                ),
            }
        }
    )
    made = await bulletins.create(ground, actor=COMMAND, document=broken)
    campaign = await lifecycle.create(
        ground, actor=COMMAND, bulletin_id=made.id, name="n", audience=audiences.Audience()
    )
    with pytest.raises(errors.Refused, match="frist_name"):
        await do(ground, Verb.APPROVE, campaign.id)


async def test_two_editors_do_not_overwrite_each_other(ground: Ground) -> None:
    campaign = await campaigning.draft(ground)
    both: dict[str, Any] = {"actor": COMMAND, "campaign_id": campaign.id, "version": 1}
    wanted = audiences.Audience(topics=["secure-communities"])
    await lifecycle.update(ground, name="First", audience=wanted, **both)
    with pytest.raises(errors.Conflict):
        await lifecycle.update(ground, name="Second", audience=wanted, **both)
    assert (await campaign_views.show(ground, campaign_id=campaign.id)).campaign.name == "First"


async def test_a_past_time_is_refused(ground: Ground) -> None:
    campaign = await campaigning.approved(ground)
    with pytest.raises(errors.Invalid) as caught:
        await lifecycle.schedule(
            ground, actor=COMMAND, campaign_id=campaign.id, at="2026-11-01T09:00", zone=ZONE
        )
    assert "at" in caught.value.fields


@pytest.mark.storage
async def test_a_due_campaign_starts_once_whoever_looks(ground: Ground, clock: FakeClock) -> None:
    await people.subscribed(ground)
    campaign = await campaigning.approved(ground)
    await do(ground, Verb.SCHEDULE, campaign.id)
    assert await due.start_due(ground) == []
    clock.advance(days=29)
    found = await asyncio.gather(*(due.start_due(ground) for _ in range(4)))
    assert [number for each in found for number in each] == [campaign.id]


@pytest.mark.storage
async def test_what_is_overdue_waits_for_a_person_who_is_told(
    ground: Ground, clock: FakeClock, smtp: Catcher, deliver: Callable[[], Awaitable[None]]
) -> None:
    await people.staff(ground)
    await people.subscribed(ground)
    campaign = await campaigning.approved(ground)
    await do(ground, Verb.SCHEDULE, campaign.id)
    clock.advance(days=29, hours=ground.settings.delivery.late_start_hours)
    for _ in range(3):
        assert await due.start_due(ground) == []
    view = await campaign_views.show(ground, campaign_id=campaign.id)
    assert view.campaign.state == CampaignState.APPROVED
    assert "too long ago" in view.campaign.waiting_reason
    await deliver()
    assert [message.rcpt_to for message in smtp.messages] == ["owner@coalition.example"]
    assert f"/staff/campaigns/{campaign.id}" in smtp.messages[0].text


@pytest.mark.storage
async def test_cancelling_stops_who_still_waits(
    ground: Ground, smtp: Catcher, deliver: Callable[[], Awaitable[None]]
) -> None:
    await people.subscribed(ground)
    campaign, _ = await campaigning.started(ground)
    await lifecycle.cancel(ground, actor=COMMAND, campaign_id=campaign.id)
    await deliver()
    assert smtp.messages == []
    assert await campaigning.state(ground, campaign.id) == CampaignState.CANCELLED
