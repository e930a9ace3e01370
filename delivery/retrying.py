"""Staff's choice about recipients to whom a dispatch did not go out: try again, or no more.

Everything here works inside the caller's transaction. Whoever may not be mailed any more is passed
over; the last look before each message's last dot asks once more.
"""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery import listing
from delivery.listing import Choice
from delivery.models import (
    Delivery,
    DeliveryState,
    Dispatch,
    DispatchState,
    Reason,
    WhenUncertain,
)
from foundation.frozen import frozen

REASONS = {
    DeliveryState.FAILED: Reason.RETRIED,
    DeliveryState.UNCERTAIN: Reason.RESENT,
    DeliveryState.DEFERRED: None,
}
"""The states that can be tried again → the reason that a row then has; None: it keeps its own."""


@frozen
class Retried:
    """How many are tried again, and how many of those meant may not be mailed any more."""

    queued: int
    withheld: int


async def retry(
    session: AsyncSession, *, dispatch_id: int, choice: Choice, now: datetime
) -> Retried:
    """Queue failed and uncertain ones anew, and try those now that were put off.

    A dispatch that was over is sending again. Nobody is touched whom a worker holds, nor anybody of
    a dispatch that was cancelled.
    """
    if choice.state not in REASONS:
        return Retried(queued=0, withheld=0)
    # Held until the end: a worker that is about to close the dispatch waits, and looks again.
    running = (
        sa.select(col(Dispatch.id))
        .where(
            col(Dispatch.id) == dispatch_id, col(Dispatch.state) != DispatchState.CANCELLED.value
        )
        .with_for_update()
    )
    if (await session.execute(running)).first() is None:
        return Retried(queued=0, withheld=0)
    meant = _free(dispatch_id, choice)
    all_meant = await session.scalar(sa.select(sa.func.count(col(Delivery.id))).where(*meant)) or 0
    may_get_it = listing.may_get_it(await listing.topics_of(session, dispatch_id))
    queued = await _changed(
        session,
        sa.update(Delivery).where(*meant, may_get_it).values(**_anew(choice.state, now)),
    )
    if queued:
        await session.execute(
            sa.update(Dispatch)
            .where(col(Dispatch.id) == dispatch_id, col(Dispatch.state) == DispatchState.SENT.value)
            .values(state=DispatchState.SENDING.value, finished_at=None)
        )
    return Retried(queued=queued, withheld=all_meant - queued)


async def give_up(session: AsyncSession, *, dispatch_id: int, choice: Choice) -> int:
    """Let those who were put off fail now; returns how many. Others are left as they are."""
    if choice.state is not DeliveryState.DEFERRED:
        return 0
    return await _changed(
        session,
        sa.update(Delivery)
        .where(*_free(dispatch_id, choice))
        .values(state=DeliveryState.FAILED.value, reason=Reason.GIVEN_UP.value),
    )


async def decide_uncertain(
    session: AsyncSession, *, dispatch_id: int, choice: WhenUncertain
) -> None:
    """What becomes of mail that turns out uncertain from now on; who is so already stays so."""
    await session.execute(
        sa.update(Dispatch)
        .where(col(Dispatch.id) == dispatch_id)
        .values(when_uncertain=choice.value)
    )


async def _changed(session: AsyncSession, statement: sa.Update) -> int:
    """Run a statement past the session, which holds no delivery; says how many rows it changed."""
    connection = await session.connection()
    return (await connection.execute(statement)).rowcount


def _free(dispatch_id: int, choice: Choice) -> list[sa.ColumnElement[bool]]:
    return [
        col(Delivery.dispatch_id) == dispatch_id,
        *choice.conditions(dispatch_id),
        col(Delivery.worker_id).is_(None),
    ]


def _anew(state: DeliveryState, now: datetime) -> dict[str, object]:
    """Who had failed gets the whole time of retries again (RFC 5321 §4.5.4.1)."""
    reason = REASONS[state]
    if reason is None:
        return {"due_at": now}
    return {
        "state": DeliveryState.QUEUED.value,
        "reason": reason.value,
        "due_at": now,
        "first_attempt_at": None,
    }
