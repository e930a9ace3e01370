"""Adds recipients to a dispatch that stands open: for mails that people get one by one, over years.

Everything else about them is as with a campaign's: the ledger, the journal, the last look.
"""

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery.models import Delivery, DeliveryState, Dispatch, DispatchState, Variant
from foundation import rows, tables


async def append(
    session: AsyncSession, *, dispatch_id: int, recipients: Mapping[int, str], now: datetime
) -> Mapping[int, int]:
    """Queue a mail for each subscriber, in the language given; returns their deliveries.

    Whoever has one already gets no second, unless the first was cancelled and never went out: then
    that is queued anew. In the caller's transaction.
    """
    listed = rows.Rows("recipients")
    moment = sa.bindparam("now", type_=tables.UtcDateTime())
    statement = rows.insertion(
        session.get_bind().dialect.name,
        Delivery,
        listed,
        {
            "dispatch_id": sa.bindparam("dispatch", type_=tables.BIG),
            "subscriber_id": listed.number(0),
            "language": listed.text(1),
            "state": sa.literal(DeliveryState.QUEUED.value),
            "reason": sa.literal(""),
            "attempts": sa.literal(0),
            "due_at": moment,
            "relay": sa.literal(""),
            "reply_text": sa.literal(""),
            "bounce": sa.literal(""),
            "variant": sa.literal(Variant.NONE.value),
        },
    )
    anew = ("language", "state", "reason", "attempts", "due_at", "reply_text")
    statement = statement.on_conflict_do_update(
        index_elements=["dispatch_id", "subscriber_id"],
        set_={name: statement.excluded[name] for name in anew},
        where=sa.and_(
            col(Delivery.state) == DeliveryState.CANCELLED.value,
            col(Delivery.worker_id).is_(None),
        ),
    )
    queued = await session.execute(
        statement.returning(col(Delivery.subscriber_id), col(Delivery.id)),
        {"recipients": rows.packed(recipients.items()), "dispatch": dispatch_id, "now": now},
    )
    found: dict[int, int] = dict(queued.all())
    # Last, so that whoever closes the dispatch at this moment waits, and then sees them.
    audience = sa.select(sa.func.count()).where(col(Delivery.dispatch_id) == dispatch_id)
    await session.execute(
        sa.update(Dispatch)
        .where(col(Dispatch.id) == dispatch_id)
        .values(
            audience=audience.scalar_subquery(),
            state=sa.case(
                (col(Dispatch.state) == DispatchState.SENT.value, DispatchState.SENDING.value),
                else_=col(Dispatch.state),
            ),
            finished_at=None,
        )
    )
    return found
