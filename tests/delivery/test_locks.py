"""On PostgreSQL several processes write at a time; none of them wait for each other crosswise."""

import asyncio
from pathlib import Path

from sqlmodel import col, select

from delivery import recovery, worker
from delivery.models import Delivery
from foundation.config import Settings
from tests.world import databases, grounds, mailing, sink
from tests.world.clock import FakeClock
from tests.world.databases import PostgresServer
from tests.world.sink import Sink


def two_nodes(url: str, folder: Path, server: Sink) -> list[Settings]:
    """Two machines with one database, of which neither sees the other's journals."""
    return [
        grounds.settings(
            url=url,
            folder=folder,
            changes={
                "relay": {"connections": 1},
                "delivery": {"node": node, "journal_dir": str(folder / node)},
            },
            relay_port=server.port,
        )
        for node in ("here", "there")
    ]


def a_day_later() -> FakeClock:
    """When a process that was not seen since is taken for dead."""
    clock = FakeClock()
    clock.advance(hours=25)
    return clock


async def test_a_process_that_is_taken_for_dead_while_it_records_and_who_does_so_both_go_on(
    postgres: PostgresServer, tmp_path: Path, server: Sink
) -> None:
    url = await postgres.fresh()
    here, there = two_nodes(url, tmp_path, server)
    held = sink.Holding()
    server.acts["dot"] = held
    async with (
        grounds.standing(here, FakeClock()) as ground,
        grounds.standing(there, a_day_later()) as elsewhere,
    ):
        topic = await mailing.crowd(ground, 1)
        await mailing.start(ground, topics=[topic])
        async with mailing.sending(ground):
            await held.reached()
            async with ground.db.transaction() as session:
                # Held up where it writes what the relay says.
                await session.exec(select(col(Delivery.id)).with_for_update())
                held.accept()
                await databases.waits(elsewhere.db)
                closing = asyncio.create_task(recovery.recover(elsewhere, node="there"))
                await databases.waits(elsewhere.db, number=2)
            assert await closing == 1
        assert [row.state for row in await mailing.rows(ground)] == ["sent"]
    await postgres.drop(url)


async def test_a_process_that_is_taken_for_dead_while_it_stops_and_who_does_so_both_go_on(
    postgres: PostgresServer, tmp_path: Path, server: Sink
) -> None:
    url = await postgres.fresh()
    here, there = two_nodes(url, tmp_path, server)
    held = sink.Holding()
    server.acts["RCPT"] = held
    async with (
        grounds.standing(here, FakeClock()) as ground,
        grounds.standing(there, a_day_later()) as elsewhere,
    ):
        topic = await mailing.crowd(ground, 3)
        await mailing.start(ground, topics=[topic])
        stop = asyncio.Event()
        stopping = asyncio.create_task(worker.Worker(ground).run(stop))
        await held.reached()
        async with ground.db.transaction() as session:
            # Held up where it gives back whom it had no time for.
            last = select(col(Delivery.id)).where(Delivery.id == 3).with_for_update()
            await session.exec(last)
            stop.set()
            held.release()
            await databases.waits(elsewhere.db)
            closing = asyncio.create_task(recovery.recover(elsewhere, node="there"))
            await databases.waits(elsewhere.db, number=2)
        assert await closing == 0, "it closed its row itself"
        await stopping
        assert not list((tmp_path / "here").iterdir()), "its journal went with that"
        rows = await mailing.rows(ground)
    assert [row.state for row in rows] == ["sent", "queued", "queued"]
    assert not any(row.worker_id for row in rows)
    await postgres.drop(url)
