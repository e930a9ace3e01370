"""The machine's clock jumps by an hour in the middle of sending; what counts time goes on."""

import quopri
import re
import time
import types
from collections.abc import Iterable
from pathlib import Path

import pytest
from sqlmodel import select

from delivery import letter, shift, worker
from delivery.journal import Journal
from delivery.models import DeliveryState, NoticeState, QueuedNotice, Worker
from foundation.ground import Ground
from foundation.notices import Notice
from foundation.tokens import Purpose
from tests.world import mailing, sink
from tests.world.clock import FakeClock
from tests.world.sink import Connection, Sink

PEOPLE = 40
one_connection = pytest.mark.settings(relay={"connections": 1})
jumps = pytest.mark.parametrize("hours", [1, -1], ids=["forwards", "backwards"])


def steps(ground: Ground, contents: Iterable[bytes]) -> set[int]:
    """When these mails went out, by the links in them: steps of ten seconds since the start."""
    words = quopri.decodestring(b"".join(contents))
    tokens = re.findall(rb"handbill\.test/r/([\w-]+)", words)
    return {ground.tokens.open(Purpose.CLICK, token.decode())[-1] for token in tokens}


@pytest.mark.storage
@one_connection
@jumps
async def test_when_the_clock_jumps_under_a_last_dot_everybody_gets_one(
    ground: Ground, server: Sink, clock: FakeClock, hours: int
) -> None:
    topic = await mailing.crowd(ground, PEOPLE)
    await mailing.start(ground, topics=[topic])
    held = sink.Holding()
    server.acts["dot"], server.contents = held, []
    async with mailing.sending(ground):
        connection = await held.reached()
        clock.advance(hours=hours)
        server.acts.clear()
        connection.take()
        held.release()
        await mailing.stand(ground, sent=PEOPLE)
    assert server.taken == dict.fromkeys(map(mailing.address, range(1, PEOPLE + 1)), 1)
    assert {row.attempts for row in await mailing.rows(ground)} == {1}
    assert steps(ground, server.contents) == ({0, 360} if hours > 0 else {0})


@pytest.mark.storage
@pytest.mark.settings(relay={"connections": 1}, delivery={"batch_size": 10})
@jumps
async def test_when_the_clock_jumps_before_a_last_dot_everybody_gets_one(
    ground: Ground, server: Sink, clock: FakeClock, hours: int
) -> None:
    topic = await mailing.crowd(ground, PEOPLE)
    await mailing.start(ground, topics=[topic])
    held = sink.Holding()
    server.acts["RCPT"] = held
    async with mailing.sending(ground):
        await held.reached()
        clock.advance(hours=hours)
        server.acts.clear()
        held.release()
        if hours < 0:
            # What was claimed goes out; the rest is due when the clock has caught up.
            await mailing.stand(ground, sent=10)
            clock.advance(hours=1)
        await mailing.stand(ground, sent=PEOPLE)
    assert server.taken == dict.fromkeys(map(mailing.address, range(1, PEOPLE + 1)), 1)
    assert not any(row.worker_id for row in await mailing.rows(ground))


@one_connection
async def test_a_lease_that_runs_out_while_the_clock_goes_back_ends_the_message_without_its_dot(
    ground: Ground, server: Sink, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = await mailing.crowd(ground, 1)
    await mailing.start(ground, topics=[topic])
    held, sending = await mailing.held_at(ground, server, "RCPT")
    clock.advance(hours=-1)
    passed_s = ground.settings.delivery.lease_s
    later = types.SimpleNamespace(monotonic=lambda: time.monotonic() + passed_s)
    monkeypatch.setattr(letter, "time", later)
    server.acts.clear()
    held.release()
    await sending
    assert (server.total, server.accepted) == (0, 1)
    clock.advance(hours=1)
    await worker.run_until_idle(ground)
    assert server.taken == {mailing.address(1): 1}


@one_connection
@jumps
async def test_who_was_put_off_is_tried_again_once_when_due_by_the_clock_of_then(
    ground: Ground, server: Sink, clock: FakeClock, hours: int
) -> None:
    topic = await mailing.crowd(ground, 2)
    await mailing.start(ground, topics=[topic])

    def put_off_once(connection: Connection) -> None:
        server.acts.clear()
        connection.say(b"451 4.3.0 later\r\n")

    server.acts["RCPT"] = put_off_once
    async with mailing.sending(ground):
        await mailing.stand(ground, sent=1, deferred=1)
        clock.advance(hours=hours)
        if hours < 0:
            clock.advance(hours=1, minutes=5)
        await mailing.stand(ground, sent=2)
    assert set(server.taken.values()) == {1}
    row = next(row for row in await mailing.rows(ground) if row.attempts == 2)
    assert row.state == DeliveryState.SENT


@one_connection
async def test_a_confirmation_that_was_queued_before_the_clock_went_back_does_not_wait_for_it(
    ground: Ground, server: Sink, clock: FakeClock
) -> None:
    async with ground.db.transaction() as session:
        notice = Notice(
            kind="confirm",
            to="new@example.org",
            language="en",
            context={"confirm_url": "http://handbill.test/confirm/1", "topics": "Action alerts"},
        )
        await ground.notices.queue(session, notice)
    clock.advance(hours=-1)
    async with mailing.sending(ground):
        await server.reached_by("new@example.org")
    async with ground.db.reading() as session:
        (row,) = (await session.exec(select(QueuedNotice))).all()
    assert row.state == NoticeState.SENT


async def test_after_the_clock_went_back_a_process_that_dies_is_still_found(
    ground: Ground, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shift, "_RECOVER_EVERY_S", 0.0)
    async with mailing.sending(ground):
        await mailing.workers(ground, 1)
        clock.advance(hours=-1)
        dead = Journal.create(Path(ground.settings.delivery.journal_dir))
        now = clock.now()
        async with ground.db.transaction() as session:
            session.add(
                Worker(node="here", pid=1, journal=dead.path.name, started_at=now, seen_at=now)
            )
        dead.close()
        await mailing.workers(ground, 1)
