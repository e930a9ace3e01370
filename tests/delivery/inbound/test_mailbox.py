"""An IMAP mailbox is read once, from where it was left, through everything that servers do."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery import intake_state, returns
from delivery.inbound import mailbox as inbound_mailbox
from delivery.inbound.mailbox import Mailbox
from delivery.inbound.models import ImapFolder, ImapMailbox
from delivery.intake_state import WayState
from delivery.models import Return
from delivery.returns import Ingested
from foundation import receiving
from foundation.ground import Ground
from subscribers.models import Subscription
from tests.delivery import reports
from tests.delivery.inbound import given
from tests.world import certificates, imap, mailing
from tests.world.clock import FakeClock
from tests.world.imap import Server
from tests.world.smtp import Catcher, Received


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """A mailbox on another server."""
    async with imap.running() as started:
        yield started


def reading_from(ground: Ground, server: Server, **changes: object) -> Ground:
    """The same ground, with settings for the server."""
    values = {
        "host": "127.0.0.1", "port": server.port, "tls": "none", "username": imap.USER,
        "password": imap.PASSWORD, "poll_s": 30, "retry_s": 0.01, "timeout_s": 10, **changes,
    }  # fmt: skip
    settings = ground.settings.model_copy(update={"imap": receiving.Imap.model_validate(values)})
    return dataclasses.replace(ground, settings=settings)


@asynccontextmanager
async def reading(ground: Ground, server: Server, **changes: object) -> AsyncIterator[Ground]:
    """A process that reads the mailbox, for as long as the block lasts."""
    changed, stop = reading_from(ground, server, **changes), asyncio.Event()
    running = asyncio.create_task(Mailbox(changed).run(stop))
    try:
        yield changed
    finally:
        stop.set()
        await running


async def until_read(
    ground: Ground, uid: int, folder: str = "INBOX", port: int | None = None
) -> None:
    """Wait until the database says that everything up to `uid` was read, of one server or any."""

    async def is_so(session: AsyncSession) -> bool:
        rows = (await session.exec(select(ImapFolder).where(ImapFolder.folder == folder))).all()
        of_server = f":{port}" if port else ""
        return any(row.last_uid >= uid and row.mailbox.endswith(of_server) for row in rows)

    await mailing.until(ground, is_so)


async def until_said(ground: Ground, words: str) -> WayState:
    """Wait until the state of this way says `words`; blank stands for all being well."""
    found: list[WayState] = []

    async def is_so(session: AsyncSession) -> bool:
        found[:] = await intake_state.read(ground, session)
        return bool(found) and (words in found[0].said if words else found[0].is_well)

    await mailing.until(ground, is_so)
    return found[0]


@pytest.mark.storage
async def test_what_lies_there_and_what_comes_is_acted_on_and_left_as_it_is(
    ground: Ground, smtp: Catcher, server: Server
) -> None:
    mail = await given.mailed(ground, smtp)
    server.deliver(given.bounce(mail))
    async with reading(ground, server) as changed:
        await until_read(ground, 1)
        assert await given.suppressed(ground) == ["hard-bounce"]
        await server.heard("IDLE")
        server.deliver(given.asked(mail))
        await until_read(ground, 2)
        assert await given.subscriptions(ground) == ["unsubscribed"]
        assert (await until_said(changed, "")).last_message_at is not None
    assert [each.flags for each in server.folders["INBOX"].messages.values()] == [set(), set()]
    assert any(each.startswith("EXAMINE") for each in server.commands)
    (kept,) = await given.returned(ground)
    assert kept.via == "imap"


@pytest.mark.storage
async def test_the_next_start_goes_on_behind_what_was_read(
    ground: Ground, smtp: Catcher, server: Server
) -> None:
    mail = await given.mailed(ground, smtp)
    for _ in range(3):
        server.deliver(given.bounce(mail))
    async with reading(ground, server):
        await until_read(ground, 3)
    server.commands.clear()
    server.deliver(reports.letter(to="returns", subject="Hello"))
    async with reading(ground, server):
        await until_read(ground, 4)
    fetched = [each for each in server.commands if each.startswith("UID FETCH")]
    assert [each.split()[2] for each in fetched] == ["4"]
    assert len(await given.returned(ground)) == 1


@pytest.mark.parametrize("capabilities", [["IMAP4rev1"], ["IMAP4rev1", "AUTH=PLAIN", "UIDPLUS"]])
async def test_a_server_that_can_little_is_asked_again_and_again(
    ground: Ground, smtp: Catcher, server: Server, capabilities: list[str]
) -> None:
    server.capabilities = capabilities
    mail = await given.mailed(ground, smtp)
    async with reading(ground, server, poll_s=0.01):
        await server.heard("UID SEARCH", times=3)
        server.deliver(given.bounce(mail))
        await until_read(ground, 1)
    assert await given.suppressed(ground) == ["hard-bounce"]
    assert "IDLE" not in server.commands


async def test_a_server_that_hangs_up_in_the_middle_of_a_message_is_asked_for_it_again(
    ground: Ground, smtp: Catcher, server: Server
) -> None:
    mail = await given.mailed(ground, smtp)
    server.hang_ups = 2
    server.deliver(given.bounce(mail))
    server.deliver(reports.letter(to="returns", subject="Hello"))
    async with reading(ground, server) as changed:
        await until_read(ground, 2)
        await until_said(changed, "")
    assert server.accepted == 3
    assert len(await given.returned(ground)) == 1


async def test_a_message_at_which_the_server_always_breaks_does_not_keep_back_the_others(
    ground: Ground, smtp: Catcher, server: Server
) -> None:
    mail = await given.mailed(ground, smtp)
    server.hang_ups = 5
    server.deliver(reports.letter(to="returns", subject="Hello"))
    server.deliver(given.bounce(mail))
    async with reading(ground, server) as changed:
        await until_said(changed, "message 1 of INBOX was left")
        await until_read(ground, 2)
    assert await given.suppressed(ground) == ["hard-bounce"]


async def test_a_server_that_ends_every_connection_is_come_back_to(
    ground: Ground, smtp: Catcher, server: Server
) -> None:
    mail = await given.mailed(ground, smtp)
    async with reading(ground, server):
        await server.heard("IDLE")
        server.drop_everybody()
        await server.heard("IDLE", times=2)
        server.deliver(given.bounce(mail))
        await until_read(ground, 1)


async def test_a_server_that_falls_silent_is_left_and_the_state_says_so(
    ground: Ground, server: Server
) -> None:
    server.is_mute = True
    async with reading(ground, server, timeout_s=0.25) as changed:
        await until_said(changed, "did not answer in time")
        server.is_mute = False
        await until_said(changed, "")


async def test_a_login_that_is_refused_is_said_in_the_servers_words(ground: Ground) -> None:
    for mechanism in ("AUTH=PLAIN", ""):
        async with imap.running() as server:
            server.capabilities = ["IMAP4rev1", mechanism]
            server.refuses_everybody = True
            async with reading(ground, server) as changed:
                state = await until_said(changed, "not with this password")
                assert not state.is_well, mechanism
                server.refuses_everybody = False
                await until_said(changed, "")


CLOSED: Sequence[tuple[dict[str, object], str]] = (
    ({"greeting": "* BYE too many connections"}, "too many connections"),
    ({"greeting": "220 this is SMTP"}, "this is SMTP"),
    ({"greeting": "\x1b[2J\x07"}, "[2J"),
    ({"capabilities": ["IMAP4rev1", "LOGINDISABLED"]}, "not secured"),
    ({"folders": {"Other": imap.Folder()}}, "no such folder"),
)


async def test_whatever_keeps_us_out_is_said(ground: Ground) -> None:
    for change, words in CLOSED:
        async with imap.running() as server:
            for name, value in change.items():
                setattr(server, name, value)
            async with reading(ground, server) as changed:
                state = await until_said(changed, words)
                assert state.said.isprintable(), words


@pytest.mark.storage
async def test_when_uids_mean_other_messages_everything_is_read_anew_and_counts_once(
    ground: Ground, smtp: Catcher, server: Server
) -> None:
    mail = await given.mailed(ground, smtp)
    second = await given.mailed(ground, smtp, campaign_id=2)
    for _ in range(5):
        server.deliver(reports.letter(to="returns", subject="Hello"))
    server.deliver(given.bounce(mail))
    async with reading(ground, server):
        await until_read(ground, 6)
    inbox = server.folders["INBOX"]
    del inbox.messages[1], inbox.messages[2]
    server.renumber()
    server.deliver(reports.status_report(to=second.mail_from))
    async with reading(ground, server):

        async def is_so(session: AsyncSession) -> bool:
            return len((await session.exec(select(Return))).all()) == 2

        await mailing.until(ground, is_so)
        await until_read(ground, 5)


@pytest.mark.storage
async def test_a_mail_that_a_stop_left_unmarked_is_acted_on_once_and_marked_by_the_next_start(
    ground: Ground, smtp: Catcher, server: Server, clock: FakeClock
) -> None:
    mail = await given.mailed(ground, smtp)
    server.deliver(given.asked(mail, Message_ID="<1@mail.example>"))
    forged = reports.status_report(to=given.ANA)
    server.deliver(b"Message-ID: <2@mx.example>\r\n" + forged)
    server.ignores = "UID STORE"
    async with reading(ground, server, afterwards="seen"):
        await server.heard("UID STORE")
    assert await given.subscriptions(ground) == ["unsubscribed"]
    assert server.folders["INBOX"].messages[1].flags == set()

    await _comes_back(ground)
    server.ignores = ""
    async with reading(ground, server, afterwards="seen"):
        await until_read(ground, 2)
    assert server.folders["INBOX"].messages[1].flags == {"\\Seen"}
    clock.advance(days=40)
    await returns.tidy(ground)
    server.renumber()
    server.deliver(reports.letter(to="returns", subject="Hello"))
    async with reading(ground, server, afterwards="seen"):
        await until_read(ground, 3)
    assert await given.subscriptions(ground) == ["confirmed"], "she came back since then"
    (kept,) = await given.returned(ground)
    assert kept.times == 1

    for _ in range(2):
        await _comes_back(ground)
        await returns.ingest(ground, given.asked(mail))
        assert await given.subscriptions(ground) == ["unsubscribed"], "it may be another mail"


async def _comes_back(ground: Ground) -> None:
    async with ground.db.transaction() as session:
        await session.execute(sa.update(Subscription).values(state="confirmed"))


async def test_a_long_message_is_held_in_part_whatever_the_server_sends(
    ground: Ground, smtp: Catcher, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail = await given.mailed(ground, smtp)
    monkeypatch.setattr(inbound_mailbox, "KEPT_BYTES", 20_000)
    lengths: list[int] = []
    ingest = returns.ingest

    async def noting(ground: Ground, octets: bytes, *, via: str, envelope_to: str) -> Ingested:
        lengths.append(len(octets))
        return await ingest(ground, octets, via=via, envelope_to=envelope_to)

    monkeypatch.setattr(returns, "ingest", noting)
    server.knows_no_part = True
    server.deliver(given.bounce(mail) + b"x" * 3_000_000)
    server.deliver(reports.letter(to="returns", subject="Hello"))
    async with reading(ground, server):
        await until_read(ground, 2)
    assert lengths[0] == 20_000
    assert await given.suppressed(ground) == ["hard-bounce"]


async def test_a_message_may_come_as_a_quoted_string(
    ground: Ground, smtp: Catcher, server: Server
) -> None:
    mail = await given.mailed(ground, smtp)
    server.quotes = True
    server.deliver(f'Subject: "\\" {given.unsubscribe_token(mail)}'.encode())
    async with reading(ground, server):
        await until_read(ground, 1)
    assert await given.subscriptions(ground) == ["unsubscribed"]


AFTERWARDS = (
    ("seen", ""),
    ("move", "MOVE"),
    ("move", "UIDPLUS"),
    ("delete", "UIDPLUS"),
    ("delete", ""),
)


async def test_only_what_was_acted_on_is_marked_moved_or_deleted(
    ground: Ground, smtp: Catcher
) -> None:
    mail = await given.mailed(ground, smtp)
    for afterwards, extensions in AFTERWARDS:
        async with imap.running() as server:
            await _acted_on(ground, server, mail, afterwards, extensions)


async def _acted_on(
    ground: Ground, server: Server, mail: Received, afterwards: str, extensions: str
) -> None:
    server.capabilities = ["IMAP4rev1", "AUTH=PLAIN", "IDLE", extensions]
    marked = server.deliver(reports.letter(to="returns", subject="somebody's own"))
    server.folders["INBOX"].messages[marked].flags.add("\\Deleted")
    bounce = given.bounce(mail)
    server.deliver(bounce)
    server.deliver(reports.letter(to="returns", subject="Hello"))
    async with reading(ground, server, afterwards=afterwards, move_to="Done/Año & más"):
        await until_read(ground, 3, port=server.port)
        await server.heard("IDLE")
    left = server.folders["INBOX"].messages
    assert left[1].flags == {"\\Deleted"}
    assert left[3].flags == set()
    if afterwards == "seen":
        assert left[2].flags == {"\\Seen"}
    elif afterwards == "delete" and not extensions:
        assert left[2].flags == {"\\Deleted"}, "a plain EXPUNGE would take others along"
    else:
        assert 2 not in left
    if afterwards == "move":
        moved = server.folders["Done/A&APE-o &- m&AOE-s"].messages
        assert [each.octets for each in moved.values()] == [bounce]


async def test_several_folders_are_read(ground: Ground, smtp: Catcher, server: Server) -> None:
    mail = await given.mailed(ground, smtp)
    server.folders["Spam"] = imap.Folder()
    server.deliver(given.bounce(mail), "Spam")
    async with reading(ground, server, folders=["INBOX", "Spam"], poll_s=0.01):
        await until_read(ground, 1, "Spam")
        server.deliver(given.asked(mail), "Spam")
        server.deliver(reports.letter(to="returns", subject="Hello"))
        await until_read(ground, 2, "Spam")
        await until_read(ground, 1)
    assert await given.subscriptions(ground) == ["unsubscribed"]


async def test_one_message_that_breaks_us_is_left_and_the_others_are_read(
    ground: Ground, smtp: Catcher, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail = await given.mailed(ground, smtp)
    ingest = returns.ingest

    async def breaking(ground: Ground, octets: bytes, *, via: str, envelope_to: str) -> Ingested:
        if b"breaks" in octets:
            raise ZeroDivisionError
        return await ingest(ground, octets, via=via, envelope_to=envelope_to)

    monkeypatch.setattr(returns, "ingest", breaking)
    server.deliver(reports.letter(to="returns", subject="breaks"))
    server.deliver(given.bounce(mail))
    async with reading(ground, server, afterwards="delete") as changed:
        await until_said(changed, "message 1 of INBOX was left: ZeroDivisionError")
        await until_read(ground, 2)
    assert list(server.folders["INBOX"].messages) == [1]


@pytest.mark.storage
async def test_of_two_processes_one_reads_and_the_other_takes_over_when_it_is_gone(
    ground: Ground,
    smtp: Catcher,
    server: Server,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mail = await given.mailed(ground, smtp)
    tries: list[bool] = []
    has_tried = asyncio.Event()
    take_lease = Mailbox._take_lease

    async def trying(self: Mailbox) -> bool:
        tries.append(await take_lease(self))
        if len(tries) > 2:
            has_tried.set()
        return tries[-1]

    monkeypatch.setattr(Mailbox, "_take_lease", trying)
    async with ground.db.transaction() as session:
        name = f"{imap.USER}@127.0.0.1:{server.port}"
        until = clock.now() + inbound_mailbox.LEASE
        session.add(ImapMailbox(name=name, holder="another", leased_until=until))
    server.deliver(given.bounce(mail))
    async with reading(ground, server, poll_s=0.01):
        await has_tried.wait()
        assert (tries[:3], server.accepted) == ([False] * 3, 0)
        clock.advance(seconds=inbound_mailbox.LEASE.total_seconds())
        await until_read(ground, 1)
    async with ground.db.reading() as session:
        assert (await session.exec(select(ImapMailbox))).all() == [], "given back at the end"


async def test_while_two_processes_want_it_each_message_is_fetched_once(
    ground: Ground, smtp: Catcher, server: Server
) -> None:
    mail = await given.mailed(ground, smtp)
    async with reading(ground, server, poll_s=0.01), reading(ground, server, poll_s=0.01):
        for _ in range(5):
            await until_read(ground, server.deliver(given.bounce(mail)))
    assert sum(each.startswith("UID FETCH") for each in server.commands) == 5
    assert server.accepted == 1


@pytest.mark.parametrize("tls", ["tls", "starttls"])
@pytest.mark.parametrize("name", ["localhost", "elsewhere.example"])
async def test_a_mailbox_is_read_under_tls_from_the_server_that_was_meant(
    ground: Ground,
    smtp: Catcher,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    tls: str,
    name: str,
) -> None:
    context = certificates.certified(tmp_path, certificates.Certificate(name=name))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    mail = await given.mailed(ground, smtp)
    async with imap.running(tls=context if tls == "tls" else None) as server:
        server.tls = context if tls == "starttls" else None
        server.deliver(given.bounce(mail))
        async with reading(ground, server, host="localhost", tls=tls) as changed:
            if name == "localhost":
                await until_read(ground, 1)
            else:
                await until_said(changed, "certificate")
    assert any(each.startswith("AUTHENTICATE") for each in server.commands) is (name == "localhost")
