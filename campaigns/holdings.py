"""What is known here about a person: to take along, to forget (`subscribers/holdings.py`)."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns.models import Hit
from campaigns.welcome_models import Welcome, WelcomeReader
from delivery.models import Delivery, DispatchLink
from subscribers.models import Topic


async def held(session: AsyncSession, *, subscriber_id: int) -> Mapping[str, Any]:
    """Opens and clicks that were noted with the person's consent, and the welcomes they are in."""
    rows = await session.execute(
        sa.select(col(Hit.kind), col(Hit.at), col(DispatchLink.url))
        .join(Delivery, col(Delivery.id) == col(Hit.delivery_id))
        .outerjoin(
            DispatchLink,
            sa.and_(
                col(DispatchLink.dispatch_id) == col(Hit.dispatch_id),
                col(DispatchLink.number) == col(Hit.link),
            ),
        )
        .where(col(Delivery.subscriber_id) == subscriber_id)
        .order_by(col(Hit.id))
    )
    welcomes = await session.execute(
        sa.select(col(Topic.slug), col(WelcomeReader.began_at), col(WelcomeReader.state))
        .join(Welcome, col(Welcome.id) == col(WelcomeReader.welcome_id))
        .join(Topic, col(Topic.id) == col(Welcome.topic_id))
        .where(col(WelcomeReader.subscriber_id) == subscriber_id)
        .order_by(col(WelcomeReader.id))
    )
    return {
        "opened_and_followed": [
            {"kind": kind, "at": at.isoformat(timespec="seconds"), "link": url}
            for kind, at, url in rows
        ],
        "welcomes": [
            {"topic": topic, "began_at": at.isoformat(timespec="seconds"), "state": state}
            for topic, at, state in welcomes
        ],
    }


async def forget(session: AsyncSession, *, subscriber_id: int) -> None:
    """Remove what was noted by name; the totals without names stay."""
    theirs = sa.select(col(Delivery.id)).where(col(Delivery.subscriber_id) == subscriber_id)
    await session.execute(sa.delete(Hit).where(col(Hit.delivery_id).in_(theirs)))


async def hand_over(session: AsyncSession, *, former_id: int, subscriber_id: int) -> None:
    """Hits hang on mails and go with them; a welcome that both are in goes on once."""
    is_in = sa.select(col(WelcomeReader.welcome_id)).where(
        col(WelcomeReader.subscriber_id) == subscriber_id
    )
    await session.execute(
        sa.update(WelcomeReader)
        .where(
            col(WelcomeReader.subscriber_id) == former_id,
            col(WelcomeReader.welcome_id).not_in(is_in),
        )
        .values(subscriber_id=subscriber_id)
        .execution_options(synchronize_session=False)
    )


async def dispatch_of(session: AsyncSession, *, delivery_id: int) -> int | None:  # noqa: ARG001
    """Nothing is known here that the ledger does not know."""
    return None
