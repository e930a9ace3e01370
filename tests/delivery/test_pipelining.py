"""A last dot and the next envelope share a round trip, and a fault between them costs nobody."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery import connection as smtp
from delivery import dispatch, worker
from delivery.letter import Envelope, Kind, Lease, Letter, Outcome
from delivery.models import DeliveryState, NoticeState, QueuedNotice, Reason
from delivery.relay import Condition, Desk, Relays
from foundation.ground import Ground
from foundation.notices import Notice
from tests.world import mailing, people, sink
from tests.world.sink import Connection, Sink

ANA, BO, CY = "ana@example.org", "bo@example.org", "cy@example.org"
CONFIRMATION = Notice(
    kind="confirm",
    to="new@example.org",
    language="en",
    context={"confirm_url": "http://handbill.test/confirm/1", "topics": "Action alerts"},
)
one_connection = pytest.mark.settings(relay={"connections": 1}, delivery={"relay_rest_s": 0.01})


async def to(ground: Ground, *emails: str) -> None:
    """A dispatch to these people."""
    for email in emails:
        await people.subscribed(ground, email)
    topic = await people.topic(ground)
    await mailing.start(ground, topics=[topic.id])


class Hand:
    """Refuses the last dot, and tells when it was asked for."""

    def __init__(self) -> None:
        self.was_asked = asyncio.Event()

    def clear_now(self, _letter: Letter) -> bool:
        """Asked when all fits."""
        return self._no()

    async def clear(self, _letter: Letter) -> bool:
        """Asked when all is gone."""
        return self._no()

    def follow(self) -> None:
        """Nothing does."""

    def settle(self, _letter: Letter, outcome: Outcome) -> None:
        """Nothing is to come of it."""
        raise AssertionError(outcome)

    def put_back(self, _letter: Letter) -> None:
        """It was sent."""
        raise AssertionError("put back")

    def _no(self) -> bool:
        self.was_asked.set()
        return False


def refusing(address: str) -> sink.Act:
    """Refuse one recipient for good, and take the others."""

    def act(connection: Connection) -> None:
        connection.say(b"550 5.1.1 gone\r\n" if connection.recipient == address else b"250 OK\r\n")

    return act


@one_connection
async def test_the_next_envelope_is_on_the_wire_before_the_reply_to_the_dot(
    ground: Ground, server: Sink
) -> None:
    await to(ground, ANA, BO)
    held = sink.Holding()
    server.acts["dot"] = held
    sending = asyncio.create_task(worker.run_until_idle(ground))
    connection = await held.reached()
    connection.take()
    await connection.until_unread(b"DATA\r\n")
    assert connection.unread.startswith(b"MAIL FROM:<b+")
    assert b"RCPT TO:<bo@example.org>\r\nDATA\r\n" in connection.unread
    server.acts.clear()
    held.release()
    await sending
    assert server.taken == {ANA: 1, BO: 1}
    assert server.accepted == 1


@one_connection
async def test_a_relay_that_does_not_offer_it_hears_one_command_at_a_time(
    ground: Ground, server: Sink
) -> None:
    server.extensions = ("SIZE 50000000",)
    await to(ground, ANA, BO)
    held = sink.Holding()
    server.acts["MAIL"] = server.acts["dot"] = held
    sending = asyncio.create_task(worker.run_until_idle(ground))
    for _ in (ANA, BO):
        for _ in ("MAIL", "dot"):
            connection = await held.reached()
            assert connection.unread == b""
            held.release()
    await sending
    assert (await mailing.counts(ground)).sent == 2


@one_connection
@pytest.mark.parametrize("takes_data", [False, True])
async def test_nothing_goes_to_a_refused_recipient_whose_data_command_was_sent_along(
    ground: Ground, server: Sink, takes_data: bool
) -> None:
    server.takes_data_for_nobody = takes_data
    server.acts["RCPT"] = refusing(BO)
    await to(ground, ANA, BO, CY)
    await worker.run_until_idle(ground)
    assert server.taken == {ANA: 1, CY: 1}
    assert server.accepted == 1, "the connection is kept"
    rows = await mailing.rows(ground)
    assert [row.state for row in rows] == [
        DeliveryState.SENT,
        DeliveryState.FAILED,
        DeliveryState.SENT,
    ]
    assert rows[1].reply_code == 550


@one_connection
async def test_a_lost_reply_to_the_dot_is_about_that_message_alone(
    ground: Ground, server: Sink
) -> None:
    await to(ground, ANA, BO)

    def lose(connection: Connection) -> None:
        server.acts.clear()
        connection.hang_up()

    server.acts["dot"] = lose
    await worker.run_until_idle(ground)
    rows = await mailing.rows(ground)
    assert [(row.state, row.reason) for row in rows] == [
        (DeliveryState.UNCERTAIN, Reason.NO_REPLY),
        (DeliveryState.SENT, ""),
    ]
    assert server.taken == {BO: 1}
    assert rows[1].attempts == 1


@one_connection
@pytest.mark.parametrize("stop", [dispatch.pause, dispatch.cancel])
async def test_whoever_waits_when_sending_is_stopped_costs_no_connection_each(
    ground: Ground, server: Sink, stop: Callable[..., Awaitable[bool]]
) -> None:
    await to(ground, *(f"person{number}@example.org" for number in range(12)))
    held, sending = await mailing.held_at(ground, server, "DATA")
    async with ground.db.transaction() as session:
        await stop(session, dispatch_id=1)
    server.acts.clear()
    held.release(b"354 go on\r\n")
    await sending
    assert server.total == 0
    assert server.accepted <= 2
    counts = await mailing.counts(ground)
    assert counts.queued + counts.cancelled == 12


@one_connection
async def test_replies_in_pieces_and_in_one_piece_are_the_same(
    ground: Ground, server: Sink
) -> None:
    reply = b"250-2.0.0 taken\r\n250 as 123\r\n"
    cuts = iter(range(len(reply)))

    def in_two(connection: Connection) -> None:
        connection.take()
        cut = next(cuts)
        connection.say_apart(*filter(None, (reply[:cut], reply[cut:])))

    server.acts["dot"] = in_two
    topic = await mailing.crowd(ground, len(reply))
    await mailing.start(ground, topics=[topic])
    await worker.run_until_idle(ground)
    rows = await mailing.rows(ground)
    assert [row.reply_text for row in rows] == ["2.0.0 taken as 123"] * len(reply)
    assert server.taken == dict.fromkeys((mailing.address(row.id) for row in rows), 1)
    assert server.accepted == 1


@one_connection
@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"what?\r\n", "the server said something that is no SMTP reply"),
        (b"9" * 40_000, "the server said more than any reply holds"),
    ],
)
async def test_a_relay_that_talks_no_smtp_is_dropped_and_nobody_is_called_sent(
    ground: Ground, server: Sink, said: bytes, told: str
) -> None:
    def babble(connection: Connection) -> None:
        connection.say(said)

    server.acts["dot"] = babble
    await to(ground, ANA)
    await worker.run_until_idle(ground)
    (row,) = await mailing.rows(ground)
    assert (row.state, row.reason) == (DeliveryState.UNCERTAIN, Reason.NO_REPLY)
    assert row.reply_text == told


@one_connection
async def test_a_stop_finishes_the_envelope_that_is_on_the_wire_and_takes_no_more(
    ground: Ground, server: Sink
) -> None:
    people_there = [f"p{number}@example.org" for number in range(1, 7)]
    await to(ground, *people_there)
    held = sink.Holding()

    def hold_the_third(connection: Connection) -> None:
        # Until the relay is known to be well, nothing follows along with a dot.
        (sink.usually("dot") if server.total < 2 else held)(connection)

    server.acts["dot"] = hold_the_third
    stop = asyncio.Event()
    sender = Watched(ground)
    sending = asyncio.create_task(worker.Worker(ground, sender=sender).run(stop))
    connection = await held.reached()
    connection.take()
    await connection.until_unread(b"DATA\r\n")
    async with ground.db.transaction() as session:
        await ground.notices.queue(session, CONFIRMATION)
    await mailing.until(ground, is_at_hand)
    stop.set()
    await sender.has_stopped()
    server.acts.clear()
    held.release()
    await sending
    assert server.taken == dict.fromkeys(people_there[:4], 1)
    counts = await mailing.counts(ground)
    assert (counts.sent, counts.queued) == (4, 2)
    assert all(row.worker_id is None for row in await mailing.rows(ground))
    async with ground.db.reading() as session:
        (notice,) = (await session.exec(select(QueuedNotice))).all()
    assert (notice.state, notice.worker_id) == (NoticeState.QUEUED, None)


async def is_at_hand(session: AsyncSession) -> bool:
    """Whether a worker has taken a mail to one person up."""
    return (await session.exec(select(QueuedNotice.worker_id))).one() is not None


class Watched(Relays):
    """Sends as usual; a test can tell when it gets no more to send."""

    def __init__(self, ground: Ground) -> None:
        super().__init__(lambda: ground.settings.relay, rest_s=60, noticed=self._hear)
        self._desk: Desk | None = None

    async def run(self, desk: Desk) -> None:
        """As usual."""
        self._desk = desk
        await super().run(desk)

    async def has_stopped(self) -> None:
        """Wait until nothing more is handed out."""
        assert self._desk is not None
        await self._desk.wait(90)
        assert self._desk.is_closed

    async def _hear(self, condition: Condition) -> None:
        """Nobody asks."""


async def test_what_a_slow_line_has_not_taken_yet_can_still_be_stopped(
    ground: Ground, server: Sink
) -> None:
    deaf: list[Connection] = []

    def turn_deaf(connection: Connection) -> None:
        connection.say(b"354 go on\r\n")
        connection.expect_content()
        connection.be_deaf()
        deaf.append(connection)

    server.acts["DATA"] = turn_deaf
    data = (b"a" * 76 + b"\r\n") * 400_000
    envelope = Envelope(
        mail_from="us@example.org",
        rcpt_to=ANA,
        pieces=(data,),
        size=len(data),
        needs_smtputf8=False,
    )
    letter = Letter(
        kind=Kind.DELIVERY,
        id=1,
        attempt=1,
        lease=Lease.starting(ground.clock.now(), seconds=60),
        compose=lambda _is_8bit: envelope,
        envelope=envelope,
    )
    hand = Hand()
    connection = await smtp.Connection.open(ground.settings.relay[0])
    sending = asyncio.create_task(connection.send(letter, hand))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await hand.was_asked.wait()
    deaf[0].listen()
    await sending
    assert hand.was_asked.is_set()
    assert server.total == 0
