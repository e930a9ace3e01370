"""Turns a campaign into a frozen work order, and stops or goes on with it.

Everything here works inside the caller's transaction. After `start` nothing about the audience is
asked again, but for suppression and unsubscription, which count until the moment of sending.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery.models import (
    Delivery,
    DeliveryState,
    Dispatch,
    DispatchLink,
    DispatchPlan,
    DispatchState,
)
from foundation import errors
from foundation.ground import Ground
from foundation.i18n import N_
from templates.plan import Plan


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What is to be sent, to whom, in whose name."""

    campaign_id: int
    name: str
    from_name: str
    from_address: str
    reply_to: str = ""
    default_language: str
    plans: Mapping[str, Plan]
    """Language → message plan; link numbers differ between languages."""
    topics: Sequence[int]
    """A recipient has to be confirmed on one of them at the moment of sending."""
    recipients: sa.Select[tuple[int, str]]
    """Yields each recipient once: subscriber and the language of the edition."""
    excluded: Mapping[str, int] = field(default_factory=dict)


async def start(ground: Ground, session: AsyncSession, order: Order) -> Dispatch:
    """Freeze the plans and fill the ledger with one `INSERT … SELECT`; workers begin on commit.

    Raises `errors.Refused` when the campaign was dispatched before: one dispatch a campaign, ever.
    """
    now = ground.clock.now()
    known = sa.select(col(Dispatch.id)).where(col(Dispatch.campaign_id) == order.campaign_id)
    if (await session.execute(known)).first() is not None:
        raise errors.Refused(N_("This campaign was started already."))
    made = Dispatch(
        campaign_id=order.campaign_id,
        name=order.name,
        state=DispatchState.SENDING.value,
        from_name=order.from_name,
        from_address=order.from_address,
        reply_to=order.reply_to,
        default_language=order.default_language,
        topics=list(order.topics),
        excluded=dict(order.excluded),
        started_at=now,
    )
    session.add(made)
    await session.flush()
    for language, plan in order.plans.items():
        session.add(DispatchPlan(dispatch_id=made.id, language=language, plan=plan.freeze()))
        for link in plan.links:
            session.add(
                DispatchLink(
                    dispatch_id=made.id,
                    number=link.number,
                    language=language,
                    url=link.url,
                    label=link.label,
                )
            )
    await session.flush()
    await _fill(session, made, order)
    counted = sa.select(sa.func.count()).where(col(Delivery.dispatch_id) == made.id)
    made.audience = int((await session.execute(counted)).scalar_one())
    session.add(made)
    await session.flush()
    return made


async def pause(session: AsyncSession, *, dispatch_id: int, reason: str = "") -> bool:
    """Claim nothing more; whether it was sending. What workers hold they still hand over."""
    return await _move(
        session, dispatch_id, DispatchState.SENDING, DispatchState.PAUSED, pause_reason=reason
    )


async def resume(session: AsyncSession, *, dispatch_id: int) -> bool:
    """Go on; whether it was paused."""
    return await _move(
        session, dispatch_id, DispatchState.PAUSED, DispatchState.SENDING, pause_reason=""
    )


async def cancel(session: AsyncSession, *, dispatch_id: int) -> bool:
    """Stop for good: whoever waits is cancelled; whether it was still running.

    A row that a worker holds keeps its lease: the worker finds the dispatch cancelled before the
    last dot, or has written it already and records what came of it.
    """
    moved = False
    for state in (DispatchState.SENDING, DispatchState.PAUSED):
        moved = moved or await _move(
            session,
            dispatch_id,
            state,
            DispatchState.CANCELLED,
        )
    if moved:
        await session.execute(
            sa.update(Delivery)
            .where(
                col(Delivery.dispatch_id) == dispatch_id,
                col(Delivery.state).in_([DeliveryState.QUEUED, DeliveryState.DEFERRED]),
                col(Delivery.worker_id).is_(None),
            )
            .values(state=DeliveryState.CANCELLED.value, reason="stopped")
        )
    return moved


async def finish(ground: Ground, session: AsyncSession) -> Sequence[int]:
    """Close dispatches in which nobody waits any more; returns their numbers."""
    waiting = sa.exists().where(
        col(Delivery.dispatch_id) == col(Dispatch.id),
        col(Delivery.state).in_([DeliveryState.QUEUED, DeliveryState.DEFERRED]),
    )
    statement = (
        sa.update(Dispatch)
        .where(col(Dispatch.state) == DispatchState.SENDING, ~waiting)
        .values(state=DispatchState.SENT.value, finished_at=ground.clock.now())
        .returning(col(Dispatch.id))
    )
    return (await session.execute(statement)).scalars().all()


async def _fill(session: AsyncSession, made: Dispatch, order: Order) -> None:
    who = order.recipients.subquery("recipients")
    subscriber, language = who.c
    rows = sa.select(
        sa.literal(made.id),
        subscriber,
        language,
        sa.literal(DeliveryState.QUEUED.value),
        sa.literal(""),
        sa.literal(0),
        sa.literal(made.started_at, type_=sa.inspect(Delivery).columns["due_at"].type),
        sa.literal(""),
        sa.literal(""),
        sa.literal(""),
    ).order_by(subscriber)
    names = (
        "dispatch_id",
        "subscriber_id",
        "language",
        "state",
        "reason",
        "attempts",
        "due_at",
        "relay",
        "reply_text",
        "bounce",
    )
    await session.execute(sa.insert(Delivery).from_select(names, rows))


async def _move(
    session: AsyncSession,
    dispatch_id: int,
    before: DispatchState,
    after: DispatchState,
    **values: Any,
) -> bool:
    statement = (
        sa.update(Dispatch)
        .where(col(Dispatch.id) == dispatch_id, col(Dispatch.state) == before.value)
        .values(state=after.value, **values)
        .returning(col(Dispatch.id))
    )
    return (await session.execute(statement)).first() is not None
