import json
from typing import Any

import pytest
import sqlalchemy as sa

from foundation.audit import COMMAND
from foundation.ground import Ground
from foundation.throttle import ThrottleCounter
from subscribers import forms, intake
from subscribers.models import Partner
from tests.subscribers import mailbox
from tests.subscribers.mailbox import ANA
from tests.world.clock import FakeClock
from tests.world.web import Answer, Web

PATH = "/api/public/signups"
RIVER = "https://river.example"
OF_SERVER = ("Date", "Server")

pytestmark = pytest.mark.usefixtures("partner")


@pytest.fixture
async def partner(ground: Ground) -> None:
    """A partner's form, with the origin of the partner's own page."""
    await mailbox.topics(ground)
    details = forms.Details(slug="river", name="River", origins=["https://other.example"])
    await forms.create(ground, actor=COMMAND, details=details)
    async with ground.db.transaction() as session:
        session.add(
            Partner(key="river", name="River", origins=[RIVER], created_at=ground.clock.now())
        )


async def send(web: Web, body: Any, **headers: str) -> Answer:
    return await web.post(
        PATH, json.dumps(body).encode(), headers={"Content-Type": "application/json", **headers}
    )


@pytest.mark.storage
async def test_a_sign_up_by_script_does_what_the_form_does(web: Web, ground: Ground) -> None:
    answer = await send(
        web,
        {
            "email": ANA,
            "first_name": "Ana",
            "postal_code": 2108,
            "language": "es",
            "topics": ["secure-communities", "action-alerts"],
            "tags": ["fair"],
            "source": "widget",
            "partner": "river",
            "form": "river",
            "last_name": None,
        },
        Origin=RIVER,
    )
    assert (answer.status, answer.json()["status"]) == (202, "check-mail")
    assert answer.json()["message"].startswith("Revise su correo")
    assert answer.headers["Access-Control-Allow-Origin"] == RIVER
    assert "Access-Control-Allow-Credentials" not in answer.headers
    (row,) = await mailbox.sign_ups(ground)
    assert (row.source, row.language, row.postal_code) == ("widget", "es", "2108")
    assert (row.form_id is not None, row.partner_id is not None) == (True, True)
    (step,) = await mailbox.steps(ground)
    assert step.via == "api"
    assert len(await mailbox.notices(ground)) == 1


async def test_the_answer_is_the_same_for_everybody(web: Web, ground: Ground) -> None:
    await mailbox.sign_up(web, ground)
    answers = [
        await send(web, {"email": ANA}),
        await send(web, {"email": "new@example.org"}),
        await send(web, {"email": "bot@example.org", intake.HONEYPOT: "x"}),
    ]
    assert {(each.status, each.body) for each in answers} == {(202, answers[0].body)}


async def test_a_sign_up_by_script_is_taken_at_the_door_as_it_is_inside(
    web: Web, ground: Ground
) -> None:
    body = {"language": "es", "partner": "river", "form": "river", "tags": ["fair"]}
    inside, at_door = [
        await send(web, {**body, "email": f"{way}@example.org"}, Origin=RIVER, **headers)
        for way, headers in (("inside", {"Cookie": "of=another"}), ("door", {}))
    ]
    assert ["Server" in each.headers for each in (inside, at_door)] == [True, False]
    told = [
        (each.status, each.body, {n: v for n, v in each.headers.items() if n not in OF_SERVER})
        for each in (inside, at_door)
    ]
    assert told[0] == told[1]
    assert at_door.headers["Access-Control-Allow-Origin"] == RIVER
    kept = await mailbox.sign_ups(ground)
    assert len(kept) == 2
    assert len({(row.form_id, row.partner_id, row.language, row.state) for row in kept}) == 1


async def test_what_is_wrong_at_the_door_is_told_inside_and_counted_once(
    web: Web, ground: Ground
) -> None:
    assert (await send(web, {"email": "first@example.org"}, Origin=RIVER)).status == 403
    for body, status in (
        ({"email": "nobody", "form": "river"}, 422),
        ({"email": "p@example.org", "form": "gone"}, 404),
        ({"email": "p@example.org", "topics": ["unheard-of"]}, 422),
        ({"email": {"a": "b"}}, 422),
        (["p@example.org"], 422),
    ):
        answer = await send(web, body)
        assert answer.status == status, body
        assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert await mailbox.sign_ups(ground) == []
    assert await counted(ground) == 0


async def counted(ground: Ground) -> int:
    """How often anything was counted towards a limit."""
    async with ground.db.reading() as session:
        counters = sa.select(sa.func.count()).select_from(ThrottleCounter)
        return int((await session.execute(counters)).scalar_one())


async def test_only_sites_that_the_form_or_partner_names_may_send(web: Web, ground: Ground) -> None:
    body = {"email": ANA, "form": "river", "partner": "river"}
    evil = await send(web, body, Origin="https://evil.example")
    assert evil.status == 403
    assert "Access-Control-Allow-Origin" not in evil.headers
    assert (await send(web, body, Origin="null")).status == 403
    assert (await send(web, {"email": ANA}, Origin=RIVER)).status == 403
    assert await mailbox.sign_ups(ground) == []
    assert (await send(web, body, Origin="https://other.example")).status == 202
    assert (await send(web, body, Origin="http://handbill.test")).status == 202


async def test_a_browser_asks_before_it_sends(web: Web) -> None:
    asked = {"Access-Control-Request-Method": "POST"}
    allowed = await web.request("OPTIONS", PATH, headers={"Origin": RIVER, **asked})
    assert (allowed.status, allowed.headers["Access-Control-Allow-Origin"]) == (204, RIVER)
    assert allowed.headers["Access-Control-Allow-Methods"] == "POST"
    assert allowed.headers["Access-Control-Allow-Headers"] == "Content-Type"
    assert allowed.headers["Vary"] == "Origin"
    refused = await web.request("OPTIONS", PATH, headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in refused.headers
    assert "Access-Control-Allow-Methods" not in refused.headers


async def test_a_site_that_is_written_down_or_struck_out_is_known_within_seconds(
    web: Web, ground: Ground, clock: FakeClock
) -> None:
    async def may(origin: str) -> bool:
        answer = await web.request("OPTIONS", PATH, headers={"Origin": origin})
        return "Access-Control-Allow-Origin" in answer.headers

    new = "https://new.example"
    assert [await may(RIVER), await may(new)] == [True, False]
    async with ground.db.transaction() as session:
        await session.execute(sa.update(Partner).values(origins=[new]))
    assert [await may(RIVER), await may(new)] == [True, False], "not asked of the tables each time"
    clock.advance(seconds=5)
    assert [await may(RIVER), await may(new)] == [False, True]


async def test_what_is_wrong_can_be_read_by_the_partners_script(web: Web) -> None:
    answer = await send(
        web, {"email": "no", "partner": "river", "lang": "es", "first_name": "A\r\nB"}, Origin=RIVER
    )
    assert answer.status == 422
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert answer.headers["Access-Control-Allow-Origin"] == RIVER
    assert {each["field"] for each in answer.json()["errors"]} == {"email", "first_name"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"x"',
        b"\xff\xfe",
        b'{"email": {"a": 1}}',
        b'{"email": "ana@example.org", "first_name": "\\ud800"}',
        b'{"email": "ana@example.org", "topics": [["a"]]}',
        b'{"email": "ana@example.org", "topics": ["no-such-topic"]}',
        b'{"email": "ana@example.org", "first_name": 1.5}',
        b"[" * 100_000,
    ],
)
async def test_bodies_that_hold_no_sign_up_are_refused(
    web: Web, ground: Ground, body: bytes
) -> None:
    answer = await web.post(PATH, body, headers={"Content-Type": "application/json"})
    assert answer.status == 422
    assert answer.json()["detail"]
    assert await mailbox.sign_ups(ground) == []


async def test_another_content_type_is_refused(web: Web) -> None:
    body = json.dumps({"email": ANA}).encode()
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        answer = await web.post(PATH, body, headers={"Content-Type": kind})
        assert answer.status == 422


async def test_a_form_that_is_gone_is_told(web: Web) -> None:
    assert (await send(web, {"email": ANA, "form": "gone"})).status == 404
