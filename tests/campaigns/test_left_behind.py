"""Developments, handouts and snippets whose source was changed and whose translation was not."""

import html
import json
from typing import Any

import pytest

from campaigns import (
    bulletins,
    development_drafts,
    developments,
    documents,
    left_behind,
    materials,
    snippets,
)
from campaigns.left_behind import WORDS, Change
from campaigns.models import Development
from campaigns.preflight import checklist
from foundation.accounts.models import Role
from foundation.findings import Tone
from foundation.ground import Ground
from tests.campaigns import newsroom
from tests.campaigns.newsroom import ANA, BEN, text_block, written
from tests.world.web import Answer, Web

STORY = "/staff/translations/development/1"


def hidden(page: Answer) -> dict[str, str]:
    """How the texts were when the page was made, which it sends along."""
    return {name: html.unescape(page.field(name)) for name in ("before", "read")}


async def rewritten(ground: Ground, **texts: dict[str, str]) -> Development:
    """The first development with other texts in some languages."""
    async with ground.db.reading() as session:
        present = await developments.get(session, 1)
    return await developments.update(
        ground,
        actor=BEN,
        development_id=1,
        version=present.version,
        draft=development_drafts.draft_of(present, texts={**present.texts, **texts}),
    )


async def amber(ground: Ground) -> list[tuple[str, str]]:
    """What the list before sending says of translations, with where each is mended."""
    async with ground.db.reading() as session:
        _, found = await checklist.of_bulletin(ground, session, await bulletins.get(session, 1))
    speaks = ground.translator("en")
    items = [each for each in found if each.code == "translation-behind"]
    assert all(each.tone is Tone.WARN for each in items)
    return [(each.say(speaks), each.place.path if each.place else "") for each in items]


@pytest.mark.storage
async def test_what_was_left_behind_is_shown_wherever_it_is_met_until_somebody_looks_at_it(
    ground: Ground, web: Web
) -> None:
    issue = await newsroom.issue(ground)
    await newsroom.development(ground, issue, newsroom.news())
    blocks = [{"kind": "developments", "keys": ["1"]}]
    await newsroom.bulletin(ground, written(blocks=blocks))
    summary = "<p>A meeting in Chelsea: told.</p>"
    await rewritten(ground, en={"headline": "A MEETING in Chelsea!", "summary": summary})
    assert await amber(ground) == [], "capitals and signs are no other words"
    await rewritten(ground, en={"headline": "A meeting in Lynn", "summary": summary})

    said = "Block 1: the source of “Una reunión en Chelsea” was changed, but Spanish was not."
    assert await amber(ground) == [(said, f"{STORY}?language=es")]
    translator, author = await web.as_staff(Role.TRANSLATOR), await web.as_staff(Role.AUTHOR)
    assert said in (await author.get("/staff/bulletins/1")).text
    assert "<del>" in (await author.get("/staff/issues/1/developments/1")).text
    assert "Source changed" in (await translator.get("/staff/translations")).text
    page = await translator.get(f"{STORY}?language=es")
    assert "<del>" in page.text
    typed = {
        "language": "es",
        "headline-es": "Una reunión en Chelsea",
        "summary-es": "<p>Una reunión en Chelsea: contado.</p>",
        **hidden(page),
    }
    await translator.post(STORY, typed)
    assert await amber(ground), "whoever saved the same words has not said that they are right"

    # The source moves on while the page is open: what is written was made from what was read.
    await rewritten(ground, en={"headline": "A meeting in Salem", "summary": summary})
    await translator.post(STORY, typed | {"headline-es": "Una reunión en Lynn"})
    assert await amber(ground)
    newest = await translator.get(f"{STORY}?language=es")
    assert "Lynn" in newest.text
    right = typed | hidden(newest) | {"right": WORDS}
    await translator.post(STORY, right | {"headline-es": "Una reunión en Lynn"})
    assert await amber(ground) == []
    assert STORY not in (await translator.get("/staff/translations")).text


async def test_a_handout_is_left_behind_by_its_words_and_by_its_file(
    ground: Ground, web: Web
) -> None:
    issue = await newsroom.issue(ground)
    handout = await newsroom.handout(ground, issue, languages=("en", "es"))
    await newsroom.bulletin(
        ground, written(blocks=[{"kind": "material", "material": "intake-form"}])
    )
    await materials.put_file(
        ground,
        actor=ANA,
        material_id=handout.id,
        language="en",
        file_name="form-en.pdf",
        content=newsroom.PDF + b"A new edition",
    )
    one = f"/staff/translations/material/{handout.id}"
    assert [path for _, path in await amber(ground)] == [f"{one}?language=es"]
    translator = await web.as_staff(Role.TRANSLATOR)
    page = await translator.get(f"{one}?language=es")
    assert "The file of the source was replaced." in page.text
    kept = json.loads(hidden(page)["before"])
    typed = {"language": "es", **{f"{name}-es": text for name, text in kept.items()}}
    await translator.post(one, typed | hidden(page) | {"right": materials.FILE})
    assert await amber(ground) == []

    texts = {**handout.texts, "en": {"title": "The short form", "description": "Line by line."}}
    await materials.update(
        ground, actor=ANA, material_id=handout.id, draft=materials.Draft(texts=texts)
    )
    assert await amber(ground)
    texts["es"] = {"title": "La ficha breve", "description": "Renglón por renglón."}
    await materials.update(
        ground, actor=ANA, material_id=handout.id, draft=materials.Draft(texts=texts)
    )
    assert await amber(ground) == []


async def test_a_snippet_is_left_behind_as_a_block_is(ground: Ground, web: Web) -> None:
    await newsroom.issue(ground)

    async def save(version: int, english: str, spanish: str) -> None:
        await snippets.save(
            ground,
            actor=ANA,
            snippet_id=1,
            version=version,
            name="About us",
            block=documents.parse_block(text_block(english, spanish)),
        )

    block = documents.parse_block(text_block("We are six", "Somos seis"))
    made = await snippets.create(ground, actor=ANA, name="About us", block=block)
    await newsroom.bulletin(ground, written(blocks=[{"kind": "snippet", "snippet": made.key}]))
    await save(1, "We are seven", "Somos seis")
    assert [path for _, path in await amber(ground)] == [
        "/staff/translations/snippet/1?language=es"
    ]
    author = await web.as_staff(Role.AUTHOR)
    assert "<del>" in (await author.get("/staff/snippets/1")).text
    await snippets.restore(ground, actor=ANA, snippet_id=1, version=2, wanted=1)
    assert await amber(ground) == [], "the source says again what it said"
    await save(3, "We are eight", "Somos seis")
    await save(4, "We are eight", "Somos ocho")
    assert await amber(ground) == []


def test_what_was_translated_from_another_language_is_not_behind_the_new_source() -> None:
    def texts(**sides: str) -> Any:
        return {WORDS: {code: {"title": words} for code, words in sides.items()}}

    spanish = texts(es="Una reunión", pt="Uma reunião")
    moved = Change(before=spanish, after=texts(es="Otra", pt="Uma reunião"), noted={}, seen={})
    behind = left_behind.of_thing(moved, default="en")
    assert behind == {"pt": {WORDS: {"title": "Una reunión"}}}
    now = texts(en="A meeting", es="Otra", pt="Uma reunião")
    english = Change(before=moved.after, after=now, noted=behind, seen={})
    assert left_behind.of_thing(english, default="en") == {}
