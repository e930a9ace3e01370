"""Nobody comes in by a password or a mail alone where a second step is set."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pyotp
import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from foundation import errors
from foundation.accounts import codes, passwords, second_step, sessions, signin, team
from foundation.accounts.entering import Entry, Visitor
from foundation.accounts.models import CodeApp, Role, Staff, StaffSession
from foundation.audit import COMMAND, AuditEntry
from foundation.ground import Ground
from tests.world import people
from tests.world.clock import FakeClock
from tests.world.smtp import Catcher
from tests.world.web import Web

PASSWORD = "correct horse battery"
EMAIL = "owner@coalition.example"
VISITOR = Visitor(browser="b", network="192.0.2.0/24")


async def with_app(ground: Ground) -> tuple[Staff, str, tuple[str, ...]]:
    """An owner with a password and an app: person, the app's secret, the codes for paper."""
    person, _ = await people.staff(ground, Role.OWNER)
    async with ground.db.transaction() as session:
        there = await session.get_one(Staff, person.id)
        there.password_hash = await passwords.hash_password(PASSWORD)
    offer = await second_step.offer_app(ground, staff_id=person.id)
    code = code_at(ground, offer.secret, steps=-1)
    return (
        person,
        offer.secret,
        await second_step.confirm_app(ground, staff_id=person.id, code=code),
    )


def code_at(ground: Ground, secret: str, *, steps: int = 0) -> str:
    """What the app shows now, or so many half minutes later."""
    return pyotp.TOTP(secret).at(ground.clock.now() + timedelta(seconds=steps * codes.STEP_S))


async def half_in(ground: Ground) -> str:
    """The secret of a sign-in whose password was right."""
    entry = await signin.with_password(ground, email=EMAIL, password=PASSWORD, visitor=VISITOR)
    assert entry.needs_second_step
    return entry.secret


@pytest.mark.storage
async def test_a_code_lets_in_once_and_two_who_type_it_at_once_are_one(
    ground: Ground, clock: FakeClock
) -> None:
    _, secret, _ = await with_app(ground)
    begun = [await half_in(ground) for _ in range(3)]
    assert [await sessions.find(ground, secret=each) for each in begun] == [None] * 3
    code = code_at(ground, secret)
    tries = await asyncio.gather(
        *(
            second_step.by_code(ground, secret=each, code=code, visitor=VISITOR)
            for each in begun[:2]
        ),
        return_exceptions=True,
    )
    assert {type(each) for each in tries} == {errors.Invalid, Entry}
    (entry,) = (each for each in tries if isinstance(each, Entry))
    found = await sessions.find(ground, secret=entry.secret)
    assert found is not None
    with pytest.raises(errors.Invalid):
        await second_step.by_code(ground, secret=begun[2], code=code, visitor=VISITOR)
    clock.advance(seconds=codes.STEP_S)
    entry = await second_step.by_code(
        ground, secret=begun[2], code=code_at(ground, secret), visitor=VISITOR
    )
    with pytest.raises(errors.BadToken):
        await second_step.by_code(
            ground, secret=begun[2], code=code_at(ground, secret, steps=1), visitor=VISITOR
        )


@pytest.mark.storage
async def test_a_code_on_paper_lets_in_once_and_new_ones_end_the_old(ground: Ground) -> None:
    person, _, sheet = await with_app(ground)
    assert len(set(sheet)) == codes.SHEET
    typed = sheet[3].upper().replace("-", " ")
    await second_step.by_code(ground, secret=await half_in(ground), code=typed, visitor=VISITOR)
    begun = await half_in(ground)
    with pytest.raises(errors.Invalid):
        await second_step.by_code(ground, secret=begun, code=sheet[3], visitor=VISITOR)
    state = await second_step.state(ground, staff_id=person.id)
    assert (state.has_app, state.codes_left) == (True, codes.SHEET - 1)
    fresh = await second_step.renew_sheet(ground, staff_id=person.id)
    with pytest.raises(errors.Invalid):
        await second_step.by_code(ground, secret=begun, code=sheet[0], visitor=VISITOR)
    await second_step.by_code(ground, secret=begun, code=fresh[0], visitor=VISITOR)
    await second_step.remove_app(ground, staff_id=person.id)
    assert (await second_step.state(ground, staff_id=person.id)).codes_left == 0


async def test_guessing_codes_is_stopped_and_a_sign_in_half_done_grows_old(
    ground: Ground, clock: FakeClock
) -> None:
    _, secret, sheet = await with_app(ground)
    begun = await half_in(ground)
    clock.advance(minutes=11)
    with pytest.raises(errors.BadToken):
        await second_step.by_code(
            ground, secret=begun, code=code_at(ground, secret), visitor=VISITOR
        )
    clock.advance(hours=1)
    begun = await half_in(ground)
    for _ in range(10):
        with pytest.raises(errors.Invalid):
            await second_step.by_code(ground, secret=begun, code="000000", visitor=VISITOR)
    with pytest.raises(errors.TooMany):
        await second_step.by_code(ground, secret=begun, code=sheet[0], visitor=VISITOR)


async def test_a_copy_of_the_database_holds_neither_the_apps_secret_nor_a_code(
    ground: Ground,
) -> None:
    person, secret, sheet = await with_app(ground)
    async with ground.db.reading() as session:
        sealed = (await session.execute(sa.select(col(CodeApp.sealed_secret)))).scalar_one()
        hashes = (await session.execute(sa.text("SELECT code_hash FROM recovery_codes"))).all()
    assert secret not in sealed
    assert codes.unseal(sealed, keys=ground.tokens, staff_id=person.id) == secret
    with pytest.raises(errors.Refused):
        codes.unseal(sealed, keys=ground.tokens, staff_id=person.id + 1)
    assert not {code for code in sheet if codes.tidy(code) in str(hashes)}


async def test_a_mailed_link_and_a_forgotten_password_do_not_lead_past_the_second_step(
    web: Web, smtp: Catcher, deliver: Callable[[], Awaitable[None]]
) -> None:
    ground = web.ground
    _, secret, _ = await with_app(ground)
    known = await web.post("/staff/signin/forgotten", {"email": EMAIL})
    other = await web.post("/staff/signin/forgotten", {"email": "who@coalition.example"})
    main = [each.text.partition("<main")[2] for each in (known, other)]
    assert main[0].replace("owner@", "") == main[1].replace("who@", "")
    await deliver()
    mail = next(each for each in smtp.messages if "/signin/password/" in each.text)
    found = re.search(r"/staff/signin/password/[\w-]+", mail.text)
    assert found
    assert {each.rcpt_to for each in smtp.messages} == {EMAIL}
    browser = await web.as_staff(Role.OWNER)
    assert (await web.get(found[0])).status == 200
    assert (await web.post(found[0], {"password": "short"})).status == 422
    assert (await web.post(found[0], {"password": "another good password"})).status == 200
    assert (await web.post(found[0], {"password": "another good password"})).status == 400
    assert (await web.get(found[0])).status == 400
    # Whoever was in is out, and nobody is in by the link alone.
    assert (await browser.get("/staff/account")).status == 303
    assert (await web.get("/staff/account")).status == 303
    answer = await web.post("/staff/signin", {"email": EMAIL, "password": "another good password"})
    assert answer.location == "/staff/signin/second-step"
    assert (await web.get("/staff/account")).status == 303
    assert "Six digits" in (await web.get(answer.location)).text
    assert (await web.post(answer.location, {"code": "000000"})).status == 422
    done = await web.post(answer.location, {"code": code_at(ground, secret)})
    assert done.location == "/staff"
    assert (await web.get("/staff/account")).status == 200
    await deliver()
    assert any("Your password was changed." in each.text for each in smtp.messages)
    # By a link that is mailed it is the same.
    async with ground.db.transaction() as session:
        person = (await session.exec(select(Staff))).one()
        url = signin.issue_link(ground, session, staff=person)
    entry = await signin.use_link(ground, secret=url.rpartition("/")[2], visitor=VISITOR)
    assert entry.needs_second_step


@pytest.mark.storage
async def test_an_owner_helps_somebody_who_lost_their_telephone(
    web: Web, smtp: Catcher, deliver: Callable[[], Awaitable[None]]
) -> None:
    ground = web.ground
    person, _, _ = await with_app(ground)
    second = await web.as_staff(Role.OWNER, email="second@coalition.example")
    page = (await second.get("/staff/team")).text
    assert "Reset the second step" in page
    answer = await second.post(f"/staff/team/{person.id}/reset-second-step")
    assert answer.status == 303
    entry = await signin.with_password(ground, email=EMAIL, password=PASSWORD, visitor=VISITOR)
    assert not entry.needs_second_step
    async with ground.db.reading() as session:
        statement = sa.select(AuditEntry).where(col(AuditEntry.action) == "staff.second_step_reset")
        entry_in_log = (await session.execute(statement)).scalar_one()
    assert (entry_in_log.object_id, entry_in_log.before["app"]) == (str(person.id), True)
    await deliver()
    assert any("took your second step away" in each.text for each in smtp.messages)
    with pytest.raises(errors.NotFound):
        await second_step.reset_of(ground, actor=COMMAND, email="nobody@coalition.example")
    assert (await second.post(f"/staff/team/{person.id}/sign-out")).status == 303
    assert await sessions.find(ground, secret=entry.secret) is None


@pytest.mark.settings(security={"second_step_roles": ["editor"]})
async def test_a_role_that_needs_a_second_step_opens_nothing_before_it_is_set_up(web: Web) -> None:
    editor, viewer = await web.as_staff(Role.EDITOR), await web.as_staff(Role.VIEWER)
    assert (await viewer.get("/staff/bulletins")).status == 200
    for path in ("/staff", "/staff/bulletins", "/staff/partners/1/numbers"):
        answer = await editor.get(path)
        assert (answer.status, answer.location) == (303, "/staff/account"), path
    assert (await editor.post("/staff/campaigns/new", {"name": "x"})).location == "/staff/account"
    assert "Your role needs a second step" in (await editor.get("/staff/account")).text
    shown = (await editor.post("/staff/account/app")).text
    written = re.search(r"<code>([A-Z2-7 ]+)</code>", shown)
    assert written
    secret = written[1].replace(" ", "")
    assert (await editor.post("/staff/account/app/confirm", {"code": "000000"})).status == 422
    code = code_at(web.ground, secret)
    assert "-" in (await editor.post("/staff/account/app/confirm", {"code": code})).text
    assert (await editor.get("/staff/bulletins")).status == 200


async def test_whoever_changes_how_they_come_in_shows_that_it_is_them(
    web: Web, clock: FakeClock
) -> None:
    ground = web.ground
    _, secret, _ = await with_app(ground)
    owner = await web.as_staff(Role.OWNER)
    before = {each.key: each.value for each in owner.http.cookie_jar}
    clock.advance(minutes=31)
    for path in ("app", "app/remove", "codes", "passkeys/ask", "passkeys"):
        assert (await owner.post(f"/staff/account/{path}")).status == 403, path
    page = await owner.get("/staff/account")
    assert "Show that it is you" in page.text
    assert (await owner.post("/staff/account/prove", {"prove_password": "x"})).status == 422
    assert (await owner.post("/staff/account/prove", {"prove_password": PASSWORD})).status == 303
    after = {each.key: each.value for each in owner.http.cookie_jar}
    assert after["handbill_session"] != before["handbill_session"]
    assert await sessions.find(ground, secret=before["handbill_session"]) is None
    owner.csrf = (await owner.get("/staff/account")).field("csrf_token")
    shown = await owner.post("/staff/account/codes")
    sheet = shown.text.partition("<code>")[2].partition("</code>")[0]
    assert len(re.findall(r"\b[a-z2-9]{5}-[a-z2-9]{5}\b", sheet)) == codes.SHEET
    assert (await owner.post("/staff/account/app/remove")).status == 303
    assert secret not in (await owner.post("/staff/account/app")).text.replace(" ", "")


async def test_ones_own_browsers_are_listed_and_signed_out(web: Web) -> None:
    ground = web.ground
    first, second = await web.as_staff(Role.VIEWER), await web.as_staff(Role.VIEWER)
    stranger = await web.as_staff(Role.OWNER)
    async with ground.db.transaction() as session:
        await session.execute(
            sa.update(StaffSession).values(
                browser="Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Firefox/140.0",
                network="192.0.2.0/24",
            )
        )
        numbers = (
            (await session.execute(sa.select(col(StaffSession.id)).order_by(col(StaffSession.id))))
            .scalars()
            .all()
        )
    page = (await first.get("/staff/account")).text
    assert "Firefox on Windows" in page
    assert f"/sessions/{numbers[1]}/end" in page
    assert f"/sessions/{numbers[0]}/end" not in page
    assert f"/sessions/{numbers[2]}/end" not in page
    assert (await stranger.post(f"/staff/account/sessions/{numbers[1]}/end")).status == 404
    assert (await first.post(f"/staff/account/sessions/{numbers[1]}/end")).status == 303
    assert (await second.get("/staff/account")).status == 303
    third = await web.as_staff(Role.VIEWER)
    assert (await first.post("/staff/account/sessions/end-others")).status == 303
    assert (await third.get("/staff/account")).status == 303
    assert (await first.get("/staff/account")).status == 200
    assert (await stranger.get("/staff/account")).status == 200


@pytest.mark.storage
async def test_an_invitation_is_listed_sent_again_withdrawn_and_taken(
    web: Web, smtp: Catcher, deliver: Callable[[], Awaitable[None]], clock: FakeClock
) -> None:
    owner = await web.as_staff(Role.OWNER)
    for name in ("ana", "ben"):
        typed = {"email": f"{name}@coalition.example", "role": "translator", "language": "en"}
        assert (await owner.post("/staff/team", typed)).status == 303
    page = (await owner.get("/staff/team")).text
    assert page.count("invited by Owner") == 2
    await deliver()
    found = {each.rcpt_to: re.search(r"/staff/signin/[\w-]+", each.text) for each in smtp.messages}
    first = found["ana@coalition.example"]
    assert first
    invited = (await web.get(first[0])).text
    assert "Owner invites you" in invited
    assert "Translator" in invited
    clock.advance(days=8)
    over = await web.get(first[0])
    assert (over.status, "Ask Owner to send it again" in over.text) == (400, True)
    owner = await web.as_staff(Role.OWNER)
    assert "send it again" in (await owner.get("/staff/team")).text
    numbers = {each.email: each.id for each in await team.everybody(web.ground)}
    ana, ben = (numbers[f"{name}@coalition.example"] for name in ("ana", "ben"))
    assert (await owner.post(f"/staff/team/{ana}/invite-again")).status == 303
    assert (await owner.post(f"/staff/team/{ben}/withdraw")).status == 303
    smtp.messages.clear()
    await deliver()
    (mail,) = smtp.messages
    second = re.search(r"/staff/signin/[\w-]+", mail.text)
    assert second
    taken = {"name": "Ana", "password": "short"}
    assert (await web.post(second[0], taken)).status == 422
    answer = await web.post(second[0], {**taken, "password": PASSWORD})
    assert answer.location == "/staff"
    await owner.get("/staff/team")
    page = (await owner.get("/staff/team")).text
    assert "invited by Owner" not in page
    assert "ben@coalition.example" not in page
    assert (await owner.post(f"/staff/team/{ana}/withdraw")).status == 409
    entry = await signin.with_password(
        web.ground, email="ana@coalition.example", password=PASSWORD, visitor=VISITOR
    )
    ours = await sessions.find(web.ground, secret=entry.secret)
    assert ours is not None
    assert (ours.name, ours.role) == ("Ana", Role.TRANSLATOR)
    await team.change(web.ground, actor=COMMAND, staff_id=ana, role=Role.EDITOR, is_active=True)
    assert await sessions.find(web.ground, secret=entry.secret) is None
