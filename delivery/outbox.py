"""The queue of notices: mail to one person about one thing, kept with what it is about."""

import asyncio
import functools
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy import event
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery import message
from delivery.letter import IS_ATTEMPT, Envelope, Kind, Result, Verdict
from delivery.models import NoticeState, QueuedNotice
from foundation import rows, tables
from foundation.clock import Clock
from foundation.ground import Ground
from foundation.looks import Look
from foundation.notices import Notice
from templates import notices
from templates.content import Brand

_STATES: Mapping[Verdict, NoticeState] = {
    Verdict.SENT: NoticeState.SENT,
    Verdict.FAILED: NoticeState.FAILED,
    Verdict.CANCELLED: NoticeState.FAILED,
    Verdict.UNCERTAIN: NoticeState.UNCERTAIN,
}
_OVER = frozenset({Verdict.SENT, Verdict.FAILED, Verdict.CANCELLED})


class Outbox:
    """Implements `foundation.notices.NoticeQueue` on our own table."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._bell = asyncio.Event()
        self._listens: asyncio.AbstractEventLoop | None = None

    async def queue(self, session: AsyncSession, notice: Notice) -> None:
        """Keep `notice` in the caller's transaction; it is sent once that is committed."""
        await self.queue_all(session, [notice])

    async def queue_all(self, session: AsyncSession, notices: Sequence[Notice]) -> None:
        """The same for many at once, by one statement."""
        listed = (
            (
                *(place, notice.kind, notice.to, notice.language, dict(notice.context)),
                *(notice.unsubscribe_url, notice.subscriber_id),
            )
            for place, notice in enumerate(notices)
        )
        statement = _insertion(session.get_bind().dialect.name)
        values = {"notices": rows.packed(listed), "now": self._clock.now()}
        await session.execute(statement, values)
        event.listen(session.sync_session, "after_commit", self._ring, once=True)

    async def rung(self) -> None:
        """Wait until this process has committed a notice since the last time.

        What other processes queue is found by looking, a little later.
        """
        self._listens = asyncio.get_running_loop()
        await self._bell.wait()
        self._bell.clear()

    def ring(self) -> None:
        """Say that another process has committed one for this one."""
        self._bell.set()

    def _ring(self, _session: object) -> None:
        """From any thread: a stretch ends in another than the loop's."""
        if self._listens is None:
            self._bell.set()
        elif not self._listens.is_closed():
            self._listens.call_soon_threadsafe(self._bell.set)


@functools.cache
def _insertion(dialect: str) -> sa.Executable:
    listed = rows.Rows("notices")
    now = sa.bindparam("now", type_=tables.UtcDateTime())
    return rows.insertion(
        dialect,
        QueuedNotice,
        listed,
        {
            "kind": listed.text(1),
            "to_address": listed.text(2),
            "language": listed.text(3),
            "context": listed.document(4),
            "unsubscribe_url": listed.text(5),
            "subscriber_id": listed.number(6),
            "state": sa.literal(NoticeState.QUEUED.value),
            "attempts": sa.literal(0),
            "reply_text": sa.literal(""),
            "due_at": now,
            "created_at": now,
        },
    )


async def is_due(session: AsyncSession, *, now: datetime) -> bool:
    """Whether a claim would find anything; a cheap look that takes no lock."""
    return bool(await session.scalar(sa.select(sa.exists().where(*_is_due(now)))))


async def claim(
    session: AsyncSession, *, worker_id: int, limit: int, now: datetime, until: datetime
) -> list[QueuedNotice]:
    """Lease up to `limit` due notices, by the same statement as the ledger."""
    due = (
        sa.select(col(QueuedNotice.id))
        .where(*_is_due(now))
        .order_by(col(QueuedNotice.due_at), col(QueuedNotice.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    leased = (
        sa.update(QueuedNotice)
        .where(col(QueuedNotice.id).in_(sa.select(due.c.id)))
        .values(worker_id=worker_id, leased_until=until)
        .returning(col(QueuedNotice.id))
        .execution_options(synchronize_session=False)
    )
    ids = (await session.scalars(leased)).all()
    if not ids:
        return []
    statement = (
        select(QueuedNotice).where(col(QueuedNotice.id).in_(ids)).order_by(col(QueuedNotice.id))
    )
    return list((await session.exec(statement)).all())


def compose(ground: Ground, notice: QueuedNotice, look: Look) -> Envelope:
    """The notice as a message. Raises `errors.HandbillError` when it can't be made."""
    made = notices.render_notice(
        notice.kind,
        translator=ground.translator(notice.language),
        context=notice.context,
        brand=Brand.from_site(ground.settings.site, look, language=notice.language),
    )
    return message.for_notice(
        ground,
        notice_id=notice.id,
        to=notice.to_address,
        subject=made.subject,
        body=made.body,
        content_type=made.content_type_header,
        unsubscribe_url=notice.unsubscribe_url,
    )


async def record(session: AsyncSession, *, worker_id: int, results: Iterable[Result]) -> None:
    """Write results into notices that `worker_id` holds, and end their leases.

    What a notice held (links that open things, names) is erased with its last result, except for
    uncertain ones, which a person may want to send again.
    """
    mine = [result for result in results if result.kind is Kind.NOTICE]
    table = cast(sa.Table, sa.inspect(QueuedNotice).local_table)
    moment = tables.UtcDateTime()
    statement = (
        sa.update(table)
        .where(table.c.id == sa.bindparam("row"), table.c.worker_id == worker_id)
        .values(
            state=sa.bindparam("to_state"),
            attempts=sa.func.coalesce(sa.bindparam("tries", type_=sa.Integer), table.c.attempts),
            due_at=sa.func.coalesce(sa.bindparam("due", type_=moment), table.c.due_at),
            reply_code=sa.bindparam("code"),
            reply_text=sa.bindparam("words"),
            sent_at=sa.bindparam("sent", type_=moment),
            worker_id=sa.null(),
            leased_until=sa.null(),
        )
    )
    if mine:
        connection = await session.connection()
        await connection.execute(statement, [_parameters(each) for each in mine])
    over = [each.id for each in mine if each.verdict in _OVER]
    if over:
        await session.execute(
            sa.update(QueuedNotice)
            .where(col(QueuedNotice.id).in_(over), col(QueuedNotice.worker_id).is_(None))
            .values(context={}, unsubscribe_url=None)
        )


async def release(
    session: AsyncSession, *, worker_id: int, but: Iterable[tuple[Kind, int]] = ()
) -> None:
    """Give back, untouched, every notice that `worker_id` still holds, `but` for these."""
    kept = rows.Rows("kept")
    await session.execute(
        sa.update(QueuedNotice)
        .where(
            col(QueuedNotice.worker_id) == sa.bindparam("holder"),
            col(QueuedNotice.id).not_in(sa.select(kept.number(0)).select_from(kept.table)),
        )
        .values(worker_id=None, leased_until=None),
        {
            "holder": worker_id,
            "kept": rows.packed([number] for kind, number in but if kind is Kind.NOTICE),
        },
        execution_options={"synchronize_session": False},
    )


async def tidy(ground: Ground) -> None:
    """Delete notices that are over for longer than `[retention] sent_notices_days`.

    Uncertain ones go too: whoever waited for such a mail has asked for another by then.
    """
    before = ground.clock.now() - timedelta(days=ground.settings.retention.sent_notices_days)
    async with ground.db.transaction() as session:
        await session.execute(
            sa.delete(QueuedNotice).where(
                col(QueuedNotice.state) != NoticeState.QUEUED.value,
                col(QueuedNotice.due_at) < before,
                col(QueuedNotice.worker_id).is_(None),
            )
        )


def _is_due(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        col(QueuedNotice.state) == NoticeState.QUEUED.value,
        # The first try is due at once, wherever a clock stood that was set back since.
        sa.or_(col(QueuedNotice.due_at) <= now, col(QueuedNotice.attempts) == 0),
        col(QueuedNotice.worker_id).is_(None),
    )


def _parameters(result: Result) -> dict[str, Any]:
    return {
        "row": result.id,
        "to_state": _STATES.get(result.verdict, NoticeState.QUEUED).value,
        "tries": result.attempt if result.verdict in IS_ATTEMPT else None,
        "due": result.due_at,
        "code": result.reply.code or None,
        "words": result.reply.text,
        "sent": result.at if result.verdict is Verdict.SENT else None,
    }
