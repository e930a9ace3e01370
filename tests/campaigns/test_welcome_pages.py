"""The welcome as staff and programs meet it."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest
from playwright.async_api import Browser

from campaigns import welcome, welcome_sending
from campaigns.welcome_models import StepKind
from foundation.accounts.models import Role
from foundation.audit import COMMAND
from foundation.ground import Ground
from tests.campaigns import newsroom
from tests.handbill.test_api import bearer
from tests.world import browsers, people
from tests.world.clock import FakeClock
from tests.world.smtp import Catcher
from tests.world.web import Web

HERE = "/staff/welcome/secure-communities"


async def test_staff_make_a_welcome_look_at_it_switch_it_on_and_see_what_came_of_it(
    web: Web, clock: FakeClock, smtp: Catcher, deliver: Callable[[], Awaitable[None]]
) -> None:
    ground = web.ground
    clock.set(datetime(2026, 11, 3, 15, tzinfo=UTC))
    issue = await newsroom.issue(ground)
    await newsroom.parts(ground, issue)
    handout = await newsroom.handout(ground, issue)
    staff = await web.as_staff(Role.EDITOR)
    assert "Off" in (await staff.get("/staff/welcome")).text
    assert "No step yet" in (await staff.get(HERE)).text
    assert (await staff.post(f"{HERE}/switch", {"version": "0", "languages": "en"})).status == 422
    wrong = {"version": "0", "object": "explainer:x", "days": "", "hour": "9"}
    refused = await staff.post(f"{HERE}/steps/new", wrong)
    assert refused.status == 422
    assert "Choose what it brings." in refused.text
    first = {"version": "0", "object": f"explainer:{issue.id}", "days": "1", "hour": "9"}
    assert (await staff.post(f"{HERE}/steps/new", first)).location == HERE
    assert (await staff.post(f"{HERE}/steps/new", first)).status == 409
    second = {
        "version": "1", "object": f"material:{handout.id}", "days": "3", "hour": "18",
        "subject-en": "Print this", "lead-en": "For your door.",
    }  # fmt: skip
    assert (await staff.post(f"{HERE}/steps/new", second)).status == 303
    page = (await staff.get(HERE)).text
    assert "3 days after confirming, at 6:00 PM" in page
    assert "The handout has no file in Spanish" in page
    assert "3 días después de confirmar, a las 18:00" in (await staff.get(f"{HERE}?lang=es")).text
    mail = await staff.get(f"{HERE}/steps/2/mail?language=en")
    assert "For your door." in mail.text
    assert "Print this" in (await staff.get(f"{HERE}/steps/2?language=en")).text
    assert "Comunidades Seguras" in (await staff.get(f"{HERE}/steps/1?language=es")).text
    assert 'value="18" selected' in (await staff.get(f"{HERE}/steps/2/edit")).text
    assert (await staff.post(f"{HERE}/steps/1/test")).status == 303
    assert [str(each.parsed["Subject"])[:6] for each in smtp.messages] == ["[Test]"] * 2
    smtp.clear()
    assert (await staff.post(f"{HERE}/switch", {"version": "2", "languages": "en"})).status == 303
    assert "On: English" in (await staff.get("/staff/welcome")).text
    ana = await people.subscribed(ground, "ana@example.org")
    eva = await people.subscribed(ground, "eva@example.org")
    await people.subscribed(ground, "off@example.org", language="es")
    smtp.answer("RCPT", "eva@example.org", "550 5.7.1 not from you")
    clock.set(datetime(2026, 11, 4, 14, tzinfo=UTC))
    await welcome_sending.work(ground)
    await deliver()
    step = (await staff.get(f"{HERE}/steps/1")).text
    assert "eva@example.org" in step
    assert "Send it again: put off" in step
    assert (await staff.get("/staff/welcome-mailings/1")).location == f"{HERE}/steps/1"
    person = (await staff.get(f"/staff/people/{ana.id}")).text
    assert "Welcome: Secure Communities" in person
    assert "1 mail so far; the next not before Nov 6, 2026" in " ".join(person.split())
    smtp.accept_again()
    assert (await staff.post(f"{HERE}/steps/1/again", {"state": "deferred"})).status == 303
    await deliver()
    assert [each.rcpt_to for each in smtp.messages] == [ana.email, eva.email]
    assert (await staff.post(f"{HERE}/steps/1/remove", {"version": "3"})).status == 303
    assert "Removed on Nov 4, 2026" in (await staff.get(HERE)).text
    viewer = await web.as_staff(Role.VIEWER)
    assert (await viewer.post(f"{HERE}/steps/2/remove", {"version": "4"})).status == 403


async def test_programs_make_a_welcome_and_read_what_came_of_it(web: Web, clock: FakeClock) -> None:
    ground = web.ground
    clock.set(datetime(2026, 11, 3, 15, tzinfo=UTC))
    issue = await newsroom.issue(ground)
    await newsroom.parts(ground, issue)
    key = await bearer(ground)
    one = "/api/v1/welcome/secure-communities"

    async def call(method: str, path: str, body: object = None) -> tuple[int, dict[str, object]]:
        answer = await web.request(method, f"{one}{path}", json=body, headers=key)
        return answer.status, answer.json()

    step = {"version": 0, "kind": "explainer", "object_id": issue.id, "days": 1}
    status, made = await call("POST", "/steps", step)
    assert (status, made["version"], made["on_since"]) == (201, 1, {})
    assert (await call("POST", "/steps", {**step, "object_id": 77, "version": 1}))[0] == 422
    assert (await call("PUT", "/languages", {"version": 1, "languages": ["xx"]}))[0] == 422
    assert (await call("PUT", "/languages", {"version": 1, "languages": ["en", "es"]}))[0] == 200
    assert (await call("PUT", "/steps/1", {**step, "version": 1}))[0] == 409
    await people.subscribed(ground, "ana@example.org")
    clock.set(datetime(2026, 11, 4, 14, tzinfo=UTC))
    await welcome_sending.work(ground)
    _, report = await call("GET", "/report")
    told = {name: report[name] for name in ("begun", "going", "done", "stopped")}
    assert told == {"begun": 1, "going": 0, "done": 1, "stopped": {}}
    steps = report["steps"]
    assert isinstance(steps, dict)
    assert (steps["1"]["handed"], steps["1"]["queued"]) == (1, 1)
    listed = (await web.request("GET", "/api/v1/welcome", headers=key)).json()["items"]
    assert listed == [{"topic": "secure-communities", "on": ["en", "es"], "steps": 1, "going": 0}]
    assert (await call("POST", "/steps/1/remove", {"version": 2}))[0] == 200
    kept = await welcome.show(ground, topic="secure-communities")
    assert [each.kind for each in kept.removed] == [StepKind.EXPLAINER]
    await welcome.switch(ground, actor=COMMAND, topic="secure-communities", version=3, languages=[])


@pytest.mark.browser
async def test_axe_finds_nothing_on_its_pages_and_a_phone_shows_them_whole(
    ground: Ground, web: Web, browser: Browser
) -> None:
    issue = await newsroom.issue(ground)
    await newsroom.parts(ground, issue)
    handout = await newsroom.handout(ground, issue)
    draft = welcome.StepDraft(kind=StepKind.MATERIAL, object_id=handout.id, days=1)
    await welcome.add_step(
        ground, actor=COMMAND, topic="secure-communities", version=0, draft=draft
    )
    _, secret = await people.staff(ground)
    context = await browser.new_context(
        base_url=web.base, viewport={"width": 375, "height": 800}, color_scheme="dark"
    )
    await context.add_cookies([{"name": "handbill_session", "value": secret, "url": web.base}])
    page = await context.new_page()
    material = f"/staff/issues/{issue.id}/materials/{handout.id}"
    for path in ("/staff/welcome", HERE, f"{HERE}/steps/1", f"{HERE}/steps/1/edit", material):
        await page.goto(path)
        assert await browsers.violations(page) == [], path
        overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert await page.evaluate(overflow) <= 0, path
    await context.close()
