"""The disk under the database is full in the middle of sending: a real one, of a few megabytes."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery import worker
from delivery.models import Delivery
from foundation import database, errors
from foundation.clock import SystemClock
from foundation.config import Settings
from foundation.ground import Ground
from tests.world import grounds, mailing, sink
from tests.world import web as web_world
from tests.world.databases import PostgresServer, SqliteFiles
from tests.world.sink import Sink

PEOPLE = 200
CONNECTIONS = 2
SAID = "disk is full"


@dataclass(frozen=True, kw_only=True, slots=True)
class Narrow:
    """A database on a disk that can be filled."""

    url: str
    filled: Callable[[], AbstractAsyncContextManager[Callable[[], None]]]
    """Full for as long as the block lasts, or until what it gives is called."""


@pytest.fixture
async def narrow(source: SqliteFiles | PostgresServer, tmp_path: Path) -> AsyncIterator[Narrow]:
    """One of the engine under test; on PostgreSQL it is the disk of the ledger alone."""
    try:
        if isinstance(source, SqliteFiles):
            with source.narrow(tmp_path / "disk") as (url, disk):

                @asynccontextmanager
                async def filled() -> AsyncIterator[Callable[[], None]]:
                    disk.fill()
                    yield disk.make_room
                    disk.make_room()

                yield Narrow(url=url, filled=filled)
        else:
            url = await source.fresh()
            yield Narrow(url=url, filled=lambda: source.narrow(url, "deliveries"))
            await source.drop(url)
    except PermissionError:
        pytest.skip("this machine lets nobody mount a file system")


@asynccontextmanager
async def started(narrow: Narrow, folder: Path) -> AsyncIterator[tuple[Settings, Ground, Sink]]:
    """A dispatch that waits to be sent; the journal is on another disk."""
    async with sink.running() as server:
        settings = grounds.settings(
            url=narrow.url,
            folder=folder,
            changes={
                "relay": {"connections": CONNECTIONS},
                "delivery": {"batch_size": 100, "lease_s": 3600},
                "database": {"busy_timeout_s": 0.5},
            },
            relay_port=server.port,
        )
        async with grounds.standing(settings, SystemClock()) as ground:
            topic = await mailing.crowd(ground, PEOPLE)
            await mailing.start(ground, topics=[topic])
            yield settings, ground, server


@pytest.mark.storage
async def test_on_a_full_disk_staff_are_told_and_sending_goes_on_by_itself_when_there_is_room(
    narrow: Narrow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with started(narrow, tmp_path) as (_, ground, server), web_world.browsing(ground) as web:
        owner = await web.as_staff()
        assert SAID not in (await owner.get("/staff")).text

        async def is_full(_session: AsyncSession) -> bool:
            return ground.db.is_full

        held = sink.Holding()
        server.acts["RCPT"] = held
        async with mailing.sending(ground):
            await held.reached()
            async with narrow.filled() as make_room:
                server.acts.clear()
                held.release()
                await mailing.until(ground, is_full)
                assert SAID in (await owner.get("/staff")).text
                with pytest.raises(errors.NoRoom, match=SAID):
                    async with ground.db.transaction() as session:
                        await session.execute(sa.update(Delivery).values(reply_text="x" * 200))
                assert (await mailing.counts(ground)).sent <= server.total
                make_room()
                await mailing.stand(ground, sent=PEOPLE)
        monkeypatch.setattr(database, "_FULL_FOR_S", 0.0)
        assert SAID not in (await owner.get("/staff")).text
        assert server.taken == dict.fromkeys(map(mailing.address, range(1, PEOPLE + 1)), 1)


@pytest.mark.storage
async def test_a_sender_killed_while_the_disk_is_full_loses_nobody_and_mails_nobody_twice(
    narrow: Narrow, tmp_path: Path
) -> None:
    async with started(narrow, tmp_path) as (settings, ground, server):
        held = sink.Holding()
        server.acts["RCPT"] = held
        process = await mailing.sending_process(settings)
        async with mailing.ended(process):
            await held.reached()
            async with narrow.filled():
                server.acts.clear()
                held.release()
                # Most of what it holds: the ledger can't say so, the journal does.
                await server.reached(PEOPLE * 2 // 5)
                process.kill()
                await process.wait()
        await server.left()
        assert (await mailing.counts(ground)).sent < server.total
        await worker.run_until_idle(ground)
        counts = await mailing.counts(ground)
        assert counts.uncertain <= CONNECTIONS
        assert counts.sent + counts.uncertain == PEOPLE
        assert set(server.taken.values()) == {1}
        assert len(server.taken) >= counts.sent
