"""Several senders on one database: they race, freeze, are taken for dead, and wake up again."""

import asyncio
import os
import signal
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery import ledger, outbox, worker
from delivery.models import Delivery, Reason, Worker
from foundation.clock import SystemClock
from foundation.config import Settings
from foundation.ground import Ground
from foundation.notices import Notice
from tests.world import grounds, mailing, sink
from tests.world.clock import FakeClock
from tests.world.databases import PostgresServer
from tests.world.sink import Sink


def settings_for(
    url: str, folder: Path, server: Sink, *, node: str = "here", **delivery: int
) -> Settings:
    """One connection a sender; each node has a journal folder of its own, as on another machine."""
    return grounds.settings(
        url=url,
        folder=folder,
        changes={
            "relay": {"connections": 1},
            "delivery": {"node": node, "journal_dir": str(folder / node), **delivery},
        },
        relay_port=server.port,
    )


@pytest.mark.storage
async def test_of_many_claims_at_one_moment_no_two_get_the_same_row(ground: Ground) -> None:
    topic = await mailing.crowd(ground, 120)
    await mailing.start(ground, topics=[topic])
    now = ground.clock.now()

    async def claim(number: int) -> list[int]:
        async with ground.db.transaction() as session:
            found = await ledger.claim(
                session, worker_id=number, limit=20, now=now, until=now + timedelta(minutes=2)
            )
            # So that all of them are at it at the same time.
            await asyncio.sleep(0)
        return [row.id for row in found]

    claimed = [row for rows in await asyncio.gather(*map(claim, range(1, 9))) for row in rows]
    assert len(claimed) == len(set(claimed))
    rows = await mailing.rows(ground)
    assert {row.id for row in rows if row.worker_id is not None} == set(claimed)


async def test_who_claims_while_another_claim_is_not_committed_gets_the_next_at_once(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    """On SQLite there is one writer at a time, so nobody can come in between."""
    url = await postgres.fresh()
    settings = grounds.settings(url=url, folder=tmp_path, changes={})
    async with grounds.standing(settings, FakeClock()) as ground:
        topic = await mailing.crowd(ground, 6)
        await mailing.start(ground, topics=[topic])
        async with ground.db.transaction() as session:
            for name in ("ana", "bo"):
                notice = Notice(
                    kind="join_received",
                    to=f"{name}@example.org",
                    language="en",
                    context={"organisation": "Tenants"},
                )
                await ground.notices.queue(session, notice)

        async def claim(session: AsyncSession, number: int) -> tuple[list[int], list[int]]:
            now = ground.clock.now()
            until = now + timedelta(minutes=2)
            mine = await ledger.claim(session, worker_id=number, limit=3, now=now, until=until)
            mail = await outbox.claim(session, worker_id=number, limit=1, now=now, until=until)
            return [row.id for row in mine], [row.id for row in mail]

        async with ground.db.transaction() as first:
            assert await claim(first, 1) == ([1, 2, 3], [1])
            async with ground.db.transaction() as second:
                assert await claim(second, 2) == ([4, 5, 6], [2])
    await postgres.drop(url)


@pytest.mark.storage
async def test_many_senders_that_take_a_few_at_a_time_send_everybody_one(
    database_url: str, tmp_path: Path
) -> None:
    async with sink.running() as server:
        settings = settings_for(database_url, tmp_path, server, batch_size=3)
        async with grounds.standing(settings, SystemClock()) as ground:
            topic = await mailing.crowd(ground, 150)
            await mailing.start(ground, topics=[topic])
            await asyncio.gather(*(worker.run_until_idle(ground) for _ in range(5)))
            assert server.taken == dict.fromkeys(map(mailing.address, range(1, 151)), 1)
            assert (await mailing.counts(ground)).sent == 150
            assert server.accepted == 5, "each of them sent some"


@pytest.mark.storage
async def test_a_sender_that_froze_until_its_rows_were_anothers_writes_no_last_dot_when_it_wakes(
    database_url: str, tmp_path: Path
) -> None:
    async with sink.running() as server:
        settings = settings_for(database_url, tmp_path, server)
        held = sink.Holding()
        server.acts["RCPT"] = held
        late = FakeClock(SystemClock().now() + timedelta(hours=25))
        there = settings_for(database_url, tmp_path, server, node="there")
        async with (
            grounds.standing(settings, SystemClock()) as ground,
            grounds.standing(there, late) as elsewhere,
        ):
            topic = await mailing.crowd(ground, 3)
            await mailing.start(ground, topics=[topic])
            # Somebody waits until long after, so that the dispatch goes on being sent.
            async with ground.db.transaction() as session:
                (await session.get_one(Delivery, 3)).due_at = late.now() + timedelta(days=30)
            frozen = await mailing.sending_process(settings)
            async with mailing.ended(frozen):
                await held.reached()
                os.kill(frozen.pid, signal.SIGSTOP)
                # A day later another machine settles what the frozen one held.
                await worker.run_until_idle(elsewhere)
                rows = await mailing.rows(ground)
                assert [row.reason for row in rows] == [Reason.JOURNAL_LOST] * 2 + [""]
                server.acts.clear()
                os.kill(frozen.pid, signal.SIGCONT)
                held.release()
                await server.left()
                assert server.total == 0, "its row was another's"
                assert (await mailing.counts(ground)).uncertain == 2
                late.set(SystemClock().now())
                await check_it_begins_anew(ground, elsewhere, server, topic)
                frozen.terminate()
                assert await frozen.wait() == 0


async def check_it_begins_anew(ground: Ground, elsewhere: Ground, server: Sink, topic: int) -> None:
    """What it sends from now on is its own again: nobody frees a row under its last dot."""
    held = sink.Holding()
    server.acts["dot"] = held
    made = await mailing.start(ground, topics=[topic], campaign_id=2)
    connection = await held.reached()
    connection.take()
    server.acts.clear()
    await worker.run_until_idle(elsewhere)
    held.release()
    await mailing.stand(ground, made.id, sent=3)
    assert server.taken == dict.fromkeys(map(mailing.address, (1, 2, 3)), 1)
    async with ground.db.reading() as session:
        statement = select(Worker).where(col(Worker.node) == "here").order_by(col(Worker.id))
        first, second = (await session.exec(statement)).all()
    assert first.closed_at is not None
    assert second.closed_at is None
    assert first.pid == second.pid
