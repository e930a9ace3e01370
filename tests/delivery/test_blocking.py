"""A host that refuses us for what we are or send is left alone; no reader is blamed for it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from delivery import blocking, blocks, holding_back, refusals, returns, worker
from delivery.blocking import Hold
from delivery.holding_back import Held
from delivery.models import BounceKind
from delivery.returns import Event
from foundation.audit import COMMAND
from foundation.ground import Ground
from foundation.sections import Bounces
from tests.delivery import reports
from tests.delivery.test_identifying import kept, suppressed
from tests.delivery.test_limits import BIG, HOST, ask_to_confirm, at_host, begin
from tests.world import mailing, people, sink
from tests.world.clock import FakeClock
from tests.world.sink import Connection, Sink

BLOCK = b"550 5.7.1 spam from your network is refused\r\n"
quick = pytest.mark.settings(
    bounces={"blocks_in_a_row": 3, "block_hold_minutes": [60, 240]}, domain_limit=[BIG]
)


def refuse_host(server: Sink, *, every: int = 1) -> None:
    """The server refuses every so manyeth mail for the host."""
    seen = {"count": 0}

    def act(connection: Connection) -> None:
        if connection.recipient.endswith(HOST):
            seen["count"] += 1
            if seen["count"] % every == 0:
                connection.say(BLOCK)
                return
        connection.say(b"250 OK\r\n")

    server.acts["RCPT"] = act


async def held(ground: Ground) -> Sequence[Held]:
    async with ground.db.reading() as session:
        return await holding_back.read(ground.settings, session, now=ground.clock.now())


@quick
@pytest.mark.storage
async def test_a_host_that_refuses_us_is_held_while_others_get_theirs(
    ground: Ground, server: Sink, clock: FakeClock
) -> None:
    await begin(ground, 60, at_host=40)
    refuse_host(server)
    await worker.run_until_idle(ground)
    counts = await mailing.counts(ground)
    assert (counts.sent, counts.failed) == (20, 0)
    assert 3 <= counts.deferred < 40, "some were on the wire already; the rest was not tried"
    reasons = {(row.state, row.reason) for row in await mailing.rows(ground)}
    assert reasons == {("sent", ""), ("deferred", "blocked"), ("queued", "")}
    (one,) = await held(ground)
    assert (one.name, one.is_refused) == ("big", True)
    assert one.until == clock.now() + timedelta(minutes=60)
    assert "5.7.1" in one.said
    assert await suppressed(ground) == []
    server.acts.clear()
    clock.advance(minutes=61)
    await worker.run_until_idle(ground)
    clock.advance(minutes=1)
    await worker.run_until_idle(ground)
    assert (await mailing.counts(ground)).sent == 60
    assert await held(ground) == []


@quick
async def test_a_host_that_goes_on_refusing_is_held_longer_and_then_given_up(
    ground: Ground, server: Sink, clock: FakeClock
) -> None:
    await begin(ground, 60, at_host=50)
    refuse_host(server)
    await worker.run_until_idle(ground)
    clock.advance(minutes=61)
    await worker.run_until_idle(ground)
    (one,) = await held(ground)
    assert one.until is not None
    assert one.until - clock.now() == timedelta(minutes=240)
    assert (await mailing.counts(ground)).failed == 0
    clock.advance(minutes=241)
    await worker.run_until_idle(ground)
    clock.advance(minutes=1)
    await worker.run_until_idle(ground)
    tried = len([each for each in server.commands if each.startswith("RCPT")])
    assert (await mailing.counts(ground)).failed > 30, "nobody was asked about these"
    assert tried < 40
    for _ in range(4):
        clock.advance(minutes=241)
        await worker.run_until_idle(ground)
    counts = await mailing.counts(ground)
    assert (counts.sent, counts.failed) == (10, 50)
    failed = [row for row in await mailing.rows(ground) if row.state == "failed"]
    assert {row.reason for row in failed} == {"blocked"}
    assert await suppressed(ground) == []
    clock.advance(minutes=20)
    assert await held(ground) == [], "the next campaign may try anew"


@quick
async def test_one_refusal_among_many_that_are_taken_holds_nobody_and_is_tried_again(
    ground: Ground, server: Sink, clock: FakeClock
) -> None:
    await begin(ground, 40, at_host=40)
    refuse_host(server, every=10)
    await worker.run_until_idle(ground)
    assert await held(ground) == []
    counts = await mailing.counts(ground)
    assert (counts.sent, counts.deferred) == (36, 4)
    server.acts["RCPT"] = sink.replying("550 5.7.1 no mail from you")
    for minutes in (61, 241):
        clock.advance(minutes=minutes)
        await worker.run_until_idle(ground)
    counts = await mailing.counts(ground)
    assert (counts.sent, counts.failed) == (36, 4), "as often as a host is held"
    assert [(row.kind, row.reason, row.via) for row in await kept(ground)] == [
        ("block", "policy-refused", "relay")
    ] * 4


@quick
async def test_confirmations_go_to_a_host_that_is_held(ground: Ground, server: Sink) -> None:
    await blocks.hold(ground, name="domain:example.org", said="550 5.7.1 no")
    await begin(ground, 3)
    await ask_to_confirm(ground)
    await worker.run_until_idle(ground)
    assert list(server.taken) == ["new@example.org"]
    assert (await mailing.counts(ground)).queued == 3


@pytest.mark.settings(bounces={"blocks_in_a_row": 2}, domain_limit=[])
async def test_a_host_without_any_limit_of_its_own_is_held_all_the_same(
    ground: Ground, server: Sink
) -> None:
    await begin(ground, 2500, at_host=2400)
    refuse_host(server)
    await worker.run_until_idle(ground)
    counts = await mailing.counts(ground)
    assert counts.sent == 100
    assert counts.deferred <= ground.settings.delivery.batch_size + 100
    assert [one.name for one in await held(ground)] == [HOST]
    assert at_host(server) == 0


@pytest.mark.storage
@pytest.mark.settings(bounces={"blocks_in_a_row": 3}, domain_limit=[BIG])
async def test_refusals_that_come_back_later_hold_a_host_if_they_are_many(
    ground: Ground, server: Sink, clock: FakeClock
) -> None:
    await begin(ground, 30, at_host=20)
    await worker.run_until_idle(ground)
    assert server.total == 30
    clock.advance(minutes=5)

    async def come_back(*numbers: int) -> None:
        said = [
            Event(
                via="ses",
                kind=BounceKind.BLOCK,
                address=mailing.address(number),
                status="5.7.1",
                diagnostic="550 5.7.1 your network is listed",
            )
            for number in numbers
        ]
        await returns.take_events(ground, said)

    await come_back(1, 2)
    await blocks.watch(ground)
    assert await held(ground) == []
    await come_back(21, 22, 23, 24, 25, 26)
    await blocks.watch(ground)
    assert [one.name for one in await held(ground)] == ["example.org"]
    assert await suppressed(ground) == []


@pytest.mark.settings(bounces={"blocks_in_a_row": 3})
async def test_a_few_refusals_among_very_many_that_arrived_hold_nobody(
    ground: Ground, server: Sink
) -> None:
    await begin(ground, 30)
    await worker.run_until_idle(ground)
    assert server.total == 30
    said = [
        Event(via="ses", kind=BounceKind.BLOCK, address=mailing.address(number), status="5.7.1")
        for number in (1, 2, 3)
    ]
    assert (await returns.take_events(ground, said)).new == 3
    await blocks.watch(ground)
    assert await held(ground) == []


@pytest.mark.storage
@pytest.mark.settings(bounces={"blocks_in_a_row": 3, "block_share_percent": 1}, domain_limit=[BIG])
async def test_only_what_is_believed_is_a_refusal_of_us_and_came_lately_holds_a_host_and_once(
    ground: Ground, server: Sink, clock: FakeClock
) -> None:
    await begin(ground, 30, at_host=20)
    await worker.run_until_idle(ground)
    assert server.total == 30

    async def watched(*told: Event) -> list[str]:
        await returns.take_events(ground, told)
        await blocks.watch(ground)
        return [one.name for one in await held(ground)]

    def refusal(number: int, kind: BounceKind = BounceKind.BLOCK, via: str = "ses") -> Event:
        return Event(via=via, kind=kind, address=mailing.address(number), status="5.7.1")

    assert await watched(*(refusal(number, BounceKind.SOFT) for number in (21, 22, 23))) == []
    assert await watched(*(refusal(number, via=refusals.RELAY) for number in (24, 25, 26))) == []
    for number in (27, 28, 29):
        said = reports.status_report(
            to="office@coalition.example",
            recipient=mailing.address(number),
            status="5.7.1",
            diagnostic="smtp; 550 5.7.1 your network is blocked",
        )
        assert (await returns.ingest(ground, said)).is_unproven
    assert await watched(refusal(27), refusal(28)) == []
    clock.advance(hours=2)
    assert await watched(refusal(29)) == [], "the others came long before"
    assert await watched(refusal(30), refusal(21)) == ["example.org"]
    await blocks.release(ground, actor=COMMAND, name="domain:example.org")
    assert await watched() == [], "what was refused before has had its consequence"


START = datetime(2026, 11, 2, 12, tzinfo=UTC)
WAITS = Bounces(block_hold_minutes=[60, 240])


def refused(before: Hold | None, minutes: int) -> Hold:
    """A host that refuses us so many minutes after the start."""
    now = START + timedelta(minutes=minutes)
    return blocking.held(before, said=f"at {minutes}", now=now, settings=WAITS)


def test_a_hold_grows_by_what_comes_after_it_and_ends_with_a_clean_slate() -> None:
    first = refused(None, 0)
    assert (first.times, first.until, first.is_given_up) == (1, START + timedelta(hours=1), False)
    assert refused(first, 59) == first, "what was under way changes nothing"
    second = refused(first, 61)
    assert (second.times, second.until) == (2, START + timedelta(minutes=61 + 240))
    last = refused(second, 302)
    assert (last.times, last.is_given_up) == (3, True)
    assert refused(last, 320).times == 1, "tried anew"
    assert refused(first, 60 + 60).times == 1, "it was well for as long as it had been held"
    assert refused(first, 60 + 59).times == 2


@pytest.mark.parametrize(
    ("code", "said", "is_block"),
    [
        (550, "5.7.1 spam from your network is refused", True),
        (554, "5.7.1 Our policy refuses mail from your network", True),
        (450, "4.7.1 spam from your network is refused", False),
        (421, "4.7.0 too many connections from your network", False),
        (550, "5.1.1 no such user", False),
        (550, "5.7.1 the message contains a virus", False),
        (554, "5.6.0 content rejected", False),
        (554, "5.6.0 message refused as spam", False),
        (554, "5.5.2 spam from your network is refused", False),
    ],
)
def test_only_a_final_reply_that_is_about_us_is_a_refusal_of_us(
    code: int, said: str, is_block: bool
) -> None:
    assert blocking.is_block(code, said) is is_block


async def test_a_confirmation_that_is_refused_so_is_tried_again(
    ground: Ground, server: Sink, clock: FakeClock
) -> None:
    await people.topic(ground)
    await ask_to_confirm(ground)
    server.acts["RCPT"] = sink.replying("550 5.7.1 no mail from you")
    await worker.run_until_idle(ground)
    assert server.total == 0
    server.acts.clear()
    clock.advance(minutes=61)
    await worker.run_until_idle(ground)
    assert server.total == 1
