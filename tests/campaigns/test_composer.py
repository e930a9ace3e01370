import re
from typing import Any

import aiohttp
import pytest

from campaigns import block_models, bulletins, composer, documents, issues, versions
from foundation.accounts.models import Role
from foundation.ground import Ground
from tests.campaigns import newsroom
from tests.campaigns.newsroom import BEN, text_block, written
from tests.world.smtp import Catcher
from tests.world.web import Answer, Web

HERE = "/staff/bulletins/1"
TEXT = {"kind": "rich_text", "html-en": "<p>Hello</p>", "html-es": "<p>Hola</p>"}


async def document(ground: Ground) -> documents.Document:
    async with ground.db.reading() as session:
        return bulletins.document_of(await bulletins.get(session, 1))


async def words(ground: Ground) -> list[str]:
    return [composer.excerpt(block, "en") for block in (await document(ground)).blocks]


async def author_of(ground: Ground, web: Web, **changes: Any) -> Web:
    """An author in front of a bulletin."""
    await newsroom.issue(ground)
    await newsroom.bulletin(ground, written(**changes))
    return await web.as_staff(Role.AUTHOR)


async def add(author: Web, fields: dict[str, Any]) -> Answer:
    version = (await author.get(f"{HERE}/blocks/new?kind=heading")).field("version")
    return await author.post(f"{HERE}/blocks/new", {"version": version, **fields})


async def test_a_bulletin_is_begun_with_the_developments_since_the_last(
    ground: Ground, web: Web
) -> None:
    issue = await newsroom.issue(ground)
    await newsroom.development(ground, issue, newsroom.news())
    author = await web.as_staff(Role.AUTHOR)
    page = await author.get("/staff/bulletins/new")
    assert page.field("since") == "2026-10-03"
    made = await author.post(
        "/staff/bulletins/new",
        {
            "name": "November",
            "issue": "secure-communities",
            "template": "bulletin",
            "start": "since",
            "since": "2026-10-03",
        },
    )
    assert made.location == f"{HERE}/head"
    begun = await document(ground)
    assert [block.kind for block in begun.blocks] == ["rich_text", "developments"]
    assert begun.languages == ["en", "es"]
    assert (await author.get(HERE)).status == 200


async def test_subjects_are_written_side_by_side(ground: Ground, web: Web) -> None:
    author = await author_of(ground, web)
    page = await author.get(f"{HERE}/head")
    assert page.field("subject-es") == "Lo que pasó"
    answer = await author.post(
        f"{HERE}/head",
        {
            "version": "1",
            "name": "October",
            "issue": "secure-communities",
            "template": "alert",
            "default_language": "es",
            "editions": ["en", "es"],
            "subject-en": "Dear *|FNAME|*",
            "subject-es": "Hola",
        },
    )
    assert answer.status == 303
    kept = await document(ground)
    assert kept.editions["en"].subject == "Dear {{ subscriber.first_name }}"
    assert (kept.languages, kept.template) == (["es", "en"], "alert")
    assert await words(ground) == ["Hello"]


async def test_an_edition_can_be_left_out_and_comes_back_with_its_blocks(
    ground: Ground, web: Web
) -> None:
    author = await author_of(ground, web)
    head = {"name": "October", "template": "bulletin", "subject-en": "x", "subject-es": "y"}
    await author.post(f"{HERE}/head", head | {"version": "1", "editions": ["en"]})
    assert (await document(ground)).languages == ["en"]
    await author.post(f"{HERE}/head", head | {"version": "2", "editions": ["en", "es"]})
    assert composer.excerpt((await document(ground)).blocks[0], "es") == "Hola"
    none = await author.post(f"{HERE}/head", head | {"version": "3"})
    assert none.status == 422
    assert "Choose one language" in none.text


FIELDS: list[dict[str, Any]] = [
    {"kind": "heading", "level": "3", "text-en": "Head", "text-es": "Título"},
    TEXT,
    {"kind": "developments", "since": "2026-10-01", "limit": "5", "title-en": "News"},
    {"kind": "developments", "keys": ["meeting"]},
    {"kind": "figures", "keys": ["boston-none"], "title-en": "In figures"},
    {"kind": "material", "material": "intake-form", "lead-en": "Print it"},
    {
        "kind": "event",
        "starts_at": "2026-12-01T18:30",
        "ends_at": "2026-12-01T20:00",
        "title-en": "Session",
        "body_html-en": "<p>Come early</p>",
        "url": "site:/issues/secure-communities",
    },
    {"kind": "action", "url": "https://x.example/", "label-en": "Go", "label-es": "Vaya"},
    {"kind": "image", "picture": "figures.png", "width": "300", "alt-en": "Bars"},
    {"kind": "quote", "html-en": "<p>I was there</p>", "by-en": "Marta", "role-en": "teacher"},
    {
        "kind": "columns",
        "first_picture": "figures.png",
        "first_alt-en": "Bars",
        "first_html-en": "<p>Come</p>",
        "first_label-en": "Sign up",
        "first_url": "site:/subscribe",
        "second_html-en": "<p>Give</p>",
        "second_label-en": "Give",
        "second_url-en": "https://x.example/",
    },
    {
        "kind": "own_figures",
        "title-en": "In figures",
        "items-en-1-value": "47 %",
        "items-en-1-label": "had no conviction",
        "items-en-1-source": "ICE",
        "items-en-1-url": "https://x.example/",
        "items-en-2-value": "39",
    },
    {
        "kind": "links",
        "items-en-1-title": "Report",
        "items-en-1-url": "https://x.example/r",
        "items-en-2-url": "https://y.example/",
        "items-en-2-line": "A map",
    },
    {
        "kind": "social",
        "urls": "https://instagram.com/c\nhttps://chat.whatsapp.com/abc",
        "title-en": "Follow us",
    },
    {"kind": "divider"},
]


@pytest.mark.parametrize("fields", FIELDS, ids=lambda fields: fields["kind"])
async def test_every_kind_of_block_is_added_and_edited_by_its_form(
    ground: Ground, web: Web, fields: dict[str, Any]
) -> None:
    author = await author_of(ground, web, blocks=[])
    async with ground.db.reading() as session:
        owner = await issues.get(session, 1)
    await newsroom.parts(ground, owner)
    await newsroom.handout(ground, owner)
    await newsroom.picture(ground)
    await newsroom.development(ground, owner, newsroom.news(key="meeting"))
    assert (await author.get(f"{HERE}/blocks/new?kind={fields['kind']}")).status == 200
    assert (await add(author, fields)).status == 303
    (block,) = (await document(ground)).blocks
    assert block.kind == fields["kind"]
    page = await author.get(f"{HERE}/blocks/{block.id}")
    assert page.status == 200
    again = {name: value for name, value in fields.items() if value} | {"version": "2"}
    assert (await author.post(f"{HERE}/blocks/{block.id}", again)).status == 303
    assert (await document(ground)).blocks == [block]
    shown = await author.get(HERE)
    assert "Nothing stands in the way." in shown.text or "To look at" in shown.text


async def test_what_is_wrong_with_a_block_is_said_at_its_field(ground: Ground, web: Web) -> None:
    author = await author_of(ground, web)
    for fields, name in (
        ({"kind": "action", "url": "ftp://x", "label-en": "Go"}, "url"),
        ({"kind": "event", "starts_at": "soon", "title-en": "x"}, "starts_at"),
        ({"kind": "image", "width": "99999"}, "width"),
        ({"kind": "heading", "text-en": "x" * 400}, "text-en"),
        ({"kind": "links", "items-en-1-title": "x", "items-en-1-url": "ftp://x"}, "items-en"),
        ({"kind": "social", "urls": "https://x.example/\njavascript:x"}, "urls"),
    ):
        answer = await add(author, fields)
        assert answer.status == 422
        assert f'href="#f-{name}"' in answer.text
    assert await words(ground) == ["Hello"]


async def test_blocks_are_moved_duplicated_and_deleted_by_buttons(ground: Ground, web: Web) -> None:
    blocks = [text_block("A", id="a"), text_block("B", id="b"), text_block("C", id="c")]
    author = await author_of(ground, web, blocks=blocks)
    version = 0

    async def press(action: str, block: str = "", **more: str) -> list[str]:
        nonlocal version
        version += 1
        fields = {"version": str(version), "action": action, "block": block, **more}
        assert (await author.post(f"{HERE}/arrange", fields)).status == 303
        return await words(ground)

    assert await press("down", "a") == ["B", "A", "C"]
    assert await press("up", "c") == ["B", "C", "A"]
    assert await press("duplicate", "b") == ["B", "B", "C", "A"]
    assert await press("delete", "b") == ["B", "C", "A"]
    assert await press("order", order="a,c") == ["A", "C", "B"]
    assert len({block.id for block in (await document(ground)).blocks}) == 3


async def test_a_block_can_be_added_below_another(ground: Ground, web: Web) -> None:
    author = await author_of(ground, web, blocks=[text_block("A", id="a"), text_block("C")])
    kinds = await author.get(f"{HERE}/blocks/new?after=a")
    assert "kind=heading&amp;after=a" in kinds.text
    await add(author, TEXT | {"after": "a"})
    assert await words(ground) == ["A", "Hello", "C"]


@pytest.mark.storage
async def test_two_editors_of_one_block_the_second_is_told_and_loses_nothing(
    ground: Ground, web: Web
) -> None:
    author = await author_of(ground, web, blocks=[text_block("Old", "Viejo", id="a")])
    ben = written(blocks=[text_block("Ben's words", "De Ben", id="a")])
    await bulletins.save(ground, actor=BEN, bulletin_id=1, version=1, document=ben)
    mine = {"kind": "rich_text", "html-en": "<p>My words</p>", "version": "1"}
    answer = await author.post(f"{HERE}/blocks/a", mine)
    assert answer.status == 409
    assert "Ben saved this bulletin while you were writing" in answer.text
    assert "&lt;p&gt;My words&lt;/p&gt;" in answer.text
    assert "Ben&#39;s words" in answer.text
    assert await words(ground) == ["Ben's words"]
    again = mine | {"version": answer.field("version"), "prefer": "mine"}
    anyway = await author.post(f"{HERE}/blocks/a", again)
    assert anyway.status == 303
    assert await words(ground) == ["My words"]
    async with ground.db.reading() as session:
        earlier = await versions.listed(session, await bulletins.get(session, 1))
    assert "Ben's words" in str(earlier[0].document)


async def test_whoever_writes_in_another_block_is_not_asked_and_both_are_kept(
    ground: Ground, web: Web
) -> None:
    blocks = [text_block("A", id="a"), text_block("B", id="b")]
    author = await author_of(ground, web, blocks=blocks)
    ben = written(blocks=[text_block("A", id="a"), text_block("Ben's", id="b"), text_block("New")])
    await bulletins.save(ground, actor=BEN, bulletin_id=1, version=1, document=ben)
    mine = {"kind": "rich_text", "html-en": "<p>Mine</p>", "version": "1"}
    assert (await author.post(f"{HERE}/blocks/a", mine)).status == 303
    assert await words(ground) == ["Mine", "Ben's", "New"]


async def test_words_for_a_block_that_was_deleted_meanwhile_are_not_lost(
    ground: Ground, web: Web
) -> None:
    author = await author_of(ground, web, blocks=[text_block("A", id="a"), text_block("B")])
    gone = written(blocks=[text_block("B")])
    await bulletins.save(ground, actor=BEN, bulletin_id=1, version=1, document=gone)
    mine = {"kind": "rich_text", "html-en": "<p>Mine</p>"}
    answer = await author.post(f"{HERE}/blocks/a", mine | {"version": "1"})
    assert answer.status == 409
    assert "Ben deleted this block" in answer.text
    again = mine | {"version": answer.field("version"), "prefer": "mine"}
    await author.post(f"{HERE}/blocks/a", again)
    assert await words(ground) == ["Mine", "B"]


async def test_what_somebody_wrote_on_meanwhile_is_not_deleted_by_a_stale_button(
    ground: Ground, web: Web
) -> None:
    author = await author_of(ground, web, blocks=[text_block("A", id="a"), text_block("B")])
    ben = written(blocks=[text_block("Ben's", id="a"), text_block("B")])
    await bulletins.save(ground, actor=BEN, bulletin_id=1, version=1, document=ben)
    answer = await author.post(
        f"{HERE}/arrange", {"action": "delete", "block": "a", "version": "1"}
    )
    assert answer.status == 409
    assert "Ben saved this bulletin" in answer.text
    assert await words(ground) == ["Ben's", "B"]


async def test_a_picture_is_uploaded_with_its_block(ground: Ground, web: Web) -> None:
    author = await author_of(ground, web, blocks=[])
    for content, status in ((b"<svg/>", 422), (newsroom.png(), 303)):
        form = aiohttp.FormData()
        for name, value in {"kind": "image", "version": "1", "alt-en": "A red box"}.items():
            form.add_field(name, value)
        form.add_field("file", content, filename="box.png", content_type="image/png")
        answer = await author.post(f"{HERE}/blocks/new", form)
        assert answer.status == status
        assert status == 303 or "A red box" in answer.text
    (block,) = (await document(ground)).blocks
    assert isinstance(block, block_models.Image)
    assert (await web.get(f"/pictures/{block.picture}")).body == newsroom.png()


async def test_foreign_merge_tags_are_converted_with_a_word_about_the_unknown(
    ground: Ground, web: Web
) -> None:
    author = await author_of(ground, web, blocks=[])
    pasted = {"kind": "rich_text", "html-en": "<p>Dear *|FNAME|* of *|TEAM|*</p>"}
    answer = await add(author, pasted)
    assert answer.status == 303
    assert await words(ground) == ["Dear [subscriber.first_name] of *|TEAM|*"]
    assert "*|TEAM|*" in (await author.get(HERE)).text


async def test_the_preview_shows_each_edition_as_html_and_text_light_and_dark(
    ground: Ground, web: Web
) -> None:
    author = await author_of(ground, web)
    page = (await author.get(f"{HERE}/preview?language=es&width=phone&scheme=dark")).text
    assert "Lo que pasó" in page
    assert 'data-width="phone"' in page
    assert 'src="/staff/bulletins/1/mail?language=es&amp;scheme=dark"' in page
    text = (await author.get(f"{HERE}/preview?part=text")).text
    assert "Hello" in text
    light = await author.get(f"{HERE}/mail?scheme=light")
    dark = await author.get(f"{HERE}/mail?language=es&scheme=dark")
    assert "Hola" in dark.text
    assert "@media all" in dark.text
    assert "@media not all" in light.text
    assert "prefers-color-scheme: dark" not in light.text
    assert "sandbox" in dark.headers["Content-Security-Policy"]
    assert "allow-scripts" not in dark.headers["Content-Security-Policy"]


async def test_a_bulletin_that_can_not_be_made_says_why_in_the_preview(
    ground: Ground, web: Web
) -> None:
    author = await author_of(ground, web, blocks=[text_block("{{ subscriber.nme }}")])
    answer = await author.get(f"{HERE}/preview")
    assert answer.status == 422
    assert "subscriber.nme" in answer.text
    assert "block 1" in (await author.get(HERE)).text


async def test_a_test_goes_to_oneself_in_each_language_and_counts_nowhere(
    ground: Ground, web: Web, smtp: Catcher
) -> None:
    author = await author_of(ground, web)
    assert (await author.post(f"{HERE}/test")).status == 303
    assert [each.rcpt_to for each in smtp.messages] == ["author@coalition.example"] * 2
    subjects = [each.parsed["Subject"] for each in smtp.messages]
    assert subjects == ["[Test] What happened", "[Test] Lo que pasó"]


async def test_an_earlier_version_can_come_back(ground: Ground, web: Web) -> None:
    author = await author_of(ground, web)
    changed = written(blocks=[text_block("Changed")])
    await bulletins.save(ground, actor=BEN, bulletin_id=1, version=1, document=changed)
    page = (await author.get(f"{HERE}/versions")).text
    for changed_words in ("<del>", "Hello", "<ins>", "Changed", "From version 1 to version 2"):
        assert changed_words in page
    answer = await author.post(f"{HERE}/versions", {"version": "2", "wanted": "1"})
    assert answer.status == 303
    assert await words(ground) == ["Hello"]


async def test_a_bulletin_is_taken_along_as_a_document(ground: Ground, web: Web) -> None:
    author = await author_of(ground, web)
    answer = await author.get(f"{HERE}/document")
    assert documents.parse(answer.text) == await document(ground)
    assert "attachment" in answer.headers["Content-Disposition"]


async def test_a_viewer_looks_and_changes_nothing(ground: Ground, web: Web) -> None:
    await author_of(ground, web, blocks=[text_block("A", id="a")])
    viewer = await web.as_staff(Role.VIEWER)
    for path in ("/staff/bulletins", HERE, f"{HERE}/preview", f"{HERE}/versions"):
        page = await viewer.get(path)
        assert page.status == 200
        assert "/arrange" not in page.text
    for path in ("/arrange", "/head", "/blocks/new", "/blocks/a", "/test", "/versions", "/delete"):
        assert (await viewer.post(f"{HERE}{path}", TEXT)).status == 403


SEEN_BY: list[tuple[dict[str, str], dict[str, Any]]] = [
    (
        {"seen_by": "only_to", "towns": "Worcester\n  San   Juan, Lynn,", "postal_codes": "016"},
        {"only_to": {"towns": ["Worcester", "San Juan", "Lynn"], "postal_codes": ["016"]}},
    ),
    ({"seen_by": "all_but", "members": "1"}, {"all_but": {"members": True}}),
    ({"seen_by": "everybody", "towns": " ", "postal_codes": ","}, {}),
]


@pytest.mark.parametrize(("typed", "kept"), SEEN_BY)
async def test_who_sees_a_block_is_chosen_on_its_form_and_read_back(
    ground: Ground, web: Web, typed: dict[str, str], kept: dict[str, Any]
) -> None:
    author = await author_of(ground, web, blocks=[])
    assert (await add(author, TEXT | typed)).status == 303
    (block,) = documents.dump(await document(ground))["blocks"]
    assert {key: block[key] for key in ("only_to", "all_but") if key in block} == kept
    page = await author.get(f"{HERE}/blocks/{block['id']}")
    (towns,) = re.findall(r'<textarea[^>]* name="towns"[^>]*>([^<]*)', page.text)
    again = {"towns": towns, "postal_codes": page.field("postal_codes")}
    again |= {"seen_by": typed["seen_by"], "members": typed.get("members", "")}
    answer = await author.post(f"{HERE}/blocks/{block['id']}", TEXT | again | {"version": "2"})
    assert answer.status == 303
    assert documents.dump(await document(ground))["blocks"] == [block]


async def test_a_line_can_be_for_some_people_too(ground: Ground, web: Web) -> None:
    author = await author_of(ground, web, blocks=[{"kind": "divider", "id": "a"}])
    assert "/blocks/a" in (await author.get(HERE)).text
    changed = {"kind": "divider", "version": "1", "seen_by": "only_to", "members": "1"}
    assert (await author.post(f"{HERE}/blocks/a", changed)).status == 303
    assert "Only for: coalition members" in (await author.get(HERE)).text


@pytest.mark.parametrize(
    "typed",
    [
        {"seen_by": "only_to"},
        {"seen_by": "all_but", "towns": " , "},
        {"seen_by": "everybody", "towns": "Worcester"},
        {"postal_codes": "016"},
        {"members": "1"},
    ],
)
async def test_a_choice_that_does_not_fit_the_people_named_is_asked_about(
    ground: Ground, web: Web, typed: dict[str, str]
) -> None:
    author = await author_of(ground, web)
    answer = await add(author, TEXT | typed)
    assert answer.status == 422
    assert 'href="#f-seen_by"' in answer.text
    assert len((await document(ground)).blocks) == 1
