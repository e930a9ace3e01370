"""The staff's calendar (`/staff/calendar`): by month and week, and moving what is scheduled."""

from datetime import date, datetime

from aiohttp import web
from babel import dates
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import (
    audiences,
    bulletins,
    campaign_pages,
    campaign_views,
    lifecycle,
    planner,
    series_rules,
    staff_forms,
    transitions,
)
from campaigns import schedule as schedules
from campaigns.campaign_views import View
from campaigns.models import Campaign, CampaignState
from campaigns.planner import Calendar, Entry, Span
from campaigns.preflight import overlap
from campaigns.preflight.items import Item
from foundation import errors
from foundation.accounts.models import Role
from foundation.findings import Tone
from foundation.ground import Ground
from foundation.i18n import N_, Translator
from foundation.web import forms, kit
from foundation.web.forms import Form

PATH = "/staff/calendar"
_FIRST, _LAST = date(2000, 1, 1), date(2199, 12, 1)
"""Days beyond are nobody's plan, and not every one of them can be counted with."""


def routes() -> list[web.RouteDef]:
    """What is here."""
    return [
        web.get(PATH, show),
        web.get(f"{PATH}/move/{{id}}", ask_move),
        web.post(f"{PATH}/move/{{id}}", move),
        web.get(f"{PATH}/overlap/{{id}}", show_overlap),
    ]


@kit.staff(Role.VIEWER)
async def show(request: web.Request) -> web.StreamResponse:
    """`GET /staff/calendar?view=&day=`: a month or a week."""
    ground, speaks = kit.ground(request), kit.translator(request)
    wished = request.query.get("view", "")
    span = Span(wished) if wished in set(Span) else Span.MONTH
    found = await planner.read(
        ground,
        span=span,
        day=_day(request.query.get("day", "")),
        first_weekday=speaks.locale.first_week_day,
    )
    names = series_rules.weekdays(speaks)
    return kit.render(
        request,
        "campaigns/calendar.html",
        found=found,
        title=_title(found, speaks),
        weekdays=[names[day.weekday()] for day in found.weeks[0]],
        tabs=[
            (_address(Span.MONTH, found.day), speaks.gettext(N_("Month")), span is Span.MONTH),
            (_address(Span.WEEK, found.day), speaks.gettext(N_("Week")), span is Span.WEEK),
        ],
        before_url=_address(span, found.before),
        after_url=_address(span, found.after),
        today_url=_address(span, found.today),
        back=_address(span, found.day),
        may_move=kit.signed_in(request).role.may(Role.EDITOR),
        may_make=kit.signed_in(request).role.may(Role.AUTHOR),
        can_move=_can_move,
        states=transitions.STATE_WORDS,
        tones=campaign_pages.TONES,
        clock_of=lambda entry: _time(entry.at, speaks),
        elsewhere=lambda entry: _elsewhere(entry, ground.settings.site.zone),
        zone=ground.settings.site.zone.replace("_", " "),
    )


@kit.staff(Role.EDITOR)
async def ask_move(request: web.Request) -> web.StreamResponse:
    """`GET …/move/{id}?day=&back=`: another day and time, typed."""
    view = await campaign_views.show(kit.ground(request), campaign_id=kit.number_in_path(request))
    day = _day(request.query.get("day", ""))
    return await _move_page(request, view, day=day, back=request.query.get("back", ""))


@kit.staff(Role.EDITOR)
async def move(request: web.Request) -> web.StreamResponse:
    """`POST …/move/{id}`: to a typed time, or dropped on a day, where its time of day stays.

    What is dropped is asked about first when something hangs on it; `_question` says what.
    """
    form = await forms.read(request)
    ground, speaks = kit.ground(request), kit.translator(request)
    number = kit.number_in_path(request)
    view = await campaign_views.show(ground, campaign_id=number)
    day, back = _day(form.line("day", limit=10)), form.line("back", limit=60)
    zone = form.line("zone", limit=60) or view.campaign.scheduled_zone or ground.settings.site.zone
    at = form.line("at", limit=30) or _kept_time(view.campaign, day)
    fold = form.number("fold")
    try:
        form.check()
        if fold is None and schedules.is_repeated(at, zone):
            return await _move_page(request, view, form, day=day, back=back, is_repeated=True)
        if day is not None and _question(view):
            return await _move_page(request, view, day=day, back=back)
        await lifecycle.schedule(
            ground, actor=kit.actor(request), campaign_id=number, at=at, zone=zone,
            fold=1 if fold else 0, at_readers_time=view.campaign.at_readers_time,
        )  # fmt: skip
    except (errors.Invalid, errors.Refused, errors.Conflict) as problem:
        return await _move_page(request, view, form, problem, day=day, back=back)
    moment = schedules.in_words(schedules.resolve(at, zone, fold=fold), zone, speaks)
    words = speaks.gettext(N_("“%(name)s” goes out on %(moment)s.")) % {
        "name": view.campaign.name,
        "moment": moment,
    }
    return kit.redirect(request, _back(back, at), flash=words)


@kit.staff(Role.VIEWER)
async def show_overlap(request: web.Request) -> web.StreamResponse:
    """`GET …/overlap/{id}`: how many get another campaign within a day, too, for the calendar."""
    ground, speaks = kit.ground(request), kit.translator(request)
    async with ground.db.reading() as session:
        view = await campaign_views.read(session, kit.number_in_path(request))
        found = await _overlap(ground, session, view)
    return kit.render(
        request,
        "campaigns/_overlap.html",
        lines=[(each.say(speaks), each.tone is Tone.WARN) for each in found],
    )


async def _overlap(ground: Ground, session: AsyncSession, view: View) -> list[Item]:
    try:
        mine = await audiences.resolve(
            ground,
            session,
            audiences.parse(view.campaign.audience),
            languages=bulletins.languages(view.bulletin),
        )
    except errors.Invalid:
        return []  # its own page says what is not there
    return await overlap.look(ground, session, view.campaign, mine)


async def _move_page(
    request: web.Request,
    view: View,
    form: Form | None = None,
    problem: errors.HandbillError | None = None,
    *,
    day: date | None,
    back: str,
    is_repeated: bool = False,
) -> web.Response:
    ground, speaks = kit.ground(request), kit.translator(request)
    campaign, site = view.campaign, ground.settings.site
    moment = campaign.scheduled_at
    if moment is None or not _can_move(campaign):
        refused = errors.Refused(N_("Only what is scheduled can be moved."))
        return await campaign_pages.render_campaign(request, refused)
    zone = campaign.scheduled_zone or site.zone
    values = {"at": _kept_time(campaign, day), "zone": zone, "fold": ""}
    typed = staff_forms.typed(form) if form else {}
    question = _question(view)
    return kit.render(
        request,
        "campaigns/move.html",
        status=422 if problem or is_repeated else 200,
        campaign=campaign,
        now=schedules.in_words(campaign.scheduled_at, zone, speaks)
        if campaign.scheduled_at
        else "",
        values={**values, **{name: value for name, value in typed.items() if value}},
        zones=schedules.offered(site.zone, zone),
        back=back,
        back_url=_back(back, ""),
        question=speaks.gettext(question) if question else "",
        is_repeated=is_repeated,
        problems=staff_forms.say(request, problem) if problem else {},
    )


def _title(found: Calendar, speaks: Translator) -> str:
    """The month, or the first and last day of the week."""
    if found.span is Span.MONTH:
        month = str(dates.format_skeleton("yMMMM", found.day, locale=speaks.locale))
        return month[:1].upper() + month[1:]
    first, last = found.weeks[0][0], found.weeks[0][-1]
    return f"{speaks.date(first)} – {speaks.date(last)}"


def _time(moment: datetime, speaks: Translator) -> str:
    shown = dates.format_time(moment, "short", tzinfo=moment.tzinfo, locale=speaks.locale)
    return str(shown).replace("\u202f", " ")


def _question(view: View) -> str:
    """What is said before something is moved by dropping it; blank when nothing hangs on it."""
    if view.is_changed:
        return N_(
            "The bulletin was changed after it was approved: it can't be moved, and does not go "
            "out, before it is approved again."
        )
    if view.campaign.at_readers_time:
        return N_("Each reader gets it at this hour where they live, also on the new day.")
    return ""


def _can_move(campaign: Campaign) -> bool:
    return campaign.state == CampaignState.SCHEDULED and campaign.undo_from is None


def _kept_time(campaign: Campaign, day: date | None) -> str:
    """The campaign's time of day on another day."""
    local = campaign.scheduled_local
    return f"{day.isoformat()}T{local[11:]}" if day and local else local


def _elsewhere(entry: Entry, site_zone: str) -> str:
    """The time by the clock that a campaign was scheduled on, where that is not the site's."""
    campaign = entry.campaign
    if campaign is None or campaign.scheduled_zone in ("", site_zone) or campaign.started_at:
        return ""
    return f"{campaign.scheduled_local[11:]} {campaign.scheduled_zone.replace('_', ' ')}"


def _day(typed: str) -> date | None:
    try:
        found = date.fromisoformat(typed)
    except ValueError:
        return None
    return found if _FIRST <= found <= _LAST else None


def _address(span: Span, day: date) -> str:
    return f"{PATH}?view={span.value}&day={day.isoformat()}"


def _back(typed: str, at: str) -> str:
    """The calendar's page that somebody came from; else where the campaign now stands."""
    view, _, day = typed.partition(":")
    if view in set(Span) and _day(day):
        return _address(Span(view), _day(day) or _FIRST)
    return _address(Span.MONTH, _day(at[:10]) or _FIRST) if _day(at[:10]) else PATH
