"""Series for programs: what they are, what comes next, what became of each date and why."""

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, Field

from campaigns import series, series_plans, series_rules, series_runs, series_words
from campaigns.series import Ahead
from campaigns.series_models import Series, SeriesItem, SeriesRun
from campaigns.series_past import ByHand
from campaigns.series_plans import Plan
from campaigns.series_selection import Choice
from foundation.accounts.api_tokens import Scope
from foundation.web import api
from foundation.web.api import Body, Call, Endpoint, Page


class SeriesOut(BaseModel):
    """A series in a list; `rule` in words."""

    id: int
    name: str
    state: str
    rule: str
    next_on: date | None
    closes_at: datetime | None
    sends_at: datetime | None
    failures: int
    problem: str
    deleted_reason: str
    version: int


class SeriesWhole(SeriesOut):
    """A series with its plan."""

    plan: dict[str, Any]


class SeriesChange(Body):
    """A series' new plan, over the `version` that was seen."""

    version: int = Field(ge=1, le=2**31)
    plan: Plan


class SeenVersion(Body):
    """The version that was seen."""

    version: int = Field(ge=1, le=2**31)


class Ending(Body):
    """Why a series ends, and the version that was seen."""

    version: int = Field(ge=1, le=2**31)
    reason: str = Field(min_length=1, max_length=500)


class SeenDay(Body):
    """The coming day that was seen."""

    day: date


class ItemOut(BaseModel):
    """What was looked at, and why it is in or out; `titles` by language, `said` in English.

    `by_hand` is `taken-out` or `put-in` where people changed that after the edition was drafted.
    """

    kind: str
    id: int
    titles: dict[str, str]
    section: int | None
    is_in: bool
    reason: str
    said: str
    by_hand: str = ""


class RunOut(BaseModel):
    """What became of a date; `reason` is blank where nothing is to be said."""

    id: int
    day: date
    outcome: str
    reason: str
    said: str
    volume: int
    number: int
    campaign_id: int | None
    closes_at: datetime
    sends_at: datetime
    made_at: datetime


class RunWhole(RunOut):
    """A run with every item that was looked at."""

    items: list[ItemOut]


class DateOut(BaseModel):
    """A date to come."""

    day: date
    closes_at: datetime
    sends_at: datetime


class DryRun(BaseModel):
    """The next dates, and what the first of them would hold if its content closed now."""

    dates: list[DateOut]
    volume: int | None
    number: int | None
    is_enough: bool
    problem: str
    items: list[ItemOut]


def endpoints() -> list[Endpoint]:
    """What is here."""
    read, write, tag, one = Scope.READ, Scope.CAMPAIGNS, "Series", "/series/{id}"
    return [
        Endpoint(method="GET", path="/series", handler=list_series, scope=read, tag=tag,
                 summary="List series", is_list=True, answer=Page[SeriesOut]),
        Endpoint(method="POST", path="/series", handler=create_series, scope=write, tag=tag,
                 summary="Make a series", body=Plan, answer=SeriesWhole, status=201),
        Endpoint(method="POST", path="/series/plans/dry-run", handler=dry_run_of_plan, scope=read,
                 tag=tag, summary="The next dates of a plan that is not kept", body=Plan,
                 answer=DryRun),
        Endpoint(method="GET", path=one, handler=show_series, scope=read, tag=tag,
                 summary="Show a series with its plan", answer=SeriesWhole),
        Endpoint(method="PUT", path=one, handler=change_series, scope=write, tag=tag,
                 summary="Change a series' plan", body=SeriesChange, answer=SeriesWhole),
        Endpoint(method="GET", path=f"{one}/next", handler=dry_run, scope=read, tag=tag,
                 summary="The next twelve dates, and what would be in the first", answer=DryRun),
        Endpoint(method="GET", path=f"{one}/runs", handler=list_runs, scope=read, tag=tag,
                 summary="What became of its dates", is_list=True, answer=Page[RunOut]),
        Endpoint(method="GET", path=f"{one}/runs/{{run}}", handler=show_run, scope=read, tag=tag,
                 summary="One run, and why each item was in or out", answer=RunWhole),
        Endpoint(method="POST", path=f"{one}/runs", handler=run_now, scope=write, tag=tag,
                 summary="Draft the coming edition now", answer=RunWhole, status=201),
        Endpoint(method="POST", path=f"{one}/skip", handler=skip, scope=write, tag=tag,
                 summary="Leave the coming date out", body=SeenDay, answer=RunWhole),
        Endpoint(method="POST", path=f"{one}/pause", handler=pause, scope=write, tag=tag,
                 summary="Pause a series", body=SeenVersion, answer=SeriesWhole),
        Endpoint(method="POST", path=f"{one}/resume", handler=resume, scope=write, tag=tag,
                 summary="Resume a series", body=SeenVersion, answer=SeriesWhole),
        Endpoint(method="POST", path=f"{one}/delete", handler=delete, scope=write, tag=tag,
                 summary="End a series for good; what it drafted stays", body=Ending,
                 answer=SeriesWhole),
    ]  # fmt: skip


async def list_series(call: Call) -> Page[SeriesOut]:
    """In the order in which they were made."""
    page = await series.listed(call.ground, after=call.after, limit=call.limit)
    return Page(
        items=[SeriesOut(**_series(call, each)) for each in page.items],
        next=api.cursor(page.next_after) if page.next_after else None,
    )


async def create_series(call: Call) -> SeriesWhole:
    """The body is the plan itself."""
    return _whole(call, await series.create(call.ground, actor=call.actor, plan=call.body))


async def show_series(call: Call) -> SeriesWhole:
    """One series."""
    return _whole(call, await series.show(call.ground, series_id=call.number()))


async def change_series(call: Call) -> SeriesWhole:
    """Save over the version seen; refused with 409 when somebody else was faster."""
    body: SeriesChange = call.body
    changed = await series.update(
        call.ground,
        actor=call.actor,
        series_id=call.number(),
        version=body.version,
        plan=body.plan,
    )
    return _whole(call, changed)


async def dry_run(call: Call) -> DryRun:
    """Of a series that is kept."""
    found = await series.show(call.ground, series_id=call.number())
    return _dry_run(call, await series.ahead(call.ground, found))


async def dry_run_of_plan(call: Call) -> DryRun:
    """Of a plan; nothing is kept."""
    return _dry_run(call, await series.ahead_of_plan(call.ground, call.body))


async def list_runs(call: Call) -> Page[RunOut]:
    """Those settled last first."""
    page = await series.runs(
        call.ground, series_id=call.number(), after=call.after, limit=call.limit
    )
    return Page(
        items=[RunOut(**_run(call, each)) for each in page.items],
        next=api.cursor(page.next_after) if page.next_after else None,
    )


async def show_run(call: Call) -> RunWhole:
    """One run."""
    return await _run_whole(call, call.number("run"))


async def run_now(call: Call) -> RunWhole:
    """Before its content closes; its time of sending stays."""
    made = await series_runs.run_now(call.ground, actor=call.actor, series_id=call.number())
    return await _run_whole(call, made.id)


async def skip(call: Call) -> RunWhole:
    """Refused with 409 when another date is the coming one by now."""
    body: SeenDay = call.body
    made = await series.skip_next(
        call.ground, actor=call.actor, series_id=call.number(), day=body.day
    )
    return await _run_whole(call, made.id)


async def pause(call: Call) -> SeriesWhole:
    """Nothing is drafted until it is resumed."""
    body: SeenVersion = call.body
    found = await series.pause(
        call.ground, actor=call.actor, series_id=call.number(), version=body.version
    )
    return _whole(call, found)


async def resume(call: Call) -> SeriesWhole:
    """It goes on with the next date."""
    body: SeenVersion = call.body
    found = await series.resume(
        call.ground, actor=call.actor, series_id=call.number(), version=body.version
    )
    return _whole(call, found)


async def delete(call: Call) -> SeriesWhole:
    """It is in no list any more; what became of its dates can still be read."""
    body: Ending = call.body
    found = await series.delete(
        call.ground,
        actor=call.actor,
        series_id=call.number(),
        version=body.version,
        reason=body.reason,
    )
    return _whole(call, found)


def _series(call: Call, found: Series) -> dict[str, Any]:
    plan = series_plans.parse(found.document)
    speaks, zone = call.ground.translator("en"), call.ground.settings.site.zone
    values = {
        name: getattr(found, name)
        for name in SeriesOut.model_fields
        if name not in ("rule", "problem")
    }
    rule = series_rules.in_words(plan.rule, speaks, zone=zone)
    return {**values, "rule": rule, "problem": found.problem_texts.get("en", "")}


def _whole(call: Call, found: Series) -> SeriesWhole:
    return SeriesWhole(plan=found.document, **_series(call, found))


def _run(call: Call, run: SeriesRun) -> dict[str, Any]:
    values = {name: getattr(run, name) for name in RunOut.model_fields if name != "said"}
    return {**values, "said": series_words.of_run(run, call.ground.translator("en"))}


async def _run_whole(call: Call, run_id: int) -> RunWhole:
    found = await series.run(call.ground, series_id=call.number(), run_id=run_id)
    told = [
        _item(call, each, each.kind, each.object_id, each.texts, found.by_hand.get(each.id))
        for each in found.items
    ]
    return RunWhole(items=told, **_run(call, found.run))


def _item(
    call: Call,
    each: SeriesItem | Choice,
    kind: str,
    number: int,
    titles: Any,
    by_hand: ByHand | None = None,
) -> ItemOut:
    return ItemOut(
        kind=kind,
        id=number,
        titles=dict(titles),
        section=each.section,
        is_in=each.is_in,
        reason=str(each.reason),
        said=series_words.of_item(each, call.ground.translator("en"), by_hand),
        by_hand=by_hand.value if by_hand else "",
    )


def _dry_run(call: Call, ahead: Ahead) -> DryRun:
    choices = ahead.selection.choices if ahead.selection else ()
    return DryRun(
        dates=[
            DateOut(day=each.day, closes_at=each.closes_at, sends_at=each.sends_at)
            for each in ahead.dates
        ],
        volume=ahead.edition.volume if ahead.edition else None,
        number=ahead.edition.number if ahead.edition else None,
        is_enough=ahead.selection is not None and ahead.selection.is_enough,
        problem=str(ahead.problem) if ahead.problem else "",
        items=[
            _item(call, each, each.item.kind.value, each.item.id, each.item.titles)
            for each in choices
        ],
    )
