"""While the database is locked or its disk is full, people are told so and lose nothing they typed.

Both troubles are real: another process holds the lock for longer than we wait; the operating system
lets no file grow.
"""

import asyncio
import contextlib
import resource
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from foundation.accounts import api_tokens
from foundation.accounts.api_tokens import Scope
from foundation.accounts.models import Role
from foundation.audit import COMMAND
from foundation.ground import Ground
from tests.campaigns import newsroom
from tests.world import estate, people
from tests.world.clock import FakeClock
from tests.world.web import Answer, Web

Trouble = Callable[[], AbstractAsyncContextManager[None]]

_HOLD_LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""
_TABLES = (
    "subscribers, subscriptions, bulletins, alembic_version, bulletin_versions, throttle_counters"
)
PATIENT = pytest.mark.settings(database={"busy_timeout_s": 0.5})
LONG = "It took three years to find out what the program does to the people of our town. " * 3


@contextlib.asynccontextmanager
async def locked_by_another(url: str) -> AsyncIterator[None]:
    """Another process holds the lock that a change needs."""
    if url.startswith("sqlite"):
        holder = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            _HOLD_LOCK,
            make_url(url).database or "",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert holder.stdout
        assert await holder.stdout.readline() == b"held\n"
        try:
            yield
        finally:
            await holder.communicate(b"")
        return
    other = await asyncpg.connect(url, ssl=False)
    try:
        async with other.transaction():
            await other.execute(f"LOCK TABLE {_TABLES} IN EXCLUSIVE MODE")
            yield
    finally:
        await other.close()


@contextlib.asynccontextmanager
async def full_disk() -> AsyncIterator[None]:
    """No file of this process can grow; a page of SQLite's log is more than the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def locked(database_url: str) -> Trouble:
    """The database is locked while this is open."""
    return lambda: locked_by_another(database_url)


@pytest.fixture(params=["locked", "full"])
def trouble(request: pytest.FixtureRequest, locked: Trouble) -> Trouble:
    """Each trouble that SQLite has."""
    return locked if request.param == "locked" else full_disk


def check_told(answer: Answer, *kept: str) -> None:
    """It says what to do, and holds what was typed, in a form that can be sent again."""
    assert answer.status == 503
    assert answer.headers["Retry-After"] == "5"
    assert "Traceback" not in answer.text
    assert "Lo que escribió sigue en esta página" in answer.text
    assert 'method="post"' in answer.text
    for text in kept:
        assert text in answer.text


async def sign_up_through(ground: Ground, web: Web, trouble: Trouble) -> None:
    """Somebody signs up in the trouble, is told, sends the kept form again afterwards."""
    await people.topic(ground)
    typed = {"email": "ana@example.org", "first_name": "Ana María", "topic": "secure-communities"}
    before = await estate.rows(ground)
    async with trouble():
        told = await web.post("/subscribe?lang=es", typed)
        by_program = await web.post("/api/public/signups", json={"email": "ana@example.org"})
        assert (await web.get("/subscribe")).status == 200
    check_told(told, *typed.values())
    assert by_program.status == 503
    assert by_program.json()["detail"]
    assert await estate.rows(ground) == before
    again = {name: told.field(name) for name in typed}
    assert (await web.post("/subscribe?lang=es", again)).status == 303
    after = await estate.rows(ground)
    assert len(after["subscribers"]) == len(after["subscriptions"]) == len(after["notices"]) == 1


@PATIENT
async def test_a_sign_up_is_kept_on_the_page_and_works_later(
    ground: Ground, web: Web, trouble: Trouble
) -> None:
    await sign_up_through(ground, web, trouble)


async def save_through(ground: Ground, web: Web, trouble: Trouble) -> None:
    """Staff save a text block in the trouble, are told, send the kept form again afterwards."""
    await newsroom.issue(ground)
    bulletin = await newsroom.bulletin(ground)
    staff = await web.as_staff(Role.AUTHOR)
    path = f"/staff/bulletins/{bulletin.id}/blocks/new?lang=es"
    typed = {
        "kind": "rich_text",
        "version": "1",
        "after": "",
        "html-en": f"<p>{LONG}</p>",
        "html-es": "<p>Tres años</p>",
    }
    before = await estate.rows(ground)
    async with trouble():
        told = await staff.post(path, typed)
        assert (await staff.get(f"/staff/bulletins/{bulletin.id}")).status == 200
    check_told(told, "&lt;p&gt;It took three years", "Tres años")
    assert await estate.rows(ground) == before
    assert told.field("html-es") == "&lt;p&gt;Tres años&lt;/p&gt;"
    assert told.field("csrf_token")
    assert (await staff.post(path, typed)).status == 303
    assert LONG.strip() in str((await estate.rows(ground))["bulletins"])


@PATIENT
async def test_what_staff_wrote_is_kept_on_the_page_and_can_be_saved_later(
    ground: Ground, web: Web, trouble: Trouble
) -> None:
    await save_through(ground, web, trouble)


@PATIENT
async def test_the_service_says_that_it_is_not_ready_until_the_trouble_is_over(
    web: Web, trouble: Trouble
) -> None:
    async with trouble():
        told = await web.get("/readyz")
        assert (await web.get("/healthz")).status == 200
    assert told.status == 503
    assert "locked" in told.text
    assert "disk is full" in told.text
    assert (await web.get("/readyz")).status == 200


@PATIENT
async def test_staff_and_programs_who_were_away_can_still_look_around(
    ground: Ground, clock: FakeClock, web: Web, locked: Trouble
) -> None:
    staff = await web.as_staff(Role.VIEWER)
    token = await api_tokens.create(
        ground, actor=COMMAND, name="Reader", scopes=frozenset({Scope.READ})
    )
    clock.advance(hours=30)
    async with locked():
        assert (await staff.get("/staff")).status == 200
        headers = {"Authorization": f"Bearer {token}"}
        assert (await web.get("/api/v1/topics", headers=headers)).status == 200


@PATIENT
async def test_a_password_is_never_put_on_the_page(web: Web, locked: Trouble) -> None:
    staff = await web.as_staff(Role.VIEWER)
    typed = {"password": "a secret of mine", "new_password": "another secret of mine"}
    async with locked():
        told = await staff.post("/staff/account/password?lang=es", typed)
        signing_in = await web.post("/staff/signin", {"email": "a@b.example", **typed})
    for answer in (told, signing_in):
        assert "secret of mine" not in answer.text


@pytest.mark.storage
@PATIENT
async def test_locked_tables_are_told_on_both_engines(
    ground: Ground, web: Web, locked: Trouble
) -> None:
    await sign_up_through(ground, web, locked)
    await save_through(ground, web, locked)


@pytest.mark.storage
@PATIENT
async def test_readiness_knows_of_locks_on_both_engines(web: Web, locked: Trouble) -> None:
    async with locked():
        assert (await web.get("/readyz")).status == 503
    assert (await web.get("/readyz")).status == 200
