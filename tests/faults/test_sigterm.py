"""SIGTERM in the middle of sending: what is open is finished, the rest waits for the next start."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery.models import Dispatch, DispatchState
from foundation.clock import SystemClock
from foundation.config import Settings
from foundation.ground import Ground
from tests.world import grounds, mailing, service, sink
from tests.world.forking import Process
from tests.world.sink import Connection, Sink

PEOPLE = 300
CONNECTIONS = 2
ANSWERED_AFTER_S = 0.5


def settings_for(url: str, folder: Path, port: int) -> Settings:
    """Two connections, small batches, and leases that outlast the test."""
    return grounds.settings(
        url=url,
        folder=folder,
        changes={
            "relay": {"connections": CONNECTIONS},
            "delivery": {"batch_size": 20, "lease_s": 3600},
        },
        relay_port=port,
    )


async def check_sums(ground: Ground, server: Sink) -> None:
    """Whoever the server took a mail for is called sent, and everybody else waits."""
    counts = await mailing.counts(ground)
    assert counts.sent == server.total == len(server.taken)
    assert counts.queued == PEOPLE - server.total
    assert all(row.worker_id is None for row in await mailing.rows(ground))
    await mailing.workers(ground, 0)


@asynccontextmanager
async def sending(settings: Settings, folder: Path, *, is_service: bool) -> AsyncIterator[Process]:
    """A sender alone, or the whole service, whose crew sends: as many as there are processors."""
    if is_service:
        async with service.running(settings, folder) as serving:
            yield serving.process
    else:
        async with mailing.ended(await mailing.sending_process(settings)) as process:
            yield process


async def all_held(ground: Ground, server: Sink) -> list[Connection]:
    """Wait until every connection waits for the reply to a last dot; returns them."""
    held: list[Connection] = []

    def hold(connection: Connection) -> None:
        connection.hold()
        held.append(connection)

    async def are_all(_session: AsyncSession) -> bool:
        return len(held) == CONNECTIONS

    server.acts["dot"] = hold
    await mailing.until(ground, are_all)
    return held


@pytest.mark.storage
@pytest.mark.parametrize("is_service", [False, True], ids=["a-sender", "the-service"])
async def test_sigterm_finishes_what_is_open_and_the_next_start_sends_the_rest_once(
    database_url: str, tmp_path: Path, is_service: bool
) -> None:
    async with sink.running() as server:
        settings = settings_for(database_url, tmp_path, server.port)
        async with grounds.standing(settings, SystemClock()) as ground:
            topic = await mailing.crowd(ground, PEOPLE)
            await mailing.start(ground, topics=[topic])
            async with sending(settings, tmp_path, is_service=is_service) as process:
                await server.reached(5)
                held = await all_held(ground, server)
                before = server.total
                process.terminate()
                # Not so quickly that all is sent before the other processes hear of it.
                server.acts["dot"] = sink.slowly(0.02)
                for connection in held:
                    connection.take()
                    # When everybody has heard of it: whoever does not wait is left uncertain.
                    asyncio.get_running_loop().call_later(
                        ANSWERED_AFTER_S, connection.release, b"250 2.0.0 taken\r\n"
                    )
                assert await process.wait() == 0
            assert before + CONNECTIONS <= server.total < PEOPLE
            await check_sums(ground, server)
            server.acts.clear()
            async with sending(settings, tmp_path, is_service=is_service) as process:
                await mailing.stand(ground, sent=PEOPLE)
                process.terminate()
                assert await process.wait() == 0
            await check_sums(ground, server)
            assert server.taken == dict.fromkeys(map(mailing.address, range(1, PEOPLE + 1)), 1)
            async with ground.db.reading() as session:
                assert (await session.get_one(Dispatch, 1)).state == DispatchState.SENT
            assert not any((tmp_path / "journal").iterdir())
