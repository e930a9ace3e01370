"""A worker's time at work: claims what is due, hands it to the relays, records what came of it.

Order matters in three places. An intent is in the journal before a message's last dot. A result is
in the ledger before the journal forgets it. A lease is given up only with a result, or untouched.
Everything else may fail at any moment; docs/decisions/0001-ledger-and-journal.md has the states.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery import dispatch, ledger, limits, outbox, recovery, refusals
from delivery.composing import Composer
from delivery.desk import WorkerDesk
from delivery.helping import Helping
from delivery.journal import REWRITE_AT_BYTES, Journal
from delivery.letter import Lease, Verdict
from delivery.models import Quiet, Worker
from delivery.relay import Sender
from foundation import errors, logs, looks
from foundation.ground import Ground

_log = logs.get("worker")

LOOK_S = 0.5
"""How often a worker looks for what is due; a notice of this process rings a bell besides."""
_NOTICES = 50
_SEEN_EVERY_S = 15.0
_RECOVER_EVERY_S = 30.0
_LAST_TRIES = 3
_HOLD_US = 2_000_000
"""Letters are held for so long for a limit that opens; for longer ones they are given back."""


class _GivenUp(Exception):
    """Another process took this one for dead, and settled its rows."""


class Shift:
    """The time between taking a journal and giving it up."""

    def __init__(
        self,
        ground: Ground,
        *,
        worker_id: int,
        node: str,
        journal: Journal,
        sender: Sender,
        composer: Composer,
    ) -> None:
        self._ground = ground
        self._settings = ground.settings.delivery
        self._id = worker_id
        self._node = node
        self._journal = journal
        self._sender = sender
        self._composer = composer
        self._desk = WorkerDesk(
            ground, journal=journal, worker_id=worker_id, is_resting=sender.is_resting
        )
        self._limits = self._desk.limits
        self._limits_at = -limits.LOOK_S
        self._helping = Helping(self._settings.batch_size)
        self._flushing = asyncio.Lock()
        # By a clock that never jumps: whoever dies after the other went back is found all the same.
        self._seen_at = time.monotonic()
        self._recovered_at: float | None = None
        self._said = ""
        self._has_strays = False
        """Whether a claim failed, and may have leased rows all the same."""
        self._has_more = False
        """Whether the last claim left something behind, as far as it could tell."""

    async def work(self, stop: asyncio.Event, *, is_endless: bool) -> None:
        """Feed the sender and record beside it, until stopped or until nothing is due any more."""
        if is_endless:
            self._desk.waiting.hold_us = _HOLD_US
        is_over = asyncio.Event()
        failure: errors.Busy | None = None
        try:
            async with asyncio.TaskGroup() as group:
                sending = group.create_task(self._sender.run(self._desk))
                group.create_task(self._limits.run())
                group.create_task(_every(self._settings.record_interval_s, self._flush, is_over))
                if self._settings.fsync_interval_s:
                    group.create_task(_every(self._settings.fsync_interval_s, self._sync, is_over))
                try:
                    await self._feed(stop, is_endless=is_endless)
                except errors.Busy as problem:
                    failure = problem
                finally:
                    self._desk.close()
                await sending
                self._limits.stop()
                is_over.set()
        except BaseException:
            # Whoever takes the journal over settles what was open, as after a crash.
            self._journal.close()
            raise
        finally:
            await self._desk.retire()
        await self._retire()
        if failure is not None:
            raise failure

    async def _feed(self, stop: asyncio.Event, *, is_endless: bool) -> None:
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                try:
                    found = await self._refill()
                    if not found and not is_endless and await self._is_done():
                        return
                except errors.Busy as problem:
                    if not is_endless:
                        raise
                    _log.warning("sending waits", said=str(problem))
                    found = False
                except _GivenUp:
                    _log.error("this process was taken for dead; it begins anew", worker=self._id)
                    return
                await self._wait(stopping, is_endless=is_endless, found=found)
        finally:
            stopping.cancel()

    async def _wait(self, stopping: asyncio.Task[bool], *, is_endless: bool, found: bool) -> None:
        """Until the desk runs low, a notice is queued, or it is time to look again, or to stop."""
        if found or not self._desk.is_low:
            event = self._desk.hungry(within_s=LOOK_S)
        elif is_endless and self._desk.is_idle:
            event = self._desk.wait(LOOK_S)
        else:
            event = self._desk.idle(within_s=LOOK_S)
        waiting = {asyncio.create_task(event), asyncio.create_task(self._ground.notices.rung())}
        try:
            await asyncio.wait({stopping, *waiting}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()

    async def _is_done(self) -> bool:
        """Whether nothing can be done any more for now, with all of it in the ledger."""
        can_send = not (self._sender.is_down or self._desk.trouble)
        if self._desk.has_open or (can_send and not self._desk.is_idle):
            return False
        self._desk.withdraw()
        await self._flush()
        has_notices, has_bulk = await self._is_due() if can_send else (False, False)
        waiting = self._desk.waiting
        if (has_notices and not waiting.is_shut(is_notice=True)) or (
            has_bulk and not waiting.is_shut(is_notice=False)
        ):
            # What was given back a moment ago, perhaps by the flush that ran beside this.
            return False
        await self._finish_dispatches()
        return True

    async def _is_due(self) -> tuple[bool, bool]:
        """Whether there are notices, and deliveries, that could be claimed."""
        now = self._ground.clock.now()
        async with self._ground.db.reading() as session:
            return await outbox.is_due(session, now=now), await ledger.is_due(session, now=now)

    async def _refill(self) -> bool:
        """Look around, then claim what there is room for; whether anything was claimed."""
        await self._look_around()
        if self._has_strays:
            await self._release_strays()
        if self._desk.trouble:
            with contextlib.suppress(errors.Busy):
                self._journal.probe()
                self._desk.say_trouble("")
        if self._sender.is_down or self._desk.trouble:
            self._desk.withdraw()
            return False
        notices = _NOTICES if self._desk.waiting.notices < _NOTICES // 2 else 0
        bulk = self._helping.size() if self._desk.is_low else 0
        if not self._may_claim(is_notice=True):
            notices = 0
        if not self._may_claim(is_notice=False):
            bulk = 0
        self._desk.waiting.sweep()
        if (notices or bulk) and not (bulk and self._has_more):
            has_notices, has_bulk = await self._is_due()
            notices, bulk = notices * has_notices, bulk * has_bulk
        if not notices and not bulk:
            if self._desk.is_idle and not self._desk.has_results:
                await self._finish_dispatches()
            return False
        return await self._claim(notices=notices, bulk=bulk)

    def _may_claim(self, *, is_notice: bool) -> bool:
        """Whether limits of the relays let any go; what is held goes back while they do not."""
        if not self._desk.waiting.is_shut(is_notice=is_notice):
            return True
        self._desk.withdraw(is_notice=is_notice)
        return False

    async def _claim(self, *, notices: int, bulk: int) -> bool:
        lease = Lease.starting(self._ground.clock.now(), seconds=self._settings.lease_s)
        now = self._ground.clock.now()
        group = self._limits.group
        letters = []
        try:
            async with self._ground.db.transaction() as session:
                if not await self._is_seen(session, now):
                    raise _GivenUp
                if notices:
                    queued = await outbox.claim(
                        session, worker_id=self._id, limit=notices, now=now, until=lease.until
                    )
                    look = await looks.current(session) if queued else looks.Look()
                    letters += self._composer.notices(queued, look=look, lease=lease, group=group)
                if bulk:
                    rows = await ledger.claim(
                        session, worker_id=self._id, limit=bulk, now=now, until=lease.until
                    )
                    self._has_more = len(rows) == bulk
                    letters += await self._composer.letters(session, rows, lease=lease, group=group)
                mark = await self._desk.recheck.mark(session, Quiet.CLAIM)
                found = None
                if mark and letters:
                    found = await self._desk.recheck.foresee(session, letters)
        except errors.Busy:
            await self._desk.recheck.carry(None)
            self._has_strays = True
            raise
        await self._desk.recheck.carry(mark, found)
        if bulk:
            self._helping.taken(time.monotonic())
            self._desk.low_mark = self._helping.size() // 2
        self._desk.put(letters)
        return bool(letters)

    async def _is_seen(self, session: AsyncSession, now: datetime) -> bool:
        """Say that we live; False when somebody has settled all of ours, as we were silent so long.

        What a closed process leases is freed by anybody: it must not lease any more.
        """
        statement = (
            sa.update(Worker)
            .where(col(Worker.id) == self._id, col(Worker.closed_at).is_(None))
            .values(seen_at=now)
            .returning(col(Worker.id))
        )
        return (await session.execute(statement)).first() is not None

    async def _release_strays(self) -> None:
        """Give back rows that a claim leased whose commit was done, but not answered.

        No result is on its way to the ledger meanwhile: each is in hand, or in the ledger already.
        """
        async with self._flushing:
            in_hand = self._desk.in_hand
            async with self._ground.db.transaction() as session:
                await ledger.release(session, worker_id=self._id, but=in_hand)
                await outbox.release(session, worker_id=self._id, but=in_hand)
        self._has_strays = False

    async def _look_around(self) -> None:
        """Say that we live and how we do; settle what dead processes left; hear what hosts said."""
        tick = time.monotonic()
        if tick - self._limits_at >= limits.LOOK_S:
            self._limits_at = tick
            await self._limits.load()
        if self._recovered_at is None or tick - self._recovered_at >= _RECOVER_EVERY_S:
            self._recovered_at = tick
            await recovery.recover(self._ground, node=self._node)
        if tick - self._seen_at >= _SEEN_EVERY_S or self._said != self._desk.trouble:
            self._seen_at, self._said = tick, self._desk.trouble
            async with self._ground.db.transaction() as session:
                await session.execute(
                    sa.update(Worker)
                    .where(col(Worker.id) == self._id)
                    .values(seen_at=self._ground.clock.now(), said=self._said)
                )

    async def _finish_dispatches(self) -> None:
        async with self._ground.db.reading() as session:
            if not await dispatch.has_ended(session):
                return
        async with self._ground.db.transaction() as session:
            await dispatch.finish(session, now=self._ground.clock.now())

    async def _flush(self) -> None:
        """Bring results into the ledger; if that fails, they stay for the next time."""
        async with self._flushing:
            results = self._desk.take_results()
            if not results:
                return
            # A failure may suppress somebody.
            is_quiet = all(result.verdict is not Verdict.FAILED for result in results)
            try:
                async with self._ground.db.transaction() as session:
                    has_written = await ledger.record(session, worker_id=self._id, results=results)
                    mark = None
                    if has_written and is_quiet:
                        mark = await self._desk.recheck.mark(session, Quiet.RESULTS)
                    await outbox.record(session, worker_id=self._id, results=results)
                    await refusals.take(self._ground, session, results=results)
            except BaseException:
                await self._desk.recheck.carry(None)
                self._desk.return_results(results)
                raise
            await self._desk.recheck.carry(mark)
            # No await between these lines: what is written down now is all there is.
            if not self._desk.intents and not self._desk.has_results:
                self._journal.clear()
            elif self._journal.size_bytes > REWRITE_AT_BYTES:
                self._journal.rewrite(intents=self._desk.intents, results=self._desk.results)

    async def _sync(self) -> None:
        await asyncio.to_thread(self._journal.sync)

    async def _retire(self) -> None:
        """Everything into the ledger, leases back, the journal away; or leave it to the next."""
        for left in reversed(range(_LAST_TRIES)):
            try:
                await self._flush()
                await self._limits.close()
                async with self._ground.db.transaction() as session:
                    # First: whoever settles a process locks its row before those that it holds.
                    await session.execute(
                        sa.update(Worker)
                        .where(col(Worker.id) == self._id)
                        .values(closed_at=self._ground.clock.now(), said="")
                    )
                    await ledger.release(session, worker_id=self._id)
                    await outbox.release(session, worker_id=self._id)
                    if not self._desk.has_results:
                        await dispatch.finish(session, now=self._ground.clock.now())
            except errors.Busy as problem:
                _log.warning("results can't be recorded", said=str(problem), tries_left=left)
            else:
                await asyncio.to_thread(self._journal.retire)
                return
        self._journal.close()


async def _every(
    seconds: float, act: Callable[[], Awaitable[None]], is_over: asyncio.Event
) -> None:
    """Do something again and again until it is over; a database that is busy is asked later."""
    while not is_over.is_set():
        await pause(is_over, seconds)
        try:
            await act()
        except errors.Busy as problem:
            _log.warning("put off", what=getattr(act, "__name__", ""), said=str(problem))


async def pause(event: asyncio.Event, seconds: float) -> None:
    """Wait until an event is set, or for so long."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
