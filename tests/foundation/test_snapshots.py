"""Whether anything was committed to a PostgreSQL: seen from whichever connection did it."""

import contextlib
import functools
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import sqlalchemy as sa

from foundation.database import Database
from foundation.snapshots import TRANSACTION, Snapshots
from tests.world.databases import PostgresServer


@pytest.fixture
async def db(postgres: PostgresServer) -> AsyncIterator[Database]:
    """A database with a table, and one in which a transaction says that it concerns nobody."""
    async with postgres.of_numbers("things", "declared") as found:
        yield found


@pytest.fixture
async def snapshots(db: Database) -> AsyncIterator[Snapshots]:
    """Somebody who looks at it."""
    found = db.snapshots("SELECT number FROM declared")
    assert found is not None
    yield found
    await found.close()


async def test_a_commit_is_seen_and_not_before_it_is_one(
    db: Database, snapshots: Snapshots
) -> None:
    before = await snapshots.stamp()
    async with db.transaction() as session:
        await session.execute(sa.text("INSERT INTO things VALUES (1)"))
        assert await snapshots.stamp() == before
    assert await snapshots.stamp() != before


async def test_what_is_only_read_changes_nothing(db: Database, snapshots: Snapshots) -> None:
    before = await snapshots.stamp()
    assert before is not None
    async with db.reading() as session:
        await session.execute(sa.text("SELECT * FROM things"))
    assert await snapshots.stamp() == before


async def cut_off(db: Database) -> None:
    """The server ends all connections but one."""
    async with db.transaction() as session:
        await session.execute(
            sa.text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )


async def test_who_was_cut_off_says_so_and_looks_again(db: Database, snapshots: Snapshots) -> None:
    assert await snapshots.stamp() is not None
    await cut_off(db)
    assert await snapshots.stamp() is None
    assert await snapshots.stamp() is not None


async def committed(db: Database, *, declares: bool = False, fails: bool = False) -> None:
    """A transaction that writes something."""
    with contextlib.suppress(ZeroDivisionError):
        async with db.transaction() as session:
            await session.execute(sa.text("INSERT INTO things VALUES (1)"))
            if declares:
                own = await session.scalar(sa.select(TRANSACTION))
                await session.execute(sa.text(f"INSERT INTO declared VALUES ({own})"))
            if fails:
                raise ZeroDivisionError


async def between(snapshots: Snapshots, *work: Callable[[], Awaitable[None]]) -> AsyncIterator[str]:
    """The stamp before all of it, and one after each."""
    stamp = await snapshots.stamp()
    assert stamp is not None
    yield stamp
    for each in work:
        await each()
        stamp = await snapshots.stamp()
        assert stamp is not None
        yield stamp


async def test_transactions_that_concern_nobody_leave_it_quiet_whichever_stamp_is_older(
    db: Database, snapshots: Snapshots
) -> None:
    declared = functools.partial(committed, db, declares=True)
    first, second, third = [each async for each in between(snapshots, declared, declared)]
    assert first != second != third
    assert await snapshots.is_quiet(first, third)
    assert await snapshots.is_quiet(third, second)


@pytest.mark.parametrize(("declares", "fails"), [(False, False), (True, True)])
async def test_one_among_them_that_did_not_say_so_breaks_the_quiet(
    db: Database, snapshots: Snapshots, declares: bool, fails: bool
) -> None:
    declared = functools.partial(committed, db, declares=True)
    other = functools.partial(committed, db, declares=declares, fails=fails)
    stamps = [each async for each in between(snapshots, declared, other, declared)]
    assert await snapshots.is_quiet(stamps[0], stamps[1])
    assert not await snapshots.is_quiet(stamps[0], stamps[3])
    assert not await snapshots.is_quiet(stamps[3], stamps[0])


async def test_one_that_began_long_before_counts_when_it_is_committed(
    db: Database, snapshots: Snapshots
) -> None:
    async with db.transaction() as session:
        await session.execute(sa.text("INSERT INTO things VALUES (1)"))
        await committed(db, declares=True)
        before = await snapshots.stamp()
        await committed(db, declares=True)
        beside = await snapshots.stamp()
    after = await snapshots.stamp()
    assert before is not None
    assert beside is not None
    assert after is not None
    assert await snapshots.is_quiet(before, beside)
    assert not await snapshots.is_quiet(beside, after)


async def test_what_was_learned_before_a_cut_is_not_relied_on_after_it(
    db: Database, snapshots: Snapshots
) -> None:
    """A server that lost its last commits gives their numbers to other transactions."""
    async with db.transaction() as session:
        own = await session.scalar(sa.select(TRANSACTION))
    assert own is not None
    snapshots.learn(*range(own, own + 100))
    stamps = [each async for each in between(snapshots, functools.partial(committed, db))]
    assert await snapshots.is_quiet(*stamps)
    await cut_off(db)
    assert await snapshots.stamp() is None
    assert not await snapshots.is_quiet(*stamps)
