"""Addresses that must not be mailed: put there with a reason, lifted only for one.

An address is kept as a keyed hash, so that a suppression outlives the person's erasure without
holding who it was; while the person is there, the row refers to them and queries join on that.

A person can come back by themselves where the reason allows it: a fresh confirmed opt-in lifts a
bounce (the mailbox has just shown that it works), an erasure, and what another service brought
along. A complaint stays when a form is sent in, as anybody can send one: it is lifted from the
person's own preferences page (`coming_back`). What staff put there by hand only staff can lift.
"""

from collections.abc import Collection, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.sql.elements import SQLCoreOperations
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import addresses, rows
from foundation.frozen import frozen
from foundation.ground import Ground
from subscribers import consent
from subscribers.models import (
    Consent,
    ConsentStep,
    Subscriber,
    Suppression,
    SuppressionReason,
)

LASTING = frozenset({SuppressionReason.COMPLAINT, SuppressionReason.BY_HAND})
"""Reasons that the person's own confirmation does not lift."""
LIFTED_BY_CONFIRMING = tuple(reason for reason in SuppressionReason if reason not in LASTING)
"""Reasons that it does."""


def is_active_for(
    subscriber_id: SQLCoreOperations[int] | SQLCoreOperations[int | None],
    *,
    only: Collection[SuppressionReason] = tuple(SuppressionReason),
) -> sa.ColumnElement[bool]:
    """SQL: the person's address must not be mailed, for any reason or one of `only`.

    Served by the index on `suppressions.subscriber_id`.
    """
    active = sa.select(sa.literal(1)).where(
        col(Suppression.subscriber_id) == subscriber_id, col(Suppression.lifted_at).is_(None)
    )
    if len(only) < len(SuppressionReason):
        active = active.where(col(Suppression.reason).in_([reason.value for reason in only]))
    return sa.exists(active.select_from(Suppression))


def everybody() -> sa.Select[int | None]:
    """SQL: the people whose addresses must not be mailed."""
    return sa.select(col(Suppression.subscriber_id)).where(
        col(Suppression.subscriber_id).is_not(None), col(Suppression.lifted_at).is_(None)
    )


async def is_active(ground: Ground, session: AsyncSession, *, email_key: str) -> bool:
    """Whether an address must not be mailed, with or without a person behind it."""
    return bool(await reasons(ground, session, email_key=email_key))


async def reasons(
    ground: Ground, session: AsyncSession, *, email_key: str
) -> frozenset[SuppressionReason]:
    """Why an address must not be mailed; empty when it may be."""
    found = await session.scalars(
        sa.select(col(Suppression.reason)).where(
            col(Suppression.address_hash) == hashed(ground, email_key),
            col(Suppression.lifted_at).is_(None),
        )
    )
    return frozenset(SuppressionReason(reason) for reason in found)


async def add(
    ground: Ground,
    session: AsyncSession,
    *,
    email_key: str | None = None,
    subscriber_id: int | None = None,
    reason: SuppressionReason,
    note: str = "",
    via: str,
    dispatch_id: int | None = None,
    return_id: int | None = None,
) -> None:
    """Never mail an address again; named by its key or by the person who has it.

    `return_id` is what came back and led to it. Doing it twice for the same reason changes nothing.
    A person who is gone is passed over.
    """
    person = await _person(session, email_key=email_key, subscriber_id=subscriber_id)
    key = person.email_key if person is not None else email_key
    if key is None or reason in await reasons(ground, session, email_key=key):
        return
    if person is not None:
        order = Order(
            person=person,
            reason=reason,
            note=note,
            via=via,
            dispatch_id=dispatch_id,
            return_id=return_id,
        )
        session.add_all([_barred(ground, order), _step(ground, order)])
    else:
        session.add(
            Suppression(
                address_hash=hashed(ground, key),
                reason=reason.value,
                note=note,
                return_id=return_id,
                created_at=ground.clock.now(),
            )
        )
    await session.flush()


@frozen
class Order:
    """That somebody's address is not to be mailed any more, and why."""

    person: Subscriber
    reason: SuppressionReason
    note: str = ""
    via: str
    dispatch_id: int | None = None
    return_id: int | None = None


async def add_all(ground: Ground, session: AsyncSession, orders: Sequence[Order]) -> None:
    """As `add` for each of them, but what stands already is looked up once for all."""
    if not orders:
        return
    hashes = {order.person.id: hashed(ground, order.person.email_key) for order in orders}
    found = await session.execute(
        sa.select(col(Suppression.address_hash), col(Suppression.reason)).where(
            col(Suppression.address_hash).in_(set(hashes.values())),
            col(Suppression.lifted_at).is_(None),
        )
    )
    standing = {(address_hash, reason) for address_hash, reason in found}
    fresh: list[Order] = []
    for order in orders:
        meant = (hashes[order.person.id], order.reason.value)
        if meant not in standing:
            standing.add(meant)
            fresh.append(order)
    if fresh:
        # Rows whose numbers nobody asks for go in together, on any engine.
        barred = [_barred(ground, order).model_dump(exclude={"id"}) for order in fresh]
        await session.execute(sa.insert(Suppression), barred)
        steps = [_step(ground, order).model_dump(exclude={"id"}) for order in fresh]
        await session.execute(sa.insert(Consent), steps)


def _barred(ground: Ground, order: Order) -> Suppression:
    return Suppression(
        address_hash=hashed(ground, order.person.email_key),
        subscriber_id=order.person.id,
        reason=order.reason.value,
        note=order.note,
        return_id=order.return_id,
        created_at=ground.clock.now(),
    )


def _step(ground: Ground, order: Order) -> Consent:
    return consent.entry(
        subscriber_id=order.person.id,
        at=ground.clock.now(),
        step=ConsentStep.SUPPRESSED,
        language=order.person.language,
        via=order.via,
        reason=order.note or order.reason.value,
        dispatch_id=order.dispatch_id,
    )


async def lift(
    ground: Ground,
    session: AsyncSession,
    *,
    email_key: str,
    because: str,
    by: str,
    only: Sequence[SuppressionReason] | None = None,
) -> bool:
    """Let an address be mailed again, for all reasons or `only` some; returns whether any was.

    Being subscribed is another matter: this brings nobody back to a topic.
    """
    now = ground.clock.now()
    statement = (
        sa.update(Suppression)
        .where(
            col(Suppression.address_hash) == hashed(ground, email_key),
            col(Suppression.lifted_at).is_(None),
        )
        .values(lifted_at=now, lifted_by=by, lifted_because=because)
        .returning(col(Suppression.id))
    )
    if only is not None:
        statement = statement.where(col(Suppression.reason).in_([each.value for each in only]))
    if not (await session.execute(statement)).all():
        return False
    person = await _person(session, email_key=email_key, subscriber_id=None)
    if person is not None:
        # Whoever comes back begins anew: one more full mailbox is not the fourth in a row.
        person.soft_bounces, person.first_soft_bounce_at = 0, None
        session.add(person)
        consent.record(
            session,
            subscriber_id=person.id,
            at=now,
            step=ConsentStep.LIFTED,
            language=person.language,
            via="staff" if by else "link",
            reason=because,
        )
    return True


async def link(ground: Ground, session: AsyncSession, *, subscriber: Subscriber) -> None:
    """Tie what is suppressed under an address to a person who has just come in with it.

    Every verb that makes a subscriber calls this, so that `is_active_for` sees older reasons.
    """
    await session.execute(
        sa.update(Suppression)
        .where(
            col(Suppression.address_hash) == hashed(ground, subscriber.email_key),
            col(Suppression.subscriber_id).is_(None),
        )
        .values(subscriber_id=subscriber.id)
    )


async def look_up(
    ground: Ground, session: AsyncSession, people: Mapping[str, int]
) -> dict[str, frozenset[SuppressionReason]]:
    """`link` and `reasons` for many at once: key of the address → why it must not be mailed.

    `people` says who has each address; whoever may be mailed is left out. Served by the index on
    `suppressions.address_hash`.
    """
    keys = {hashed(ground, key): key for key in people}
    found = await session.execute(_OF_HASHES, {"hashes": rows.packed([each] for each in keys)})
    barred: dict[str, frozenset[SuppressionReason]] = {}
    for number, address_hash, reason, subscriber_id, lifted_at in found.all():
        key = keys[address_hash]
        if subscriber_id is None:
            await session.execute(
                sa.update(Suppression)
                .where(col(Suppression.id) == number)
                .values(subscriber_id=people[key])
            )
        if lifted_at is None:
            barred[key] = barred.get(key, frozenset()) | {SuppressionReason(reason)}
    return barred


_HASHES = rows.Rows("hashes")
_OF_HASHES = sa.select(
    col(Suppression.id),
    col(Suppression.address_hash),
    col(Suppression.reason),
    col(Suppression.subscriber_id),
    col(Suppression.lifted_at),
).join(_HASHES.table, col(Suppression.address_hash) == _HASHES.text(0))


def hashed(ground: Ground, email_key: str) -> str:
    """How an address is written in the table."""
    return addresses.keyed_hash(email_key, secret=ground.tokens.derive("suppression"))


async def _person(
    session: AsyncSession, *, email_key: str | None, subscriber_id: int | None
) -> Subscriber | None:
    if subscriber_id is not None:
        return await session.get(Subscriber, subscriber_id)
    return (await session.exec(select(Subscriber).where(Subscriber.email_key == email_key))).first()
