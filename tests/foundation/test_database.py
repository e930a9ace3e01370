"""A database is there for the next who asks, whatever became of who asked before."""

import _sqlite3
import asyncio
import ctypes
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import database, errors, sqlite_threads, tables
from foundation.database import Database
from foundation.ground import Ground
from subscribers.models import SignUp, Topic
from tests.subscribers import mailbox
from tests.world import quickening

INSERT = sa.text("INSERT INTO kept VALUES (1)")
COUNT = sa.text("SELECT count(*) FROM kept")
TELL_APART = sa.text(
    "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 300000)"
    " SELECT count(*) FROM"
    " (SELECT printf('%060d', n % 1000) AS name, count(*) FROM numbers GROUP BY name)"
)
"""Twenty megabytes to be sorted."""


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    """A SQLite file with one table, whose lock is not waited for long."""
    found = database.connect(f"sqlite:///{tmp_path / 'handbill.db'}", busy_timeout_s=0.2)
    quickening.quicken(found)
    async with found.transaction() as session:
        await session.execute(sa.text("CREATE TABLE kept (number INTEGER)"))
    yield found
    await found.close()


async def write(db: Database) -> None:
    async with db.transaction() as session:
        await session.execute(INSERT)
        await session.execute(COUNT)


async def kept(db: Database) -> int:
    async with db.reading() as session:
        return int((await session.execute(COUNT)).scalar_one())


async def test_of_connections_that_many_used_at_once_a_few_stay_open(db: Database) -> None:
    together = asyncio.Barrier(9)

    async def read() -> None:
        async with db.reading() as session:
            await session.execute(COUNT)
            await together.wait()

    await asyncio.gather(*(read() for _ in range(9)))
    pool = db.engine.pool
    assert isinstance(pool, sa.QueuePool)
    assert (pool.checkedin(), pool.checkedout()) == (4, 0)


async def test_who_is_cut_off_in_the_middle_of_a_change_leaves_no_lock(db: Database) -> None:
    ends: list[object] = []
    for steps in range(0, 300, 5):
        writing = asyncio.create_task(write(db))
        for _ in range(steps):
            await asyncio.sleep(0)
        writing.cancel()
        # What ended it is still known, as it is to a task, and knows where it was.
        ends += await asyncio.gather(writing, return_exceptions=True)
        await write(db)
    assert any(isinstance(each, asyncio.CancelledError) for each in ends)


async def test_who_is_cut_off_while_closing_leaves_no_connection_open(tmp_path: Path) -> None:
    for steps in range(1, 60):
        db = database.connect(f"sqlite:///{tmp_path / 'closed.db'}")
        async with db.reading() as first, db.reading() as second:
            await first.execute(sa.select(1))
            await second.execute(sa.select(1))
        closing = asyncio.create_task(db.close())
        for _ in range(steps):
            await asyncio.sleep(0)
        closing.cancel()
        await asyncio.gather(closing, return_exceptions=True)
        # Each connection has a thread, which takes a moment to end once it is told to.
        for thread in threading.enumerate():
            if "_connection_worker_thread" in thread.name:
                await asyncio.to_thread(thread.join, 10)
                assert not thread.is_alive(), f"cut off after {steps} steps"


async def test_who_is_cut_off_twice_leaves_nobody_waiting(tmp_path: Path) -> None:
    """The second time while what the first one held is being closed."""

    async def reads(db: Database) -> None:
        async with db.reading() as session:
            await session.execute(sa.select(1))

    for steps in range(1, 40):
        db = database.connect(f"sqlite:///{tmp_path / 'twice.db'}")
        reading = asyncio.create_task(reads(db))
        for _ in range(2):
            for _ in range(steps):
                await asyncio.sleep(0)
            reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if others:
            _, waiting = await asyncio.wait(others, timeout=10)
            assert not waiting, f"cut off after {steps} steps"
        await db.close()


async def test_a_connection_that_is_stopped_while_it_closes_is_closed(tmp_path: Path) -> None:
    connection = await sqlite_threads.connection(str(tmp_path / "stopped.db"))
    closing = asyncio.create_task(connection.close())
    await asyncio.sleep(0)  # it waits for its thread now
    connection.stop()
    async with asyncio.timeout(10):
        await closing
    await asyncio.to_thread(connection._thread.join, 10)
    assert not connection._thread.is_alive()


async def test_what_goes_through_at_a_stretch_is_kept_whole_or_not_at_all(db: Database) -> None:
    async def two(session: AsyncSession) -> int:
        await session.execute(INSERT)
        await session.execute(INSERT)
        return int(await session.scalar(COUNT) or 0)

    async def fails(session: AsyncSession) -> None:
        await two(session)
        raise errors.Invalid("no")

    async def waits(session: AsyncSession) -> None:
        await two(session)
        await asyncio.sleep(0)

    assert await db.at_a_stretch(two) == 2
    for work, problem in ((fails, errors.Invalid), (waits, RuntimeError)):
        with pytest.raises(problem):
            await db.at_a_stretch(work)
    assert await kept(db) == 2
    assert await db.at_a_stretch(two) == 4


async def test_a_stretch_that_is_given_up_ends_before_the_next_who_writes(db: Database) -> None:
    has_begun, may_end = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    async def slow(session: AsyncSession) -> None:
        await session.execute(INSERT)
        loop.call_soon_threadsafe(has_begun.set)
        may_end.wait()

    giving_up = asyncio.create_task(db.at_a_stretch(slow))
    await has_begun.wait()
    giving_up.cancel()
    following = asyncio.create_task(write(db))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not giving_up.done(), "its place was left to the next before it was free"
    may_end.set()
    await asyncio.gather(giving_up, following, return_exceptions=True)
    assert giving_up.cancelled()
    assert following.exception() is None
    assert await kept(db) == 2


async def test_a_stretch_on_a_locked_database_is_told_to_come_later(
    db: Database, tmp_path: Path
) -> None:
    other = sqlite3.connect(tmp_path / "handbill.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(errors.Busy):
        await db.at_a_stretch(lambda session: session.execute(INSERT))
    other.execute("ROLLBACK")
    other.close()
    await db.at_a_stretch(lambda session: session.execute(INSERT))
    assert await kept(db) == 1


@pytest.mark.storage
async def test_numbers_that_are_drawn_are_nobodys_and_rise(ground: Ground) -> None:
    await mailbox.topics(ground)
    async with ground.db.transaction() as session:
        (last,) = await session.scalars(sa.select(sa.func.max(sa.inspect(Topic).local_table.c.id)))
        drawn = await tables.draw_numbers(session, Topic, 3)
        assert drawn == sorted(set(drawn))
        assert drawn[0] > last
        assert len(await tables.draw_numbers(session, SignUp, 2)) == 2, "there is no row yet"


async def test_what_is_sorted_takes_no_more_memory_the_more_it_is(db: Database) -> None:
    # Of the very library that Python's module uses.
    library = ctypes.CDLL(_sqlite3.__file__)
    library.sqlite3_memory_highwater.restype = ctypes.c_int64
    async with db.reading() as session:
        await session.execute(COUNT)
        library.sqlite3_memory_highwater(True)
        assert (await session.execute(TELL_APART)).scalar_one() == 1000
    assert 0 < library.sqlite3_memory_highwater(False) < 10_000_000


async def test_a_reading_apart_leaves_no_connection_behind(db: Database) -> None:
    await kept(db)
    before = set(threading.enumerate())

    async def threads(session: AsyncSession) -> set[threading.Thread]:
        await session.execute(COUNT)
        return set(threading.enumerate())

    # Each connection has a thread, which ends with it.
    (its,) = await db.apart(threads) - before
    its.join(timeout=30)
    assert not its.is_alive()
