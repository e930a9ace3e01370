"""Bulletins go out as they are where a relay takes 8bit, else quoted-printable; nobody fails."""

import email
import email.policy
from collections.abc import Awaitable, Callable
from email.message import EmailMessage

import pytest

from foundation.ground import Ground
from foundation.notices import Notice
from templates.plan import Plan
from tests.world import mailing, people, sink
from tests.world.sink import Connection, Sink

Deliver = Callable[[], Awaitable[None]]
WORDS = "Mañana, reunión en Worcester: ¿viene usted?"
WITHOUT_8BIT = ("PIPELINING", "SIZE 50000000", "SMTPUTF8")
one_by_one = pytest.mark.settings(relay={"connections": 1, "messages_per_connection": 1})


def plan(ground: Ground, html: str = f"<p>{WORDS}</p>") -> Plan:
    return mailing.plan(ground, language="es", subject="Hola", html=html)


async def start(ground: Ground, server: Sink, *names: str, html: str = f"<p>{WORDS}</p>") -> None:
    """A dispatch in Spanish to people of these names."""
    server.contents = []
    for number, name in enumerate(names):
        await people.subscribed(
            ground, f"p{number}@example.org", first_name=name, town=name, language="es"
        )
    topic = await people.topic(ground)
    await mailing.start(
        ground, topics=[topic.id], plans={"es": plan(ground, html), "en": plan(ground)}
    )


def mail_commands(server: Sink) -> list[str]:
    return [line.partition(">")[2] for line in server.commands if line.startswith("MAIL")]


def read(content: bytes) -> EmailMessage:
    """A message as a mail program reads it; fit for SMTP as it was on the wire."""
    lines = content.split(b"\r\n")
    assert max(map(len, lines)) <= 998
    assert not any(line.startswith(b".") for line in lines)
    assert content.count(b"\n") == content.count(b"\r") == content.count(b"\r\n")
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    assert all(not part.defects for part in message.walk())
    return message


def encodings(message: EmailMessage) -> list[str]:
    """Of the message, its text and its HTML."""
    return [str(part.get("Content-Transfer-Encoding", "")) for part in message.walk()]


def assert_readable(message: EmailMessage) -> None:
    for kind in ("plain", "html"):
        part = message.get_body((kind,))
        assert part is not None
        assert WORDS in part.get_content()


@pytest.mark.storage
async def test_what_a_relay_takes_as_it_is_goes_out_as_it_is(
    ground: Ground, server: Sink, deliver: Deliver
) -> None:
    await start(ground, server, "Ana", "Ñandú")
    await deliver()
    assert server.contents is not None
    for content in server.contents:
        assert WORDS.encode() in content
        message = read(content)
        assert encodings(message) == ["8bit", "8bit", "8bit"]
        assert_readable(message)
    assert len(mail_commands(server)) == 2
    assert all(options.endswith(" BODY=8BITMIME") for options in mail_commands(server))


@pytest.mark.parametrize(
    "extensions", [WITHOUT_8BIT, ("SIZE 50000000",), ()], ids=["pipelining", "size", "nothing"]
)
async def test_a_relay_without_8bitmime_gets_quoted_printable_and_nobody_fails(
    ground: Ground, server: Sink, deliver: Deliver, extensions: tuple[str, ...]
) -> None:
    server.extensions = extensions
    await start(ground, server, "Ana", "Ñandú")
    await deliver()
    assert_all_in_quoted_printable(server)
    assert (await mailing.counts(ground)).sent == 2


@pytest.mark.settings(relay={"transfer_encoding": "quoted-printable"})
async def test_quoted_printable_can_be_asked_for(
    ground: Ground, server: Sink, deliver: Deliver
) -> None:
    await start(ground, server, "Ana", "Ñandú")
    await deliver()
    assert_all_in_quoted_printable(server)


def assert_all_in_quoted_printable(server: Sink) -> None:
    assert server.contents is not None
    assert len(server.contents) == 2
    for content in server.contents:
        assert content.isascii()
        message = read(content)
        assert encodings(message) == ["", "quoted-printable", "quoted-printable"]
        assert_readable(message)
    assert not any("BODY" in options for options in mail_commands(server))


async def test_only_the_mail_whose_values_do_not_fit_is_encoded(
    ground: Ground, server: Sink, deliver: Deliver
) -> None:
    html = f"<p>{WORDS}</p><p>{{{{ subscriber.first_name }}}}</p>"
    names = ("Ana", ".perfil", "Ñ" * 600, "Bo")
    await start(ground, server, *names, html=html)
    await deliver()
    assert server.contents is not None
    messages = [read(content) for content in server.contents]
    for name, message in zip(names, messages, strict=True):
        assert_readable(message)
        text = message.get_body(("plain",))
        assert text is not None
        assert name in text.get_content().replace("\n", "")
    assert [encodings(message)[0] for message in messages] == ["8bit", "", "", "8bit"]
    bodies = [options.partition("BODY=")[2] for options in mail_commands(server)]
    assert bodies == ["8BITMIME", "", "", "8BITMIME"]


async def test_a_value_beyond_ascii_among_ascii_words_is_not_called_7bit(
    ground: Ground, server: Sink, deliver: Deliver
) -> None:
    server.contents = []
    for name in ("Ana", "Ñandú"):
        await people.subscribed(ground, f"{len(name)}@example.org", first_name=name)
    topic = await people.topic(ground)
    english = mailing.plan(ground, html="<p>Hello, {{ subscriber.first_name }}</p>")
    await mailing.start(ground, topics=[topic.id], plans={"en": english})
    await deliver()
    assert [encodings(read(content))[1] for content in server.contents] == [
        "7bit",
        "quoted-printable",
    ]


@one_by_one
async def test_mail_made_for_one_relay_is_made_anew_for_another_that_takes_less(
    ground: Ground, server: Sink, deliver: Deliver
) -> None:
    def take_and_change(connection: Connection) -> None:
        """Take a message; whoever connects from now on is offered 8BITMIME no longer, or again."""
        sink.usually("dot")(connection)
        offered = server.extensions
        server.extensions = WITHOUT_8BIT if "8BITMIME" in offered else (*WITHOUT_8BIT, "8BITMIME")

    server.acts["dot"] = take_and_change
    await start(ground, server, *(f"Ñ{number}" for number in range(4)))
    await deliver()
    assert server.contents is not None
    messages = [read(content) for content in server.contents]
    assert [encodings(message)[0] for message in messages] == ["8bit", "", "8bit", ""]
    bodies = [options.partition("BODY=")[2] for options in mail_commands(server)]
    assert bodies == ["8BITMIME", "", "8BITMIME", ""]
    assert (await mailing.counts(ground)).sent == 4


async def test_an_address_beyond_ascii_asks_for_smtputf8_and_8bitmime_together(
    ground: Ground, server: Sink, deliver: Deliver
) -> None:
    await people.subscribed(ground, "иван@example.org", language="es")
    await start(ground, server, "Ana")
    await deliver()
    assert sorted(options.partition("BODY=")[2] for options in mail_commands(server)) == [
        "8BITMIME",
        "8BITMIME SMTPUTF8",
    ]


async def test_a_notice_to_an_address_beyond_ascii_asks_for_smtputf8(
    ground: Ground, server: Sink, deliver: Deliver
) -> None:
    notice = Notice(
        kind="confirm",
        to="иван@example.org",
        language="en",
        context={"confirm_url": "http://handbill.test/confirm/1", "topics": "Action alerts"},
    )
    async with ground.db.transaction() as session:
        await ground.notices.queue(session, notice)
    await deliver()
    (options,) = mail_commands(server)
    assert options.endswith(" SMTPUTF8")
