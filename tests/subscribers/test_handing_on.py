"""What a partner gets of the people who let it have their address, as a file and by calls."""

import csv
import dataclasses
import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web as aiohttp_web

from foundation import calling
from foundation.accounts.models import Role
from foundation.audit import COMMAND
from foundation.ground import Ground
from foundation.outward import Outward
from subscribers import erasing, forms, handing_on, partners, telling
from subscribers.models import Partner
from tests.subscribers import mailbox
from tests.subscribers.mailbox import ANA
from tests.world import abroad
from tests.world.clock import FakeClock
from tests.world.web import Answer, Web


@pytest.fixture
async def river(ground: Ground) -> Partner:
    """A partner whose list is offered on the form `river`."""
    await mailbox.topics(ground)
    made = await partners.create(
        ground, actor=COMMAND, details=partners.Details(name="River Valley", key="river-valley")
    )
    details = forms.Details(slug="river", name="River", shares=[made.id])
    await forms.create(ground, actor=COMMAND, details=details)
    return made


async def shares(web: Web, ground: Ground, email: str) -> None:
    await mailbox.sign_up(
        web, ground, email=email, path="/subscribe/river", share="river-valley", first_name="=1+1"
    )


async def leaves(web: Web, ground: Ground, partner: Partner, email: str) -> None:
    person = await mailbox.person(ground, email)
    assert person
    fields = {"action": "take-back", "partner": str(partner.id)}
    await web.post(mailbox.preferences_path(ground, person), fields)


async def erased(ground: Ground, email: str) -> None:
    person = await mailbox.person(ground, email)
    assert person
    await erasing.erase(ground, subscriber_id=person.id, via="staff", actor=COMMAND)


def rows(answer: Answer) -> list[tuple[str, str]]:
    assert answer.status == 200
    text = answer.body.decode("utf-8-sig")
    return [(row["change"], row["email"]) for row in csv.DictReader(io.StringIO(text))]


@pytest.mark.storage
async def test_a_file_holds_what_is_new_and_a_cursor_what_came_after_an_earlier_one(
    web: Web, ground: Ground, river: Partner
) -> None:
    editor, viewer = await web.as_staff(), await web.as_staff(Role.VIEWER)
    path = f"/staff/partners/{river.id}/people.csv"
    await shares(web, ground, ANA)
    await mailbox.send(web, "/subscribe/river", email="later@example.org", share="river-valley")
    first = await editor.post(path, {})
    assert rows(first) == [("given", ANA)]
    assert "'=1+1" in first.text
    assert rows(await editor.post(path, {})) == []
    await shares(web, ground, "ben@example.org")
    await leaves(web, ground, river, ANA)
    second = await editor.post(path, {})
    assert rows(second) == [("given", "ben@example.org"), ("withdrawn", ANA)]
    await erased(ground, "ben@example.org")
    third = await editor.post(path, {})
    assert rows(third) == [("withdrawn", "")]
    after_first = await editor.post(path, {"after": first.headers["Handbill-Cursor"]})
    # Ben's address is not given out again, and Ana's only as of somebody who left.
    assert rows(after_first) == [("withdrawn", ANA), ("withdrawn", "")]
    assert rows(await editor.post(path, {"after": ""})) == rows(after_first)
    assert (await editor.post(path, {"after": "forged"})).status == 422
    assert (await viewer.post(path, {})).status == 403


@dataclass(kw_only=True)
class Program:
    """A partner's own program."""

    port: int = 0
    status: int = 200
    heard: list[tuple[str, bytes]] = field(default_factory=list)


@pytest.fixture
async def program() -> AsyncIterator[Program]:
    """It listens on loopback, and keeps what it hears."""
    made = Program()

    async def take(request: aiohttp_web.Request) -> aiohttp_web.Response:
        made.heard.append((request.headers[calling.SIGNATURE], await request.read()))
        return aiohttp_web.Response(status=made.status, headers={"Location": "/elsewhere"})

    app = aiohttp_web.Application()
    app.router.add_post("/heard", take)
    runner = aiohttp_web.AppRunner(app)
    await runner.setup()
    site = aiohttp_web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.port = runner.addresses[0][1]
    yield made
    await runner.cleanup()


@pytest.mark.storage
async def test_a_program_is_told_by_signed_calls_and_again_until_it_takes_them(
    web: Web, ground: Ground, clock: FakeClock, river: Partner, program: Program
) -> None:
    outside = dataclasses.replace(ground, outward=Outward(allows=abroad.allows_loopback))
    await handing_on.set_webhook(
        ground,
        actor=COMMAND,
        partner_id=river.id,
        url=f"http://127.0.0.1:{program.port}/heard",
    )
    secret = (await handing_on.standing(ground, partner_id=river.id)).webhook_secret
    await shares(web, ground, ANA)
    program.status = 302
    await telling.tell(outside)
    await telling.tell(outside)
    assert len(program.heard) == 1
    assert (await handing_on.standing(ground, partner_id=river.id)).said
    await leaves(web, ground, river, ANA)
    await erased(ground, ANA)
    program.status = 204
    clock.advance(minutes=2)
    await telling.tell(outside)
    await telling.tell(outside)
    assert (await handing_on.standing(ground, partner_id=river.id)).said == ""
    signature, body = program.heard[-1]
    assert signature == calling.sign(secret, body)
    told = json.loads(body)
    assert told["type"] == "sharing.changed"
    assert told["data"]["given"] == []
    assert [each["email"] for each in told["data"]["withdrawn"]] == [""]
    first = json.loads(program.heard[0][1])["data"]["given"][0]
    assert first["email"] == ANA
    assert told["data"]["withdrawn"][0]["reference"] == first["reference"]
    assert len(program.heard) == 2


async def test_no_partner_has_us_call_into_a_private_network(
    web: Web, ground: Ground, river: Partner, program: Program
) -> None:
    await handing_on.set_webhook(
        ground,
        actor=COMMAND,
        partner_id=river.id,
        url=f"http://localhost:{program.port}/heard",
    )
    await shares(web, ground, ANA)
    await telling.tell(ground)
    assert program.heard == []
    assert "private" in (await handing_on.standing(ground, partner_id=river.id)).said
    editor = await web.as_staff()
    wrong = {"url": "http://river.example/hook"}
    path = f"/staff/partners/{river.id}/people/webhook"
    assert (await editor.post(path, wrong)).status == 422
    assert (await editor.post(path, {"url": ""})).status == 303
    assert (await handing_on.standing(ground, partner_id=river.id)).webhook_url == ""
