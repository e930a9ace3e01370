"""The look of mails: readable or refused, tried first, and never changing what was sent."""

import re

import pytest
from sqlmodel import select

from campaigns import brand, bulletins, compiling
from delivery.models import DispatchPlan
from foundation import errors, looks
from foundation.accounts.models import Role
from foundation.findings import Tone
from foundation.ground import Ground
from foundation.looks import Look
from templates import palette
from tests.campaigns import newsroom
from tests.campaigns.newsroom import ANA, text_block, written
from tests.world.web import Web

GREEN = Look(
    accent="#1b6b3a",
    headline_face="verdana",
    taglines={"es": "Juntos"},
    footers={"en": '<p>Give: <a href="https://give.example/">here</a></p><script>x</script>'},
)


async def mail(ground: Ground, bulletin_id: int, language: str) -> tuple[str, str]:
    """The HTML and text of an edition as it would be sent now."""
    async with ground.db.reading() as session:
        bulletin = await bulletins.get(session, bulletin_id)
        plan = (await compiling.compile_plans(ground, session, bulletin))[language]
    values = {each: f"https://x.example/{each}" for each in plan.slot_names}
    return plan.html(values), plan.text(values)


@pytest.mark.storage
async def test_what_is_made_has_the_new_look_and_what_was_sent_keeps_its_own(
    ground: Ground,
) -> None:
    document = written(issue="", blocks=[text_block("Hello", "Hola")])
    campaign = await newsroom.sent(ground, document=document)
    kept = await brand.save(ground, actor=ANA, seen=0, look=GREEN)

    html, text = await mail(ground, campaign.bulletin_id, "en")
    assert "#1b6b3a" in html
    assert "Verdana" in html
    assert "<script" not in html
    links = re.findall(r"https://x\.example/click:\d+", text)
    assert links == re.findall(r"https://x\.example/click:\d+", html) != []
    assert "Give: here" in text
    html, text = await mail(ground, campaign.bulletin_id, "es")
    assert ("Juntos" in html, "Juntos" in text, "give.example" in html) == (True, True, False)
    async with ground.db.reading() as session:
        frozen = (await session.exec(select(DispatchPlan).limit(1))).one()
    assert b"1b6b3a" not in frozen.plan

    with pytest.raises(errors.Conflict):
        await brand.save(ground, actor=ANA, seen=0, look=Look(accent="#000000"))
    await brand.save(ground, actor=ANA, seen=kept.id, look=Look(accent="#000000"))
    await brand.restore(ground, actor=ANA, wanted=kept.id)
    async with ground.db.reading() as session:
        assert (await looks.current(session)).accent == "#1b6b3a"


async def test_what_nobody_could_read_is_refused_and_a_faint_accent_is_said(
    ground: Ground,
) -> None:
    for look, field in (
        (Look(paper="#ffffff", ink="#999999"), "ink"),
        (Look(paper="#222222", ink="#ffffff"), "paper"),
        (Look(accent="red"), "accent"),
        (Look(text_face="comic"), "text_face"),
    ):
        with pytest.raises(errors.Invalid) as caught:
            await brand.save(ground, actor=ANA, seen=0, look=look)
        assert list(caught.value.fields) == [field]
    tones = [each.tone for each in brand.checks(Look(accent="#ffe600"), ground.settings.site)]
    assert tones == [Tone.GOOD, Tone.GOOD, Tone.WARN, Tone.GOOD]
    for paper, ink in (("#ffffff", "#000000"), ("#e8f0e0", "#203040"), ("", "#2b2b2b")):
        made = palette.light("#ffe600", paper=paper, ink=ink)
        assert made.contrast >= 4.5, (paper, ink)


async def test_a_look_is_tried_in_a_mail_before_it_is_chosen(ground: Ground, web: Web) -> None:
    author = await web.as_staff(Role.AUTHOR)
    sample = await author.get(
        "/staff/brand/sample?accent=%231b6b3a&scheme=dark&tagline-en=Together"
    )
    assert "#1b6b3a" in sample.text
    assert "Together" in sample.text
    assert "prefers-color-scheme" not in sample.text
    odd = await author.get("/staff/brand/sample?accent=%22%3E%3Cscript%3E&footer-en=%7B%7B%20x")
    assert (odd.status, "<script" in odd.text) == (200, False)
    faint = await author.get("/staff/brand/checks?accent=%23ffe600")
    assert "too faint as chosen" in faint.text
    fields = {"version": "0", "accent": "#1b6b3a", "paper": "#fcfbf8", "ink": "#1d1b18"}
    assert (await author.post("/staff/brand", fields)).status == 403
    editor = await web.as_staff(Role.EDITOR)
    assert (await editor.post("/staff/brand", fields | {"ink": "#eeeeee"})).status == 422
    assert (await editor.post("/staff/brand", fields)).status == 303
    async with ground.db.reading() as session:
        assert (await looks.versions(session))[0].values == {"accent": "#1b6b3a"}
    assert (await editor.post("/staff/brand", fields)).status == 409
    assert (await author.get("/staff/brand")).status == 200
