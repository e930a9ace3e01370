"""Permits that lie in a worker's hands are good for a while; what a host wants holds at once."""

import pytest
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery import allowances, limits, worker
from delivery.allowances import Ask
from delivery.models import Allowance
from foundation.ground import Ground
from tests.delivery.test_limits import begin
from tests.world import mailing
from tests.world.clock import FakeClock
from tests.world.sink import Sink


def begun(server: Sink) -> int:
    """How many messages were begun, whatever became of them."""
    return sum(line.startswith("MAIL") for line in server.commands)


@pytest.mark.settings(relay={"rates": ["10/min"]})
async def test_no_message_is_begun_by_a_permit_that_ran_out_in_hand(
    ground: Ground, clock: FakeClock, server: Sink
) -> None:
    await begin(ground, 4)
    async with mailing.sending(ground):
        await server.reached(4)  # five of the permits that came along are left
        clock.advance(minutes=2)
        # Another worker takes all that there is by now.
        terms = limits.terms_of_relay(ground.settings.relay[0])
        (grant,) = (await allowances.reserve(ground, [Ask(terms=terms, bulk=10)])).values()
        assert grant.bulk == 9
        clock.advance(seconds=1)
        await mailing.start(ground, topics=[1], campaign_id=2)
        await mailing.until(ground, was_asked_for_permits_at(clock))
    assert begun(server) == 4, "it would stand there without its dot"
    clock.advance(minutes=2)
    await worker.run_until_idle(ground)
    assert (begun(server), server.total) == (8, 8)


def was_asked_for_permits_at(clock: FakeClock) -> mailing.Question:
    """Whether a worker looked for new permits at this very moment."""

    async def was_asked(session: AsyncSession) -> bool:
        return await session.scalar(select(col(Allowance.touched_at))) == clock.now()

    return was_asked
