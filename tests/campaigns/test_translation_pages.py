"""The translator's pages: source beside translation, its texts alone, and who may do what."""

import json
from typing import Any

import pytest

from campaigns import bulletins, developments, documents, snippets, translating
from campaigns.translating import State
from foundation.accounts.models import Role
from foundation.ground import Ground
from tests.campaigns import newsroom
from tests.campaigns.newsroom import ANA, text_block, written
from tests.world.web import Web

HERE = "/staff/bulletins/1/translate"


async def document(ground: Ground) -> documents.Document:
    async with ground.db.reading() as session:
        return bulletins.document_of(await bulletins.get(session, 1))


async def write(ground: Ground, version: int, **changes: Any) -> None:
    await bulletins.save(
        ground, actor=ANA, bulletin_id=1, version=version, document=written(issue="", **changes)
    )


async def test_a_translator_writes_the_texts_of_a_language_and_nothing_else(
    ground: Ground, web: Web
) -> None:
    blocks = [
        text_block("Hello", id="text"),
        {
            "kind": "action",
            "id": "go",
            "url": "https://a.example/",
            "texts": {"en": {"label": "Come"}},
        },
    ]
    await newsroom.bulletin(ground, written(issue="", blocks=blocks))
    viewer = await web.as_staff(Role.VIEWER)
    assert (await viewer.get(f"{HERE}?language=es")).status == 403
    translator = await web.as_staff(Role.TRANSLATOR)
    page = await translator.get(f"{HERE}?language=es")
    assert 'id="t-text"' in page.text
    assert "2 of 4 texts, 2 are missing" in page.text
    assert page.field("head.subject:text") == "Lo que pasó"
    assert (await translator.get(f"{HERE}?language=en")).status == 404

    sent = {
        "version": page.field("version"),
        "source_version": page.field("version"),
        "language": "es",
        "text:html": "<p>Hola<script>x</script></p>",
        "go:label": "Vengan",
        "go:url": "nowhere",
        "go:only_to": "x",
    }
    refused = await translator.post(HERE, sent)
    assert refused.status == 422
    assert "Vengan" in refused.text, "what was typed is still there"
    kept = await document(ground)
    assert kept.blocks[0].texts["es"].html == "<p>Hola</p>"  # type: ignore[union-attr]
    long = {"head.subject:text": "y" * 301, "go:label": "z" * 301, "version": "2"}
    told = await translator.post(HERE, sent | long | {"go:url": ""})
    assert told.status == 422
    assert "This is too long: at most 300 characters." in told.text
    assert told.field("head.subject:text") == "y" * 301
    assert told.field("go:label") == "z" * 301
    saved = await translator.post(HERE, sent | {"go:url": "https://es.example/", "version": "2"})
    assert saved.location == f"{HERE}?language=es"
    assert [each.waiting for each in translating.progress(await document(ground))] == [0]
    for path in ("/staff/bulletins/1/head", "/staff/bulletins/1/blocks/text"):
        assert (await translator.post(path, {"version": "3"})).status == 403


async def test_a_side_that_is_behind_is_shown_where_it_is_met_and_called_right(
    ground: Ground, web: Web
) -> None:
    await newsroom.bulletin(ground, written(issue="", blocks=[text_block("Two", "Dos", id="text")]))
    await write(ground, 1, blocks=[text_block("Three", "Dos", id="text")])
    translator = await web.as_staff(Role.TRANSLATOR)
    for path in ("/staff/bulletins/1", f"{HERE}?language=es"):
        page = await translator.get(path)
        assert "<del>" in page.text
        assert "Two" in page.text
        assert "1 is behind" in page.text
    assert "1 is behind" in (await translator.get("/staff/bulletins")).text
    side = {"version": "2", "language": "es", "place": "text"}
    assert (await translator.post(f"{HERE}/right", side | {"place": "x" * 9_000})).status == 422
    right = await translator.post(f"{HERE}/right", side)
    assert right.location == "/staff/bulletins/1#block-text"
    assert "is behind" not in (await translator.get("/staff/bulletins/1")).text


async def test_a_script_hears_what_became_of_each_text(ground: Ground, web: Web) -> None:
    await newsroom.bulletin(ground, written(issue="", blocks=[text_block("Two", "Dos", id="text")]))
    translator = await web.as_staff(Role.TRANSLATOR)

    async def send(version: int, text: str) -> dict[str, Any]:
        answer = await translator.post(
            HERE,
            {"version": version, "source_version": "1", "language": "es", "text:html": text},
            headers={"Accept": "application/json"},
        )
        return dict(json.loads(answer.text))

    first = await send(1, "<p>Los dos.</p>")
    assert (first["version"], first["states"]) == (2, {"text": "done"})
    # The source moves on while the page is open: what is written on was made from the old one.
    await write(ground, 2, blocks=[text_block("Three", "Los dos.", id="text")])
    second = await send(2, "<p>Los dos, otra vez.</p>")
    assert second["states"] == {"text": State.BEHIND}
    third = await send(4, "<p>Los dos, de nuevo.</p>")
    assert third["states"] == {"text": State.BEHIND}, "nobody has read the new source yet"
    late = await send(1, "<p>Ambos.</p>")
    assert late["theirs"] == {"text": {"html": "<p>Los dos, de nuevo.</p>"}}
    assert (await send(5, "<p>{{ nothing }}</p>"))["problems"]["text:html"]


@pytest.mark.storage
async def test_all_that_waits_is_in_one_list_and_leaves_it_when_it_is_translated(
    ground: Ground, web: Web
) -> None:
    issue = await newsroom.issue(ground)
    await newsroom.bulletin(ground, written(blocks=[text_block("Two")]))
    await newsroom.development(ground, issue, newsroom.news(spanish=None))
    translator = await web.as_staff(Role.TRANSLATOR)
    assert "2 wait" in (await translator.get("/staff")).text, "it is the first that they see"
    await newsroom.sent(ground, document=written(name="Long gone", blocks=[text_block("Past")]))
    page = await translator.get("/staff/translations")
    assert "/staff/bulletins/1/translate?language=es" in page.text
    assert "Long gone" not in page.text
    one = "/staff/translations/development/1"
    assert f"{one}?language=es" in page.text
    assert f"{one}?language=en" not in page.text

    opened = await translator.get(f"{one}?language=es")
    sent = {
        "language": "es",
        "before": opened.field("before"),
        "headline-es": "Una reunión",
        "summary-es": "<p>Contado.</p>",
        "headline-en": "Changed",
        "is_published": "",
    }
    saved = await translator.post(one, sent)
    assert saved.location == "/staff/translations#w-es"
    async with ground.db.reading() as session:
        kept = await developments.get(session, 1)
    assert (kept.texts["es"]["headline"], kept.is_published) == ("Una reunión", True)
    assert kept.texts["en"]["headline"] == "A meeting in Chelsea"
    assert one not in (await translator.get("/staff/translations")).text
    late = await translator.post(one, sent | {"headline-es": "La reunión"})
    assert late.status == 409
    assert late.field("headline-es") == "La reunión"
    assert "Una reunión" in late.text
    assert (await translator.get(f"{one}?language=en")).status == 404
    assert (await (await web.as_staff(Role.VIEWER)).get(f"{one}?language=es")).status == 403


async def test_a_snippet_is_translated_with_the_merge_fields_of_its_source(
    ground: Ground, web: Web
) -> None:
    texts = {"en": {"title": "More", "items": [{"title": "Call", "url": "https://a.example/"}]}}
    block = documents.parse_block({"kind": "links", "texts": texts})
    await snippets.create(ground, actor=ANA, name="Where to call", block=block)
    greeting = {"en": {"html": "<p>Dear {{ subscriber.first_name }},</p>"}}
    hello = documents.parse_block({"kind": "rich_text", "texts": greeting})
    await snippets.create(ground, actor=ANA, name="Greeting", block=hello)
    translator = await web.as_staff(Role.TRANSLATOR)
    assert "Where to call" in (await translator.get("/staff/translations")).text
    one = "/staff/translations/snippet/1"
    page = await translator.get(f"{one}?language=es")
    sent = {"language": "es", "before": page.field("before"), "title-es": "Más"}
    assert (await translator.post(one, sent | {"items.0.title-es": "Llame"})).status == 303
    async with ground.db.reading() as session:
        kept = snippets.block_of(await snippets.get(session, 1))
    (entry,) = kept.texts["es"].items  # type: ignore[union-attr]
    assert entry.model_dump(exclude_defaults=True) == {
        "title": "Llame",
        "url": "https://a.example/",
    }
    other = {"language": "es", "before": "{}", "html-es": "<p>Hola:</p>"}
    refused = await translator.post("/staff/translations/snippet/2", other)
    assert refused.status == 422
    assert "subscriber.first_name" in refused.text
