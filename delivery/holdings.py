"""What the ledger holds about a person, for `subscribers/holdings.py`: to take along, to forget."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery.models import Delivery, Dispatch, Return


async def held(session: AsyncSession, *, subscriber_id: int) -> Mapping[str, Any]:
    """The mails that a person was sent, and those that came back."""
    mails = await session.execute(
        sa.select(
            col(Dispatch.name), col(Delivery.language), col(Delivery.state), col(Delivery.sent_at)
        )
        .join(Dispatch, col(Dispatch.id) == col(Delivery.dispatch_id))
        .where(col(Delivery.subscriber_id) == subscriber_id)
        .order_by(col(Delivery.id))
    )
    returns = await session.execute(
        sa.select(col(Return.kind), col(Return.status), col(Return.received_at))
        .where(col(Return.subscriber_id) == subscriber_id)
        .order_by(col(Return.id))
    )
    return {
        "mails": [
            {
                "subject": name,
                "language": language,
                "state": state,
                "sent_at": sent_at.isoformat(timespec="seconds") if sent_at else None,
            }
            for name, language, state, sent_at in mails
        ],
        "returned": [
            {"kind": kind, "status": status, "at": at.isoformat(timespec="seconds")}
            for kind, status, at in returns
        ],
    }


async def forget(session: AsyncSession, *, subscriber_id: int) -> None:
    """Blank servers' words and returned messages, which may hold the address.

    The ledger's rows stay, and lose whose they are with the person's own row.
    """
    await session.execute(
        sa.update(Delivery)
        .where(col(Delivery.subscriber_id) == subscriber_id)
        .values(reply_text="")
    )
    await session.execute(
        sa.update(Return)
        .where(col(Return.subscriber_id) == subscriber_id)
        .values(reason="", diagnostic="", domain="", evidence=None)
    )


async def hand_over(session: AsyncSession, *, former_id: int, subscriber_id: int) -> None:
    """A mail that both records got stays in the counts and is nobody's, as there can't be two."""
    has_it = sa.select(col(Delivery.dispatch_id)).where(
        col(Delivery.subscriber_id) == subscriber_id
    )
    await session.execute(
        sa.update(Delivery)
        .where(col(Delivery.subscriber_id) == former_id, col(Delivery.dispatch_id).not_in(has_it))
        .values(subscriber_id=subscriber_id)
        .execution_options(synchronize_session=False)
    )
    await session.execute(
        sa.update(Return)
        .where(col(Return.subscriber_id) == former_id)
        .values(subscriber_id=subscriber_id)
        .execution_options(synchronize_session=False)
    )


async def dispatch_of(session: AsyncSession, *, delivery_id: int) -> int | None:
    """The dispatch that a delivery belongs to."""
    found = await session.get(Delivery, delivery_id)
    return found.dispatch_id if found is not None else None
