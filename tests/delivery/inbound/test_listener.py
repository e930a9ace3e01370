"""Our own mail server takes what is ours, stores it before it says so, and refuses all else."""

import asyncio
import dataclasses
import smtplib
import sqlite3
import ssl
from pathlib import Path

import aiosmtplib
import pytest
from sqlalchemy.engine import make_url

from delivery import intake_state, returns, worker
from delivery.inbound import letters
from delivery.inbound import listener as inbound_listener
from delivery.inbound.listener import Certificate, Listener
from delivery.returns import Ingested
from foundation import errors, receiving
from foundation.ground import Ground
from foundation.relaying import Tls
from foundation.tokens import Purpose
from tests.delivery import reports
from tests.delivery.inbound import given
from tests.world import certificates, talker
from tests.world.clock import FakeClock
from tests.world.smtp import Catcher

OPEN = {"enabled": True, "port": 0}
FEEDBACK = "fbl@reports.coalition.example"
opened = pytest.mark.settings(listener={**OPEN, "feedback_addresses": [FEEDBACK]})
HOME = "coalition.example"


@pytest.mark.storage
@opened
async def test_a_bounce_that_another_server_brings_is_stored_and_then_answered(
    ground: Ground, smtp: Catcher, listener: Listener
) -> None:
    mail = await given.mailed(ground, smtp)
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=listener.port) as client:
        refused, said = await client.sendmail("", [mail.mail_from], given.bounce(mail))
    assert (refused, said) == ({}, "2.0.0 Taken")
    (kept,) = await given.returned(ground)
    assert (kept.kind, kept.via) == ("hard", "listener")
    assert await given.suppressed(ground) == ["hard-bounce"]


@opened
async def test_nothing_is_ever_sent_because_of_what_came(
    ground: Ground, smtp: Catcher, listener: Listener
) -> None:
    mail = await given.mailed(ground, smtp)
    smtp.clear()
    away = reports.letter(to=mail.mail_from, subject="Away", Auto_Submitted="auto-replied")
    for to, octets in (
        (mail.mail_from, given.bounce(mail)),
        (mail.mail_from, away),
        (given.unsubscribe_address(mail), given.asked(mail)),
        (given.unsubscribe_address(mail), given.asked(mail, subject="no token%.0s")),
        (f"postmaster@{HOME}", reports.letter(to="postmaster", subject="Hello")),
    ):
        async with talker.talking(listener.port) as client:
            await client.begin(to, sender="someone@elsewhere.example")
            await client.send(octets)
    await worker.run_until_idle(ground)
    assert smtp.messages == []


@opened
async def test_only_our_own_addresses_are_taken(ground: Ground, listener: Listener) -> None:
    seal = ground.tokens.seal_for_address
    token = seal(Purpose.RETURN_PATH, 7, 0)
    ours = [
        f"b+{token}@{HOME}",
        f"B+{token.upper()}@COALITION.example",
        f"unsubscribe@{HOME}",
        f"Postmaster@{HOME}",
        "postmaster",
        f"abuse@{HOME}",
        FEEDBACK,
        f"@relay.example:b+{token}@{HOME}",
    ]
    forged = token[:-1] + ("0" if token[-1] != "0" else "1")
    others = [
        f"b+{forged}@{HOME}",
        f"b+{token}@elsewhere.example",
        f"b+{token}x@{HOME}",
        f"b+{seal(Purpose.UNSUBSCRIBE, 1, 0)}@{HOME}",
        f"b+@{HOME}",
        f"office@{HOME}",
        f"postmaster@{HOME}.elsewhere.example",
        f"b+{token}%elsewhere.example@{HOME}",
        f'"b+{token}"@{HOME}',
        "ana@example.org",
        "fbl@elsewhere.example",
        "",
    ]
    for address, code in [*((each, "250") for each in ours), *((each, "550") for each in others)]:
        async with talker.talking(listener.port) as client:
            (reply,) = await client.begin(address)
            assert reply[:3] == code, address


@pytest.mark.storage
@opened
async def test_mail_for_people_is_kept_once_for_them_to_read_and_goes_in_time(
    ground: Ground, listener: Listener, clock: FakeClock
) -> None:
    octets = reports.letter(to=f"postmaster@{HOME}", subject="Your server\x00 is \x1b[31mslow")
    octets = octets.replace(b"I am away", b"\x00 \xff I am away")
    for _ in range(2):
        async with talker.talking(listener.port) as client:
            await client.begin(f"postmaster@{HOME}", sender="neighbour@example.net")
            assert await client.send(octets) == "250 2.0.0 Taken"
    (line,) = await letters.listed(ground)
    assert (line.from_address, line.to_address) == ("neighbour@example.net", f"postmaster@{HOME}")
    assert line.subject.isprintable()
    assert "slow" in line.subject
    kept = await letters.one(ground, line.id)
    assert kept == octets.replace(b"\n", b"\r\n") + b"\r\n"
    clock.advance(days=ground.settings.retention.bounce_evidence_days)
    await letters.tidy(ground)
    assert len(await letters.listed(ground)) == 1
    clock.advance(seconds=1)
    await letters.tidy(ground)
    assert await letters.listed(ground) == []
    with pytest.raises(errors.NotFound):
        await letters.one(ground, line.id)


@opened
async def test_of_a_flood_of_letters_the_newest_are_kept(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(letters, "MOST", 3)
    for number in range(5):
        await letters.keep(
            ground, f"{number}".encode(), from_address="", to_address="abuse", subject=f"{number}"
        )
    assert [each.subject for each in await letters.listed(ground)] == ["4", "3", "2"]


@opened
async def test_a_complaint_to_abuse_or_a_feedback_address_is_acted_on_and_no_letter(
    ground: Ground, smtp: Catcher, listener: Listener
) -> None:
    mail = await given.mailed(ground, smtp)
    report = reports.complaint(returned=f"Return-Path: <{mail.mail_from}>\r\n".encode() + mail.data)
    for to in (f"abuse@{HOME}", FEEDBACK):
        async with talker.talking(listener.port) as client:
            await client.begin(to)
            assert (await client.send(report))[:3] == "250"
    assert await given.suppressed(ground) == ["complaint"]
    assert await letters.listed(ground) == []


@opened
async def test_who_asks_to_leave_without_a_token_is_told_that_it_did_not_work(
    ground: Ground, smtp: Catcher, listener: Listener
) -> None:
    mail = await given.mailed(ground, smtp)
    async with talker.talking(listener.port) as client:
        await client.begin(given.unsubscribe_address(mail), sender=given.ANA)
        reply = await client.send(given.asked(mail, subject="please take me off your list%.0s"))
    assert reply.startswith("550 5.6.0")
    assert await given.subscriptions(ground) == ["confirmed"]


@pytest.mark.settings(listener=OPEN, database={"busy_timeout_s": 0.05})
async def test_while_the_database_is_busy_the_sender_keeps_the_message(
    ground: Ground, smtp: Catcher, listener: Listener
) -> None:
    mail = await given.mailed(ground, smtp)
    file = str(make_url(ground.settings.database.url).database)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    async with talker.talking(listener.port) as client:
        await client.begin(mail.mail_from)
        assert (await client.send(given.bounce(mail)))[:3] == "451"
        assert await given.returned(ground) == []
        other.execute("ROLLBACK")
        other.close()
        await client.begin(mail.mail_from)
        assert (await client.send(given.bounce(mail)))[:3] == "250"
    assert len(await given.returned(ground)) == 1


@opened
async def test_a_message_that_breaks_us_stays_with_its_sender(
    ground: Ground, smtp: Catcher, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_args: object, **_values: object) -> Ingested:
        raise ZeroDivisionError

    mail = await given.mailed(ground, smtp)
    with monkeypatch.context() as patch:
        patch.setattr(returns, "ingest", broken)
        async with talker.talking(listener.port) as client:
            await client.begin(mail.mail_from)
            assert (await client.send(given.bounce(mail)))[:3] == "451"
            await client.begin(mail.mail_from)
            patch.undo()
            assert (await client.send(given.bounce(mail)))[:3] == "250"


@pytest.mark.settings(listener={**OPEN, "protocol": "lmtp"})
async def test_in_lmtp_each_recipient_has_an_answer_of_its_own(
    ground: Ground, smtp: Catcher, listener: Listener
) -> None:
    mail = await given.mailed(ground, smtp)
    async with talker.talking(listener.port) as client:
        assert (await client.ask("EHLO client.test"))[:3] == "500"
        assert (await client.ask("HELO client.test"))[:3] == "500"
        to = (mail.mail_from, given.unsubscribe_address(mail), f"postmaster@{HOME}")
        replies = await client.begin(*to, "nobody@elsewhere.example", hello="LHLO")
        assert [reply[:3] for reply in replies] == ["250", "250", "250", "550"]
        after = [await client.send(given.bounce(mail)), await client.heard(), await client.heard()]
        assert [reply[:3] for reply in after] == ["250", "250", "250"]
        await client.begin(*to[:2], hello="LHLO")
        after = [await client.send(given.asked(mail, subject="leave%.0s")), await client.heard()]
        assert [reply[:3] for reply in after] == ["250", "550"]
        assert (await client.ask("QUIT"))[:3] == "221"


@opened
async def test_a_message_to_several_of_ours_is_taken_for_each(
    ground: Ground, smtp: Catcher, listener: Listener
) -> None:
    mail = await given.mailed(ground, smtp)
    second = await given.mailed(ground, smtp, campaign_id=2)
    async with talker.talking(listener.port) as client:
        await client.begin(mail.mail_from, second.mail_from)
        octets = reports.status_report(to="undisclosed", recipient=given.ANA)
        assert (await client.send(octets))[:3] == "250"
    assert len(await given.returned(ground)) == 2


@opened
async def test_the_state_says_when_the_last_message_came(
    ground: Ground, smtp: Catcher, listener: Listener, clock: FakeClock
) -> None:
    mail = await given.mailed(ground, smtp)
    stop = asyncio.Event()
    running = asyncio.create_task(listener.run(stop))
    async with talker.talking(listener.port) as client:
        await client.begin(mail.mail_from)
        clock.advance(hours=1)
        await client.send(given.bounce(mail))
    stop.set()
    await running
    async with ground.db.reading() as session:
        (state,) = await intake_state.read(ground, session)
    assert (state.is_well, state.last_message_at) == (True, clock.now())


@pytest.mark.parametrize("tls", ["tls", "starttls"])
@opened
async def test_a_message_comes_in_under_tls(
    ground: Ground, smtp: Catcher, tmp_path: Path, tls: str
) -> None:
    certificates.certified(tmp_path, certificates.Certificate())
    trusting = ssl.create_default_context(cafile=tmp_path / "authority.pem")
    mail = await given.mailed(ground, smtp)
    changed = receiving.Listener.model_validate(
        {**OPEN, "tls": tls, "certificate_file": str(tmp_path / "server.pem")}
    )
    settings = ground.settings.model_copy(update={"listener": changed})
    async with inbound_listener.listening(dataclasses.replace(ground, settings=settings)) as found:

        def send() -> tuple[str | None, dict[str, tuple[int, bytes]]]:
            with (
                smtplib.SMTP_SSL("localhost", found.port, context=trusting)
                if tls == "tls"
                else smtplib.SMTP("localhost", found.port)
            ) as client:
                client.ehlo()
                assert client.has_extn("starttls") is (tls == "starttls")
                if tls == "starttls":
                    client.starttls(context=trusting)
                    client.ehlo()
                    assert not client.has_extn("starttls")
                assert not client.has_extn("auth")
                refused = client.sendmail("", [mail.mail_from], given.bounce(mail))
                assert isinstance(client.sock, ssl.SSLSocket)
                return client.sock.version(), refused

        version, refused = await asyncio.to_thread(send)
    assert version in ("TLSv1.2", "TLSv1.3")
    assert refused == {}
    assert len(await given.returned(ground)) == 1


def test_a_certificate_that_was_exchanged_is_shown_from_then_on(tmp_path: Path) -> None:
    def settings() -> receiving.Listener:
        certificates.certified(tmp_path, certificates.Certificate())
        return receiving.Listener(tls=Tls.TLS, certificate_file=str(tmp_path / "server.pem"))

    found = Certificate(settings())
    (tmp_path / "server.pem").write_text("half of a file that is being writ")
    with pytest.raises(errors.ConfigProblem, match=r"server\.pem"):
        found.refresh()
    assert _shown(found.context, tmp_path / "authority.pem"), "the old one is still good"
    settings()
    found.refresh()
    assert _shown(found.context, tmp_path / "authority.pem")


def _shown(server: ssl.SSLContext, authority: Path) -> bool:
    """Whether a client that trusts this authority accepts what a server shows, in memory."""
    ends = [ssl.MemoryBIO() for _ in range(2)]
    client = ssl.create_default_context(cafile=authority)
    talks = (
        server.wrap_bio(ends[0], ends[1], server_side=True),
        client.wrap_bio(ends[1], ends[0], server_hostname="localhost"),
    )
    for _ in range(4):
        for talk in talks:
            try:
                talk.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return talks[1].version() is not None


@opened
async def test_a_port_that_is_taken_is_named(ground: Ground, listener: Listener) -> None:
    taken = ground.settings.listener.model_copy(update={"port": listener.port})
    settings = ground.settings.model_copy(update={"listener": taken})
    with pytest.raises(errors.Refused, match=rf"127\.0\.0\.1:{listener.port}.*\[listener\]"):
        await Listener(dataclasses.replace(ground, settings=settings)).open()
