"""The sender dies before and after every single write that somebody else can see."""

import signal
from pathlib import Path

import pytest

from delivery import worker
from delivery.models import DeliveryState
from foundation.clock import SystemClock
from foundation.ground import Ground
from tests.world import grounds, mailing, nursery, sink
from tests.world.sink import Sink

PEOPLE = 3
CONNECTIONS = 2
RECORD_EVERY_S = 0.01
BEFORE_ALL = 1_000_000
"""The number of a campaign that is sent without a crash, so that the others are sent sooner."""
FEWEST_MOMENTS = 4 * PEOPLE
"""An intent and a last dot for each, before and after."""


async def check_everybody(ground: Ground, dispatch_id: int, server: Sink) -> int:
    """Each recipient against what the server took; returns how many are uncertain."""
    uncertain = 0
    for row in await mailing.rows(ground, dispatch_id):
        taken = server.taken[mailing.address(row.subscriber_id or 0)]
        if row.state == DeliveryState.UNCERTAIN:
            uncertain += 1
            assert taken <= 1, "mailed twice"
        else:
            assert row.state == DeliveryState.SENT, "skipped"
            assert taken == 1, "called sent who got nothing, or mailed twice"
    return uncertain


@pytest.mark.storage
@pytest.mark.slow
@pytest.mark.timeout(480)
async def test_whatever_was_written_last_before_a_crash_nobody_is_skipped_or_mailed_twice(
    database_url: str, tmp_path: Path
) -> None:
    async with sink.running() as server, nursery.opened() as children:
        settings = grounds.settings(
            url=database_url,
            folder=tmp_path,
            changes={
                "relay": {"connections": CONNECTIONS},
                "delivery": {"record_interval_s": RECORD_EVERY_S},
            },
            relay_port=server.port,
        )
        async with grounds.standing(settings, SystemClock()) as ground:
            # So that results are recorded while other messages are open.
            server.acts["dot"] = sink.slowly(2 * RECORD_EVERY_S)
            topic = await mailing.crowd(ground, PEOPLE)
            await mailing.start(ground, topics=[topic], campaign_id=BEFORE_ALL)
            await children.practise(settings)
            server.taken.clear()
            moment, ended, lost = 0, -signal.SIGKILL, 0
            while ended == -signal.SIGKILL:
                moment += 1
                made = await mailing.start(ground, topics=[topic], campaign_id=moment)
                ended = await children.send(settings, killed_at=moment)
                await server.left()
                await worker.run_until_idle(ground)
                uncertain = await check_everybody(ground, made.id, server)
                assert uncertain <= CONNECTIONS, f"killed at moment {moment}"
                lost += uncertain
                server.taken.clear()
            print(f"moments: {moment - 1}, uncertain in all: {lost}")
            assert ended == 0
            assert moment > FEWEST_MOMENTS
            for path in (tmp_path / "journal").iterdir():
                assert b'"I"' not in path.read_bytes(), "only who died before any lease left one"
