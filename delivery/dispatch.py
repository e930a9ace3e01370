"""Turns a campaign into a frozen work order, and stops or goes on with it.

Everything here works inside the caller's transaction. After `start` nothing about the audience is
asked again, but for suppression and unsubscription, which count until the moment of sending.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery import message
from delivery.models import (
    IS_FREE,
    IS_HELD,
    IS_OPEN,
    IS_QUEUED,
    NOT_YET,
    Delivery,
    DeliveryState,
    Dispatch,
    DispatchLink,
    DispatchPlan,
    DispatchState,
    Reason,
    Variant,
    WhenUncertain,
)
from foundation import errors
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from templates import mergefields
from templates.plan import Plan

_HALF_PERCENT = 200
"""A half of one in a hundred is one in so many."""
_OF_THE_REST = {Variant.A: Variant.REST_A, Variant.B: Variant.REST_B}


@frozen
class Trial:
    """The second form of a dispatch that tries two, and how many get one of them at first."""

    plans: Mapping[str, Plan]
    """For each language of the first form; their links have numbers of their own."""
    percent: int
    """Of the people in each language, drawn at random: half of them get either form."""
    from_name: str = ""
    """The sender's name; blank where it is the same."""


@frozen
class Order:
    """What is to be sent, to whom, in whose name."""

    campaign_id: int
    name: str
    from_name: str
    from_address: str
    reply_to: str = ""
    relay: str = ""
    """The one relay that it goes out by; blank: chosen by sender and weight."""
    default_language: str
    plans: Mapping[str, Plan]
    """Language → message plan; link numbers differ between languages."""
    topics: Sequence[int]
    """A recipient has to be confirmed on one of them at the moment of sending."""
    recipients: sa.Select[int, str]
    """Yields each recipient once: subscriber and the language of the edition."""
    excluded: Mapping[str, int] = field(default_factory=dict)
    when_uncertain: WhenUncertain | None = None
    """None: as the settings say."""
    not_before: Callable[[sa.ColumnElement[int]], sa.ColumnElement[datetime]] | None = None
    """SQL: of a subscriber's number, the moment before which nothing goes to them; None: at once.
    Not together with `trial`, whose choice decides when all others are due."""
    trial: Trial | None = None
    """The second form, if two are tried; all others wait until one is chosen."""


async def start(ground: Ground, session: AsyncSession, order: Order) -> Dispatch:
    """Freeze the plans and fill the ledger with one `INSERT … SELECT`; workers begin on commit.

    Raises `errors.Refused` when the campaign was dispatched before (one dispatch a campaign, ever)
    or when a plan needs values that no recipient has, and `errors.Invalid` for a sender's name or
    address that can't stand in a header.
    """
    message.mailbox(order.from_name, order.from_address)
    message.address(order.reply_to)
    trial = order.trial
    if trial is not None and trial.from_name:
        message.mailbox(trial.from_name, order.from_address)
    for plan in (*order.plans.values(), *(trial.plans.values() if trial else ())):
        _check_values(plan)
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
        relay=order.relay,
        default_language=order.default_language,
        topics=list(order.topics),
        excluded=dict(order.excluded),
        when_uncertain=order.when_uncertain or ground.settings.delivery.uncertain,
        from_name_b=trial.from_name if trial else "",
        started_at=now,
    )
    session.add(made)
    try:
        await session.flush()
    except exc.IntegrityError as problem:
        # Somebody else was quicker, after we had looked.
        raise errors.Refused(N_("This campaign was started already.")) from problem
    for language, plan in order.plans.items():
        other = trial.plans[language] if trial else None
        session.add(
            DispatchPlan(
                dispatch_id=made.id,
                language=language,
                plan=plan.freeze(),
                plan_b=other.freeze() if other else None,
            )
        )
        _add_links(session, made, language, plan, Variant.A if trial else Variant.NONE)
        if other:
            _add_links(session, made, language, other, Variant.B)
    await session.flush()
    made.audience = await _fill(session, made, order)
    if order.not_before is not None:
        made.last_due_at = await _last_due(session, made)
    if trial is not None:
        made.waiting = await count_waiting(session, dispatch_id=made.id)
    session.add(made)
    await session.flush()
    return made


def _add_links(
    session: AsyncSession, made: Dispatch, language: str, plan: Plan, variant: Variant
) -> None:
    for link in plan.links:
        session.add(
            DispatchLink(
                dispatch_id=made.id,
                number=link.number,
                language=language,
                variant=variant.value,
                url=link.url,
                label=link.label,
            )
        )


async def release(
    session: AsyncSession, *, dispatch_id: int, variant: Variant, now: datetime
) -> int:
    """Let everybody who waits for a choice between two forms have A or B; returns how many.

    To be called once, by whoever made the choice: in the transaction that holds it. One statement,
    as `start` takes one, so that nobody is left between.
    """
    await session.execute(
        sa.update(Dispatch)
        .where(col(Dispatch.id) == dispatch_id)
        .values(winner=variant.value, waiting=0)
    )
    connection = await session.connection()
    released = await connection.execute(
        sa.update(Delivery)
        .where(
            col(Delivery.dispatch_id) == dispatch_id,
            IS_QUEUED,
            col(Delivery.due_at) == NOT_YET,
        )
        .values(variant=_OF_THE_REST[variant].value, due_at=now)
    )
    return released.rowcount


async def count_waiting(session: AsyncSession, *, dispatch_id: int) -> int:
    """How many wait for a choice between two forms."""
    statement = sa.select(sa.func.count()).where(
        col(Delivery.dispatch_id) == dispatch_id,
        IS_QUEUED,
        col(Delivery.due_at) == NOT_YET,
    )
    return int(await session.scalar(statement) or 0)


async def pause(session: AsyncSession, *, dispatch_id: int, reason: str = "") -> bool:
    """Stop for now; whether it was sending. Workers put back whatever has no last dot yet."""
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

    A row that a worker holds keeps its lease: the worker sees before the last dot that it was
    cancelled, or has written the dot already and records what came of it.
    """
    is_stopped = False
    for state in (DispatchState.SENDING, DispatchState.PAUSED):
        is_stopped = is_stopped or await _move(session, dispatch_id, state, DispatchState.CANCELLED)
    if is_stopped:
        # Both kinds in one statement: a row that is claimed or given back meanwhile is of either.
        of_it = col(Delivery.dispatch_id) == dispatch_id
        await session.execute(
            sa.update(Delivery)
            .where(sa.or_(sa.and_(of_it, IS_FREE), sa.and_(of_it, IS_OPEN, IS_HELD)))
            .values(state=DeliveryState.CANCELLED.value, reason=Reason.STOPPED.value)
        )
    return is_stopped


async def has_ended(session: AsyncSession) -> bool:
    """Whether `finish` would find anything; a cheap look that takes no lock."""
    sent, stopped = _ended()
    return bool(await session.scalar(sa.select(sa.exists().where(sa.or_(sent, stopped)))))


async def finish(session: AsyncSession, *, now: datetime) -> Sequence[int]:
    """Close dispatches in which nobody waits any more; returns those that are sent now.

    One that staff cancelled is over when no worker holds a row of it.
    """
    sent, stopped = _ended()
    # Locked before they are looked at: staff may be queueing somebody anew right now (PostgreSQL).
    running = sa.select(col(Dispatch.id)).where(sent).with_for_update()
    await session.execute(running)
    await session.execute(sa.update(Dispatch).where(stopped).values(finished_at=now))
    statement = (
        sa.update(Dispatch)
        .where(sent)
        .values(state=DispatchState.SENT.value, finished_at=now)
        .returning(col(Dispatch.id))
    )
    return (await session.scalars(statement)).all()


def _ended() -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    """SQL: everything of a running dispatch has its outcome; of a cancelled one, too."""
    of_it = col(Delivery.dispatch_id) == col(Dispatch.id)
    waits = sa.exists().where(of_it, IS_FREE)
    is_held = sa.exists().where(of_it, IS_HELD)
    return (
        sa.and_(col(Dispatch.state) == DispatchState.SENDING.value, ~waits, ~is_held),
        sa.and_(
            col(Dispatch.state) == DispatchState.CANCELLED.value,
            col(Dispatch.finished_at).is_(None),
            ~is_held,
        ),
    )


def _check_values(plan: Plan) -> None:
    """Every slot must be one that `splicing.Splicer` fills."""
    known = {*mergefields.RECIPIENT_FIELDS, "open_pixel_url"}
    known |= {f"click:{link.number}" for link in plan.links}
    missing = [name for name in plan.missing(known) if not name.startswith("subscriber.fields.")]
    if missing:
        raise errors.Refused(
            N_("The mail needs values that nobody has: %(names)s."), names=", ".join(missing)
        )


async def _fill(session: AsyncSession, made: Dispatch, order: Order) -> int:
    """One row for each recipient; returns how many."""
    who = _drawn(order.recipients, order.trial) if order.trial else _alike(order.recipients)
    moment = sa.inspect(Delivery).columns["due_at"].type
    now = sa.literal(made.started_at, type_=moment)
    due: sa.ColumnElement[datetime] = now
    reason: sa.ColumnElement[str] = sa.literal("")
    if order.trial is not None:
        waits = who.c.variant == Variant.NONE.value
        due = sa.case((waits, sa.literal(NOT_YET, type_=moment)), else_=now)
    elif order.not_before is not None:
        who = sa.select(*who.c, order.not_before(who.c.subscriber).label("due")).subquery("timed")
        due = who.c.due
        reason = sa.case((due > now, Reason.OWN_TIME.value), else_="")
    rows = sa.select(
        sa.literal(made.id),
        who.c.subscriber,
        who.c.language,
        who.c.variant,
        sa.literal(DeliveryState.QUEUED.value),
        reason,
        sa.literal(0),
        due,
        sa.literal(""),
        sa.literal(""),
        sa.literal(""),
    ).order_by(who.c.subscriber)
    names = (
        "dispatch_id",
        "subscriber_id",
        "language",
        "variant",
        "state",
        "reason",
        "attempts",
        "due_at",
        "relay",
        "reply_text",
        "bounce",
    )
    connection = await session.connection()
    return (await connection.execute(sa.insert(Delivery).from_select(names, rows))).rowcount


async def _last_due(session: AsyncSession, made: Dispatch) -> datetime | None:
    """When the last are due who wait for their hour; the index on states and due times answers."""
    statement = sa.select(sa.func.max(col(Delivery.due_at))).where(
        col(Delivery.dispatch_id) == made.id,
        IS_QUEUED,
        col(Delivery.due_at) > made.started_at,
    )
    return await session.scalar(statement)


async def count_later(session: AsyncSession, *, dispatch_id: int, now: datetime) -> int:
    """How many wait for the hour where they live."""
    statement = sa.select(sa.func.count()).where(
        col(Delivery.dispatch_id) == dispatch_id,
        IS_QUEUED,
        col(Delivery.due_at) > now,
    )
    return int(await session.scalar(statement) or 0)


def _alike(recipients: sa.Select[int, str]) -> sa.Subquery:
    """All get the one form there is."""
    who = recipients.subquery("recipients")
    subscriber, language = who.c
    return sa.select(
        subscriber.label("subscriber"),
        language.label("language"),
        sa.literal(Variant.NONE.value).label("variant"),
    ).subquery("alike")


def drawn_of(people: int, *, percent: int) -> int:
    """How many of so many in one language would be drawn for each of two forms."""
    return people * percent // _HALF_PERCENT


def _drawn(recipients: sa.Select[int, str], trial: Trial) -> sa.Subquery:
    """Some, drawn at random among those of each language, get one form or the other.

    Exactly as many get either: a half of `percent`, rounded down. Where somebody stands in the
    draw decides; the ledger keeps what came of it.
    """
    who = recipients.subquery("recipients")
    subscriber, language = who.c
    drawn = sa.select(
        subscriber.label("subscriber"),
        language.label("language"),
        sa.func.row_number().over(partition_by=language, order_by=sa.func.random()).label("place"),
        (sa.func.count().over(partition_by=language) * trial.percent // _HALF_PERCENT).label(
            "half"
        ),
    ).subquery("drawn")
    return sa.select(
        drawn.c.subscriber,
        drawn.c.language,
        sa.case(
            (drawn.c.place <= drawn.c.half, Variant.A.value),
            (drawn.c.place <= 2 * drawn.c.half, Variant.B.value),
            else_=Variant.NONE.value,
        ).label("variant"),
    ).subquery("in_forms")


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
