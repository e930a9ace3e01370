"""Whether anything was committed to a SQLite file: seen from whichever process did it."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from foundation import database
from foundation.database import Database

_ELSEWHERE = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)
try:
    connection.execute("BEGIN IMMEDIATE")
except sqlite3.OperationalError as problem:
    sys.exit(str(problem))
connection.execute("INSERT INTO things VALUES (2)")
connection.execute(sys.argv[2])
"""


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    """A database with one table."""
    found = database.connect(f"sqlite:///{tmp_path / 'things.db'}")
    async with found.transaction() as session:
        await session.execute(sa.text("CREATE TABLE things (number INTEGER)"))
    try:
        yield found
    finally:
        await found.close()


async def elsewhere(db: Database, last: str) -> str:
    """Another process writes to the database, and ends with `last`; what it complains of."""
    words = (sys.executable, "-c", _ELSEWHERE, db.engine.url.database or "", last)
    done = await asyncio.to_thread(
        subprocess.run, words, capture_output=True, text=True, check=False
    )
    return done.stderr.strip()


async def test_a_commit_of_another_process_is_seen(db: Database) -> None:
    changes = db.changes()
    assert changes is not None
    before = changes.stamp()
    assert before is not None
    assert await elsewhere(db, "COMMIT") == ""
    assert changes.stamp() != before
    changes.close()


async def test_what_is_read_or_rolled_back_changes_nothing(db: Database) -> None:
    changes = db.changes()
    assert changes is not None
    before = changes.stamp()
    assert await elsewhere(db, "ROLLBACK") == ""
    async with db.reading() as session:
        await session.execute(sa.text("SELECT * FROM things"))
    assert changes.stamp() == before
    changes.close()


async def test_each_commit_of_our_own_is_seen_also_when_the_log_begins_anew(db: Database) -> None:
    changes = db.changes()
    assert changes is not None
    seen = {changes.stamp()}
    for _ in range(20):
        async with db.transaction() as session:
            await session.execute(sa.text("INSERT INTO things VALUES (1)"))
        stamp = changes.stamp()
        assert stamp not in seen
        seen.add(stamp)
        with sqlite3.connect(db.engine.url.database or "") as other:
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        other.close()
        seen.add(changes.stamp())
    changes.close()


async def test_who_stops_looking_ends_nobodys_lock(db: Database) -> None:
    async with db.transaction() as session:
        await session.execute(sa.text("INSERT INTO things VALUES (1)"))
        changes = db.changes()
        assert changes is not None
        changes.close()
        assert await elsewhere(db, "COMMIT") == "database is locked"


async def test_a_second_use_of_a_file_outlives_the_first(db: Database) -> None:
    path = db.engine.url.database
    changes = db.changes()
    assert changes is not None
    second = database.connect(f"sqlite:///{path}")
    await second.close()
    before = changes.stamp()
    assert await elsewhere(db, "COMMIT") == ""
    assert changes.stamp() != before
    changes.close()
