"""Who did not simply get a campaign: listed and tried again by the API and the command line."""

import csv
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from campaigns.models import Campaign
from foundation.clock import SystemClock
from foundation.ground import Ground
from tests.handbill.test_api import bearer, problem
from tests.handbill.test_api_campaigns import DOCUMENT, Program
from tests.handbill.test_cli_campaigns import Run, run
from tests.world import campaigning, mailing, people
from tests.world.clock import FakeClock
from tests.world.smtp import Catcher
from tests.world.web import Web

Deliver = Callable[[], Awaitable[None]]
__all__ = ["run"]


@pytest.fixture
async def program(web: Web) -> Program:
    """A program that may do everything."""
    return Program(web, await bearer(web.ground))


@pytest.fixture
async def campaign(ground: Ground, smtp: Catcher, deliver: Deliver) -> Campaign:
    """Three failed, and one is put off."""
    for name in ("a", "b", "c", "d"):
        await people.subscribed(ground, f"{name}@example.org")
        reply = "450 4.2.1 Later" if name == "d" else "550 5.3.5 Setup"
        smtp.answer("RCPT", f"{name}@example.org", reply)
    made, _ = await campaigning.started(ground)
    await deliver()
    smtp.answers.clear()
    return made


async def test_a_program_lists_them_in_pages_and_by_reason(
    program: Program, campaign: Campaign
) -> None:
    one = f"/campaigns/{campaign.id}"
    first = await program.get(f"{one}/recipients?limit=2")
    second = await program.get(f"{one}/recipients?limit=2&after={first['next']}")
    found = [each["email"] for each in (*first["items"], *second["items"])]
    assert found == ["a@example.org", "b@example.org", "c@example.org"]
    assert second["next"] is None
    (deferred,) = (await program.get(f"{one}/recipients?state=deferred"))["items"]
    assert (deferred["reason"], deferred["reply_code"]) == ("put-off", 450)
    none = await program.get(f"{one}/recipients?state=failed&reason=refused&reply_code=554")
    assert none["items"] == []
    groups = (await program.get(f"{one}/reasons"))["items"]
    assert [(each["state"], each["count"]) for each in groups] == [("failed", 3), ("deferred", 1)]
    for query in ("state=lost", "state=sent", "reply_code=many"):
        problem(await program.send("GET", f"{one}/recipients?{query}"), 422)


async def test_a_program_tries_them_again_and_gives_others_up(
    program: Program, ground: Ground, campaign: Campaign, smtp: Catcher, deliver: Deliver
) -> None:
    one = f"/campaigns/{campaign.id}"
    listed = (await program.get(f"{one}/recipients"))["items"]
    chosen = {"state": "failed", "deliveries": [listed[0]["delivery"]]}
    assert await program.post(f"{one}/retry", chosen) == {"queued": 1, "withheld": 0}
    assert await program.post(f"{one}/give-up", {}) == {"given_up": 1}
    problem(await program.send("POST", f"{one}/give-up", {}), 409)
    for body in ({}, {"state": "cancelled"}, {"state": "failed", "deliveries": [0]}):
        problem(await program.send("POST", f"{one}/retry", body), 422)
    await deliver()
    assert [each.rcpt_to for each in smtp.messages] == ["a@example.org"]
    assert (await mailing.counts(ground)).failed == 3


async def test_who_may_only_read_tries_nobody_again(web: Web, campaign: Campaign) -> None:
    reader = Program(web, await bearer(web.ground, "read"))
    one = f"/campaigns/{campaign.id}"
    assert len((await reader.get(f"{one}/recipients"))["items"]) == 3
    for step, body in (
        ("retry", {"state": "failed"}),
        ("give-up", {}),
        ("decide-uncertain", {"when_uncertain": "resend"}),
    ):
        problem(await reader.send("POST", f"{one}/{step}", body), 403)


async def test_a_document_or_a_program_says_what_becomes_of_the_uncertain(
    program: Program, ground: Ground
) -> None:
    await people.topic(ground)
    document = {**DOCUMENT, "campaign": {"when_uncertain": "resend"}}
    made = await program.post("/campaigns", {"document": document}, status=201)
    assert made["when_uncertain"] == "resend"
    made = await program.post(
        "/campaigns", {"document": document, "when_uncertain": "hold"}, status=201
    )
    assert made["when_uncertain"] == "hold"
    one = f"/campaigns/{made['id']}"
    await program.post(f"{one}/decide-uncertain", {"when_uncertain": "resend"})
    assert (await program.get(one))["when_uncertain"] == "resend"
    wrong = {"document": {**DOCUMENT, "campaign": {"when_uncertain": "perhaps"}}}
    problem(await program.send("POST", "/campaigns", wrong), 422)


async def test_the_command_line_lists_exports_and_tries_again(
    ground: Ground,
    campaign: Campaign,
    smtp: Catcher,
    deliver: Deliver,
    run: Run,
    clock: FakeClock,
    tmp_path: Path,
) -> None:
    number = str(campaign.id)
    listed = await run("campaigns", "recipients", number, "--state", "failed", "--json")
    found = json.loads(listed.stdout)
    assert [each["email"] for each in found] == ["a@example.org", "b@example.org", "c@example.org"]
    written = await run("campaigns", "recipients", number, "--state", "deferred", "--out", "x.csv")
    assert (written.returncode, written.stdout.strip()) == (0, "x.csv: 1"), written.stderr
    with (tmp_path / "x.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [row["email"] for row in csv.DictReader(file)] == ["d@example.org"]
    chosen = ("--state", "failed", "--delivery", str(found[1]["delivery"]))
    again = await run("campaigns", "retry", number, *chosen)
    assert (again.returncode, again.stdout.strip()) == (0, "queued again: 1"), again.stderr
    assert (await run("campaigns", "give-up", number)).stdout.strip() == "given up: 1"
    assert (await run("campaigns", "give-up", number)).returncode == 1
    assert (await run("campaigns", "decide-uncertain", number, "resend")).returncode == 0
    clock.set(SystemClock().now())
    await deliver()
    assert [each.rcpt_to for each in smtp.messages] == ["b@example.org"]
    counts = await mailing.counts(ground)
    assert (counts.sent, counts.failed, counts.deferred) == (1, 3, 0)
