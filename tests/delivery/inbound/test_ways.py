"""The three ways in together: the same message counts once, whichever of them bring it."""

import asyncio
import base64
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery import intake_state, worker
from delivery.inbound import ways
from delivery.inbound.listener import Listener
from delivery.inbound.models import ImapFolder, Way
from foundation import receiving
from foundation.ground import Ground
from subscribers.models import Subscription
from tests.delivery import reports
from tests.delivery.inbound import given
from tests.world import imap, mailing, talker
from tests.world.imap import Server
from tests.world.smtp import Catcher


class Ways:
    """Everything that mail can come in by, and a means to bring it there."""

    def __init__(self, ground: Ground, listener: Listener, server: Server, maildir: Path) -> None:
        self.ground = ground
        """With settings for all of them."""
        self._listener = listener
        self._server = server
        self._maildir = maildir
        self._brought = 0

    async def bring(self, way: Way, octets: bytes, *, to: str) -> None:
        """A message arrives by one way; done when it was read there."""
        self._brought += 1
        if way is Way.LISTENER:
            async with talker.talking(self._listener.port) as client:
                await client.begin(to, sender=given.ANA)
                assert (await client.send(octets))[:3] == "250"
        elif way is Way.IMAP:
            self._server.deliver(octets)
        else:
            (self._maildir / "new" / f"{self._brought}").write_bytes(octets)

    async def are_read(self, ground: Ground) -> None:
        """Wait until everything that lies in the mailbox and in the Maildir was read."""

        async def is_so(session: AsyncSession) -> bool:
            rows = (await session.exec(select(ImapFolder))).all()
            last = self._server.folders["INBOX"].next_uid - 1
            is_empty = not any((self._maildir / "new").iterdir())
            return is_empty and (last == 0 or any(row.last_uid == last for row in rows))

        await mailing.until(ground, is_so)


@pytest.fixture
async def all_ways(ground: Ground, tmp_path: Path) -> AsyncIterator[Ways]:
    """A process that takes mail in by all three."""
    for name in ("new", "cur", "tmp"):
        (tmp_path / "Maildir" / name).mkdir(parents=True)
    async with imap.running() as server:
        settings = ground.settings.model_copy(
            update={
                "listener": receiving.Listener(enabled=True, port=0),
                "imap": receiving.Imap.model_validate(
                    {
                        "host": "127.0.0.1",
                        "port": server.port,
                        "tls": "none",
                        "username": imap.USER,
                        "password": imap.PASSWORD,
                    }
                ),
                "maildir": receiving.Maildir(path=str(tmp_path / "Maildir"), poll_s=0.01),
            }
        )
        changed = dataclasses.replace(ground, settings=settings)
        async with running(changed) as listener:
            yield Ways(changed, listener, server, tmp_path / "Maildir")


@asynccontextmanager
async def running(ground: Ground) -> AsyncIterator[Listener]:
    """Every way in that is set up, for as long as the block lasts."""
    stop = asyncio.Event()
    async with ways.opened(ground) as found, asyncio.TaskGroup() as group:
        for way in found:
            group.create_task(way.run(stop))
        (listener,) = (each for each in found if isinstance(each, Listener))
        try:
            yield listener
        finally:
            stop.set()


@pytest.mark.storage
async def test_the_same_bounce_by_three_ways_at_once_counts_once(
    ground: Ground, smtp: Catcher, all_ways: Ways
) -> None:
    mail = await given.mailed(ground, smtp)
    bounce = given.bounce(mail)
    by_a_mailbox = b"Received: from elsewhere\r\n" + bounce
    await asyncio.gather(
        *(all_ways.bring(Way.LISTENER, bounce, to=mail.mail_from) for _ in range(5)),
        *(all_ways.bring(Way.IMAP, by_a_mailbox, to="") for _ in range(3)),
        *(all_ways.bring(Way.MAILDIR, bounce, to="") for _ in range(3)),
    )
    await all_ways.are_read(ground)
    assert len(await given.returned(ground)) == 1
    assert await given.suppressed(ground) == ["hard-bounce"]
    assert (await mailing.counts(ground)).bounced == {"hard": 1, "soft": 0, "block": 0}


async def come_back(ground: Ground) -> None:
    """Ana is on the topic again."""
    async with ground.db.transaction() as session:
        await session.execute(sa.update(Subscription).values(state="confirmed"))


async def test_who_asks_by_mail_to_leave_is_obeyed_and_mailed_no_more(
    ground: Ground, smtp: Catcher, all_ways: Ways
) -> None:
    for number, way in enumerate(Way, start=1):
        mail = await given.mailed(ground, smtp, campaign_id=number)
        to = given.unsubscribe_address(mail)
        await all_ways.bring(way, given.asked(mail), to=to)
        await all_ways.are_read(ground)
        assert await given.subscriptions(ground) == ["unsubscribed"], way
        await given.mailed(ground, smtp, campaign_id=10 + number)
        assert len(smtp.to(given.ANA)) == number, "neither another bulletin nor an answer"
        await come_back(ground)


TOKEN = "%s"
SUBJECTS = (
    f"Re: {TOKEN}",
    f"Fwd: RE: AW: {TOKEN}",
    f"[EXTERNAL] {TOKEN} (fwd)",
    f'"{TOKEN}"',
    f"unsubscribe {TOKEN}",
    f"cancelar mi suscripción {TOKEN}",
    f"\r\n {TOKEN}",
    f"please\r\n\tdo so:\r\n {TOKEN}",
    f"=?UTF-8?B?{TOKEN}:base64?=",
    f"=?utf-8?q?{TOKEN}?=",
    f"=?utf-8?q?{TOKEN}:half?=\r\n =?utf-8?q?{TOKEN}:rest?=",
)


async def test_whatever_mail_programs_make_of_the_subject_its_token_is_found(
    ground: Ground, smtp: Catcher, all_ways: Ways
) -> None:
    mail = await given.mailed(ground, smtp)
    token, to = given.unsubscribe_token(mail), given.unsubscribe_address(mail)
    for made in SUBJECTS:
        subject = made
        for form, value in (
            (f"{TOKEN}:base64", base64.b64encode(token.encode()).decode()),
            (f"{TOKEN}:half", token[:7]),
            (f"{TOKEN}:rest", token[7:]),
            (TOKEN, token),
        ):
            subject = subject.replace(form, value)
        octets = f"From: Ana <{given.ANA}>\r\nTo: {to}\r\nSubject: {subject}\r\n\r\nbye\r\n"
        await all_ways.bring(Way.LISTENER, octets.encode(), to=to)
        assert await given.subscriptions(ground) == ["unsubscribed"], made
        await come_back(ground)


async def test_a_button_of_a_mail_program_counts_though_it_calls_itself_an_automatic_reply(
    ground: Ground, smtp: Catcher, all_ways: Ways
) -> None:
    """Apple's mail program writes such requests by itself, and marks them like vacation notices."""
    mail = await given.mailed(ground, smtp)
    octets = given.asked(mail, Auto_Submitted="auto-replied", X_Apple_Unsubscribe="true")
    await all_ways.bring(Way.LISTENER, octets, to=given.unsubscribe_address(mail))
    assert await given.subscriptions(ground) == ["unsubscribed"]


async def test_an_answer_that_quotes_the_mail_with_its_token_unsubscribes_nobody(
    ground: Ground, smtp: Catcher, all_ways: Ways
) -> None:
    mail = await given.mailed(ground, smtp)
    away = reports.letter(to=mail.mail_from, subject="Away", Auto_Submitted="auto-replied")
    quoting = away + b"\r\n> " + mail.data.replace(b"\n", b"\n> ")
    for way in Way:
        await all_ways.bring(way, quoting, to=mail.mail_from)
    await all_ways.are_read(ground)
    assert await given.subscriptions(ground) == ["confirmed"]
    assert await given.suppressed(ground) == []
    await worker.run_until_idle(ground)
    assert len(smtp.messages) == 1, "nobody is answered"


async def test_each_way_says_how_it_does(ground: Ground, smtp: Catcher, all_ways: Ways) -> None:
    mail = await given.mailed(ground, smtp)
    for way in Way:
        await all_ways.bring(way, given.bounce(mail), to=mail.mail_from)
    await all_ways.are_read(ground)

    async def is_so(session: AsyncSession) -> bool:
        found = await intake_state.read(all_ways.ground, session)
        return len(found) == 3 and all(each.is_well and each.last_message_at for each in found)

    await mailing.until(ground, is_so)
