"""Staff's pages about series (`/staff/series`): what they are, what comes, what became of dates."""

from datetime import date
from typing import Any

from aiohttp import web

from campaigns import (
    audience_pages,
    audiences,
    block_forms,
    issue_page,
    issues,
    series,
    series_plans,
    series_rules,
    series_runs,
    series_staff_forms,
    series_words,
    staff_forms,
    transitions,
)
from campaigns import schedule as schedules
from campaigns.developments import KIND_WORDS
from campaigns.series_models import RunOutcome, Series, SeriesRun, SeriesState
from campaigns.series_plans import Fallback, Mode, Plan
from campaigns.series_rules import Pattern
from foundation import errors
from foundation.accounts import team
from foundation.accounts.models import Role
from foundation.i18n import N_
from foundation.web import forms, kit
from foundation.web.forms import Form
from subscribers import topics

TONES = {
    SeriesState.ACTIVE.value: "good",
    SeriesState.PAUSED.value: "warn",
    SeriesState.BROKEN.value: "bad",
    RunOutcome.DRAFTED.value: "good",
    RunOutcome.SKIPPED.value: "neutral",
    RunOutcome.MISSED.value: "warn",
    SeriesState.DELETED.value: "neutral",
}
PATTERNS = {
    Pattern.WEEKLY: N_("Every week, on a weekday"),
    Pattern.FORTNIGHTLY: N_("Every two weeks, on a weekday"),
    Pattern.MONTHLY_WEEKDAY: N_("Every month, on its first, second… or last of a weekday"),
    Pattern.MONTHLY_DAY: N_("Every month, on a day of the month"),
    Pattern.MONTHLY_WORKDAY: N_("Every month, on its first or last day from Monday to Friday"),
}
WHICH = {1: N_("First"), 2: N_("Second"), 3: N_("Third"), 4: N_("Fourth"), -1: N_("Last")}
MODES = {
    Mode.DRAFT: (N_("Make a draft"), N_("Its author goes on from there.")),
    Mode.REVIEW: (
        N_("Make a draft and ask for approval"),
        N_("It waits on the overview until somebody approves it, and is then scheduled by hand."),
    ),
    Mode.SEND: (
        N_("Send by itself"),
        N_("Only if nothing on the list before sending is red; else it waits, and staff are told."),
    ),
}
FALLBACKS = {
    Fallback.LABEL: N_("Show it in another language, and say so: “(in English)”"),
    Fallback.LEAVE_OUT: N_("Leave it out of that edition"),
}


def routes() -> list[web.RouteDef]:
    """What is here."""
    one = "/staff/series/{id}"
    return [
        web.get("/staff/series", index),
        web.get("/staff/series/new", ask),
        web.post("/staff/series/new", save),
        web.get(one, show),
        web.get(f"{one}/edit", ask),
        web.post(f"{one}/edit", save),
        web.post(f"{one}/act", act),
        web.post(f"{one}/delete", delete),
        web.get(f"{one}/runs/{{run}}", show_run),
    ]


@kit.staff(Role.VIEWER)
async def index(request: web.Request) -> web.StreamResponse:
    """`GET /staff/series`: all of them; with `?deleted=1` those that were deleted."""
    ground, is_deleted = kit.ground(request), request.query.get("deleted") == "1"
    page = await series.listed(
        ground, after=staff_forms.after_cursor(request.query), is_deleted=is_deleted
    )
    has_deleted = is_deleted or bool((await series.listed(ground, limit=1, is_deleted=True)).items)
    more = str(request.rel_url.update_query(after=str(page.next_after))) if page.next_after else ""
    return kit.render(
        request,
        "campaigns/series_list.html",
        shown=[(each, _rule_words(request, _plan(each))) for each in page.items],
        states=series_words.STATES,
        tones=TONES,
        when=lambda each: _when(request, each),
        next_url=more,
        is_deleted=is_deleted,
        has_deleted=has_deleted,
    )


@kit.staff(Role.VIEWER)
async def show(request: web.Request) -> web.StreamResponse:
    """`GET /staff/series/{id}`: what it is, what comes next, and what became of its dates."""
    return await _page(request)


@kit.staff(Role.EDITOR)
async def delete(request: web.Request) -> web.StreamResponse:
    """`POST …/{id}/delete`: end it for good, with a reason."""
    form = await forms.read(request)
    number, reason = kit.number_in_path(request), form.line("reason", limit=500)
    try:
        form.check()
        await series.delete(
            kit.ground(request),
            actor=kit.actor(request),
            series_id=number,
            version=staff_forms.version(form),
            reason=reason,
        )
    except errors.Invalid as problem:
        return await _page(request, form, problem)
    return _back(request, number, N_("Deleted. What it drafted is still there."))


async def _page(
    request: web.Request, form: Form | None = None, problem: errors.Invalid | None = None
) -> web.Response:
    ground, speaks = kit.ground(request), kit.translator(request)
    found = await series.show(ground, series_id=kit.number_in_path(request))
    plan = _plan(found)
    past = await series.runs(
        ground, series_id=found.id, after=staff_forms.after_cursor(request.query)
    )
    more = str(request.rel_url.update_query(after=str(past.next_after))) if past.next_after else ""
    ahead = await series.ahead(ground, found)
    async with ground.db.reading() as session:
        audience = audiences.parse(plan.audience)
        said = await audience_pages.sentence(request, session, audience)
    zone = plan.rule.zone or ground.settings.site.zone
    return kit.render(
        request,
        "campaigns/series.html",
        status=422 if problem else 200,
        series=found,
        plan=plan,
        rule=_rule_words(request, plan),
        mode=speaks.gettext(series_plans.MODE_WORDS[plan.mode]),
        audience=said,
        problem=found.problem_texts.get(speaks.language) or found.problem_texts.get("en", ""),
        ahead=ahead,
        ahead_problem=ahead.problem.say(speaks) if ahead.problem else "",
        moment=lambda at: schedules.in_words(at, zone, speaks),
        sections=[series_plans.heading(each, speaks) for each in plan.sections],
        title=lambda titles: _title(request, titles),
        why=lambda each: series_words.of_item(each, speaks),
        runs=[(each, series_words.of_run(each, speaks)) for each in past.items],
        states=series_words.STATES,
        outcomes=series_words.OUTCOMES,
        tones=TONES,
        next_url=more,
        on_the_way=await series.on_the_way(ground, series_id=found.id),
        campaign_states=transitions.STATE_WORDS,
        reason=form.values.get("reason", "") if form else "",
        problems=staff_forms.say(request, problem) if problem else {},
        may_change=kit.signed_in(request).role.may(Role.EDITOR),
    )


@kit.staff(Role.VIEWER)
async def show_run(request: web.Request) -> web.StreamResponse:
    """`GET …/runs/{run}`: every item that was looked at, and why it was in or out."""
    ground, speaks = kit.ground(request), kit.translator(request)
    found = await series.show(ground, series_id=kit.number_in_path(request))
    looked = await series.run(ground, series_id=found.id, run_id=kit.number_in_path(request, "run"))
    return kit.render(
        request,
        "campaigns/series_run.html",
        series=found,
        run=looked.run,
        said=series_words.of_run(looked.run, speaks),
        items=looked.items,
        title=lambda titles: _title(request, titles),
        why=lambda each: series_words.of_item(each, speaks, looked.by_hand.get(each.id)),
        outcomes=series_words.OUTCOMES,
        tones=TONES,
    )


@kit.staff(Role.EDITOR)
async def ask(request: web.Request) -> web.StreamResponse:
    """`GET /staff/series/new` and `…/{id}/edit`."""
    return await _form_page(request)


@kit.staff(Role.EDITOR)
async def save(request: web.Request) -> web.StreamResponse:
    """`POST /staff/series/new` and `…/{id}/edit`."""
    ground, actor = kit.ground(request), kit.actor(request)
    form = await forms.read(request)
    if form.line("action"):
        return await _form_page(request, form)
    try:
        plan = series_staff_forms.read(form, ground.catalog.languages)
        if "id" in request.match_info:
            found = await series.update(
                ground,
                actor=actor,
                series_id=kit.number_in_path(request),
                version=staff_forms.version(form),
                plan=plan,
            )
        else:
            found = await series.create(ground, actor=actor, plan=plan)
    except (errors.Invalid, errors.Conflict) as problem:
        return await _form_page(request, form, problem)
    return _back(request, found.id, N_("Saved."))


@kit.staff(Role.EDITOR)
async def act(request: web.Request) -> web.StreamResponse:
    """`POST …/{id}/act`: pause, resume, leave the next one out, or draft it now."""
    ground, actor = kit.ground(request), kit.actor(request)
    form = await forms.read(request)
    number, version = kit.number_in_path(request), staff_forms.version(form)
    match form.line("action"):
        case "pause":
            await series.pause(ground, actor=actor, series_id=number, version=version)
            said = N_("Paused: nothing is drafted until you resume it.")
        case "resume":
            await series.resume(ground, actor=actor, series_id=number, version=version)
            said = N_("It goes on.")
        case "skip":
            day = staff_forms.read_day(form, "day")
            form.check()
            await series.skip_next(ground, actor=actor, series_id=number, day=day or date.min)
            said = N_("That date is left out.")
        case "run":
            run = await series_runs.run_now(ground, actor=actor, series_id=number)
            return _after_run(request, run)
        case _:
            raise errors.Invalid(N_("Choose one of the buttons."))
    return _back(request, number, said)


def _after_run(request: web.Request, run: SeriesRun) -> web.StreamResponse:
    speaks = kit.translator(request)
    said = series_words.of_run(run, speaks) or speaks.gettext(N_("The edition is drafted."))
    return kit.redirect(request, f"/staff/series/{run.series_id}/runs/{run.id}", flash=said)


def _plan(found: Series) -> Plan:
    return series_plans.parse(found.document)


def _rule_words(request: web.Request, plan: Plan) -> str:
    zone = kit.ground(request).settings.site.zone
    return series_rules.in_words(plan.rule, kit.translator(request), zone=zone)


def _when(request: web.Request, found: Series) -> str:
    if found.sends_at is None:
        return ""
    zone = _plan(found).rule.zone or kit.ground(request).settings.site.zone
    return schedules.in_words(found.sends_at, zone, kit.translator(request))


def _title(request: web.Request, titles: dict[str, str]) -> str:
    default = kit.ground(request).settings.site.language
    return series_words.title(titles, kit.translator(request), default=default)


def _back(request: web.Request, number: int, msgid: str) -> web.StreamResponse:
    words = kit.translator(request).gettext(msgid)
    return kit.redirect(request, f"/staff/series/{number}", flash=words)


async def _form_page(
    request: web.Request, form: Form | None = None, problem: errors.HandbillError | None = None
) -> web.Response:
    ground, speaks = kit.ground(request), kit.translator(request)
    found = None
    if "id" in request.match_info:
        found = await series.show(ground, series_id=kit.number_in_path(request))
    values = series_staff_forms.typed(form) if form else _kept(request, found)
    audience = series_staff_forms.audience_of(form or (_plan(found).audience if found else {}))
    is_conflict = isinstance(problem, errors.Conflict)
    async with ground.db.reading() as session:
        builder = await audience_pages.builder(request, session, audience, form)
    return kit.render(
        request,
        "campaigns/series_form.html",
        status=409 if is_conflict else 422 if problem else 200,
        series=found,
        values=values,
        audience=audience,
        problems=staff_forms.say(request, problem) if problem else {},
        is_conflict=is_conflict,
        specs=series_staff_forms.WORDS,
        places=series_staff_forms.places(values),
        patterns=_named(request, PATTERNS),
        which=_named(request, WHICH),
        weekdays=list(enumerate(name.capitalize() for name in series_rules.weekdays(speaks))),
        zones=schedules.ZONES,
        site_zone=ground.settings.site.zone,
        modes=[
            (mode.value, speaks.gettext(word), speaks.gettext(hint))
            for mode, (word, hint) in MODES.items()
        ],
        fallbacks=_named(request, FALLBACKS),
        section_kinds=_named(request, series_plans.SECTION_WORDS),
        kinds=_named(request, KIND_WORDS),
        near=_named(request, block_forms.NEAR),
        default_from=ground.settings.from_name,
        default_address=ground.settings.mail.from_address,
        relays=[(each.name, each.name) for each in ground.settings.relay],
        **await _offered(request),
        **builder,
    )


def _named(request: web.Request, words: Any) -> list[tuple[str, str]]:
    """Choices with their words in the reader's language."""
    speak = kit.translator(request).gettext
    return [(str(value), speak(word)) for value, word in words.items()]


async def _offered(request: web.Request) -> dict[str, Any]:
    """Issues, topics, languages and people to choose from."""
    ground, speaks = kit.ground(request), kit.translator(request)
    async with ground.db.reading() as session:
        every_issue = await issues.everything(session)
        every_topic = await topics.everything(session)
    people = await team.everybody(ground)
    return {
        "issues": [
            (each.slug, issue_page.summarise(ground, each, speaks).title) for each in every_issue
        ],
        "topics": [(each.slug, topics.name(each, speaks.language)) for each in every_topic],
        "people": [(each.email, each.name or each.email) for each in people if each.is_active],
    }


def _kept(request: web.Request, found: Series | None) -> dict[str, str]:
    """What the form shows first."""
    if found is not None:
        return series_staff_forms.values_of(_plan(found))
    ground = kit.ground(request)
    today = ground.clock.now().astimezone(ground.settings.site.tzinfo).date()
    return {
        "mode": Mode.REVIEW.value,
        "fallback": Fallback.LABEL.value,
        "pattern": Pattern.FORTNIGHTLY.value,
        "weekday": "3",
        "which": "1",
        "day": "1",
        "at": "09:00",
        "closes_days": "1",
        "closes_at": "17:00",
        "starts_on": today.isoformat(),
        "credits": "1",
        "owner": kit.signed_in(request).email,
        "section-0-kind": "developments",
        "section-0-carries_over": "1",
    }
