import re

import pytest
from sqlmodel import select

from delivery.models import QueuedNotice
from foundation.ground import Ground
from subscribers import applying, join
from subscribers.models import Member, MemberState
from tests.world.clock import FakeClock
from tests.world.web import Answer, Web

FIELDS = {
    "name": "River Valley Workers",
    "website": "river.example",
    "town": "Lowell",
    "languages": "English, Khmer, English",
    "mission": "We help workers.\r\nEvery day.",
    "contact_name": "Dara Sok",
    "contact_email": "dara@river.example",
    "contact_role": "Director",
    "agrees": "1",
}


async def fill_in(web: Web, *, language: str = "en", **changes: str) -> Answer:
    page = await web.get(f"/join?lang={language}")
    assert page.status == 200
    hidden = {name: page.field(name) for name in ("shown", "statement_version")}
    return await web.post(f"/join?lang={language}", {**FIELDS, **hidden, **changes})


async def one_member(ground: Ground) -> Member | None:
    async with ground.db.reading() as session:
        return (await session.exec(select(Member))).first()


async def confirm_path(ground: Ground) -> str:
    async with ground.db.reading() as session:
        notice = (
            await session.exec(select(QueuedNotice).where(QueuedNotice.kind == "join_confirm"))
        ).one()
    return notice.context["confirm_url"]


@pytest.mark.parametrize(
    ("language", "title", "thanks"),
    [("en", "Join the coalition", "Thank you"), ("es", "Únase a la coalición", "Gracias")],
)
async def test_an_organization_applies_and_confirms_in_its_language(
    web: Web, ground: Ground, language: str, title: str, thanks: str
) -> None:
    page = await web.get(f"/join?lang={language}")
    assert f"<h1>{title}</h1>" in page.text
    answer = await fill_in(web, language=language)
    assert (answer.status, answer.location) == (303, f"/join/sent?lang={language}")
    assert (await web.get(answer.location)).status == 200
    member = await one_member(ground)
    assert member is not None
    assert (member.language, member.website) == (language, "https://river.example")
    assert member.languages == ["English", "Khmer"]
    assert member.mission == "We help workers.\nEvery day."

    path = await confirm_path(ground)
    looked = await web.get(path)
    assert f'<html lang="{language}"' in looked.text
    assert "River Valley Workers" in looked.text
    done = await web.post(path)
    assert done.status == 200
    assert thanks in done.text


async def test_looking_at_the_mailed_link_changes_nothing(web: Web, ground: Ground) -> None:
    await fill_in(web)
    path = await confirm_path(ground)
    for _ in range(2):
        assert (await web.get(path)).status == 200
    await web.request("HEAD", path)
    member = await one_member(ground)
    assert member is not None
    assert member.state == MemberState.UNCONFIRMED


async def test_the_answer_is_the_same_for_a_known_organization(web: Web, ground: Ground) -> None:
    first = await fill_in(web)
    await web.post(await confirm_path(ground))
    second = await fill_in(web)
    assert (first.status, first.location) == (second.status, second.location)


async def test_the_statement_is_shown_with_its_version(web: Web) -> None:
    page = await web.get("/join")
    assert applying.STATEMENT.replace("'", "&#39;") in page.text
    assert f"Statement, version {applying.STATEMENT_VERSION}" in page.text


async def test_what_was_typed_is_kept_and_the_wrong_field_named(web: Web, ground: Ground) -> None:
    answer = await fill_in(web, contact_email="nobody", agrees="", mission="<b>Bold</b>")
    assert answer.status == 422
    assert 'href="#f-contact_email"' in answer.text
    assert "Tick this if your organization agrees" in answer.text
    assert answer.field("name") == "River Valley Workers"
    assert "&lt;b&gt;Bold&lt;/b&gt;" in answer.text
    assert await one_member(ground) is None


async def test_a_program_that_fills_in_everything_is_thanked_and_forgotten(
    web: Web, ground: Ground
) -> None:
    answer = await fill_in(web, **{join.HONEYPOT: "1"})
    assert answer.location == "/join/sent?lang=en"
    assert await one_member(ground) is None


@pytest.mark.settings(signup={"min_seconds_on_form": 3})
async def test_who_is_too_quick_keeps_what_was_typed_and_can_send_again(
    web: Web, ground: Ground, clock: FakeClock
) -> None:
    answer = await fill_in(web)
    assert answer.status == 422
    assert answer.field("name") == "River Valley Workers"
    hidden = {name: answer.field(name) for name in ("shown", "statement_version")}
    clock.advance(seconds=4)
    answer = await web.post("/join", {**FIELDS, **hidden})
    assert answer.status == 303
    assert await one_member(ground) is not None


@pytest.mark.parametrize("field", ["name", "contact_name", "contact_email", "town"])
async def test_line_breaks_are_refused_in_every_line(web: Web, ground: Ground, field: str) -> None:
    answer = await fill_in(web, **{field: "Dara\r\nBcc: all@example.org"})
    assert answer.status == 422
    assert f'href="#f-{field}"' in answer.text
    assert await one_member(ground) is None


async def test_forged_cut_and_foreign_links_get_a_clear_page(web: Web, ground: Ground) -> None:
    await fill_in(web)
    good = (await confirm_path(ground)).rpartition("/")[2]
    for token in (good[:-1], "Z" + good[1:], "x", "%00"):
        answer = await web.post(f"/join/confirm/{token}")
        assert answer.status == 400, token
    member = await one_member(ground)
    assert member is not None
    assert member.state == MemberState.UNCONFIRMED


async def test_the_page_holds_no_inline_script_or_style(web: Web) -> None:
    page = (await web.get("/join")).text
    assert not re.search(r"<script(?![^>]*nonce=)", page)
    assert not re.search(r"\sstyle=", page)
