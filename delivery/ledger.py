"""One row per recipient: who is claimed by whom, what came of it, and counts that always add up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery.journal import Reply
from delivery.models import Delivery, DeliveryState, Dispatch, DispatchState
from foundation.config import Delivery as DeliverySettings
from subscribers.models import Subscriber

WAITING = (DeliveryState.QUEUED.value, DeliveryState.DEFERRED.value)


@dataclass(frozen=True, kw_only=True, slots=True)
class Counts:
    """How a dispatch stands. `audience` is the sum of the six states below it."""

    audience: int = 0
    queued: int = 0
    sent: int = 0
    deferred: int = 0
    failed: int = 0
    uncertain: int = 0
    cancelled: int = 0
    bounced: dict[str, int]
    """hard, soft and block, of mails that were taken and came back."""
    complaints: int = 0


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row that this worker holds until `leased_until`."""

    id: int
    dispatch_id: int
    subscriber_id: int | None
    language: str
    attempts: int
    first_attempt_at: datetime | None
    leased_until: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What came of one row."""

    id: int
    state: DeliveryState
    at: datetime
    reason: str = ""
    reply: Reply | None = None
    due_at: datetime | None = None
    """When a deferred one is tried again."""
    is_attempt: bool = True
    """Whether it counts as a try that began."""


async def counts(session: AsyncSession, dispatch_id: int) -> Counts:
    """How a dispatch stands, from one statement, so that the figures add up at every instant."""
    returned = sa.func.coalesce(col(Delivery.bounce), "")
    statement = (
        sa.select(
            col(Delivery.state),
            returned,
            sa.func.count(),
            sa.func.count(col(Delivery.complained_at)),
        )
        .where(col(Delivery.dispatch_id) == dispatch_id)
        .group_by(col(Delivery.state), returned)
    )
    states = dict.fromkeys(DeliveryState, 0)
    bounced = {"hard": 0, "soft": 0, "block": 0}
    complaints = 0
    for state, bounce, count, complained in (await session.execute(statement)).all():
        states[DeliveryState(state)] += count
        complaints += complained
        if bounce in bounced:
            bounced[bounce] += count
    return Counts(
        audience=sum(states.values()),
        bounced=bounced,
        complaints=complaints,
        **{state.value: count for state, count in states.items()},
    )


async def claim(
    session: AsyncSession, *, worker_id: int, limit: int, now: datetime, until: datetime
) -> list[Claimed]:
    """Lease up to `limit` due rows of running dispatches.

    One statement for both engines: PostgreSQL skips rows that another worker is claiming at this
    instant; SQLite has one writer at a time and ignores the clause.
    """
    running = await session.execute(
        sa.select(col(Dispatch.id))
        .where(col(Dispatch.state) == DispatchState.SENDING.value)
        .order_by(col(Dispatch.id))
    )
    found: list[Claimed] = []
    for dispatch_id in running.scalars().all():
        for state in WAITING:
            if len(found) < limit:
                found += await _lease(
                    session, dispatch_id, state, worker_id, limit - len(found), now, until
                )
    return found


async def _lease(
    session: AsyncSession,
    dispatch_id: int,
    state: str,
    worker_id: int,
    limit: int,
    now: datetime,
    until: datetime,
) -> list[Claimed]:
    due = (
        sa.select(col(Delivery.id))
        .where(
            col(Delivery.dispatch_id) == dispatch_id,
            col(Delivery.state) == state,
            col(Delivery.due_at) <= now,
            col(Delivery.worker_id).is_(None),
        )
        .order_by(col(Delivery.due_at), col(Delivery.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    statement = (
        sa.update(Delivery)
        .where(col(Delivery.id).in_(due))
        .values(worker_id=worker_id, leased_until=until)
        .returning(
            col(Delivery.id),
            col(Delivery.dispatch_id),
            col(Delivery.subscriber_id),
            col(Delivery.language),
            col(Delivery.attempts),
            col(Delivery.first_attempt_at),
        )
        .execution_options(synchronize_session=False)
    )
    rows = (await session.execute(statement)).all()
    return [
        Claimed(
            id=row.id,
            dispatch_id=row.dispatch_id,
            subscriber_id=row.subscriber_id,
            language=row.language,
            attempts=row.attempts,
            first_attempt_at=row.first_attempt_at,
            leased_until=until,
        )
        for row in sorted(rows, key=lambda row: row.id)
    ]


async def record(session: AsyncSession, *, worker_id: int, outcomes: Sequence[Outcome]) -> None:
    """Write outcomes of rows that `worker_id` holds and give up their leases; others stay."""
    table = cast(sa.Table, sa.inspect(Delivery).local_table)
    statement = (
        sa.update(table)
        .where(table.c.id == sa.bindparam("row"), table.c.worker_id == worker_id)
        .values(
            state=sa.bindparam("to_state"),
            reason=sa.bindparam("to_reason"),
            attempts=table.c.attempts + sa.bindparam("tries"),
            due_at=sa.func.coalesce(sa.bindparam("due", type_=table.c.due_at.type), table.c.due_at),
            relay=sa.bindparam("by_relay"),
            reply_code=sa.bindparam("code"),
            reply_text=sa.bindparam("words"),
            first_attempt_at=sa.func.coalesce(
                table.c.first_attempt_at, sa.bindparam("tried", type_=table.c.due_at.type)
            ),
            sent_at=sa.func.coalesce(
                sa.bindparam("sent", type_=table.c.due_at.type), table.c.sent_at
            ),
            worker_id=sa.null(),
            leased_until=sa.null(),
        )
    )
    if outcomes:
        connection = await session.connection()
        await connection.execute(statement, [_parameters(outcome) for outcome in outcomes])


def _parameters(outcome: Outcome) -> dict[str, Any]:
    reply = outcome.reply or Reply(0)
    return {
        "row": outcome.id,
        "to_state": outcome.state.value,
        "to_reason": outcome.reason,
        "tries": int(outcome.is_attempt),
        "due": outcome.due_at,
        "by_relay": reply.relay,
        "code": reply.code or None,
        "words": reply.text,
        "tried": outcome.at if outcome.is_attempt else None,
        "sent": outcome.at if outcome.state is DeliveryState.SENT else None,
    }


async def release(
    session: AsyncSession, *, worker_id: int, ids: Sequence[int] | None = None
) -> None:
    """Give rows back untouched: `ids`, or all that `worker_id` still holds."""
    statement = (
        sa.update(Delivery)
        .where(col(Delivery.worker_id) == worker_id)
        .values(worker_id=None, leased_until=None)
    )
    if ids is not None:
        statement = statement.where(col(Delivery.id).in_(ids))
    await session.execute(statement)


async def uncertain(session: AsyncSession, dispatch_id: int) -> list[tuple[int, str]]:
    """Who may or may not have got the mail: delivery and address (blank when erased)."""
    statement = (
        sa.select(col(Delivery.id), sa.func.coalesce(col(Subscriber.email), ""))
        .outerjoin(Subscriber, col(Subscriber.id) == col(Delivery.subscriber_id))
        .where(
            col(Delivery.dispatch_id) == dispatch_id,
            col(Delivery.state) == DeliveryState.UNCERTAIN.value,
        )
        .order_by(col(Delivery.id))
    )
    return [(number, email) for number, email in (await session.execute(statement)).all()]


def judge(
    *,
    id: int,  # noqa: A002 - the row's own name for it
    reply: Reply,
    attempts: int,
    first_attempt_at: datetime | None,
    now: datetime,
    settings: DeliverySettings,
) -> Outcome:
    """What a relay's reply means for a row (RFC 5321 §4.2.1: the first digit decides)."""
    if 200 <= reply.code < 300:
        return Outcome(id=id, state=DeliveryState.SENT, at=now, reply=reply)
    if 500 <= reply.code < 600:
        return Outcome(id=id, state=DeliveryState.FAILED, at=now, reason="refused", reply=reply)
    began = first_attempt_at or now
    if now - began >= timedelta(hours=settings.give_up_hours):
        return Outcome(id=id, state=DeliveryState.FAILED, at=now, reason="expired", reply=reply)
    return Outcome(
        id=id,
        state=DeliveryState.DEFERRED,
        at=now,
        reason="put-off",
        reply=reply,
        due_at=now + retry_after(attempts, settings),
    )


def retry_after(attempts: int, settings: DeliverySettings) -> timedelta:
    """How long to wait after so many earlier tries (RFC 5321 §4.5.4.1)."""
    waits = settings.retry_minutes or [60]
    return timedelta(minutes=waits[min(attempts, len(waits) - 1)])
