"""One of several processes that send on one machine is killed; the others go on at once."""

import os
import signal
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery.models import Delivery, DeliveryState, Reason, Worker
from foundation.clock import SystemClock
from foundation.ground import Ground
from tests.world import forking, grounds, mailing, service, sink
from tests.world.sink import Connection, Sink

PEOPLE = 400
CONNECTIONS = 5


@pytest.mark.storage
async def test_when_one_of_two_senders_is_killed_the_other_sends_the_rest_and_nobody_gets_two(
    database_url: str, tmp_path: Path
) -> None:
    async with sink.running() as server:
        # Leases outlast the test, so that only the journal of the dead can free what it held.
        settings = grounds.settings(
            url=database_url,
            folder=tmp_path,
            changes={
                "relay": {"connections": CONNECTIONS},
                "delivery": {"processes": 2, "batch_size": 20, "lease_s": 3600},
            },
            relay_port=server.port,
        )
        async with grounds.standing(settings, SystemClock()) as ground:
            topic = await mailing.crowd(ground, PEOPLE)
            file = tmp_path / "config.toml"
            file.write_text(service.as_toml(settings.model_dump(mode="json", exclude_unset=True)))
            # Nobody looks for who is gone, so that it has to be the first that hears of it.
            first = await forking.started(
                *("--config", str(file), "worker"),
                module="tests.world.unhurried",
                environment=os.environ,
            )
            async with mailing.ended(first):
                await mailing.workers(ground, 2)
                other = await other_than(ground, first.pid)
                await mailing.start(ground, topics=[topic])
                silent = await open_at_both(ground, server)
                os.kill(other, signal.SIGKILL)
                server.acts.clear()
                for connection in silent:
                    connection.release(b"250 2.0.0 taken\r\n")
                # The first hears of it, settles what the other held, and sends the rest.
                await mailing.workers(ground, 1)
                await mailing.stand(ground, queued=0)
                first.terminate()
                assert await first.wait() == 0
            assert server.accepted <= 2 * CONNECTIONS
            await check_everybody(ground, server)


async def other_than(ground: Ground, first: int) -> int:
    """The process that sends beside the first one."""
    async with ground.db.reading() as session:
        (other,) = (await session.exec(select(Worker.pid).where(col(Worker.pid) != first))).all()
    return other


async def open_at_both(ground: Ground, server: Sink) -> list[Connection]:
    """Wait until each connection of both waits for the reply to a last dot; returns them all."""
    silent: list[Connection] = []

    def take_and_say_nothing(connection: Connection) -> None:
        connection.take()
        connection.hold()
        silent.append(connection)

    server.acts["dot"] = take_and_say_nothing

    async def are_at_it(session: AsyncSession) -> bool:
        held = sa.select(sa.func.count(col(Delivery.worker_id).distinct()))
        return await session.scalar(held) == 2 and len(silent) == CONNECTIONS

    await mailing.until(ground, are_at_it)
    return silent


async def check_everybody(ground: Ground, server: Sink) -> None:
    """Each recipient against what the server took; what the dead one had open is listed by name."""
    uncertain = 0
    for row in await mailing.rows(ground):
        taken = server.taken[mailing.address(row.subscriber_id or 0)]
        if row.state == DeliveryState.UNCERTAIN:
            uncertain += 1
            assert (row.reason, taken) == (Reason.CRASHED, 1)
        else:
            assert (row.state, taken) == (DeliveryState.SENT, 1), "skipped, or mailed twice"
    assert uncertain == CONNECTIONS // 2, "one for each connection that was its own"
