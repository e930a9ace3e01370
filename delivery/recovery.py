"""Finds sending processes that are gone, and brings what their journals say into the ledger.

Every worker does this when it starts and now and then. Whoever can lock a journal knows that its
process is gone; a journal that nobody here can reach counts as lost only after a long time.
"""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery import journal, ledger, outbox
from delivery.journal import Abandoned, Entry, Replay
from delivery.letter import Kind, Reply, Result, Verdict
from delivery.models import Delivery, QueuedNotice, Reason, Worker
from foundation import logs
from foundation.ground import Ground

_log = logs.get("recovery")

LOST_AFTER = timedelta(hours=24)
"""A process on another node that was not seen for so long won't bring its journal any more."""
_NOTHING = Replay(entries={}, is_whole=False)


async def recover(ground: Ground, *, node: str) -> int:
    """Close every process that is gone; returns how many were."""
    async with ground.db.reading() as session:
        statement = select(Worker).where(col(Worker.closed_at).is_(None)).order_by(col(Worker.id))
        workers = (await session.exec(statement)).all()
    closed = 0
    for worker in workers:
        closed += await _recover(ground, worker, node=node)
    await _free_stragglers(ground)
    await _clear_away(ground)
    return closed


async def _recover(ground: Ground, worker: Worker, *, node: str) -> bool:
    """Close one process if it is gone. Its lock says so, not its age."""
    path = Path(ground.settings.delivery.journal_dir) / worker.journal
    try:
        abandoned = await asyncio.to_thread(journal.take_over, path)
    except FileNotFoundError:
        return await _give_up(ground, worker, node=node)
    if abandoned is None:
        return False
    return await _settle(ground, worker, abandoned)


async def _settle(ground: Ground, worker: Worker, abandoned: Abandoned) -> bool:
    try:
        replay = await asyncio.to_thread(abandoned.replay)
        is_closed = await _close(ground, worker, replay)
    except BaseException:
        abandoned.close()
        raise
    # Only now: until the ledger has all of it, the file is the only witness.
    await asyncio.to_thread(abandoned.retire)
    return is_closed


async def _give_up(ground: Ground, worker: Worker, *, node: str) -> bool:
    """A journal that is not here: another node's, or deleted. Its leases have to be over at least.

    By then its process sends nothing more, even if it lives: no dot is written without a lease.
    """
    patience = (
        timedelta(seconds=2 * ground.settings.delivery.lease_s)
        if worker.node == node
        else LOST_AFTER
    )
    if ground.clock.now() - worker.seen_at < patience:
        return False
    return await _close(ground, worker, _NOTHING)


async def _close(ground: Ground, worker: Worker, replay: Replay) -> bool:
    """Settle every lease of a process by its journal, in one transaction."""
    now = ground.clock.now()
    async with ground.db.transaction() as session:
        mine = (
            sa.update(Worker)
            .where(col(Worker.id) == worker.id, col(Worker.closed_at).is_(None))
            .values(closed_at=now, said="")
            .returning(col(Worker.id))
        )
        if (await session.execute(mine)).first() is None:
            return False
        held = await _held(session, worker.id)
        results = [
            _as_set(ground, each)
            for key, attempt in held.items()
            if (each := _result(ground, key, attempt, replay)) is not None
        ]
        await ledger.record(session, worker_id=worker.id, results=results)
        await outbox.record(session, worker_id=worker.id, results=results)
        await ledger.release(session, worker_id=worker.id)
        await outbox.release(session, worker_id=worker.id)
    _log.warning(
        "a sending process was gone; its journal is in the ledger",
        worker=worker.id,
        node=worker.node,
        settled=len(results),
        uncertain=sum(each.verdict is Verdict.UNCERTAIN for each in results),
        released=len(held) - len(results),
        is_whole=replay.is_whole,
    )
    return True


async def _held(session: AsyncSession, worker_id: int) -> Mapping[tuple[Kind, int], int]:
    """What a process holds, with the number of the attempt that it was about."""
    found: dict[tuple[Kind, int], int] = {}
    for kind, table in ((Kind.DELIVERY, Delivery), (Kind.NOTICE, QueuedNotice)):
        rows = await session.execute(
            sa.select(col(table.id), col(table.attempts)).where(col(table.worker_id) == worker_id)
        )
        found |= {(kind, row): attempts + 1 for row, attempts in rows.all()}
    return found


def _result(ground: Ground, key: tuple[Kind, int], attempt: int, replay: Replay) -> Result | None:
    """What a journal says about a row; None when nothing was sent, so that it is queued again."""
    entry: Entry | None = replay.entries.get(key)
    if entry is not None and entry.attempt == attempt and entry.result is not None:
        return entry.result
    is_intended = entry is not None and entry.attempt == attempt
    if not is_intended and replay.is_whole:
        return None
    kind, row = key
    return Result(
        kind=kind,
        id=row,
        attempt=attempt,
        verdict=Verdict.UNCERTAIN,
        at=ground.clock.now(),
        reason=Reason.CRASHED if is_intended else Reason.JOURNAL_LOST,
        reply=Reply(),
    )


def _as_set(ground: Ground, result: Result) -> Result:
    """Uncertain ones are due now, if they are sent once more: the ledger knows of deliveries."""
    if result.verdict is not Verdict.UNCERTAIN:
        return result
    due = result._replace(due_at=ground.clock.now())
    if result.kind is Kind.NOTICE and ground.settings.delivery.uncertain == "resend":
        return due._replace(verdict=Verdict.DEFERRED, reason=Reason.RESENT)
    return due


async def _clear_away(ground: Ground) -> None:
    """Delete journals of processes that died before they had a row, and so before any lease.

    Old and empty ones alone: another site that shares the folder may still ask for its own.
    """
    folder = Path(ground.settings.delivery.journal_dir)
    before = (ground.clock.now() - LOST_AFTER).timestamp()
    for path in await asyncio.to_thread(journal.older, folder, before):
        async with ground.db.reading() as session:
            has_row = sa.exists().where(col(Worker.journal) == path.name)
            if await session.scalar(sa.select(has_row)):
                continue
        await asyncio.to_thread(journal.clear_away, path)


async def _free_stragglers(ground: Ground) -> None:
    """Release leases of closed processes.

    PostgreSQL may finish a claim after the process that asked for it was killed and recovered. Such
    rows were never on any desk.
    """
    closed = sa.select(col(Worker.id)).where(col(Worker.closed_at).is_not(None))
    tables: Iterable[type[Delivery | QueuedNotice]] = (Delivery, QueuedNotice)
    for table in tables:
        held = sa.exists().where(col(table.worker_id).in_(closed))
        async with ground.db.reading() as session:
            if not await session.scalar(sa.select(held)):
                continue
        async with ground.db.transaction() as session:
            await session.execute(
                sa.update(table)
                .where(col(table.worker_id).in_(closed))
                .values(worker_id=None, leased_until=None)
            )
