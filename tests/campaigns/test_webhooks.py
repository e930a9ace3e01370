"""Other programs are told what happened: signed, again until they take it, once for each thing."""

import dataclasses
import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from sqlmodel import select

from campaigns import lifecycle, webhooks
from campaigns.webhook_models import Webhook, WebhookCall
from foundation import calling
from foundation.audit import COMMAND
from foundation.ground import Ground
from subscribers import consent, suppression
from subscribers.models import ConsentStep, Subscriber, SuppressionReason
from tests.handbill.test_api import bearer, problem
from tests.world import campaigning, people
from tests.world.abroad import Abroad
from tests.world.clock import FakeClock
from tests.world.web import Web

LOOPBACK = pytest.mark.settings(outward={"private_networks": ["127.0.0.0/8"]})
pytestmark = LOOPBACK


@dataclass
class Program:
    """Another program that is told; it answers with `status`."""

    url: str = ""
    status: int = 200
    calls: list[tuple[str, bytes]] = field(default_factory=list)
    """Signature and body."""

    @property
    def told(self) -> list[Any]:
        """What the bodies say."""
        return [json.loads(body) for _, body in self.calls]


@pytest.fixture
async def program() -> AsyncIterator[Program]:
    """A program on loopback."""
    made = Program()

    async def take(request: web.Request) -> web.Response:
        made.calls.append((request.headers[calling.SIGNATURE], await request.read()))
        return web.Response(status=made.status, headers={"Location": "/elsewhere"})

    application = web.Application()
    for path in ("/hook", "/elsewhere"):
        application.router.add_post(path, take)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield made
    await runner.cleanup()


async def hooked(ground: Ground, program: Program, *events: str) -> Webhook:
    """A webhook of the program."""
    return await webhooks.create(ground, actor=COMMAND, url=program.url, events=events)


async def stepped(ground: Ground, person: Subscriber, step: ConsentStep) -> None:
    """A step of a person's consent, written down now."""
    async with ground.db.transaction() as session:
        consent.record(
            session,
            subscriber_id=person.id,
            at=ground.clock.now(),
            step=step,
            language="en",
            via="form",
        )


@pytest.mark.storage
async def test_each_thing_is_told_once_and_signed(ground: Ground, program: Program) -> None:
    hook = await hooked(ground, program)
    person = await people.subscribed(ground, "ana@example.org")
    await stepped(ground, person, ConsentStep.ASKED)
    await stepped(ground, person, ConsentStep.CONFIRMED)
    for _ in range(3):
        await webhooks.work(ground)
    assert {each["type"] for each in program.told} == {
        "subscriber.created",
        "subscriber.confirmed",
    }
    assert len(program.calls) == 2
    for signature, body in program.calls:
        digest = hmac.new(hook.secret.encode(), body, hashlib.sha256).hexdigest()
        assert signature == f"sha256={digest}"
    said = program.told[0]
    assert set(said) == {"id", "type", "time", "data"}
    assert said["data"] == {"id": person.id, "email": "ana@example.org", "language": "en"}


@pytest.mark.settings(outward={"private_networks": ["10.0.0.0/8"]})
async def test_no_address_of_a_network_that_the_settings_do_not_open_is_called(
    ground: Ground, program: Program, clock: FakeClock
) -> None:
    await hooked(ground, program, "campaign.cancelled")
    named = await webhooks.create(
        ground, actor=COMMAND, url="https://inside.coop/hook", events=["campaign.cancelled"]
    )
    there = Abroad(names={"inside.coop": ["192.168.1.1"]})
    campaign = await campaigning.draft(ground)
    await lifecycle.cancel(ground, actor=COMMAND, campaign_id=campaign.id)
    await webhooks.work(ground)
    assert program.calls == []
    clock.advance(minutes=2)
    await webhooks.work(dataclasses.replace(ground, outward=there.outward()))
    async with ground.db.reading() as session:
        calls = (await session.exec(select(WebhookCall))).all()
    said = {each.webhook_id == named.id: each.said for each in calls}
    assert said[True] == "private: 192.168.1.1"
    assert len(program.calls) == 1, "only by the rule that lets loopback be called"


@pytest.mark.storage
async def test_a_call_that_fails_is_made_again_later_with_the_same_id(
    ground: Ground, program: Program, clock: FakeClock
) -> None:
    await hooked(ground, program, "campaign.cancelled")
    campaign = await campaigning.draft(ground)
    await lifecycle.cancel(ground, actor=COMMAND, campaign_id=campaign.id)
    program.status = 302
    await webhooks.work(ground)
    await webhooks.work(ground)
    assert len(program.calls) == 1
    program.status = 500
    clock.advance(minutes=1)
    await webhooks.work(ground)
    program.status = 204
    clock.advance(minutes=5)
    await webhooks.work(ground)
    clock.advance(days=3)
    await webhooks.work(ground)
    assert len(program.calls) == 3
    assert len({each["id"] for each in program.told}) == 1
    assert program.told[0]["data"] == {
        "id": campaign.id,
        "name": campaign.name,
        "state": "cancelled",
    }


async def test_a_program_that_never_answers_is_given_up(
    ground: Ground, program: Program, clock: FakeClock
) -> None:
    await hooked(ground, program, "subscriber.confirmed")
    await stepped(ground, await people.subscribed(ground), ConsentStep.CONFIRMED)
    program.status = 500
    for wait in (timedelta(), *webhooks.WAITS, timedelta(days=2), timedelta(days=2)):
        clock.advance(seconds=int(wait.total_seconds()))
        await webhooks.work(ground)
    assert len(program.calls) == 1 + len(webhooks.WAITS)


async def test_what_happened_before_or_is_not_wanted_is_not_told(
    ground: Ground, program: Program, clock: FakeClock
) -> None:
    person = await people.subscribed(ground)
    await stepped(ground, person, ConsentStep.CONFIRMED)
    clock.advance(minutes=1)
    await hooked(ground, program, "subscriber.complained", "subscriber.confirmed")
    await stepped(ground, person, ConsentStep.UNSUBSCRIBED)
    async with ground.db.transaction() as session:
        await suppression.add(
            ground,
            session,
            subscriber_id=person.id,
            reason=SuppressionReason.COMPLAINT,
            via="bounce",
        )
    await webhooks.work(ground)
    assert [each["type"] for each in program.told] == ["subscriber.complained"]


async def test_somebody_erased_meanwhile_is_only_a_number(
    ground: Ground, program: Program, clock: FakeClock
) -> None:
    await hooked(ground, program, "subscriber.unsubscribed")
    person = await people.subscribed(ground)
    await stepped(ground, person, ConsentStep.UNSUBSCRIBED)
    program.status = 500
    await webhooks.work(ground)
    async with ground.db.transaction() as session:
        await session.delete(await session.get_one(Subscriber, person.id))
    clock.advance(minutes=1)
    await webhooks.work(ground)
    first, second = program.told
    assert first["data"]["email"] == "ana@example.org"
    assert second == {**first, "data": {"id": person.id}}


async def test_webhooks_are_kept_by_the_api(web: Web, program: Program) -> None:
    headers = await bearer(web.ground, "subscribers")
    body = {"url": program.url, "events": ["member.approved"]}
    made = await web.post("/api/v1/webhooks", json=body, headers=headers)
    assert (made.status, made.json()["events"]) == (201, ["member.approved"])
    assert made.json()["secret"]
    [listed] = (await web.get("/api/v1/webhooks", headers=headers)).json()["items"]
    assert "secret" not in listed
    one = f"/api/v1/webhooks/{listed['id']}"
    assert (await web.request("DELETE", one, headers=headers)).status == 204
    problem(await web.request("DELETE", one, headers=headers), 404)
    reader = await bearer(web.ground, "read")
    problem(await web.get("/api/v1/webhooks", headers=reader), 403)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "http://example.org/hook"}, "url"),
        ({"url": "ftp://example.org/hook"}, "url"),
        ({"url": "https://user:pw@example.org/"}, "url"),
        ({"url": "https://"}, "url"),
        ({"url": "https://[::1"}, "url"),
        ({"url": "https://example.org/", "events": ["subscriber.exploded"]}, "events"),
    ],
)
async def test_a_wrong_webhook_is_refused(web: Web, body: dict[str, Any], field: str) -> None:
    headers = await bearer(web.ground)
    said = problem(await web.post("/api/v1/webhooks", json=body, headers=headers), 422)
    assert [each["field"] for each in said["errors"]] == [field]


def test_every_event_is_described() -> None:
    text = (Path(__file__).parents[2] / "docs" / "programs.md").read_text()
    assert set(re.findall(r"`((?:subscriber|member|campaign)\.\w+)`", text)) == set(webhooks.LOGS)
