"""A database is there for the next who asks, whatever became of who asked before."""

import asyncio
from pathlib import Path

import sqlalchemy as sa

from foundation import database
from foundation.database import Database
from tests.world import quickening


async def write(db: Database) -> None:
    async with db.transaction() as session:
        await session.execute(sa.text("INSERT INTO kept VALUES (1)"))
        await session.execute(sa.text("SELECT count(*) FROM kept"))


async def test_who_is_cut_off_in_the_middle_of_a_change_leaves_no_lock(tmp_path: Path) -> None:
    db = database.connect(f"sqlite:///{tmp_path / 'handbill.db'}", busy_timeout_s=0.2)
    quickening.quicken(db)
    async with db.transaction() as session:
        await session.execute(sa.text("CREATE TABLE kept (number INTEGER)"))
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
    await db.close()
