"""What a partner's pages brought, as a page and a file (`/staff/partners/{id}/numbers`).

The office sees exact numbers. Somebody who signs in for the partner sees its own alone, without
small groups (`small_groups.py`) and for whole weeks, so that days can't be told apart by moving the
ends.
"""

from collections.abc import Mapping
from datetime import date, timedelta

from aiohttp import web

from foundation import cells, errors
from foundation.accounts.models import Role
from foundation.i18n import N_
from foundation.web import kit
from subscribers import forms, funnel, page_path, partners, small_groups, widget_health
from subscribers.funnel import Part, Row, Stage, Wish
from subscribers.small_groups import Shown
from templates import charts
from templates.charts import Drawing

_USUAL_DAYS = 28
STAGES: Mapping[Stage, str] = {
    Stage.SEEN: N_("Form seen"),
    Stage.STARTED: N_("Begun"),
    Stage.SUBMITTED: N_("Sent in"),
    Stage.CONFIRMED: N_("Confirmed"),
    Stage.STAYED: N_("Still there after 30 days"),
}
_PARTS: Mapping[Part, tuple[str, str]] = {
    Part.PAGE: (N_("Page"), N_("By page")),
    Part.FORM: (N_("Form"), N_("By form")),
    Part.LANGUAGE: (N_("Language"), N_("By language")),
    Part.DAY: (N_("Day"), N_("By day")),
}
"""In the order of the page, with what stands over the column and over the table."""


def routes() -> list[web.RouteDef]:
    """What is here."""
    return [
        web.get("/staff/partners/{id}/numbers", show),
        web.get("/staff/partners/{id}/numbers.csv", download),
    ]


@kit.partner_or_staff
async def show(request: web.Request) -> web.Response:
    """`GET /staff/partners/{id}/numbers`: chart, tables and filters."""
    ground = kit.ground(request)
    partner = await partners.get(ground, partner_id=kit.number_in_path(request))
    problem = ""
    try:
        shown = await _shown(request, _wish(request, partner.id))
    except errors.Invalid as found:
        problem = found.say(kit.translator(request))
        shown = await _shown(request, _usual(request, partner.id))
    wish = shown.funnel.wish
    used = {row.name for row in shown.funnel.rows[Part.FORM]}
    speaks = kit.translator(request)
    return kit.render(
        request,
        "people/funnel.html",
        status=422 if problem else 200,
        problem=problem,
        partner=partner,
        wish=wish,
        shown=shown,
        stages=[(stage, speaks.gettext(words)) for stage, words in STAGES.items()],
        parts=[
            (part, speaks.gettext(title), speaks.gettext(heading), _named(request, part, shown))
            for part, (title, heading) in _PARTS.items()
        ],
        chart=_chart(request, shown),
        say=lambda number: small_groups.say(number, shown.fewer_than, speaks),
        form_choices=[("", speaks.gettext(N_("All")))]
        + [
            (str(each.form.id), each.form.name)
            for each in await forms.listed(ground)
            if each.form.partner_id == partner.id or each.form.name in used
        ],
        language_choices=[("", speaks.gettext(N_("All")))]
        + [(code, ground.catalog.translator(code).name) for code in ground.catalog.languages],
        query=request.query_string,
        alarms=[
            widget_health.say(ground, alarm, form, speaks, is_partner=_is_partner(request))
            for alarm, form in await widget_health.standing(ground, partner_id=partner.id)
        ],
    )


@kit.partner_or_staff
async def download(request: web.Request) -> web.Response:
    """`GET /staff/partners/{id}/numbers.csv`: the same rows as a file."""
    partner = await partners.get(kit.ground(request), partner_id=kit.number_in_path(request))
    shown = await _shown(request, _wish(request, partner.id))
    rows = [["part", "name", *(stage.value for stage in Stage)]]
    for part, several in shown.funnel.rows.items():
        rows += [[part.value, row.name, *_cells(shown, part, row)] for row in several]
    total = Row(name="", counts=shown.funnel.total)
    rows.append(["total", "", *_cells(shown, None, total)])
    name = f"{partner.key}-{shown.funnel.wish.since}-{shown.funnel.wish.until}.csv"
    return kit.file(cells.lines(rows), name=name, media_type="text/csv")


async def _shown(request: web.Request, wish: Wish) -> Shown:
    ground = kit.ground(request)
    found = await funnel.funnel(ground, wish)
    if not _is_partner(request):
        return small_groups.exact(found)
    return small_groups.rounded(found, fewer_than=ground.settings.partners.fewer_than)


def _is_partner(request: web.Request) -> bool:
    return kit.signed_in(request).role is Role.PARTNER


def _usual(request: web.Request, partner_id: int) -> Wish:
    """The last four weeks."""
    ground = kit.ground(request)
    today = ground.clock.now().astimezone(ground.settings.site.tzinfo).date()
    return _in_weeks(
        request,
        Wish(partner_id=partner_id, since=today - timedelta(days=_USUAL_DAYS - 1), until=today),
    )


def _wish(request: web.Request, partner_id: int) -> Wish:
    """What the address asks for. Raises `errors.Invalid`."""
    usual = _usual(request, partner_id)
    asked = request.query
    return _in_weeks(
        request,
        Wish(
            partner_id=partner_id,
            since=_day(asked.get("since", ""), usual.since),
            until=_day(asked.get("until", ""), usual.until),
            form_id=funnel.form_number(asked.get("form")),
            page=page_path.clean(asked.get("page", "")) or None,
            language=asked.get("language") or None,
        ),
    )


def _in_weeks(request: web.Request, wish: Wish) -> Wish:
    """For a partner, from a Monday to a Sunday."""
    if not _is_partner(request):
        return wish
    return Wish(
        partner_id=wish.partner_id,
        since=wish.since - timedelta(days=wish.since.weekday()),
        until=wish.until + timedelta(days=6 - wish.until.weekday()),
        form_id=wish.form_id,
        page=wish.page,
        language=wish.language,
    )


def _day(text: str, usual: date) -> date:
    if not text:
        return usual
    try:
        found = date.fromisoformat(text)
    except ValueError as problem:
        raise errors.Invalid(N_("Write a date as year-month-day.")) from problem
    if not 2000 <= found.year <= 9000:
        raise errors.Invalid(N_("Write a date as year-month-day."))
    return found


def _named(request: web.Request, part: Part, shown: Shown) -> list[tuple[str, Row]]:
    """The rows with the names that people read."""
    speaks = kit.translator(request)
    names: list[tuple[str, Row]] = []
    for row in shown.funnel.rows[part]:
        name = row.name
        if part is Part.DAY:
            name = speaks.date(date.fromisoformat(row.name), "medium")
        elif part is Part.LANGUAGE:
            name = kit.ground(request).catalog.translator(row.name).name
        elif row.name == funnel.OTHER_PAGES:
            name = speaks.gettext(N_("Other pages"))
        elif not row.name:
            unknown = N_("Not known") if part is Part.PAGE else N_("Our own page")
            name = speaks.gettext(unknown)
        names.append((name, row))
    return names


def _cells(shown: Shown, part: Part | None, row: Row) -> list[str]:
    """A row's numbers for a file; a day that is too early to say who stayed has none."""
    return [
        ""
        if part is Part.DAY and row.is_early and stage is Stage.STAYED
        else f"<{shown.fewer_than}"
        if shown.is_small(row.counts[stage])
        else str(row.counts[stage])
        for stage in Stage
    ]


def _chart(request: web.Request, shown: Shown) -> Drawing | None:
    """Each day's sign-ups and confirmations; none where there were too few on each to be told."""
    speaks = kit.translator(request)
    days = _named(request, Part.DAY, shown)
    if shown.is_rounded and not any(row.counts[Stage.SUBMITTED] for _, row in days):
        return None
    return charts.draw(
        title=speaks.gettext(N_("Sign-ups by day")),
        column=speaks.gettext(N_("Day")),
        names=[name for name, _ in days],
        series=[
            charts.Series(
                name=speaks.gettext(STAGES[stage]), values=[row.counts[stage] for _, row in days]
            )
            for stage in (Stage.SUBMITTED, Stage.CONFIRMED)
        ],
        say=lambda number: small_groups.say(int(number), shown.fewer_than, speaks),
        say_scale=speaks.number,
    )
