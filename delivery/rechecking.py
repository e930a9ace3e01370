"""The last look before a message's last dot: may it still go out, to this person, by us?

Questions that come in while a query runs are answered together by the next one, so the look costs
one query for as many messages as are on the wire at once, and none is older than its message.
"""

import asyncio
import enum
from collections.abc import Collection, Mapping

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery.letter import Kind, Letter
from delivery.models import (
    Delivery,
    DeliveryState,
    Dispatch,
    DispatchState,
    NoticeState,
    QueuedNotice,
    Reason,
)
from foundation.ground import Ground
from subscribers import suppression
from subscribers.models import Subscriber, Subscription, SubscriptionState

Key = tuple[Kind, int]


class Look(enum.StrEnum):
    """What the look found."""

    GO = "go"
    """May go out."""
    HOLD = "hold"
    """Not now: the dispatch is paused, or the row is not ours any more."""
    STOPPED = Reason.STOPPED.value
    """The dispatch was cancelled."""
    ERASED = Reason.ERASED.value
    """The person is gone."""
    SUPPRESSED = Reason.SUPPRESSED.value
    """The address may not be mailed any more."""
    UNSUBSCRIBED = Reason.UNSUBSCRIBED.value
    """Confirmed on none of the dispatch's topics any more."""


class Recheck:
    """Answers for the rows that one worker holds."""

    def __init__(self, ground: Ground, *, worker_id: int) -> None:
        self._ground = ground
        self._worker_id = worker_id
        self._topics: dict[int, list[int]] = {}
        self._asked: dict[Key, asyncio.Future[Look]] = {}
        self._asking: asyncio.Task[None] | None = None

    async def look(self, letter: Letter) -> Look:
        """Whether a letter may go out now. Raises `errors.Busy` when the database can't say."""
        answer: asyncio.Future[Look] = asyncio.get_running_loop().create_future()
        self._asked[letter.kind, letter.id] = answer
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._answer_all())
        return await answer

    async def _answer_all(self) -> None:
        while self._asked:
            asked, self._asked = self._asked, {}
            try:
                found = await self._query(asked)
            except Exception as problem:  # noqa: BLE001 - each asker gets it raised
                for answer in asked.values():
                    if not answer.done():
                        answer.set_exception(problem)
                continue
            for key, answer in asked.items():
                if not answer.done():
                    answer.set_result(found.get(key, Look.HOLD))

    async def _query(self, keys: Collection[Key]) -> Mapping[Key, Look]:
        found: dict[Key, Look] = {}
        deliveries = [row for kind, row in keys if kind is Kind.DELIVERY]
        notices = [row for kind, row in keys if kind is Kind.NOTICE]
        async with self._ground.db.reading() as session:
            if deliveries:
                found |= await self._deliveries(session, deliveries)
            if notices:
                found |= await self._notices(session, notices)
        return found

    async def _deliveries(self, session: AsyncSession, ids: list[int]) -> dict[Key, Look]:
        await self._learn_topics(session, ids)
        confirmed = sa.exists().where(
            col(Subscription.subscriber_id) == col(Delivery.subscriber_id),
            col(Subscription.state) == SubscriptionState.CONFIRMED.value,
            sa.or_(
                sa.false(),
                *[
                    sa.and_(
                        col(Delivery.dispatch_id) == dispatch_id,
                        col(Subscription.topic_id).in_(wanted),
                    )
                    for dispatch_id, wanted in self._topics.items()
                ],
            ),
        )
        statement = (
            sa.select(
                col(Delivery.id),
                col(Delivery.state),
                col(Delivery.worker_id),
                col(Dispatch.state),
                col(Subscriber.id),
                suppression.is_active_for(col(Subscriber.id)),
                confirmed,
            )
            .join(Dispatch, col(Dispatch.id) == col(Delivery.dispatch_id))
            .outerjoin(Subscriber, col(Subscriber.id) == col(Delivery.subscriber_id))
            .where(col(Delivery.id).in_(ids))
        )
        rows = (await session.execute(statement)).all()
        return {(Kind.DELIVERY, row[0]): self._judge(*row[1:]) for row in rows}

    def _judge(
        self,
        state: str,
        holder: int | None,
        dispatch_state: str,
        subscriber_id: int | None,
        is_suppressed: bool,
        is_confirmed: bool,
    ) -> Look:
        if holder != self._worker_id:
            return Look.HOLD
        if dispatch_state == DispatchState.CANCELLED or state == DeliveryState.CANCELLED:
            return Look.STOPPED
        if subscriber_id is None:
            return Look.ERASED
        if is_suppressed:
            return Look.SUPPRESSED
        if not is_confirmed:
            return Look.UNSUBSCRIBED
        return Look.GO if dispatch_state == DispatchState.SENDING else Look.HOLD

    async def _notices(self, session: AsyncSession, ids: list[int]) -> dict[Key, Look]:
        """A notice that is not there any more went with its person; others go out."""
        rows = await session.scalars(
            sa.select(col(QueuedNotice.id)).where(
                col(QueuedNotice.id).in_(ids),
                col(QueuedNotice.worker_id) == self._worker_id,
                col(QueuedNotice.state) == NoticeState.QUEUED.value,
            )
        )
        return {(Kind.NOTICE, row): Look.GO for row in rows}

    async def _learn_topics(self, session: AsyncSession, ids: list[int]) -> None:
        """Which topics each dispatch asks for; they are frozen, so they are read once."""
        unknown = sa.select(col(Delivery.dispatch_id)).where(
            col(Delivery.id).in_(ids), col(Delivery.dispatch_id).not_in(list(self._topics))
        )
        rows = await session.execute(
            sa.select(col(Dispatch.id), col(Dispatch.topics)).where(col(Dispatch.id).in_(unknown))
        )
        self._topics |= {dispatch_id: list(wanted) for dispatch_id, wanted in rows.all()}
