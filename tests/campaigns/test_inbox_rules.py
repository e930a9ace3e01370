"""Rules that staff write give what comes in its kind, place and issue, or drop it."""

import pytest
from sqlmodel import select

from campaigns import inbox_rules, words_in
from campaigns.inbox_rules import RuleDraft
from campaigns.models import DevelopmentKind
from foundation import errors
from foundation.accounts import api_tokens
from foundation.accounts.api_tokens import Scope
from foundation.accounts.models import Role
from foundation.audit import AuditEntry
from foundation.ground import Ground
from tests.campaigns import desk, newsroom
from tests.campaigns.newsroom import ANA, BEN
from tests.world.web import Web


@pytest.mark.parametrize(
    ("text", "word", "is_there"),
    [
        ("The Court’s ruling", "court", True),
        ("A courtyard", "court", False),
        ("A courtyard", "court*", True),
        ("Una AUDIENCIA publica, hoy", "audiencia pública", True),
        ("audiencia muy pública", "audiencia pública", False),
        ("high-school sports", "high school", True),
        ("anything", "!", False),
    ],
)
def test_words_are_found_whole_in_any_case_and_without_accents(
    text: str, word: str, is_there: bool
) -> None:
    assert words_in.finds(text, word) is is_there


@pytest.mark.storage
async def test_the_first_rule_that_says_a_thing_counts_and_what_a_story_brings_along_stays(
    ground: Ground,
) -> None:
    here = await newsroom.issue(ground)
    there = await newsroom.issue(ground, slug="detention")

    async def rule(*words: str, **more: object) -> None:
        draft = RuleDraft(words=words, **more)  # type: ignore[arg-type]
        await inbox_rules.add(ground, actor=ANA, draft=draft)

    await rule("sports", is_drop=True, is_headline_only=True)
    await rule("hearing", kind=DevelopmentKind.PUBLIC_MEETING)
    await rule("Lynn", "Lawrence", place="Lynn")
    await rule("court", kind=DevelopmentKind.RULING, place="Boston")
    await rule("jail", to_issue_id=there.id, issue_id=here.id)
    await desk.put(
        ground,
        desk.offer("High school sports", "https://a.example/1"),
        desk.offer("A hearing in court in Lynn", "https://a.example/2"),
        desk.offer("The court has ruled", "https://a.example/3", place="Springfield"),
        desk.offer("Nothing of note", "https://a.example/4", summary="<p>sports</p>"),
        desk.offer("The jail of the county", "https://a.example/5"),
    )
    found = {each.headline: each for each in await desk.items(ground)}
    made = {name: (each.state, each.kind, each.place) for name, each in found.items()}
    assert made == {
        "High school sports": ("dropped", "news", ""),
        "A hearing in court in Lynn": ("new", "public-meeting", "Lynn"),
        "The court has ruled": ("new", "ruling", "Springfield"),
        "Nothing of note": ("new", "news", ""),
        "The jail of the county": ("new", "news", ""),
    }
    assert found["The jail of the county"].issue_id == there.id
    dropped = found["High school sports"]
    assert (dropped.reason, dropped.decided_by) == ("“sports”", "rule")
    # What a rule sent elsewhere is known when it comes again.
    again = await desk.put(ground, desk.offer("The jail of the county", "https://a.example/5"))
    assert len(again.known) == 1


async def test_rules_are_written_ordered_tried_and_removed_on_their_pages(
    web: Web, ground: Ground
) -> None:
    await newsroom.issue(ground)
    await desk.put(ground, desk.offer("A judge in Boston", "https://a.example/1"))
    editor, viewer = await web.as_staff(Role.EDITOR), await web.as_staff(Role.VIEWER)
    assert (await viewer.post("/staff/inbox/rules/usual")).status == 403
    assert (await editor.post("/staff/inbox/rules/usual")).location == "/staff/inbox/rules"
    with pytest.raises(errors.Refused):
        await inbox_rules.add_usual(ground, actor=BEN)
    page = (await viewer.get("/staff/inbox/rules?text=Una+petici%C3%B3n&lang=es")).text
    assert "«petición»" in page
    assert "«judge»" in page  # what it makes of the latest story
    assert (await editor.post("/staff/inbox/rules/new", {"words": "weather"})).status == 422
    drop = {"words": "weather\nel tiempo", "is_drop": "1"}
    await editor.post("/staff/inbox/rules/new", drop)
    assert (await editor.post("/staff/inbox/rules/6", drop | {"version": "9"})).status == 409
    for _ in range(7):
        await editor.post("/staff/inbox/rules/6/act", {"action": "up"})
    async with ground.db.reading() as session:
        assert [each.id for each in await inbox_rules.everything(session)] == [6, 1, 2, 3, 4, 5]
    await editor.post("/staff/inbox/rules/1/act", {"action": "remove", "version": "1"})
    secret = await api_tokens.create(
        ground, actor=ANA, name="Desk", scopes=frozenset({Scope.READ, Scope.CONTENT})
    )
    headers, api = {"Authorization": f"Bearer {secret}"}, "/api/v1/inbox-rules"
    assert len((await web.get(api, headers=headers)).json()["items"]) == 5
    tried = await web.post(
        f"{api}/stories/try", json={"headline": "EL TIEMPO de hoy"}, headers=headers
    )
    assert tried.json()["is_dropped"] is True
    added = await web.post(api, json={"words": ["Lynn"], "place": "Lynn"}, headers=headers)
    changed = await web.request(
        "PUT",
        f"{api}/{added.json()['id']}",
        json={"words": ["Lynn", "Saugus"], "place": "Lynn", "version": 1},
        headers=headers,
    )
    assert changed.json()["words"] == ["Lynn", "Saugus"]
    gone = await web.post(
        f"{api}/{added.json()['id']}/remove", json={"version": 2}, headers=headers
    )
    assert gone.status == 204
    async with ground.db.reading() as session:
        log = await session.exec(select(AuditEntry.action))
        assert {"inbox_rule.added", "inbox_rule.updated", "inbox_rule.moved"} <= set(log.all())
