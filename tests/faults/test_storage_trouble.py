"""The disk is full, or the database is locked, in the middle of sending."""

import asyncio
import contextlib
import resource
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery import recovery, worker
from delivery.models import Allowance
from foundation import errors
from foundation.clock import SystemClock
from foundation.config import Settings
from foundation.ground import Ground
from tests.world import grounds, mailing, sink
from tests.world.forking import Forked
from tests.world.sink import Sink

PEOPLE = 200
FULL_AT_BYTES = 1500
"""Room for a journal's header and a handful of records."""


def settings_for(
    url: str, folder: Path, port: int, record_interval_s: float, sections: Mapping[str, Any]
) -> Settings:
    """Outcomes are recorded seldom unless that is asked for, so that the journal grows."""
    return grounds.settings(
        url=url,
        folder=folder,
        changes={
            "relay": {"connections": 2},
            "delivery": {"batch_size": 100, "record_interval_s": record_interval_s},
            "database": {"busy_timeout_s": 0.5},
            **sections,
        },
        relay_port=port,
    )


@asynccontextmanager
async def started(
    url: str, folder: Path, *, record_interval_s: float = 0.5, **sections: Any
) -> AsyncIterator[tuple[Settings, Ground, Sink]]:
    """A dispatch that waits to be sent; the settings are for processes that send it."""
    async with sink.running() as server:
        settings = settings_for(url, folder, server.port, record_interval_s, sections)
        async with grounds.standing(settings, SystemClock()) as ground:
            topic = await mailing.crowd(ground, PEOPLE)
            await mailing.start(ground, topics=[topic])
            yield settings, ground, server


async def check_everybody_got_one(ground: Ground, server: Sink) -> None:
    """Each recipient against what the server took."""
    assert server.taken == dict.fromkeys(map(mailing.address, range(1, PEOPLE + 1)), 1)
    assert (await mailing.counts(ground)).sent == PEOPLE


def fill_the_disk_of(process: Forked, *, at_bytes: int) -> tuple[int, int]:
    """From now on no file of this process can grow beyond so much; returns what it could before."""
    room = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (at_bytes, room[1]))
    return room


async def said(process: Forked, words: str, *, within_s: float = 90) -> None:
    """Wait until a process prints these words."""
    assert process.stdout is not None
    async with asyncio.timeout(within_s):
        async for line in process.stdout:
            if words in line.decode():
                return
    raise AssertionError(f"it never said “{words}”")


@pytest.mark.storage
async def test_on_a_full_disk_sending_stops_says_so_and_goes_on_when_there_is_room(
    database_url: str, tmp_path: Path
) -> None:
    async with started(database_url, tmp_path) as (settings, ground, server):
        process = await mailing.sending_process(settings, is_heard=True)
        async with mailing.ended(process):
            await server.reached(1)
            room = fill_the_disk_of(process, at_bytes=FULL_AT_BYTES)
            await said(process, "sending stops for now")
            assert server.total < PEOPLE
            assert server.total == len(server.taken)
            await mailing.counts(ground)
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, room)
            await mailing.stand(ground, sent=PEOPLE)
            process.terminate()
            assert await process.wait() == 0
        await check_everybody_got_one(ground, server)


async def test_no_last_dot_is_written_without_room_for_its_intent(
    database_url: str, tmp_path: Path
) -> None:
    async with started(database_url, tmp_path) as (settings, ground, server):
        held = sink.Holding()
        server.acts["RCPT"] = held
        process = await mailing.sending_process(settings, is_heard=True)
        async with mailing.ended(process):
            await held.reached()
            (journal,) = (tmp_path / "journal").iterdir()
            fill_the_disk_of(process, at_bytes=journal.stat().st_size)
            server.acts.clear()
            held.release()
            await said(process, "sending stops for now")
            await server.at_rest()
            assert server.total == 0
            process.kill()
            await process.wait()
        await worker.run_until_idle(ground)
        await check_everybody_got_one(ground, server)


def narrow_file(url: str, process: Forked) -> Callable[[], None]:
    """From now on SQLite's log can't grow, until what is given is called."""
    log = Path(f"{make_url(url).database}-wal")
    room = fill_the_disk_of(process, at_bytes=log.stat().st_size)

    def widen() -> None:
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, room)

    return widen


@asynccontextmanager
async def narrowed(
    url: str, process: Forked, request: pytest.FixtureRequest
) -> AsyncIterator[Callable[[], None]]:
    """A database that finds no room on its disk, until what is given is called."""
    if url.startswith("sqlite"):
        yield narrow_file(url, process)
        return
    try:
        async with request.getfixturevalue("postgres").narrow(url, "deliveries") as widen:
            yield widen
    except PermissionError:
        pytest.skip("this machine lets nobody mount a file system")


@pytest.mark.storage
async def test_when_the_databases_disk_is_full_results_wait_and_are_written_when_there_is_room(
    database_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    async with started(database_url, tmp_path, record_interval_s=0.02) as (
        settings,
        ground,
        server,
    ):
        held = sink.Holding()
        server.acts["RCPT"] = held
        process = await mailing.sending_process(settings, is_heard=True, log_level="warning")
        async with mailing.ended(process):
            await held.reached()
            async with narrowed(database_url, process, request) as widen:
                server.acts.clear()
                held.release()
                await said(process, "_flush")
                before = await mailing.counts(ground)
                assert before.queued + before.sent == PEOPLE
                assert before.sent <= server.total
                widen()
                await mailing.stand(ground, sent=PEOPLE)
                process.terminate()
                assert await process.wait() == 0
        await check_everybody_got_one(ground, server)


@asynccontextmanager
async def locked(url: str) -> AsyncIterator[None]:
    """Another process holds the write lock of a SQLite file for as long as the block lasts."""
    program = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None); "
        "c.execute('PRAGMA busy_timeout = 10000'); c.execute('BEGIN IMMEDIATE'); "
        "print('held', flush=True); sys.stdin.read(); c.rollback()"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        program,
        str(make_url(url).database),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert await process.stdout.readline() == b"held\n"
    try:
        yield
    finally:
        process.stdin.close()
        await process.wait()


async def test_while_the_database_is_locked_results_wait_and_are_written_afterwards(
    database_url: str, tmp_path: Path
) -> None:
    async with started(database_url, tmp_path, record_interval_s=0.02) as (
        settings,
        ground,
        server,
    ):
        held = sink.Holding()
        server.acts["RCPT"] = held
        process = await mailing.sending_process(settings, is_heard=True, log_level="warning")
        async with mailing.ended(process):
            await held.reached()
            async with locked(database_url):
                server.acts.clear()
                held.release()
                await server.reached(1)
                await said(process, "_flush")
                counts = await mailing.counts(ground)
                assert (counts.queued, counts.sent) == (PEOPLE, 0)
            await mailing.stand(ground, sent=PEOPLE)
            process.terminate()
            assert await process.wait() == 0
        await check_everybody_got_one(ground, server)


async def test_a_sender_killed_while_the_database_is_locked_loses_nothing(
    database_url: str, tmp_path: Path
) -> None:
    async with started(database_url, tmp_path) as (settings, ground, server):
        held = sink.Holding()
        server.acts["RCPT"] = held
        process = await mailing.sending_process(settings)
        await held.reached()
        async with locked(database_url):
            server.acts.clear()
            held.release()
            await server.reached(90)
            process.kill()
            await process.wait()
        await worker.run_until_idle(ground)
        counts = await mailing.counts(ground)
        assert counts.uncertain <= 2
        assert counts.sent + counts.uncertain == PEOPLE
        assert set(server.taken.values()) == {1}
        assert len(server.taken) >= counts.sent


async def test_a_journal_is_kept_until_the_database_takes_what_it_says(
    database_url: str, tmp_path: Path
) -> None:
    async with started(database_url, tmp_path) as (settings, ground, server):
        process = await mailing.sending_process(settings)
        await server.reached(PEOPLE // 2)
        process.kill()
        await process.wait()
        await server.left()
        async with locked(database_url):
            with pytest.raises(errors.Busy):
                await recovery.recover(ground, node="here")
        assert await recovery.recover(ground, node="here") == 1
        counts = await mailing.counts(ground)
        assert counts.uncertain <= 2
        assert counts.sent + counts.uncertain >= server.total == len(server.taken)


@pytest.mark.parametrize(
    ("reply", "is_kept"),
    [
        (b"450 4.7.28 unusual rate of mail\r\n", col(Allowance.ceiling).is_not(None)),
        (b"550 5.7.1 refused as spam\r\n", col(Allowance.held_until).is_not(None)),
    ],
    ids=["too-fast", "refuses-us"],
)
async def test_what_a_host_said_while_the_database_was_locked_is_kept_afterwards(
    database_url: str, tmp_path: Path, reply: bytes, is_kept: sa.ColumnElement[bool]
) -> None:
    async with started(
        database_url,
        tmp_path,
        domain_limit=[{"name": "big", "domains": ["example.org"], "connections": 1}],
        bounces={"blocks_in_a_row": 1},
    ) as (settings, ground, server):
        held = sink.Holding()
        server.acts["RCPT"] = held
        process = await mailing.sending_process(settings, is_heard=True, log_level="warning")
        async with mailing.ended(process):
            await held.reached()
            async with locked(database_url):
                # Once: whoever comes after that is taken.
                server.acts.clear()
                held.release(reply)
                await said(process, "permits can't be had")

            async def is_in_the_database(session: AsyncSession) -> bool:
                return bool(await session.scalar(sa.select(sa.exists().where(is_kept))))

            await mailing.until(ground, is_in_the_database)


async def test_a_sender_that_starts_on_a_locked_database_waits_for_it(
    database_url: str, tmp_path: Path
) -> None:
    async with started(database_url, tmp_path) as (settings, ground, server):
        lock = contextlib.AsyncExitStack()
        await lock.enter_async_context(locked(database_url))
        process = await mailing.sending_process(settings, is_heard=True, log_level="warning")
        async with lock, mailing.ended(process):
            await said(process, "sending can't begin yet")
            await lock.aclose()
            await mailing.stand(ground, sent=PEOPLE)
            process.terminate()
            assert await process.wait() == 0
        await check_everybody_got_one(ground, server)
