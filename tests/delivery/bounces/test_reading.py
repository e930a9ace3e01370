"""Any octets are read as far as they make sense, in bounded time, and nothing raises."""

import time

import pytest

from delivery.bounces import charsets, classifier, layout, mailboxes, reading


def message(text: str) -> reading.Part:
    return reading.read(text.encode())


def test_parts_within_parts_are_found_with_their_text() -> None:
    read = message(
        "Content-Type: multipart/mixed; boundary=a\n\npreamble\n"
        "--a\nContent-Type: multipart/alternative; boundary=ab\n\n"
        "--ab\n\nplain\n--ab\nContent-Type: text/html\n\n<p>page &amp; more</p>\n--ab--\n"
        "--a\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\nw6k=\n--a--\nafter"
    )
    assert [part.content_type for part in read.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "text/plain",
    ]
    assert [part.text().strip() for part in read.walk() if not part.parts] == [
        "plain",
        "page & more",
        "é",
    ]


def test_headers_are_unfolded_and_their_encoded_words_read() -> None:
    read = message(
        "Subject: =?utf-8?q?Unzustellbar=3A?=\n =?iso-2022-jp?b?GyRCR1s/LjxUGyhC?=\n"
        "SUBJECT: second\nX: \n\n"
    )
    assert read.headers.get("subject").startswith("Unzustellbar:")
    assert read.headers.all("Subject")[1] == "second"
    assert "x" in read.headers
    assert read.headers.get("none") == ""


@pytest.mark.parametrize(
    ("octets", "charset", "text"),
    [
        ("Postfach ist voll: Müller".encode("latin-1"), "us-ascii", "Postfach ist voll: Müller"),
        ("存在しません".encode("cp932"), "us-ascii", "存在しません"),
        ("存在しません".encode("iso-2022-jp"), "", "存在しません"),
        ("存在しません".encode("euc-jp"), "x-nothing", "存在しません"),
        ("用户不存在".encode("gb18030"), "gb2312", "用户不存在"),
        ("Почтовый ящик".encode("koi8-r"), "koi8-r", "Почтовый ящик"),
        (b"caf\xc3\xa9", "utf-8", "café"),
        (b"a\xff", "unicode_escape", "aÿ"),
    ],
)
def test_text_is_read_by_its_charset_or_whatever_fits(
    octets: bytes, charset: str, text: str
) -> None:
    assert charsets.text(octets, charset) == text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<ana@example.org>... User unknown", ["ana@example.org"]),
        ("to ana@example.org.", ["ana@example.org"]),
        ("宛先：ana@example.jpに送信できません", ["ana@example.jp"]),
        ("受信者ana@example.jp様", ["ana@example.jp"]),
        ("mailto:ana@example.org?subject=x", ["ana@example.org"]),
        ("RCPT To:<o'brien+news@example.co.uk>", ["o'brien+news@example.co.uk"]),
        ("señora@correo.example, info@пример.рф", ["señora@correo.example", "info@пример.рф"]),
        ('"ana maria"@example.org', ['"ana maria"@example.org']),
        ("c=US;a= ;dda:SMTP=ana@example.org; on Sunday", ["ana@example.org"]),
        ("@ a@ @b a@b <@> x@.y 20:00@", []),
    ],
)
def test_addresses_are_found_where_text_runs_into_them(text: str, found: list[str]) -> None:
    assert mailboxes.find(text) == found


@pytest.mark.parametrize(
    "octets",
    [
        b"From: a@example.org\r\n\r\n" + b"x" * 50_000_000,
        b"X: " + b"y" * 5_000_000 + b"\n\nbody",
        b"X: y\n" * 1_000_000,
        b" folded\n" * 500_000,
        b"A: b\n" + b" c\n" * 400_000,
        b"Content-Type: message/rfc822\n\n" * 1_000,
        b"".join(
            b"Content-Type: multipart/mixed; boundary=%d\n\n--%d\n" % (n, n) for n in range(1_000)
        ),
        b"Content-Type: multipart/mixed; boundary=a\n\n" + b"--a\n" * 200_000,
        b"Content-Type: multipart/mixed; boundary=a\n\n" + b"\n--ab" * 200_000,
        b"Content-Type: text/html\n\n" + b"<" * 900_000,
        b"Content-Type: text/html\n\n" + b"<style>" * 100_000,
        b"Content-Type: text/plain; charset=punycode\n\n" + b"a-" * 400_000,
        b"Subject: " + b"=?utf-8?q?" * 90_000 + b"\n\n",
        b"From: mailer-daemon\n\n" + b"@" * 900_000,
        b"From: mailer-daemon\n\n" + b"a@b.example " * 80_000,
        b"From: mailer-daemon\n\n" + b"<a@b.example>: user unknown\n" * 30_000,
        b"From: mailer-daemon\n\n" + b"A: b\n" * 180_000,
        b"From: mailer-daemon\n\n" + b"550 5.1.1 " * 90_000,
        b"From: mailer-daemon\n\n" + b"\0\r\r\n\n" * 150_000,
        b"\x1b$B" * 300_000,
    ],
    ids=range(20),
)
def test_what_was_made_to_be_slow_is_read_quickly(octets: bytes) -> None:
    began = time.process_time()
    classifier.classify(octets)
    assert time.process_time() - began < 10


def test_a_copy_of_the_mail_is_cut_off_whoever_wrote_it() -> None:
    mail = (
        "Received: from x\nFrom: news@coalition.example\nTo: ana@example.org\nMIME-Version: 1.0\n"
    )
    for line in ("--- Below this line is a copy of the message.", "-----Original message-----", ""):
        laid = layout.laid_out(
            message(f"From: x\n\nIt came back.\n\n{line}\n\n{mail}\nMailbox full.")
        )
        assert laid.words.strip() == "It came back."
        assert laid.sent.get("To") == "ana@example.org"
