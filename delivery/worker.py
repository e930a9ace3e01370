"""A sending process: claims what is due, hands it to the relay, and records what came of it.

Order matters in three places. INTENT is in the journal before a message's last dot. A row's outcome
is in the ledger before the journal forgets it. A lease is given up only with an outcome, or
untouched. Everything else may fail at any moment.
"""

import asyncio
import contextlib
import os
import platform
import secrets
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlmodel import col

from delivery import dispatch, ledger, outbox, recovery
from delivery.composing import Composer
from delivery.journal import Journal, Kind, Reply
from delivery.ledger import Claimed, Outcome
from delivery.models import DeliveryState, QueuedNotice
from delivery.models import Worker as WorkerRow
from delivery.rechecking import Recheck, Verdict
from delivery.relay import Halt, RelayPool, Sender
from foundation import errors, logs
from foundation.ground import Ground

_log = logs.get("worker")

_IDLE_S = 0.5
_NOTICES = 20
_SEEN_EVERY = timedelta(seconds=15)
_RECOVER_EVERY = timedelta(seconds=30)
_LEASE_MARGIN = timedelta(seconds=5)
"""A message is not finished when its lease runs out sooner than this."""


@dataclass(frozen=True, slots=True)
class _Desk:
    """What a worker has while it works: its row and its journal."""

    row: WorkerRow
    journal: Journal


class Worker:
    """One sending process, or the sending part of one."""

    def __init__(self, ground: Ground, *, sender: Sender | None = None) -> None:
        settings = ground.settings
        self._ground = ground
        self._sender = sender or RelayPool(
            settings.relay, ground.clock, rest_s=settings.delivery.relay_rest_s
        )
        self._composer = Composer(ground)
        self._recheck = Recheck(ground)
        self._node = settings.delivery.node or platform.node() or "node"
        self._outcomes: list[Outcome] = []
        self._desk: _Desk | None = None
        self._recovered_at = ground.clock.now() - _RECOVER_EVERY
        self._trouble = ""

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop` is set; then finish what is on the wire and leave the rest queued."""
        while not stop.is_set():
            try:
                if self._desk is None:
                    await self._open()
                is_busy = await self._round(stop)
            except errors.Busy as problem:
                _log.warning("sending waits", said=str(problem))
                is_busy = False
            if not is_busy:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), _IDLE_S)
        await self._close()

    async def run_until_idle(self) -> None:
        """Send everything that is due now, then stop. Raises `errors.Busy`."""
        await self._open()
        try:
            while await self._round(asyncio.Event()):
                pass
        finally:
            await self._close()

    async def _open(self) -> None:
        folder = await asyncio.to_thread(Path(self._ground.settings.delivery.journal_dir).absolute)
        path = folder / f"{self._node}-{os.getpid()}-{secrets.token_hex(4)}.journal"
        journal = await asyncio.to_thread(
            Journal, path, fsync_interval_s=self._ground.settings.delivery.fsync_interval_s
        )
        now = self._ground.clock.now()
        row = WorkerRow(
            node=self._node, pid=os.getpid(), journal=str(path), started_at=now, seen_at=now
        )
        async with self._ground.db.transaction() as session:
            session.add(row)
            await session.flush()
        self._desk = _Desk(row=row, journal=journal)

    async def _close(self) -> None:
        await self._sender.close()
        desk, row = self._desk, self._desk.row if self._desk else None
        if desk is None or row is None:
            return
        try:
            await self._flush()
            async with self._ground.db.transaction() as session:
                await ledger.release(session, worker_id=row.id)
                await outbox.release(session, worker_id=row.id)
                row.closed_at = self._ground.clock.now()
                session.add(row)
        except errors.Busy:
            # The next process on this node finds the journal and settles everything.
            desk.journal.close()
        else:
            await asyncio.to_thread(desk.journal.remove)
        self._desk = None

    def _at_desk(self) -> _Desk:
        if self._desk is None:
            raise RuntimeError("the worker was not opened")
        return self._desk

    async def _round(self, stop: asyncio.Event) -> bool:
        """Notices, then a batch of the ledger; whether anything was handed over or settled."""
        await self._look_around()
        if self._sender.is_resting():
            return False
        self._trouble = ""
        sent_notices = await self._send_notices(stop)
        sent_rows = 0 if stop.is_set() else await self._send_deliveries(stop)
        await self._flush()
        await asyncio.to_thread(self._at_desk().journal.clear)
        if sent_rows:
            async with self._ground.db.transaction() as session:
                await dispatch.finish(self._ground, session)
        return bool(sent_notices or sent_rows)

    async def _look_around(self) -> None:
        """Say that we live; settle what dead processes left; close what nobody waits for."""
        row = self._at_desk().row
        now = self._ground.clock.now()
        if now - self._recovered_at >= _RECOVER_EVERY:
            self._recovered_at = now
            await recovery.recover(self._ground, node=self._node, besides=row.id)
            async with self._ground.db.transaction() as session:
                await dispatch.finish(self._ground, session)
        said = self._trouble or self._relay_trouble()
        if now - row.seen_at >= _SEEN_EVERY or said != row.said:
            row.seen_at, row.said = now, said
            async with self._ground.db.transaction() as session:
                await session.execute(
                    sa.update(WorkerRow)
                    .where(col(WorkerRow.id) == row.id)
                    .values(seen_at=now, said=said)
                )

    def _relay_trouble(self) -> str:
        if not isinstance(self._sender, RelayPool):
            return ""
        return "; ".join(
            f"{each.name}: {each.said}" for each in self._sender.states() if each.rests_until
        )

    async def _send_notices(self, stop: asyncio.Event) -> int:
        worker_id = self._at_desk().row.id
        now = self._ground.clock.now()
        until = now + timedelta(seconds=self._ground.settings.delivery.lease_s)
        async with self._ground.db.transaction() as session:
            claimed = await outbox.claim(
                session, worker_id=worker_id, limit=_NOTICES, now=now, until=until
            )
        queue = list(reversed(claimed))
        settled = 0

        async def work() -> None:
            nonlocal settled
            while queue and not stop.is_set() and not self._sender.is_resting():
                settled += await self._send_notice(queue.pop())

        await asyncio.gather(*(work() for _ in range(min(len(claimed), self._sender.width()))))
        async with self._ground.db.transaction() as session:
            for notice in claimed:
                await outbox.give_back(session, notice, worker_id=worker_id)
        return settled

    async def _send_notice(self, notice: QueuedNotice) -> int:
        envelope = outbox.compose(self._ground, notice)
        if envelope is None:
            outbox.settle(self._ground, notice, Reply(554, "could not be made"))
            return 1

        async def guard() -> bool:
            return self._intend(Kind.NOTICE, notice.id)

        answer = await self._sender.send(envelope, guard)
        if isinstance(answer, Reply):
            self._note(Kind.NOTICE, notice.id, answer)
            outbox.settle(self._ground, notice, answer)
        else:
            outbox.settle_without_reply(self._ground, notice, was_sent=answer is Halt.UNCERTAIN)
        return int(isinstance(answer, Reply))

    async def _send_deliveries(self, stop: asyncio.Event) -> int:
        worker_id = self._at_desk().row.id
        settings = self._ground.settings.delivery
        now = self._ground.clock.now()
        until = now + timedelta(seconds=settings.lease_s)
        async with self._ground.db.transaction() as session:
            claimed = await ledger.claim(
                session, worker_id=worker_id, limit=settings.batch_size, now=now, until=until
            )
        if not claimed:
            return 0
        await self._composer.prepare(claimed)
        queue = list(reversed(claimed))
        done: set[int] = set()

        async def work() -> None:
            while queue and not stop.is_set() and not self._sender.is_resting():
                if self._trouble:
                    return
                row = queue.pop()
                outcome = await self._send_delivery(row)
                if outcome is not None:
                    done.add(row.id)
                    self._outcomes.append(outcome)

        recorder = asyncio.create_task(self._record_while_sending())
        try:
            await asyncio.gather(*(work() for _ in range(min(len(claimed), self._sender.width()))))
        finally:
            recorder.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await recorder
        await self._flush()
        left = [row.id for row in claimed if row.id not in done]
        if left:
            async with self._ground.db.transaction() as session:
                await ledger.release(session, worker_id=worker_id, ids=left)
        return len(done)

    async def _send_delivery(self, row: Claimed) -> Outcome | None:
        """Hand one row over; None leaves it queued."""
        ground = self._ground
        try:
            envelope = self._composer.compose(row)
        except errors.HandbillError as problem:
            _log.error("a message can't be made", delivery=row.id, said=str(problem))
            return _ended(row, ground, DeliveryState.FAILED, "unmailable")
        if envelope is None:
            return _ended(row, ground, DeliveryState.CANCELLED, Verdict.ERASED.value)
        verdict = Verdict.HOLD

        async def guard() -> bool:
            nonlocal verdict
            try:
                verdict = await self._recheck.verdict(row.id)
            except errors.Busy:
                return False
            if verdict is not Verdict.GO:
                return False
            if ground.clock.now() > row.leased_until - _LEASE_MARGIN or not self._intend(
                Kind.DELIVERY, row.id
            ):
                verdict = Verdict.HOLD
            return verdict is Verdict.GO

        answer = await self._sender.send(envelope, guard)
        if isinstance(answer, Reply):
            self._note(Kind.DELIVERY, row.id, answer)
            return ledger.judge(
                id=row.id,
                reply=answer,
                attempts=row.attempts,
                first_attempt_at=row.first_attempt_at,
                now=ground.clock.now(),
                settings=ground.settings.delivery,
            )
        if answer is Halt.UNCERTAIN:
            return self._doubtful(row)
        if answer is Halt.GUARDED and verdict is not Verdict.HOLD:
            return _ended(row, ground, DeliveryState.CANCELLED, verdict.value)
        return None

    def _doubtful(self, row: Claimed) -> Outcome:
        """The relay went away between the last dot and its reply."""
        now = self._ground.clock.now()
        if self._ground.settings.delivery.uncertain == "resend":
            return Outcome(
                id=row.id, state=DeliveryState.DEFERRED, at=now, reason="resent", due_at=now
            )
        return Outcome(id=row.id, state=DeliveryState.UNCERTAIN, at=now, reason="no-reply")

    def _intend(self, kind: Kind, number: int) -> bool:
        """Write the intent; without it the last dot must not be written."""
        try:
            self._at_desk().journal.intend(kind, number)
        except errors.Busy as problem:
            self._trouble = str(problem)
            _log.error("sending stops for now", said=str(problem))
            return False
        return True

    def _note(self, kind: Kind, number: int, reply: Reply) -> None:
        """Write a reply; if that fails, the ledger still gets it from memory."""
        try:
            self._at_desk().journal.result(kind, number, reply)
        except errors.Busy as problem:
            self._trouble = str(problem)

    async def _record_while_sending(self) -> None:
        while True:
            await asyncio.sleep(self._ground.settings.delivery.record_interval_s)
            with contextlib.suppress(errors.Busy):
                await asyncio.shield(self._flush())

    async def _flush(self) -> None:
        """Bring outcomes into the ledger; those that can't be written stay for the next time."""
        if not self._outcomes:
            return
        worker_id = self._at_desk().row.id
        taken, self._outcomes = self._outcomes, []
        try:
            async with self._ground.db.transaction() as session:
                await ledger.record(session, worker_id=worker_id, outcomes=taken)
        except BaseException:
            self._outcomes = taken + self._outcomes
            raise


async def run_until_idle(ground: Ground) -> None:
    """Send everything that is due now: notices and deliveries. Raises `errors.Busy`."""
    await Worker(ground).run_until_idle()


def _ended(row: Claimed, ground: Ground, state: DeliveryState, reason: str) -> Outcome:
    return Outcome(id=row.id, state=state, at=ground.clock.now(), reason=reason, is_attempt=False)
