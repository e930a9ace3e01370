"""The demo's mail catcher keeps mail, misbehaves where it should, and shows it all in an inbox."""

import email
import email.policy
from collections.abc import AsyncIterator
from email.message import EmailMessage

import aiosmtplib
import pytest

from foundation.ground import Ground
from handbill import listening
from handbill.demo import catcher as catching
from handbill.demo.catcher import Catcher
from handbill.demo.inbox import Inbox
from handbill.demo.mailbox import LIMIT, Mailbox
from tests.world.clock import FakeClock
from tests.world.web import Web


@pytest.fixture
async def catcher(clock: FakeClock) -> AsyncIterator[Catcher]:
    """A catcher on a free port."""
    async with catching.catching(clock) as running:
        yield running


def letter(to: str, *, subject: str = "Hello") -> EmailMessage:
    """A bulletin-like mail."""
    mail = EmailMessage()
    mail["From"] = "Coalition <bulletin@coalition.example>"
    mail["To"] = to
    mail["Subject"] = subject
    mail["List-Unsubscribe"] = (
        "<http://handbill.test/unsubscribe/abc>, <mailto:u@coalition.example>"
    )
    mail["X-Handbill-Campaign"] = "7"
    mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content("Read more: https://coalition.example/more.\n")
    mail.add_alternative(
        "<html><head><title>x</title></head><body><p>Read <a href='https://coalition.example/more'>"
        "more</a></p><script>alert(1)</script></body></html>",
        subtype="html",
    )
    return mail


async def send(catcher: Catcher, to: str, *, subject: str = "Hello") -> None:
    """Send a mail to one address with a returning envelope sender."""
    await aiosmtplib.send(
        letter(to, subject=subject),
        hostname="127.0.0.1",
        port=catcher.port,
        sender="b+token@coalition.example",
        recipients=[to],
    )


async def test_mail_is_kept_and_found_by_address(catcher: Catcher, clock: FakeClock) -> None:
    await send(catcher, "ana@example.org")
    await send(catcher, "ben@example.org", subject="Grüße")
    newest = next(catcher.mailbox.newest())
    assert newest.subject == "Grüße"
    assert newest.received_at == clock.now()
    assert [mail.recipient for mail in catcher.mailbox.newest(to="ANA")] == ["ana@example.org"]
    found = catcher.mailbox.latest("ana@example.org")
    assert found is not None
    assert "https://coalition.example/more" in found.text
    assert found.one_click_url == "http://handbill.test/unsubscribe/abc"


async def test_addresses_that_are_gone_are_refused_for_good(catcher: Catcher) -> None:
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as caught:
        await send(catcher, "gone.reyes@example.org")
    assert caught.value.recipients[0].code == 550


async def test_full_mailboxes_take_mail_at_the_second_try(catcher: Catcher) -> None:
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as caught:
        await send(catcher, "full.kim@example.org")
    assert caught.value.recipients[0].code == 452
    await send(catcher, "full.kim@example.org")
    assert catcher.mailbox.latest("full.kim@example.org") is not None


async def test_mail_to_those_who_moved_comes_back_as_a_report_once(catcher: Catcher) -> None:
    await send(catcher, "moved.doyle@example.org")
    (raw,) = catcher.take_returns()
    assert catcher.take_returns() == []
    report = email.message_from_bytes(raw, policy=email.policy.default)
    assert report.get_content_type() == "multipart/report"
    assert report.get_param("report-type") == "delivery-status"
    assert report["To"] == "b+token@coalition.example"
    parts = list(report.iter_parts())
    assert [part.get_content_type() for part in parts] == [
        "text/plain",
        "message/delivery-status",
        "text/rfc822-headers",
    ]
    assert "Status: 5.1.1" in raw.decode()
    assert "Final-Recipient: rfc822; moved.doyle@example.org" in raw.decode()
    assert b"\n" not in raw.replace(b"\r\n", b"")


def test_the_mailbox_makes_room_for_new_mail(clock: FakeClock) -> None:
    mailbox = Mailbox()
    for _ in range(LIMIT + 3):
        mailbox.keep(
            received_at=clock.now(), mail_from="", recipient="ana@example.org", data=b"\r\n"
        )
    assert len(mailbox) == LIMIT
    assert mailbox.get(3) is None
    assert mailbox.get(4) is not None


@pytest.fixture
async def reader(ground: Ground, catcher: Catcher) -> AsyncIterator[Web]:
    """A browser on an application with the inbox."""
    routes = Inbox(catcher.mailbox).routes()
    async with listening.open_web(ground, host="127.0.0.1", port=0, extra_routes=routes) as port:
        browser = Web(ground, f"http://127.0.0.1:{port}")
        yield browser
        await browser.close()


async def test_the_inbox_lists_newest_first_and_filters(catcher: Catcher, reader: Web) -> None:
    await send(catcher, "ana@example.org", subject="First")
    await send(catcher, "ben@example.org", subject="Second")
    page = (await reader.get("/demo/inbox")).text
    assert page.index("Second") < page.index("First")
    assert "First" not in (await reader.get("/demo/inbox?to=ben@example.org")).text


async def test_a_mail_is_shown_in_a_frame_that_runs_nothing(catcher: Catcher, reader: Web) -> None:
    await send(catcher, "ana@example.org")
    page = (await reader.get("/demo/inbox/1")).text
    assert 'src="/demo/inbox/1/html"' in page
    assert "allow-scripts" not in page
    assert 'action="/unsubscribe/abc"' in page
    frame = await reader.get("/demo/inbox/1/html")
    assert "default-src 'none'" in frame.headers["Content-Security-Policy"]
    assert "sandbox" in frame.headers["Content-Security-Policy"]
    assert '<base target="_blank">' in frame.text


async def test_text_headers_and_source_can_be_read(catcher: Catcher, reader: Web) -> None:
    await send(catcher, "ana@example.org")
    text = (await reader.get("/demo/inbox/1?view=text")).text
    assert 'href="https://coalition.example/more"' in text
    assert "b+token@coalition.example" in (await reader.get("/demo/inbox/1?view=headers")).text
    assert "MIME-Version" in (await reader.get("/demo/inbox/1?view=source")).text
    assert (await reader.get("/demo/inbox/1/raw")).headers["Content-Type"] == "message/rfc822"


async def test_mail_that_is_not_there_is_said_so(reader: Web) -> None:
    assert (await reader.get("/demo/inbox/99")).status == 404
    assert (await reader.get("/demo/inbox/x")).status == 404


async def test_the_inbox_speaks_spanish(reader: Web) -> None:
    assert "Buzón de la demostración" in (await reader.get("/demo/inbox?lang=es")).text
