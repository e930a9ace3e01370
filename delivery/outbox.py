"""The queue of notices: mail to one person about one thing, kept with what it is about."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery import ledger, message
from delivery.journal import Reply
from delivery.message import Envelope
from delivery.models import NoticeState, QueuedNotice
from foundation import errors, logs
from foundation.clock import Clock
from foundation.ground import Ground
from foundation.notices import Notice
from templates import notices
from templates.content import Brand

_log = logs.get("outbox")

_GIVE_UP = timedelta(hours=24)


class Outbox:
    """Implements `foundation.notices.NoticeQueue` on our own table."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def queue(self, session: AsyncSession, notice: Notice) -> None:
        """Keep `notice` in the caller's transaction; it is sent once that is committed."""
        now = self._clock.now()
        session.add(
            QueuedNotice(
                kind=notice.kind,
                to_address=notice.to,
                language=notice.language,
                context=dict(notice.context),
                unsubscribe_url=notice.unsubscribe_url,
                subscriber_id=notice.subscriber_id,
                state=NoticeState.QUEUED.value,
                due_at=now,
                created_at=now,
            )
        )


async def claim(
    session: AsyncSession, *, worker_id: int, limit: int, now: datetime, until: datetime
) -> list[QueuedNotice]:
    """Lease up to `limit` due notices, as the ledger does."""
    due = (
        sa.select(col(QueuedNotice.id))
        .where(
            col(QueuedNotice.state) == NoticeState.QUEUED.value,
            col(QueuedNotice.due_at) <= now,
            col(QueuedNotice.worker_id).is_(None),
        )
        .order_by(col(QueuedNotice.due_at), col(QueuedNotice.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    leased = (
        sa.update(QueuedNotice)
        .where(col(QueuedNotice.id).in_(due))
        .values(worker_id=worker_id, leased_until=until)
        .returning(col(QueuedNotice.id))
        .execution_options(synchronize_session=False)
    )
    ids = (await session.execute(leased)).scalars().all()
    if not ids:
        return []
    statement = select(QueuedNotice).where(col(QueuedNotice.id).in_(ids))
    return sorted((await session.exec(statement)).all(), key=lambda each: each.id)


def compose(ground: Ground, notice: QueuedNotice) -> Envelope | None:
    """The notice as a message, or None when it can't be made (which is our mistake, and logged)."""
    try:
        made = notices.render_notice(
            notice.kind,
            translator=ground.translator(notice.language),
            context=notice.context,
            brand=Brand.from_site(ground.settings.site),
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
    except errors.HandbillError as problem:
        _log.error("a notice can't be made", notice=notice.id, kind=notice.kind, said=str(problem))
        return None


def settle(ground: Ground, notice: QueuedNotice, reply: Reply) -> None:
    """Write on `notice` what a reply means; what it held is erased once it is over."""
    now = ground.clock.now()
    notice.attempts += 1
    notice.reply_code, notice.reply_text = reply.code or None, reply.text
    if 200 <= reply.code < 300:
        notice.state, notice.sent_at = NoticeState.SENT.value, now
    elif reply.code >= 500 or now - notice.created_at > _GIVE_UP:
        notice.state = NoticeState.FAILED.value
    else:
        notice.due_at = now + ledger.retry_after(notice.attempts - 1, ground.settings.delivery)
    if notice.state != NoticeState.QUEUED.value:
        notice.context = {}


def settle_without_reply(ground: Ground, notice: QueuedNotice, *, was_sent: bool) -> None:
    """The relay went away: before the last dot it is tried again soon, after it is uncertain."""
    if was_sent:
        notice.state, notice.context = NoticeState.UNCERTAIN.value, {}
    else:
        notice.due_at = ground.clock.now() + timedelta(
            seconds=ground.settings.delivery.relay_rest_s
        )


async def tidy(ground: Ground) -> None:
    """Drop notices that were dealt with longer ago than `[retention] sent_notices_days`."""
    before = ground.clock.now() - timedelta(days=ground.settings.retention.sent_notices_days)
    async with ground.db.transaction() as session:
        await session.execute(
            sa.delete(QueuedNotice).where(
                col(QueuedNotice.state) != NoticeState.QUEUED.value,
                col(QueuedNotice.created_at) < before,
            )
        )


async def give_back(session: AsyncSession, notice: QueuedNotice, *, worker_id: int) -> None:
    """Write what became of a claimed notice and end its lease."""
    await session.execute(
        sa.update(QueuedNotice)
        .where(col(QueuedNotice.id) == notice.id, col(QueuedNotice.worker_id) == worker_id)
        .values(
            state=notice.state,
            context=notice.context,
            attempts=notice.attempts,
            due_at=notice.due_at,
            reply_code=notice.reply_code,
            reply_text=notice.reply_text,
            sent_at=notice.sent_at,
            worker_id=None,
            leased_until=None,
        )
    )


async def release(session: AsyncSession, *, worker_id: int) -> None:
    """Give back every notice that `worker_id` still holds, untouched."""
    await session.execute(
        sa.update(QueuedNotice)
        .where(col(QueuedNotice.worker_id) == worker_id)
        .values(worker_id=None, leased_until=None)
    )
