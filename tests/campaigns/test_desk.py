from typing import Any

import aiohttp
import pytest

from campaigns import developments, issues, materials
from foundation.accounts.models import Role
from foundation.ground import Ground
from tests.campaigns import newsroom
from tests.world.web import Web

ISSUE = "/staff/issues/1"
NEWS: dict[str, Any] = {
    "happened_on": "2026-10-20",
    "kind": "ruling",
    "place": "Boston",
    "headline-en": "A ruling",
    "summary-en": "<p>Told.</p>",
    "headline-es": "Un fallo",
    "summary-es": "<p>Contado.</p>",
    "source_url": "https://court.example/",
    "version": "1",
}


async def kept(ground: Ground) -> list[tuple[str, bool]]:
    async with ground.db.reading() as session:
        page = await developments.listed(session, issue_id=1)
    return [(each.texts["en"]["headline"], each.is_published) for each in page.items]


async def test_nobody_comes_in_without_signing_in(ground: Ground, web: Web) -> None:
    await newsroom.issue(ground)
    for path in ("/staff/issues", ISSUE, f"{ISSUE}/developments", f"{ISSUE}/materials"):
        assert (await web.get(path)).location.startswith("/staff/signin")


async def test_a_viewer_looks_and_changes_nothing(ground: Ground, web: Web) -> None:
    await newsroom.issue(ground)
    viewer = await web.as_staff(Role.VIEWER)
    for path in ("/staff/issues", ISSUE, f"{ISSUE}/developments", f"{ISSUE}/materials"):
        page = await viewer.get(path)
        assert page.status == 200
        assert "Save" not in page.text
    for path in (ISSUE, f"{ISSUE}/developments/new", f"{ISSUE}/materials", "/staff/issues/new"):
        assert (await viewer.post(path, NEWS)).status == 403


async def test_an_author_writes_a_draft_and_an_editor_publishes_it(
    ground: Ground, web: Web
) -> None:
    await newsroom.issue(ground)
    author = await web.as_staff(Role.AUTHOR)
    answer = await author.post(f"{ISSUE}/developments/new", NEWS | {"is_published": "1"})
    assert answer.status == 303
    assert await kept(ground) == [("A ruling", False)]
    assert (await author.post(f"{ISSUE}/developments/1/publish", {"version": "1"})).status == 403
    editor = await web.as_staff(Role.EDITOR)
    await editor.post(f"{ISSUE}/developments/1/publish", {"version": "1", "is_published": "1"})
    assert await kept(ground) == [("A ruling", True)]
    assert "A ruling" in (await web.get("/issues/secure-communities")).text
    again = await author.post(f"{ISSUE}/developments/1", NEWS | {"version": "2"})
    assert again.status == 403


async def test_both_languages_stand_side_by_side(ground: Ground, web: Web) -> None:
    issue = await newsroom.issue(ground)
    await newsroom.development(ground, issue, newsroom.news())
    page = (await (await web.as_staff()).get(f"{ISSUE}/developments/1")).text
    assert 'name="headline-en" type="text" value="A meeting in Chelsea"' in page
    assert 'name="headline-es" type="text" value="Una reunión en Chelsea"' in page


async def test_the_second_editor_keeps_what_they_typed_and_sees_what_is_kept(
    ground: Ground, web: Web
) -> None:
    issue = await newsroom.issue(ground)
    await newsroom.development(ground, issue, newsroom.news())
    editor = await web.as_staff(Role.EDITOR)
    first = NEWS | {"headline-en": "Ana's words", "is_published": "1"}
    assert (await editor.post(f"{ISSUE}/developments/1", first)).status == 303
    second = NEWS | {"headline-en": "Ben's words", "is_published": "1"}
    answer = await editor.post(f"{ISSUE}/developments/1", second)
    assert answer.status == 409
    assert "Ben&#39;s words" in answer.text
    assert "Ana&#39;s words" in answer.text
    assert await kept(ground) == [("Ana's words", True)]
    anyway = await editor.post(
        f"{ISSUE}/developments/1", second | {"version": answer.field("version")}
    )
    assert anyway.status == 303
    assert await kept(ground) == [("Ben's words", True)]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"happened_on": "yesterday"}, "Choose a day."),
        ({"headline-en": ""}, "Give it a headline too."),
        ({"source_url": "javascript:alert(1)"}, "A link starts with"),
        ({"kind": "rumour"}, "There is no kind"),
        ({"place": "a\r\nBcc: x@example.org"}, "line breaks"),
    ],
)
async def test_what_is_wrong_is_said_and_nothing_typed_is_lost(
    ground: Ground, web: Web, change: dict[str, str], words: str
) -> None:
    await newsroom.issue(ground)
    author = await web.as_staff(Role.AUTHOR)
    answer = await author.post(f"{ISSUE}/developments/new", NEWS | change)
    assert answer.status == 422
    assert words in answer.text
    assert "Un fallo" in answer.text
    assert await kept(ground) == []


async def test_an_issue_is_made_filled_and_published(web: Web) -> None:
    editor = await web.as_staff(Role.EDITOR)
    made = await editor.post(
        "/staff/issues/new",
        {"slug": "clean-water", "title-en": "Clean water", "title-es": "Agua limpia"},
    )
    assert made.location == ISSUE
    assert (await web.get("/issues/clean-water")).status == 404
    part = {
        "kind": "question",
        "title-en": "Why?",
        "body-en": "<p>Because<script>1</script>.</p>",
        "version": "1",
    }
    assert (await editor.post(f"{ISSUE}/parts/new", part)).status == 303
    head = {"title-en": "Clean water", "is_published": "1", "version": "2"}
    assert (await editor.post(ISSUE, head)).status == 303
    page = (await web.get("/issues/clean-water")).text
    assert "Because." in page
    assert "<script>1" not in page


async def test_an_author_can_not_publish_an_issue_nor_change_a_public_one(
    ground: Ground, web: Web
) -> None:
    await newsroom.issue(ground, is_published=False)
    author = await web.as_staff(Role.AUTHOR)
    head = {"title-en": "Mine", "version": "1"}
    assert (await author.post(ISSUE, head | {"is_published": "1"})).status == 403
    assert (await author.post(ISSUE, head)).status == 303
    async with ground.db.reading() as session:
        assert (await issues.get(session, 1)).version == 2
    await newsroom.issue(ground, slug="public")
    assert (await author.post("/staff/issues/2", head)).status == 403


async def test_parts_are_edited_moved_and_taken_off(ground: Ground, web: Web) -> None:
    issue = await newsroom.issue(ground)
    await newsroom.parts(ground, issue)
    editor = await web.as_staff(Role.EDITOR)
    async with ground.db.reading() as session:
        rows = await issues.parts(session, 1)
    first, second = [each for each in rows if each.kind == "process"]
    figure = next(each for each in rows if each.kind == "figure")
    assert (await editor.get(f"{ISSUE}/parts/{figure.id}")).field("value") == "53%"
    assert (await editor.get(f"{ISSUE}/parts/new?kind=figure")).status == 200
    assert (await editor.get(f"{ISSUE}/parts/new?kind=nonsense")).status == 404
    await editor.post(f"{ISSUE}/parts/{second.id}/move", {"action": "up", "version": "2"})
    await editor.post(f"{ISSUE}/parts/{first.id}/delete", {"version": "3"})
    late = await editor.post(
        f"{ISSUE}/parts/{figure.id}", {"title-en": "Mine", "value": "1", "version": "2"}
    )
    assert late.status == 409
    assert "Mine" in late.text
    async with ground.db.reading() as session:
        left = [each.id for each in await issues.parts(session, 1) if each.kind == "process"]
    assert left == [second.id]


async def test_a_handout_gets_a_file_for_each_language(ground: Ground, web: Web) -> None:
    await newsroom.issue(ground)
    editor = await web.as_staff(Role.EDITOR)
    answer = await editor.post(f"{ISSUE}/materials", {"slug": "form", "title-en": "Form"})
    assert answer.location == f"{ISSUE}/materials/1"
    for content, status in ((newsroom.PDF, 303), (b"MZ\x90\x00", 422)):
        form = aiohttp.FormData(quote_fields=False)
        form.add_field("language", "es")
        form.add_field("url", "")
        form.add_field("file", content, filename="Ficha nueva.pdf", content_type="text/html")
        answer = await editor.post(f"{ISSUE}/materials/1/copy", form)
        assert answer.status == status
    async with ground.db.reading() as session:
        (file,) = await materials.copies(session, [1])
    assert (file.language, file.file_name) == ("es", "Ficha-nueva.pdf")
    page = await web.get("/issues/secure-communities?lang=es")
    assert materials.path(file) in page.text
    removed = {"language": "es", "remove": "1"}
    await editor.post(f"{ISSUE}/materials/1/copy", removed)
    assert materials.path(file) not in (await web.get("/issues/secure-communities")).text
