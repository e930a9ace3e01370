"""Words, fields, editions, pictures, weight and audience: each line says what is the matter."""

import dataclasses
import random
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from campaigns import audiences, bulletins, compiling, documents, lifecycle, pictures
from campaigns.documents import Document
from campaigns.models import Campaign
from campaigns.preflight import checklist, items, overlap, reading, words
from campaigns.preflight.items import Item
from foundation import errors
from foundation.audit import COMMAND
from foundation.findings import Tone
from foundation.ground import Ground
from templates import palette
from templates.plan import Plan
from tests.campaigns import newsroom
from tests.world import campaigning, people
from tests.world.clock import FakeClock


def document(
    *blocks: Mapping[str, Any], heads: Mapping[str, Any] | None = None, **texts: str
) -> Document:
    """A bulletin with a text in each language of `texts`, and more blocks."""
    text = {"kind": "rich_text", "id": "text", "texts": {c: {"html": t} for c, t in texts.items()}}
    head = {
        "subject": "What happened in October",
        "preheader": "What happened this month, and what comes next",
    }
    return documents.parse(
        {
            "name": "News",
            "default_language": "en",
            "editions": {code: head | dict((heads or {}).get(code, {})) for code in texts},
            "blocks": [text, *blocks],
        }
    )


async def campaign_of(ground: Ground, kept: Document) -> Campaign:
    return await campaigning.of_blocks(ground, kept)


async def lines(ground: Ground, campaign: Campaign, code: str) -> list[Item]:
    found = await checklist.check(ground, campaign_id=campaign.id)
    for each in found:
        assert each.say(ground.translator("es"))
        assert each.place is None or each.place.say(ground.translator("es"))
    return [each for each in found if each.code == code]


async def read_with(
    ground: Ground, campaign: Campaign, changed: Callable[[Plan], Plan]
) -> list[Item]:
    """How it reads if the compiler had made another plan of the Spanish edition."""
    async with ground.db.reading() as session:
        bulletin = await bulletins.get(session, campaign.bulletin_id)
        looked = await compiling.look(ground, session, bulletin)
    made = looked.editions["es"]
    other = dataclasses.replace(made, plan=changed(made.plan))
    return reading.look(
        ground, bulletin, dataclasses.replace(looked, editions={**looked.editions, "es": other})
    )


PLAIN = "<p>This is what the coalition did, and what it will do next month.</p>"
LLANO = "<p>Esto es lo que hizo la coalición, y lo que hará el mes que viene.</p>"


@pytest.mark.parametrize(
    "text",
    [
        "Lorem ipsum dolor",
        "We meet on [date] at noon",
        "Dear [first name],",
        "See [insert link]",
        "Nos vemos el [fecha]",
        "Escriba a [nombre]",
        "TK from Ana",
        "TKTK",
        "Texto de relleno",
        "[añadir foto]",
        "TODO: ask Ben",
    ],
)
def test_what_nobody_means_to_send_is_sure(text: str) -> None:
    assert any(pattern.search(text) for pattern in words.SURE), text


@pytest.mark.parametrize(
    "text",
    [
        "He said [sic] so",
        "[Video] A new film",
        "The ticket office",
        "siglo XX",
        "a dated letter",
        "[…] and so on",
        "El texto de la ley",
        "todo: ya está",
    ],
)
def test_ordinary_words_are_left_alone(text: str) -> None:
    assert not any(pattern.search(text) for pattern in words.SURE), text


@pytest.mark.parametrize("text", ["XXX people", "XX de diciembre", "TBD", "por definir", "____"])
def test_what_may_be_meant_is_doubted(text: str) -> None:
    assert any(pattern.search(text) for pattern in words.DOUBTFUL), text


@pytest.mark.storage
async def test_words_left_to_be_filled_in_stop_it_and_lead_to_their_block(ground: Ground) -> None:
    campaign = await campaign_of(
        ground, document(en=f"{PLAIN}<p>Come on [date].</p>", es=f"{LLANO}<p>XXX personas</p>")
    )
    found = await lines(ground, campaign, "placeholder")
    assert [(each.tone, each.values["typed"]) for each in found] == [
        (Tone.BAD, "[date]"),
        (Tone.WARN, "XXX"),
    ]
    assert found[0].place is not None
    assert found[0].place.path.endswith("/blocks/text")
    assert not items.is_clear(found)


async def test_subjects_and_preheaders_have_a_length_that_inboxes_show(ground: Ground) -> None:
    heads = {
        "en": {"subject": "A" * 70, "preheader": "Read on"},
        "es": {"preheader": "p" * 140},
    }
    campaign = await campaign_of(ground, document(en=PLAIN, es=LLANO, heads=heads))
    for code, language in (
        ("subject-long", "en"),
        ("preheader-short", "en"),
        ("preheader-long", "es"),
    ):
        (line,) = await lines(ground, campaign, code)
        assert line.values["language"] == language
        assert line.place is not None
        field = code.partition("-")[0]
        assert line.place.path.endswith(f"/head#f-{field}-{language}")
    twice = {"subject": "The same in both of these places", "preheader": ""}
    twice["preheader"] = twice["subject"]
    other = await campaign_of(ground, document(en=PLAIN, es=LLANO, heads={"es": twice}))
    assert [each.about for each in await lines(ground, other, "preheader-repeats")] == ["es"]


async def test_a_promise_of_an_attachment_without_a_handout_is_pointed_out(
    ground: Ground,
) -> None:
    campaign = await campaign_of(
        ground,
        document(en=f"{PLAIN}<p>See the attached form.</p>", es=f"{LLANO}<p>Va adjunto.</p>"),
    )
    found = await lines(ground, campaign, "attached")
    assert [each.values["typed"] for each in found] == ["attached", "adjunto"]
    issue = await newsroom.issue(ground)
    await newsroom.handout(ground, issue, languages=("en", "es"))
    handout = {"kind": "material", "material": "intake-form"}
    kept = document(handout, en=f"{PLAIN}<p>See the attached form.</p>", es=LLANO)
    with_issue = kept.model_copy(update={"issue": "secure-communities"})
    assert await lines(ground, await campaign_of(ground, with_issue), "attached") == []


@pytest.mark.storage
async def test_a_field_that_leaves_a_hole_is_told_with_how_many_have_none(ground: Ground) -> None:
    await people.subscribed(ground, "a@example.org", first_name="Ana")
    await people.subscribed(ground, "b@example.org")
    await people.subscribed(ground, "c@example.org")
    campaign = await campaign_of(
        ground,
        document(en=f"<p>Dear {{{{ subscriber.first_name }}}},</p>{PLAIN}", es=LLANO),
    )
    (line,) = await lines(ground, campaign, "field-without-default")
    assert line.say(ground.translator("en")) == (
        "Nothing stands in for {{ subscriber.first_name }}, and 2 people have none."
    )
    kept = document(
        en='<p>Dear {{ subscriber.first_name | default_if_blank("friend") }},</p>' + PLAIN,
        es=LLANO,
    )
    other = await campaign_of(ground, kept)
    assert await lines(ground, other, "field-without-default") == []


@pytest.mark.storage
async def test_an_edition_that_was_left_behind_is_found_until_it_says_the_same_again(
    ground: Ground,
) -> None:
    campaign = await campaign_of(ground, document(en=PLAIN, es=LLANO))

    async def saved(version: int, kept: Document) -> None:
        await bulletins.save(
            ground,
            actor=COMMAND,
            bulletin_id=campaign.bulletin_id,
            version=version,
            document=kept,
        )

    await saved(1, document(en=PLAIN.replace("<p>", "<p><strong>", 1), es=LLANO))
    assert await lines(ground, campaign, "stale-edition") == []
    await saved(2, document(en=PLAIN.replace("next month", "on December 4"), es=LLANO))
    (line,) = await lines(ground, campaign, "stale-edition")
    assert (line.tone, line.values["language"], line.values["other"]) == (Tone.WARN, "es", "en")
    assert line.place is not None
    assert line.place.path.endswith("/blocks/text")
    await saved(
        3,
        document(
            en=PLAIN.replace("next month", "on December 4"),
            es=LLANO.replace("el mes que viene", "el 4 de diciembre"),
        ),
    )
    assert await lines(ground, campaign, "stale-edition") == []


async def test_headings_pictures_and_weight_are_looked_at(ground: Ground) -> None:
    picture = await newsroom.picture(ground)
    lonely = {
        "kind": "heading",
        "texts": {"en": {"text": "At the end"}, "es": {"text": "Al final"}},
    }
    alts = {"en": {"alt": "Two bars"}, "es": {"alt": "Dos barras"}}
    image = {"kind": "image", "picture": picture.digest, "texts": alts}
    campaign = await campaign_of(ground, document(image, lonely, en=PLAIN, es=LLANO))
    assert len(await lines(ground, campaign, "heading-alone")) == 2
    assert [each.tone for each in await lines(ground, campaign, "pictures")] == [Tone.GOOD]
    assert {each.tone for each in await lines(ground, campaign, "weight")} == {Tone.GOOD}
    heavy = document(en="<p>" + "words " * 7000 + "</p>", es=LLANO)
    blocks = [
        {"kind": "rich_text", "texts": {"en": {"html": "<p>" + "words " * 8000 + "</p>"}}}
    ] * 3
    large = await campaigning.of_blocks(ground, heavy, *blocks)
    tones = {each.values["language"]: each.tone for each in await lines(ground, large, "weight")}
    assert tones == {"en": Tone.BAD, "es": Tone.GOOD}
    half = {"kind": "rich_text", "texts": {"en": {"html": "<p>" + "words " * 7000 + "</p>"}}}
    near = await campaign_of(ground, document(half, half, en=PLAIN, es=LLANO))
    tones = {each.values["language"]: each.tone for each in await lines(ground, near, "weight")}
    assert tones == {"en": Tone.WARN, "es": Tone.GOOD}


async def test_a_field_that_nobody_has_stops_it_for_good_and_leads_to_its_block(
    ground: Ground,
) -> None:
    await people.subscribed(ground)
    campaign = await campaign_of(
        ground, document(en=f"{PLAIN}<p>{{{{ subscriber.shoe_size }}}}</p>", es=LLANO)
    )
    (line,) = await lines(ground, campaign, "error")
    assert (line.tone, line.is_final) == (Tone.BAD, True)
    assert "subscriber.shoe_size" in line.say(ground.translator("en"))
    assert line.place is not None
    assert line.place.path.endswith("/blocks/text")
    with pytest.raises(errors.Refused, match=r"subscriber\.shoe_size"):
        await lifecycle.approve(ground, actor=COMMAND, campaign_id=campaign.id)


async def test_a_picture_without_words_and_heavy_ones_of_our_own_are_pointed_out(
    ground: Ground,
) -> None:
    noise = random.Random(1)
    digests = []
    for _ in range(3):
        extra = newsroom.chunk(b"IDAT", noise.randbytes(450 * 1024))
        digests.append(await newsroom.old_picture(ground, newsroom.png(1300, 1, extra=extra), 1300))
    images = [{"kind": "image", "picture": each, "texts": {"en": {"alt": ""}}} for each in digests]
    campaign = await campaign_of(ground, document(*images, en=PLAIN, es=LLANO))
    lacking = await lines(ground, campaign, "picture-without-words")
    assert [(each.tone, each.is_final) for each in lacking] == [(Tone.BAD, False)] * 6
    said = "The picture in block 2 says nothing in Spanish to who can't see it."
    assert any(each.say(ground.translator("en")).startswith(said) for each in lacking)
    async with ground.db.reading() as session:
        bulletin = await bulletins.get(session, campaign.bulletin_id)
        with pytest.raises(errors.Refused, match="says nothing in es"):
            await checklist.refuse_red(ground, session, campaign, bulletin)
        first, second, _ = [await pictures.find(session, each) for each in digests]
    assert first
    assert second
    for picture, alts in ((first, {}), (second, {"en": "Noise"})):
        await pictures.describe(
            ground,
            actor=COMMAND,
            picture_id=picture.id,
            alts=alts,
            is_decorative=not alts,
            focus=(50, 50),
        )
    left = await lines(ground, campaign, "picture-without-words")
    assert sorted(each.about.split(":")[:2] for each in left) == [
        ["en", "4"],
        ["es", "3"],
        ["es", "4"],
    ], "what only decorates needs no words"
    for code, count in (("picture-heavy", 3), ("picture-wide", 3), ("pictures-heavy", 1)):
        found = await lines(ground, campaign, code)
        assert [each.tone for each in found] == [Tone.WARN] * count, code


async def test_who_listens_is_not_lost_among_headings_or_without_any(ground: Ground) -> None:
    def heading(level: int) -> dict[str, Any]:
        texts = {"en": {"text": "Under it"}, "es": {"text": "Debajo"}}
        return {"kind": "heading", "level": level, "texts": texts}

    text = {"kind": "rich_text", "texts": {"en": {"html": PLAIN}, "es": {"html": LLANO}}}
    long = await campaign_of(ground, document(en=PLAIN * 20, es=LLANO))
    assert [each.about for each in await lines(ground, long, "no-headings")] == ["en"]
    good = await campaign_of(ground, document(heading(2), text, en=PLAIN * 20, es=LLANO))
    assert [each.tone for each in await lines(ground, good, "headings")] == [Tone.GOOD]
    assert await lines(ground, good, "no-headings") == []
    html = ("<h1>Title</h1><h3>Under it</h3>",)
    torn = await read_with(ground, good, lambda plan: dataclasses.replace(plan, html_segments=html))
    assert [each.tone for each in torn if each.code == "headings"] == [Tone.WARN]


@pytest.mark.settings(site={"accent": "#ffe600"})
async def test_letters_that_are_too_faint_stop_it_and_a_bright_accent_is_made_readable(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = await campaign_of(ground, document(en=PLAIN, es=LLANO))
    assert [each.tone for each in await lines(ground, campaign, "contrast")] == [Tone.GOOD]
    faint = dataclasses.replace(palette.dark("#ffe600"), muted="#555555")
    monkeypatch.setattr(palette, "dark", lambda _: faint)
    (line,) = await lines(ground, campaign, "contrast")
    assert line.tone is Tone.BAD
    assert line.place is not None
    assert line.place.path == "/staff/settings#site-accent"


async def test_a_plan_without_a_text_part_stops_it(ground: Ground) -> None:
    campaign = await campaign_of(ground, document(en=PLAIN, es=LLANO))
    assert [each.tone for each in await lines(ground, campaign, "text-part")] == [Tone.GOOD]
    found = await read_with(
        ground, campaign, lambda plan: dataclasses.replace(plan, text_segments=())
    )
    assert [(each.about, each.tone) for each in found if each.code == "text-part"] == [
        ("es", Tone.BAD)
    ]


async def test_a_mail_that_says_next_to_nothing_is_pointed_out(ground: Ground) -> None:
    campaign = await campaign_of(ground, document(en="<p>Look!</p>", es=LLANO))
    (line,) = await lines(ground, campaign, "text-part")
    assert (line.tone, line.values["count"]) == (Tone.WARN, 1)


@pytest.mark.storage
async def test_an_audience_ten_times_the_last_is_a_surprise(ground: Ground) -> None:
    await people.subscribed(ground, "first@example.org")
    await campaigning.started(ground, name="First", links=())
    for number in range(9):
        await people.subscribed(ground, f"more{number}@example.org")
    campaign = await campaign_of(ground, document(en=PLAIN, es=LLANO))
    (line,) = await lines(ground, campaign, "audience-surprise")
    assert (line.values["last"], line.values["count"]) == (1, 10)


@pytest.mark.storage
async def test_who_gets_another_campaign_within_a_day_is_counted(
    ground: Ground, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        await people.subscribed(ground, f"{name}@example.org")
    await people.subscribed(ground, "c@example.org", topics=["action-alerts"])
    sent, _ = await campaigning.started(ground, name="Yesterday", links=())
    coming = await campaigning.approved(ground, name="Tomorrow", links=())
    moment = (clock.now() + timedelta(hours=20)).strftime("%Y-%m-%dT%H:%M")
    await lifecycle.schedule(ground, actor=COMMAND, campaign_id=coming.id, at=moment, zone="UTC")
    campaign = await campaign_of(ground, document(en=PLAIN, es=LLANO))
    found = {
        each.about: each.values.get("count") for each in await lines(ground, campaign, "overlap")
    }
    assert found == {str(sent.id): 2, str(coming.id): 2}
    monkeypatch.setattr(overlap, "LOOKED_AT", 1)
    said = [each.say(ground.translator("en")) for each in await lines(ground, campaign, "overlap")]
    assert "Of 2 people who were looked at, 2 get “Yesterday” within a day, too." in said
    clock.advance(days=3)
    assert [each.tone for each in await lines(ground, campaign, "overlap")] == [Tone.GOOD]
    other = await campaigning.draft(ground, topics=("action-alerts",), name="Alert", links=())
    await lifecycle.approve(ground, actor=COMMAND, campaign_id=other.id)
    await lifecycle.start(ground, actor=COMMAND, campaign_id=other.id)
    (line,) = await lines(ground, campaign, "overlap")
    assert (line.tone, line.values) == (Tone.NEUTRAL, {"most": 2}), "others may get both"
    monkeypatch.undo()
    assert [each.tone for each in await lines(ground, campaign, "overlap")] == [Tone.GOOD]


async def test_a_relay_that_is_gone_or_nobody_at_all_can_not_be_overridden(ground: Ground) -> None:
    campaign = await campaigning.draft(ground, links=())
    (line,) = await lines(ground, campaign, "audience")
    assert (line.tone, line.is_final) == (Tone.BAD, True)
    gone = await lifecycle.create(
        ground,
        actor=COMMAND,
        bulletin_id=campaign.bulletin_id,
        name="Other",
        audience=audiences.Audience(topics=["secure-communities"]),
    )
    async with ground.db.transaction() as session:
        kept = await session.get(Campaign, gone.id)
        assert kept is not None
        kept.relay = "was-there-once"
        session.add(kept)
    (line,) = await lines(ground, gone, "relay")
    assert (line.tone, line.is_final) == (Tone.BAD, True)
