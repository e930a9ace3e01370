"""Staff come in by a link that works once, or by password; owners can't lock themselves out."""

import asyncio
import functools
import re
import sys
from collections.abc import Awaitable, Callable

import pytest
import sqlalchemy as sa
from sqlmodel import col

from foundation import errors
from foundation.accounts import api_tokens, sessions, signin, team
from foundation.accounts.entering import Entry, Visitor
from foundation.accounts.models import ApiToken, Role, Staff
from foundation.audit import COMMAND, AuditEntry
from foundation.ground import Ground
from tests.world import people
from tests.world.clock import FakeClock
from tests.world.smtp import Catcher
from tests.world.web import Answer, Web

PASSWORD = "correct horse battery"
VISITOR = Visitor(browser="b", network="192.0.2.0/24")


def main(answer: Answer) -> str:
    """What stands in the middle of a page."""
    return answer.text.partition("<main")[2]


async def link(ground: Ground, role: Role = Role.OWNER) -> str:
    """The secret of a one-time link for a new person."""
    url = await team.add(
        ground, actor=COMMAND, email=f"{role}@coalition.example", role=role, name="Rosa"
    )
    return url.rpartition("/")[2]


@pytest.mark.storage
async def test_a_link_works_once(ground: Ground) -> None:
    secret = await link(ground)
    tries = await asyncio.gather(
        *(signin.use_link(ground, secret=secret, visitor=VISITOR) for _ in range(4)),
        return_exceptions=True,
    )
    assert sorted(isinstance(each, Entry) for each in tries) == [False, False, False, True]
    assert all(isinstance(each, (Entry, errors.BadToken)) for each in tries)


async def test_a_link_grows_too_old(ground: Ground, clock: FakeClock) -> None:
    secret = await link(ground)
    clock.advance(minutes=ground.settings.security.signin_link_minutes + 1)
    with pytest.raises(errors.BadToken):
        await signin.use_link(ground, secret=secret, visitor=VISITOR)


async def test_opening_a_link_does_not_spend_it(web: Web) -> None:
    secret = await link(web.ground)
    for _ in range(2):
        assert (await web.get(f"/staff/signin/{secret}")).status == 200
    answer = await web.post(f"/staff/signin/{secret}")
    assert (answer.status, answer.location) == (303, "/staff/account")
    assert (await web.get("/staff/account")).status == 200


async def test_a_link_is_mailed_only_to_staff_and_the_answer_is_the_same(
    web: Web, smtp: Catcher, deliver: Callable[[], Awaitable[None]]
) -> None:
    await link(web.ground)
    known = await web.post("/staff/signin", {"email": "owner@coalition.example", "by_link": "1"})
    other = await web.post("/staff/signin", {"email": "other@coalition.example", "by_link": "1"})
    assert known.status == other.status == 200
    assert main(known).replace("owner@", "") == main(other).replace("other@", "")
    await deliver()
    assert [message.rcpt_to for message in smtp.messages] == ["owner@coalition.example"]
    found = re.search(r"/staff/signin/([\w-]+)", smtp.messages[0].text)
    assert found
    assert (await web.post(f"/staff/signin/{found[1]}")).status == 303


async def test_a_password_is_kept_so_that_guessing_it_is_slow() -> None:
    program = "from foundation.accounts import passwords as p; print(p._hash('lantern nine'))"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program), stdout=asyncio.subprocess.PIPE
    )
    stored, _ = await process.communicate()
    # RFC 9106 §4, for who has little memory to spare: 64 MiB, three times, four lanes.
    assert stored.startswith(b"$argon2id$v=19$m=65536,t=3,p=4$"), stored


@pytest.mark.storage
async def test_a_password_lets_in_and_a_wrong_one_does_not(ground: Ground) -> None:
    entry = await signin.use_link(ground, secret=await link(ground), visitor=VISITOR)
    person = await sessions.find(ground, secret=entry.secret)
    assert person
    await signin.set_password(
        ground,
        staff_id=person.staff_id,
        session_id=person.session_id,
        present="",
        password=PASSWORD,
    )
    come_in = functools.partial(signin.with_password, ground, visitor=VISITOR)
    entry = await come_in(email="OWNER@coalition.example", password=PASSWORD)
    assert await sessions.find(ground, secret=entry.secret)
    for email, password in [
        ("owner@coalition.example", "something else"),
        ("nobody@coalition.example", PASSWORD),
        ("not an address", PASSWORD),
    ]:
        with pytest.raises(errors.Invalid, match="don't fit"):
            await come_in(email=email, password=password)
    with pytest.raises(errors.Invalid) as caught:
        await signin.set_password(
            ground,
            staff_id=person.staff_id,
            session_id=person.session_id,
            present="wrong",
            password="another good password",
        )
    assert "present" in caught.value.fields


async def test_guessing_is_stopped(ground: Ground) -> None:
    limit = ground.settings.security.signin_attempts_per_hour
    for _ in range(limit):
        with pytest.raises(errors.Invalid):
            await signin.with_password(ground, email="x@example.org", password="p", visitor=VISITOR)
    with pytest.raises(errors.TooMany):
        await signin.with_password(ground, email="x@example.org", password="p", visitor=VISITOR)


@pytest.mark.storage
async def test_the_last_owner_stays(ground: Ground) -> None:
    owner, secret = await people.staff(ground, Role.OWNER)
    with pytest.raises(errors.Refused):
        await team.change(
            ground, actor=COMMAND, staff_id=owner.id, role=Role.EDITOR, is_active=True
        )
    with pytest.raises(errors.Refused):
        await team.add(ground, actor=COMMAND, email=owner.email, role=Role.VIEWER)
    await people.staff(ground, Role.OWNER, email="second@coalition.example")
    await team.change(ground, actor=COMMAND, staff_id=owner.id, role=Role.OWNER, is_active=False)
    assert await sessions.find(ground, secret=secret) is None


async def test_every_change_of_the_team_is_in_the_log(web: Web) -> None:
    owner = await web.as_staff(Role.OWNER)
    await owner.post(
        "/staff/team", {"email": "ana@coalition.example", "role": "author", "language": "es"}
    )
    async with web.ground.db.reading() as session:
        entry = (
            await session.execute(
                sa.select(AuditEntry).where(col(AuditEntry.action) == "staff.added")
            )
        ).scalar_one()
    assert (entry.actor_label, entry.after["email"]) == ("Owner", "ana@coalition.example")
    page = await owner.get("/staff/audit")
    assert "staff.added" in page.text


@pytest.mark.parametrize(
    ("role", "path", "status"),
    [
        (Role.VIEWER, "/staff/account", 200),
        (Role.TRANSLATOR, "/staff", 200),
        (Role.TRANSLATOR, "/staff/bulletins/new", 403),
        (Role.AUTHOR, "/staff/audit", 403),
        (Role.EDITOR, "/staff/audit", 200),
        (Role.EDITOR, "/staff/team", 403),
        (Role.OWNER, "/staff/team", 200),
        (Role.OWNER, "/staff/tokens", 200),
    ],
)
async def test_pages_open_only_to_their_roles(web: Web, role: Role, path: str, status: int) -> None:
    assert (await (await web.as_staff(role)).get(path)).status == status


async def test_a_stranger_is_led_to_the_door(web: Web) -> None:
    answer = await web.get("/staff/team")
    assert (answer.status, answer.location) == (303, "/staff/signin?next=/staff/team")


async def test_a_form_without_its_secret_is_refused(web: Web) -> None:
    owner = await web.as_staff(Role.OWNER)
    answer = await owner.post(
        "/staff/team", {"csrf_token": "forged", "email": "x@example.org", "role": "owner"}
    )
    assert answer.status == 403
    elsewhere = await owner.post(
        "/staff/team",
        {"email": "x@example.org", "role": "owner"},
        headers={"Sec-Fetch-Site": "cross-site"},
    )
    assert elsewhere.status == 403
    async with web.ground.db.reading() as session:
        assert (await session.execute(sa.select(sa.func.count(col(Staff.id))))).scalar_one() == 1


async def test_sign_in_leads_only_to_pages_of_the_staff_room(web: Web) -> None:
    owner = await web.as_staff(Role.OWNER)
    for path in ("https://evil.example/", "//evil.example", "/\\evil.example", "/subscribe"):
        assert (await owner.get("/staff/signin", params={"next": path})).location == "/staff"


@pytest.mark.storage
async def test_an_api_token_is_kept_as_a_hash_and_can_be_revoked(ground: Ground) -> None:
    scopes = api_tokens.scopes_from(["read"])
    secret = await api_tokens.create(ground, actor=COMMAND, name="reports", scopes=scopes)
    caller = await api_tokens.find(ground, secret=secret)
    assert caller
    assert caller.scopes == {api_tokens.Scope.READ}
    async with ground.db.reading() as session:
        stored = (await session.execute(sa.select(col(ApiToken.secret_hash)))).scalar_one()
    assert secret not in stored
    await api_tokens.revoke(ground, actor=COMMAND, name="reports")
    assert await api_tokens.find(ground, secret=secret) is None
    with pytest.raises(errors.NotFound):
        await api_tokens.revoke(ground, actor=COMMAND, name="reports")
