"""The sender is killed again and again; everybody gets the bulletin once, or is listed by name."""

import asyncio
import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from delivery import ledger, listing
from delivery.models import DeliveryState
from foundation.clock import SystemClock
from foundation.config import Settings
from foundation.ground import Ground
from tests.world import grounds, mailing, sink
from tests.world.forking import Forked
from tests.world.sink import Sink

PEOPLE = 5000
KILLS = 20
CONNECTIONS = 4


def settings_for(url: str, folder: Path, port: int) -> Settings:
    """Small batches and leases that outlast the test, so that only the journal can free rows."""
    return grounds.settings(
        url=url,
        folder=folder,
        changes={
            "relay": {"connections": CONNECTIONS},
            "delivery": {"batch_size": 100, "record_interval_s": 0.1, "lease_s": 3600},
        },
        relay_port=port,
    )


async def check_sums(ground: Ground, dispatch_id: int) -> ledger.Counts:
    """The counts add up to the audience."""
    async with ground.db.reading() as session:
        counts = await ledger.counts(session, dispatch_id)
    assert counts.audience == PEOPLE
    return counts


async def kill_at(process: Forked, server: Sink, total: int) -> None:
    """SIGKILL once so many messages were taken, and a random moment later.

    One time in four the server loses the message that is open then, dot and all.
    """
    await server.reached(total)
    if random.random() < 0.25:
        is_lost = asyncio.Event()
        server.acts["dot"] = sink.losing(is_lost)
        async with asyncio.timeout(120):
            await is_lost.wait()
    await asyncio.sleep(random.random() * 0.02)
    process.kill()
    await process.wait()
    server.acts.clear()


@pytest.mark.storage
@pytest.mark.slow
@pytest.mark.timeout(480)
async def test_nobody_is_skipped_or_mailed_twice_when_the_sender_is_killed_twenty_times(
    database_url: str, tmp_path: Path
) -> None:
    seed = int(os.environ.get("HANDBILL_SEED", time.time_ns() % 1_000_000))
    print(f"HANDBILL_SEED={seed}")
    random.seed(seed)
    moments = sorted(random.sample(range(PEOPLE - 400), KILLS))
    async with sink.running() as server:
        settings = settings_for(database_url, tmp_path, server.port)
        async with grounds.standing(settings, SystemClock()) as ground:
            topic = await mailing.crowd(ground, PEOPLE)
            made = await mailing.start(ground, topics=[topic])
            for kills, moment in enumerate(moments, start=1):
                before = server.total
                process = await mailing.sending_process(settings)
                await kill_at(process, server, max(moment, before + random.choice([0, 1, 5, 60])))
                assert process.returncode == -signal.SIGKILL
                assert (await check_sums(ground, made.id)).uncertain <= CONNECTIONS * kills
            last = await mailing.sending_process(settings)
            await finished(ground, made.id)
            last.terminate()
            assert await last.wait() == 0
            counts = await check_sums(ground, made.id)
            await check_everybody(ground, made.id, server, counts)
            print(f"uncertain: {counts.uncertain}, {counts.uncertain / KILLS:.1f} a kill")
            assert counts.uncertain <= CONNECTIONS * KILLS


async def finished(ground: Ground, dispatch_id: int) -> None:
    """Wait until nobody waits any more."""
    async with asyncio.timeout(120):
        while True:
            counts = await check_sums(ground, dispatch_id)
            if counts.queued + counts.deferred == 0:
                return
            await asyncio.sleep(0.1)


async def check_everybody(
    ground: Ground, dispatch_id: int, server: Sink, counts: ledger.Counts
) -> None:
    """Each recipient against what the server took."""
    async with ground.db.reading() as session:
        listed = {each.email for each in await listing.uncertain(session, dispatch_id)}
        sent = {
            each.email
            for each in await listing.listed(
                session, dispatch_id, listing.Choice(state=DeliveryState.SENT), limit=PEOPLE
            )
        }
    everybody = {mailing.address(number) for number in range(1, PEOPLE + 1)}
    assert counts.sent + counts.uncertain == PEOPLE
    assert sent | listed == everybody, "somebody was skipped"
    assert sent <= set(server.taken), "somebody is called sent who got nothing"
    assert set(server.taken) <= everybody
    twice = Counter({who: count for who, count in server.taken.items() if count > 1})
    assert not twice, "somebody was mailed twice"
