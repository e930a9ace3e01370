"""Whether anything was committed to a PostgreSQL: seen from whichever connection did it."""

from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa

from foundation import database
from foundation.database import Database
from foundation.snapshots import Snapshots
from tests.world.databases import PostgresServer


@pytest.fixture
async def db(postgres: PostgresServer) -> AsyncIterator[Database]:
    """A database with one table."""
    url = await postgres.empty()
    found = database.connect(url)
    async with found.transaction() as session:
        await session.execute(sa.text("CREATE TABLE things (number INTEGER)"))
    try:
        yield found
    finally:
        await found.close()
        await postgres.drop(url)


@pytest.fixture
async def snapshots(db: Database) -> AsyncIterator[Snapshots]:
    """Somebody who looks at it."""
    found = db.snapshots()
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


async def test_who_was_cut_off_says_so_and_looks_again(db: Database, snapshots: Snapshots) -> None:
    assert await snapshots.stamp() is not None
    async with db.transaction() as session:
        await session.execute(
            sa.text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    assert await snapshots.stamp() is None
    assert await snapshots.stamp() is not None
