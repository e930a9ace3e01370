"""Drafts the editions of series when their content closes: one for each date, whoever tries.

Any number of schedulers may call `draft_due`. Taking a date is a compare-and-set on the series; the
run, its items with their reasons, the bulletin and the campaign are kept in that same transaction,
so a crash at any moment leaves all of it or nothing (docs/decisions/0021).
"""

from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import (
    bulletins,
    compiling,
    series_candidates,
    series_drafting,
    series_plans,
    series_rules,
    series_selection,
    series_telling,
    transitions,
    whole,
)
from campaigns.models import Bulletin, Campaign
from campaigns.series_models import (
    RunOutcome,
    RunReason,
    Series,
    SeriesItem,
    SeriesRun,
    SeriesState,
)
from campaigns.series_plans import Mode, Plan
from campaigns.series_rules import Occurrence
from campaigns.series_selection import Choice, Selection
from campaigns.transitions import Verb
from foundation import audit, errors, logs
from foundation.audit import SYSTEM, Actor
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_

_AT_ONCE = 60
"""Dates of a series that are settled in one round; the rest waits for the next."""
_log = logs.get("series")


@frozen
class Numbered:
    """Volume and number of an edition."""

    volume: int
    number: int


async def draft_due(ground: Ground) -> list[int]:
    """Draft what is due; returns the campaigns that were made.

    What was due while nobody looked is drafted if that is not longer ago than `[series]
    grace_hours` and the date after it is not due too; else it is recorded as missed.
    """
    now = ground.clock.now()
    statement = (
        sa.select(col(Series.id))
        .where(
            col(Series.state) == SeriesState.ACTIVE.value,
            col(Series.closes_at) <= now,
            sa.or_(col(Series.retry_at).is_(None), col(Series.retry_at) <= now),
        )
        .order_by(col(Series.closes_at), col(Series.id))
    )
    async with ground.db.reading() as session:
        due = list((await session.execute(statement)).scalars())
    made: list[int] = []
    for number in due:
        try:
            made += await _keep_up(ground, number)
        except errors.Conflict:
            continue  # another scheduler, or a person, was first
        except errors.Busy:
            raise
        except errors.HandbillError as problem:
            _log.warning("a series could not be drafted", series=number, said=str(problem))
            await series_telling.failed(ground, series_id=number, problem=problem)
        except Exception as problem:  # noqa: BLE001 - one series must not stop the others
            _log.exception("a series could not be drafted", series=number)
            await series_telling.failed(ground, series_id=number, problem=problem)
    return made


async def run_now(ground: Ground, *, actor: Actor, series_id: int) -> SeriesRun:
    """Draft the coming edition before its content closes.

    Raises `errors.Refused` when the series is paused or ended, when there is too little yet, or
    when what it makes can't go out; `errors.Conflict` when it was drafted meanwhile;
    `errors.NotFound`.
    """
    async with ground.db.reading() as session:
        series = await get(session, series_id)
    if series.state == SeriesState.DELETED:
        raise errors.Refused(N_("The series was deleted."))
    if series.state != SeriesState.ACTIVE:
        raise errors.Refused(N_("The series is paused. Resume it first."))
    return await _draft(ground, actor, series, occurrence_of(series), is_early=True)


async def record(
    ground: Ground, *, actor: Actor, series: Series, outcome: RunOutcome, reason: RunReason
) -> SeriesRun:
    """Keep why the coming date has no edition, and go on to the next. Raises `errors.Conflict`."""
    occurrence = occurrence_of(series)
    async with ground.db.transaction() as session:
        await _take(ground, session, series)
        run = _run(ground, actor, series, occurrence, outcome=outcome, reason=reason.value)
        session.add(run)
        _note(session, ground, actor, run)
        await session.flush()
    return run


async def pass_over(
    ground: Ground, session: AsyncSession, actor: Actor, series: Series, *, until: datetime
) -> None:
    """Record the dates that closed while a series was paused, and go on to the next."""
    for _ in range(_AT_ONCE):
        if series.closes_at is None or series.closes_at > until:
            return
        occurrence = occurrence_of(series)
        await _take(ground, session, series)
        await session.refresh(series)
        run = _run(
            ground, actor, series, occurrence,
            outcome=RunOutcome.SKIPPED, reason=RunReason.PAUSED.value,
        )  # fmt: skip
        session.add(run)
        _note(session, ground, actor, run)


async def get(session: AsyncSession, series_id: int) -> Series:
    """A series by its number. Raises `errors.NotFound`."""
    found = await session.get(Series, series_id)
    if found is None:
        raise errors.NotFound(N_("There is no such series."))
    return found


def occurrence_of(series: Series) -> Occurrence:
    """The coming date. Raises `errors.Refused` when there is none any more."""
    if series.next_on is None or series.closes_at is None or series.sends_at is None:
        raise errors.Refused(N_("This series has no date any more."))
    return Occurrence(day=series.next_on, closes_at=series.closes_at, sends_at=series.sends_at)


async def numbered(session: AsyncSession, series_id: int | None, plan: Plan, day: date) -> Numbered:
    """What the edition of a day is counted as; a year may be a volume of its own."""
    if plan.is_yearly and series_id is not None:
        last: date | None = await session.scalar(
            sa.select(sa.func.max(col(SeriesRun.day))).where(
                col(SeriesRun.series_id) == series_id,
                col(SeriesRun.outcome) == RunOutcome.DRAFTED.value,
            )
        )
        if last is not None and last.year < day.year:
            return Numbered(volume=plan.volume + day.year - last.year, number=1)
    return Numbered(volume=plan.volume, number=plan.next_number)


async def _keep_up(ground: Ground, series_id: int) -> list[int]:
    """Settle the dates of a series that are due, the oldest first."""
    grace = timedelta(hours=ground.settings.series.grace_hours)
    made: list[int] = []
    for _ in range(_AT_ONCE):
        async with ground.db.reading() as session:
            series = await get(session, series_id)
        now = ground.clock.now()
        if series.state != SeriesState.ACTIVE or series.closes_at is None or series.closes_at > now:
            break
        following = _following(ground, series)
        reason = None
        if series.closes_at < now - grace:
            reason = RunReason.LATE
        elif following is not None and following.closes_at <= now:
            reason = RunReason.OVERTAKEN
        if reason is None:
            run = await _draft(ground, SYSTEM, series, occurrence_of(series))
            made += [run.campaign_id] if run.campaign_id else []
        else:
            await record(
                ground, actor=SYSTEM, series=series, outcome=RunOutcome.MISSED, reason=reason
            )
    return made


async def _draft(
    ground: Ground,
    actor: Actor,
    series: Series,
    occurrence: Occurrence,
    *,
    is_early: bool = False,
) -> SeriesRun:
    """The edition of a date, or why there is none: all of it in one transaction."""
    plan = series_plans.parse(series.document)
    async with ground.db.transaction() as session:
        items = await series_candidates.gather(
            ground, session, plan, series_id=series.id, day=occurrence.day
        )
        selection = series_selection.choose(plan, items, day=occurrence.day)
        if selection.is_enough:
            run = await _edition(ground, session, actor, series, occurrence, plan, selection)
        else:
            counted = {"found": selection.fresh, "needed": max(plan.least, 1)}
            if is_early:
                # There is time left in which more may come in.
                raise errors.Refused(
                    N_("There is too little yet: %(found)s new, and an edition needs %(needed)s."),
                    **counted,
                )
            await _take(ground, session, series)
            run = _run(ground, actor, series, occurrence, outcome=RunOutcome.SKIPPED)
            run.reason, run.values = RunReason.TOO_LITTLE.value, dict(counted)
        session.add(run)
        await session.flush()
        session.add_all(_item(run, each) for each in selection.choices)
        _note(session, ground, actor, run)
    return run


async def _edition(
    ground: Ground,
    session: AsyncSession,
    actor: Actor,
    series: Series,
    occurrence: Occurrence,
    plan: Plan,
    selection: Selection,
) -> SeriesRun:
    """The run of a date that has an edition, with bulletin and campaign."""
    counted = await numbered(session, series.id, plan, occurrence.day)
    after = {"volume": counted.volume, "next_number": counted.number + 1}
    kept = series_plans.dump(plan.model_copy(update=after))
    await _take(ground, session, series, document=kept)
    run = _run(ground, actor, series, occurrence, outcome=RunOutcome.DRAFTED)
    run.volume, run.number = counted.volume, counted.number
    campaign = await _campaign(ground, session, actor, plan, selection, run)
    run.campaign_id = campaign.id
    run.is_to_send = plan.mode is Mode.SEND
    return run


async def _take(ground: Ground, session: AsyncSession, series: Series, **values: Any) -> None:
    """Make the coming date ours and go on to the next. Raises `errors.Conflict` for who is late.

    PostgreSQL lets the second of two wait here until the first has committed, and then finds
    another date; SQLite has one writer.
    """
    following = _following(ground, series)
    taken = await session.execute(
        sa.update(Series)
        .where(
            col(Series.id) == series.id,
            col(Series.next_on) == series.next_on,
            col(Series.version) == series.version,
        )
        .values(
            next_on=following.day if following else None,
            closes_at=following.closes_at if following else None,
            sends_at=following.sends_at if following else None,
            failures=0,
            retry_at=None,
            problem_texts={},
            version=series.version + 1,
            updated_at=ground.clock.now(),
            **values,
        )
        .returning(col(Series.id))
    )
    if taken.first() is None:
        raise errors.Conflict(N_("Somebody else was quicker. Reload to see how it stands."))


def _following(ground: Ground, series: Series) -> Occurrence | None:
    rule = series_plans.parse(series.document).rule
    found = series_rules.occurrences(rule, zone=ground.settings.site.zone, after=series.next_on)
    return next(found, None)


async def _campaign(
    ground: Ground,
    session: AsyncSession,
    actor: Actor,
    plan: Plan,
    selection: Selection,
    run: SeriesRun,
) -> Campaign:
    """Bulletin and campaign of an edition. Raises `errors.Refused` when it could not go out."""
    document = series_drafting.document(
        ground, plan, selection, day=run.day, volume=run.volume, number=run.number
    )
    campaign = await whole.add(ground, session, actor=actor, document=document)
    bulletin = await bulletins.get(session, campaign.bulletin_id)
    await _refuse_broken(ground, session, bulletin)
    if plan.mode is not Mode.DRAFT:
        await transitions.move(ground, session, actor, campaign, Verb.REQUEST_REVIEW)
    return campaign


async def _refuse_broken(ground: Ground, session: AsyncSession, bulletin: Bulletin) -> None:
    found = await compiling.concerns(ground, session, bulletin)
    blocking = [each for each in found if each.is_blocking]
    if blocking:
        raise errors.Refused(
            N_("The edition could not go out like this: %(problems)s"),
            problems=errors.Several(blocking),
        )


def _run(
    ground: Ground,
    actor: Actor,
    series: Series,
    occurrence: Occurrence,
    *,
    outcome: RunOutcome,
    reason: str = "",
) -> SeriesRun:
    return SeriesRun(
        series_id=series.id,
        day=occurrence.day,
        outcome=outcome.value,
        reason=reason,
        closes_at=occurrence.closes_at,
        sends_at=occurrence.sends_at,
        made_at=ground.clock.now(),
        made_by=actor.label,
    )


def _item(run: SeriesRun, choice: Choice) -> SeriesItem:
    return SeriesItem(
        run_id=run.id,
        kind=choice.item.kind.value,
        object_id=choice.item.id,
        texts=dict(choice.item.titles),
        section=choice.section,
        is_in=choice.is_in,
        reason=choice.reason.value,
        values=dict(choice.values),
    )


def _note(session: AsyncSession, ground: Ground, actor: Actor, run: SeriesRun) -> None:
    audit.record(
        session,
        actor=actor,
        at=ground.clock.now(),
        action=f"series.{run.outcome}",
        object_kind="series",
        object_id=run.series_id,
        after={
            "day": run.day.isoformat(),
            "reason": run.reason,
            "volume": run.volume,
            "number": run.number,
            "campaign_id": run.campaign_id,
        },
    )
