"""Finds sending processes that are gone, and brings what their journals say into the ledger."""

import asyncio
import enum
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery import ledger, outbox
from delivery.journal import Entry, Journal, Kind, Reply
from delivery.ledger import Outcome
from delivery.models import Delivery, DeliveryState, NoticeState, QueuedNotice, Worker
from foundation import logs
from foundation.ground import Ground

_log = logs.get("recovery")

_LOST_NODE = timedelta(hours=1)
"""A node that was not seen for so long is given up: what it held is uncertain."""


class _Journals(enum.Enum):
    """What became of a dead process's journal."""

    HELD = enum.auto()
    """Its process lives."""
    GONE = enum.auto()
    """The file is not there."""


async def recover(ground: Ground, *, node: str, besides: int | None) -> int:
    """Close every process of this node that is gone, and nodes lost for long; returns how many."""
    async with ground.db.reading() as session:
        statement = select(Worker).where(col(Worker.closed_at).is_(None))
        workers = (await session.exec(statement)).all()
    closed = 0
    for worker in workers:
        if worker.id == besides:
            continue
        is_lost = ground.clock.now() - worker.seen_at > _LOST_NODE
        if worker.node == node:
            closed += await _recover_here(ground, worker)
        elif is_lost:
            await _close(ground, worker, [], is_known=False)
            closed += 1
    return closed


async def _recover_here(ground: Ground, worker: Worker) -> int:
    journal = await asyncio.to_thread(_lock, Path(worker.journal))
    if journal is _Journals.HELD:
        return 0
    if isinstance(journal, _Journals):
        await _close(ground, worker, [], is_known=False)
        return 1
    try:
        entries = await asyncio.to_thread(journal.entries)
        await _close(ground, worker, entries, is_known=True)
    finally:
        await asyncio.to_thread(journal.remove)
    return 1


def _lock(path: Path) -> Journal | _Journals:
    if not path.exists():
        return _Journals.GONE
    try:
        return Journal(path)
    except BlockingIOError:
        return _Journals.HELD


async def _close(
    ground: Ground, worker: Worker, entries: Sequence[Entry], *, is_known: bool
) -> None:
    """Settle every lease of a dead process: by its journal, or as uncertain when that is lost."""
    said = {(entry.kind, entry.number): entry.reply for entry in entries}
    async with ground.db.transaction() as session:
        rows = (
            await session.execute(
                sa.select(
                    col(Delivery.id), col(Delivery.attempts), col(Delivery.first_attempt_at)
                ).where(col(Delivery.worker_id) == worker.id)
            )
        ).all()
        outcomes: list[Outcome] = []
        for number, attempts, first in rows:
            if (Kind.DELIVERY, number) in said:
                outcomes.append(
                    _settled(ground, number, said[Kind.DELIVERY, number], attempts, first)
                )
            elif not is_known:
                outcomes.append(_settled(ground, number, None, attempts, first))
        await ledger.record(session, worker_id=worker.id, outcomes=outcomes)
        await ledger.release(session, worker_id=worker.id)
        await _close_notices(ground, session, worker, said, is_known=is_known)
        worker.closed_at = ground.clock.now()
        session.add(worker)
    doubtful = sum(each.state is DeliveryState.UNCERTAIN for each in outcomes)
    _log.warning(
        "a sending process was gone; its journal is in the ledger",
        worker=worker.id, node=worker.node, settled=len(outcomes), uncertain=doubtful,
        released=len(rows) - len(outcomes),
    )  # fmt: skip


def _settled(
    ground: Ground, number: int, reply: Reply | None, attempts: int, first: object
) -> Outcome:
    now = ground.clock.now()
    settings = ground.settings.delivery
    if reply is not None:
        return ledger.judge(
            id=number, reply=reply, attempts=attempts, first_attempt_at=first,  # type: ignore[arg-type]
            now=now, settings=settings,
        )  # fmt: skip
    if settings.uncertain == "resend":
        return Outcome(id=number, state=DeliveryState.DEFERRED, at=now, reason="resent", due_at=now)
    return Outcome(id=number, state=DeliveryState.UNCERTAIN, at=now, reason="crashed")


async def _close_notices(
    ground: Ground,
    session: AsyncSession,
    worker: Worker,
    said: dict[tuple[Kind, int], Reply | None],
    *,
    is_known: bool,
) -> None:
    statement = select(QueuedNotice).where(QueuedNotice.worker_id == worker.id)
    for notice in (await session.exec(statement)).all():
        key = (Kind.NOTICE, notice.id)
        reply = said.get(key)
        if reply is not None:
            outbox.settle(ground, notice, reply)
        elif key in said or not is_known:
            notice.state = NoticeState.UNCERTAIN.value
            notice.context = {}
        notice.worker_id = notice.leased_until = None
        session.add(notice)
