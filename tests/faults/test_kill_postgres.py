"""PostgreSQL is killed in the middle of sending, with every process of it, and started again."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from foundation.clock import SystemClock
from foundation.config import Settings
from foundation.ground import Ground
from tests.world import grounds, mailing, sink
from tests.world.databases import PostgresServer
from tests.world.sink import Sink

pytestmark = [pytest.mark.slow]

PEOPLE = 900
CONNECTIONS = 4
EVERYBODY = {mailing.address(number) for number in range(1, PEOPLE + 1)}


@pytest.fixture(scope="module")
def own_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A server that nobody else is on."""
    server = PostgresServer(tmp_path_factory.mktemp("own"), keeps_commits=True)
    yield server
    server.stop()


@asynccontextmanager
async def started(
    postgres: PostgresServer, folder: Path
) -> AsyncIterator[tuple[Settings, Ground, Sink]]:
    """A dispatch that waits to be sent."""
    async with sink.running() as server:
        settings = grounds.settings(
            url=await postgres.fresh(),
            folder=folder,
            changes={
                "relay": {"connections": CONNECTIONS},
                "delivery": {"batch_size": 100, "lease_s": 3600},
            },
            relay_port=server.port,
        )
        async with grounds.standing(settings, SystemClock()) as ground:
            topic = await mailing.crowd(ground, PEOPLE)
            await mailing.start(ground, topics=[topic])
            yield settings, ground, server


async def test_when_postgresql_is_killed_the_sender_waits_and_goes_on_and_everybody_gets_one(
    own_postgres: PostgresServer, tmp_path: Path
) -> None:
    async with started(own_postgres, tmp_path) as (settings, ground, server):
        process = await mailing.sending_process(settings)
        async with mailing.ended(process):
            for part in (1, 2):
                await server.reached(part * PEOPLE // 3)
                own_postgres.kill()
                await server.at_rest()
                assert process.returncode is None
                assert set(server.taken.values()) == {1}
                own_postgres.start_again()
            await mailing.stand(ground, sent=PEOPLE)
            process.terminate()
            assert await process.wait() == 0
        assert server.taken == dict.fromkeys(EVERYBODY, 1)
        assert (await mailing.counts(ground)).uncertain == 0


async def test_when_postgresql_and_the_sender_are_killed_together_the_journal_knows_who_got_one(
    own_postgres: PostgresServer, tmp_path: Path
) -> None:
    async with started(own_postgres, tmp_path) as (settings, ground, server):
        process = await mailing.sending_process(settings)
        async with mailing.ended(process):
            await server.reached(PEOPLE // 2)
            own_postgres.kill()
            process.kill()
        await server.left()
        own_postgres.start_again()
        process = await mailing.sending_process(settings)
        async with mailing.ended(process):
            await mailing.stand(ground, queued=0, deferred=0)
            process.terminate()
            assert await process.wait() == 0
        counts = await mailing.counts(ground)
        assert counts.uncertain <= CONNECTIONS
        rows = await mailing.rows(ground)
        sent = {mailing.address(row.subscriber_id or 0) for row in rows if row.state == "sent"}
        assert sent <= set(server.taken) <= EVERYBODY
        assert counts.sent + counts.uncertain == PEOPLE
        assert set(server.taken.values()) == {1}
