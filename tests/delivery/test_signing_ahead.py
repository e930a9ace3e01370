"""Bulletins are signed beside what is sent: nothing waits that need not, and nothing is lost."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from email import message_from_bytes
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery import dispatch, dkim, signing_process, worker
from delivery.models import Delivery, DeliveryState, Reason
from foundation.config import Settings
from foundation.ground import Ground
from subscribers.models import Subscriber
from tests.delivery.test_dkim import verified, with_keys
from tests.delivery.test_priority import NEW, ask_to_confirm
from tests.world import mailing, sink
from tests.world.sink import Connection, Sink

PEOPLE = 60
CONNECTIONS = 2
LATER = mailing.address(40)
"""Somebody whose turn is not at once."""
AHEAD = 16
"""So many are signed ahead while nobody can say how fast they go, at most."""
WITHOUT_8BIT = ("PIPELINING", "SIZE 50000000", "SMTPUTF8")
PROGRAM = """
import os, runpy
from pathlib import Path

folder = Path({folder!r})
(folder / "process").write_text(str(os.getpid()))
told = os.open(folder / "told", os.O_WRONLY)
read, write = os.read, os.write
is_ready = False

def held(fd, size):
    come = read(fd, size)
    if come and is_ready:
        write(told, b"asked\\n")
        with open(folder / "gate"):  # as soon as somebody else has it open
            pass
    return come

def noted(fd, octets):
    global is_ready
    done = write(fd, octets)
    if not is_ready:
        is_ready = True
        write(told, b"ready\\n")
    return done

os.read, os.write = held, noted
runpy.run_path({program!r}, run_name="__main__")
"""
"""Runs the real program, which signs nothing until it is let go."""

pytestmark = pytest.mark.settings(relay={"connections": CONNECTIONS})


class Pen:
    """The process that signs, as a test has it: it tells by one pipe, and waits at another."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()
        self._gate = folder / "gate"
        os.mkfifo(self._gate)
        os.mkfifo(folder / "told")
        self._said = {"ready": asyncio.Event(), "asked": asyncio.Event()}
        self._loop = asyncio.get_running_loop()
        # For writing as well, so that it has an end here whoever comes and goes.
        self._open = [os.open(folder / "told", os.O_RDWR | os.O_NONBLOCK)]
        self._loop.add_reader(self._open[0], self._hear)
        self.program = folder / "program.py"
        self.program.write_text(
            PROGRAM.format(folder=str(folder), program=str(signing_process.PROGRAM))
        )

    @property
    def process(self) -> int:
        """Its number."""
        return int((self._folder / "process").read_text())

    def _hear(self) -> None:
        for word in os.read(self._open[0], 1000).decode().split():
            self._said[word].set()

    async def until(self, name: str) -> None:
        """Wait until it is `ready`, or `asked` something."""
        async with asyncio.timeout(60):
            await self._said[name].wait()

    async def until_gone(self) -> None:
        """Wait until there is no such process."""
        is_gone = asyncio.Event()
        try:
            process = os.pidfd_open(self.process)
        except ProcessLookupError:
            return
        self._loop.add_reader(process, is_gone.set)
        try:
            async with asyncio.timeout(60):
                await is_gone.wait()
        finally:
            self._loop.remove_reader(process)
            os.close(process)

    def let_go(self) -> None:
        """Sign whatever comes."""
        self._open.append(os.open(self._gate, os.O_RDWR))

    def close(self) -> None:
        """Nobody is there any more who waits for it, or it for them."""
        self._loop.remove_reader(self._open[0])
        for file in self._open:
            os.close(file)


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """As everywhere, and mail is signed with a key of each kind."""
    return with_keys(settings, tmp_path)


@pytest.fixture
async def pen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Pen]:
    """Signs nothing until it is let go."""
    made = Pen(tmp_path / "pen")
    monkeypatch.setattr(signing_process, "PROGRAM", made.program)
    try:
        yield made
    finally:
        made.close()


async def begin(ground: Ground) -> int:
    """A bulletin that is queued for everybody; returns its topic."""
    topic = await mailing.crowd(ground, PEOPLE)
    plan = mailing.plan(ground, html="<p>Mañana, reunión en Worcester.</p>")
    await mailing.start(ground, topics=[topic], plans={"en": plan})
    return topic


@asynccontextmanager
async def sending(ground: Ground, server: Sink, pen: Pen) -> AsyncIterator[int]:
    """A bulletin on its way, as far as whoever signs is not waited for; gives its topic."""
    held = sink.Holding()
    server.acts["dot"] = held
    server.contents = []
    topic = await begin(ground)
    async with mailing.sending(ground):
        await held.reached()
        await pen.until("ready")
        server.acts.clear()
        held.accept()
        await pen.until("asked")
        await server.at_rest()
        assert server.total < PEOPLE
        yield topic


async def nobody_holds_any(session: AsyncSession) -> bool:
    """Whether no row is a worker's."""
    held = sa.select(sa.func.count()).where(col(Delivery.worker_id).is_not(None))
    return not await session.scalar(held)


def check_each_got_one(ground: Ground, server: Sink, *, but: Sequence[str] = ()) -> None:
    """Everybody has one message, with two good signatures."""
    everybody = {mailing.address(number): 1 for number in range(1, PEOPLE + 1)}
    assert dict(server.taken) == {who: 1 for who in everybody if who not in but}
    assert server.contents is not None
    for content in server.contents:
        assert verified(ground, content) == [True, True]


async def check_the_rest_goes_out(ground: Ground, server: Sink) -> None:
    await server.reached(PEOPLE)
    await mailing.stand(ground, sent=PEOPLE)
    check_each_got_one(ground, server)


async def test_a_confirmation_goes_out_while_bulletins_wait_for_their_signatures(
    ground: Ground, server: Sink, pen: Pen
) -> None:
    async with sending(ground, server, pen):
        before = server.total
        await ask_to_confirm(ground)
        await server.reached_by(NEW)
        assert server.total == before + 1
        del server.taken[NEW]
        pen.let_go()
        await check_the_rest_goes_out(ground, server)


@pytest.mark.storage
async def test_what_is_being_signed_when_a_sender_stops_stays_queued_and_goes_out_later(
    ground: Ground, server: Sink, pen: Pen
) -> None:
    async with sending(ground, server, pen):
        before = server.total
    assert server.total == before
    await pen.until_gone()
    await mailing.until(ground, nobody_holds_any)
    pen.let_go()
    await worker.run_until_idle(ground)
    await check_the_rest_goes_out(ground, server)


@pytest.mark.storage
async def test_what_is_being_signed_when_a_campaign_is_paused_goes_out_when_it_goes_on(
    ground: Ground, server: Sink, pen: Pen
) -> None:
    async with sending(ground, server, pen):
        before = server.total
        async with ground.db.transaction() as session:
            assert await dispatch.pause(session, dispatch_id=1)
        pen.let_go()
        await mailing.until(ground, nobody_holds_any)
        assert server.total == before
        async with ground.db.transaction() as session:
            assert await dispatch.resume(session, dispatch_id=1)
        await check_the_rest_goes_out(ground, server)


@pytest.mark.settings(delivery={"relay_rest_s": 0.1}, relay={"connections": CONNECTIONS})
async def test_what_was_signed_when_the_relay_fails_goes_back_and_out_later(
    ground: Ground, server: Sink, pen: Pen
) -> None:
    async with sending(ground, server, pen):
        before = server.total
        server.acts["MAIL"] = server.acts["EHLO"] = sink.replying("421 4.3.2 closing")
        pen.let_go()
        await mailing.until(ground, nobody_holds_any)
        assert server.total == before
        server.acts.clear()
        await check_the_rest_goes_out(ground, server)


@pytest.mark.storage
async def test_when_the_process_that_signs_is_killed_the_sender_signs_by_itself(
    ground: Ground, server: Sink, pen: Pen
) -> None:
    async with sending(ground, server, pen):
        os.kill(pen.process, signal.SIGKILL)
        await check_the_rest_goes_out(ground, server)


async def test_a_signal_to_all_processes_of_a_service_leaves_the_one_that_signs_at_work(
    ground: Ground, server: Sink, pen: Pen
) -> None:
    async with sending(ground, server, pen):
        os.kill(pen.process, signal.SIGTERM)
        pen.let_go()
        await check_the_rest_goes_out(ground, server)
        os.kill(pen.process, 0)


async def test_when_the_process_that_signs_says_nothing_the_sender_signs_by_itself(
    ground: Ground, server: Sink, pen: Pen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signing_process, "PATIENCE_S", 0.2)
    async with sending(ground, server, pen):
        await check_the_rest_goes_out(ground, server)


async def test_where_no_process_can_sign_the_sender_does(
    ground: Ground, server: Sink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signing_process, "PROGRAM", tmp_path / "nothing")
    server.contents = []
    await begin(ground)
    await worker.run_until_idle(ground)
    await check_the_rest_goes_out(ground, server)


async def test_one_that_cannot_be_made_fails_alone(ground: Ground, server: Sink, pen: Pen) -> None:
    broken = sa.update(Subscriber).where(col(Subscriber.email) == LATER)
    async with sending(ground, server, pen) as topic:
        pen.let_go()
        await check_the_rest_goes_out(ground, server)
        server.taken.clear()
        async with ground.db.transaction() as session:
            await session.execute(broken.values(email="broken address@example.org"))
        await mailing.start(ground, topics=[topic], campaign_id=2)
        await mailing.stand(ground, 2, sent=PEOPLE - 1, failed=1)
    (failed,) = [row for row in await mailing.rows(ground, 2) if row.state != DeliveryState.SENT]
    assert (failed.state, failed.reason) == (DeliveryState.FAILED, Reason.UNMAILABLE)
    check_each_got_one(ground, server, but=[LATER])


@pytest.mark.settings(relay={"connections": 1, "messages_per_connection": 1})
async def test_mail_signed_for_one_relay_is_signed_anew_for_another_that_takes_less(
    ground: Ground, server: Sink, pen: Pen
) -> None:
    def take_and_change(connection: Connection) -> None:
        """Take a message; whoever connects from now on is offered 8BITMIME no longer, or again."""
        sink.usually("dot")(connection)
        offered = server.extensions
        server.extensions = WITHOUT_8BIT if "8BITMIME" in offered else (*WITHOUT_8BIT, "8BITMIME")

    async with sending(ground, server, pen):
        before = server.total
        server.acts["dot"] = take_and_change
        pen.let_go()
        await check_the_rest_goes_out(ground, server)
    assert server.contents is not None
    encodings = [
        message_from_bytes(content)["Content-Transfer-Encoding"]
        for content in server.contents[before:]
    ]
    assert encodings == [(None, "8bit")[number % 2 == 0] for number in range(len(encodings))]


async def test_no_more_are_signed_than_go_out_soon(
    ground: Ground, server: Sink, pen: Pen, monkeypatch: pytest.MonkeyPatch
) -> None:
    drafted = dkim.Signer.drafted
    made = []

    def noted(*given: object, **named: object) -> object:
        made.append(given)
        return drafted(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(dkim.Signer, "drafted", noted)
    async with sending(ground, server, pen):
        assert server.total < len(made) <= server.total + AHEAD + 2 * CONNECTIONS
        pen.let_go()
        await check_the_rest_goes_out(ground, server)
    assert len(made) <= PEOPLE + CONNECTIONS + 1, "each is made once, but for the first"
