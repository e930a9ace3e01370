"""Series as staff, programs and the command line meet them."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from campaigns import series, series_plans, series_runs, series_staff_forms
from foundation import errors
from foundation.accounts.models import Role
from foundation.audit import COMMAND
from foundation.ground import Ground
from tests.campaigns import editions, newsroom
from tests.handbill.test_api import bearer
from tests.world import people
from tests.world.clock import FakeClock
from tests.world.web import Web


def typed(**changes: Any) -> dict[str, Any]:
    """The form as somebody fills it in."""
    values = series_staff_forms.values_of(editions.plan())
    return {**values, "topics": "secure-communities", "section-0-kinds": [], **changes}


async def test_staff_make_a_series_in_plain_words_and_see_why_each_item_is_in(
    web: Web, clock: FakeClock
) -> None:
    ground = web.ground
    clock.set(datetime(2026, 9, 14, 12, tzinfo=UTC))
    await newsroom.issue(ground)
    await people.topic(ground)
    await editions.news(ground, "A new ruling", date(2026, 9, 10))
    await editions.news(ground, "A draft", date(2026, 9, 11), is_published=False)
    staff = await web.as_staff(Role.EDITOR)
    assert "No series yet" in (await staff.get("/staff/series")).text
    assert (await staff.get("/staff/series/new")).status == 200
    wrong = typed(at="25:00", **{"subject-en": "No. {issue}", "subject-es": ""}, most="99")
    refused = await staff.post("/staff/series/new", wrong)
    assert refused.status == 422
    for said in (
        "Type a time, such as 09:00.",
        "Nothing is put in for {issue}; there are {volume}, {number}, {date}.",
        "Give it a subject too.",
        "Type a number from 1 to 40.",
    ):
        assert said in refused.text
    made = await staff.post("/staff/series/new", typed(name="Our fortnight"))
    assert made.location == "/staff/series/1", made.text
    page = (await staff.get(made.location)).text
    assert "every two weeks on Thursday at 9:00 AM (America/New_York)" in page
    assert "A new ruling" in page
    assert "not published yet" in page
    assert page.count("Thursday, ") > 12
    spanish = (await staff.get(f"{made.location}?lang=es")).text
    assert "cada dos semanas, el jueves, a las 9:00 (America/New_York)" in spanish
    act = {"version": "1", "action": "run", "day": "2026-09-17"}
    run = await staff.post("/staff/series/1/act", act)
    assert "was in edition" not in (await staff.get(run.location)).text
    assert "was in edition 1/1" in (await staff.get("/staff/series/1")).text
    stale = await staff.post("/staff/series/1/edit", typed(version="1", name="Late"))
    assert stale.status == 409
    assert (await series.show(ground, series_id=1)).name == "Our fortnight"
    kept = typed(version="2", name="Better", next_number="7")
    assert (await staff.post("/staff/series/1/edit", kept)).status == 303
    plan = series_plans.parse((await series.show(ground, series_id=1)).document)
    assert plan == editions.plan(name="Better", next_number=7)
    for action, version, said in (("pause", "3", "Resume"), ("resume", "4", "Pause")):
        await staff.post("/staff/series/1/act", {"version": version, "action": action})
        assert said in (await staff.get("/staff/series/1")).text
    skip = {"version": "5", "action": "skip", "day": "2026-10-01"}
    await staff.post("/staff/series/1/act", skip)
    assert "left it out." in (await staff.get("/staff/series/1")).text
    page = (await staff.get("/staff/series/1")).text
    assert "Our fortnight 1/1</a> (in review)" in page  # what is still on the way
    assert (await staff.post("/staff/series/1/delete", {"version": "6"})).status == 422
    end = {"version": "6", "reason": "The campaign is won."}
    assert (await staff.post("/staff/series/1/delete", end)).status == 303
    page = (await staff.get("/staff/series/1")).text
    assert "The campaign is won." in page
    assert "Delete this series" not in page
    assert "The campaign is won." not in (await staff.get("/staff/series")).text
    assert "The campaign is won." in (await staff.get("/staff/series?deleted=1")).text


async def test_only_editors_change_series_and_everybody_of_staff_sees_them(
    web: Web,
) -> None:
    await newsroom.issue(web.ground)
    await editions.made(web.ground)
    author = await web.as_staff(Role.AUTHOR)
    assert (await author.get("/staff/series/1")).status == 200
    assert (await author.get("/staff/series/1/edit")).status == 403
    act = {"version": "1", "action": "pause"}
    assert (await author.post("/staff/series/1/act", act)).status == 403
    end = {"version": "1", "reason": "No more"}
    assert (await author.post("/staff/series/1/delete", end)).status == 403
    assert (await author.get("/staff/series/2")).status == 404
    assert (await web.get("/staff/series")).status in (302, 303, 401)


async def test_programs_make_try_change_and_follow_series(web: Web, clock: FakeClock) -> None:
    clock.set(datetime(2026, 9, 14, 12, tzinfo=UTC))
    await newsroom.issue(web.ground)
    await people.topic(web.ground)
    await editions.news(web.ground, "A new ruling", date(2026, 9, 10))
    headers = await bearer(web.ground)

    async def call(method: str, path: str, body: Any = None, status: int = 200) -> Any:
        more = {} if body is None else {"json": body}
        answer = await web.request(method, f"/api/v1/series{path}", headers=headers, **more)
        assert answer.status == status, answer.text
        return answer.json()

    plan = series_plans.dump(editions.plan())
    tried = await call("POST", "/plans/dry-run", plan)
    assert [each["day"] for each in tried["dates"]][:2] == ["2026-09-17", "2026-10-01"]
    assert [(each["titles"]["en"], each["reason"]) for each in tried["items"]] == [
        ("A new ruling", "new")
    ]
    assert (await call("GET", ""))["items"] == []
    made = await call("POST", "", plan, status=201)
    assert made["plan"] == plan
    await call("POST", "", {**plan, "issue": "nowhere"}, status=404)
    nonsense = await call("POST", "", {**plan, "mode": "guess"}, status=422)
    assert [each["field"] for each in nonsense["errors"]] == ["mode"]
    run = await call("POST", "/1/runs", status=201)
    assert run["number"] == 1
    assert [(each["is_in"], each["said"]) for each in run["items"]] == [(True, "new")]
    skipped = await call("POST", "/1/skip", {"day": "2026-10-01"})
    assert (skipped["outcome"], skipped["reason"]) == ("skipped", "by-hand")
    await call("POST", "/1/skip", {"day": "2026-10-01"}, status=409)
    found = await call("GET", "/1/runs?limit=1")
    assert [each["day"] for each in found["items"]] == ["2026-10-01"]
    assert found["next"]
    whole = await call("GET", "/1")
    assert whole["next_on"] == "2026-10-15"
    changed = {"version": whole["version"], "plan": {**plan, "name": "Other"}}
    assert (await call("PUT", "/1", changed))["name"] == "Other"
    paused = await call("POST", "/1/pause", {"version": whole["version"] + 1})
    assert paused["state"] == "paused"
    resumed = await call("POST", "/1/resume", {"version": paused["version"]})
    assert resumed["state"] == "active"
    ahead = await call("GET", "/1/next")
    assert len(ahead["dates"]) == 12
    assert not ahead["is_enough"]
    end = {"version": resumed["version"], "reason": "It is over."}
    assert (await call("POST", "/1/delete", end))["state"] == "deleted"
    assert (await call("GET", "/1"))["deleted_reason"] == "It is over."
    assert (await call("GET", ""))["items"] == []


async def test_a_run_says_in_words_why_there_is_no_edition(
    ground: Ground, web: Web, clock: FakeClock
) -> None:
    await newsroom.issue(ground)
    await editions.made(ground)
    with pytest.raises(errors.Refused, match="0 new"):  # more may come in until content closes
        await series_runs.run_now(ground, actor=COMMAND, series_id=1)
    clock.advance(days=10)
    await series_runs.draft_due(ground)
    (run,) = await editions.runs(ground, 1)
    staff = await web.as_staff(Role.VIEWER)
    page = await staff.get(f"/staff/series/1/runs/{run.id}?lang=es")
    assert "Había 0 elementos nuevos, y una edición necesita 1." in page.text
    assert (await staff.get("/staff/series/1/runs/99")).status == 404
