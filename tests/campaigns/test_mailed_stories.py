"""Stories forwarded to the desk by mail: from whom we know, and proven as far as can be."""

import asyncio
import dataclasses
import smtplib
from pathlib import Path
from typing import Any

import pytest

from campaigns import mailed_stories
from delivery.inbound import listener as inbound_listener
from delivery.inbound import stories
from delivery.inbound.maildir import Maildir
from delivery.inbound.recipients import Recipients
from foundation.accounts.models import Role
from foundation.ground import Ground
from tests.campaigns import desk, newsroom
from tests.world import people

COMMON = "desk@coalition.example"
SETTINGS = {
    "address": COMMON,
    "senders": ["rosa@house.example", "@friends.example"],
    "checking_server": "mx.coalition.example",
}
PASSED = (
    "Authentication-Results: mx.coalition.example (some server 1.0);\r\n"
    " spf=fail smtp.mailfrom=x.example; dkim=pass (2048-bit) header.d={domain};\r\n"
    " dmarc={dmarc} header.from={domain}\r\n"
)
FORWARDED = """See this!

---------- Forwarded message ---------
From: The Paper <news@paper.example>
Date: Fri, 30 Oct 2026
Subject: Sheriff ends agreement
To: <rosa@house.example>

The sheriff said on Friday that he ends it.

Read it: https://paper.example/sheriff?utm_source=mail

--
Rosa
"""


def mail(
    sender: str = "Rosa <rosa@house.example>",
    *,
    above: str = "",
    subject: str = "Fwd: RV: Sheriff ends agreement",
    to: str = COMMON,
    body: str = FORWARDED,
    number: int = 1,
) -> bytes:
    """A forwarded mail; `above` are headers that servers added."""
    text = (
        f"{above}From: {sender}\r\nTo: {to}\r\nSubject: {subject}\r\n"
        f"Message-ID: <{number}@house.example>\r\nMIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n\r\n"
    )
    return text.encode() + body.replace("\n", "\r\n").encode()


async def take(ground: Ground, octets: bytes, *, to: str = COMMON, is_checked: bool = True) -> bool:
    return await mailed_stories.Desk(ground).take(octets, to_address=to, is_checked=is_checked)


@pytest.mark.settings(desk=SETTINGS)
async def test_a_story_comes_in_as_it_was_told_and_once(ground: Ground) -> None:
    await newsroom.issue(ground)
    passed = PASSED.format(domain="house.example", dmarc="pass")
    for _ in range(2):
        assert await take(ground, mail(above=passed))
    (item,) = await desk.items(ground)
    assert (item.headline, item.origin, item.state) == ("Sheriff ends agreement", "mail", "new")
    assert item.source_url == "https://paper.example/sheriff?utm_source=mail"
    assert item.summary.startswith("<p>The sheriff said on Friday that he ends it.</p>")
    assert "Rosa" not in item.summary
    assert "From:" not in item.summary
    assert item.sender == "rosa@house.example"


@pytest.mark.settings(desk=SETTINGS)
async def test_a_sender_who_is_known_but_not_proven_stands_apart_and_an_unknown_one_is_refused(
    ground: Ground,
) -> None:
    await newsroom.issue(ground)
    await people.staff(ground, Role.AUTHOR, email="ana@coalition.example")
    await people.staff(ground, Role.PARTNER, email="partner@other.example")
    good = PASSED.format(domain="house.example", dmarc="pass")
    others = PASSED.format(domain="other.example", dmarc="pass")
    forged = good.replace("mx.coalition.example", "mx.attacker.example")
    failed = PASSED.format(domain="house.example", dmarc="fail").replace("dkim=pass", "dkim=fail")
    comment = (
        "Authentication-Results: mx.coalition.example; dkim=fail"
        " (dmarc=pass header.from=house.example) header.d=house.example\r\n"
    )
    below = failed + good  # a stranger's own header stands below our server's
    apart: list[dict[str, Any]] = [
        {"above": ""},
        {"above": others},
        {"above": forged},
        {"above": failed},
        {"above": below},
        {"above": comment},
        {"above": good, "is_checked": False},
        {"sender": "ana@coalition.example"},
    ]
    for number, each in enumerate(apart):
        is_checked = bool(each.pop("is_checked", True))
        subject = f"Story number {number} of several"
        octets = mail(number=number, subject=subject, body="Told.", **each)
        assert await take(ground, octets, is_checked=is_checked), each
    found = await desk.items(ground)
    assert [each.state for each in found] == ["apart"] * len(apart)
    assert "nothing proves it" in found[0].reason
    proven = [
        ("Rosa <rosa@house.example>", "house.example"),
        ("x@friends.example", "friends.example"),
        ("ana@coalition.example", "coalition.example"),
    ]
    for number, (sender, domain) in enumerate(proven, start=50):
        above = PASSED.format(domain=domain, dmarc="none")  # the signature alone is enough
        octets = mail(sender, above=above, number=number, subject=f"Good {number}", body="Told.")
        assert await take(ground, octets)
    assert [each.state for each in await desk.items(ground)][len(apart) :] == ["new"] * 3
    for sender in (
        "stranger@house.example",
        "rosa@house.example, stranger@other.example",
        "rosa@house.example.other.example",
        '"rosa@house.example" <stranger@other.example>',
        "partner@other.example",
        "",
    ):
        assert not await take(ground, mail(sender, above=good, number=99)), sender


@pytest.mark.settings(desk=SETTINGS, listener={"port": 0})
async def test_by_the_listener_only_a_secret_address_proves_anybody(ground: Ground) -> None:
    await newsroom.issue(ground)
    staff, _ = await people.staff(ground, Role.AUTHOR, email="ana@coalition.example")
    secret = mailed_stories.secret_address(ground, staff.id)
    good = PASSED.format(domain="house.example", dmarc="pass")

    def send(port: int, to: str, octets: bytes) -> int:
        with smtplib.SMTP("127.0.0.1", port, timeout=90) as client:
            client.ehlo("test")
            client.mail("anybody@anywhere.example")
            code, _ = client.rcpt(to)
            return client.data(octets)[0] if code == 250 else code

    async with inbound_listener.listening(ground, mailed_stories.Desk(ground)) as listener:
        port = listener.port

        async def sent(to: str, octets: bytes) -> int:
            return await asyncio.to_thread(send, port, to, octets)

        anybody = "Anybody <anybody@anywhere.example>"
        assert await sent(secret, mail(anybody, subject="By the secret one")) == 250
        broken = secret.replace("desk+", "desk+0")
        assert await sent(broken, mail(anybody)) == 550
        assert await sent(COMMON, mail(anybody, above=good)) == 550
        assert await sent(COMMON, mail(above=good, number=2, subject="Signed by the sender")) == 250
        automatic = mail(above="Auto-Submitted: auto-replied\r\n", number=3)
        assert await sent(secret, automatic) == 550
        async with ground.db.transaction() as session:
            staff.is_active = False
            session.add(staff)
        assert await sent(secret, mail(anybody, number=4)) == 550
    assert await desk.told(ground) == [
        ("By the secret one", "new"),
        ("Signed by the sender", "apart"),
    ]


@pytest.mark.settings(desk=SETTINGS)
async def test_a_mail_that_is_made_to_keep_us_busy_is_read_or_refused_soon(ground: Ground) -> None:
    """Each of these took minutes, in which nobody else was served."""
    await newsroom.issue(ground)
    long = 200_000
    assert not await take(ground, mail(subject="re:" * long + "x"))
    assert not await take(ground, mail("a " * long + "<rosa@house.example>"))
    assert not await take(ground, mail(above=f"Authentication-Results: {'(' * long}\r\n"))
    for number, body in enumerate((" " * long + "From", "From" + " " * long + "x", "- " * long)):
        assert await take(ground, mail(body=body, number=number + 2))
    at = {"Delivered-To": ", ".join([COMMON] * long)}
    many = b"".join(f"{name}: {value}\r\n".encode() for name, value in at.items()) + mail()
    found = stories.desk_address(Recipients(ground), many, envelope_to="")
    assert found == COMMON


@pytest.mark.settings(desk=SETTINGS)
async def test_in_a_mailbox_the_desks_mail_is_taken_and_a_strangers_left(
    ground: Ground, tmp_path: Path
) -> None:
    await newsroom.issue(ground)
    folder = tmp_path / "Maildir"
    for name in ("new", "cur", "tmp"):
        (folder / name).mkdir(parents=True)
    maildir = ground.settings.maildir.model_copy(update={"path": str(folder)})
    settings = ground.settings.model_copy(update={"maildir": maildir})
    ours = dataclasses.replace(ground, settings=settings)
    good = PASSED.format(domain="house.example", dmarc="pass")
    (folder / "new" / "1").write_bytes(mail(above=good))
    (folder / "new" / "2").write_bytes(mail("stranger@other.example", above=good, number=2))
    (folder / "new" / "3").write_bytes(mail(above=good, number=3, to="somebody@coalition.example"))
    await Maildir(ours, mailed_stories.Desk(ours)).read(asyncio.Event())
    assert await desk.told(ground) == [("Sheriff ends agreement", "new")]
    assert len(list((folder / ".handbill-done" / "cur").iterdir())) == 1
    assert len(list((folder / ".handbill-other" / "cur").iterdir())) == 2


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"Subject: =?bogus?Q?x?=\r\n\r\nTold.",
        b"Subject: x\r\nContent-Type: text/plain; charset=nothing\r\n\r\n\xff",
        b"Subject: x\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n--a",
        b"Subject: x\r\nContent-Type: text/html\r\n\r\n<script>1</script><p>T",
        b"Subject: \r\nContent-Transfer-Encoding: base64\r\n\r\n!!!",
    ],
)
@pytest.mark.settings(desk=SETTINGS)
async def test_no_mail_breaks_the_desk(ground: Ground, octets: bytes) -> None:
    await newsroom.issue(ground)
    await take(ground, b"From: rosa@house.example\r\n" + octets)
    for each in await desk.items(ground):
        assert "<script>" not in each.summary
