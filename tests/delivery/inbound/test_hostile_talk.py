"""Whoever connects to our mail server may say anything, at any time, and get nowhere."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from delivery.inbound import letters
from delivery.inbound import talk as inbound_talk
from delivery.inbound.listener import Listener
from foundation.ground import Ground
from tests.delivery import reports
from tests.delivery.inbound import given
from tests.world import talker
from tests.world.smtp import Catcher
from tests.world.talker import Talker

OPEN = {"enabled": True, "port": 0}
OFFICE = "postmaster@coalition.example"
opened = pytest.mark.settings(listener=OPEN)


@pytest.fixture
async def client(listener: Listener) -> AsyncIterator[Talker]:
    """A conversation that has just begun."""
    async with talker.talking(listener.port) as found:
        yield found


async def subjects(ground: Ground) -> list[str]:
    return [each.subject for each in await letters.listed(ground)]


NO_ENDS = (
    "\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r\n.\r", "\r.\r\n", "\r\n\0.\r\n", "\r\n.\0\r\n",
    "\r\n..\r\n", "\r\n. \r\n",
)  # fmt: skip


@opened
async def test_nothing_but_the_one_true_end_ends_a_message(
    ground: Ground, listener: Listener
) -> None:
    smuggled = f"MAIL FROM:<>\r\nRCPT TO:<{OFFICE}>\r\nDATA\r\nSubject: smuggled\r\n\r\nhello"
    for number, end in enumerate(NO_ENDS, start=1):
        async with talker.talking(listener.port) as client:
            await client.begin(OFFICE)
            await client.ask("DATA")
            await client.say(f"Subject: seen {number}\r\n\r\nhello{end}{smuggled}\r\n.\r\n")
            assert (await client.heard())[:3] == "250", repr(end)
            goodbye = await client.ask("QUIT")
            assert goodbye[:3] == "221", f"no reply to a second message lies in between: {end!r}"
    assert set(await subjects(ground)) == {f"seen {number + 1}" for number in range(len(NO_ENDS))}


@opened
async def test_a_true_end_that_comes_in_pieces_is_one(ground: Ground, client: Talker) -> None:
    await client.begin(OFFICE)
    await client.ask("DATA")
    for piece in ("Subject: hello\r\n\r\n.", ".a", "\r", "\n", ".", "\r", "\n"):
        await client.say(piece)
        await asyncio.sleep(0)
    assert (await client.heard())[:3] == "250"
    assert (await letters.one(ground, 1)).endswith(b"\r\n\r\n.a\r\n")


@opened
async def test_a_hang_up_before_the_end_leaves_nothing(ground: Ground, listener: Listener) -> None:
    for said in ("", "Subject: x\r\n", "a\r\n.", "a\r\n.\r"):
        async with talker.talking(listener.port) as client:
            await client.begin(OFFICE)
            await client.ask("DATA")
            await client.say(said)
            client.hang_up()
    await listener.close()
    assert await subjects(ground) == []


@opened
async def test_a_message_is_acted_on_even_if_its_sender_does_not_wait_for_the_answer(
    ground: Ground, smtp: Catcher, listener: Listener, client: Talker
) -> None:
    mail = await given.mailed(ground, smtp)
    begun, may_go_on = asyncio.Event(), asyncio.Event()
    take = listener._inlet.take

    async def slow(octets: bytes, *, envelope_to: str = "") -> object:
        begun.set()
        await may_go_on.wait()
        return await take(octets, envelope_to=envelope_to)

    listener._inlet.take = slow  # type: ignore[method-assign, assignment]
    await client.begin(mail.mail_from)
    await client.ask("DATA")
    await client.say(given.bounce(mail).replace(b"\n", b"\r\n") + b"\r\n.\r\n")
    await begun.wait()
    client.hang_up()
    await listener._is_empty.wait()
    may_go_on.set()
    await listener.close()
    assert len(await given.returned(ground)) == 1


OUT_OF_PLACE = {
    "DATA": "503",
    "RCPT TO:<postmaster>": "503",
    "MAIL FROM:<>": "503",
    "AUTH PLAIN AGEAYg==": "502",
    "AUTH LOGIN": "502",
    "EXPN everybody": "502",
    "VRFY ana@example.org": "252",
    "HELP": "214",
    "STARTTLS": "454",
    "EHLO": "501",
    "TURN": "500",
    "": "500",
    "\0\0\0\0": "500",
    "GET / HTTP/1.1": "500",
    "\udce9\udca0": "500",
    "X" * 900: "500",
    "X" * 5000: "500",
    "NOOP": "250",
}


@opened
async def test_a_command_that_does_not_belong_there_is_refused_and_the_talk_goes_on(
    listener: Listener,
) -> None:
    for command, code in OUT_OF_PLACE.items():
        async with talker.talking(listener.port) as client:
            await client.say(command.encode("ascii", "surrogateescape") + b"\r\n")
            assert (await client.heard())[:3] == code, repr(command)
            assert (await client.begin(OFFICE))[0][:3] == "250", repr(command)


UNREADABLE = (
    "MAIL FROM:<a@b> SIZE=x", "MAIL FROM:<a@b", "MAIL FROM:a@b", "MAIL TO:<a@b>", "MAIL",
    "MAIL FROM:<a@b> SMTPUTF8=1", "MAIL FROM:<a@b> BODY=BINARYMIME", "MAIL FROM:<a@b> X=1",
    "MAIL FROM:<a@b><c@d>", "MAIL FROM:<a\0@b>",
)  # fmt: skip


@opened
async def test_a_sender_that_can_not_be_read_is_refused(listener: Listener) -> None:
    for command in UNREADABLE:
        async with talker.talking(listener.port) as client:
            await client.ask("EHLO client.test")
            assert (await client.ask(command))[0] == "5", command
            taken = await client.ask("MAIL FROM:<a@b> SIZE=99 BODY=8BITMIME SMTPUTF8")
            assert taken[:3] == "250", command


@opened
async def test_garbage_without_end_is_not_listened_to(client: Talker) -> None:
    await client.say("".join(f"garbage {number}\r\n" for number in range(50)))
    said = await client.all_that_is_left()
    assert "Too many" in said
    assert said.count("\r\n") < 10


@opened
async def test_commands_may_come_all_at_once(ground: Ground, client: Talker) -> None:
    await client.say(
        f"EHLO client.test\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<{OFFICE}>\r\n"
        "RCPT TO:<nobody@elsewhere.example>\r\nDATA\r\n"
        "Subject: together\r\n\r\nhello\r\n.\r\nQUIT\r\n"
    )
    said = (await client.all_that_is_left()).splitlines()
    codes = [line[:3] for line in said if line[3:4] == " "]
    assert codes == ["250", "250", "250", "550", "354", "250", "221"]
    assert await subjects(ground) == ["together"]


@opened
async def test_content_after_a_refused_data_is_no_message(ground: Ground, client: Talker) -> None:
    await client.ask("EHLO client.test")
    await client.say(
        "MAIL FROM:<>\r\nRCPT TO:<nobody@elsewhere.example>\r\nDATA\r\nSubject: x\r\n\r\n"
        "a\r\nb\r\nc\r\nd\r\ne\r\nf\r\n.\r\n"
    )
    await client.all_that_is_left()
    assert await subjects(ground) == []


@opened
async def test_no_more_recipients_are_taken_than_a_message_may_have(client: Talker) -> None:
    replies = await client.begin(*[OFFICE] * (inbound_talk.MAX_RECIPIENTS + 1))
    assert {reply[:3] for reply in replies[:-1]} == {"250"}
    assert replies[-1].startswith("452 4.5.3")


@opened
async def test_who_guesses_addresses_is_sent_away(client: Talker) -> None:
    await client.ask("EHLO client.test")
    await client.ask("MAIL FROM:<>")
    await client.say("".join(f"RCPT TO:<b+{n:032x}@coalition.example>\r\n" for n in range(200)))
    said = await client.all_that_is_left()
    assert said.count("550 5.1.1") == 20
    assert "421 4.7.0" in said


@pytest.mark.settings(listener={**OPEN, "max_message_bytes": 100_000})
async def test_what_is_too_long_is_refused_by_its_size_or_after_its_end(
    ground: Ground, client: Talker
) -> None:
    assert "SIZE 100000" in await client.ask("EHLO client.test")
    assert (await client.ask("MAIL FROM:<> SIZE=50000000"))[:3] == "552"
    await client.begin(OFFICE)
    line = b"x" * 70 + b"\r\n"
    assert (await client.send(b"Subject: long\r\n\r\n" + line * 2000)).startswith("552 5.3.4")
    await client.begin(OFFICE)
    assert (await client.send(b"Subject: one line\r\n\r\n" + b"x" * 150_000))[:3] == "552"
    await client.begin(OFFICE)
    assert (await client.send(b"Subject: short\r\n\r\nhello"))[:3] == "250"
    assert await subjects(ground) == ["short"]


@opened
async def test_of_a_long_message_the_beginning_is_kept_and_enough(
    ground: Ground, smtp: Catcher, client: Talker
) -> None:
    mail = await given.mailed(ground, smtp)
    await client.begin(mail.mail_from, OFFICE)
    tail = b"\r\n".join([b"." + b"x" * 3000] * 1000)
    assert (await client.send(given.bounce(mail) + tail.replace(b"\r\n.", b"\r\n..")))[:3] == "250"
    assert await given.suppressed(ground) == ["hard-bounce"]
    await client.begin(OFFICE)
    assert (await client.send(b"Subject: long\r\n\r\n" + b"x" * 2_000_000))[:3] == "250"
    kept = await letters.one(ground, (await letters.listed(ground))[0].id)
    assert len(kept) == 1_000_000


@pytest.mark.storage
@opened
async def test_any_octets_are_taken_for_a_message(
    ground: Ground, smtp: Catcher, client: Talker
) -> None:
    mail = await given.mailed(ground, smtp)
    octets = [
        bytes(range(256)) * 4,
        b"\0" * 3000,
        b"",
        b"\r\n" * 50,
        given.bounce(mail).replace(b"no such user", b"no \0 such \xff user \x1b[2J"),
    ]
    for each in octets:
        await client.begin(mail.mail_from)
        assert (await client.ask("DATA"))[:3] == "354"
        await client.say(each.replace(b"\r\n.", b"\r\n..") + b"\r\n.\r\n")
        assert (await client.heard())[:3] == "250"
    assert await given.suppressed(ground) == ["hard-bounce"]


@pytest.mark.settings(listener={**OPEN, "timeout_s": 0.05})
async def test_who_says_nothing_is_not_waited_for(listener: Listener) -> None:
    async with talker.connected(listener.port) as client:
        said = await client.all_that_is_left()
    assert said.startswith("220 ")
    assert "421 4.4.2" in said


@pytest.mark.settings(listener={**OPEN, "session_s": 1.5})
async def test_who_drips_octet_by_octet_is_not_waited_for_without_end(
    ground: Ground, listener: Listener
) -> None:
    async with talker.talking(listener.port) as client:
        await client.begin(OFFICE)
        await client.ask("DATA")
        listening = asyncio.create_task(client.all_that_is_left())
        while not listening.done():
            with contextlib.suppress(ConnectionError):
                await client.say(b"x")
            await asyncio.wait({listening}, timeout=0.01)
    assert await subjects(ground) == []


@pytest.mark.settings(listener={**OPEN, "connections_per_host": 2})
async def test_one_host_can_not_take_every_place(listener: Listener) -> None:
    async with talker.talking(listener.port), talker.talking(listener.port) as second:
        async with talker.connected(listener.port) as third:
            assert (await third.all_that_is_left()).startswith("421 4.7.0")
        await second.ask("QUIT")
        await second.all_that_is_left()
        async with talker.talking(listener.port) as third:
            assert (await third.ask("NOOP"))[:3] == "250"


@pytest.mark.settings(listener={**OPEN, "connections": 1})
async def test_there_are_only_so_many_places(listener: Listener) -> None:
    async with talker.talking(listener.port):
        async with talker.connected(listener.port) as second:
            assert (await second.all_that_is_left()).startswith("421 4.7.0")


@pytest.mark.settings(listener={**OPEN, "networks": ["10.0.0.0/8", "2001:db8::/32"]})
async def test_who_is_not_of_our_networks_hears_so_and_no_more(listener: Listener) -> None:
    async with talker.connected(listener.port) as client:
        assert (await client.all_that_is_left()).startswith("554 5.7.1")


@pytest.mark.settings(listener={**OPEN, "networks": ["127.0.0.0/8"]})
async def test_who_is_of_our_networks_is_let_in(client: Talker) -> None:
    assert (await client.ask("NOOP"))[:3] == "250"


@opened
async def test_closing_down_lets_a_message_come_to_its_end_and_nobody_new_in(
    ground: Ground, smtp: Catcher, listener: Listener, client: Talker
) -> None:
    mail = await given.mailed(ground, smtp)
    await client.begin(mail.mail_from)
    await client.ask("DATA")
    async with talker.talking(listener.port) as idle:
        closing = asyncio.create_task(listener.close())
        assert (await idle.all_that_is_left()).startswith("421 4.3.2")
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", listener.port)
        await client.say(reports.status_report(to=mail.mail_from).replace(b"\n", b"\r\n"))
        await client.say("\r\n.\r\n")
        said = (await client.all_that_is_left()).splitlines()
        await closing
    assert [line[:9] for line in said] == ["250 2.0.0", "421 4.3.2"]
    assert len(await given.returned(ground)) == 1
