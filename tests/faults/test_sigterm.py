"""SIGTERM in the middle of sending: what is open is finished, the rest waits for the next start."""

from pathlib import Path

import pytest

from delivery.models import Dispatch, DispatchState
from foundation.clock import SystemClock
from foundation.config import Settings
from foundation.ground import Ground
from tests.world import grounds, mailing, sink
from tests.world.sink import Sink

PEOPLE = 60


def settings_for(url: str, folder: Path, port: int) -> Settings:
    """Two connections, small batches, and leases that outlast the test."""
    return grounds.settings(
        url=url,
        folder=folder,
        changes={"relay": {"connections": 2}, "delivery": {"batch_size": 20, "lease_s": 3600}},
        relay_port=port,
    )


async def check_sums(ground: Ground, server: Sink) -> None:
    """Whoever the server took a mail for is called sent, and everybody else waits."""
    counts = await mailing.counts(ground)
    assert counts.sent == server.total == len(server.taken)
    assert counts.queued == PEOPLE - server.total
    assert all(row.worker_id is None for row in await mailing.rows(ground))


@pytest.mark.storage
async def test_sigterm_finishes_what_is_open_and_the_next_start_sends_the_rest_once(
    database_url: str, tmp_path: Path
) -> None:
    async with sink.running() as server:
        settings = settings_for(database_url, tmp_path, server.port)
        async with grounds.standing(settings, SystemClock()) as ground:
            topic = await mailing.crowd(ground, PEOPLE)
            await mailing.start(ground, topics=[topic])
            process = await mailing.sending_process(settings)
            await server.reached(5)
            held = sink.Holding()
            server.acts["dot"] = held
            await held.reached()
            process.terminate()
            server.acts.clear()
            before = server.total
            held.accept()
            assert await process.wait() == 0
            assert server.total >= before + 1
            assert server.total < PEOPLE
            await check_sums(ground, server)
            next_process = await mailing.sending_process(settings)
            await mailing.stand(ground, sent=PEOPLE)
            next_process.terminate()
            assert await next_process.wait() == 0
            await check_sums(ground, server)
            assert server.taken == dict.fromkeys(map(mailing.address, range(1, PEOPLE + 1)), 1)
            async with ground.db.reading() as session:
                assert (await session.get_one(Dispatch, 1)).state == DispatchState.SENT
            assert not any((tmp_path / "journal").iterdir())
