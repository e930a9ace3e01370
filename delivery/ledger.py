"""One row per recipient: who is claimed by whom, what came of it, and counts that always add up.

A row is leased by exactly one worker at a time, and only its holder's results are written into it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, cast

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery.letter import IS_ATTEMPT, Kind, Result, Verdict
from delivery.models import (
    ALL_QUEUED,
    IS_FREE,
    IS_ODD,
    Delivery,
    DeliveryState,
    Dispatch,
    DispatchState,
    Reason,
    Return,
    WhenUncertain,
)
from foundation import portions, rows
from foundation.frozen import frozen
from foundation.sections import Delivery as DeliverySettings

WAITING = (DeliveryState.QUEUED.value, DeliveryState.DEFERRED.value)


@frozen
class Counts:
    """How a dispatch stands. `audience` is the sum of the six states below it."""

    audience: int = 0
    queued: int = 0
    sent: int = 0
    deferred: int = 0
    failed: int = 0
    uncertain: int = 0
    cancelled: int = 0
    bounced: Mapping[str, int]
    """hard, soft and block, of mails that were taken and came back."""
    complaints: int = 0


class Claimed(NamedTuple):
    """A row that is leased now."""

    id: int
    dispatch_id: int
    subscriber_id: int | None
    language: str
    attempts: int
    first_attempt_at: datetime | None
    variant: str
    """Which of two forms they get, if two are tried."""


async def counts(session: AsyncSession, dispatch_id: int) -> Counts:
    """How a dispatch stands; the states are counted by one statement, so they always add up.

    Looks at every row of it; `standing` says the same by what few rows say.
    """
    states = await _by_state(session, dispatch_id)
    return await _with_returns(session, dispatch_id, audience=sum(states.values()), states=states)


async def standing(session: AsyncSession, order: Dispatch) -> Counts:
    """The same without a look at everybody who simply got it, which are nearly all in the end.

    Whoever neither waits nor is odd was sent to; the index of the odd holds them alone.
    """
    states = Counter(await _by_state(session, order.id, IS_ODD))
    for condition in ALL_QUEUED:
        states.update(await _by_state(session, order.id, condition))
    states[DeliveryState.SENT.value] = order.audience - states.total()
    return await _with_returns(session, order.id, audience=order.audience, states=states)


async def _by_state(
    session: AsyncSession, dispatch_id: int, *conditions: sa.TextClause | sa.ColumnElement[bool]
) -> dict[str, int]:
    statement = (
        sa.select(col(Delivery.state), sa.func.count())
        .where(col(Delivery.dispatch_id) == dispatch_id, *conditions)
        .group_by(col(Delivery.state))
    )
    return dict((await session.execute(statement)).all())


async def _with_returns(
    session: AsyncSession, dispatch_id: int, *, audience: int, states: Mapping[str, int]
) -> Counts:
    """What came back is found from its own side, however many mails there are."""
    told = sa.select(col(Return.delivery_id)).where(
        col(Return.dispatch_id) == dispatch_id, col(Return.delivery_id).is_not(None)
    )
    came_back = (
        sa.select(col(Delivery.bounce), sa.func.count(), sa.func.count(col(Delivery.complained_at)))
        .where(col(Delivery.id).in_(told))
        .group_by(col(Delivery.bounce))
    )
    bounced = {"hard": 0, "soft": 0, "block": 0}
    complaints = 0
    for bounce, count, complained in (await session.execute(came_back)).all():
        complaints += complained
        if bounce in bounced:
            bounced[bounce] += count
    every = {state.value: 0 for state in DeliveryState} | dict(states)
    return Counts(audience=audience, bounced=bounced, complaints=complaints, **every)


async def is_due(session: AsyncSession, *, now: datetime) -> bool:
    """Whether a claim would find anything; a cheap look that takes no lock.

    Asked for each state by itself: what an index holds anyhow, PostgreSQL does not look for in it,
    and would pass by all who are due later.
    """
    due = [
        sa.exists().where(
            col(Dispatch.state) == DispatchState.SENDING.value,
            col(Delivery.dispatch_id) == col(Dispatch.id),
            IS_FREE,
            col(Delivery.state) == state,
            col(Delivery.due_at) <= now,
        )
        for state in WAITING
    ]
    return bool(await session.scalar(sa.select(sa.or_(*due))))


async def claim(
    session: AsyncSession, *, worker_id: int, limit: int, now: datetime, until: datetime
) -> list[Claimed]:
    """Lease up to `limit` due rows of running dispatches; the oldest dispatch comes first."""
    running = await session.scalars(
        sa.select(col(Dispatch.id))
        .where(col(Dispatch.state) == DispatchState.SENDING.value)
        .order_by(col(Dispatch.id))
    )
    found: list[Claimed] = []
    for dispatch_id in running.all():
        for state in WAITING:
            if len(found) < limit:
                found += await _lease(
                    session,
                    dispatch_id=dispatch_id,
                    state=state,
                    worker_id=worker_id,
                    limit=limit - len(found),
                    now=now,
                    until=until,
                )
    return found


async def _lease(
    session: AsyncSession,
    *,
    dispatch_id: int,
    state: str,
    worker_id: int,
    limit: int,
    now: datetime,
    until: datetime,
) -> list[Claimed]:
    """PostgreSQL skips rows that another is claiming right now.

    SQLite has one writer at a time and ignores the clause. A row that was put off counts as queued
    again as soon as it is leased; what is queued already is not said to be, for an index's sake.
    """
    anew = {} if state == DeliveryState.QUEUED else {"state": DeliveryState.QUEUED.value}
    columns = [getattr(Delivery, name) for name in Claimed._fields]
    due = (
        sa.select(*map(col, columns))
        .where(
            col(Delivery.dispatch_id) == dispatch_id,
            IS_FREE,
            col(Delivery.state) == state,
            col(Delivery.due_at) <= now,
        )
        .order_by(col(Delivery.due_at), col(Delivery.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")  # rows can't be locked where they are gathered
    )
    # Past the session: it would make an object's state of each row.
    connection = await session.connection()
    gathered = await connection.scalar(sa.select(rows.gathered(*due.c)))
    found: list[Claimed] = []
    async for some in portions.of(rows.unpacked(gathered)):
        found += [_claimed(*row) for row in some]
    if found:
        listed = rows.Rows("claimed")
        await connection.execute(
            sa.update(_TABLE)
            .where(_TABLE.c.id.in_(sa.select(listed.number(0))))
            .values(worker_id=worker_id, leased_until=until, **anew),
            {"claimed": rows.packed([row.id] for row in found)},
        )
    return sorted(found)


def _claimed(
    number: int,
    dispatch_id: int,
    subscriber_id: int | None,
    language: str,
    attempts: int,
    first_attempt_at: str | None,
    variant: str,
) -> Claimed:
    """A row as it was gathered."""
    began = rows.read(first_attempt_at) if first_attempt_at else None
    return Claimed(number, dispatch_id, subscriber_id, language, attempts, began, variant)


async def record(session: AsyncSession, *, worker_id: int, results: Iterable[Result]) -> bool:
    """Write results into rows that `worker_id` holds, and end their leases; others stay.

    A row that staff cancelled meanwhile stays cancelled unless its message went out or may have.
    One that is uncertain is tried again at its `due_at` where its dispatch says so. Returns whether
    anything was written.
    """
    mine = [result for result in results if result.kind is Kind.DELIVERY]
    if not mine:
        return False
    connection = await session.connection()
    has_written = False
    for (relay, code), taken in (await _taken(mine)).items():
        values = {"holder": worker_id, "taken": rows.packed(taken), "by": relay, "said": code}
        has_written |= (await connection.execute(_RECORD_TAKEN, values)).rowcount > 0
    others = [result for result in mine if result.verdict is not Verdict.SENT]
    if others:
        values = {"holder": worker_id, "results": rows.packed(map(_written, others))}
        has_written |= (await connection.execute(_RECORD, values)).rowcount > 0
    unsure = [result for result in mine if result.verdict is Verdict.UNCERTAIN and result.due_at]
    if unsure:
        values = {"unsure": rows.packed([result.id] for result in unsure)}
        await connection.execute(_SEND_AGAIN, values)
    return has_written


_TABLE = cast(sa.Table, sa.inspect(Delivery).local_table)
_WAITING = (Verdict.DEFERRED, Verdict.BACK)


async def _taken(
    results: Sequence[Result],
) -> Mapping[tuple[str, int], list[tuple[int | str, ...]]]:
    """Those that a relay took, as `_RECORD_TAKEN` reads them, by the relay and its reply's code."""
    found: dict[tuple[str, int], list[tuple[int | str, ...]]] = {}
    async for some in portions.of(results):
        for result in some:
            if result.verdict is Verdict.SENT:
                code, text, relay = result.reply
                taken = found.setdefault((relay, code), [])
                taken.append((result.id, result.attempt, rows.written(result.at), text))
    return found


def _written(result: Result) -> tuple[int | str | datetime | None, ...]:
    """A result as `_RECORD` reads it."""
    is_attempt = result.verdict in IS_ATTEMPT
    at = rows.written(result.at)
    return (
        result.id,
        DeliveryState.QUEUED if result.verdict is Verdict.BACK else result.verdict,
        result.reason,
        int(result.verdict in _WAITING),
        result.attempt if is_attempt else None,
        result.due_at,
        result.reply.relay,
        result.reply.code or None,
        result.reply.text,
        at if is_attempt else None,
        at if result.verdict is Verdict.SENT else None,
    )


# An index on the holder would lead SQLite to look through all results for each row held.
_IS_HELD = _TABLE.c.worker_id + 0 == sa.bindparam("holder")


def _record_taken() -> sa.Update:
    """Nearly all results: few things differ from row to row, and nothing overrules them."""
    found = rows.Rows("taken")
    return (
        sa.update(_TABLE)
        .where(_TABLE.c.id == found.number(0), _IS_HELD)
        .values(
            state=DeliveryState.SENT.value,
            reason="",
            attempts=found.number(1),
            relay=sa.bindparam("by", type_=sa.String),
            reply_code=sa.bindparam("said", type_=sa.Integer),
            reply_text=found.text(3),
            first_attempt_at=sa.func.coalesce(_TABLE.c.first_attempt_at, found.moment(2)),
            sent_at=found.moment(2),
            worker_id=sa.null(),
            leased_until=sa.null(),
        )
    )


def _record() -> sa.Update:
    """What came of the others."""
    found = rows.Rows("results")
    stays_cancelled = sa.and_(_TABLE.c.state == DeliveryState.CANCELLED.value, found.number(3) == 1)
    return (
        sa.update(_TABLE)
        .where(_TABLE.c.id == found.number(0), _IS_HELD)
        .values(
            state=sa.case((stays_cancelled, _TABLE.c.state), else_=found.text(1)),
            reason=sa.case((stays_cancelled, _TABLE.c.reason), else_=found.text(2)),
            attempts=sa.func.coalesce(found.number(4), _TABLE.c.attempts),
            due_at=sa.func.coalesce(found.moment(5), _TABLE.c.due_at),
            relay=found.text(6),
            reply_code=found.number(7),
            reply_text=found.text(8),
            first_attempt_at=sa.func.coalesce(_TABLE.c.first_attempt_at, found.moment(9)),
            sent_at=found.moment(10),
            worker_id=sa.null(),
            leased_until=sa.null(),
        )
    )


def _send_again() -> sa.Update:
    """Asked when it happens, as staff may change their mind while a dispatch is sending."""
    unsure = rows.Rows("unsure")
    dispatch = sa.exists().where(
        col(Dispatch.id) == _TABLE.c.dispatch_id,
        col(Dispatch.when_uncertain) == WhenUncertain.RESEND.value,
        col(Dispatch.state).in_([DispatchState.SENDING.value, DispatchState.PAUSED.value]),
    )
    return (
        sa.update(_TABLE)
        .where(
            _TABLE.c.id == unsure.number(0),
            _TABLE.c.state == DeliveryState.UNCERTAIN.value,
            dispatch,
        )
        .values(state=DeliveryState.DEFERRED.value, reason=Reason.RESENT.value)
    )


_RECORD_TAKEN = _record_taken()
_RECORD = _record()
_SEND_AGAIN = _send_again()


async def release(
    session: AsyncSession, *, worker_id: int, but: Iterable[tuple[Kind, int]] = ()
) -> None:
    """Give back, untouched, every row that `worker_id` still holds, `but` for these."""
    kept = rows.Rows("kept")
    await session.execute(
        sa.update(Delivery)
        .where(
            col(Delivery.worker_id) == sa.bindparam("holder"),
            col(Delivery.id).not_in(sa.select(kept.number(0)).select_from(kept.table)),
        )
        .values(worker_id=None, leased_until=None),
        {
            "holder": worker_id,
            "kept": rows.packed([number] for kind, number in but if kind is Kind.DELIVERY),
        },
        execution_options={"synchronize_session": False},
    )


def retry_after(attempt: int, settings: DeliverySettings) -> timedelta:
    """How long to wait after the `attempt`th try, counted from 1 (RFC 5321 §4.5.4.1)."""
    waits = settings.retry_minutes or [60]
    return timedelta(minutes=waits[min(attempt, len(waits)) - 1])
