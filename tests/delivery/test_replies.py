"""What a relay answers, or fails to answer, and what becomes of the recipient."""

import asyncio
import socket
from datetime import timedelta

import pytest
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery import listing, relay_state, retrying, worker
from delivery.models import DeliveryState, Reason, RelayStatus
from foundation.config import Settings
from foundation.ground import Ground
from subscribers.models import Suppression
from tests.world import grounds, mailing, people, sink
from tests.world.clock import FakeClock
from tests.world.sink import Connection, Sink
from tests.world.smtp import Catcher

ANA, BO = "ana@example.org", "bo@example.org"
quick_rest = pytest.mark.settings(relay={"connections": 1}, delivery={"relay_rest_s": 0.05})

PLAIN = ("SIZE 50000000", "SMTPUTF8", "8BITMIME")
both_ways = pytest.mark.parametrize(
    "extensions", [("PIPELINING", *PLAIN), PLAIN], ids=["pipelining", "one-by-one"]
)


async def to(ground: Ground, *emails: str) -> None:
    """A dispatch to these people."""
    for email in emails:
        await people.subscribed(ground, email)
    topic = await people.topic(ground)
    await mailing.start(ground, topics=[topic.id])


async def is_resting(session: AsyncSession) -> bool:
    found = (await session.exec(select(RelayStatus))).first()
    return found is not None and found.is_resting


async def relay(ground: Ground) -> relay_state.RelayState:
    async with ground.db.reading() as session:
        (found,) = await relay_state.read(ground, session)
    return found


async def suppressed(ground: Ground) -> list[str]:
    async with ground.db.reading() as session:
        return [row.reason for row in (await session.exec(select(Suppression))).all()]


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
@pytest.mark.settings(delivery={"retry_minutes": [5, 15], "give_up_hours": 1})
async def test_a_4xx_is_tried_again_on_schedule_and_given_up_in_the_end(
    ground: Ground, smtp: Catcher, clock: FakeClock, command: str
) -> None:
    await to(ground, ANA, BO)
    who = None if command == "MAIL" else ANA
    smtp.answer(command, who, "451 4.3.0 try later, <ana@example.org>")
    began = clock.now()
    for minutes in (5, 15, 15, 15):
        await worker.run_until_idle(ground)
        row = (await mailing.rows(ground))[0]
        assert (row.state, row.reason) == (DeliveryState.DEFERRED, Reason.PUT_OFF)
        assert (row.reply_code, row.due_at) == (451, clock.now() + timedelta(minutes=minutes))
        assert "4.3.0 try later" in row.reply_text
        assert "ana@example.org" not in row.reply_text
        attempts = row.attempts
        clock.advance(minutes=minutes, seconds=-1)
        await worker.run_until_idle(ground)
        assert (await mailing.rows(ground))[0].attempts == attempts, "not before its time"
        clock.advance(seconds=1)
    clock.advance(minutes=10)
    await worker.run_until_idle(ground)
    row = (await mailing.rows(ground))[0]
    assert (row.state, row.reason, row.reply_code) == (
        DeliveryState.FAILED,
        Reason.GAVE_UP,
        451,
    )
    assert row.first_attempt_at == began
    assert not smtp.to(ANA)
    assert len(smtp.to(BO)) == (0 if command == "MAIL" else 1)
    await mailing.counts(ground)


@pytest.mark.parametrize("command", ["RCPT", "DATA"])
async def test_a_5xx_is_final_and_its_words_are_kept(
    ground: Ground, smtp: Catcher, clock: FakeClock, command: str
) -> None:
    await to(ground, ANA, BO)
    smtp.answer(command, ANA, "554 5.6.0 not like this")
    await worker.run_until_idle(ground)
    smtp.accept_again()
    clock.advance(days=5)
    await worker.run_until_idle(ground)
    refused, sent = await mailing.rows(ground)
    assert (refused.state, refused.reason) == (DeliveryState.FAILED, Reason.REFUSED)
    assert (refused.reply_code, refused.reply_text) == (554, "5.6.0 not like this")
    assert refused.relay == "relay"
    assert sent.state == DeliveryState.SENT
    assert not smtp.to(ANA)


@pytest.mark.parametrize(
    ("reply", "is_dead"),
    [
        ("550 5.1.1 no such user", True),
        ("550 5.2.1 mailbox disabled", True),
        ("550 no", False),
        ("550 5.7.1 blocked by policy", False),
        ("550 5.1.1 your address was blocked as spam", False),
        ("552 5.2.2 mailbox full", False),
        ("450 4.1.1 no such user yet", False),
    ],
)
async def test_only_a_reply_about_the_mailbox_itself_suppresses_the_reader(
    ground: Ground, smtp: Catcher, reply: str, is_dead: bool
) -> None:
    await to(ground, ANA, BO)
    smtp.answer("RCPT", ANA, reply)
    await worker.run_until_idle(ground)
    assert await suppressed(ground) == (["hard-bounce"] if is_dead else [])


@quick_rest
@pytest.mark.parametrize("reply", ["550 5.7.1 your network is blocked", "421 4.7.0 slow down"])
@both_ways
async def test_a_relay_that_refuses_us_is_left_alone_and_no_reader_is_blamed(
    ground: Ground, server: Sink, extensions: tuple[str, ...], reply: str
) -> None:
    server.extensions = extensions
    await to(ground, ANA, BO)
    server.acts["MAIL"] = sink.replying(reply)
    async with mailing.sending(ground):
        await mailing.until(ground, is_resting)
        assert reply in (await relay(ground)).said
        assert (await mailing.counts(ground)).queued == 2
        server.acts.clear()
        await mailing.stand(ground, sent=2)
        assert not (await relay(ground)).is_resting
    assert server.taken == {ANA: 1, BO: 1}
    assert [row.attempts for row in await mailing.rows(ground)] == [1, 1]
    assert await suppressed(ground) == []


@pytest.mark.storage
@quick_rest
async def test_while_the_relay_is_down_everybody_waits_and_sending_goes_on_by_itself(
    settings: Settings, clock: FakeClock
) -> None:
    closed = socket.socket()
    closed.bind(("127.0.0.1", 0))
    port = closed.getsockname()[1]
    changed = settings.relay[0].model_copy(update={"port": port})
    async with grounds.standing(settings.model_copy(update={"relay": [changed]}), clock) as ground:
        with closed:
            await to(ground, ANA, BO)
            await worker.run_until_idle(ground)
        assert (await mailing.counts(ground)).queued == 2
        down = await relay(ground)
        assert down.is_resting
        assert down.said
        clock.advance(days=10)
        async with mailing.sending(ground), sink.running(port) as server:
            await mailing.stand(ground, sent=2)
            up = await relay(ground)
    assert (up.is_resting, up.said, up.since) == (False, "", clock.now())
    assert server.taken == {ANA: 1, BO: 1}


@pytest.mark.settings(relay={"connections": 2}, delivery={"relay_rest_s": 3600})
async def test_a_relay_that_refuses_is_not_asked_again_until_it_has_rested(
    ground: Ground, server: Sink
) -> None:
    server.greeting = b"421 4.3.2 closing\r\n"
    await to(ground, ANA, BO)
    sending = asyncio.create_task(worker.run_until_idle(ground))
    asked_often = asyncio.create_task(server.met(10))
    ended, others = await asyncio.wait({sending, asked_often}, return_when="FIRST_COMPLETED")
    for task in others:
        task.cancel()
    assert ended == {sending}
    assert server.accepted <= 2  # by each connection at once
    assert (await mailing.counts(ground)).queued == 2


@quick_rest
@pytest.mark.parametrize("greeting", ["421 4.3.2 closing", "554 5.7.1 no mail from you", ""])
async def test_a_relay_that_does_not_welcome_us_is_asked_again_later(
    ground: Ground, server: Sink, greeting: str
) -> None:
    welcome, server.greeting = server.greeting, greeting.encode() + b"\r\n"
    await to(ground, ANA)
    async with mailing.sending(ground):
        await mailing.until(ground, is_resting)
        assert greeting[:3] in (await relay(ground)).said
        assert (await mailing.counts(ground)).queued == 1
        server.greeting = welcome
        await mailing.stand(ground, sent=1)
    assert (await mailing.rows(ground))[0].attempts == 1


@quick_rest
@pytest.mark.parametrize("stage", ["EHLO", "MAIL", "RCPT", "DATA", "content"])
@both_ways
async def test_a_relay_that_hangs_up_before_the_last_dot_costs_nobody_anything(
    ground: Ground, server: Sink, extensions: tuple[str, ...], clock: FakeClock, stage: str
) -> None:
    server.extensions = extensions
    await to(ground, ANA, BO)

    def hang_up_once(connection: Connection) -> None:
        server.acts.clear()
        connection.hang_up()

    server.acts[stage] = hang_up_once
    async with mailing.sending(ground):
        if stage in ("RCPT", "DATA", "content"):
            await mailing.stand(ground, deferred=1, sent=1)
            put_off = next(row for row in await mailing.rows(ground) if row.state == "deferred")
            assert put_off.reason == Reason.CONNECTION_LOST
            assert put_off.reply_code is None
            clock.advance(minutes=5)
        await mailing.stand(ground, sent=2)
    assert server.taken == {ANA: 1, BO: 1}


@pytest.mark.storage
@quick_rest
@both_ways
async def test_a_relay_that_hangs_up_after_the_last_dot_leaves_one_uncertain_listed_by_name(
    ground: Ground, server: Sink, extensions: tuple[str, ...], clock: FakeClock
) -> None:
    server.extensions = extensions
    await to(ground, ANA, BO)

    def take_and_hang_up(connection: Connection) -> None:
        server.acts.clear()
        connection.take()
        connection.hang_up()

    server.acts["dot"] = take_and_hang_up
    async with mailing.sending(ground):
        await mailing.stand(ground, uncertain=1, sent=1)
    clock.advance(days=1)
    await worker.run_until_idle(ground)
    async with ground.db.reading() as session:
        (listed,) = await listing.uncertain(session, 1)
    assert (listed.email, listed.reason) == (ANA, Reason.NO_REPLY)
    assert server.taken == {ANA: 1, BO: 1}, "held: nobody gets it twice by itself"


async def again(ground: Ground, session: AsyncSession) -> int:
    """Send to the uncertain once more, as staff may; says to how many."""
    uncertain = listing.Choice(state=DeliveryState.UNCERTAIN)
    done = await retrying.retry(session, dispatch_id=1, choice=uncertain, now=ground.clock.now())
    return done.queued


@pytest.mark.storage
@quick_rest
async def test_staff_can_send_once_more_to_the_uncertain(ground: Ground, server: Sink) -> None:
    await to(ground, ANA, BO)

    def lose(connection: Connection) -> None:
        server.acts.clear()
        connection.hang_up()

    server.acts["dot"] = lose
    async with mailing.sending(ground):
        await mailing.stand(ground, uncertain=1, sent=1)
    async with ground.db.transaction() as session:
        assert await again(ground, session) == 1
    async with mailing.sending(ground):
        await mailing.stand(ground, sent=2)
    async with ground.db.transaction() as session:
        assert await again(ground, session) == 0
    assert server.taken == {ANA: 1, BO: 1}


@pytest.mark.settings(
    relay={"connections": 1}, delivery={"uncertain": "resend", "relay_rest_s": 0.05}
)
async def test_the_uncertain_are_sent_once_more_where_the_settings_say_so(
    ground: Ground, server: Sink, clock: FakeClock
) -> None:
    await to(ground, ANA)

    def lose(connection: Connection) -> None:
        server.acts.clear()
        connection.hang_up()

    server.acts["dot"] = lose
    async with mailing.sending(ground):
        await mailing.stand(ground, deferred=1)
        assert (await mailing.rows(ground))[0].reason == Reason.RESENT
        clock.advance(minutes=5)
        await mailing.stand(ground, sent=1)
    assert server.taken == {ANA: 1}


@quick_rest
@both_ways
async def test_a_421_in_the_middle_of_a_message_is_about_the_relay_alone(
    ground: Ground, server: Sink, extensions: tuple[str, ...]
) -> None:
    server.extensions = extensions
    await to(ground, ANA, BO)
    server.acts["RCPT"] = sink.replying("421 4.3.2 going down")
    async with mailing.sending(ground):
        await mailing.until(ground, is_resting)
        server.acts.clear()
        await mailing.stand(ground, sent=2)
    assert [row.attempts for row in await mailing.rows(ground)] == [1, 1]
    assert server.taken == {ANA: 1, BO: 1}


@quick_rest
@both_ways
async def test_a_reply_that_makes_no_sense_after_the_last_dot_is_not_taken_for_a_yes(
    ground: Ground, server: Sink, extensions: tuple[str, ...]
) -> None:
    server.extensions = extensions
    await to(ground, ANA)
    server.acts["dot"] = sink.replying("354 go on")
    await worker.run_until_idle(ground)
    assert (await mailing.counts(ground)).uncertain == 1


@quick_rest
@both_ways
@pytest.mark.parametrize("takes_data_for_nobody", [False, True])
async def test_among_many_the_refused_and_the_put_off_concern_nobody_else(
    ground: Ground, server: Sink, extensions: tuple[str, ...], takes_data_for_nobody: bool
) -> None:
    server.extensions, server.takes_data_for_nobody = extensions, takes_data_for_nobody
    topic = await mailing.crowd(ground, 24)
    refused, put_off = (
        {mailing.address(n) for n in (1, 8, 9)},
        {mailing.address(n) for n in (5, 24)},
    )

    def judge(connection: Connection) -> None:
        if connection.recipient in refused:
            connection.say(b"550 5.1.1 nobody here\r\n")
        elif connection.recipient in put_off:
            connection.say(b"450 4.2.1 later\r\n")
        else:
            connection.say(b"250 OK\r\n")

    server.acts["RCPT"] = judge
    await mailing.start(ground, topics=[topic])
    await worker.run_until_idle(ground)
    everybody = {mailing.address(number) for number in range(1, 25)}
    assert server.taken == dict.fromkeys(everybody - refused - put_off, 1)
    found = await mailing.counts(ground)
    assert (found.sent, found.failed, found.deferred) == (19, 3, 2)
    assert server.accepted == 1, "a refusal is no reason to end a connection"


@quick_rest
@both_ways
async def test_a_connection_lost_after_a_dot_leaves_one_uncertain_and_the_next_untouched(
    ground: Ground, server: Sink, extensions: tuple[str, ...]
) -> None:
    server.extensions = extensions
    topic = await mailing.crowd(ground, 10)

    def lose_the_third(connection: Connection) -> None:
        if connection.recipient == mailing.address(3):
            connection.hang_up()
        else:
            connection.take()
            connection.say(b"250 taken\r\n")

    server.acts["dot"] = lose_the_third
    await mailing.start(ground, topics=[topic])
    async with mailing.sending(ground):
        await mailing.stand(ground, sent=9, uncertain=1)
    assert set(server.taken.values()) == {1}
    assert mailing.address(3) not in server.taken
    attempts = [row.attempts for row in await mailing.rows(ground)]
    assert attempts == [1] * 10, "nobody else was tried in vain"


@quick_rest
async def test_a_plain_old_relay_without_any_extension_gets_plain_commands(
    ground: Ground, server: Sink
) -> None:
    server.extensions = ()
    await to(ground, ANA, "иван@example.org", "Bo@bücher.example")
    await worker.run_until_idle(ground)
    assert server.taken == {ANA: 1, "Bo@xn--bcher-kva.example": 1}
    odd = (await mailing.rows(ground))[1]
    assert (odd.state, odd.reason) == (DeliveryState.FAILED, Reason.NEEDS_SMTPUTF8)
    senders = [line for line in server.commands if line.startswith("MAIL")]
    assert all(line.startswith("MAIL FROM:<b+") and line.endswith(">") for line in senders)


@quick_rest
async def test_a_relay_that_knows_no_ehlo_is_greeted_with_helo(
    ground: Ground, server: Sink
) -> None:
    server.acts["EHLO"] = sink.replying("502 5.5.1 what?")
    await to(ground, ANA)
    await worker.run_until_idle(ground)
    assert server.taken == {ANA: 1}
    assert "HELO sender.test" in server.commands


@quick_rest
async def test_an_address_beyond_ascii_is_announced_to_a_relay_that_can_take_it(
    ground: Ground, server: Sink
) -> None:
    await to(ground, "иван@example.org", ANA)
    await worker.run_until_idle(ground)
    first, second = [line for line in server.commands if line.startswith("MAIL")]
    assert first.endswith("BODY=8BITMIME SMTPUTF8")
    assert "SMTPUTF8" not in second
    assert "SIZE=" in first
    assert server.taken == {"иван@example.org": 1, ANA: 1}


@pytest.mark.settings(
    relay={"connections": 1, "messages_per_connection": 2}, delivery={"relay_rest_s": 0.05}
)
@both_ways
async def test_a_connection_is_kept_for_as_many_messages_as_the_settings_say(
    ground: Ground, server: Sink, extensions: tuple[str, ...]
) -> None:
    server.extensions = extensions
    topic = await mailing.crowd(ground, 5)
    await mailing.start(ground, topics=[topic])
    await worker.run_until_idle(ground)
    assert server.total == 5
    assert server.accepted == 3
    assert server.commands.count("QUIT") == 3


@quick_rest
@both_ways
async def test_a_kept_connection_that_the_relay_closed_is_replaced_without_a_word(
    ground: Ground, server: Sink, extensions: tuple[str, ...]
) -> None:
    server.extensions = extensions
    await to(ground, ANA)
    async with mailing.sending(ground):
        await server.reached(1)
        for connection in list(server.connections):
            connection.hang_up()
        await people.subscribed(ground, BO)
        topic = await people.topic(ground)
        await mailing.start(ground, topics=[topic.id], campaign_id=2)
        await mailing.stand(ground, 2, sent=2)
    assert server.taken == {ANA: 2, BO: 1}
    assert not (await relay(ground)).is_resting


@pytest.mark.settings(
    relay={"connections": 1, "tls": "starttls", "username": "us", "password": "a-secret-word"},
    delivery={"relay_rest_s": 0.05},
)
async def test_where_tls_is_demanded_and_not_offered_nothing_goes_out_and_it_says_why(
    ground: Ground, server: Sink
) -> None:
    server.extensions = ("AUTH PLAIN",)
    await to(ground, ANA)
    await worker.run_until_idle(ground)
    assert "STARTTLS" in (await relay(ground)).said
    assert (await mailing.counts(ground)).queued == 1
    assert not [line for line in server.commands if line.startswith(("MAIL", "AUTH"))]


@pytest.mark.settings(
    relay={"connections": 1, "username": "us", "password": "a-secret-word"},
    delivery={"relay_rest_s": 0.05},
)
async def test_a_relay_that_refuses_our_password_is_said_without_the_password(
    ground: Ground, server: Sink, capsys: pytest.CaptureFixture[str]
) -> None:
    server.extensions = ("AUTH PLAIN",)
    server.acts["AUTH"] = sink.replying("535 5.7.8 wrong")
    await to(ground, ANA)
    await worker.run_until_idle(ground)
    said = (await relay(ground)).said
    assert "535" in said
    printed = capsys.readouterr()
    assert "a-secret-word" not in said + printed.out + printed.err
    assert (await mailing.counts(ground)).queued == 1


@pytest.mark.settings(relay={"timeout_s": 2, "connections": 1}, delivery={"relay_rest_s": 0.05})
async def test_a_relay_that_says_nothing_is_not_waited_for_without_end(
    ground: Ground, server: Sink
) -> None:
    await to(ground, ANA)
    is_asked = asyncio.Event()
    server.acts["EHLO"] = sink.losing(is_asked)
    await worker.run_until_idle(ground)
    assert is_asked.is_set()
    assert (await relay(ground)).is_resting
    assert (await mailing.counts(ground)).queued == 1
