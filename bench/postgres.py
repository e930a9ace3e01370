"""Messages a second by two processes on PostgreSQL, beside one on SQLite."""

import asyncio
import tempfile
from pathlib import Path

from bench import house, workers
from bench import sink as sinks
from bench.measure import Result, compare
from bench.workers import Bulletins
from tests.world import databases

GOAL = 1.0


async def run(*, people: int, times: int) -> Result:
    """Processes of `handbill worker`; from the start of a dispatch to its last row."""
    with tempfile.TemporaryDirectory() as name:
        folders = [Path(name) / each for each in ("server", "sqlite", "first", "second")]
        for folder in folders:
            folder.mkdir()
        server = await asyncio.to_thread(databases.PostgresServer, folders[0], keeps_commits=True)
        try:
            url = await server.fresh()
            async with (
                sinks.running() as port,
                house.opened(folders[1], port=port) as on_sqlite,
                house.opened(folders[2], url=url, port=port) as on_postgresql,
                workers.running(on_sqlite.settings, folders[1]),
                workers.running(on_postgresql.settings, folders[2]),
                workers.running(house.settings(folders[3], url=url, port=port), folders[3]),
            ):
                ours = await Bulletins.prepared(on_postgresql, people=people)
                theirs = await Bulletins.prepared(on_sqlite, people=people)
                found = await compare(
                    "two processes on PostgreSQL",
                    unit="messages",
                    yardstick="one process on SQLite",
                    ours=ours.rate,
                    theirs=theirs.rate,
                    times=times,
                    goal=GOAL,
                )
                # What PostgreSQL itself takes comes on top.
                found.notes.extend([f"on PostgreSQL {ours.told()}", f"on SQLite {theirs.told()}"])
                return found
        finally:
            await asyncio.to_thread(server.stop)
