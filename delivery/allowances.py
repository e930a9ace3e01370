"""Gives out permits to send, so that limits hold for all processes and nodes together.

A row of `allowances` is locked while its permits are counted, so two workers never get the same
one, on SQLite (one writer at a time) as on PostgreSQL (`FOR UPDATE`). What was given out counts
even if the process that got it dies: after a crash or restart less may go out, never more.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from delivery import backing_off, windows
from delivery.backing_off import Pace
from delivery.blocking import Hold
from delivery.models import Allowance, Worker
from foundation import rates, tables
from foundation.config import Settings
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.rates import Rate

_DAY_S = 86_400
_KEPT = timedelta(days=2)
"""A row that nobody touched for so long holds nothing back any more."""


@frozen
class Terms:
    """What the settings say about one limit."""

    name: str
    rates: tuple[Rate, ...] = ()
    warmup: tuple[int, ...] = ()


@frozen
class Ask:
    """What a worker wants of one limit."""

    terms: Terms
    bulk: int = 0
    """Permits for anything; a share of every rate is kept back from these."""
    notices: int = 0
    """Permits for notices alone."""
    unused: Sequence[tuple[int, int]] = ()
    """Permits that come back: when they were given out (`rates.tick`), and how many."""
    has_taken: bool = False
    """Whether mail under this limit was taken since the last time."""


@frozen
class Grant:
    """What it got: permits that are good from `starts` until before `ends`."""

    bulk: int
    notices: int
    tick: int
    """When they were given out."""
    starts: int
    ends: int
    bulk_opens: int
    """When there is room again for anything, if nobody takes any meanwhile."""
    notices_open: int
    """The same for notices."""
    pace: Pace | None


async def reserve(ground: Ground, asks: Sequence[Ask]) -> Mapping[str, Grant]:
    """Permits for as much as there is room for. Raises `errors.Busy`."""
    wanted = {ask.terms.name: ask for ask in asks}
    async with ground.db.transaction() as session:
        found = await locked(ground, session, sorted(wanted))
        # Only now: whoever waited for the lock would get permits that are over.
        now = ground.clock.now()
        return {row.name: _grant(ground.settings, row, wanted[row.name], now) for row in found}


async def slow_down(ground: Ground, *, name: str, measured: float, said: str) -> Pace:
    """Note that a host finds us too fast; it got `measured` messages a minute from this worker.

    Others are taken to have sent as many. Raises `errors.Busy`.
    """
    async with ground.db.transaction() as session:
        (row,) = await locked(ground, session, [name])
        now = ground.clock.now()
        settings = ground.settings.delivery
        before = pace_of(row)
        if before is not None and backing_off.is_over(before, now=now, settings=settings):
            before = None
        workers = sa.select(sa.func.count()).where(col(Worker.closed_at).is_(None))
        in_all = measured * max(1, (await session.execute(workers)).scalar_one())
        pace = backing_off.slowed(
            before, measured=in_all, said=said[:200], now=now, settings=settings
        )
        _keep(row, pace)
        row.touched_at = now
        return pace


async def troubles(session: AsyncSession) -> Mapping[str, tuple[Pace | None, Hold | None]]:
    """Every limit whose host asked us to be slower, or refused us; few rows, and none as a rule."""
    statement = select(Allowance).where(
        sa.or_(col(Allowance.ceiling).is_not(None), col(Allowance.held_until).is_not(None))
    )
    rows = (await session.exec(statement)).all()
    return {row.name: (pace_of(row), hold_of(row)) for row in rows}


def every() -> SelectOfScalar[Allowance]:
    """All that is known of limits, by name."""
    return select(Allowance).order_by(col(Allowance.name))


async def tidy(ground: Ground) -> None:
    """Forget limits that nobody touched for days, but not since when a relay warms up."""
    before = ground.clock.now() - _KEPT
    async with ground.db.transaction() as session:
        await session.execute(
            sa.delete(Allowance).where(
                col(Allowance.touched_at) < before, col(Allowance.first_used_at).is_(None)
            )
        )


def in_force(
    terms: Terms, *, first_used_at: datetime | None, pace: Pace | None, now: datetime
) -> tuple[Rate, ...]:
    """The rates that hold now: as set, for the day of a warm-up, and what a host asked for."""
    counts = {rate.window_s: rate.count for rate in terms.rates}
    day = (now - (first_used_at or now)) // timedelta(days=1)
    if 0 <= day < len(terms.warmup):
        counts[_DAY_S] = min(terms.warmup[day], counts.get(_DAY_S, terms.warmup[day]))
    if pace is not None:
        counts[pace.rate.window_s] = pace.rate.count
    return tuple(Rate(count, window_s) for window_s, count in counts.items())


def pace_of(row: Allowance) -> Pace | None:
    """What the host of this limit asked for, if it did."""
    if row.ceiling is None or row.troubled_at is None or row.stepped_at is None:
        return None
    return Pace(
        ceiling=row.ceiling,
        measured=row.measured,
        said=row.said,
        troubled_at=row.troubled_at,
        stepped_at=row.stepped_at,
    )


def hold_of(row: Allowance) -> Hold | None:
    """What is known of a host's refusals; None when it never refused us."""
    if row.held_until is None or row.held_at is None:
        return None
    return Hold(
        times=row.holds,
        since=row.held_at,
        until=row.held_until,
        said=row.held_said,
        is_given_up=row.is_given_up,
    )


async def locked(ground: Ground, session: AsyncSession, names: Sequence[str]) -> list[Allowance]:
    """The rows of these names, made where they are missing; always locked in the same order."""
    statement = (
        select(Allowance)
        .where(col(Allowance.name).in_(names))
        .order_by(col(Allowance.name))
        .with_for_update()
    )
    found = list((await session.exec(statement)).all())
    if len(found) < len(names):
        await session.execute(
            tables.insert_for(session, Allowance)
            .values([_fresh(name, ground.clock.now()) for name in names])
            .on_conflict_do_nothing(index_elements=["name"])
        )
        found = list((await session.exec(statement)).all())
    return found


def _fresh(name: str, now: datetime) -> dict[str, object]:
    return {
        "name": name,
        "used": {},
        "measured": 0.0,
        "said": "",
        "holds": 0,
        "held_said": "",
        "is_given_up": False,
        "touched_at": now,
    }


def _grant(settings: Settings, row: Allowance, ask: Ask, now: datetime) -> Grant:
    tick = rates.tick(now)
    pace = pace_of(row)
    if pace is not None:
        pace = backing_off.eased(pace, has_taken=ask.has_taken, now=now, settings=settings.delivery)
        _keep(row, pace)
    held = in_force(ask.terms, first_used_at=row.first_used_at, pace=pace, now=now)
    used = _with_returned(windows.pruned(row.used, held, tick), held, ask.unused)
    share = 1 - settings.delivery.notice_share
    bulk = _most(windows.room(used, held, tick, share=share), ask.bulk)
    used = windows.spent(used, held, tick, bulk)
    notices = _most(windows.room(used, held, tick), ask.notices)
    row.used = windows.spent(used, held, tick, notices)
    row.touched_at = now
    if ask.terms.warmup and (bulk or notices):
        row.first_used_at = row.first_used_at or now
    return Grant(
        bulk=bulk,
        notices=notices,
        tick=tick,
        starts=windows.starts(held, tick),
        ends=windows.ends(held, tick),
        bulk_opens=windows.opens(row.used, held, tick, share=share),
        notices_open=windows.opens(row.used, held, tick),
        pace=pace,
    )


def _with_returned(
    used: windows.Used, held: Iterable[Rate], unused: Iterable[tuple[int, int]]
) -> windows.Used:
    for given_at, count in unused:
        used = windows.spent(used, tuple(held), given_at, -count)
    return used


def _most(room: int | None, wanted: int) -> int:
    return wanted if room is None else min(room, wanted)


def _keep(row: Allowance, pace: Pace | None) -> None:
    row.ceiling = pace.ceiling if pace is not None else None
    if pace is not None:
        row.measured, row.said = pace.measured, pace.said
        row.troubled_at, row.stepped_at = pace.troubled_at, pace.stepped_at
