"""The last look before a message's last dot: may this person still be mailed?

Questions that come in while a query runs are answered together by the next one, so the look costs
one query for as many messages as are on the wire at once.
"""

import asyncio
import enum

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery.models import Delivery, Dispatch, DispatchState
from foundation.ground import Ground
from subscribers import suppression
from subscribers.models import Subscriber, Subscription, SubscriptionState


class Verdict(enum.StrEnum):
    """What the look found; all but the first two end in `cancelled` with this as the reason."""

    GO = "go"
    """May be mailed."""
    HOLD = "hold"
    """The dispatch was paused: back into the queue."""
    STOPPED = "stopped"
    """The dispatch was cancelled."""
    ERASED = "erased"
    """The person is gone."""
    SUPPRESSED = "suppressed"
    """The address may not be mailed any more."""
    UNSUBSCRIBED = "unsubscribed"
    """Confirmed on none of the dispatch's topics any more."""


class Recheck:
    """Answers for deliveries of any dispatch."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._asked: dict[int, asyncio.Future[Verdict]] = {}
        self._running: asyncio.Task[None] | None = None

    async def verdict(self, delivery_id: int) -> Verdict:
        """Whether this delivery may go out now. Raises `errors.Busy` when nobody can say."""
        answer: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        self._asked[delivery_id] = answer
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._answer_all())
        return await answer

    async def _answer_all(self) -> None:
        while self._asked:
            asked, self._asked = self._asked, {}
            try:
                found = await look(self._ground, list(asked))
            except Exception as problem:  # noqa: BLE001 - each asker gets it raised
                for answer in asked.values():
                    if not answer.done():
                        answer.set_exception(problem)
                continue
            for number, answer in asked.items():
                if not answer.done():
                    answer.set_result(found.get(number, Verdict.ERASED))


async def look(ground: Ground, delivery_ids: list[int]) -> dict[int, Verdict]:
    """The verdict on each delivery that is still there."""
    async with ground.db.reading() as session:
        topics = await _topics(session, delivery_ids)
        confirmed = sa.exists().where(
            col(Subscription.subscriber_id) == col(Delivery.subscriber_id),
            col(Subscription.state) == SubscriptionState.CONFIRMED.value,
            sa.or_(
                sa.false(),
                *[
                    sa.and_(
                        col(Delivery.dispatch_id) == dispatch_id,
                        col(Subscription.topic_id).in_(wanted) if wanted else sa.true(),
                    )
                    for dispatch_id, wanted in topics.items()
                ],
            ),
        )
        statement = (
            sa.select(
                col(Delivery.id),
                col(Dispatch.state),
                col(Subscriber.id),
                suppression.is_active_for(col(Subscriber.id)),
                confirmed,
            )
            .join(Dispatch, col(Dispatch.id) == col(Delivery.dispatch_id))
            .outerjoin(Subscriber, col(Subscriber.id) == col(Delivery.subscriber_id))
            .where(col(Delivery.id).in_(delivery_ids))
        )
        rows = (await session.execute(statement)).all()
    return {row[0]: _judge(*row[1:]) for row in rows}


def _judge(
    state: str, subscriber_id: int | None, is_suppressed: bool, is_confirmed: bool
) -> Verdict:
    if state == DispatchState.CANCELLED:
        return Verdict.STOPPED
    if subscriber_id is None:
        return Verdict.ERASED
    if is_suppressed:
        return Verdict.SUPPRESSED
    if not is_confirmed:
        return Verdict.UNSUBSCRIBED
    return Verdict.GO if state == DispatchState.SENDING else Verdict.HOLD


async def _topics(session: AsyncSession, delivery_ids: list[int]) -> dict[int, list[int]]:
    dispatches = sa.select(col(Delivery.dispatch_id)).where(col(Delivery.id).in_(delivery_ids))
    rows = await session.execute(
        sa.select(col(Dispatch.id), col(Dispatch.topics)).where(col(Dispatch.id).in_(dispatches))
    )
    return {dispatch_id: list(wanted) for dispatch_id, wanted in rows.all()}
