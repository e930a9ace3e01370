"""What a mail server gets: every header, every octet."""

import email.header
import email.utils
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from delivery import message
from foundation import errors
from foundation.config import Settings
from foundation.ground import Ground
from foundation.tokens import Purpose
from tests.world import grounds, mailing, people, sink
from tests.world.clock import FakeClock
from tests.world.sink import Sink
from tests.world.smtp import Catcher, Received

Deliver = Callable[[], Awaitable[None]]
ANA = "ana@example.org"
URL = re.compile(r"https?://[^\s<>\"')]+")


async def one(ground: Ground, smtp: Catcher, deliver: Deliver, **started: object) -> Received:
    """One bulletin to whoever is subscribed alone, as the server got it."""
    topic = await people.topic(ground)
    await mailing.start(ground, topics=[topic.id], **started)  # type: ignore[arg-type]
    await deliver()
    (received,) = smtp.messages
    return received


def raw_headers(received: Received) -> dict[str, list[str]]:
    """Header lines as they were written, folds and all, by lower-case name."""
    head = received.data.partition(b"\r\n\r\n")[0].decode()
    found: dict[str, list[str]] = {}
    for line in re.split(r"\r\n(?![ \t])", head):
        name, _, value = line.partition(":")
        found.setdefault(name.lower(), []).append(value.removeprefix(" "))
    return found


def unfolded(value: str) -> str:
    return value.replace("\r\n", "")


async def test_a_bulletin_carries_every_header_that_was_promised_once(
    ground: Ground, smtp: Catcher, deliver: Deliver, clock: FakeClock
) -> None:
    await people.subscribed(ground, ANA, first_name="Ana")
    received = await one(ground, smtp, deliver)
    headers = raw_headers(received)
    assert {name: len(values) for name, values in headers.items()} == dict.fromkeys(
        [
            "from",
            "to",
            "subject",
            "date",
            "message-id",
            "mime-version",
            "list-id",
            "list-unsubscribe",
            "list-unsubscribe-post",
            "list-help",
            "list-archive",
            "feedback-id",
            "x-handbill-campaign",
            "content-type",
        ],
        1,
    )
    only = {name: unfolded(values[0]) for name, values in headers.items()}
    assert only["from"] == "Bay State Coalition <bulletin@coalition.example>"
    assert only["to"] == ANA
    assert only["subject"] == "Hello Ana"
    assert email.utils.parsedate_to_datetime(only["date"]) == clock.now()
    assert re.fullmatch(r"<[0-9a-f]+@coalition\.example>", only["message-id"])
    assert only["mime-version"] == "1.0"
    assert only["list-id"] == "Bay State Coalition <bulletin.coalition.example>"
    assert only["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    assert only["list-help"] == "<mailto:office@coalition.example>"
    assert only["list-archive"] == "<http://handbill.test/archive>"
    assert only["feedback-id"] == "1:bulletin:coalition.example"
    assert only["x-handbill-campaign"] == "1"


async def test_list_unsubscribe_names_a_page_and_a_mailbox_in_clear_with_one_token(
    ground: Ground, smtp: Catcher, deliver: Deliver
) -> None:
    ana = await people.subscribed(ground, ANA)
    received = await one(ground, smtp, deliver)
    (value,) = raw_headers(received)["list-unsubscribe"]
    found = re.fullmatch(
        r"<http://handbill\.test/unsubscribe/([\w-]+)>,"
        r"\r\n <mailto:unsubscribe@coalition\.example\?subject=([\w-]+)>",
        value,
    )
    assert found is not None
    assert found[1] == found[2]
    assert ground.tokens.open(Purpose.UNSUBSCRIBE, found[1])[0] == ana.id
    assert f"/unsubscribe/{found[1]}" in received.text
    assert f"/unsubscribe/{found[1]}" in received.html


async def test_long_site_addresses_do_not_turn_unsubscribing_into_an_encoded_word(
    settings: Settings, smtp: Catcher, clock: FakeClock
) -> None:
    site = settings.site.model_copy(update={"url": f"https://{'a-long-name.' * 15}example"})
    async with grounds.standing(settings.model_copy(update={"site": site}), clock) as ground:
        await people.subscribed(ground, ANA)
        received = await one(ground, smtp, lambda: run(ground))
    (value,) = raw_headers(received)["list-unsubscribe"]
    assert value.startswith(f"<{site.url}/unsubscribe/")
    assert "=?" not in value


async def run(ground: Ground) -> None:
    from delivery import worker

    await worker.run_until_idle(ground)


async def test_text_stands_first_and_html_second(
    ground: Ground, smtp: Catcher, deliver: Deliver
) -> None:
    await people.subscribed(ground, ANA, first_name="Ana")
    parsed = (await one(ground, smtp, deliver)).parsed
    assert parsed.get_content_type() == "multipart/alternative"
    kinds = [part.get_content_type() for part in parsed.iter_parts()]
    assert kinds == ["text/plain", "text/html"]
    assert all(part.get_content_charset() == "utf-8" for part in parsed.iter_parts())


async def test_text_and_html_lead_to_the_same_places(
    ground: Ground, smtp: Catcher, deliver: Deliver
) -> None:
    await people.subscribed(ground, ANA)
    received = await one(ground, smtp, deliver)
    in_html = set(re.findall(r'href="(https?://[^"]+)"', received.html))
    in_text = set(URL.findall(received.text))
    assert in_html == in_text
    assert {url.split("/")[3] for url in in_text} >= {"r", "unsubscribe", "preferences", "view"}


async def test_lines_end_in_crlf_and_stay_short_whatever_stands_in_them(
    ground: Ground, smtp: Catcher, deliver: Deliver
) -> None:
    await people.subscribed(ground, ANA, first_name="Ñ" * 300, last_name="x" * 3000)
    html = (
        "<p>{{ subscriber.first_name }} {{ subscriber.last_name }} €\n\n\r\n" + "€" * 2000 + "</p>"
    )
    subject = "¡Últimas noticias! " * 20 + "{{ subscriber.last_name }}"
    received = await one(
        ground,
        smtp,
        deliver,
        plans={"en": mailing.plan(ground, html=html, subject=subject)},
        from_name="Coalición por las Comunidades Seguras de la Bahía de Massachusetts",
    )
    assert b"\n" not in received.data.replace(b"\r\n", b"")
    assert b"\r" not in received.data.replace(b"\r\n", b"")
    assert received.data.endswith(b"\r\n")
    assert received.data.isascii()
    head, _, body = received.data.partition(b"\r\n\r\n")
    assert max(map(len, body.split(b"\r\n"))) <= 76
    assert max(map(len, head.split(b"\r\n"))) <= 998
    encoded = [line for line in head.split(b"\r\n") if b"=?" in line]
    assert len(encoded) > 5
    assert max(map(len, encoded)) <= 76, "RFC 2047 §2 allows no longer line with an encoded-word"
    assert all(line.strip() for line in head.split(b"\r\n")), "a fold of blanks alone is obsolete"


async def test_lines_that_begin_with_a_dot_arrive_as_they_were_written(
    ground: Ground, smtp: Catcher, deliver: Deliver
) -> None:
    await people.subscribed(ground, ANA, first_name=".", last_name="..end")
    html = (
        "<p>.profile</p><p>.</p><p>{{ subscriber.first_name }}</p>"
        "<p>..two {{ subscriber.last_name }}</p>"
    )
    plans = {"en": mailing.plan(ground, html=html, subject=".dots")}
    received = await one(ground, smtp, deliver, plans=plans)
    lines = received.text.splitlines()
    assert lines.count(".") == 2
    assert ".profile" in lines
    assert "..two ..end" in lines
    assert received.parsed["Subject"] == ".dots"


async def test_no_line_on_the_wire_begins_with_a_dot_but_the_last(
    settings: Settings, clock: FakeClock
) -> None:
    async with sink.running() as server:
        server.contents = []
        relay = settings.relay[0].model_copy(update={"port": server.port})
        async with grounds.standing(
            settings.model_copy(update={"relay": [relay]}), clock
        ) as ground:
            await people.subscribed(ground, ANA, first_name="." * 500)
            topic = await people.topic(ground)
            html = "<p>" + ". " * 400 + "</p><p>.{{ subscriber.first_name }}</p>"
            plans = {"en": mailing.plan(ground, html=html)}
            await mailing.start(ground, topics=[topic.id], plans=plans)
            await run(ground)
    (content_on_the_wire,) = server.contents
    assert not any(line.startswith(b".") for line in content_on_the_wire.split(b"\r\n"))


@pytest.mark.parametrize(
    "name",
    [
        "Bay State Coalition",
        "Coalición «Ñandú» 安全社区 🕊️",
        'Quotes " and \\ and, commas <x@y.example> (remark)',
        "=?utf-8?q?not_an_encoded_word?=",
        "x" * 700,
        "palabra " * 90 + "fin",
        "é" * 300,
        "A.B. & Sons; Ltd:",
    ],
)
async def test_a_sender_name_arrives_as_it_was_written(
    ground: Ground, smtp: Catcher, deliver: Deliver, name: str
) -> None:
    await people.subscribed(ground, ANA)
    received = await one(ground, smtp, deliver, from_name=name)
    (raw,) = raw_headers(received)["from"]
    assert all(len(line) <= 76 for line in f"From: {raw}".split("\r\n") if "=?" in line)
    assert all(len(line) <= 998 for line in raw.split("\r\n"))
    shown, address = email.utils.parseaddr(unfolded(raw))
    assert address == "bulletin@coalition.example"
    # Not by the newer parser: it keeps the blank between two encoded-words (RFC 2047 §6.2).
    assert str(email.header.make_header(email.header.decode_header(shown))) == name


@pytest.mark.parametrize(
    "subject",
    [
        "Plain",
        "¿Qué pasó en Lexington? — Ñ €uro 🕊️ 安全",
        "word " * 60 + "end",
        "x" * 2500,
        "two  blanks   and    more",
        "=?utf-8?b?aGVsbG8=?=",
        'a: b; c, d <e> (f) "g" \\h',
        ("é" * 44 + "\U0001f54a") * 8,
        "a" + " " * 300 + "b",
    ],
)
async def test_a_subject_arrives_as_it_was_written(
    ground: Ground, smtp: Catcher, deliver: Deliver, subject: str
) -> None:
    await people.subscribed(ground, ANA)
    plans = {"en": mailing.plan(ground, subject=subject)}
    received = await one(ground, smtp, deliver, plans=plans)
    assert received.parsed["Subject"] == subject
    (raw,) = raw_headers(received)["subject"]
    lines = f"Subject: {raw}".split("\r\n")
    assert all(line.strip() for line in lines)
    assert all(len(line) <= 76 for line in lines)


async def test_an_address_in_another_script_goes_out_with_its_domain_in_a_labels(
    ground: Ground, smtp: Catcher, deliver: Deliver
) -> None:
    await people.subscribed(ground, "Ana@Bücher.example")
    received = await one(ground, smtp, deliver)
    assert received.rcpt_to == "Ana@xn--bcher-kva.example"
    assert received.parsed["To"] == "Ana@xn--bcher-kva.example"
    assert received.data.isascii()


async def test_a_local_part_in_another_script_goes_out_as_utf8_where_the_relay_takes_it(
    ground: Ground, smtp: Catcher, deliver: Deliver
) -> None:
    await people.subscribed(ground, "иван@example.org")
    received = await one(ground, smtp, deliver)
    assert received.rcpt_to == "иван@example.org"
    assert "To: иван@example.org\r\n".encode() in received.data


async def test_senders_at_a_domain_in_another_script_stand_in_a_labels(
    settings: Settings, smtp: Catcher, clock: FakeClock
) -> None:
    mail = settings.mail.model_copy(update={"from_address": "bulletin@coalición.example"})
    site = settings.site.model_copy(update={"contact_email": "oficina@coalición.example"})
    async with grounds.standing(
        settings.model_copy(update={"mail": mail, "site": site}), clock
    ) as ground:
        await people.subscribed(ground, ANA)
        received = await one(ground, smtp, lambda: run(ground), from_address="us@coalición.example")
    assert received.data.isascii()
    assert received.mail_from.endswith("@xn--coalicin-13a.example")
    assert received.parsed["From"].addresses[0].addr_spec == "us@xn--coalicin-13a.example"


@pytest.mark.parametrize("field", ["first_name", "last_name", "town", "postal_code"])
async def test_what_people_type_can_add_no_header(
    ground: Ground, smtp: Catcher, deliver: Deliver, field: str
) -> None:
    for number, line_end in enumerate(("\r\n", "\n", "\r", "\u2028", "\x85", "\x0b", "\x00")):
        evil = (
            f"x{line_end}Bcc: all@example.org{line_end}{line_end}<b>body</b>{line_end}.{line_end}"
        )
        details: dict[str, Any] = {field: evil}
        await people.subscribed(ground, f"p{number}@example.org", **details)
    topic = await people.topic(ground)
    plans = {
        "en": mailing.plan(
            ground,
            subject=f"News for {{{{ subscriber.{field} }}}}",
            html=f"<p>{{{{ subscriber.{field} }}}}</p>",
        )
    }
    await mailing.start(ground, topics=[topic.id], plans=plans)
    await deliver()
    assert len(smtp.messages) == 7
    for received in smtp.messages:
        headers = raw_headers(received)
        assert "bcc" not in headers
        assert len(headers) == 14
        assert "\n" not in received.parsed["Subject"]
        assert "Bcc: all@example.org" in received.parsed["Subject"]
        assert len(list(received.parsed.iter_parts())) == 2


@pytest.mark.parametrize("evil", ["Us\r\nBcc: x@example.org", "Us\nX: y", "Us\rX", "Us\x00"])
async def test_a_sender_name_with_a_line_break_is_refused_and_nothing_goes_out(
    ground: Ground, smtp: Catcher, deliver: Deliver, evil: str
) -> None:
    with pytest.raises(errors.Invalid):
        message.mailbox(evil, "bulletin@coalition.example")
    await people.subscribed(ground, ANA)
    topic = await people.topic(ground)
    with pytest.raises(errors.Invalid):
        await mailing.start(ground, topics=[topic.id], from_name=evil)
    await deliver()
    assert not smtp.messages


@pytest.mark.parametrize(
    "evil", ["a@example.org\r\nBcc: b@example.org", "a@example.org, b@example.org", "<a@b.example>"]
)
def test_an_address_that_would_break_its_header_is_refused(evil: str) -> None:
    with pytest.raises(errors.Invalid):
        message.address(evil)


@pytest.mark.settings(
    relay={"connections": 1}, delivery={"uncertain": "resend", "relay_rest_s": 0.05}
)
async def test_the_message_id_is_the_same_for_the_same_campaign_and_person(
    ground: Ground, server: Sink, clock: FakeClock
) -> None:
    await people.subscribed(ground, ANA)
    topic = await people.topic(ground)
    await mailing.start(ground, topics=[topic.id])
    server.contents = []
    server.acts["dot"] = sink.hanging_up
    await run(ground)
    server.acts.clear()
    clock.advance(minutes=5)
    await run(ground)
    await people.subscribed(ground, "bo@example.org")
    await mailing.start(ground, topics=[topic.id], campaign_id=2)
    await run(ground)
    mails = [email.message_from_bytes(octets) for octets in server.contents]
    found = [(mail["X-Handbill-Campaign"], mail["To"], mail["Message-ID"]) for mail in mails]
    assert [who for _, who, _ in found] == [ANA, ANA, ANA, "bo@example.org"]
    assert found[0] == found[1]
    assert len({number for *_, number in found}) == 3


async def test_answers_go_where_staff_said(ground: Ground, smtp: Catcher, deliver: Deliver) -> None:
    await people.subscribed(ground, ANA)
    received = await one(ground, smtp, deliver, reply_to="office@coalition.example")
    assert received.parsed["Reply-To"] == "office@coalition.example"


async def test_the_envelope_sender_names_the_recipient_by_a_token_that_verifies(
    ground: Ground, smtp: Catcher, deliver: Deliver
) -> None:
    await people.subscribed(ground, ANA)
    await people.subscribed(ground, "bo@example.org")
    topic = await people.topic(ground)
    await mailing.start(ground, topics=[topic.id])
    await deliver()
    named = {}
    for received in smtp.messages:
        found = re.fullmatch(r"b\+([0-9a-f]+)@coalition\.example", received.mail_from)
        assert found is not None
        assert len(received.mail_from.partition("@")[0]) <= 64
        named[received.rcpt_to] = ground.tokens.open_from_address(Purpose.RETURN_PATH, found[1])
        with pytest.raises(errors.BadToken):
            ground.tokens.open_from_address(Purpose.UNSUBSCRIBE, found[1])
    assert named == {ANA: (1, 0), "bo@example.org": (2, 0)}


async def test_an_address_stands_in_clear_in_to_and_in_no_token(
    ground: Ground, smtp: Catcher, deliver: Deliver
) -> None:
    await people.subscribed(ground, "very.rare.name@example.org")
    received = await one(ground, smtp, deliver)
    assert "very.rare" not in received.mail_from
    rest = received.data.replace(b"To: very.rare.name@example.org\r\n", b"", 1)
    assert b"very.rare" not in rest
    assert b"very.rare" not in received.text.encode() + received.html.encode()


async def test_two_recipients_get_the_same_octets_but_for_their_slots(
    ground: Ground, smtp: Catcher, deliver: Deliver
) -> None:
    await people.subscribed(ground, ANA, first_name="Ana")
    await people.subscribed(ground, "bob@example.org", first_name="Bob")
    topic = await people.topic(ground)
    await mailing.start(ground, topics=[topic.id])
    await deliver()
    one, two = sorted(smtp.messages, key=lambda received: received.rcpt_to)
    differing = {
        name for name, values in raw_headers(one).items() if values != raw_headers(two)[name]
    }
    assert differing == {"to", "subject", "message-id", "list-unsubscribe"}
    for part in ("text", "html"):
        first, second = getattr(one, part), getattr(two, part)
        assert first != second
        assert neutral(first) == neutral(second)


def neutral(text: str) -> str:
    """A part without what is one person's."""
    return re.sub(r"/(r|o|view|unsubscribe|preferences)/[\w-]+", r"/\1/…", text).replace(
        "Bob", "Ana"
    )
