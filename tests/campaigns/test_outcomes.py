"""What lists say of a campaign that is under way."""

from datetime import timedelta

import pytest

from campaigns import outcomes
from delivery import ledger
from foundation.ground import Ground
from tests.world import campaigning, mailing


@pytest.mark.storage
async def test_who_waits_and_who_is_in_a_senders_hands_has_not_got_it(ground: Ground) -> None:
    now = ground.clock.now()
    await mailing.crowd(ground, 3)
    started = await campaigning.started(ground)
    async with ground.db.transaction() as session:
        until = now + timedelta(minutes=2)
        await ledger.claim(session, worker_id=1, limit=2, now=now, until=until)
    async with ground.db.reading() as session:
        (found,) = await outcomes.of(session, [started])
    assert (found.audience, found.sent) == (3, 0)
