"""Several relays share the mail by weight and sender, and stand in for one another."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery import routing, worker
from delivery.models import Delivery, RelayStatus
from foundation.config import Settings
from foundation.ground import Ground
from foundation.notices import Notice
from foundation.relaying import RELAY, Relay
from tests.world import grounds, mailing, sink
from tests.world.clock import FakeClock
from tests.world.sink import Sink

CLOSED = 9
"""A port (discard) that refuses connections on machines of today."""


@pytest.fixture
async def other() -> AsyncIterator[Sink]:
    """A second server."""
    async with sink.running() as started:
        yield started


@pytest.fixture
async def two(settings: Settings, clock: FakeClock, other: Sink) -> AsyncIterator[Ground]:
    """A ground with a relay at `server`, and another of what the marker says at `other`."""
    first, second = settings.relay
    relays = [first, second.model_copy(update={"port": other.port})]
    async with grounds.standing(settings.model_copy(update={"relay": relays}), clock) as ground:
        yield ground


async def begin(
    ground: Ground, size: int, *, relay: str = "", from_address: str = "news@coalition.example"
) -> None:
    """A dispatch to so many people."""
    topic = await mailing.crowd(ground, size)
    await mailing.start(ground, topics=[topic], relay=relay, from_address=from_address)


@pytest.mark.settings(relay={"weight": 1}, second_relay={"weight": 3})
async def test_relays_share_the_mail_by_weight(two: Ground, server: Sink, other: Sink) -> None:
    await begin(two, 400)
    await worker.run_until_idle(two)
    assert server.total + other.total == 400
    assert abs(server.total - 100) <= 25
    assert set((server.taken + other.taken).values()) == {1}


@pytest.mark.settings(second_relay={"weight": 1, "connections": 2})
async def test_connections_are_kept_and_pipelined_also_with_several_relays(
    two: Ground, server: Sink, other: Sink
) -> None:
    await begin(two, 400)
    await worker.run_until_idle(two)
    assert server.accepted <= 4
    assert other.accepted <= 2


@pytest.mark.settings(relay={"connections": 3}, second_relay={"weight": 1, "connections": 1})
async def test_connections_that_an_owner_changes_while_a_worker_sends_hold_from_then_on(
    two: Ground, server: Sink, other: Sink
) -> None:
    under_way: list[int] = []

    def note(connection: sink.Connection) -> None:
        under_way.append(sum(each.is_busy for each in server.connections))
        connection.take()
        connection.say(b"250 2.0.0 taken\r\n")

    await begin(two, 60)
    held, kept = sink.Holding(), sink.Holding()
    server.acts["dot"], other.acts["dot"] = held, kept
    async with mailing.sending(two):
        await server.met(3)
        await other.met(1)
        for relay, connections in zip(two.settings.relay, (1, 2), strict=True):
            changed = {"connections": connections, "messages_per_connection": 4}
            two.settings.put(f"{RELAY}{relay.name}", relay.model_copy(update=changed))
        # Both are taken at once, so that the one that gets more says that the other gets less.
        await other.met(2)
        server.acts["dot"] = note
        other.acts.clear()
        await held.reached()
        held.accept()
        # Else the other might have taken all that is left before this one is open again.
        await server.reached(14)
        await kept.reached()
        kept.accept()
        await mailing.stand(two, sent=60)
    assert set((server.taken + other.taken).values()) == {1}
    # What was pipelined before is finished on each of the three.
    assert set(under_way[3:]) == {1}
    assert server.accepted - 3 >= (server.total - 6) / 4


@pytest.mark.settings(second_relay={"weight": 0})
async def test_a_relay_of_weight_0_stands_by_until_no_other_can_be_used(
    settings: Settings, clock: FakeClock, two: Ground, server: Sink, other: Sink
) -> None:
    await begin(two, 40)
    await worker.run_until_idle(two)
    assert (server.total, other.total) == (40, 0)
    dead = two.settings.relay[0].model_copy(update={"port": CLOSED})
    relays = {"relay": [dead, two.settings.relay[1]]}
    async with grounds.standing(settings.model_copy(update=relays), clock) as ground:
        await mailing.start(ground, topics=[1], campaign_id=2)
        await worker.run_until_idle(ground)
    assert other.total == 40


@pytest.mark.storage
@pytest.mark.settings(
    relay={"connections": 2}, second_relay={"weight": 1}, delivery={"relay_rest_s": 3600}
)
async def test_when_one_relay_fails_the_others_take_over_at_once(
    two: Ground, server: Sink, other: Sink
) -> None:
    server.greeting = b"421 4.3.2 not now\r\n"
    await begin(two, 100)
    async with mailing.sending(two):
        await mailing.stand(two, sent=100)
        server.greeting = b"220 ready\r\n"
        await mailing.start(two, topics=[1], campaign_id=2)
        await mailing.stand(two, 2, sent=100)
    assert (server.total, other.total) == (0, 200)
    assert server.accepted <= 2, "while it rests it is not asked, though it would take mail again"


@pytest.mark.settings(relay={"connections": 1}, second_relay={"weight": 1})
async def test_a_relay_that_is_slow_keeps_nobody_waiting_but_for_what_it_has(
    two: Ground, server: Sink, other: Sink
) -> None:
    held = sink.Holding()
    other.acts["RCPT"] = held
    await begin(two, 200)
    async with mailing.sending(two):
        await held.reached()
        await server.reached(200 - two.settings.relay[1].connections)
        other.acts.clear()
        held.release()
        await mailing.stand(two, sent=200)
    assert set((server.taken + other.taken).values()) == {1}


@pytest.mark.storage
@pytest.mark.settings(second_relay={"weight": 1}, delivery={"relay_rest_s": 30})
async def test_a_campaign_that_names_a_relay_waits_for_it_while_others_go_on(
    two: Ground, clock: FakeClock, server: Sink, other: Sink
) -> None:
    other.greeting = b"421 4.3.2 not now\r\n"
    await begin(two, 20, relay="second")
    await mailing.start(two, topics=[1], campaign_id=2, relay="relay")
    await worker.run_until_idle(two)
    assert (server.total, other.total) == (20, 0)
    assert (await mailing.counts(two, 1)).queued == 20
    assert all(row.worker_id is None for row in await mailing.rows(two, 1))
    other.greeting = b"220 ready\r\n"
    clock.advance(seconds=31)
    await worker.run_until_idle(two)
    assert (server.total, other.total) == (20, 20)


async def is_given_back_beside_others(session: AsyncSession) -> bool:
    """Whether a relay rests, and nothing of the first dispatch is under a lease."""
    rests = sa.exists().where(col(RelayStatus.is_resting))
    is_held = sa.exists().where(
        col(Delivery.dispatch_id) == 1, col(Delivery.worker_id).is_not(None)
    )
    return bool(await session.scalar(sa.select(sa.and_(rests, ~is_held))))


@pytest.mark.settings(second_relay={"weight": 1}, delivery={"relay_rest_s": 3600})
async def test_mail_for_a_relay_that_rests_is_given_back_while_others_have_theirs(
    two: Ground, server: Sink, other: Sink
) -> None:
    held = sink.Holding()
    server.acts["RCPT"] = held
    other.greeting = b"421 4.3.2 not now\r\n"
    await begin(two, 20, relay="second")
    await mailing.start(two, topics=[1], campaign_id=2, relay="relay")
    async with mailing.sending(two):
        await held.reached()
        await mailing.until(two, is_given_back_beside_others, within_s=20)
        server.acts.clear()
        held.release()
        await mailing.stand(two, 2, sent=20)
    assert (server.total, other.total) == (20, 0)
    assert all(row.due_at > two.clock.now() for row in await mailing.rows(two, 1))


@pytest.mark.settings(relay={"connections": 1})
async def test_who_is_put_back_is_next(ground: Ground, server: Sink) -> None:
    def close_between_messages(connection: sink.Connection) -> None:
        """Refuse the next message once, as a relay that has had a connection for long enough."""
        if server.total == 2:
            server.acts.clear()
            connection.say(b"421 4.3.2 not over this connection\r\n")
            connection.hold()
        else:
            connection.say(b"250 OK\r\n")

    server.acts["MAIL"] = close_between_messages
    await begin(ground, 6)
    await worker.run_until_idle(ground)
    assert server.accepted == 2
    assert list(server.taken) == [mailing.address(number) for number in range(1, 7)]


@pytest.mark.settings(relay={"connections": 2}, delivery={"relay_rest_s": 3600})
async def test_a_connection_to_a_relay_that_rests_meanwhile_carries_nothing_more(
    ground: Ground, server: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing that waits is given back meanwhile: what the connection does is up to it.
    monkeypatch.setattr("delivery.shift.LOOK_S", 3600)
    held = sink.Holding()
    refused = asyncio.Event()

    def refuse(connection: sink.Connection) -> None:
        connection.say(b"554 5.7.1 you may not send here any more\r\n")
        refused.set()

    def hold_the_first(connection: sink.Connection) -> None:
        server.acts["MAIL"] = refuse
        held(connection)

    server.acts["RCPT"] = hold_the_first
    await begin(ground, 6)
    async with mailing.sending(ground):
        await held.reached()
        async with asyncio.timeout(90):
            await refused.wait()
        await server.down_to(1)
        server.acts.clear()
        held.release()
        await server.left()
    assert server.taken == {mailing.address(1): 1}
    assert sum(line.startswith("MAIL") for line in server.commands) == 2


@pytest.mark.settings(second_relay={"sender_domains": ["union.example"]})
async def test_a_relay_with_sender_domains_takes_their_mail_and_no_other(
    two: Ground, server: Sink, other: Sink
) -> None:
    await begin(two, 20, from_address="news@Union.example")
    await mailing.start(two, topics=[1], campaign_id=2)
    notice = Notice(
        kind="confirm",
        to="new@example.net",
        language="en",
        context={"confirm_url": "http://handbill.test/confirm/1", "topics": "Action alerts"},
    )
    async with two.db.transaction() as session:
        await two.notices.queue(session, notice)
    await worker.run_until_idle(two)
    assert (server.total, other.total) == (21, 20)
    assert server.taken["new@example.net"] == 1


@pytest.mark.settings(relay={"rates": ["10/h"]}, second_relay={"rates": []})
async def test_a_relay_at_its_rate_leaves_the_rest_to_the_others(
    two: Ground, server: Sink, other: Sink
) -> None:
    await begin(two, 100)
    await worker.run_until_idle(two)
    assert (server.total, other.total) == (9, 91)


RELAYS = [
    Relay(name="a"),
    Relay(name="b"),
    Relay(name="union", sender_domains=["union.example", "local.example"]),
]


@pytest.mark.parametrize(
    ("sender", "named", "wanted"),
    [
        ("news@coalition.example", "", ("a", "b")),
        ("news@UNION.example", "", ("union",)),
        ("news@sub.union.example", "", ("a", "b")),
        ("news@coalition.example", "b", ("b",)),
        ("news@coalition.example", "gone", ("a", "b")),
    ],
)
def test_a_senders_domain_or_a_campaigns_word_says_which_relays(
    sender: str, named: str, wanted: tuple[str, ...]
) -> None:
    assert routing.route(RELAYS, from_address=sender, named=named) == wanted


def test_nobody_waits_for_a_relay_that_stands_by() -> None:
    shares = routing.Shares([("a", 1), ("stands-by", 0)])
    for _ in range(1000):
        assert shares.is_turn("a", is_usable=lambda _: True)
        assert not shares.is_turn("stands-by", is_usable=lambda _: True)
        shares.took("a")


def test_a_relay_that_comes_back_does_not_catch_up_on_what_it_missed() -> None:
    shares = routing.Shares([("a", 1), ("b", 1)])
    for _ in range(1000):
        assert shares.is_turn("a", is_usable=lambda name: name == "a")
        shares.took("a")
    given = {"a": 0, "b": 0}
    for _ in range(1000):
        name = min(given, key=lambda each: given[each])
        name = name if shares.is_turn(name, is_usable=lambda _: True) else "ab".replace(name, "")
        shares.took(name)
        given[name] += 1
    assert abs(given["a"] - given["b"]) <= 40
