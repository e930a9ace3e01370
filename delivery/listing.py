"""Recipients to whom a dispatch did not simply go out: listed by name, and counted by reason.

So is mail that was taken and came back. `retrying` queues the odd ones anew. Queries about them
read `ix_deliveries_odd`, which holds them alone; those about what came back, `ix_returns_counted`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery import consequences
from delivery.models import (
    IS_ODD,
    BounceKind,
    Delivery,
    DeliveryState,
    Dispatch,
    Return,
)
from foundation.frozen import frozen
from subscribers import suppression
from subscribers.models import Subscriber, Subscription, SubscriptionState

ODD = (
    DeliveryState.FAILED,
    DeliveryState.DEFERRED,
    DeliveryState.UNCERTAIN,
    DeliveryState.CANCELLED,
)
"""In the order in which staff look at them."""
CAME_BACK = (BounceKind.COMPLAINT, BounceKind.HARD, BounceKind.BLOCK, BounceKind.SOFT)
"""What may be known of a mail that came back; the worst, which stands first, is what counts."""


_WORST = sa.case(
    (col(Delivery.complained_at).is_not(None), BounceKind.COMPLAINT.value),
    else_=col(Delivery.bounce),
)


@frozen
class CameBack:
    """Mail that came back: whatever is the worst that is known of it, or of one kind and reason."""

    kind: BounceKind | None = None
    reason: str | None = None

    def conditions(self, dispatch_id: int) -> list[sa.ColumnElement[bool]]:
        """SQL that tells whose mail; found from the side of what came back, which is less."""
        told = sa.select(col(Return.delivery_id)).where(
            col(Return.dispatch_id) == dispatch_id, *_believed(self.kind)
        )
        if self.reason is not None:
            told = told.where(col(Return.reason) == self.reason)
        kinds = CAME_BACK if self.kind is None else (self.kind,)
        return [col(Delivery.id).in_(told), _WORST.in_([each.value for each in kinds])]


@frozen
class Choice:
    """Recipients of a dispatch in one state; those who fit whatever else is given."""

    state: DeliveryState
    reason: str | None = None
    reply_code: int | None = None
    """The server's reply (RFC 5321 §4.2); 0: there was none."""
    ids: Sequence[int] | None = None
    """Numbers of deliveries; None: all."""
    came_back: CameBack | None = None
    """Only those whose mail came back; None: whether or not it did."""

    def conditions(self, dispatch_id: int) -> list[sa.ColumnElement[bool]]:
        """SQL that tells who is meant."""
        found = [col(Delivery.state) == self.state.value]
        if self.state in ODD:
            found.append(sa.type_coerce(IS_ODD, sa.Boolean))
        if self.reason is not None:
            found.append(col(Delivery.reason) == self.reason)
        if self.reply_code is not None:
            found.append(sa.func.coalesce(col(Delivery.reply_code), 0) == self.reply_code)
        if self.ids is not None:
            found.append(col(Delivery.id).in_(self.ids))
        if self.came_back is not None:
            found += self.came_back.conditions(dispatch_id)
        return found


@frozen
class Listed:
    """A row of the ledger as staff see it."""

    id: int
    subscriber_id: int | None
    email: str
    """Blank when the person was erased."""
    language: str
    state: str
    reason: str
    reply_code: int | None
    reply_text: str
    relay: str
    attempts: int
    first_attempt_at: datetime | None
    due_at: datetime
    may_get_it: bool
    """Whether this person may still be mailed: no bounce, no suppression, still confirmed."""
    came_back: str = ""
    """The worst that came back of it: a `BounceKind`, blank when nothing did."""
    came_back_reason: str = ""
    return_id: int | None = None


@frozen
class Group:
    """Recipients in one state for one reason, with the same code in the last reply."""

    state: str
    reason: str
    reply_code: int | None
    count: int
    example: str
    """What a server said to one of them; may be blank."""


async def listed(
    session: AsyncSession, dispatch_id: int, choice: Choice, *, after: int = 0, limit: int = 100
) -> Sequence[Listed]:
    """Who is meant, by keyset on the number of the delivery. Empty for an unknown dispatch."""
    page = (
        sa.select(col(Delivery.id))
        .where(
            col(Delivery.dispatch_id) == dispatch_id,
            col(Delivery.id) > after,
            *choice.conditions(dispatch_id),
        )
        .order_by(col(Delivery.id))
        .limit(limit)
        .subquery()
    )
    statement = (
        sa.select(
            col(Delivery.id),
            col(Delivery.subscriber_id),
            sa.func.coalesce(col(Subscriber.email), "").label("email"),
            col(Delivery.language),
            col(Delivery.state),
            col(Delivery.reason),
            col(Delivery.reply_code),
            col(Delivery.reply_text),
            col(Delivery.relay),
            col(Delivery.attempts),
            col(Delivery.first_attempt_at),
            col(Delivery.due_at),
            may_get_it(await topics_of(session, dispatch_id)).label("may_get_it"),
        )
        .join(page, page.c.id == col(Delivery.id))
        .outerjoin(Subscriber, col(Subscriber.id) == col(Delivery.subscriber_id))
        .order_by(col(Delivery.id))
    )
    found = [Listed(**row) for row in (await session.execute(statement)).mappings()]
    worst = await _worst(session, dispatch_id, [each.id for each in found])
    return [
        replace(each, came_back=kind, came_back_reason=reason, return_id=number)
        for each in found
        for number, kind, reason in (worst.get(each.id, (None, "", "")),)
    ]


async def _worst(
    session: AsyncSession, dispatch_id: int, numbers: Sequence[int]
) -> Mapping[int, tuple[int, str, str]]:
    """Delivery → number, kind and reason of the worst that came back of it."""
    statement = sa.select(
        col(Return.delivery_id), col(Return.id), col(Return.kind), col(Return.reason)
    ).where(
        col(Return.delivery_id).in_(numbers), col(Return.dispatch_id) == dispatch_id, *_believed()
    )
    rows = (await session.execute(statement)).all() if numbers else []
    worst_last = sorted(rows, key=lambda row: (CAME_BACK.index(row.kind), row.id), reverse=True)
    return {row.delivery_id: (row.id, row.kind, row.reason) for row in worst_last}


async def returned(session: AsyncSession, dispatch_id: int) -> Sequence[Group]:
    """Mail that was taken and came back, by kind and reason, the largest group first."""
    of_one_kind = (col(Return.kind), col(Return.reason))
    statement = (
        sa.select(*of_one_kind, sa.func.count())
        .join(Delivery, col(Delivery.id) == col(Return.delivery_id))
        .where(
            col(Return.dispatch_id) == dispatch_id,
            col(Delivery.state) == DeliveryState.SENT.value,
            col(Return.kind) == _WORST,
            *_believed(),
        )
        .group_by(*of_one_kind)
    )
    found = sorted((await session.execute(statement)).all(), key=lambda row: (-row[2], *row[:2]))
    return [
        Group(state=kind, reason=reason, reply_code=None, count=count, example="")
        for kind, reason, count in found
    ]


def _believed(kind: BounceKind | None = None) -> list[sa.ColumnElement[bool]]:
    kinds = CAME_BACK if kind is None else (kind,)
    return [
        col(Return.kind).in_([each.value for each in kinds]),
        col(Return.proof).not_in(consequences.UNBELIEVED),
    ]


async def groups(session: AsyncSession, dispatch_id: int) -> Sequence[Group]:
    """The odd ones by state and why, the largest group first; read from the index alone."""
    of_one_kind = (col(Delivery.state), col(Delivery.reason), col(Delivery.reply_code))
    counted = (
        sa.select(*of_one_kind, sa.func.count(), sa.func.min(col(Delivery.id)))
        .where(col(Delivery.dispatch_id) == dispatch_id, IS_ODD)
        .group_by(*of_one_kind)
    )
    found = sorted((await session.execute(counted)).all(), key=lambda row: (-row[3], row[4]))
    texts = sa.select(col(Delivery.id), col(Delivery.reply_text)).where(
        col(Delivery.id).in_([row[4] for row in found])
    )
    examples = dict((await session.execute(texts)).all())
    return [
        Group(state=state, reason=reason, reply_code=code, count=count, example=examples[first])
        for state, reason, code, count, first in found
    ]


async def uncertain(session: AsyncSession, dispatch_id: int) -> Sequence[Listed]:
    """Everybody who may or may not have got the mail."""
    choice = Choice(state=DeliveryState.UNCERTAIN)
    return await listed(session, dispatch_id, choice, limit=1_000_000)


def may_get_it(topics: Sequence[int]) -> sa.ColumnElement[bool]:
    """SQL: the recipient is there, did not bounce, and may still be mailed on one of `topics`."""
    confirmed = sa.exists().where(
        col(Subscription.subscriber_id) == col(Delivery.subscriber_id),
        col(Subscription.state) == SubscriptionState.CONFIRMED.value,
        col(Subscription.topic_id).in_(topics),
    )
    return sa.and_(
        col(Delivery.subscriber_id).is_not(None),
        col(Delivery.bounce) != BounceKind.HARD.value,
        sa.not_(suppression.is_active_for(col(Delivery.subscriber_id))),
        confirmed,
    )


async def topics_of(session: AsyncSession, dispatch_id: int) -> Sequence[int]:
    """The topics of a dispatch."""
    statement = sa.select(col(Dispatch.topics)).where(col(Dispatch.id) == dispatch_id)
    return await session.scalar(statement) or []
