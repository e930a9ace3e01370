"""Rates hold against a real server, for all workers together; nobody who is not limited waits."""

import asyncio
import random

import pytest
import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery import allowances, worker
from delivery.limits import Limits
from delivery.models import Delivery, DeliveryState
from foundation import rates
from foundation.clock import SystemClock
from foundation.config import Settings
from foundation.ground import Ground
from foundation.notices import Notice
from subscribers.models import Subscriber
from tests.delivery.stretches import fullest
from tests.world import grounds, mailing, sink
from tests.world.clock import FakeClock
from tests.world.sink import Sink

HOST = "big.example"
BIG = {"name": "big", "domains": [HOST]}


async def begin(ground: Ground, size: int, *, at_host: int = 0) -> None:
    """A dispatch to so many people, of whom the first `at_host` have mailboxes at one host."""
    topic = await mailing.crowd(ground, size)
    async with ground.db.transaction() as session:
        await session.execute(
            sa.update(Subscriber)
            .where(col(Subscriber.id) <= at_host)
            .values(email=sa.func.replace(col(Subscriber.email), "example.org", HOST))
        )
    await mailing.start(ground, topics=[topic])


async def ask_to_confirm(ground: Ground) -> None:
    """A confirmation mail, queued as a sign-up does it."""
    notice = Notice(
        kind="confirm",
        to="new@example.org",
        language="en",
        context={"confirm_url": "http://handbill.test/confirm/1", "topics": "Action alerts"},
    )
    async with ground.db.transaction() as session:
        await ground.notices.queue(session, notice)


async def held(ground: Ground) -> int:
    """Rows under a lease."""
    statement = sa.select(sa.func.count()).where(col(Delivery.worker_id).is_not(None))
    async with ground.db.reading() as session:
        return int((await session.execute(statement)).scalar_one())


async def is_put_off(session: AsyncSession) -> bool:
    """Whether nothing is under a lease, and something waits."""
    waiting = col(Delivery.state) == DeliveryState.QUEUED.value
    leased = sa.select(sa.func.count(col(Delivery.worker_id)), sa.func.count()).where(waiting)
    held_now, left = (await session.execute(leased)).one()
    return not held_now and left > 0


def put(ground: Ground, section: str, **values: object) -> None:
    """What an owner sets in the browser."""
    present = ground.settings.section(section)
    ground.settings.put(section, present.model_copy(update=values))


def at_host(server: Sink) -> int:
    """What was taken for the host's mailboxes."""
    return sum(count for who, count in server.taken.items() if who.endswith(HOST))


@pytest.mark.storage
@pytest.mark.settings(relay={"rates": ["5/s", "40/min"]}, delivery={"batch_size": 7})
async def test_two_workers_keep_a_relays_rates_in_every_stretch_and_nobody_is_left_out(
    ground: Ground, clock: FakeClock, server: Sink
) -> None:
    await begin(ground, 60)
    chance, arrived = random.Random(1), []
    async with grounds.standing(ground.settings, clock) as second:
        while server.total < 60:
            before = server.total
            await asyncio.gather(worker.run_until_idle(ground), worker.run_until_idle(second))
            arrived += [rates.tick(clock.now())] * (server.total - before)
            # Often just over a second: each rate alone would let too many by the other one through.
            clock.advance(milliseconds=chance.choice([60, 1100, 1300, 2000, 15_000]))
    assert fullest(arrived, 1) <= 5
    assert fullest(arrived, 60) <= 40
    assert set(server.taken.values()) == {1}
    assert (await mailing.counts(ground)).sent == 60


@pytest.mark.storage
@pytest.mark.settings(relay={"rates": ["20/day"]})
async def test_what_a_relay_got_today_counts_after_a_restart(
    ground: Ground, clock: FakeClock, server: Sink
) -> None:
    await begin(ground, 50)
    await worker.run_until_idle(ground)
    assert server.total == 19  # one of the twenty is left to notices
    async with grounds.standing(ground.settings, clock) as again:
        clock.advance(hours=12)
        await worker.run_until_idle(again)
        assert server.total == 19
        assert await held(again) == 0
        await ask_to_confirm(again)
        await worker.run_until_idle(again)
        assert server.taken["new@example.org"] == 1
        clock.advance(hours=13)
        await worker.run_until_idle(again)
    assert server.total == 38  # within a day of the confirmation


@pytest.mark.settings(relay={"rates": ["20/day"]})
async def test_a_relays_rates_that_change_while_a_worker_sends_hold_from_then_on(
    ground: Ground, clock: FakeClock, server: Sink
) -> None:
    await begin(ground, 90)
    async with mailing.sending(ground):
        await server.reached(19)
        await mailing.until(ground, is_put_off)
        assert server.total == 19
        put(ground, "relay:relay", rates=["60/day"])
        clock.advance(hours=2)
        await server.reached(57)
        put(ground, "relay:relay", rates=[])
        clock.advance(hours=2)
        await server.reached(90)
    assert set(server.taken.values()) == {1}


@pytest.mark.settings(domain_limit=[{**BIG, "domains": [HOST, "*"]}])
async def test_a_hosts_limits_are_taken_as_an_owner_sets_them(ground: Ground) -> None:
    limits = Limits(ground, opened=lambda: None)
    host, other = limits.group(f"a@{HOST}"), limits.group("a@small.example")
    assert host is not None
    assert other is not None
    assert (host.is_free, host.backs_off) == (True, True)
    put(ground, "host:big", rates=["20/min"], connections=2, back_off=False)
    await limits.load()
    for limit in (host, other):
        limit.open = 2
        assert (limit.is_free, limit.is_full, limit.backs_off) == (False, True, False)
        assert limit.terms.rates == rates.parse_all(["20/min"])
    put(ground, "host:big", rates=[], connections=0)
    await limits.load()
    assert (host.is_free, host.is_full) == (True, False)


@pytest.mark.settings(domain_limit=[BIG])
async def test_a_worker_learns_what_a_host_said_to_another_and_when_that_is_over(
    ground: Ground, clock: FakeClock
) -> None:
    limits = Limits(ground, opened=lambda: None)
    host = limits.group(f"a@{HOST}")
    assert host is not None
    assert host.is_free
    await allowances.slow_down(ground, name=host.terms.name, measured=600, said="421 slow down")
    await limits.load()
    assert host.pace is not None
    assert (host.pace.ceiling, host.is_free) == (300, False)
    clock.advance(hours=1)
    await limits.load()
    later = limits.group(f"a@{HOST}")
    assert later is not None
    assert later.is_free
    assert later.pace is None


@pytest.mark.settings(domain_limit=[{**BIG, "back_off": False}])
async def test_a_host_for_which_that_is_switched_off_may_say_what_it_likes(
    ground: Ground, server: Sink
) -> None:
    server.acts["RCPT"] = sink.replying("450 4.7.28 unusual rate of mail, try later")
    await begin(ground, 5, at_host=5)
    await worker.run_until_idle(ground)
    assert [row.reply_code for row in await mailing.rows(ground)] == [450] * 5
    async with ground.db.reading() as session:
        assert await allowances.troubles(session) == {}


@pytest.mark.settings(relay={"rates": ["10/h"], "connections": 4})
async def test_the_permit_of_a_message_that_went_back_is_used_by_another(
    ground: Ground, server: Sink
) -> None:
    await begin(ground, 20)
    welcome, server.greeting = server.greeting, b"421 4.3.2 not now\r\n"
    await worker.run_until_idle(ground)
    assert server.accepted > 0
    server.greeting = welcome
    await worker.run_until_idle(ground)
    assert server.total == 9  # one of the ten is left to notices


@pytest.mark.settings(relay={"warmup": [10, 30]})
async def test_a_new_relay_gets_more_from_day_to_day(
    ground: Ground, clock: FakeClock, server: Sink
) -> None:
    await begin(ground, 120)
    found = []
    for _ in range(3):
        await worker.run_until_idle(ground)
        found.append(server.total)
        clock.advance(hours=25)
    assert found == [9, 9 + 28, 120]


@pytest.mark.storage
@pytest.mark.settings(domain_limit=[{**BIG, "rates": ["20/min"]}], delivery={"batch_size": 10})
async def test_a_host_at_its_limit_keeps_nobody_else_waiting_and_no_row_leased(
    ground: Ground, clock: FakeClock, server: Sink
) -> None:
    await begin(ground, 100, at_host=60)
    await worker.run_until_idle(ground)
    assert at_host(server) == 19
    assert server.total == 19 + 40
    assert await held(ground) == 0
    waiting = [row for row in await mailing.rows(ground) if row.state == "queued"]
    assert all(row.due_at > clock.now() for row in waiting)
    assert [row.attempts for row in waiting] == [0] * 41
    arrived = [rates.tick(clock.now())] * 19
    for _ in range(40):
        clock.advance(seconds=11)
        before = at_host(server)
        await worker.run_until_idle(ground)
        arrived += [rates.tick(clock.now())] * (at_host(server) - before)
    assert fullest(arrived, 60) <= 20
    assert (await mailing.counts(ground)).sent == 100
    assert set(server.taken.values()) == {1}


@pytest.mark.settings(domain_limit=[{"name": "others", "domains": ["*"], "rates": ["10/min"]}, BIG])
async def test_every_other_domain_has_a_limit_of_its_own(ground: Ground, server: Sink) -> None:
    await begin(ground, 40, at_host=15)
    async with ground.db.transaction() as session:
        await session.execute(
            sa.update(Subscriber)
            .where(col(Subscriber.id) > 30)
            .values(email=sa.func.replace(col(Subscriber.email), "example.org", "example.net"))
        )
    await worker.run_until_idle(ground)
    assert at_host(server) == 15
    assert sum(who.endswith("example.org") for who in server.taken) == 9
    assert sum(who.endswith("example.net") for who in server.taken) == 9


def counted(server: Sink) -> list[int]:
    """How many messages to the host are under way, at each one's start from now on."""
    under_way: list[int] = []

    def note(connection: sink.Connection) -> None:
        under_way.append(
            sum(each.is_busy and each.recipient.endswith(HOST) for each in server.connections)
        )
        connection.say(b"250 OK\r\n")

    server.acts["RCPT"] = note
    return under_way


@pytest.mark.settings(
    domain_limit=[{**BIG, "connections": 2}], relay={"connections": 6}, delivery={"lease_s": 600}
)
async def test_a_host_gets_no_more_at_once_than_it_may(ground: Ground, server: Sink) -> None:
    await begin(ground, 40, at_host=30)
    under_way = counted(server)
    await worker.run_until_idle(ground)
    assert server.total == 40
    assert max(under_way) <= 2


@pytest.mark.storage
@pytest.mark.settings(domain_limit=[BIG], delivery={"retry_minutes": [1]})
async def test_a_host_that_says_too_fast_gets_less_for_a_while_and_others_as_before(
    ground: Ground, clock: FakeClock, server: Sink
) -> None:
    await begin(ground, 300, at_host=250)

    def refuse(connection: sink.Connection) -> None:
        if connection.recipient.endswith(HOST) and at_host(server) >= 60:
            connection.say(b"450 4.7.28 unusual rate of mail, try later\r\n")
        else:
            connection.say(b"250 OK\r\n")

    server.acts["RCPT"] = refuse
    await worker.run_until_idle(ground)
    assert server.total - at_host(server) == 50
    async with ground.db.reading() as session:
        pace, _ = (await allowances.troubles(session))["domains:big"]
    assert pace is not None
    assert "4.7.28" in pace.said
    assert pace.ceiling <= pace.measured / 2
    server.acts.clear()
    arrived: list[int] = []
    for _ in range(200):
        if (await mailing.counts(ground)).sent == 300:
            break
        clock.advance(seconds=31)
        before = at_host(server)
        await worker.run_until_idle(ground)
        arrived.append(at_host(server) - before)
    assert arrived[0] <= max(1, round(pace.ceiling / 6))
    assert (await mailing.counts(ground)).sent == 300
    assert set(server.taken.values()) == {1}


@pytest.mark.settings(relay={"rates": ["100/s"], "connections": 2})
async def test_with_a_running_worker_a_rate_delays_but_stops_nothing(
    settings: Settings, server: Sink
) -> None:
    async with grounds.standing(settings, SystemClock()) as ground:
        await begin(ground, 250)
        async with mailing.sending(ground):
            await mailing.stand(ground, sent=250)
    assert set(server.taken.values()) == {1}


@pytest.mark.settings(
    domain_limit=[{**BIG, "rates": ["20/s"]}], relay={"connections": 2}, delivery={"batch_size": 10}
)
async def test_with_a_running_worker_a_hosts_rate_delays_its_readers_alone(
    settings: Settings, server: Sink
) -> None:
    async with grounds.standing(settings, SystemClock()) as ground:
        await begin(ground, 200, at_host=60)
        async with mailing.sending(ground):
            await mailing.stand(ground, sent=200)
    assert set(server.taken.values()) == {1}


NINE = {"rates": ["10/min"], "connections": 9}


@pytest.mark.parametrize(
    "is_with_host",
    [
        pytest.param(False, marks=pytest.mark.settings(relay=NINE)),
        # Whose permits are good for much longer.
        pytest.param(
            True,
            marks=pytest.mark.settings(
                relay=NINE, domain_limit=[{**BIG, "domains": ["*"], "rates": ["1000/day"]}]
            ),
        ),
    ],
    ids=["relay", "relay-and-host"],
)
async def test_a_permit_that_ran_out_while_a_relay_was_slow_is_not_used(
    ground: Ground, clock: FakeClock, server: Sink, is_with_host: bool
) -> None:
    assert any("*" in each.domains for each in ground.settings.domain_limit) is is_with_host
    await begin(ground, 18)
    await send_while_the_clock_moves(ground, clock, server, seconds=30)
    # Where its dot goes out is where it counts.
    arrived = [rates.tick(clock.now())] * server.total
    await check_the_rest_comes_in_time(ground, clock, server, arrived)


@pytest.mark.settings(relay=NINE)
async def test_a_permit_from_before_the_clock_went_back_is_not_used(
    ground: Ground, clock: FakeClock, server: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("delivery.limits._RENEW_S", 0.2)
    await begin(ground, 18)
    await worker.run_until_idle(ground)
    arrived = [rates.tick(clock.now())] * server.total
    assert len(arrived) == 9
    clock.advance(seconds=75)
    await send_while_the_clock_moves(ground, clock, server, seconds=-40)
    arrived += [rates.tick(clock.now())] * (server.total - 9)
    await check_the_rest_comes_in_time(ground, clock, server, arrived)


async def send_while_the_clock_moves(
    ground: Ground, clock: FakeClock, server: Sink, *, seconds: int
) -> None:
    """Nine are begun, and wait for a reply while the clock moves."""
    before = len(server.commands)
    holding = sink.Holding()
    server.acts["RCPT"] = holding
    running = asyncio.create_task(worker.run_until_idle(ground))

    async def all_are_held(_session: AsyncSession) -> bool:
        return sum(line.startswith("RCPT") for line in server.commands[before:]) == 9

    await mailing.until(ground, all_are_held)
    clock.advance(seconds=seconds)
    server.acts.clear()
    holding.release()
    await running


async def check_the_rest_comes_in_time(
    ground: Ground, clock: FakeClock, server: Sink, arrived: list[int]
) -> None:
    """Go on for two minutes: everybody gets one, and no minute holds more than ten."""
    for _ in range(10):
        clock.advance(seconds=13)
        before = server.total
        await worker.run_until_idle(ground)
        arrived += [rates.tick(clock.now())] * (server.total - before)
    assert fullest(arrived, 60) <= 10
    assert set(server.taken.values()) == {1}
    assert server.total == 18
