"""The sender is killed while two forms are tried, and again while all others get the chosen one."""

import asyncio
import signal
from collections import Counter
from pathlib import Path

import pytest

from delivery import dispatch
from delivery.dispatch import Trial
from delivery.models import Variant
from foundation.clock import SystemClock
from foundation.config import Settings
from foundation.ground import Ground
from tests.faults.test_kill import settings_for
from tests.world import grounds, mailing, sink
from tests.world.sink import Sink

PEOPLE = 400
DRAWN = 160


async def killed(settings: Settings, server: Sink, total: int) -> None:
    """Send until so many messages were taken, and die there."""
    process = await mailing.sending_process(settings)
    await server.reached(total)
    process.kill()
    assert await process.wait() == -signal.SIGKILL


async def sent(ground: Ground, settings: Settings, **wanted: int) -> None:
    """Send until the ledger stands so, whoever died before."""
    async with mailing.ended(await mailing.sending_process(settings)) as process:
        async with asyncio.timeout(90):
            while True:
                found = await mailing.counts(ground)
                if found.sent + found.uncertain >= wanted["out"]:
                    break
                await asyncio.sleep(0.05)
        process.terminate()
        assert await process.wait() == 0


@pytest.mark.storage
@pytest.mark.timeout(240)
async def test_nobody_gets_both_forms_or_none_when_the_sender_is_killed_around_the_choice(
    database_url: str, tmp_path: Path
) -> None:
    async with sink.running() as server:
        settings = settings_for(database_url, tmp_path, server.port)
        async with grounds.standing(settings, SystemClock()) as ground:
            topic = await mailing.crowd(ground, PEOPLE)
            plan = mailing.plan(ground)
            other = mailing.plan(ground, subject="The other", first_link=7)
            trial = Trial(plans={"en": other}, percent=100 * DRAWN // PEOPLE)
            await mailing.start(ground, topics=[topic], plans={"en": plan}, trial=trial)
            drawn = {row.id: row.variant for row in await mailing.rows(ground)}
            assert Counter(drawn.values()) == {"a": DRAWN // 2, "b": DRAWN // 2, "": PEOPLE - DRAWN}
            await killed(settings, server, DRAWN // 3)
            await sent(ground, settings, out=DRAWN)
            assert server.total <= DRAWN, "somebody who waits for the choice got something"

            async with ground.db.transaction() as session:
                released = await dispatch.release(
                    session, dispatch_id=1, variant=Variant.B, now=ground.clock.now()
                )
            assert released == PEOPLE - DRAWN
            await killed(settings, server, DRAWN + 60)
            await sent(ground, settings, out=PEOPLE)
            counts = await mailing.counts(ground)
            found = {row.id: row.variant for row in await mailing.rows(ground)}
    assert counts.sent + counts.uncertain == counts.audience == PEOPLE
    assert found == {number: variant or "rest-b" for number, variant in drawn.items()}
    assert max(server.taken.values()) == 1, "somebody was mailed twice"
    assert len(server.taken) >= PEOPLE - counts.uncertain, "somebody was skipped"
