"""Series: made, changed, paused, and what they would do next. `series_runs.py` drafts editions.

Staff's pages, the API and the command line call these.
"""

from collections.abc import Mapping, Sequence
from datetime import date

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import (
    audiences,
    campaign_values,
    issues,
    series_candidates,
    series_past,
    series_plans,
    series_rules,
    series_runs,
    series_selection,
    series_telling,
    wording,
)
from campaigns.models import Campaign, CampaignState
from campaigns.series_models import (
    RunOutcome,
    RunReason,
    Series,
    SeriesItem,
    SeriesRun,
    SeriesState,
)
from campaigns.series_past import ByHand
from campaigns.series_plans import Plan
from campaigns.series_rules import Occurrence
from campaigns.series_runs import Numbered
from campaigns.series_selection import Selection
from foundation import addresses, audit, errors
from foundation.audit import Actor
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_

PAGE = 30


@frozen
class Page:
    """Some series, or some runs; `next_after` asks for what follows."""

    items: Sequence[Series]
    next_after: int | None = None


@frozen
class Runs:
    """What became of the dates of a series, the last first."""

    items: Sequence[SeriesRun]
    next_after: int | None = None


@frozen
class Looked:
    """One run, and what was looked at for it."""

    run: SeriesRun
    items: Sequence[SeriesItem]
    by_hand: Mapping[int, ByHand]
    """Row of an item → what people changed about it since."""


@frozen
class Ahead:
    """A dry run: the next dates, and what the first of them would hold if it closed now."""

    dates: Sequence[Occurrence]
    selection: Selection | None
    edition: Numbered | None
    problem: errors.HandbillError | None = None
    """Why nothing can be said of the first."""


async def create(ground: Ground, *, actor: Actor, plan: Plan) -> Series:
    """Keep a new series; its first edition is the first that closes from now on.

    Raises `errors.Invalid`, `errors.NotFound` for an unknown issue or topic.
    """
    now = ground.clock.now()
    async with ground.db.transaction() as session:
        await _check(ground, session, plan)
        series = Series(
            name=plan.name,
            document=series_plans.dump(plan),
            state=SeriesState.ACTIVE.value,
            created_by=actor.label,
            created_at=now,
            updated_at=now,
        )
        _go_to(series, await _coming(ground, session, None, plan))
        session.add(series)
        await session.flush()
        _note(session, ground, actor, series, "created")
    return series


async def update(
    ground: Ground, *, actor: Actor, series_id: int, version: int, plan: Plan
) -> Series:
    """Change a series that was seen at `version`; another rule chooses the coming date anew.

    Raises `errors.Conflict` when it is no longer at `version`, `errors.Invalid`, `errors.NotFound`.
    """
    async with ground.db.transaction() as session:
        series = await series_runs.get(session, series_id)
        _refuse_deleted(series)
        await _check(ground, session, plan)
        before = series.document
        await _claim(ground, session, series, version)
        if series_plans.parse(before).rule != plan.rule:
            _go_to(series, await _coming(ground, session, series_id, plan))
        series.name, series.document = plan.name, series_plans.dump(plan)
        # Whatever was wrong may be mended: it is tried at once.
        series.retry_at = None
        session.add(series)
        _note(session, ground, actor, series, "updated", before=before)
    return series


async def pause(ground: Ground, *, actor: Actor, series_id: int, version: int) -> Series:
    """Draft nothing until it is resumed. Raises `errors.Refused`, as `update` else."""
    async with ground.db.transaction() as session:
        series = await series_runs.get(session, series_id)
        _refuse_deleted(series)
        if series.state != SeriesState.ACTIVE:
            raise errors.Refused(N_("The series is paused already."))
        await _claim(ground, session, series, version)
        series.state = SeriesState.PAUSED.value
        session.add(series)
        _note(session, ground, actor, series, "paused")
    return series


async def resume(ground: Ground, *, actor: Actor, series_id: int, version: int) -> Series:
    """Go on. Dates that a person's pause passed over are recorded; one that failed is tried again.

    Raises `errors.Refused`, as `update` else.
    """
    now = ground.clock.now()
    async with ground.db.transaction() as session:
        series = await series_runs.get(session, series_id)
        _refuse_deleted(series)
        if series.state == SeriesState.ACTIVE:
            raise errors.Refused(N_("The series is not paused."))
        await _claim(ground, session, series, version)
        if series.state == SeriesState.PAUSED:
            await series_runs.pass_over(ground, session, actor, series, until=now)
        series.state = SeriesState.ACTIVE.value
        series.failures, series.retry_at, series.problem_texts = 0, None, {}
        session.add(series)
        _note(session, ground, actor, series, "resumed")
    return series


async def delete(
    ground: Ground, *, actor: Actor, series_id: int, version: int, reason: str
) -> Series:
    """End a series for good, and keep why. What it drafted stays as it is.

    An edition that was to go out by itself, and that nobody has approved yet, waits for a person.
    Raises `errors.Invalid` without a reason, as `pause` else.
    """
    reason = reason.strip()
    if not reason:
        nothing = errors.Invalid(N_("Say why. It stays with the series."))
        raise errors.Invalid(nothing.msgid, fields={"reason": nothing})
    now = ground.clock.now()
    async with ground.db.transaction() as session:
        series = await series_runs.get(session, series_id)
        _refuse_deleted(series)
        await _claim(ground, session, series, version)
        series.state = SeriesState.DELETED.value
        series.deleted_at, series.deleted_by, series.deleted_reason = now, actor.label, reason
        _go_to(series, None)
        series.failures, series.retry_at, series.problem_texts = 0, None, {}
        session.add(series)
        await session.execute(
            sa.update(SeriesRun)
            .where(col(SeriesRun.series_id) == series_id, col(SeriesRun.is_to_send).is_(True))
            .values(is_to_send=False, reason=RunReason.DELETED.value)
        )
        _note(session, ground, actor, series, "deleted", after={"reason": reason})
    return series


async def skip_next(ground: Ground, *, actor: Actor, series_id: int, day: date) -> SeriesRun:
    """Leave the coming date out; `day` is the one that the person saw.

    Raises `errors.Conflict` when another is the coming one by now, `errors.Refused`,
    `errors.NotFound`.
    """
    async with ground.db.reading() as session:
        series = await series_runs.get(session, series_id)
    if series.next_on != day:
        raise errors.Conflict(N_("Somebody else was quicker. Reload to see how it stands."))
    return await series_runs.record(
        ground, actor=actor, series=series, outcome=RunOutcome.SKIPPED, reason=RunReason.BY_HAND
    )


async def show(ground: Ground, *, series_id: int) -> Series:
    """One series. Raises `errors.NotFound`."""
    async with ground.db.reading() as session:
        return await series_runs.get(session, series_id)


async def listed(
    ground: Ground, *, after: int | None = None, limit: int = PAGE, is_deleted: bool = False
) -> Page:
    """Series in the order in which they were made; else those that were deleted."""
    is_gone = col(Series.state) == SeriesState.DELETED.value
    statement = (
        select(Series)
        .where(is_gone if is_deleted else ~is_gone)
        .order_by(col(Series.id))
        .limit(limit + 1)
    )
    if after is not None:
        statement = statement.where(col(Series.id) > after)
    async with ground.db.reading() as session:
        found = list((await session.exec(statement)).all())
    more = found[limit - 1].id if len(found) > limit else None
    return Page(items=found[:limit], next_after=more)


async def runs(
    ground: Ground, *, series_id: int, after: int | None = None, limit: int = PAGE
) -> Runs:
    """What became of its dates, those settled last first. Raises `errors.NotFound`."""
    statement = (
        select(SeriesRun)
        .where(SeriesRun.series_id == series_id)
        .order_by(col(SeriesRun.id).desc())
        .limit(limit + 1)
    )
    if after is not None:
        statement = statement.where(col(SeriesRun.id) < after)
    async with ground.db.reading() as session:
        await series_runs.get(session, series_id)
        found = list((await session.exec(statement)).all())
    more = found[limit - 1].id if len(found) > limit else None
    return Runs(items=found[:limit], next_after=more)


async def on_the_way(ground: Ground, *, series_id: int) -> Sequence[Campaign]:
    """Editions that are neither sent nor cancelled, in the order of their dates."""
    is_over = (CampaignState.SENT.value, CampaignState.CANCELLED.value)
    statement = (
        select(Campaign)
        .join(SeriesRun, col(SeriesRun.campaign_id) == col(Campaign.id))
        .where(col(SeriesRun.series_id) == series_id, col(Campaign.state).not_in(is_over))
        .order_by(col(SeriesRun.day))
    )
    async with ground.db.reading() as session:
        return (await session.exec(statement)).all()


async def run(ground: Ground, *, series_id: int, run_id: int) -> Looked:
    """One run, with every item that was looked at. Raises `errors.NotFound`."""
    statement = select(SeriesItem).where(SeriesItem.run_id == run_id).order_by(col(SeriesItem.id))
    async with ground.db.reading() as session:
        found = await session.get(SeriesRun, run_id)
        if found is None or found.series_id != series_id:
            raise errors.NotFound(N_("There is no such run."))
        items = (await session.exec(statement)).all()
        by_hand = await series_past.by_hand(session, found, items)
    return Looked(run=found, items=items, by_hand=by_hand)


async def ahead(ground: Ground, series: Series, *, count: int = series_rules.AHEAD) -> Ahead:
    """The next dates of a series, and what the coming edition would hold now."""
    plan = series_plans.parse(series.document)
    dates: list[Occurrence] = []
    if series.next_on is not None:
        first = series_runs.occurrence_of(series)
        rest = series_rules.occurrences(plan.rule, zone=ground.settings.site.zone, after=first.day)
        dates = [first, *(each for each, _ in zip(rest, range(count - 1), strict=False))]
    return await _dry_run(ground, plan, dates, series_id=series.id)


async def ahead_of_plan(ground: Ground, plan: Plan, *, count: int = series_rules.AHEAD) -> Ahead:
    """The same of a plan that nobody has kept yet."""
    found = series_rules.coming(plan.rule, zone=ground.settings.site.zone, now=ground.clock.now())
    dates = [each for each, _ in zip(found, range(count), strict=False)]
    return await _dry_run(ground, plan, dates, series_id=None)


async def _dry_run(
    ground: Ground, plan: Plan, dates: Sequence[Occurrence], *, series_id: int | None
) -> Ahead:
    if not dates:
        return Ahead(dates=dates, selection=None, edition=None)
    day = dates[0].day
    async with ground.db.reading() as session:
        try:
            items = await series_candidates.gather(
                ground, session, plan, series_id=series_id, day=day
            )
        except errors.HandbillError as problem:
            return Ahead(dates=dates, selection=None, edition=None, problem=problem)
        edition = await series_runs.numbered(session, series_id, plan, day)
    selection = series_selection.choose(plan, items, day=day)
    return Ahead(dates=dates, selection=selection, edition=edition)


async def _coming(
    ground: Ground, session: AsyncSession, series_id: int | None, plan: Plan
) -> Occurrence | None:
    """The first date that has not closed yet, and was not settled before its time."""
    last: date | None = None
    if series_id is not None:
        last = await session.scalar(
            sa.select(sa.func.max(col(SeriesRun.day))).where(col(SeriesRun.series_id) == series_id)
        )
    found = series_rules.coming(
        plan.rule, zone=ground.settings.site.zone, now=ground.clock.now(), after=last
    )
    return next(found, None)


def _go_to(series: Series, occurrence: Occurrence | None) -> None:
    series.next_on = occurrence.day if occurrence else None
    series.closes_at = occurrence.closes_at if occurrence else None
    series.sends_at = occurrence.sends_at if occurrence else None


async def _check(ground: Ground, session: AsyncSession, plan: Plan) -> None:
    """Refuse a plan that names what is not there. Raises `errors.Invalid`, `errors.NotFound`."""
    wording.check_languages({code: {} for code in plan.editions}, ground.catalog.languages)
    for slug in {plan.issue, *(each.issue for each in plan.sections if each.issue)}:
        await issues.by_slug(session, slug)
    audience = audiences.parse(plan.audience)
    await audiences.resolve(ground, session, audience, languages=[""])
    part = plan.campaign
    campaign_values.checked(plan.name, audience, part.from_name, part.from_address, part.reply_to)
    campaign_values.known_relay(ground, part.relay)
    if plan.owner:
        addresses.parse(plan.owner)
        if await series_telling.owner_of(session, plan.owner) is None:
            nobody = errors.Invalid(N_("Nobody with this address works here."))
            raise errors.Invalid(nobody.msgid, fields={"owner": nobody})


def _refuse_deleted(series: Series) -> None:
    if series.state == SeriesState.DELETED:
        raise errors.Refused(N_("The series was deleted."))


async def _claim(ground: Ground, session: AsyncSession, series: Series, version: int) -> None:
    """Count the version up, if nobody else was faster."""
    claimed = await session.execute(
        sa.update(Series)
        .where(col(Series.id) == series.id, col(Series.version) == version)
        .values(version=version + 1, updated_at=ground.clock.now())
        .returning(col(Series.id))
    )
    if claimed.first() is None:
        raise errors.Conflict(
            N_(
                "The series was changed meanwhile, or drafted an edition. Nothing was overwritten: "
                "what you wrote is still here."
            )
        )
    await session.refresh(series)


def _note(
    session: AsyncSession,
    ground: Ground,
    actor: Actor,
    series: Series,
    verb: str,
    *,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> None:
    audit.record(
        session,
        actor=actor,
        at=ground.clock.now(),
        action=f"series.{verb}",
        object_kind="series",
        object_id=series.id,
        before=before or {},
        after=series.document if after is None else after,
    )
