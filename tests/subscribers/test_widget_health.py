"""A partner and staff hear once when a form goes quiet, turns up elsewhere, or is not confirmed."""

import json
from typing import Any

import pytest
from sqlmodel import col, select

from delivery.models import QueuedNotice
from foundation.audit import COMMAND
from foundation.ground import Ground
from subscribers import forms, partners, widget_health
from subscribers.models import Partner, SignUp, SignUpState
from subscribers.partner_models import PartnerAlarm, Step
from subscribers.steps import Steps
from tests.subscribers import mailbox
from tests.world import people
from tests.world import web as web_world
from tests.world.clock import FakeClock
from tests.world.web import Web

RIVER = "https://river.example"
DARA = "dara@river.example"


@pytest.fixture
async def river(ground: Ground) -> Partner:
    """A partner with a contact, and an owner to be told, too."""
    await mailbox.topics(ground)
    await people.staff(ground)
    details = partners.Details(
        name="River Valley",
        key="river-valley",
        origins=[RIVER],
        contact_email=DARA,
        languages=["es"],
    )
    made = await partners.create(ground, actor=COMMAND, details=details)
    await forms.create(ground, actor=COMMAND, details=forms.Details(slug="river", name="Front"))
    return made


async def seen(ground: Ground, partner: Partner, number: int) -> None:
    counting = Steps(ground)
    for place in range(number):
        counting.count(
            Step.SEEN, partner_id=partner.id, form_id=1, page="/", language="en", network=str(place)
        )
    await counting.write()


async def told(ground: Ground, to: str) -> list[str]:
    async with ground.db.reading() as session:
        statement = (
            select(QueuedNotice)
            .where(QueuedNotice.kind == "partner_pages", QueuedNotice.to_address == to)
            .order_by(col(QueuedNotice.id))
        )
        return [each.context["reason"] for each in (await session.exec(statement)).all()]


async def open_kinds(ground: Ground) -> list[str]:
    async with ground.db.reading() as session:
        statement = select(PartnerAlarm.kind).where(col(PartnerAlarm.ended_at).is_(None))
        return list((await session.exec(statement)).all())


@pytest.mark.storage
async def test_a_form_that_goes_quiet_is_told_of_once_each_time(
    ground: Ground, clock: FakeClock, river: Partner, web: Web
) -> None:
    await seen(ground, river, 57)
    clock.advance(days=6)
    await widget_health.watch(ground)
    assert await open_kinds(ground) == []
    clock.advance(days=1)
    for _ in range(3):
        await widget_health.watch(ground)
    (to_staff,) = await told(ground, "owner@coalition.example")
    assert "River Valley: “Front” has gone quiet: it was seen 57 times" in to_staff
    (to_partner,) = await told(ground, DARA)
    assert "se vio 50 veces" in to_partner
    assert "menos de 10" in to_partner
    office = await web.as_staff()
    assert "has gone quiet" in (await office.get(f"/staff/partners/{river.id}/numbers")).text
    assert "needs a look" in (await office.get("/staff")).text
    await seen(ground, river, 60)
    await widget_health.watch(ground)
    assert await open_kinds(ground) == []
    clock.advance(days=8)
    await widget_health.watch(ground)
    assert len(await told(ground, DARA)) == 2


async def test_a_form_on_a_site_that_is_not_listed_is_told_of_and_counts_nothing(
    ground: Ground, clock: FakeClock, river: Partner
) -> None:
    async with web_world.browsing(ground) as web:
        for origin in ("https://copy.example", "https://copy.example", "null", "x"):
            body: dict[str, Any] = {"form": "river", "partner": "river-valley", "step": "seen"}
            headers = {"Content-Type": "text/plain", "Origin": origin}
            answer = await web.post("/api/public/steps", json.dumps(body).encode(), headers=headers)
            assert answer.status == 403
    await widget_health.watch(ground)
    await widget_health.watch(ground)
    (said,) = await told(ground, DARA)
    assert "https://copy.example" in said
    details = partners.Details(name="River", key="river-valley", origins=["https://copy.example"])
    await partners.update(ground, actor=COMMAND, partner_id=river.id, details=details)
    clock.advance(hours=1)
    await widget_health.watch(ground)
    assert await open_kinds(ground) == []


@pytest.mark.storage
async def test_when_far_fewer_confirm_than_before_the_numbers_are_told(
    ground: Ground, clock: FakeClock, river: Partner
) -> None:
    await signed_up(ground, river, confirmed=30, not_confirmed=10)
    clock.advance(days=20)
    await signed_up(ground, river, confirmed=9, not_confirmed=16)
    clock.advance(days=2)
    await widget_health.watch(ground)
    assert await open_kinds(ground) == []
    clock.advance(days=2)
    await widget_health.watch(ground)
    assert await open_kinds(ground) == ["collapse"]
    (said,) = await told(ground, "owner@coalition.example")
    assert "9 of 25 in the last week" in said
    assert "30 of 40 in the eight weeks" in said
    (to_partner,) = await told(ground, DARA)
    assert "menos de 10 de 20" in to_partner


async def signed_up(
    ground: Ground, partner: Partner, *, confirmed: int, not_confirmed: int
) -> None:
    who = await people.subscribed(ground, f"p{ground.clock.now():%d}@x.example")
    async with ground.db.transaction() as session:
        for place in range(confirmed + not_confirmed):
            state = SignUpState.CONFIRMED if place < confirmed else SignUpState.SUBMITTED
            session.add(
                SignUp(
                    subscriber_id=who.id,
                    form_id=1,
                    partner_id=partner.id,
                    state=state.value,
                    language="en",
                    created_at=ground.clock.now(),
                )
            )
