"""Issues, developments, bulletins and campaigns by the API, up to mail that arrives."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from campaigns import issues
from campaigns.issues import IssueDraft
from foundation.audit import COMMAND
from foundation.ground import Ground
from tests.handbill.test_api import bearer, problem
from tests.world import campaigning, people
from tests.world.smtp import Catcher
from tests.world.web import Answer, Web

DOCUMENT = {
    "name": "October",
    "editions": {"en": {"subject": "What happened", "preheader": "Read on"}},
    "blocks": [{"kind": "rich_text", "texts": {"en": {"html": "<p>Good news.</p>"}}}],
    "audience": {"topics": ["secure-communities"]},
    "campaign": {"name": "The October campaign"},
}
REPORT = {
    "state", "audience", "excluded", "queued", "sent", "deferred", "failed", "uncertain",
    "cancelled", "bounced", "complaints", "unsubscribed", "opens", "clicks", "links",
    "started_at", "finished_at",
}  # fmt: skip


class Program:
    """A program with a token."""

    def __init__(self, web: Web, headers: dict[str, str]) -> None:
        self._web = web
        self._headers = headers

    async def send(self, method: str, path: str, body: Any = None) -> Answer:
        """A request under `/api/v1`; `body` as JSON where there is one."""
        more = {} if body is None else {"json": body}
        return await self._web.request(method, f"/api/v1{path}", headers=self._headers, **more)

    async def get(self, path: str) -> Any:
        """What is at a path."""
        answer = await self.send("GET", path)
        assert answer.status == 200, answer.text
        return answer.json()

    async def post(self, path: str, body: Any = None, status: int = 200) -> Any:
        """What a POST says."""
        answer = await self.send("POST", path, body)
        assert answer.status == status, answer.text
        return answer.json()


@pytest.fixture
async def program(web: Web) -> Program:
    """A program that may do everything."""
    return Program(web, await bearer(web.ground))


async def with_issue(ground: Ground) -> None:
    """An issue to write about."""
    draft = IssueDraft(texts={"en": {"title": "Clean water", "summary": ""}}, is_published=True)
    await issues.create(ground, actor=COMMAND, slug="clean-water", draft=draft)


@pytest.mark.storage
async def test_a_campaign_goes_from_a_document_to_the_mailbox(
    program: Program, ground: Ground, smtp: Catcher, deliver: Callable[[], Awaitable[None]]
) -> None:
    await people.subscribed(ground, "ana@example.org")
    made = await program.post("/campaigns", {"document": DOCUMENT}, status=201)
    assert (made["state"], made["name"]) == ("draft", "The October campaign")
    one = f"/campaigns/{made['id']}"
    problem(await program.send("POST", f"{one}/start"), 409)
    assert (await program.post(f"{one}/request-review"))["state"] == "in-review"
    assert (await program.post(f"{one}/approve"))["approved_by"] == "test"
    assert (await program.get(f"{one}/check"))["is_clear"]
    assert (await program.post(f"{one}/start"))["state"] == "sending"
    assert (await program.post(f"{one}/pause", {"reason": "a typo"}))["waiting_reason"] == "a typo"
    await deliver()
    assert smtp.messages == []
    assert (await program.post(f"{one}/resume"))["state"] == "sending"
    await deliver()
    assert [each.rcpt_to for each in smtp.messages] == ["ana@example.org"]
    report = await program.get(f"{one}/report")
    assert set(report) >= REPORT
    assert (report["audience"], report["sent"]) == (1, 1)


async def test_a_campaign_is_scheduled_and_taken_off_again(
    program: Program, ground: Ground
) -> None:
    await people.subscribed(ground)
    campaign = await campaigning.approved(ground)
    one = f"/campaigns/{campaign.id}"
    timing = {"at": "2026-12-01T09:00", "zone": "America/New_York"}
    scheduled = await program.post(f"{one}/schedule", timing)
    assert (scheduled["state"], scheduled["scheduled_at"]) == ("scheduled", "2026-12-01T14:00:00Z")
    said = problem(await program.send("POST", f"{one}/schedule", {**timing, "zone": "Mars"}), 422)
    assert [each["field"] for each in said["errors"]] == ["zone"]
    assert (await program.post(f"{one}/unschedule"))["scheduled_at"] is None
    assert (await program.post(f"{one}/cancel"))["verbs"] == []
    listed = await program.get("/campaigns?state=cancelled")
    assert [each["id"] for each in listed["items"]] == [campaign.id]
    problem(await program.send("GET", "/campaigns?state=lost"), 422)


async def test_a_bulletin_can_be_sent_by_its_number(program: Program, ground: Ground) -> None:
    await people.topic(ground)
    bulletin = await program.post("/bulletins", DOCUMENT, status=201)
    body = {"bulletin_id": bulletin["id"], "audience": {"topics": ["secure-communities"]}}
    made = await program.post("/campaigns", body, status=201)
    assert (made["bulletin_id"], made["name"]) == (bulletin["id"], "October")


async def test_a_document_alone_is_a_campaign_too(program: Program, ground: Ground) -> None:
    await people.topic(ground)
    made = await program.post("/campaigns", DOCUMENT, status=201)
    assert (made["name"], made["audience"]["topics"]) == (
        "The October campaign",
        ["secure-communities"],
    )
    other = {"document": DOCUMENT, "name": "Mine", "audience": {"topics": []}}
    made = await program.post("/campaigns", other, status=201)
    assert (made["name"], made["audience"]["topics"]) == ("Mine", [])


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"bulletin_id": 1, "document": DOCUMENT},
        {"bulletin_id": 10**30},
        {"document": {}},
        {"document": {**DOCUMENT, "blocks": [{"kind": "poem"}]}},
        {"document": {**DOCUMENT, "audience": {"topics": ["nowhere"]}}},
        {"document": DOCUMENT, "audience": {"everybody": True}},
        {"document": DOCUMENT, "from_address": "a@example.org\r\nBcc: b@example.org"},
    ],
)
async def test_a_wrong_campaign_is_refused_and_leaves_nothing(
    program: Program, ground: Ground, body: dict[str, Any]
) -> None:
    await people.topic(ground)
    problem(await program.send("POST", "/campaigns", body), 422)
    assert (await program.get("/campaigns"))["items"] == []
    assert (await program.get("/bulletins"))["items"] == []


async def test_what_is_not_there_can_not_be_sent(program: Program) -> None:
    problem(await program.send("POST", "/campaigns", {"bulletin_id": 99}), 404)
    for path in ("", "/report", "/check"):
        problem(await program.send("GET", f"/campaigns/99{path}"), 404)
    for verb in ("request-review", "approve", "start", "pause", "resume", "unschedule", "cancel"):
        problem(await program.send("POST", f"/campaigns/99/{verb}"), 404)


async def test_who_may_only_read_sends_nothing(web: Web) -> None:
    campaign = await campaigning.approved(web.ground)
    reader = Program(web, await bearer(web.ground, "read", "content", "subscribers"))
    problem(await reader.send("POST", f"/campaigns/{campaign.id}/start"), 403)
    assert (await reader.get(f"/campaigns/{campaign.id}"))["state"] == "approved"


async def test_a_bulletin_is_saved_over_the_version_that_was_seen(program: Program) -> None:
    made = await program.post("/bulletins", DOCUMENT, status=201)
    one = f"/bulletins/{made['id']}"
    change = {"version": made["version"], "document": {**DOCUMENT, "name": "November"}}
    saved = (await program.send("PUT", one, change)).json()
    assert (saved["name"], saved["version"]) == ("November", 2)
    problem(await program.send("PUT", one, change), 409)
    shown = await program.get(one)
    assert shown["document"]["editions"] == DOCUMENT["editions"]
    again = {"version": 2, "document": shown["document"]}
    assert (await program.send("PUT", one, again)).json()["document"] == shown["document"]
    [listed] = (await program.get("/bulletins"))["items"]
    assert (listed["id"], listed["languages"]) == (made["id"], ["en"])


async def test_a_bulletins_check_says_what_stops_it(program: Program) -> None:
    made = await program.post("/bulletins", {"name": "Empty"}, status=201)
    checked = await program.get(f"/bulletins/{made['id']}/check?lang=es")
    assert not checked["is_clear"]
    assert checked["items"][0]["is_blocking"]
    assert "boletín" in checked["items"][0]["said"]


async def test_developments_are_added_changed_and_listed_in_pages(
    program: Program, ground: Ground
) -> None:
    await with_issue(ground)
    assert [each["slug"] for each in (await program.get("/issues"))["items"]] == ["clean-water"]
    made: dict[str, Any] = {}
    for day in (3, 1, 2, 2):
        body = {
            "issue": "clean-water",
            "happened_on": f"2026-10-0{day}",
            "texts": {"en": {"headline": f"Day {day}", "summary": "<p>x<script>y</script></p>"}},
        }
        made = await program.post("/developments", body, status=201)
    assert (made["is_published"], "script" in made["texts"]["en"]["summary"]) == (False, False)
    change = {"version": made["version"], "is_published": True}
    changed = (await program.send("PATCH", f"/developments/{made['id']}", change)).json()
    assert (changed["is_published"], changed["texts"]) == (True, made["texts"])
    problem(await program.send("PATCH", f"/developments/{made['id']}", change), 409)
    found: list[str] = []
    path = "/developments?issue=clean-water&limit=2"
    page = await program.get(path)
    while True:
        found += [each["happened_on"] for each in page["items"]]
        if not page["next"]:
            break
        page = await program.get(f"{path}&after={page['next']}")
    assert found == ["2026-10-03", "2026-10-02", "2026-10-02", "2026-10-01"]
    shown = await program.get("/developments?issue=clean-water&published=true")
    assert [each["id"] for each in shown["items"]] == [made["id"]]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 404),
        ("?issue=nowhere", 404),
        ("?issue=clean-water&kind=rumour", 422),
        ("?issue=clean-water&published=maybe", 422),
    ],
)
async def test_a_wrong_list_of_developments_is_said(
    program: Program, ground: Ground, query: str, status: int
) -> None:
    await with_issue(ground)
    problem(await program.send("GET", f"/developments{query}"), status)
