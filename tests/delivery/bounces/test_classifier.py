"""What a message that came back says, whoever wrote it."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from delivery.bounces import classifier
from delivery.models import BounceKind
from tests.delivery import reports

TOKEN = "ahcqcacchzss5wn6tlo5gfib7y"
RETURN_PATH = f"b+{TOKEN}@coalition.example"


@pytest.mark.parametrize(
    ("status", "action", "diagnostic", "kind"),
    [
        ("5.1.1", "failed", "smtp; 550 5.1.1 no such user", "hard"),
        ("5.0.0", "failed", "smtp; 550 5.1.1 no such user", "hard"),
        ("5.1.10", "failed", "smtp; 556 5.1.10 null MX", "hard"),
        ("5.2.1", "failed", "smtp; 550 5.2.1 mailbox disabled", "hard"),
        ("5.1.1", "failed", "smtp; 550 5.1.1 not at this corporate site", "hard"),
        ("5.2.1", "failed", "smtp; 550 5.2.1 receiving mail at a rate that is too high", "soft"),
        ("5.2.2", "failed", "smtp; 552 5.2.2 mailbox full", "soft"),
        ("4.2.2", "failed", "smtp; 452 4.2.2 mailbox full, gave up", "soft"),
        ("4.4.7", "failed", "smtp; delivery time expired", "soft"),
        ("5.4.7", "failed", "smtp; 554 5.4.7 expired", "soft"),
        ("5.3.0", "failed", "smtp; 550 5.3.0 system trouble", "soft"),
        ("5.7.1", "failed", "smtp; 550 5.7.1 rejected", "block"),
        ("5.6.0", "failed", "smtp; 554 5.6.0 content refused", "block"),
        ("5.3.4", "failed", "smtp; 552 5.3.4 message too big", "block"),
        ("5.0.0", "failed", "smtp; 554 looks like spam to us", "block"),
        ("4.4.1", "delayed", "smtp; connection timed out", "delayed"),
        ("2.1.5", "delivered", "smtp; 250 2.1.5 ok", "none"),
    ],
)
def test_a_status_report_is_told_apart_by_action_code_and_words(
    status: str, action: str, diagnostic: str, kind: str
) -> None:
    octets = reports.status_report(
        to=RETURN_PATH, status=status, action=action, diagnostic=diagnostic
    )
    found = classifier.classify(octets)
    assert found.kind == kind
    assert found.token == TOKEN
    (recipient,) = found.recipients
    assert (recipient.address, recipient.kind) == ("ana@example.org", kind)


def test_the_reply_code_of_the_refusing_server_is_found() -> None:
    octets = reports.status_report(to=RETURN_PATH, diagnostic="smtp; 553 5.1.1 <x@y> unknown")
    assert classifier.classify(octets).reply_code == 553


def test_a_complaint_is_one_and_names_us_by_the_mail_that_it_encloses() -> None:
    returned = f"Return-Path: <{RETURN_PATH}>\r\nSubject: News\r\n\r\nHello".encode()
    found = classifier.classify(reports.complaint(returned=returned))
    assert found.kind is BounceKind.COMPLAINT
    assert found.token == TOKEN


@pytest.mark.parametrize(
    "headers", [{"Auto_Submitted": "auto-replied"}, {"X_Autoreply": "yes"}, {"X_Autorespond": "1"}]
)
def test_a_vacation_notice_is_no_bounce(headers: dict[str, str]) -> None:
    octets = reports.letter(to=RETURN_PATH, subject="Away", **headers)
    assert classifier.classify(octets).kind is BounceKind.AUTO_REPLY


def test_an_ordinary_letter_is_nothing_of_the_kind() -> None:
    octets = reports.letter(to="office@coalition.example", subject="550 5.1.1 no such user")
    found = classifier.classify(octets)
    assert (found.kind, found.recipients, found.token) == (BounceKind.NONE, [], "")


def test_a_servers_reply_calls_a_mailbox_dead_only_by_its_enhanced_code() -> None:
    assert classifier.is_dead(550, "5.1.1 no such user")
    assert not classifier.is_dead(550, "no such user")
    assert not classifier.is_dead(550, "5.7.1 no such user")
    assert not classifier.is_dead(450, "5.1.1 no such user")


def nested(head: bytes) -> bytes:
    return head * 5000


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\x00\xff\xfe",
        b'To: "\r\nDelivered-To: <@\r\n\r\n',
        b"To: ,<\r\n\r\n",
        b'To: ""@\r\n\r\n',
        b"To: a@[\r\n\r\n",
        b"To: =?a?b?c?=@\r\nSubject: =?utf-8?b?=?x?=\r\nAuto-Submitted: \xff\r\n\r\n",
        b'Content-Type: multipart/report; report-type="\r\n\r\n',
        nested(b"Content-Type: message/rfc822\r\n\r\n"),
        b"Content-Type: multipart/mixed; boundary=a0\r\n\r\n"
        + b"".join(
            b"--a%d\r\nContent-Type: multipart/mixed; boundary=a%d\r\n\r\n" % (number, number + 1)
            for number in range(3000)
        ),
    ],
)
def test_what_makes_no_sense_is_read_without_complaint(octets: bytes) -> None:
    assert classifier.classify(octets).recipients == []


def test_however_large_a_message_is_it_is_read_quickly() -> None:
    report = reports.status_report(to=RETURN_PATH)
    group = b"Final-Recipient: rfc822; ana@example.org\nAction: failed\nStatus: 5.1.1\n\n"
    many = report.replace(b"Final-Recipient", group * 50_000 + b"Final-Recipient", 1)
    began = time.process_time()
    assert classifier.classify(report + b"x" * 20_000_000).kind is BounceKind.HARD
    assert (
        classifier.classify(b"To: " + b"a@b.example, " * 100_000 + b"\n\n").kind is BounceKind.NONE
    )
    assert classifier.classify(b"To: " + b"(" * 100_000 + b"\n\n").kind is BounceKind.NONE
    assert len(classifier.classify(many).recipients) <= 1000
    assert time.process_time() - began < 5


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_a_damaged_report_is_read_as_far_as_it_goes(data: st.DataObject) -> None:
    octets = bytearray(reports.status_report(to=RETURN_PATH))
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(octets) - 1))
        octets[at : at + data.draw(st.integers(0, 8))] = data.draw(
            st.sampled_from(
                [b'"', b"<", b"@[", b"(((", b"\r\n\r\n", b"\x00", b"\xff", b"=?x?b?", b";"]
            )
        )
    assert classifier.classify(bytes(octets)).kind in BounceKind
