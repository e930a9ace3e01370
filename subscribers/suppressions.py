"""The list of addresses that must not be mailed, as staff look at it.

An address is kept as a hash: whom it belongs to is known only while there is a person with it.
Putting an address there and lifting it is in `mending` and `suppression`.
"""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlmodel import col, select

from foundation.frozen import frozen
from foundation.ground import Ground
from subscribers.models import Subscriber, Suppression, SuppressionReason

PAGE = 50


@frozen
class Query:
    """What staff look for."""

    reason: SuppressionReason | None = None
    is_lifted: bool = False
    """Those that may be mailed again, instead of those that may not."""


@frozen
class Row:
    """One suppression, with whose address it is."""

    suppression: Suppression
    email: str
    """Blank when nobody has the address any more."""


@frozen
class Found:
    """Some of them, newest first."""

    rows: Sequence[Row]
    counts: Mapping[str, int]
    """Reason → addresses that may not be mailed because of it."""
    next_after: int | None = None


async def listed(
    ground: Ground, query: Query, *, after: int | None = None, limit: int = PAGE
) -> Found:
    """Pages by keyset on the row number."""
    is_lifted = col(Suppression.lifted_at).is_not(None)
    statement = (
        select(Suppression, sa.func.coalesce(col(Subscriber.email), ""))
        .outerjoin(Subscriber, col(Subscriber.id) == col(Suppression.subscriber_id))
        .where(is_lifted if query.is_lifted else sa.not_(is_lifted))
        .order_by(col(Suppression.id).desc())
        .limit(limit + 1)
    )
    if query.reason is not None:
        statement = statement.where(Suppression.reason == query.reason.value)
    if after is not None:
        statement = statement.where(col(Suppression.id) < after)
    counted = (
        sa.select(col(Suppression.reason), sa.func.count())
        .where(col(Suppression.lifted_at).is_(None))
        .group_by(col(Suppression.reason))
    )
    async with ground.db.reading() as session:
        rows = [
            Row(suppression=found, email=email)
            for found, email in (await session.exec(statement)).all()
        ]
        counts = dict((await session.execute(counted)).all())
    return Found(
        rows=rows[:limit],
        counts=counts,
        next_after=rows[limit - 1].suppression.id if len(rows) > limit else None,
    )
