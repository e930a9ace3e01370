"""The queue of notices: mail to one person about one thing, kept with what it is about."""

from sqlmodel.ext.asyncio.session import AsyncSession

from delivery.models import NoticeState, QueuedNotice
from foundation.clock import Clock
from foundation.notices import Notice


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
