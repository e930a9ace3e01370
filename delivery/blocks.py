"""Holds mail to hosts that refuse us: told by our relay while sending, or by what comes back.

Every process sees it in the row of the host's limit. Nothing here blames a reader.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery import allowances, blocking, consequences, domains, refusals
from delivery.blocking import Hold
from delivery.models import (
    IS_FREE,
    NOT_YET,
    Allowance,
    BounceKind,
    Delivery,
    Dispatch,
    DispatchState,
    Reason,
    Return,
)
from foundation import audit, errors, logs
from foundation.audit import Actor
from foundation.config import Settings
from foundation.ground import Ground
from foundation.i18n import N_
from subscribers.models import Subscriber

_log = logs.get("blocks")

_LATELY = timedelta(hours=1)
_LOOKED_THROUGH = 20_000
"""Rows at most: what came back, and the mails that were taken last."""


async def hold(ground: Ground, *, name: str, said: str) -> Hold:
    """Hold mail under the limit of a host, or note that it refused us again.

    Raises `errors.Busy`.
    """
    async with ground.db.transaction() as session:
        (row,) = await allowances.locked(ground, session, [name])
        now = ground.clock.now()
        before = allowances.hold_of(row)
        found = blocking.held(before, said=said[:200], now=now, settings=ground.settings.bounces)
        if found != before:
            _log.warning("a host refuses us", limit=name, until=str(found.until))
        row.holds, row.held_at, row.held_until = found.times, found.since, found.until
        row.held_said, row.is_given_up = found.said, found.is_given_up
        row.touched_at = now
        return found


async def release(ground: Ground, *, actor: Actor, name: str) -> None:
    """Let mail go on to a host at once, because staff mended what it refused us for.

    Raises `errors.NotFound` when nothing is held under that name.
    """
    async with ground.db.transaction() as session:
        row = await session.get(Allowance, name, with_for_update=True)
        now = ground.clock.now()
        if row is None or row.held_until is None or row.held_until <= now:
            raise errors.NotFound(N_("Nothing is held there any more."))
        before = {"until": row.held_until.isoformat(), "said": row.held_said}
        # What was refused until now has had its consequence: only what comes from here on counts.
        row.holds, row.held_at, row.held_until, row.is_given_up = 0, now, now, False
        row.touched_at = now
        await _make_due(ground.settings, session, name, now)
        audit.record(
            session,
            actor=actor,
            at=now,
            action="host.released",
            object_kind="host",
            object_id=name.partition(":")[2],
            before=before,
        )


async def watch(ground: Ground) -> None:
    """Hold hosts whose refusals came back by mail or from a provider; called by the scheduler.

    There a relay took the mail first, so one refusal among many that arrived is nothing: it is the
    share of what was taken lately that counts.
    """
    settings = ground.settings.bounces
    now = ground.clock.now()
    blocked: dict[str, str] = {}
    async with ground.db.reading() as session:
        hosts = await _refusals(session, ground.settings, since=now - _LATELY)
        known = await allowances.troubles(session) if hosts else {}
        for name, refusals in hosts.items():
            _, before = known.get(name, (None, None))
            # What came back before a hold has had its consequence.
            new = [each for each in refusals if before is None or each.at > before.since]
            if len(new) >= settings.blocks_in_a_row and not await _took_more(
                session, new, than=len(new) * 100 / settings.block_share_percent
            ):
                blocked[name] = new[-1].said
    for name, said in blocked.items():
        await hold(ground, name=name, said=said)


async def _make_due(settings: Settings, session: AsyncSession, name: str, now: datetime) -> None:
    """Who waits for a host is due now. Looks through all who wait: a person asked for it."""
    shared = domains.names(settings)
    names = [domain for domain, limit in shared.items() if limit == name]
    there = _is_at(names or [name.removeprefix(domains.ONE)])
    running = sa.select(col(Dispatch.id)).where(
        col(Dispatch.state).in_([DispatchState.SENDING.value, DispatchState.PAUSED.value])
    )
    await session.execute(
        sa.update(Delivery)
        .where(
            col(Delivery.dispatch_id).in_(running),
            IS_FREE,
            col(Delivery.reason).in_(["", Reason.BLOCKED.value]),
            col(Delivery.due_at) > now,
            # Who waits for a choice between two forms does not wait for a host.
            col(Delivery.due_at) < NOT_YET,
            col(Delivery.subscriber_id).in_(sa.select(col(Subscriber.id)).where(there)),
        )
        .values(due_at=now)
        .execution_options(synchronize_session=False)
    )


def _is_at(names: Iterable[str]) -> sa.ColumnElement[bool]:
    """SQL: a person's mailbox is in one of these domains."""
    key = col(Subscriber.email_key)
    return sa.or_(*(key.endswith(f"@{name}", autoescape=True) for name in sorted(names)))


@dataclass(frozen=True, slots=True)
class _Refusal:
    domain: str
    dispatch_id: int
    at: datetime
    said: str


async def _refusals(
    session: AsyncSession, settings: Settings, *, since: datetime
) -> dict[str, list[_Refusal]]:
    """What came back so, by the name of the host's limit, the oldest first."""
    statement = (
        sa.select(
            col(Return.domain),
            col(Return.dispatch_id),
            col(Return.received_at),
            col(Return.diagnostic),
        )
        .where(
            col(Return.received_at) > since,
            col(Return.kind) == BounceKind.BLOCK.value,
            col(Return.via) != refusals.RELAY,
            col(Return.proof).not_in(consequences.UNBELIEVED),
            col(Return.domain) != "",
            col(Return.dispatch_id).is_not(None),
        )
        .order_by(col(Return.received_at).desc())
        .limit(_LOOKED_THROUGH)
    )
    names = domains.names(settings)
    found: dict[str, list[_Refusal]] = {}
    for row in reversed((await session.execute(statement)).all()):
        name = names.get(row.domain, f"{domains.ONE}{row.domain}")
        found.setdefault(name, []).append(_Refusal(*row))
    return found


async def _took_more(session: AsyncSession, told: Sequence[_Refusal], *, than: float) -> bool:
    """Whether the host took more mails lately, of the same bulletins, than so many.

    Looks through those that were sent last, by `ix_deliveries_sent`.
    """
    lately = (
        sa.select(col(Delivery.subscriber_id))
        .where(
            col(Delivery.dispatch_id).in_({each.dispatch_id for each in told}),
            col(Delivery.sent_at) > told[0].at - _LATELY,
        )
        .order_by(col(Delivery.sent_at).desc())
        .limit(_LOOKED_THROUGH)
        .subquery()
    )
    statement = (
        sa.select(sa.func.count())
        .select_from(lately)
        .join(Subscriber, col(Subscriber.id) == lately.c.subscriber_id)
        .where(_is_at({each.domain for each in told}))
    )
    return ((await session.execute(statement)).scalar_one() or 0) > than
