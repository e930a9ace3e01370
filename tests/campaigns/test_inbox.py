"""What comes in is there once, and is kept, dropped, held or merged, each with a trace."""

from datetime import date, timedelta
from typing import Any

import aiohttp
import pytest
from sqlmodel import col, select

from campaigns import (
    development_drafts,
    inbox,
    inbox_csv,
    inbox_lists,
    incoming,
    series_candidates,
)
from campaigns.inbox_lists import Query
from campaigns.inbox_models import IncomingItem, ItemState, Origin
from foundation import errors
from foundation.accounts import api_tokens
from foundation.accounts.api_tokens import Scope
from foundation.accounts.models import Role
from foundation.audit import AuditEntry
from foundation.ground import Ground
from tests.campaigns import desk, editions, newsroom
from tests.campaigns.newsroom import ANA, BEN
from tests.world.clock import FakeClock
from tests.world.web import Web

BUDGET = desk.offer("The budget of the city for next year", "https://a.example")


async def several(ground: Ground, count: int) -> None:
    """So many stories that are not alike."""
    names = range(1, count + 1)
    await desk.put(
        ground, *[desk.offer(f"Story {n} of the many", f"https://a.example/{n}") for n in names]
    )


async def one(ground: Ground, number: int) -> IncomingItem:
    async with ground.db.reading() as session:
        return await inbox_lists.get(session, number)


async def listed(ground: Ground, **query: Any) -> list[int]:
    async with ground.db.reading() as session:
        page = await inbox_lists.listed(ground, session, Query(**query))
    return [each.id for each in page.items]


@pytest.mark.storage
async def test_a_story_that_several_tell_is_one_and_can_be_told_apart_again(
    ground: Ground, clock: FakeClock
) -> None:
    await newsroom.issue(ground)
    first = await desk.put(
        ground,
        desk.offer(),
        BUDGET,
    )
    assert len(first.added) == 2
    # The same again; by another way with a counting link; in other words; and another story.
    assert len((await desk.put(ground, desk.offer())).known) == 1
    again = await desk.put(
        ground, desk.offer("Vote!", f"{desk.PAPER}/?utm_source=x"), origin=Origin.CSV
    )
    worded = await desk.put(
        ground,
        desk.offer(
            "Boston City Council votes to limit police’s role in deportations",
            "https://globe.example/9",
        ),
    )
    assert (len(again.same), len(worded.same)) == (1, 1)
    numbers = [*again.same, *worded.same]
    assert await listed(ground) == [2, 1]
    assert sorted(await listed(ground, state=ItemState.SAME)) == numbers
    async with ground.db.reading() as session:
        assert [each.id for each in await inbox_lists.told_again(session, 1)] == numbers
    await inbox.reopen(ground, actor=BEN, item_id=numbers[1], version=1)
    assert await listed(ground) == [numbers[1], 2, 1]
    # Days later the same words are another story.
    clock.advance(days=8)
    assert len((await desk.put(ground, desk.offer(url="https://paper.example/vote-2"))).added) == 1


@pytest.mark.storage
async def test_what_is_kept_is_a_draft_in_its_own_language_with_its_embargo_and_partner(
    ground: Ground, clock: FakeClock
) -> None:
    await newsroom.issue(ground)
    rosa = await editions.partner(ground, "Rosa House")
    until = clock.now() + timedelta(hours=6)
    await desk.put(
        ground, desk.offer("Una audiencia", language="es", partner_id=rosa, not_before=until)
    )
    made = await inbox.keep(ground, actor=ANA, item_id=1, version=1, is_published=True)
    assert made.texts == {"es": {"headline": "Una audiencia", "summary": "<p>Told.</p>"}}
    assert (made.partner_id, made.not_before, made.source_url) == (rosa, until, desk.PAPER)
    found = await one(ground, 1)
    assert (found.state, found.development_id, found.decided_by) == ("kept", made.id, "Ana")
    # A series leaves it out until then, and says so.
    plan = editions.plan()
    async with ground.db.reading() as session:
        (item,) = await series_candidates.gather(
            ground, session, plan, series_id=None, day=date(2026, 11, 5)
        )
        assert (item.refusal, item.partner) == ("embargo", "Rosa House")
        log = await session.exec(select(AuditEntry.action).order_by(col(AuditEntry.id)))
        assert log.all()[-3:] == ["incoming.added", "development.added", "incoming.kept"]
    with pytest.raises(errors.Refused):
        await inbox.drop(ground, actor=BEN, item_id=1, version=2, reason="No")


@pytest.mark.storage
async def test_what_is_held_comes_back_on_its_day_and_what_is_dropped_says_why(
    ground: Ground, clock: FakeClock
) -> None:
    await newsroom.issue(ground)
    await desk.put(
        ground,
        desk.offer(),
        BUDGET,
    )
    today = date(2026, 11, 2)
    with pytest.raises(errors.Invalid):
        await inbox.hold(ground, actor=ANA, item_id=1, version=1, until=today)
    await inbox.hold(ground, actor=ANA, item_id=1, version=1, until=today + timedelta(days=2))
    with pytest.raises(errors.Invalid):
        await inbox.drop(ground, actor=ANA, item_id=2, version=1, reason="  ")
    await inbox.drop(ground, actor=ANA, item_id=2, version=1, reason="Not about us")
    assert (await listed(ground), await listed(ground, state=ItemState.HELD)) == ([], [1])
    clock.advance(days=2)
    async with ground.db.reading() as session:
        counted = await inbox_lists.counts(ground, session, Query())
    assert {state.value: n for state, n in counted.items() if n} == {"new": 1, "dropped": 1}
    assert (await listed(ground), await listed(ground, state=ItemState.HELD)) == ([1], [])
    assert await listed(ground, state=None, text="BUDGET_") == []
    assert await listed(ground, state=None, text="BUDGET") == [2]
    # Long decided is forgotten; what waits for its day is not.
    clock.advance(days=397)
    assert await inbox.tidy(ground) == 0
    clock.advance(days=4)
    assert await inbox.tidy(ground) == 2


@pytest.mark.storage
async def test_items_are_merged_edited_and_never_overwritten(ground: Ground) -> None:
    issue = await newsroom.issue(ground)
    other = await newsroom.issue(ground, slug="another")
    await several(ground, 3)
    change = inbox.Change(
        issue_id=issue.id,
        headline="<b>Better</b>",
        summary="<p onclick=x>Better.</p>",
        language="es",
        happened_on=date(2026, 10, 30),
        kind=development_drafts.kind_from("ruling"),
        place=" Lynn ",
        source_url="https://b.example/",
    )
    edited = await inbox.edit(ground, actor=ANA, item_id=1, version=1, change=change)
    assert (edited.headline, edited.summary, edited.place) == ("Better", "<p>Better.</p>", "Lynn")
    with pytest.raises(errors.Conflict):
        await inbox.edit(ground, actor=BEN, item_id=1, version=1, change=change)
    for wrong in ({"headline": " "}, {"language": "xx"}, {"source_url": "javascript:x"}):
        values = {name: getattr(change, name) for name in change.__dataclass_fields__}
        with pytest.raises(errors.Invalid):
            await inbox.edit(
                ground, actor=BEN, item_id=1, version=2, change=inbox.Change(**values | wrong)
            )
    await inbox.merge(ground, actor=ANA, item_id=1, version=2, into_id=2)
    await inbox.merge(ground, actor=ANA, item_id=2, version=1, into_id=3)
    assert [(await one(ground, n)).same_as_id for n in (1, 2, 3)] == [3, 3, None]
    with pytest.raises(errors.Invalid):
        await inbox.merge(ground, actor=ANA, item_id=3, version=1, into_id=1)
    await incoming.take_in(
        ground, actor=ANA, issue_id=other.id, origin=Origin.API, offers=[desk.offer()]
    )
    with pytest.raises(errors.Invalid):
        await inbox.merge(ground, actor=ANA, item_id=3, version=1, into_id=4)


async def test_staff_work_through_the_inbox_and_only_editors_publish(
    web: Web, ground: Ground
) -> None:
    await newsroom.issue(ground)
    await several(ground, 5)
    author, viewer = await web.as_staff(Role.AUTHOR), await web.as_staff(Role.VIEWER)
    page = (await author.get("/staff/inbox")).text
    assert page.count('name="item"') == 5
    assert "Keep and publish" not in page
    assert 'name="item"' not in (await viewer.get("/staff/inbox?state=all&lang=es")).text
    ticked = {"item": ["1.1", "2.1", "3.9"], "action": "keep"}
    assert (await viewer.post("/staff/inbox/act", ticked)).status == 403
    assert (await author.post("/staff/inbox/act", ticked | {"action": "publish"})).status == 403
    done = await author.post("/staff/inbox/act", ticked)
    assert done.status == 303
    said = (await author.get("/staff/inbox")).text
    assert "2 stories kept as drafts. 1 was left as it is" in said
    editor = await web.as_staff(Role.EDITOR)
    fields = {
        "version": "1", "headline": "Story three", "summary": "<p>More.</p>", "issue_id": "1",
        "language": "en", "happened_on": "2026-11-01", "kind": "news",
        "not_before": "2026-12-01T09:00",
    }  # fmt: skip
    answer = await editor.post("/staff/inbox/3", fields | {"action": "translate"})
    assert answer.location == "/staff/issues/1/developments/3"
    assert "Story three" in (await editor.get(answer.location)).text
    late = await author.post("/staff/inbox/3", fields | {"action": "save"})
    assert late.status == 422
    assert (await author.post("/staff/inbox/4", {"version": "1", "action": "drop"})).status == 422
    dropped = {"version": "1", "action": "drop", "reason": "Old"}
    assert (await author.post("/staff/inbox/4", dropped)).location == "/staff/inbox"
    held = {"version": "1", "action": "hold", "hold_until": "2026-11-20"}
    await author.post("/staff/inbox/5", held)
    assert [each.state for each in await desk.items(ground)] == [
        "kept", "kept", "kept", "dropped", "held",
    ]  # fmt: skip
    for number in range(1, 6):
        assert (await viewer.get(f"/staff/inbox/{number}?lang=es")).status == 200
    # Looking at a page that a browser's button opens writes nothing.
    seen = await author.get(
        "/staff/inbox/new?url=https://paper.example/x&title=Read+this&text=A+word&lang=es"
    )
    assert seen.field("headline") == "Read this"
    assert len(await desk.items(ground)) == 5
    written = {**fields, "headline": "Read this", "source_url": "https://paper.example/x"}
    assert (await author.post("/staff/inbox/new", written)).location == "/staff/inbox/6"
    assert (await author.post("/staff/inbox/new", written)).location == "/staff/inbox/6"


async def test_feeds_are_looked_after_on_their_pages_and_by_programs(
    web: Web, ground: Ground
) -> None:
    await newsroom.issue(ground)
    editor = await web.as_staff(Role.EDITOR)
    fields = {"url": "https://paper.example/feed", "issue_id": "1", "every_minutes": "30"}
    assert (await editor.post("/staff/inbox/feeds/new", fields | {"url": "x"})).status == 422
    made = await editor.post(
        "/staff/inbox/feeds/new", fields | {"include": "vote\nhearing", "name": "Paper"}
    )
    assert made.location == "/staff/inbox/feeds"
    assert "Paper" in (await editor.get("/staff/inbox/feeds?lang=es")).text
    assert (await editor.get("/staff/inbox/feeds/1")).status == 200
    # The test's own machine is no place of the web.
    await editor.post("/staff/inbox/feeds/1/act", {"version": "1", "action": "pause"})
    secret = await api_tokens.create(
        ground, actor=ANA, name="Desk", scopes=frozenset({Scope.READ, Scope.CONTENT})
    )
    headers = {"Authorization": f"Bearer {secret}"}
    api = "/api/v1/feeds"
    found = (await web.get(api, headers=headers)).json()["items"]
    assert [(each["state"], each["include"]) for each in found] == [("paused", ["vote", "hearing"])]
    changed = await web.request(
        "PATCH", f"{api}/1", json={"version": 2, "exclude": ["sports"]}, headers=headers
    )
    assert (changed.status, changed.json()["exclude"], changed.json()["version"]) == (
        200,
        ["sports"],
        3,
    )
    resumed = await web.post(f"{api}/1/resume", json={"version": 3}, headers=headers)
    assert resumed.json()["state"] == "active"
    removed = await web.post(f"{api}/1/remove", json={"version": 4}, headers=headers)
    assert removed.status == 204
    item = {"issue": "secure-communities", "headline": desk.VOTE, "source_url": desk.PAPER}
    added = (await web.post("/api/v1/incoming", json=item, headers=headers)).json()
    assert (added["state"], added["origin"]) == ("new", "api")
    patched = await web.request(
        "PATCH", "/api/v1/incoming/1", json={"version": 1, "place": "Boston"}, headers=headers
    )
    assert patched.json()["place"] == "Boston"
    kept = await web.post("/api/v1/incoming/1/keep", json={"version": 2}, headers=headers)
    assert kept.json()["development_id"] == 1
    assert (await web.get("/api/v1/incoming?state=kept&q=council", headers=headers)).json()["items"]
    assert (await web.get("/api/v1/incoming?state=odd", headers=headers)).status == 422
    # What nobody could keep later, or what would lead astray whoever presses it, does not come in.
    for wrong in (
        {"source_url": "javascript:alert(1)"},
        {"language": "xx"},
        {"headline": "<b> </b>"},
        {"partner_id": 99},
    ):
        refused = await web.post("/api/v1/incoming", json=item | wrong, headers=headers)
        assert refused.status == 422, wrong


async def test_a_table_and_a_browsers_button_bring_stories(web: Web, ground: Ground) -> None:
    await newsroom.issue(ground)
    author = await web.as_staff(Role.AUTHOR)
    page = (await author.get("/staff/inbox/ways?lang=es")).text
    assert "javascript:(function(){" in page
    assert "http://handbill.test/staff/inbox/new" in page
    table = (
        "Título;Enlace;Fecha;Lugar;Clase;Idioma\r\n"
        "Una audiencia en Lynn;https://a.example/1;2026-10-30;Lynn;public meeting;es\r\n"
        ";https://a.example/2;;;;\r\n\r\n"
        "Sin fecha;javascript:alert(1);;;;\r\n"
        "Mal día;;30/10/2026;;;\r\n"
        "Sin idioma;;;;;xx\r\n"
        '=HYPERLINK("x");;;;;\r\n'
    )
    form = aiohttp.FormData()
    for name, value in (("csrf_token", author.csrf), ("issue_id", "1")):
        form.add_field(name, value)
    form.add_field("file", table.encode("cp1252"), filename="stories.csv")
    said = (await author.post("/staff/inbox/ways/table", form)).text
    assert "2 new stories came in" in said
    assert [said.count(f"Line {line}:") for line in (3, 5, 6, 7)] == [1, 1, 1, 1]
    first, second = await desk.items(ground)
    assert (first.headline, first.place, first.kind) == (
        "Una audiencia en Lynn", "Lynn", "public-meeting",
    )  # fmt: skip
    assert (first.language, first.happened_on, second.language) == ("es", date(2026, 10, 30), "en")
    for wrong in (b"", b"a,b\n1,2", b"\x00" * 10, b"headline\n" + b"x\n" * 1001):
        with pytest.raises(errors.Invalid):
            await inbox_csv.import_table(ground, actor=ANA, issue_id=1, octets=wrong)
