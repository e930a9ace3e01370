import asyncio
from datetime import date, datetime
from typing import Any

import pytest
from sqlmodel import col, select

from campaigns import block_content, bulletins, compiling, documents, issues, versions
from campaigns.findings import Finding
from campaigns.models import Campaign, CampaignState
from foundation import errors
from foundation.audit import AuditEntry
from foundation.ground import Ground
from templates import problems
from templates.plan import Plan
from tests.campaigns import newsroom
from tests.campaigns.newsroom import ANA, BEN, text_block, written
from tests.world.clock import FakeClock


async def compiled(ground: Ground, **changes: Any) -> dict[str, Plan]:
    bulletin = await newsroom.bulletin(ground, written(**changes))
    async with ground.db.reading() as session:
        return await compiling.compile_plans(ground, session, bulletin)


async def findings(ground: Ground, document: documents.Document) -> dict[str, Finding]:
    bulletin = await newsroom.bulletin(ground, document)
    async with ground.db.reading() as session:
        found = await compiling.concerns(ground, session, bulletin)
    return {each.code: each for each in found}


def html(plan: Plan) -> str:
    return plan.html(dict.fromkeys(plan.slot_names, ""))


def text(plan: Plan) -> str:
    return plan.text(dict.fromkeys(plan.slot_names, ""))


@pytest.mark.storage
async def test_the_second_of_two_editors_is_told_what_the_first_kept(ground: Ground) -> None:
    await newsroom.issue(ground)
    bulletin = await newsroom.bulletin(ground)
    ana = written(blocks=[text_block("Ana's words")])
    ben = written(blocks=[text_block("Ben's words")])
    await bulletins.save(ground, actor=ANA, bulletin_id=bulletin.id, version=1, document=ana)
    with pytest.raises(bulletins.SavedByOther) as caught:
        await bulletins.save(ground, actor=BEN, bulletin_id=bulletin.id, version=1, document=ben)
    assert caught.value.bulletin.version == 2
    assert "Ana's words" in str(caught.value.bulletin.document)
    assert "Ana" in str(caught.value)
    async with ground.db.reading() as session:
        kept = await bulletins.get(session, bulletin.id)
    assert "Ana's words" in str(kept.document)


@pytest.mark.storage
async def test_every_earlier_state_is_kept_and_can_come_back(
    ground: Ground, clock: FakeClock
) -> None:
    await newsroom.issue(ground)
    bulletin = await newsroom.bulletin(ground)
    for number in (1, 2):
        clock.advance(minutes=16)
        await bulletins.save(
            ground,
            actor=ANA,
            bulletin_id=bulletin.id,
            version=number,
            document=written(name=f"Name {number}"),
        )
    async with ground.db.reading() as session:
        earlier = await versions.listed(session, await bulletins.get(session, bulletin.id))
    assert [(each.version, each.name) for each in earlier] == [(2, "Name 1"), (1, "October")]
    back = await bulletins.restore(ground, actor=BEN, bulletin_id=bulletin.id, version=3, wanted=1)
    assert (back.name, back.version, back.updated_by) == ("October", 4, "Ben")
    async with ground.db.reading() as session:
        assert len(await versions.listed(session, await bulletins.get(session, bulletin.id))) == 3
        log = (await session.exec(select(AuditEntry.action).order_by(col(AuditEntry.id)))).all()
    assert log.count("bulletin.saved") == 3


@pytest.mark.storage
async def test_a_bulletin_that_a_campaign_uses_is_not_deleted(ground: Ground) -> None:
    await newsroom.issue(ground)
    used, unused = await newsroom.bulletin(ground), await newsroom.bulletin(ground)
    now = ground.clock.now()
    async with ground.db.transaction() as session:
        session.add(
            Campaign(
                bulletin_id=used.id,
                name="x",
                state=CampaignState.DRAFT,
                created_at=now,
                updated_at=now,
            )
        )
    with pytest.raises(errors.Refused):
        await bulletins.delete(ground, actor=ANA, bulletin_id=used.id)
    await bulletins.delete(ground, actor=ANA, bulletin_id=unused.id)


async def test_a_language_that_the_site_does_not_have_is_refused(ground: Ground) -> None:
    await newsroom.issue(ground)
    with pytest.raises(errors.Invalid, match="“fr”"):
        await newsroom.bulletin(ground, written(editions={"fr": {"subject": "Bonjour"}}))


async def test_an_issue_that_is_not_there_is_named(ground: Ground) -> None:
    with pytest.raises(errors.NotFound, match="secure-communities"):
        await newsroom.bulletin(ground)


@pytest.mark.storage
async def test_each_edition_becomes_a_plan_and_no_link_has_the_number_of_another(
    ground: Ground,
) -> None:
    await newsroom.issue(ground)
    links = [
        text_block('<a href="https://a.example/">a</a>', '<a href="https://a.example/es">a</a>'),
        {
            "kind": "action",
            "url": "https://b.example/",
            "texts": {"en": {"label": "Go"}, "es": {"label": "Ir", "url": "https://c.example/"}},
        },
    ]
    plans = await compiled(ground, blocks=links)
    assert list(plans) == ["en", "es"]
    numbered = [(link.number, link.url) for plan in plans.values() for link in plan.links]
    assert numbered == [
        (1, "https://a.example/"),
        (2, "https://b.example/"),
        (3, "https://a.example/es"),
        (4, "https://c.example/"),
    ]


async def test_staffs_words_can_not_run_as_markup_or_template_code(ground: Ground) -> None:
    await newsroom.issue(ground)
    plans = await compiled(ground, blocks=[text_block("<img src=x onerror=1>Hi<script>1</script>")])
    assert "onerror" not in html(plans["en"])
    assert "<script" not in html(plans["en"])
    with pytest.raises(problems.MergeFieldProblem, match="block 1"):
        await compiled(ground, blocks=[text_block("{{ 7 * 7 }}")])
    with pytest.raises(problems.MergeFieldProblem, match="first_name"):
        await compiled(ground, blocks=[text_block("{{ subscriber.firstname }}")])


async def test_an_error_names_the_block_as_staff_count_them(ground: Ground) -> None:
    await newsroom.issue(ground)
    blocks = [text_block("", "Solo"), {"kind": "heading"}, text_block("{{ nope }}")]
    with pytest.raises(problems.MergeFieldProblem, match="block 3"):
        await compiled(ground, blocks=blocks)


async def test_pages_of_ours_and_handouts_become_whole_addresses(ground: Ground) -> None:
    issue = await newsroom.issue(ground)
    await newsroom.handout(ground, issue, languages=("en",))
    blocks = [
        text_block('<a href="site:/issues/secure-communities">page</a>', "<p>x</p>"),
        {"kind": "material", "material": "intake-form"},
    ]
    plans = await compiled(ground, blocks=blocks)
    english = [link.url for link in plans["en"].links]
    assert english[0] == "http://handbill.test/issues/secure-communities"
    assert english[1].startswith("http://handbill.test/files/")
    assert "Abrir el folleto (PDF) (en inglés)" in text(plans["es"])


async def test_developments_are_told_in_each_language_or_marked_as_another(ground: Ground) -> None:
    issue = await newsroom.issue(ground)
    await newsroom.development(ground, issue, newsroom.news("Both", spanish="Ambos", key="both"))
    await newsroom.development(ground, issue, newsroom.news("Only", spanish=None, key="only"))
    blocks = [{"kind": "developments", "keys": ["only", "both"]}]
    plans = await compiled(ground, blocks=blocks)
    words = text(plans["es"])
    assert words.index("Only") < words.index("Ambos")
    assert "\n(en inglés)\n" in words
    spanish = plans["es"].html(dict.fromkeys(plans["es"].slot_names, "#"))
    assert ' lang="en" dir="auto"' in " ".join(spanish.split())
    assert "(en inglés)" not in text(plans["en"])
    left_out = await compiled(ground, blocks=[{**blocks[0], "only_translated": True}])
    assert "Only" not in text(left_out["es"])
    assert "Only" in text(left_out["en"])
    of_all = await compiled(ground, blocks=blocks, only_translated=True)
    assert "Only" not in text(of_all["es"])
    assert "20 de octubre de 2026" in words


async def test_since_days_counts_from_today(ground: Ground) -> None:
    issue = await newsroom.issue(ground)
    for headline, day in (("Old", date(2026, 10, 1)), ("New", date(2026, 10, 31))):
        await newsroom.development(ground, issue, newsroom.news(headline, day=day))
    plans = await compiled(ground, blocks=[{"kind": "developments", "since_days": 7}])
    assert "New" in text(plans["en"])
    assert "Old" not in text(plans["en"])


async def test_figures_pictures_and_events_are_looked_up(ground: Ground) -> None:
    issue = await newsroom.issue(ground)
    await newsroom.parts(ground, issue)
    picture = await newsroom.picture(ground)
    blocks = [
        {"kind": "figures", "keys": ["boston-none"]},
        {"kind": "image", "picture": "figures", "texts": {"en": {"alt": "Bars"}}},
        {
            "kind": "event",
            "starts_at": "2026-12-01T18:30",
            "ends_at": "2026-12-01T20:00",
            "texts": {"en": {"title": "Session"}, "es": {"title": "Sesión"}},
        },
    ]
    plans = await compiled(ground, blocks=blocks)
    assert "53%" in text(plans["en"])
    assert f"http://handbill.test/pictures/{picture.digest}" in html(plans["en"])
    assert "Tuesday, December 1, 2026, 6:30" in text(plans["en"])
    assert "(EST)" in text(plans["en"])
    assert "18:30" in text(plans["es"])


@pytest.mark.parametrize(
    ("start", "end", "language", "words"),
    [
        ("2026-12-01T18:30", None, "en", "Tuesday, December 1, 2026, 6:30 PM (EST)"),
        ("2026-07-04T10:00", "2026-07-04T10:00", "en", "Saturday, July 4, 2026, 10:00 AM (EDT)"),
        ("2026-12-01T18:30", None, "es", "martes, 1 de diciembre de 2026, 18:30 (EST)"),
    ],
)
def test_when_is_said_as_people_say_it(
    ground: Ground, start: str, end: str | None, language: str, words: str
) -> None:
    said = block_content.when(
        datetime.fromisoformat(start),
        datetime.fromisoformat(end) if end else None,
        zone="America/New_York",
        translator=ground.translator(language),
    )
    assert said == words


def test_an_event_over_several_days_names_both(ground: Ground) -> None:
    said = block_content.when(
        datetime.fromisoformat("2026-12-01T18:00"),
        datetime.fromisoformat("2026-12-03T12:00"),
        zone="America/New_York",
        translator=ground.translator("en"),
    )
    assert "December 1, 2026, 6:00 PM – Thursday, December 3, 2026, 12:00 PM (EST)" in said


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ({"kind": "developments", "keys": ["gone"]}, "“gone”"),
        ({"kind": "material", "material": "gone"}, "“gone”"),
        ({"kind": "image", "picture": "gone"}, "“gone”"),
        ({"kind": "figures", "keys": ["gone"]}, "“gone”"),
        ({"kind": "event", "texts": {"en": {"title": "x"}}}, "no time"),
        ({"kind": "action", "texts": {"en": {"label": "x"}}}, "leads nowhere"),
        ({"kind": "action", "url": "javascript:1", "texts": {"en": {"label": "x"}}}, "link"),
    ],
)
async def test_what_is_missing_is_named_with_its_block(
    ground: Ground, block: dict[str, Any], words: str
) -> None:
    await newsroom.issue(ground)
    document = written(blocks=[text_block("x", "x"), block])
    found = (await findings(ground, document))["error"]
    assert found.is_blocking
    assert found.block == 2
    said = found.say(ground.translator("en"))
    assert words in said
    assert "block 2" in said
    assert "bloque 2" in found.say(ground.translator("es"))


async def test_what_should_be_looked_at_is_listed_beside_the_bulletin(ground: Ground) -> None:
    await newsroom.issue(ground)
    document = written(
        editions={"en": {"subject": "Hello"}},
        default_language="en",
        blocks=[
            text_block("x"),
            {"kind": "heading"},
            {"kind": "image", "src": "https://x.example/a.png"},
        ],
    )
    found = await findings(ground, document)
    assert set(found) == {
        "missing-edition",
        "no-preheader",
        "picture-without-words",
        "empty-block",
    }
    assert not any(each.is_blocking for each in found.values())
    said = found["missing-edition"].say(ground.translator("en"))
    assert said == "There is no edition in Spanish; its readers get the one in English."
    assert "español" in found["missing-edition"].say(ground.translator("es"))


async def test_a_block_that_one_language_lacks_is_left_out_there_and_reported(
    ground: Ground,
) -> None:
    await newsroom.issue(ground)
    document = written(blocks=[text_block("Both", "Ambos"), text_block("English alone")])
    found = await findings(ground, document)
    assert found["block-without-text"].language == "es"
    assert found["block-without-text"].block == 2
    plans = await compiled(ground, blocks=[text_block("Both", "Ambos"), text_block("Alone")])
    assert "Alone" not in text(plans["es"])


async def test_a_draft_among_the_chosen_developments_blocks_the_bulletin(ground: Ground) -> None:
    issue = await newsroom.issue(ground)
    draft = newsroom.news("Secret", spanish=None, key="secret", is_published=False)
    await newsroom.development(ground, issue, draft)
    document = written(blocks=[{"kind": "developments", "keys": ["secret"]}])
    found = (await findings(ground, document))["development-not-published"]
    assert found.is_blocking
    assert "not published yet" in found.say(ground.translator("en"))


async def test_an_edition_without_a_subject_blocks_the_bulletin(ground: Ground) -> None:
    await newsroom.issue(ground)
    document = written(editions={"en": {"subject": "Hi"}, "es": {}})
    found = (await findings(ground, document))["no-subject"]
    assert (found.is_blocking, found.language) == (True, "es")


async def test_a_mail_near_what_gmail_shows_is_reported(ground: Ground) -> None:
    await newsroom.issue(ground)
    long = "<p>" + "word " * 1450 + "</p>"
    document = written(blocks=[text_block(long, "x") for _ in range(10)])
    assert "nearly-too-large" in await findings(ground, document)
    document = written(blocks=[text_block(long, "x") for _ in range(14)])
    found = await findings(ground, document)
    assert "too-large" in found
    assert "nearly-too-large" not in found


async def test_a_renamed_issue_is_named_anew_in_the_mail(ground: Ground) -> None:
    issue = await newsroom.issue(ground)
    draft = issues.IssueDraft(texts={"en": {"title": "S-Comm"}}, is_published=True)
    await issues.update(ground, actor=ANA, issue_id=issue.id, version=1, draft=draft)
    plans = await compiled(ground, blocks=[text_block("About {{ issue.title }}", "x")])
    assert "About S-Comm" in text(plans["en"])


@pytest.mark.storage
async def test_of_ten_editors_who_save_at_one_moment_one_is_kept(ground: Ground) -> None:
    await newsroom.issue(ground)
    bulletin = await newsroom.bulletin(ground)
    saves = [
        bulletins.save(
            ground,
            actor=BEN,
            bulletin_id=bulletin.id,
            version=1,
            document=written(name=f"Editor {number}"),
        )
        for number in range(10)
    ]
    outcomes = await asyncio.gather(*saves, return_exceptions=True)
    assert sum(isinstance(each, bulletins.SavedByOther) for each in outcomes) == 9
    async with ground.db.reading() as session:
        assert (await bulletins.get(session, bulletin.id)).version == 2
        assert len(await versions.listed(session, await bulletins.get(session, bulletin.id))) == 1
