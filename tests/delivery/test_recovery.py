"""What a process that is gone left in its journal and its leases, and who settles it."""

import asyncio
import contextlib
import os
import re
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery import dispatch, journal, ledger, outbox, recovery, worker
from delivery.journal import Entry, Journal
from delivery.letter import Kind, Reply, Result, Verdict
from delivery.models import Delivery, DeliveryState, NoticeState, QueuedNotice, Reason, Worker
from foundation.ground import Ground
from foundation.notices import Notice
from tests.world import mailing
from tests.world.clock import FakeClock
from tests.world.sink import Connection, Sink
from tests.world.smtp import Catcher

Deliver = Callable[[], Awaitable[None]]


class Process:
    """A sending process as far as others see it: a row, a locked journal, and leases."""

    def __init__(self, ground: Ground, mine: Journal, number: int) -> None:
        self.ground = ground
        self.journal = mine
        self.id = number

    @classmethod
    async def start(cls, ground: Ground, *, node: str = "here") -> "Process":
        """Take a journal, then a row."""
        mine = Journal.create(Path(ground.settings.delivery.journal_dir))
        now = ground.clock.now()
        row = Worker(node=node, pid=1, journal=mine.path.name, started_at=now, seen_at=now)
        async with ground.db.transaction() as session:
            session.add(row)
        return cls(ground, mine, row.id)

    async def claim(self, limit: int) -> list[int]:
        """Lease so many rows."""
        now = self.ground.clock.now()
        until = now + timedelta(seconds=self.ground.settings.delivery.lease_s)
        async with self.ground.db.transaction() as session:
            found = await ledger.claim(
                session, worker_id=self.id, limit=limit, now=now, until=until
            )
        return [row.id for row in found]

    async def claim_notice(self) -> int:
        """Lease one notice."""
        now = self.ground.clock.now()
        async with self.ground.db.transaction() as session:
            (found,) = await outbox.claim(
                session, worker_id=self.id, limit=1, now=now, until=now + timedelta(minutes=2)
            )
        return found.id

    def intend(self, number: int, attempt: int = 1, kind: Kind = Kind.DELIVERY) -> None:
        """Write that the last dot comes next."""
        self.journal.intend((kind, number, attempt))

    def conclude(self, number: int, attempt: int = 1) -> None:
        """Write that the relay took it."""
        self.journal.conclude(self.sent(number, attempt))

    def sent(self, number: int, attempt: int = 1) -> Result:
        """What is recorded of a mail that the relay took."""
        return Result(
            kind=Kind.DELIVERY,
            id=number,
            attempt=attempt,
            verdict=Verdict.SENT,
            at=self.ground.clock.now(),
            reply=Reply(250, "taken", "relay"),
        )

    def die(self) -> None:
        """The kernel lets go of the lock; the file stays."""
        self.journal.close()


async def recover(ground: Ground, node: str = "here") -> int:
    return await recovery.recover(ground, node=node)


async def outcomes(ground: Ground) -> list[tuple[str, str]]:
    found = await mailing.rows(ground)
    assert all(row.worker_id is None for row in found)
    await mailing.counts(ground)
    return [(row.state, row.reason) for row in found]


async def crowd(ground: Ground, size: int) -> None:
    topic = await mailing.crowd(ground, size)
    await mailing.start(ground, topics=[topic])


async def queue_notices(ground: Ground, *names: str) -> None:
    """A mail to each of these people alone."""
    async with ground.db.transaction() as session:
        for name in names:
            notice = Notice(
                kind="join_received",
                to=f"{name}@example.org",
                language="en",
                context={"organisation": "Tenants"},
            )
            await ground.notices.queue(session, notice)


@pytest.mark.storage
async def test_each_row_of_a_dead_process_ends_as_its_journal_says(
    ground: Ground, smtp: Catcher, deliver: Deliver
) -> None:
    await crowd(ground, 5)
    dead = await Process.start(ground)
    _, intended, answered, recorded, old = await dead.claim(5)
    dead.intend(intended)
    dead.intend(answered)
    dead.conclude(answered)
    dead.intend(recorded)
    dead.conclude(recorded)
    async with ground.db.transaction() as session:
        await ledger.record(session, worker_id=dead.id, results=[dead.sent(recorded)])
    dead.intend(old, attempt=0)
    dead.die()
    assert await recover(ground) == 1
    assert await outcomes(ground) == [
        ("queued", ""),
        ("uncertain", Reason.CRASHED),
        ("sent", ""),
        ("sent", ""),
        ("queued", ""),
    ]
    await deliver()
    assert sorted(each.rcpt_to for each in smtp.messages) == [
        mailing.address(1),
        mailing.address(5),
    ]


@pytest.mark.storage
async def test_a_crash_makes_nobody_due_who_waits_for_their_hour(
    ground: Ground, clock: FakeClock, smtp: Catcher, deliver: Deliver
) -> None:
    topic = await mailing.crowd(ground, 5)
    kind = sa.inspect(Delivery).columns["due_at"].type
    now, later = (
        sa.literal(each, type_=kind) for each in (clock.now(), clock.now() + timedelta(hours=1))
    )
    await mailing.start(
        ground,
        topics=[topic],
        not_before=lambda subscriber: sa.case((subscriber > 3, later), else_=now),
    )
    dead = await Process.start(ground)
    _, intended, answered = await dead.claim(5)
    dead.intend(intended)
    dead.intend(answered)
    dead.conclude(answered)
    dead.die()
    await recover(ground)
    waits = ("queued", Reason.OWN_TIME)
    assert await outcomes(ground) == [
        ("queued", ""),
        ("uncertain", Reason.CRASHED),
        ("sent", ""),
        waits,
        waits,
    ]
    await deliver()
    assert [each.rcpt_to for each in smtp.messages] == [mailing.address(1)]
    clock.advance(hours=1)
    await deliver()
    assert sorted(each.rcpt_to for each in smtp.messages) == [
        mailing.address(number) for number in (1, 4, 5)
    ]


@pytest.mark.settings(relay={"connections": 1})
async def test_the_intent_is_on_disk_when_the_last_dot_arrives_and_not_before(
    ground: Ground, server: Sink, tmp_path: Path
) -> None:
    await crowd(ground, 1)
    said: list[dict[tuple[Kind, int], Entry]] = []

    def read_the_journal(connection: Connection) -> None:
        (file,) = (tmp_path / "journal").iterdir()
        copy = tmp_path / "copy.journal"
        copy.write_bytes(file.read_bytes())
        abandoned = journal.take_over(copy)
        assert abandoned is not None
        said.append(dict(abandoned.replay().entries))
        abandoned.retire()
        connection.say(b"354 go on\r\n" if len(said) == 1 else b"250 OK\r\n")

    def begin(connection: Connection) -> None:
        read_the_journal(connection)
        connection.expect_content()

    server.acts = {"DATA": begin, "dot": read_the_journal}
    await worker.run_until_idle(ground)
    assert said == [{}, {(Kind.DELIVERY, 1): Entry(1, None)}]
    assert (await mailing.counts(ground)).sent == 1


@pytest.mark.settings(relay={"connections": 1}, delivery={"record_interval_s": 3600})
async def test_what_came_of_a_message_is_on_disk_though_no_other_follows(
    ground: Ground, server: Sink, tmp_path: Path
) -> None:
    await crowd(ground, 1)
    async with mailing.sending(ground):
        await server.reached(1)
        (file,) = (tmp_path / "journal").iterdir()

        async def is_noted(_session: AsyncSession) -> bool:
            return b'"R"' in file.read_bytes()

        await mailing.until(ground, is_noted)
        assert (await mailing.counts(ground)).sent == 0, "the ledger has it later"
    assert (await mailing.counts(ground)).sent == 1


@pytest.mark.settings(relay={"connections": 8}, delivery={"record_interval_s": 0.001})
async def test_the_journal_forgets_nothing_that_the_ledger_does_not_have(
    ground: Ground, server: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = ground.settings.database.url.removeprefix("sqlite:///")
    forgotten: set[int] = set()
    clear = Journal.clear

    def watched(mine: Journal) -> None:
        told = set(map(int, re.findall(rb'"[IR]","d",(\d+),', mine.path.read_bytes())))
        with contextlib.closing(sqlite3.connect(file)) as beside:
            waiting = beside.execute("SELECT id FROM deliveries WHERE state = 'queued'").fetchall()
        assert not told & {number for (number,) in waiting}
        forgotten.update(told)
        clear(mine)

    monkeypatch.setattr(Journal, "clear", watched)
    await crowd(ground, 300)
    await worker.run_until_idle(ground)
    assert server.total == 300
    assert forgotten


@pytest.mark.storage
async def test_replaying_a_journal_twice_changes_nothing(ground: Ground, clock: FakeClock) -> None:
    await crowd(ground, 3)
    dead = await Process.start(ground)
    for number in await dead.claim(2):
        dead.intend(number)
    dead.conclude(1)
    dead.die()
    octets = dead.journal.path.read_bytes()
    assert await recover(ground) == 1
    first = await outcomes(ground)
    clock.advance(minutes=1)
    # As if the process that replayed it had died before it could delete the file.
    dead.journal.path.write_bytes(octets)
    async with ground.db.transaction() as session:
        (await session.get_one(Worker, dead.id)).closed_at = None
    assert await recover(ground) == 1
    assert await outcomes(ground) == first
    assert await recover(ground) == 0


@pytest.mark.storage
async def test_of_several_who_find_a_dead_process_one_settles_it(ground: Ground) -> None:
    await crowd(ground, 2)
    dead = await Process.start(ground)
    dead.intend((await dead.claim(2))[0])
    dead.die()
    assert sum(await asyncio.gather(*(recover(ground) for _ in range(4)))) == 1
    assert [state for state, _ in await outcomes(ground)] == ["uncertain", "queued"]


@pytest.mark.storage
async def test_of_several_who_give_up_a_process_whose_journal_is_gone_one_settles_it(
    ground: Ground, clock: FakeClock
) -> None:
    await crowd(ground, 2)
    gone = await Process.start(ground)
    await gone.claim(2)
    gone.journal.retire()
    clock.advance(days=1)
    assert sum(await asyncio.gather(*(recover(ground) for _ in range(4)))) == 1
    assert await outcomes(ground) == [("uncertain", Reason.JOURNAL_LOST)] * 2


@pytest.mark.storage
async def test_a_living_process_keeps_its_rows_however_long_it_takes(
    ground: Ground, smtp: Catcher, deliver: Deliver, clock: FakeClock
) -> None:
    await crowd(ground, 2)
    alive = await Process.start(ground)
    (number,) = await alive.claim(1)
    alive.intend(number)
    clock.advance(days=30)
    await deliver()
    assert [each.rcpt_to for each in smtp.messages] == [mailing.address(2)]
    (held, _) = await mailing.rows(ground)
    assert (held.state, held.worker_id) == (DeliveryState.QUEUED, alive.id)
    alive.die()
    await deliver()
    clock.advance(minutes=1)
    assert (await mailing.counts(ground)).uncertain == 1


@pytest.mark.storage
async def test_a_damaged_journal_makes_what_its_process_held_uncertain_and_sends_nobody_twice(
    ground: Ground, smtp: Catcher, deliver: Deliver
) -> None:
    await crowd(ground, 4)
    dead = await Process.start(ground)
    sent, *_ = await dead.claim(3)
    dead.intend(sent)
    dead.conclude(sent)
    dead.die()
    header, intent, conclusion, _ = dead.journal.path.read_bytes().split(b"\n")
    dead.journal.path.write_bytes(b"\n".join([header, intent[:-3], conclusion, b""]))
    await deliver()
    assert await outcomes(ground) == [
        ("sent", ""),
        ("uncertain", Reason.JOURNAL_LOST),
        ("uncertain", Reason.JOURNAL_LOST),
        ("sent", ""),
    ]
    assert [each.rcpt_to for each in smtp.messages] == [mailing.address(4)]


@pytest.mark.storage
@pytest.mark.parametrize(
    ("node", "patience"),
    [("here", timedelta(seconds=240)), ("another-machine", timedelta(hours=24))],
)
async def test_leases_whose_journal_nobody_can_read_are_held_until_they_can_not_be_in_use(
    ground: Ground, clock: FakeClock, node: str, patience: timedelta
) -> None:
    await crowd(ground, 1)
    gone = await Process.start(ground, node=node)
    await gone.claim(1)
    gone.journal.retire()
    clock.advance(seconds=patience.total_seconds() - 1)
    assert await recover(ground) == 0
    (row,) = await mailing.rows(ground)
    assert row.worker_id == gone.id
    clock.advance(seconds=1)
    assert await recover(ground) == 1
    assert await outcomes(ground) == [("uncertain", Reason.JOURNAL_LOST)]


@pytest.mark.settings(delivery={"uncertain": "resend"})
async def test_the_uncertain_of_a_crash_are_sent_again_where_the_settings_say_so(
    ground: Ground, smtp: Catcher, deliver: Deliver
) -> None:
    await crowd(ground, 1)
    dead = await Process.start(ground)
    dead.intend((await dead.claim(1))[0])
    dead.die()
    assert await recover(ground) == 1
    assert await outcomes(ground) == [("deferred", Reason.RESENT)]
    await deliver()
    assert await outcomes(ground) == [("sent", "")]
    assert len(smtp.messages) == 1


@pytest.mark.settings(delivery={"uncertain": "resend"})
async def test_the_uncertain_of_a_crash_are_not_sent_again_once_their_dispatch_is_cancelled(
    ground: Ground,
) -> None:
    await crowd(ground, 1)
    dead = await Process.start(ground)
    dead.intend((await dead.claim(1))[0])
    async with ground.db.transaction() as session:
        assert await dispatch.cancel(session, dispatch_id=1)
    dead.die()
    assert await recover(ground) == 1
    assert await outcomes(ground) == [("uncertain", Reason.CRASHED)]


async def test_a_lease_that_reached_the_database_after_its_process_was_settled_is_freed(
    ground: Ground, smtp: Catcher, deliver: Deliver
) -> None:
    await crowd(ground, 1)
    dead = await Process.start(ground)
    dead.die()
    assert await recover(ground) == 1
    await dead.claim(1)
    await deliver()
    assert await outcomes(ground) == [("sent", "")]
    assert len(smtp.messages) == 1


@pytest.mark.storage
async def test_a_notice_that_may_have_gone_out_before_a_crash_is_not_sent_again(
    ground: Ground, smtp: Catcher, deliver: Deliver
) -> None:
    await queue_notices(ground, "ana", "bo")
    dead = await Process.start(ground)
    dead.intend(await dead.claim_notice(), kind=Kind.NOTICE)
    dead.die()
    await deliver()
    assert [each.rcpt_to for each in smtp.messages] == ["bo@example.org"]
    async with ground.db.reading() as session:
        found = (await session.exec(select(QueuedNotice).order_by(col(QueuedNotice.id)))).all()
    assert [each.state for each in found] == [NoticeState.UNCERTAIN, NoticeState.SENT]


@pytest.mark.settings(delivery={"uncertain": "resend"})
async def test_a_notice_that_a_crash_made_uncertain_is_sent_again_where_the_settings_say_so(
    ground: Ground, smtp: Catcher, deliver: Deliver
) -> None:
    await queue_notices(ground, "ana")
    dead = await Process.start(ground)
    dead.intend(await dead.claim_notice(), kind=Kind.NOTICE)
    dead.die()
    await deliver()
    assert [each.rcpt_to for each in smtp.messages] == ["ana@example.org"]


@pytest.mark.storage
async def test_a_cancelled_row_of_a_dead_process_stays_cancelled_unless_its_mail_went_out(
    ground: Ground,
) -> None:
    await crowd(ground, 3)
    dead = await Process.start(ground)
    _, intended, answered = await dead.claim(3)
    dead.intend(intended)
    dead.intend(answered)
    dead.conclude(answered)
    async with ground.db.transaction() as session:
        assert await dispatch.cancel(session, dispatch_id=1)
    dead.die()
    await recover(ground)
    assert [state for state, _ in await outcomes(ground)] == ["cancelled", "uncertain", "sent"]


async def test_journals_that_are_settled_leave_no_file_behind(
    ground: Ground, smtp: Catcher, deliver: Deliver
) -> None:
    await crowd(ground, 2)
    dead = await Process.start(ground)
    await dead.claim(1)
    dead.die()
    await deliver()
    assert len(smtp.messages) == 2
    assert not dead.journal.path.exists()
    assert not any(dead.journal.path.parent.iterdir())
    async with ground.db.reading() as session:
        assert all(each.closed_at for each in (await session.exec(select(Worker))).all())


@pytest.mark.storage
async def test_an_old_and_empty_journal_of_a_process_that_never_had_a_row_is_cleared_away(
    ground: Ground, clock: FakeClock
) -> None:
    folder = Path(ground.settings.delivery.journal_dir)
    young, orphan, held, told = (Journal.create(folder) for _ in range(4))
    told.intend((Kind.DELIVERY, 1, 1))
    rowed = await Process.start(ground)
    for mine in (young, orphan, told, rowed.journal):
        mine.close()
    long_ago = (clock.now() - timedelta(hours=25)).timestamp()
    for mine in (orphan, held, told, rowed.journal):
        os.utime(mine.path, (long_ago, long_ago))
    os.utime(young.path, (clock.now().timestamp(),) * 2)
    await recover(ground)
    kept = [young, held, told]
    assert [mine for mine in (*kept, orphan, rowed.journal) if mine.path.exists()] == kept
    held.close()


@pytest.mark.storage
@pytest.mark.settings(delivery={"uncertain": "resend"})
@pytest.mark.parametrize(
    "verdict", [Verdict.SENT, Verdict.FAILED, Verdict.DEFERRED, Verdict.UNCERTAIN, Verdict.BACK]
)
async def test_a_result_of_somebody_who_lost_the_lease_changes_nothing(
    ground: Ground, verdict: Verdict
) -> None:
    await crowd(ground, 1)
    await queue_notices(ground, "ana")
    dead = await Process.start(ground)
    (number,) = await dead.claim(1)
    notice = await dead.claim_notice()
    dead.die()
    await recover(ground)
    heir = await Process.start(ground)
    await heir.claim(1)
    await heir.claim_notice()
    result = dead.sent(number)._replace(verdict=verdict, due_at=ground.clock.now())
    about_notice = result._replace(kind=Kind.NOTICE, id=notice)
    async with ground.db.transaction() as session:
        await ledger.record(session, worker_id=dead.id, results=[result])
        await outbox.record(session, worker_id=dead.id, results=[about_notice])
    async with ground.db.reading() as session:
        row = await session.get_one(Delivery, number)
        mail = await session.get_one(QueuedNotice, notice)
    assert (row.state, row.worker_id, row.attempts) == (DeliveryState.QUEUED, heir.id, 0)
    assert (mail.state, mail.worker_id, mail.attempts) == (NoticeState.QUEUED, heir.id, 0)
    assert mail.context, "what the heir is going to send"
    heir.die()
