"""Permits that lie in a worker's hands are good for a while; what a host wants holds at once."""

import asyncio

import pytest
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery import allowances, limits, worker
from delivery.allowances import Ask
from delivery.models import Allowance
from foundation import rates
from foundation.ground import Ground
from tests.delivery.test_limits import BIG, NINE, begin, check_the_rest_comes_in_time, counted
from tests.world import mailing
from tests.world.clock import FakeClock
from tests.world.sink import Connection, Sink


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


@pytest.mark.settings(relay=NINE)
async def test_a_permit_that_ran_out_is_not_used_where_all_else_is_known(
    ground: Ground, clock: FakeClock, server: Sink
) -> None:
    waiting: list[Connection] = []
    are_all_there = asyncio.Event()

    def hold(connection: Connection) -> None:
        connection.hold()
        waiting.append(connection)
        if len(waiting) == NINE["connections"]:
            are_all_there.set()

    await begin(ground, 18)
    server.acts["RCPT"] = hold
    running = asyncio.create_task(worker.run_until_idle(ground))
    async with asyncio.timeout(90):
        await are_all_there.wait()
    first, *others = waiting
    first.release(b"250 OK\r\n")
    # What the last look said of this one it said of all: they need no question any more.
    await server.reached(1)
    arrived = [rates.tick(clock.now())]
    clock.advance(seconds=30)
    server.acts.clear()
    for connection in others:
        connection.release(b"250 OK\r\n")
    await running
    arrived += [rates.tick(clock.now())] * (server.total - 1)
    await check_the_rest_comes_in_time(ground, clock, server, arrived)


@pytest.mark.settings(domain_limit=[BIG], relay={"connections": 8}, delivery={"lease_s": 600})
async def test_a_host_that_finds_us_too_fast_gets_fewer_at_once(
    ground: Ground, server: Sink
) -> None:
    said = "450 4.7.28 unusual rate of mail"
    await allowances.slow_down(ground, name="domains:big", measured=6000, said=said)
    await begin(ground, 60, at_host=40)
    under_way = counted(server)
    await worker.run_until_idle(ground)
    assert server.total == 60
    assert max(under_way) == 4
