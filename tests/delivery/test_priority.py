"""Somebody who waits for a confirmation never waits for a bulletin: told by order, not by time."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import pytest
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery import dispatch, ledger, shift
from delivery.letter import Letter
from delivery.models import RelayStatus
from delivery.waiting import Waiting
from foundation import courtesy
from foundation.ground import Ground
from foundation.notices import Notice
from tests.world import mailing, sink
from tests.world.sink import Connection, Sink

NEW = "new@example.org"
PEOPLE = 400
MANY = 60
"""So many go out while it is seen where a notice went; without its priority it waits for more."""
PLAIN = ("SIZE 50000000", "SMTPUTF8", "8BITMIME")


async def ask_to_confirm(ground: Ground, to: str = NEW) -> None:
    """A confirmation mail, queued as a sign-up does it."""
    notice = Notice(
        kind="confirm",
        to=to,
        language="en",
        context={"confirm_url": "http://handbill.test/confirm/1", "topics": "Action alerts"},
    )
    async with ground.db.transaction() as session:
        await ground.notices.queue(session, notice)


@pytest.fixture
def at_hand(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set when a worker has taken up a notice and put it among what waits to be sent."""
    is_there, put = asyncio.Event(), Waiting.put

    def putting(waiting: Waiting, letters: Iterable[Letter]) -> None:
        added = list(letters)
        put(waiting, added)
        if any(letter.is_notice for letter in added):
            is_there.set()

    monkeypatch.setattr(Waiting, "put", putting)
    return is_there


async def is_resting(session: AsyncSession) -> bool:
    found = (await session.exec(select(RelayStatus))).first()
    return found is not None and found.is_resting


class Turnstile:
    """Holds every last dot, and notes in which order the messages were taken."""

    def __init__(self, server: Sink) -> None:
        self._server = server
        self._held = sink.Holding()
        self.order: list[str] = []

    def __call__(self, connection: Connection) -> None:
        """A last dot came."""
        self.order.append(connection.recipient)
        connection.take()
        self._held(connection)

    def open(self) -> None:
        """Let everybody go on."""
        self._server.acts["dot"] = self._note
        self._held.release()

    def _note(self, connection: Connection) -> None:
        self.order.append(connection.recipient)
        sink.usually("dot")(connection)


@asynccontextmanager
async def at_full_speed(ground: Ground, server: Sink) -> AsyncIterator[Turnstile]:
    """A bulk dispatch, stopped in its tracks with a message on each connection."""
    gate = Turnstile(server)
    server.acts["dot"] = gate
    async with mailing.sending(ground):
        await server.reached(ground.settings.relay[0].connections)
        yield gate


async def begin(ground: Ground, *, dispatches: int = 1) -> None:
    topic = await mailing.crowd(ground, PEOPLE)
    for number in range(1, dispatches + 1):
        await mailing.start(ground, topics=[topic], campaign_id=number)


def check_it_went_ahead(ground: Ground, gate: Turnstile, before: int) -> None:
    """Nothing went before it but an envelope behind each last dot."""
    assert gate.order.index(NEW) - before <= ground.settings.relay[0].connections


@pytest.mark.storage
@pytest.mark.parametrize("extensions", [("PIPELINING", *PLAIN), PLAIN], ids=["pipelining", "plain"])
@pytest.mark.parametrize(
    "dispatches",
    [
        pytest.param(1, marks=pytest.mark.settings(relay={"connections": 1})),
        pytest.param(3, marks=pytest.mark.settings(relay={"connections": 4})),
    ],
    ids=["one-connection", "three-dispatches"],
)
async def test_a_confirmation_goes_ahead_of_all_bulk_that_is_not_on_the_wire(
    ground: Ground,
    server: Sink,
    at_hand: asyncio.Event,
    extensions: tuple[str, ...],
    dispatches: int,
) -> None:
    server.extensions = extensions
    await begin(ground, dispatches=dispatches)
    async with at_full_speed(ground, server) as gate:
        before = len(gate.order)
        await ask_to_confirm(ground)
        await at_hand.wait()
        gate.open()
        await server.reached(before + MANY)
        check_it_went_ahead(ground, gate, before)


@pytest.mark.settings(relay={"connections": 1})
@pytest.mark.parametrize("is_busy", [True, False], ids=["while-bulk-is-sent", "while-idle"])
async def test_a_notice_of_this_process_is_taken_up_when_it_is_committed_not_at_the_next_look(
    ground: Ground,
    server: Sink,
    at_hand: asyncio.Event,
    monkeypatch: pytest.MonkeyPatch,
    is_busy: bool,
) -> None:
    monkeypatch.setattr(shift, "LOOK_S", 3600.0)
    if is_busy:
        await begin(ground)
        async with at_full_speed(ground, server) as gate:
            await ask_to_confirm(ground)
            await at_hand.wait()
            gate.open()
            await server.reached(MANY)
            check_it_went_ahead(ground, gate, 1)
        return
    async with mailing.sending(ground):
        await mailing.workers(ground, 1)
        for number in range(3):
            await ask_to_confirm(ground, f"p{number}@example.org")
            await server.reached(number + 1)


@pytest.mark.storage
@pytest.mark.settings(relay={"connections": 2})
async def test_a_confirmation_does_not_wait_for_a_desk_full_of_what_was_paused(
    ground: Ground, server: Sink, at_hand: asyncio.Event
) -> None:
    await begin(ground, dispatches=2)
    async with at_full_speed(ground, server) as gate:
        before = len(gate.order)
        async with ground.db.transaction() as session:
            assert await dispatch.pause(session, dispatch_id=1)
        await ask_to_confirm(ground)
        await at_hand.wait()
        gate.open()
        await server.reached(before + MANY)
        check_it_went_ahead(ground, gate, before)


@pytest.mark.settings(relay={"connections": 1}, delivery={"relay_rest_s": 0.2})
async def test_when_a_relay_is_back_from_its_rest_a_confirmation_is_first(
    ground: Ground, server: Sink, at_hand: asyncio.Event
) -> None:
    await begin(ground)
    gate = Turnstile(server)
    held = sink.Holding()
    server.acts["MAIL"] = held
    async with mailing.sending(ground):
        await held.reached()
        await ask_to_confirm(ground)
        await at_hand.wait()
        server.acts = {"MAIL": sink.replying("421 4.3.2 later")}
        held.release(b"421 4.3.2 later\r\n")
        await mailing.until(ground, is_resting)
        server.acts.clear()
        gate.open()
        await server.reached(5)
    assert gate.order[0] == NEW


@pytest.mark.settings(relay={"connections": 1})
async def test_while_somebody_waits_for_a_page_only_what_is_on_the_wire_is_finished(
    ground: Ground, server: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courtesy, "HOLD_S", 3600.0)
    await begin(ground)

    async def is_recorded(session: AsyncSession) -> bool:
        return (await ledger.counts(session, 1)).sent >= len(on_the_wire)

    async with at_full_speed(ground, server) as gate:
        on_the_wire = ["whose last dot is held", "whose envelope went along with it"]
        with ground.courtesy.answering():
            gate.open()
            await mailing.until(ground, is_recorded)
            assert len(gate.order) == len(on_the_wire)
        await server.reached(PEOPLE)
