"""Several people write in one bulletin at once, take steps back, and find earlier versions."""

from datetime import date
from typing import Any

import pytest

from campaigns import (
    bulletins,
    composer,
    composing,
    documents,
    merging,
    version_changes,
    versions,
)
from campaigns.documents import Document
from campaigns.merging import Prefer
from campaigns.models import Bulletin, Campaign, CampaignState
from foundation import errors
from foundation.accounts.models import Role
from foundation.audit import Actor
from foundation.ground import Ground
from tests.campaigns import newsroom
from tests.campaigns.newsroom import ANA, BEN, text_block, written
from tests.world import people
from tests.world.clock import FakeClock
from tests.world.web import Answer, Web

HERE = "/staff/bulletins/1"
SCRIPT = {"headers": {"Accept": "application/json", "HX-Request": "true"}}


async def kept(ground: Ground) -> Bulletin:
    async with ground.db.reading() as session:
        return await bulletins.get(session, 1)


async def said(ground: Ground, language: str = "en") -> list[str]:
    document = bulletins.document_of(await kept(ground))
    return [composer.excerpt(block, language) for block in document.blocks]


async def save(ground: Ground, actor: Actor, version: int, document: Document) -> composing.Saved:
    return await composing.save(
        ground, actor=actor, bulletin_id=1, version=version, change=lambda _: document
    )


def three(*words: str) -> list[Any]:
    return [text_block(each, f"{each} en español", id=each[0].lower()) for each in words]


def with_text(document: Document, block: str, language: str, html: str) -> Document:
    values = documents.dump(document)
    for each in values["blocks"]:
        if each["id"] == block:
            each["texts"][language] = {"html": f"<p>{html}</p>"}
    return documents.parse(values)


@pytest.mark.storage
async def test_two_people_in_different_blocks_or_languages_both_keep_their_words(
    ground: Ground,
) -> None:
    await newsroom.issue(ground)
    base = written(blocks=three("A", "B", "C"))
    await newsroom.bulletin(ground, base)
    await save(ground, ANA, 1, with_text(base, "a", "en", "Ana's"))
    done = await save(ground, BEN, 1, with_text(base, "a", "es", "De Ben"))
    assert (done.before, done.bulletin.version) == (2, 3)
    await save(ground, BEN, 1, with_text(base, "c", "en", "Ben's"))
    moved = composer.reorder(base, ["c", "a", "b"])
    await save(ground, ANA, 1, composer.arrange(moved, action="delete", block_id="b"))
    assert await said(ground) == ["Ben's", "Ana's"]
    assert await said(ground, "es") == ["C en español", "De Ben"]


@pytest.mark.storage
async def test_the_same_words_by_both_are_shown_to_choose_from_and_nothing_is_overwritten(
    ground: Ground, web: Web
) -> None:
    await newsroom.issue(ground)
    base = written(blocks=three("A", "B"))
    await newsroom.bulletin(ground, base)
    await save(ground, BEN, 1, with_text(base, "a", "en", "Ben's words"))
    author = await web.as_staff(Role.AUTHOR)
    mine = {
        "kind": "rich_text",
        "version": "1",
        "html-en": "<p>My words</p>",
        "html-es": "<p>Mis palabras</p>",
    }
    answer = await author.post(f"{HERE}/blocks/a", mine, **SCRIPT)
    assert answer.status == 409
    assert "Ben" in answer.json()["said"]
    for words in ("My words", "Ben&#39;s words", "Keep mine"):
        assert words in answer.json()["clash"]
    assert "Mis palabras" not in answer.json()["clash"]
    assert await said(ground) == ["Ben's words", "B"]
    theirs = await author.post(f"{HERE}/blocks/a", mine | {"prefer": "theirs"}, **SCRIPT)
    assert theirs.json()["values"] == {"html-en": "<p>Ben's words</p>"}
    assert await said(ground, "es") == ["Mis palabras", "B en español"]
    chosen = await author.post(f"{HERE}/blocks/a", mine | {"prefer": "mine"}, **SCRIPT)
    assert chosen.status == 200
    assert await said(ground) == ["My words", "B"]


async def test_a_script_that_saves_hears_only_what_others_changed_in_its_form(
    ground: Ground, web: Web
) -> None:
    await newsroom.issue(ground)
    base = written(blocks=three("A"))
    await newsroom.bulletin(ground, base)
    author = await web.as_staff(Role.AUTHOR)
    mine = {"kind": "rich_text", "version": "1", "html-en": "<p>Mine</p>"}
    mine["html-es"] = "<p>A en español</p>"
    first = (await author.post(f"{HERE}/blocks/a", mine, **SCRIPT)).json()
    assert (first["before"], first["version"], first["values"]) == (1, 2, {})
    assert first["said"].startswith("Saved at 10:00")
    same = (await author.post(f"{HERE}/blocks/a", mine | {"version": "2"}, **SCRIPT)).json()
    assert (same["before"], same["version"]) == (2, 2)
    newest = bulletins.document_of(await kept(ground))
    await save(ground, BEN, 2, with_text(newest, "a", "es", "De Ben"))
    heard = (await author.get(f"{HERE}/blocks/a?since=2", **SCRIPT)).json()
    assert (heard["version"], heard["values"]) == (3, {"html-es": "<p>De Ben</p>"})
    wrong = await author.post(
        f"{HERE}/blocks/a", mine | {"version": "3", "seen_by": "only_to"}, **SCRIPT
    )
    assert wrong.status == 422
    assert wrong.json()["said"].startswith("Not saved: ")
    assert "seen_by" in wrong.json()["problems"]


def test_whoever_deletes_what_another_wrote_on_is_asked_either_way() -> None:
    base = written(blocks=three("A", "B"))
    changed = with_text(base, "a", "en", "New words")
    gone = composer.arrange(base, action="delete", block_id="a")
    for mine, theirs in ((gone, changed), (changed, gone)):
        (clash,) = merging.merge(base, mine, theirs, Prefer.NOBODY).clashes
        assert (clash.block, clash.field) == ("a", "")
    back = merging.merge(base, changed, gone, Prefer.MINE).document
    assert [each.id for each in back.blocks] == ["a", "b"]
    assert merging.merge(base, gone, changed, Prefer.MINE).document == gone


def test_blocks_that_both_moved_and_added_all_have_a_place() -> None:
    base = written(blocks=three("A", "B", "C", "D"))
    mine = composer.insert(composer.reorder(base, ["d", "a", "b", "c"]), base.blocks[0], after="b")
    theirs = composer.insert(composer.reorder(base, ["b", "a", "c", "d"]), base.blocks[0])
    merged = merging.merge(base, mine, theirs, Prefer.NOBODY)
    assert not merged.clashes
    ids = [each.id for each in merged.document.blocks]
    assert sorted(ids) == sorted({*(b.id for b in mine.blocks), *(b.id for b in theirs.blocks)})
    assert ids[0] == "d"
    assert ids.index("b") < ids.index("a") < ids.index("c")


async def test_a_step_is_taken_back_and_made_again_without_losing_anothers_words(
    ground: Ground, web: Web
) -> None:
    await newsroom.issue(ground)
    base = written(blocks=three("A", "B"))
    await newsroom.bulletin(ground, base)
    author = await web.as_staff(Role.AUTHOR)
    delete = {"version": "1", "action": "delete", "block": "a"}
    page = await author.post(f"{HERE}/arrange", delete, headers={"HX-Request": "true"})
    assert 'data-before="1"' in page.text
    assert await said(ground) == ["B"]
    now = bulletins.document_of(await kept(ground))
    await save(ground, BEN, 2, with_text(now, "b", "en", "Ben's"))
    assert (await author.post(f"{HERE}/undo", {"before": "1", "after": "2"})).status == 303
    assert await said(ground) == ["A", "Ben's"]
    assert (await author.post(f"{HERE}/undo", {"before": "3", "after": "4"})).status == 303
    assert await said(ground) == ["Ben's"]
    refused = await author.post(f"{HERE}/undo", {"before": "2", "after": "3"})
    assert refused.status == 303
    assert await said(ground) == ["B"]
    await save(ground, BEN, 6, with_text(now, "b", "en", "Another's"))
    refused = await author.post(f"{HERE}/undo", {"before": "3", "after": "6"})
    assert refused.status == 409
    assert "without losing words" in refused.text
    assert await said(ground) == ["Another's"]


@pytest.mark.storage
async def test_of_a_sitting_the_last_state_is_kept_and_what_was_approved_for_good(
    ground: Ground, clock: FakeClock
) -> None:
    await newsroom.issue(ground)
    bulletin = await newsroom.bulletin(ground, written(blocks=three("A")))

    async def write(actor: Actor, words: str) -> None:
        now = await kept(ground)
        document = with_text(bulletins.document_of(now), "a", "en", words)
        await save(ground, actor, now.version, document)

    async def history() -> list[int]:
        async with ground.db.reading() as session:
            found = await versions.listed(session, await bulletins.get(session, 1))
        return [each.version for each in found]

    for number in range(5):
        clock.advance(minutes=2)
        await write(ANA, f"Ana {number}")
    assert await history() == []
    async with ground.db.transaction() as session:
        session.add(
            Campaign(
                bulletin_id=bulletin.id,
                name="x",
                state=CampaignState.APPROVED.value,
                approved_version=6,
                created_at=clock.now(),
                updated_at=clock.now(),
            )
        )
    clock.advance(minutes=2)
    await write(ANA, "After it was approved")
    await write(BEN, "Ben in between")
    await write(ANA, "Ana again")
    assert await history() == [8, 6]
    async with ground.db.reading() as session:
        assert (await versions.at(session, await kept(ground), 3)).name == "October"
    clock.advance(hours=2)
    await write(BEN, "Much later")
    assert await history() == [9, 8, 6]
    async with ground.db.reading() as session:
        with pytest.raises(errors.NotFound):
            await versions.at(session, await kept(ground), 3)


async def test_whoever_is_in_a_bulletin_is_seen_with_their_block_until_they_leave(
    ground: Ground, web: Web, clock: FakeClock
) -> None:
    await newsroom.issue(ground)
    await newsroom.bulletin(ground, written(blocks=three("A", "B")))
    ana = await web.as_staff(Role.AUTHOR, email="ana@coalition.example")
    ben = await web.as_staff(Role.TRANSLATOR, email="ben@coalition.example")

    async def here(who: Web, **fields: str) -> Answer:
        return await who.post(f"{HERE}/here", fields)

    assert (await here(ana, seat="1", block="a")).json()["others"] == []
    (other,) = (await here(ben, seat="2")).json()["others"]
    assert other["block"] == "a"
    assert [each["block"] for each in (await here(ana, seat="3")).json()["others"]] == ["a", ""]
    await here(ben, seat="1", block="b")
    assert {each["block"] for each in (await here(ben, seat="2")).json()["others"]} == {"a", ""}
    await here(ana, seat="1", leaving="1")
    clock.advance(seconds=10)
    await here(ben, seat="2")
    clock.advance(seconds=15)
    told = (await here(ana, seat="3")).json()
    assert len(told["others"]) == 1
    assert told["version"] == 1


async def test_the_preview_shows_what_is_typed_and_keeps_nothing(ground: Ground, web: Web) -> None:
    await newsroom.issue(ground)
    await newsroom.picture(ground)
    image = {"kind": "image", "picture": "figures.png", "texts": {"en": {"alt": "Bars"}}}
    only = {**text_block("To Lynn", "A Lynn", id="l"), "only_to": {"towns": ["Lynn"]}}
    await newsroom.bulletin(ground, written(blocks=[*three("A"), image, only]))
    viewer = await web.as_staff(Role.VIEWER)
    typed = {"typed_in": "a", "kind": "rich_text", "html-en": "<p>As it is typed</p>"}
    told = (await viewer.post(f"{HERE}/draft", typed)).json()
    assert "As it is typed" in told["html"]
    assert "As it is typed" in told["texts"]["text"]
    assert (told["texts"]["subject"], told["texts"]["behind"]) == ("What happened", "In October")
    looked = {"look_language": "es", "look_scheme": "dark", "look_images": "off"}
    told = (await viewer.post(f"{HERE}/draft", looked)).json()
    assert told["lang"] == "es"
    assert "@media all" in told["html"]
    assert " src=" not in told["html"]
    head = {"typed_in": "head", "name": "x", "editions": "en", "subject-en": "A new subject"}
    told = (await viewer.post(f"{HERE}/draft", head | {"template": "bulletin"})).json()
    assert told["texts"]["subject"] == "A new subject"
    assert "A" in told["texts"]["behind"]
    wrong = typed | {"html-en": "<p>{{ subscriber.nme }}</p>"}
    assert "subscriber.nme" in (await viewer.post(f"{HERE}/draft", wrong)).json()["problem"]
    assert (await kept(ground)).version == 1


async def test_the_preview_is_seen_as_somebody_of_those_whom_the_bulletin_is_for(
    ground: Ground, web: Web
) -> None:
    await newsroom.issue(ground)
    only = {**text_block("To Lynn", "A Lynn", id="l"), "only_to": {"towns": ["Lynn"]}}
    await newsroom.bulletin(ground, written(blocks=[*three("A"), only]))
    viewer = await web.as_staff(Role.VIEWER)
    nobody = (await viewer.post(f"{HERE}/somebody")).json()
    assert (nobody["reader"], nobody["said"]) == (None, "Nobody would get this bulletin yet.")
    await people.subscribed(ground, "far@example.org", town="Boston")
    somebody = (await viewer.post(f"{HERE}/somebody")).json()
    assert somebody["said"] == "far@example.org"
    looked = {"look_reader": str(somebody["reader"])}
    assert "To Lynn" not in (await viewer.post(f"{HERE}/draft", looked)).json()["html"]
    unknown = (await viewer.post(f"{HERE}/somebody", {"email": "no@example.org"})).json()
    assert unknown["reader"] is None


def test_versions_are_compared_in_words_block_by_block_and_language_by_language(
    ground: Ground,
) -> None:
    speaks = ground.translator("en")
    before = written(blocks=three("A", "B", "C", "D"))
    now = with_text(before, "a", "es", "A en otro idioma")
    now = composer.arrange(now, action="delete", block_id="b")
    now = composer.reorder(now, ["a", "d", "c"])
    added = documents.parse_block({"kind": "heading", "texts": {"en": {"text": "New"}}})
    now = composer.insert(now, added)
    parts = version_changes.between(before, now, speaks)
    told = [(each.place, each.kind.value) for each in parts]
    assert told[0] == (1, "changed")
    assert [kind for _, kind in told[1:]] == ["moved", "added", "removed"]
    assert told[2:] == [(4, "added"), (2, "removed")]
    (text,) = parts[0].texts
    words = [(each.kind.value, each.words) for each in text.pieces]
    assert (text.language, words) == (
        "es",
        [("kept", "A en "), ("removed", "español"), ("added", "otro idioma")],
    )
    assert version_changes.between(now, now, speaks) == []


async def test_what_is_pinned_stands_first_before_all_since_the_last_bulletin(
    ground: Ground, web: Web
) -> None:
    issue = await newsroom.issue(ground)
    other = await newsroom.issue(ground, slug="other")
    for day in (10, 20, 25):
        draft = newsroom.news(f"On day {day}", day=date(2026, 10, day), key=f"d{day}")
        await newsroom.development(ground, issue, draft)
    old = newsroom.news("Long ago", day=date(2026, 1, 5), key="old")
    await newsroom.development(ground, other, old)
    await newsroom.bulletin(ground, written(blocks=[{"kind": "developments", "id": "d"}]))
    author = await web.as_staff(Role.AUTHOR)
    page = (await author.get(f"{HERE}/blocks/d")).text
    assert 'data-value="2026-10-03"' in page
    assert page.index('value="d25"') < page.index('value="old"')
    fields = {"kind": "developments", "version": "1", "since": "2026-10-15", "limit": "9"}
    answer = await author.post(f"{HERE}/blocks/d", fields | {"keys": ["old", "d20"]})
    assert answer.status == 303
    text = (await author.post(f"{HERE}/draft")).json()["texts"]["text"]
    places = [text.index(words) for words in ("Long ago", "On day 20", "On day 25")]
    assert places == sorted(places)
    assert "On day 10" not in text
    assert text.count("On day 20: told") == 1
    assert "2 chosen, All since" in (await author.get(HERE)).text
