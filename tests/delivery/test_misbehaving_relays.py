"""Relays that refuse, hang, babble or lack something, at each stage; what the ledger then says."""

from collections import Counter
from collections.abc import Mapping, Sequence

import pytest
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery import worker
from delivery.models import Delivery, DeliveryState, Reason, RelayStatus
from foundation.ground import Ground
from foundation.tokens import Purpose
from subscribers.models import Suppression
from tests.world import mailing, sink
from tests.world.clock import FakeClock
from tests.world.sink import Act, Connection, Sink

STAGES = ("MAIL", "RCPT", "DATA", "dot")
CODES = (421, 451, 452, 550, 552, 554)
PLAIN = ("SIZE 50000000", "SMTPUTF8", "8BITMIME")
SENT = (DeliveryState.SENT, "", 250)

one_connection = pytest.mark.settings(relay={"connections": 1}, delivery={"relay_rest_s": 0.02})
both_ways = pytest.mark.parametrize(
    "extensions", [("PIPELINING", *PLAIN), PLAIN], ids=["pipelining", "one-by-one"]
)


def once(ground: Ground, stage: str, acts: Mapping[int, Act]) -> Act:
    """At this stage of the numbered recipients' first tries something else happens.

    They are told apart by the envelope sender: at MAIL nobody was named yet.
    """
    left = dict(acts)

    def act(connection: Connection) -> None:
        token = connection.sender.partition("@")[0].removeprefix("b+")
        number, _ = ground.tokens.open_from_address(Purpose.RETURN_PATH, token)
        left.pop(number, sink.usually(stage))(connection)

    return act


async def begin(ground: Ground, size: int) -> None:
    topic = await mailing.crowd(ground, size)
    await mailing.start(ground, topics=[topic])


def said(row: Delivery) -> tuple[str, str, int | None]:
    return row.state, row.reason, row.reply_code


async def suppressions(ground: Ground) -> Sequence[Suppression]:
    async with ground.db.reading() as session:
        return (await session.exec(select(Suppression))).all()


async def is_resting(session: AsyncSession) -> bool:
    found = (await session.exec(select(RelayStatus))).first()
    return found is not None and found.is_resting


def judged(stage: str, code: int) -> tuple[str, str, int | None]:
    """What the ledger says of who was answered so, with all others sent (RFC 5321 §4.2.1).

    A relay that closes down, or that refuses our own sender, is tried again later for the same
    recipient; 552 at MAIL is about the message's size (RFC 1870 §6.2).
    """
    if code == 421 or (stage == "MAIL" and code in (550, 554)):
        return SENT
    if code < 500:
        return DeliveryState.DEFERRED, Reason.PUT_OFF, code
    return DeliveryState.FAILED, Reason.REFUSED, code


@one_connection
@pytest.mark.parametrize("stage", STAGES)
@both_ways
async def test_each_refusal_at_each_stage_is_kept_with_its_code_and_concerns_nobody_else(
    ground: Ground, server: Sink, extensions: tuple[str, ...], stage: str
) -> None:
    server.extensions = extensions
    numbers = {2 * place: code for place, code in enumerate(CODES, start=1)}
    await begin(ground, 2 * len(CODES) + 1)
    server.acts[stage] = once(
        ground,
        stage,
        {number: sink.replying(f"{code} 4.3.0 no") for number, code in numbers.items()},
    )
    wanted = {number: judged(stage, code) for number, code in numbers.items()}
    states = Counter(state for state, _, _ in wanted.values())
    states[DeliveryState.SENT] += len(CODES) + 1
    async with mailing.sending(ground):
        await mailing.stand(ground, **{str(state): count for state, count in states.items()})
    rows = await mailing.rows(ground)
    assert {row.id: said(row) for row in rows if row.id in wanted} == wanted
    assert {said(row) for row in rows if row.id not in wanted} == {SENT}
    assert {row.attempts for row in rows} == {1}, "nobody was tried in vain"
    got = [mailing.address(row.id) for row in rows if row.state == DeliveryState.SENT]
    assert server.taken == dict.fromkeys(got, 1)
    assert not await suppressions(ground), "no reader is to blame"


LOST = {
    "MAIL": SENT,
    "RCPT": (DeliveryState.DEFERRED, Reason.CONNECTION_LOST, None),
    "DATA": (DeliveryState.DEFERRED, Reason.CONNECTION_LOST, None),
    "dot": (DeliveryState.UNCERTAIN, Reason.NO_REPLY, None),
}
"""What the ledger says of who was open when a connection went bad at a stage.

Before the last dot nothing was taken, so nobody is uncertain; before RCPT nobody was named, so
the next connection takes them at once.
"""


async def check_lost(
    ground: Ground, server: Sink, clock: FakeClock, stage: str, acts: Mapping[int, Act]
) -> None:
    """Numbered recipients had a bad connection at a stage; in the end nobody got two.

    Where an envelope went along with the dot before it, it may be as if nothing had been said.
    """
    await begin(ground, max(acts) + 1)
    server.acts[stage] = once(ground, stage, acts)
    async with mailing.sending(ground):
        await mailing.stand(ground, queued=0)
        rows = await mailing.rows(ground)
        assert said(rows[0]) == LOST[stage]
        if "PIPELINING" not in server.extensions:
            assert {said(row) for row in rows if row.id in acts} == {LOST[stage]}
        assert {said(row) for row in rows if row.id in acts} <= {LOST[stage], SENT}
        assert {said(row) for row in rows if row.id not in acts} == {SENT}
        clock.advance(hours=1)
        await mailing.stand(ground, queued=0, deferred=0)
    assert set(server.taken.values()) == {1}
    assert server.total == len(rows) - (await mailing.counts(ground)).uncertain


@pytest.mark.settings(relay={"connections": 1, "timeout_s": 1.5}, delivery={"relay_rest_s": 0.02})
@pytest.mark.parametrize("stage", STAGES)
async def test_a_relay_that_falls_silent_is_left_and_nobody_gets_two(
    ground: Ground, server: Sink, clock: FakeClock, stage: str
) -> None:
    await check_lost(ground, server, clock, stage, {1: Connection.hold})


def babbling(octets: bytes) -> Act:
    def act(connection: Connection) -> None:
        connection.say(octets)

    return act


NONSENSE = (b"what?\r\n", b"25\r\n", b"\x00\xff\xfe\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n")


@one_connection
@pytest.mark.parametrize("stage", STAGES)
@both_ways
async def test_a_relay_that_babbles_is_left_and_nobody_gets_two(
    ground: Ground, server: Sink, clock: FakeClock, extensions: tuple[str, ...], stage: str
) -> None:
    server.extensions = extensions
    acts = {2 * place + 1: babbling(octets) for place, octets in enumerate(NONSENSE)}
    await check_lost(ground, server, clock, stage, acts)


@one_connection
@pytest.mark.parametrize("stage", ["greeting", "EHLO"])
async def test_a_relay_that_greets_with_nonsense_is_asked_again_later(
    ground: Ground, server: Sink, stage: str
) -> None:
    welcome = server.greeting
    if stage == "greeting":
        server.greeting = b"SSH-2.0-OpenSSH_9.2\r\n"
    else:
        server.acts["EHLO"] = babbling(b"what?\r\n")
    await begin(ground, 2)
    async with mailing.sending(ground):
        await mailing.until(ground, is_resting)
        assert (await mailing.counts(ground)).queued == 2
        server.greeting = welcome
        server.acts.clear()
        await mailing.stand(ground, sent=2)
    assert {row.attempts for row in await mailing.rows(ground)} == {1}


@one_connection
@pytest.mark.parametrize("number", [1, 2], ids=["first", "streamed"])
@pytest.mark.parametrize("reply", [b"250 2.0.0 taken\r\n", b"550 5.7.1 refused\r\n"])
async def test_a_reply_that_came_before_the_last_dot_is_not_taken_for_the_answer_to_it(
    ground: Ground, server: Sink, clock: FakeClock, number: int, reply: bytes
) -> None:
    def answer_too_early(connection: Connection) -> None:
        connection.expect_content()
        connection.say(b"354 go on\r\n" + reply)

    await begin(ground, 3)
    server.acts["DATA"] = once(ground, "DATA", {number: answer_too_early})
    server.acts["dot"] = once(ground, "dot", {number: sink.replying("450 4.2.0 not now")})
    async with mailing.sending(ground):
        await mailing.stand(ground, deferred=1, sent=2)
        clock.advance(hours=1)
        server.acts.clear()
        await mailing.stand(ground, sent=3)
    assert set(server.taken.values()) == {1}
    assert server.total == 3


@one_connection
@both_ways
async def test_replies_that_come_octet_by_octet_are_the_same_replies(
    ground: Ground, server: Sink, extensions: tuple[str, ...]
) -> None:
    server.extensions, server.drips = extensions, True
    await begin(ground, 6)
    server.acts["RCPT"] = once(
        ground, "RCPT", {3: babbling(b"550-5.1.1 nobody\r\n550 5.1.1 of that name\r\n")}
    )
    async with mailing.sending(ground):
        await mailing.stand(ground, sent=5, failed=1)
    row = (await mailing.rows(ground))[2]
    assert (row.reply_code, row.reply_text) == (550, "5.1.1 nobody 5.1.1 of that name")
    assert server.total == 5
    assert server.accepted == 1


@pytest.mark.settings(
    relay={
        "connections": 1,
        "messages_per_connection": 3,
        "username": "us",
        "password": "a-secret-word",
    },
    delivery={"relay_rest_s": 0.02},
)
async def test_a_relay_that_refuses_our_password_in_the_middle_of_a_campaign_costs_nobody_anything(
    ground: Ground, server: Sink
) -> None:
    server.extensions = ("PIPELINING", "AUTH PLAIN")
    answers = iter([b"235 2.7.0 welcome\r\n"] * 2)

    def judge(connection: Connection) -> None:
        connection.say(next(answers, b"535 5.7.8 not any more\r\n"))

    server.acts["AUTH"] = judge
    await begin(ground, 10)
    async with mailing.sending(ground):
        await mailing.until(ground, is_resting)
        await mailing.stand(ground, sent=6, queued=4)
        assert server.total == 6
        server.acts["AUTH"] = sink.replying("235 2.7.0 welcome again")
        await mailing.stand(ground, sent=10)
    assert set(server.taken.values()) == {1}
    assert {row.attempts for row in await mailing.rows(ground)} == {1}
    assert not await suppressions(ground)


@one_connection
@both_ways
async def test_a_mail_that_is_longer_than_the_relay_takes_is_not_begun_and_no_reader_is_to_blame(
    ground: Ground, server: Sink, extensions: tuple[str, ...]
) -> None:
    server.extensions = ("SIZE 20000", *(each for each in extensions if "SIZE" not in each))
    topic = await mailing.crowd(ground, 3)
    await mailing.start(ground, topics=[topic])
    long = mailing.plan(ground, html="<p>" + "It took three years. " * 1000 + "</p>")
    await mailing.start(ground, topics=[topic], campaign_id=2, plans={"en": long})
    async with mailing.sending(ground):
        await mailing.stand(ground, 1, sent=3)
        await mailing.stand(ground, 2, failed=3)
    (row, *_) = await mailing.rows(ground, 2)
    assert said(row) == (DeliveryState.FAILED, Reason.TOO_LARGE, None)
    assert "the relay takes 20000 octets" in row.reply_text
    assert len([each for each in server.commands if each.startswith("MAIL")]) == 3
    assert server.total == 3
    assert not await suppressions(ground)


@one_connection
@pytest.mark.parametrize("announced", ["SIZE", "SIZE 0"])
async def test_a_relay_that_announces_no_limit_takes_every_mail(
    ground: Ground, server: Sink, announced: str
) -> None:
    server.extensions = (announced,)
    await begin(ground, 1)
    async with mailing.sending(ground):
        await mailing.stand(ground, sent=1)


@one_connection
@pytest.mark.parametrize(
    "extensions",
    [PLAIN, ("PIPELINING", *PLAIN), ("PIPELINING",), ("8BITMIME",), ()],
    ids=lambda extensions: "+".join(extensions) or "nothing",
)
async def test_a_relay_is_sent_only_what_it_said_that_it_can_take(
    ground: Ground, server: Sink, extensions: tuple[str, ...]
) -> None:
    server.extensions, server.contents = extensions, []
    topic = await mailing.crowd(ground, 2)
    words = mailing.plan(ground, subject="¿Qué pasó?", html="<p>¡Mañana, en la alcaldía!</p>")
    await mailing.start(ground, topics=[topic], plans={"en": words})
    async with mailing.sending(ground):
        await mailing.stand(ground, sent=2)
    starts = [each for each in server.commands if each.startswith("MAIL")]
    for start, content in zip(starts, server.contents, strict=True):
        assert content.isascii() or "BODY=8BITMIME" in start
        assert max(map(len, content.split(b"\r\n"))) <= 998
        assert "BODY=" not in start or "8BITMIME" in extensions
        assert "SIZE=" not in start or "SIZE 50000000" in extensions


@pytest.mark.settings(relay={"connections": 1}, delivery={"relay_rest_s": 3600})
async def test_a_relay_that_loses_a_message_now_and_then_is_not_rested_for_it(
    ground: Ground, server: Sink
) -> None:
    topic = await mailing.crowd(ground, 5)
    await mailing.start(ground, topics=[topic])

    def lose_two(connection: Connection) -> None:
        if connection.recipient in (mailing.address(1), mailing.address(3)):
            connection.hang_up()
        else:
            sink.usually("DATA")(connection)

    server.extensions = ()
    server.acts["DATA"] = lose_two
    await worker.run_until_idle(ground)
    counts = await mailing.counts(ground)
    assert (counts.sent, counts.deferred, counts.queued) == (3, 2, 0)
