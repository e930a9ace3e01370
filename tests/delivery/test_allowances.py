"""Limits hold for all workers together, through restarts, in every stretch of a window's length."""

import asyncio
import random
from datetime import timedelta

import pytest

from delivery import allowances
from delivery.allowances import Ask, Grant, Terms
from delivery.models import Worker
from foundation import rates
from foundation.ground import Ground
from foundation.rates import Rate
from tests.delivery.stretches import fullest
from tests.world import grounds
from tests.world.clock import FakeClock

pytestmark = pytest.mark.storage


async def reserve(ground: Ground, terms: Terms, *, bulk: int = 0, notices: int = 0) -> Grant:
    """What one worker gets of one limit."""
    found = await allowances.reserve(ground, [Ask(terms=terms, bulk=bulk, notices=notices)])
    return found[terms.name]


class Sender:
    """A worker that asks for permits and uses some of them, sooner or later."""

    def __init__(self, ground: Ground, chance: random.Random) -> None:
        self._ground = ground
        self._chance = chance
        self._grant: Grant | None = None
        self._left = 0
        self.let_go: list[int] = []

    async def ask(self, terms: Terms) -> None:
        """Give back what was not used, and ask for more."""
        unused = [(self._grant.tick, self._left)] if self._grant and self._left else []
        wanted = Ask(
            terms=terms,
            bulk=self._chance.randint(0, 8),
            notices=self._chance.randint(0, 2),
            unused=unused,
        )
        self._grant = (await allowances.reserve(self._ground, [wanted]))[terms.name]
        self._left = self._grant.bulk + self._grant.notices

    def send(self) -> None:
        """Let some go, if the permits are still good."""
        now = rates.tick(self._ground.clock.now())
        if self._grant is None or not self._grant.starts <= now < self._grant.ends:
            return
        count = self._chance.randint(0, self._left)
        self._left -= count
        self.let_go += [now] * count


@pytest.mark.parametrize("seed", range(4))
async def test_workers_that_compete_never_overfill_a_stretch(
    ground: Ground, clock: FakeClock, seed: int
) -> None:
    chance = random.Random(seed)
    terms = Terms(name="relay:a", rates=rates.parse_all(["20/s", "200/min"]))
    async with (
        grounds.standing(ground.settings, clock) as second,
        grounds.standing(ground.settings, clock) as third,
    ):
        senders = [Sender(each, chance) for each in (ground, second, third)]
        for _ in range(120):
            clock.advance(milliseconds=chance.choice([0, 1, 30, 70, 150, 900, 2500]))
            asking = chance.sample(senders, chance.randint(1, 3))
            await asyncio.gather(*[sender.ask(terms) for sender in asking])
            for sender in senders:
                clock.advance(microseconds=chance.randint(0, 40_000))
                sender.send()
    let_go = [tick for sender in senders for tick in sender.let_go]
    assert len(let_go) > 100
    for rate in terms.rates:
        assert fullest(let_go, rate.window_s) <= rate.count


async def test_what_one_worker_got_nobody_else_gets(ground: Ground, clock: FakeClock) -> None:
    terms = Terms(name="relay:a", rates=(Rate(50, 60),))
    async with grounds.standing(ground.settings, clock) as second:
        both = await asyncio.gather(
            *[reserve(each, terms, notices=5) for each in [ground, second] * 10]
        )
    assert sum(grant.notices for grant in both) == 50


async def test_what_one_worker_did_not_use_another_gets(ground: Ground, clock: FakeClock) -> None:
    terms = Terms(name="relay:a", rates=(Rate(50, 60),))
    first = await reserve(ground, terms, notices=50)
    async with grounds.standing(ground.settings, clock) as second:
        assert (await reserve(second, terms, notices=50)).notices == 0
        back = Ask(terms=terms, unused=[(first.tick, 12), (first.tick, 8)])
        await allowances.reserve(ground, [back])
        assert (await reserve(second, terms, notices=50)).notices == 20


async def test_who_waited_for_the_lock_gets_permits_of_the_moment_at_which_it_came(
    ground: Ground, clock: FakeClock
) -> None:
    terms = Terms(name="relay:a", rates=(Rate(50, 60),))
    async with grounds.standing(ground.settings, clock) as second:
        async with second.db.transaction() as session:
            await allowances.locked(second, session, [terms.name])
            asking = asyncio.create_task(reserve(ground, terms, notices=5))
            await asyncio.sleep(0)
            clock.advance(seconds=5)
        grant = await asking
    assert grant.tick == rates.tick(clock.now())


async def test_a_limit_survives_a_restart(ground: Ground, clock: FakeClock) -> None:
    terms = Terms(name="relay:a", rates=(Rate(100, 86_400),))
    assert (await reserve(ground, terms, notices=500)).notices == 100
    clock.advance(hours=23)
    async with grounds.standing(ground.settings, clock) as again:
        found = await reserve(again, terms, notices=1)
        assert found.notices == 0
        clock.set(rates.moment(found.notices_open))
        assert (await reserve(again, terms, notices=500)).notices == 100


async def test_notices_still_go_when_bulletins_have_used_up_the_day(ground: Ground) -> None:
    terms = Terms(name="relay:a", rates=(Rate(100, 86_400),))
    assert (await reserve(ground, terms, bulk=500)).bulk == 95
    assert (await reserve(ground, terms, bulk=500)).bulk == 0
    assert (await reserve(ground, terms, notices=500)).notices == 5


async def test_a_relay_warms_up_from_its_first_day_of_use(ground: Ground, clock: FakeClock) -> None:
    terms = Terms(name="relay:new", warmup=(50, 100, 500))
    assert (await reserve(ground, terms, notices=1000)).notices == 50
    clock.advance(hours=23)
    assert (await reserve(ground, terms, notices=1000)).notices == 0
    clock.advance(hours=1)  # the second day: 100 within any day, the fifty of yesterday among them
    assert (await reserve(ground, terms, notices=1000)).notices == 50
    clock.advance(hours=25)
    assert (await reserve(ground, terms, notices=1000)).notices == 500
    clock.advance(days=1)
    assert (await reserve(ground, terms, notices=1000)).notices == 1000


async def test_the_first_day_of_a_relay_is_never_forgotten(
    ground: Ground, clock: FakeClock
) -> None:
    relay = Terms(name="relay:new", warmup=(50, 100))
    host = Terms(name="domain:example.org", rates=(Rate(5, 60),))
    await reserve(ground, relay, notices=1)
    await reserve(ground, host, notices=5)
    clock.advance(days=10)
    await allowances.tidy(ground)
    assert (await reserve(ground, relay, notices=1000)).notices == 1000
    async with ground.db.reading() as session:
        found = await session.exec(allowances.every())
        assert [row.name for row in found] == ["relay:new"]


async def test_a_host_that_finds_us_too_fast_gets_half_and_then_more_again(
    ground: Ground, clock: FakeClock
) -> None:
    terms = Terms(name="domains:gmail")
    pace = await allowances.slow_down(
        ground, name=terms.name, measured=600, said="421 4.7.28 unusual rate"
    )
    assert pace.ceiling == 300
    grants: list[Grant] = []
    for _ in range(60):
        ask = Ask(terms=terms, bulk=1000, has_taken=True)
        grants.append((await allowances.reserve(ground, [ask]))[terms.name])
        clock.advance(seconds=11)
    assert grants[0].bulk == 47  # in ten seconds, with a share left to notices
    ceilings = [grant.pace.ceiling for grant in grants if grant.pace is not None]
    assert ceilings == sorted(ceilings)
    assert max(ceilings) > 600
    assert (grants[-1].bulk, grants[-1].pace) == (1000, None)
    async with ground.db.reading() as session:
        assert await allowances.troubles(session) == {}


async def test_all_workers_learn_what_a_host_said_to_one(ground: Ground, clock: FakeClock) -> None:
    await allowances.slow_down(ground, name="domains:gmail", measured=600, said="421 slow down")
    async with grounds.standing(ground.settings, clock) as second, second.db.reading() as session:
        pace, _ = (await allowances.troubles(session))["domains:gmail"]
    assert pace is not None
    assert pace.ceiling == 300
    clock.advance(seconds=5)
    same = await allowances.slow_down(ground, name="domains:gmail", measured=600, said="421 again")
    assert same.ceiling == 300  # an answer to what was under way with the first
    clock.advance(seconds=6)
    lower = await allowances.slow_down(ground, name="domains:gmail", measured=600, said="421 again")
    assert lower.ceiling == 150
    clock.advance(minutes=61)
    anew = await allowances.slow_down(ground, name="domains:gmail", measured=800, said="421 again")
    assert anew.ceiling == 400
    assert anew.troubled_at - clock.now() < timedelta(seconds=1)


async def test_a_host_finds_all_workers_together_too_fast(ground: Ground, clock: FakeClock) -> None:
    now = clock.now()
    async with ground.db.transaction() as session:
        for number, closed_at in enumerate((None, None, None, now)):
            session.add(
                Worker(
                    node="here",
                    pid=number,
                    journal=f"{number}",
                    started_at=now,
                    seen_at=now,
                    closed_at=closed_at,
                )
            )
    pace = await allowances.slow_down(ground, name="domains:gmail", measured=600, said="421 again")
    assert (pace.measured, pace.ceiling) == (1800, 900)
