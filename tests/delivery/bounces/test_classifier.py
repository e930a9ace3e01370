"""What a message that came back says, whoever wrote it."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from delivery.bounces import classifier
from delivery.bounces.returned import Original, Returned
from delivery.models import BounceKind
from tests.delivery import reports
from tests.delivery.bounces import labelled

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
@settings(max_examples=80, deadline=None)
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


def sample(name: str) -> Returned:
    """What is read in a message of the corpus."""
    return classifier.classify((labelled.FOLDER / name).read_bytes())


@pytest.mark.parametrize(
    "name",
    [
        "hard/postfix-user-unknown.eml",
        "hard/exim-old-text.eml",
        "hard/exchange2007-german.eml",
        "hard/dsn-headers-only.eml",
        "soft/qmail-full.eml",
        "complaint/jmrp-old.eml",
        "complaint/arf-headers-only.eml",
        "complaint/plain-feedback-report.eml",
    ],
)
def test_the_mail_that_came_back_is_described_by_its_own_headers(name: str) -> None:
    found = sample(name)
    assert found.message_id.startswith("c.7.")
    assert found.message_id.endswith("@coalition.example")
    assert (found.original.campaign, found.original.list_id) == ("7", "news.coalition.example")
    assert found.original.to.endswith("@example.org")
    assert found.token == TOKEN


def test_a_message_that_encloses_nothing_describes_nothing() -> None:
    found = sample("auto-reply/away-french.eml")
    assert (found.message_id, found.original) == ("", Original())


@pytest.mark.parametrize("kind", [kind.value for kind in BounceKind if kind != "none"])
def test_whatever_a_program_wrote_is_never_to_be_answered(kind: str) -> None:
    names = [path.name for path in (labelled.FOLDER / kind).glob("*.eml")]
    assert [name for name in names if not sample(f"{kind}/{name}").is_automatic] == []


@pytest.mark.parametrize(
    ("name", "is_automatic"),
    [("letter", False), ("letter-answers", False), ("newsletter", True), ("dsn-delivered", True)],
)
def test_a_letter_of_a_person_may_be_answered_and_a_list_may_not(
    name: str, is_automatic: bool
) -> None:
    assert sample(f"none/{name}.eml").is_automatic is is_automatic


def test_the_address_that_was_first_mailed_to_is_told_apart_from_the_one_that_failed() -> None:
    report = reports.status_report(to=RETURN_PATH).replace(
        b"Action: failed", b"Original-Recipient: rfc822; alias@example.com\nAction: failed"
    )
    (recipient,) = classifier.classify(report).recipients
    assert (recipient.address, recipient.sent_to) == ("ana@example.org", "alias@example.com")


def test_a_recipient_comes_with_the_servers_own_words_on_one_line() -> None:
    (recipient,) = sample("block/postfix-spamhaus.eml").recipients
    assert recipient.diagnostic.startswith("554 5.7.1 Service unavailable; Client host")
    assert "\n" not in recipient.diagnostic
    (recipient,) = sample("hard/qmail-no-mailbox.eml").recipients
    assert recipient.diagnostic == (
        "<ana@example.org>: Sorry, no mailbox here by that name. (#5.1.1)"
    )


def test_our_own_address_and_the_postmaster_are_never_the_ones_that_failed() -> None:
    octets = (
        f"From: MAILER-DAEMON@mx.example.net\nTo: {RETURN_PATH}\nSubject: Returned mail\n\n"
        f"Your message\n<{RETURN_PATH}>\ncould not be delivered to\n<ana@example.org>\n"
        "For help write to postmaster@mx.example.net or <news@coalition.example>.\n\n"
        "--- Original message\n\nReceived: from x\nFrom: news@coalition.example\n"
        "MIME-Version: 1.0\nTo: ana@example.org\n\nHello"
    ).encode()
    assert [each.address for each in classifier.classify(octets).recipients] == ["ana@example.org"]


@pytest.mark.parametrize(
    ("code", "text", "status", "kind", "reason"),
    [
        (550, "5.1.1 <ana@example.org>: user unknown", "", "hard", "user-unknown"),
        (450, "4.1.1 user unknown", "", "soft", "user-unknown"),
        (450, "user unknown", "", "soft", "user-unknown"),
        (550, "user unknown", "", "hard", "user-unknown"),
        (552, "mailbox full", "5.2.2", "soft", "mailbox-full"),
        (550, "receiving mail at a rate that is too high", "5.2.1", "soft", "rate-limited"),
        (421, "4.7.0 reputation", "", "block", "reputation"),
        (None, "", "5.1.1", "hard", "user-unknown"),
        (None, "Email address is on the suppression list", "", "hard", "user-unknown"),
        (None, "5.0.0 (the other said: 5.2.2)", "", "soft", "mailbox-full"),
        (550, "", "", "soft", "unknown"),
        (451, "", "", "soft", "unknown"),
    ],
)
def test_a_reply_and_a_providers_event_are_read_by_the_same_table(
    code: int | None, text: str, status: str, kind: str, reason: str
) -> None:
    judged = classifier.classify_reply(code, text, status=status)
    assert (judged.kind, judged.reason) == (kind, reason)


def test_other_peoples_detectors_may_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    def tripping(_: object) -> None:
        raise IndexError("list index out of range")

    monkeypatch.setattr("flufl.bounce.all_failures", tripping)
    octets = (
        b"From: MAILER-DAEMON@mx.example.net\nSubject: Returned mail\n\nIt could not be delivered."
    )
    assert classifier.classify(octets).recipients == []
