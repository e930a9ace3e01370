"""Bulletins in pairs of languages: what is left behind, what is kept of two who write at once."""

from typing import Any

import pytest

from campaigns import bulletins, documents, translating, translation_saving, word_changes
from campaigns.documents import Document
from campaigns.translating import State
from campaigns.translation_saving import Kept
from foundation import errors
from foundation.ground import Ground
from tests.campaigns import newsroom
from tests.campaigns.newsroom import ANA, BEN, written

PLACE = "text"


def told(english: str, spanish: str = "<p>Hola a todos.</p>", **more: Any) -> Document:
    texts = {"en": {"html": english}, "es": {"html": spanish}}
    block = {"kind": "rich_text", "id": PLACE, "texts": texts}
    return written(blocks=[block], issue="", **more)


def side(document: Document, place: str = PLACE) -> translating.Side:
    return next(each for each in translating.sides(document, "es") if each.place == place)


async def document(ground: Ground) -> Document:
    async with ground.db.reading() as session:
        return bulletins.document_of(await bulletins.get(session, 1))


async def save(ground: Ground, version: int, changed: Document) -> Document:
    saved = await bulletins.save(
        ground, actor=ANA, bulletin_id=1, version=version, document=changed
    )
    return bulletins.document_of(saved)


async def translate(ground: Ground, version: int, html: str = "", **more: Any) -> Kept:
    return await translation_saving.keep(
        ground,
        actor=BEN,
        bulletin_id=1,
        version=version,
        language="es",
        texts={PLACE: {"html": html}} if html else {},
        **more,
    )


@pytest.mark.storage
async def test_a_changed_source_leaves_the_other_side_behind_until_it_is_changed_or_called_right(
    ground: Ground,
) -> None:
    await newsroom.bulletin(ground, told("<p>Hello to all.</p>"))
    same = await save(ground, 1, told("<p>hello to <strong>all</strong></p>"))
    assert side(same).state is State.DONE, "capitals, signs and looks say nothing else"

    moved = await save(ground, 2, told("<p>Hello to all but Ben.</p>"))
    assert side(moved).state is State.BEHIND
    assert [each.behind for each in translating.progress(moved)] == [1]
    again = await save(ground, 3, told("<p>Hello to all but Ana.</p>"))
    ((name, pieces),) = side(again).changes
    said = [(each.kind.value, each.words.strip()) for each in pieces]
    assert (name, said) == (
        "html",
        [("kept", "Hello to all"), ("added", "but Ana.")],
    ), "it is compared with what it was made from, not with the last version"

    back = await save(ground, 4, told("<p>Hello to all.</p>"))
    assert side(back).state is State.DONE
    await save(ground, 5, told("<p>Good morning.</p>"))
    right = await translate(ground, 6, right=[PLACE])
    assert side(bulletins.document_of(right.bulletin)).state is State.DONE

    both = await save(ground, 7, told("<p>Good evening.</p>", "<p>Buenas noches.</p>"))
    assert side(both).state is State.DONE
    behind = await save(ground, 8, told("<p>Good night.</p>", "<p>Buenas noches.</p>"))
    assert documents.parse(documents.as_json(behind)).behind == behind.behind
    restored = await bulletins.restore(ground, actor=ANA, bulletin_id=1, version=9, wanted=4)
    assert side(bulletins.document_of(restored)).was == {
        "html": "<p>hello to <strong>all</strong></p>"
    }


@pytest.mark.storage
async def test_two_who_write_at_once_lose_nothing_and_only_the_same_text_is_asked_about(
    ground: Ground,
) -> None:
    await newsroom.bulletin(ground, told("<p>Hello.</p>"))
    # While Ben translates version 1, Ana changes its source and the other subject.
    editions = {"en": {"subject": "New"}, "es": {"subject": "Nuevo"}}
    await save(ground, 1, told("<p>Hello again.</p>", editions=editions))
    merged = await translate(ground, 1, "<p>Muy buenas.</p>")
    now = bulletins.document_of(merged.bulletin)
    assert (side(now).target, now.editions["es"].subject) == (
        {"html": "<p>Muy buenas.</p>"},
        "Nuevo",
    )
    assert side(now).was == {"html": "<p>Hello.</p>"}, "it was made from the source as it was"

    # Both change the same side: what is kept stays, and what was written is handed back.
    clash = await translate(ground, 1, "<p>Otra vez.</p>")
    assert clash.theirs == {PLACE: {"html": "<p>Muy buenas.</p>"}}
    # So it is over a version that was thinned out since: what stood there is not known any more.
    old = await translate(ground, 99, "<p>Muy viejas.</p>", right=[PLACE])
    assert list(old.theirs) == [PLACE]
    assert side(await document(ground)).target == {"html": "<p>Muy buenas.</p>"}
    assert side(await document(ground)).state is State.BEHIND


async def test_merge_fields_are_those_of_the_source_and_whole(ground: Ground) -> None:
    await newsroom.bulletin(
        ground, told("<p>Hello {{ subscriber.first_name }}.</p>", "<p>Hola.</p>")
    )
    more = "<p>{{ subscriber.first_name }} {{ subscriber.email }}</p>"
    for wrong in (
        more,
        "<p>Buenas.</p>",
        "<p>{{ subscriber.email }}</p>",
        "<p>{{ subscriber.fir</p>",
    ):
        refused = await translate(ground, 1, wrong)
        assert list(refused.problems) == [(PLACE, "html")], wrong
        for problem in refused.problems.values():
            assert problem.say(ground.translator("es"))
    right = '<p>Buenas, {{ subscriber.first_name | default_if_blank("vecina") }}.</p>'
    assert not (await translate(ground, 1, right)).problems


async def test_a_translation_changes_the_texts_of_its_language_alone(ground: Ground) -> None:
    event = {
        "kind": "event",
        "id": "event",
        "starts_at": "2026-12-01T18:30",
        "texts": {"en": {"title": "A meeting", "place": "Library", "url": "https://a.example/"}},
    }
    await newsroom.bulletin(ground, written(blocks=[event], issue=""))
    before = await document(ground)
    assert side(before, "event").state is State.MISSING
    kept = await translation_saving.keep(
        ground,
        actor=BEN,
        bulletin_id=1,
        version=1,
        language="es",
        texts={
            "event": {"title": "Una reunión", "place": "Biblioteca", "starts_at": "2027-01-01"},
            "head.subject": {"text": "Vengan", "title": "?"},
            "head.preheader": {},
            "elsewhere": {"title": "?"},
        },
    )
    after = bulletins.document_of(kept.bulletin)
    assert translating.without(after, "es") == translating.without(before, "es")
    assert side(after, "event").state is State.DONE, "an address of its own is not needed"
    assert after.editions["es"].model_dump() == before.editions["es"].model_dump() | {
        "subject": "Vengan"
    }
    with pytest.raises(errors.NotFound):
        translation_saving.check_language(after, "en")


def test_a_link_is_read_with_its_address() -> None:
    html = '<p>See <a href="https://a.example/">the page</a>.</p><ul><li>One</li><li>Two</li></ul>'
    words = word_changes.readable("html", html)
    assert words == "See the page (https://a.example/). One Two"
    other = word_changes.readable("html", html.replace("a.example", "b.example"))
    assert not word_changes.says_the_same(words, other)


async def test_entries_of_a_list_are_translated_one_by_one(ground: Ground) -> None:
    entries = [{"title": "Know your rights", "url": "https://a.example/"}, {"title": "Call"}]
    block = {"kind": "links", "id": "links", "texts": {"en": {"title": "More", "items": entries}}}
    await newsroom.bulletin(ground, written(blocks=[block], issue=""))
    kept = await translation_saving.keep(
        ground,
        actor=BEN,
        bulletin_id=1,
        version=1,
        language="es",
        texts={"links": {"title": "Más", "items.1.title": "Llame", "items.7.title": "?"}},
    )
    half = side(bulletins.document_of(kept.bulletin), "links")
    assert half.state is State.MISSING
    assert half.target == {
        "title": "Más",
        "items.0.url": "https://a.example/",
        "items.1.title": "Llame",
    }, "an address that nobody typed is the source's"
