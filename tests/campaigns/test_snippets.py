"""Snippets: written once, shown in every bulletin until it is sent, never taken away under one."""

import pytest
from sqlmodel import col, select

from campaigns import bulletins, campaign_views, compiling, lifecycle, snippet_uses, snippets
from campaigns.block_models import AnyBlock
from campaigns.documents import parse_block
from campaigns.snippet_models import Snippet
from delivery.models import DispatchPlan
from foundation import errors
from foundation.accounts.models import Role
from foundation.audit import COMMAND
from foundation.ground import Ground
from templates import plan
from tests.campaigns import newsroom
from tests.campaigns.newsroom import ANA, BEN, text_block, written
from tests.world import campaigning, people
from tests.world.web import Web

ABOUT = {"kind": "snippet", "snippet": "about-s-comm", "id": "a"}


def about(english: str, spanish: str = "") -> AnyBlock:
    return parse_block(text_block(english, spanish))


async def made(ground: Ground, english: str = "We are here", spanish: str = "Aquí") -> Snippet:
    return await snippets.create(
        ground, actor=ANA, name="About S-Comm", block=about(english, spanish)
    )


async def changed(ground: Ground, snippet: Snippet, words: str) -> snippets.Saved:
    async with ground.db.reading() as session:
        now = await snippets.get(session, snippet.id)
    return await snippets.save(
        ground,
        actor=BEN,
        snippet_id=now.id,
        version=now.version,
        name=now.name,
        block=about(words, words),
    )


async def html(ground: Ground, bulletin_id: int, language: str = "en") -> str:
    async with ground.db.reading() as session:
        bulletin = await bulletins.get(session, bulletin_id)
        plans = await compiling.compile_plans(ground, session, bulletin)
    return plans[language].html(dict.fromkeys(plans[language].slot_names, "https://x.example/"))


@pytest.mark.storage
async def test_a_change_shows_until_it_is_sent_and_asks_for_approval_again(
    ground: Ground,
) -> None:
    await people.subscribed(ground, "ana@example.org")
    await newsroom.issue(ground)
    snippet = await made(ground)
    sent = await newsroom.sent(ground, document=written(blocks=[ABOUT]))
    campaign = await campaigning.of_blocks(ground, campaigning.document(), ABOUT)
    await lifecycle.approve(ground, actor=COMMAND, campaign_id=campaign.id)
    assert "Aquí" in await html(ground, campaign.bulletin_id, "es")

    saved = await changed(ground, snippet, "We moved")
    assert saved.remade == 1
    assert "We moved" in await html(ground, campaign.bulletin_id)
    assert (await campaign_views.show(ground, campaign_id=campaign.id)).is_changed
    with pytest.raises(errors.Refused, match="approved again"):
        await lifecycle.start(ground, actor=COMMAND, campaign_id=campaign.id)
    await lifecycle.approve(ground, actor=COMMAND, campaign_id=campaign.id)
    await lifecycle.start(ground, actor=COMMAND, campaign_id=campaign.id)

    assert (await changed(ground, snippet, "We moved again")).remade == 0
    async with ground.db.reading() as session:
        frozen = (
            await session.exec(select(DispatchPlan).order_by(col(DispatchPlan.dispatch_id)))
        ).all()
        used = await snippet_uses.bulletins(session, snippet.id)
    said = [
        "".join(each for each in plan.Plan.thaw(row.plan).text_segments if isinstance(each, str))
        for row in frozen
        if row.language == "en"
    ]
    assert ("We are here" in said[0], "We moved" in said[1]) == (True, True)
    assert {each.id for each in used} == {sent.bulletin_id, campaign.bulletin_id}


async def test_what_stands_in_a_bulletin_is_not_taken_away(ground: Ground) -> None:
    snippet = await made(ground)
    bulletin = await newsroom.bulletin(ground, written(issue="", blocks=[ABOUT]))
    with pytest.raises(errors.Refused, match="October"):
        await snippets.delete(ground, actor=ANA, snippet_id=snippet.id)
    await bulletins.save(
        ground, actor=ANA, bulletin_id=bulletin.id, version=1, document=written(issue="", blocks=[])
    )
    await snippets.delete(ground, actor=ANA, snippet_id=snippet.id)
    with pytest.raises(errors.Invalid, match="about-s-comm"):
        await newsroom.bulletin(ground, written(issue="", blocks=[ABOUT]))


async def test_two_editors_do_not_overwrite_one_another_and_go_back(ground: Ground) -> None:
    snippet = await made(ground)
    await changed(ground, snippet, "Second")
    with pytest.raises(errors.Conflict):
        await snippets.save(
            ground,
            actor=ANA,
            snippet_id=snippet.id,
            version=1,
            name="About S-Comm",
            block=about("Lost"),
        )
    back = await snippets.restore(ground, actor=ANA, snippet_id=snippet.id, version=2, wanted=1)
    assert back.snippet.version == 3
    assert back.snippet.block["texts"]["en"]["html"] == "<p>We are here</p>"
    with pytest.raises(errors.Invalid):
        await snippets.create(ground, actor=ANA, name="x", block=parse_block({"kind": "divider"}))


async def test_a_block_becomes_a_snippet_and_is_edited_in_both_languages(
    ground: Ground, web: Web
) -> None:
    block = {**text_block("Hello", "Hola", id="b"), "only_to": {"towns": ["Lynn"]}}
    bulletin = await newsroom.bulletin(ground, written(issue="", blocks=[block]))
    author = await web.as_staff(Role.AUTHOR)
    door = f"/staff/snippets/new?bulletin={bulletin.id}&block=b&version=1"
    assert door.replace("&", "&amp;") in (await author.get("/staff/bulletins/1/blocks/b")).text
    fields = {
        "kind": "rich_text",
        "bulletin": "1",
        "block": "b",
        "version": "1",
        "html-en": "<p>Hello</p><script>x</script>",
        "html-es": "<p>Hola</p>",
    }
    assert "&lt;p&gt;Hola&lt;/p&gt;" in (await author.get(door)).text
    assert (await author.post("/staff/snippets/new", fields)).status == 422
    assert (await author.post("/staff/snippets/new", fields | {"name": "Año uno"})).status == 303
    async with ground.db.reading() as session:
        document = bulletins.document_of(await bulletins.get(session, bulletin.id))
        (snippet,) = await snippets.listed(session)
    (standing,) = document.blocks
    assert standing.only_to is not None
    assert (standing.kind, standing.id, snippet.key) == ("snippet", "b", "ano-uno")
    assert "script" not in str(snippet.block)
    assert "only_to" not in snippet.block
    assert 'href="/staff/bulletins/1"' in (await author.get("/staff/snippets/1")).text
    answer = await author.post(
        "/staff/snippets/1",
        {"kind": "rich_text", "version": "1", "name": "Año uno", "html-en": "<p>New</p>"},
    )
    assert answer.status == 303
    assert "in 1 bulletin" in (await author.get("/staff/snippets")).text
    viewer = await web.as_staff(Role.VIEWER)
    assert (await viewer.get("/staff/snippets/1")).status == 200
    assert (await viewer.post("/staff/snippets/1", fields)).status == 403
