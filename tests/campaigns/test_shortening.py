"""A development's own words in one bulletin: shown everywhere, translated, undone by emptying."""

import json
from typing import Any

import pytest

from campaigns import (
    bulletins,
    compiling,
    composing,
    development_drafts,
    developments,
    documents,
    shortening_pages,
    translating,
)
from campaigns.documents import Document
from campaigns.merging import Prefer
from campaigns.preflight import checklist
from foundation.accounts.models import Role
from foundation.ground import Ground
from templates import kept
from tests.campaigns import newsroom
from tests.campaigns.newsroom import ANA, BEN, written
from tests.world.web import Web

BLOCK = {"kind": "developments", "id": "news", "keys": ["1", "2"]}
HERE = "/staff/bulletins/1/blocks/news"
WORDS = f"{HERE}/words/1"


async def document(ground: Ground) -> Document:
    async with ground.db.reading() as session:
        return bulletins.document_of(await bulletins.get(session, 1))


async def told(ground: Ground, language: str = "en") -> str:
    """Every form of the mail in a language, and its page in the archive."""
    async with ground.db.reading() as session:
        bulletin = await bulletins.get(session, 1)
        made = await compiling.compile_editions(ground, session, bulletin)
    values = dict.fromkeys(made[language].plan.slot_names, "https://x.example/")
    plan, edition = made[language].plan, made[language].resolved.edition
    return plan.html(values) + plan.text(values) + json.dumps(kept.kept(edition, values))


async def waits(ground: Ground) -> list[str]:
    """What the list before sending says of own words."""
    async with ground.db.reading() as session:
        _, found = await checklist.of_bulletin(ground, session, await bulletins.get(session, 1))
    speaks = ground.translator("en")
    return [each.say(speaks) for each in found if each.code == "shortened-behind"]


async def desk(ground: Ground, headline: str, summary: str) -> None:
    """The desk changes what it says of the first development in English."""
    async with ground.db.reading() as session:
        present = await developments.get(session, 1)
    texts = {**present.texts, "en": {"headline": headline, "summary": f"<p>{summary}</p>"}}
    await developments.update(
        ground,
        actor=BEN,
        development_id=1,
        version=present.version,
        draft=development_drafts.draft_of(present, texts=texts),
    )


@pytest.fixture
async def bulletin(ground: Ground) -> None:
    """A bulletin with two developments, the second of which the desk has in English alone."""
    issue = await newsroom.issue(ground)
    await newsroom.development(ground, issue, newsroom.news())
    second = newsroom.news("A ruling in Boston", spanish=None)
    await newsroom.development(ground, issue, second)
    await newsroom.bulletin(ground, written(blocks=[BLOCK]))


def short(number: str, **texts: Any) -> dict[str, Any]:
    return {number: {"texts": {code: {"headline": words} for code, words in texts.items()}}}


@pytest.mark.storage
@pytest.mark.usefixtures("bulletin")
async def test_own_words_stand_in_every_form_of_the_mail_until_they_are_emptied(
    ground: Ground, web: Web
) -> None:
    author = await web.as_staff(Role.AUTHOR)
    assert WORDS in (await author.get("/staff/bulletins/1")).text
    page = await author.get(WORDS)
    assert "A meeting in Chelsea: told." in page.text, "the desk's text stands beside"
    sent = {
        "version": page.field("version"),
        "headline-en": "Chelsea met",
        "summary_html-en": "<p>Briefly.<script>x</script></p>",
    }
    assert (await author.post(WORDS, sent)).status == 303
    mail = await told(ground)
    assert mail.count("Chelsea met") >= 3
    assert "Briefly." in mail
    assert "A meeting in Chelsea" not in mail
    assert "<script>" not in mail
    assert "Una reunión en Chelsea" in await told(ground, "es"), "there the desk's own text stays"
    async with ground.db.reading() as session:
        assert (await developments.get(session, 1)).texts["en"]["headline"] == (
            "A meeting in Chelsea"
        )
    assert "Own words" in (await author.get(HERE)).text

    # What is asked elsewhere is not lost when the block's own form is saved.
    form = {"version": "2", "kind": "developments", "keys": "1", "title-en": "News"}
    await author.post(HERE, form)
    assert "Chelsea met" in await told(ground)
    await author.post(WORDS, {"version": "3"})
    assert "A meeting in Chelsea" in await told(ground)
    assert (await document(ground)).desk_said == {}


@pytest.mark.usefixtures("bulletin")
async def test_own_words_are_translated_and_stand_alone_where_the_desk_has_nothing(
    ground: Ground, web: Web
) -> None:
    own = short("2", en="Boston ruled")
    own["1"] = {"texts": {"en": {"summary_html": "<p>So<script>x</script> said.</p>"}}}
    changed = {**BLOCK, "short": own}
    await bulletins.save(
        ground, actor=ANA, bulletin_id=1, version=1, document=written(blocks=[changed])
    )
    (block,) = (await document(ground)).blocks
    assert "script" not in block.model_dump_json(), "what a program brings is cleaned as well"
    spanish = await told(ground, "es")
    assert "Boston ruled" in spanish, "the source's own words stand in for the desk's"
    assert "(in English)" in spanish or "(en inglés)" in spanish
    (progress,) = translating.progress(await document(ground))
    translator = await web.as_staff(Role.TRANSLATOR)
    where = "/staff/bulletins/1/translate"
    page = await translator.get(f"{where}?language=es")
    assert 't-news.short.2"' in page.text
    sent = {"version": "2", "source_version": "2", "language": "es"}
    await translator.post(where, sent | {"news.short.2:headline": "Boston falló"})
    (after,) = translating.progress(await document(ground))
    assert (progress.missing, after.missing) == (2, 1)
    spanish = await told(ground, "es")
    assert "Boston falló" in spanish
    assert "A ruling in Boston: told." not in spanish, "no other language beside own words"
    assert "(en inglés)" not in spanish


@pytest.mark.usefixtures("bulletin")
async def test_own_words_are_looked_at_again_when_the_desk_changes_what_they_stand_for(
    ground: Ground, web: Web
) -> None:
    changed = {**BLOCK, "short": short("1", en="Chelsea met")}
    await bulletins.save(
        ground, actor=ANA, bulletin_id=1, version=1, document=written(blocks=[changed])
    )
    await desk(ground, "A meeting in Chelsea", "Told anew.")
    assert await waits(ground) == [], "the summary is still the desk's, and goes along"
    await desk(ground, "The meeting in Chelsea was called off", "Told anew.")
    assert await waits(ground) == [
        "Block 1 tells of “Chelsea met” in its own words; the desk's text was changed since."
    ]
    author = await web.as_staff(Role.AUTHOR)
    assert "The desk's text changed" in (await author.get("/staff/bulletins/1")).text
    assert "<del>" in (await author.get(WORDS)).text
    # Saving something else is no look at it; what a script brings along is not believed.
    stale = {**changed, "texts": {"en": {"title": "News"}}}
    notes = {"en": {"news.short.1": {"headline": "The meeting in Chelsea was called off"}}}
    await bulletins.save(
        ground,
        actor=ANA,
        bulletin_id=1,
        version=2,
        document=written(blocks=[stale], desk_said=notes),
    )
    assert await waits(ground)
    await author.post(f"{WORDS}/right", {})
    assert await waits(ground) == []
    await desk(ground, "The meeting is on", "Told anew.")
    again = {**changed, "short": short("1", en="Chelsea meets")}
    await bulletins.save(
        ground, actor=ANA, bulletin_id=1, version=4, document=written(blocks=[again])
    )
    assert await waits(ground) == [], "whoever writes them anew has read the desk's text"


@pytest.mark.usefixtures("bulletin")
async def test_two_who_shorten_two_developments_at_once_both_keep_their_words(
    ground: Ground,
) -> None:
    async def save(actor: Any, **own: Any) -> composing.Saved:
        made = documents.parse_block({**BLOCK, "short": own["short"]})
        return await composing.save(
            ground,
            actor=actor,
            bulletin_id=1,
            version=1,
            change=lambda seen: seen.with_blocks([made]),
            prefer=Prefer.NOBODY,
        )

    await save(ANA, short=short("1", en="Chelsea met", es="Chelsea se reunió"))
    await save(BEN, short=short("2", en="Boston ruled"))
    (block,) = (await document(ground)).blocks
    assert {name: set(own.texts) for name, own in block.short.items()} == {  # type: ignore[union-attr]
        "1": {"en", "es"},
        "2": {"en"},
    }
    with pytest.raises(composing.Clashing) as clash:
        await save(BEN, short=short("1", en="They met in Chelsea"))
    assert [(each.block, each.language, each.field) for each in clash.value.clashes] == [
        ("news", "en", "headline")
    ]
    assert shortening_pages.SPECS, "the fields have names of their own, by which a clash is told"
