"""Staff's pages about gatherings (`/staff/gatherings`): the tablet, the paper, and typing it in."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from aiohttp import web
from markupsafe import Markup

from foundation import errors
from foundation.accounts.models import Role
from foundation.i18n import N_, Translator
from foundation.web import forms, kit
from subscribers import forms as signup_forms
from subscribers import gatherings, kiosk_pages, sheet_entry, typos
from subscribers.gatherings import Standing
from subscribers.sheet_entry import Row, Told
from subscribers.tabling import Outcome
from templates import qr

_ROWS = 12
_LINES = {"a4": 12, "letter": 12}
"""Paper → lines on it, on its side."""
_HEADING = N_("Bulletins by e-mail: write yourself in")
_SCAN = N_("Or with your phone")
_NAME = N_("Name")
_COLUMNS = {
    "email": N_("E-mail, in capital letters"),
    "postal_code": N_("Postal code"),
    "language": N_("Language"),
}
_OUTCOMES = {
    Outcome.ASKED: (N_("Asked by mail to confirm"), "good"),
    Outcome.LATER: (N_("Gets the mail later, when a limit has room"), "busy"),
    Outcome.DOUBTFUL: (N_("Waits among the doubtful sign-ups"), "warn"),
    Outcome.KNOWN: (N_("Is on the list already; nothing was mailed"), "neutral"),
    Outcome.BARRED: (N_("Must not be mailed"), "bad"),
    Outcome.REPEATED: (N_("Was taken before"), "neutral"),
}


def routes() -> list[web.RouteDef]:
    """What is here."""
    one = "/staff/gatherings/{id}"
    return [
        web.get("/staff/gatherings", index),
        web.get("/staff/gatherings/new", new),
        web.post("/staff/gatherings/new", create),
        web.get(one, show),
        web.post(one, mend),
        web.get(f"{one}/sheet", sheet),
        web.get(f"{one}/entry", entry),
        web.post(f"{one}/entry", enter),
    ]


@kit.staff(Role.VIEWER)
async def index(request: web.Request) -> web.Response:
    """`GET /staff/gatherings`: where people signed up by hand, and what came of it."""
    return kit.render(
        request,
        "people/gatherings.html",
        standings=await gatherings.listed(kit.ground(request)),
    )


@kit.staff(Role.EDITOR)
async def new(request: web.Request) -> web.Response:
    """`GET /staff/gatherings/new`: an empty page to fill in."""
    ground = kit.ground(request)
    values = {
        "day": ground.clock.now().date().isoformat(),
        "languages": list(ground.catalog.languages)[: gatherings.MOST_LANGUAGES],
    }
    return await _new(request, values=values)


@kit.staff(Role.EDITOR)
async def create(request: web.Request) -> web.Response:
    """`POST /staff/gatherings/new`: write a gathering down."""
    form = await forms.read(request)
    try:
        details = gatherings.Details(
            name=form.line("name", limit=120, required=True),
            code=form.line("code", limit=50, required=True).lower(),
            day=_day(form.line("day", limit=10)),
            form_id=form.number("form_id"),
            languages=form.lines("languages"),
        )
        form.check()
        made = await gatherings.create(
            kit.ground(request), actor=kit.actor(request), details=details
        )
    except errors.Invalid as problem:
        values = {**form.values, "languages": form.lines("languages")}
        return await _new(request, values=values, problem=problem)
    said = N_("Made. Print the sheet, or open the form on a tablet.")
    return kit.redirect(
        request, f"/staff/gatherings/{made.id}", flash=kit.translator(request).gettext(said)
    )


@kit.staff(Role.VIEWER)
async def show(request: web.Request) -> web.Response:
    """`GET /staff/gatherings/{id}`: the tablet's address, the sheet, and what came of it."""
    return await _show(request, await _standing(request))


@kit.staff(Role.EDITOR)
async def mend(request: web.Request) -> web.Response:
    """`POST /staff/gatherings/{id}`: another name or day."""
    form = await forms.read(request)
    standing = await _standing(request)
    try:
        name = form.line("name", limit=120, required=True)
        day = _day(form.line("day", limit=10))
        if day is None:
            form.problems["day"] = errors.Invalid(N_("Give the day."))
        form.check()
        await gatherings.mend(
            kit.ground(request),
            actor=kit.actor(request),
            gathering_id=kit.number_in_path(request),
            name=name,
            day=day or standing.gathering.day,
        )
    except errors.Invalid as problem:
        return await _show(request, standing, typed=form.values, problem=problem)
    said = kit.translator(request).gettext(N_("Kept."))
    return kit.redirect(request, f"/staff/gatherings/{standing.gathering.id}", flash=said)


async def _show(
    request: web.Request,
    standing: Standing,
    *,
    typed: Mapping[str, str] | None = None,
    problem: errors.Invalid | None = None,
) -> web.Response:
    ground = kit.ground(request)
    speaks = kit.translator(request)
    gathering = standing.gathering
    own = {"name": gathering.name, "day": gathering.day.isoformat()}
    return kit.render(
        request,
        "people/gathering.html",
        status=422 if problem else 200,
        standing=standing,
        gathering=gathering,
        kiosk_url=ground.url(_kiosk_path(standing)),
        kiosk_path=_kiosk_path(standing),
        words=await gatherings.words(ground, gathering),
        language_names={code: ground.catalog.translator(code).name for code in gathering.languages},
        values=typed if typed is not None else own,
        problems={
            name: each.say(speaks) for name, each in (problem.fields if problem else {}).items()
        },
    )


@kit.staff(Role.VIEWER)
async def sheet(request: web.Request) -> web.Response:
    """`GET …/sheet?paper=a4|letter`: the sheet, to be printed."""
    ground = kit.ground(request)
    standing = await _standing(request)
    gathering = standing.gathering
    asked = request.query.get("paper", "letter")
    paper = asked if asked in _LINES else "letter"
    form_url = ground.url(f"{_form_path(standing)}?source={gathering.code}")
    code = await asyncio.to_thread(qr.drawn, form_url, kind=qr.Kind.SVG, title=form_url)
    asks = list(standing.form.asks) if standing.form else list(signup_forms.DEFAULT_ASKS)
    return kit.render(
        request,
        "people/sheet.html",
        gathering=gathering,
        paper=paper,
        lines=_LINES[paper],
        columns=_columns(asks, languages=len(gathering.languages)),
        heading=_HEADING,
        scan=_SCAN,
        words=await gatherings.words(ground, gathering),
        speakers=[ground.translator(each) for each in gathering.languages],
        form_url=form_url,
        code=Markup(code.decode()),  # noqa: S704 - drawn by us
    )


@kit.staff(Role.EDITOR)
async def entry(request: web.Request) -> web.Response:
    """`GET …/entry`: empty rows to type a sheet into."""
    return await _entry(request, rows=[Row(email="")] * _ROWS)


@kit.staff(Role.EDITOR)
async def enter(request: web.Request) -> web.Response:
    """`POST …/entry`: take the rows; what is wrong with some comes back, the rest is done."""
    form = await forms.read(request)
    rows = _rows(form)
    told = await sheet_entry.enter(
        kit.ground(request),
        actor=kit.actor(request),
        gathering_id=kit.number_in_path(request),
        rows=rows,
    )
    to_mend = [each for each in told if each.problem is not None]
    blank = Row(email="", language=rows[-1].language if rows else "")
    shown = [each.row for each in to_mend]
    shown += [blank] * max(1, _ROWS - len(shown))
    return await _entry(request, rows=shown, told=told)


async def _new(
    request: web.Request, *, values: dict[str, Any], problem: errors.Invalid | None = None
) -> web.Response:
    ground = kit.ground(request)
    speaks = kit.translator(request)
    fields = problem.fields if problem else {}
    every = await signup_forms.listed(ground)
    return kit.render(
        request,
        "people/gathering_new.html",
        status=422 if problem else 200,
        values=values,
        forms_offered=[(str(each.form.id), each.form.name) for each in every],
        site_languages=[
            (code, ground.catalog.translator(code).name, "") for code in ground.catalog.languages
        ],
        problems={name: each.say(speaks) for name, each in fields.items()},
    )


async def _entry(
    request: web.Request, *, rows: list[Row], told: list[Told] | None = None
) -> web.Response:
    ground = kit.ground(request)
    speaks = kit.translator(request)
    standing = await _standing(request)
    to_mend = [each for each in told or () if each.problem is not None]
    problems = {
        place: each.problem.say(speaks) if not each.problem.fields else _field(each, speaks)
        for place, each in enumerate(to_mend, start=1)
        if each.problem is not None
    }
    suggestions = {
        place: each.problem.suggestion
        for place, each in enumerate(to_mend, start=1)
        if isinstance(each.problem, errors.Mistyped)
    }
    return kit.render(
        request,
        "people/sheet_entry.html",
        status=422 if to_mend else 200,
        gathering=standing.gathering,
        asks=list(standing.form.asks) if standing.form else list(signup_forms.DEFAULT_ASKS),
        rows=rows,
        told=[each for each in told or () if each.problem is None],
        outcomes={each: (speaks.gettext(words), tone) for each, (words, tone) in _OUTCOMES.items()},
        problems=problems,
        suggestions=suggestions,
        slips=typos.known(),
        row_languages=[
            (code, ground.catalog.translator(code).name) for code in ground.catalog.languages
        ],
        first_language=next(iter(standing.gathering.languages), ""),
    )


def _columns(asks: Sequence[str], *, languages: int) -> list[tuple[str, str]]:
    """Of the sheet: msgid and kind. Names stand in one, however many the form asks for."""
    columns = [(_NAME, "name")] if {"first_name", "last_name"} & set(asks) else []
    columns.append((_COLUMNS["email"], "email"))
    if "postal_code" in asks:
        columns.append((_COLUMNS["postal_code"], "postal_code"))
    if languages > 1:
        columns.append((_COLUMNS["language"], "language"))
    return columns


def _field(told: Told, speaks: Translator) -> str:
    assert told.problem is not None  # noqa: S101 - only such rows are mended
    return " ".join(each.say(speaks) for each in told.problem.fields.values())


def _rows(form: forms.Form) -> list[Row]:
    """Rows `email.1`, `email.2` and so on, as they came."""
    count = min(form.number("rows", default=0) or 0, sheet_entry.MOST_ROWS)
    names = ("email", "first_name", "last_name", "postal_code", "language", "sure")
    limits = {"email": 320, "sure": 320}
    return [
        Row(**{name: form.line(f"{name}.{place}", limit=limits.get(name, 200)) for name in names})
        for place in range(1, count + 1)
    ]


async def _standing(request: web.Request) -> Standing:
    return await gatherings.show(kit.ground(request), gathering_id=kit.number_in_path(request))


def _form_path(standing: Standing) -> str:
    return f"/subscribe/{standing.form.slug}" if standing.form else "/subscribe"


def _kiosk_path(standing: Standing) -> str:
    slug = standing.form.slug if standing.form else kiosk_pages.SITE_FORM
    return f"/kiosk/{slug}?source={standing.gathering.code}"


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
