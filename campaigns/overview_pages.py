"""The staff room's first page (`/staff`)."""

from collections.abc import Mapping
from datetime import date

from aiohttp import web

from campaigns import (
    attention,
    campaign_pages,
    developments,
    live_pages,
    overview,
    transitions,
    waiting_texts,
)
from campaigns import schedule as schedules
from campaigns.models import Campaign
from foundation.accounts.models import Role
from foundation.i18n import N_, Translator
from foundation.web import kit
from subscribers import growth, topics
from subscribers.growth import Growth, Part
from subscribers.growth_counting import Counts
from templates import charts
from templates.charts import Drawing

COUNTED: Mapping[str, str] = {
    "joined": N_("Asked to join"),
    "confirmed": N_("Confirmed"),
    "left": N_("Left the lists"),
}
"""What is drawn: the field of `Counts`, and its words."""
PARTS: Mapping[Part, tuple[str, str, str]] = {
    Part.TOPIC: (N_("By topic"), N_("Topic"), N_("A topic that is gone")),
    Part.LANGUAGE: (N_("By language"), N_("Language"), N_("Not known")),
    Part.SOURCE: (N_("By source"), N_("Source of their first sign-up"), N_("No source was noted")),
    Part.PARTNER: (N_("By partner"), N_("Partner"), N_("Not from a partner's page")),
}
"""What stands over the table, over its first column, and for those without a name."""
SPANS: Mapping[int, str] = {
    7: N_("A week"),
    overview.DAYS: N_("Four weeks"),
    91: N_("Three months"),
    364: N_("A year"),
}
_MOST_DAYS = 92
"""Longer is drawn by weeks; all of `SPANS` are whole ones."""
_Part = tuple[Part, str, str, list[tuple[str, Counts]]]


def routes() -> list[web.RouteDef]:
    """What is here."""
    return [web.get("/staff", home)]


@kit.staff(Role.VIEWER)
async def home(request: web.Request) -> web.StreamResponse:
    """`GET /staff`: what needs somebody, what goes out, what came of it."""
    ground, speaks = kit.ground(request), kit.translator(request)
    chosen = _days(request)
    found = await overview.read(ground, days=chosen)
    async with ground.db.reading() as session:
        topic_names = {
            each.slug: topics.name(each, speaks.language)
            for each in await topics.everything(session)
        }
        is_translator = kit.signed_in(request).role is Role.TRANSLATOR
        to_translate = await waiting_texts.everything(ground, session) if is_translator else []
    return kit.render(
        request,
        "campaigns/overview.html",
        found=found,
        to_translate=to_translate,
        sending=[(each, await live_pages.told(request, each.id)) for each in found.sending],
        states=transitions.STATE_WORDS,
        tones=campaign_pages.TONES,
        why=lambda each: attention.why(each, speaks.language),
        coming=[(each, _when(request, each)) for each in found.coming],
        developments=[
            (each, developments.tell(ground, each, speaks)) for each in found.developments
        ],
        chart=_chart(found.growth.days, speaks),
        growth_parts=_named(request, found.growth, topic_names),
        counted={name: speaks.gettext(words) for name, words in COUNTED.items()},
        spans=[
            (f"/staff?days={days}#growth-title", speaks.gettext(words), days == chosen)
            for days, words in SPANS.items()
        ],
    )


def _when(request: web.Request, campaign: Campaign) -> str:
    """The local time that was chosen, with its zone where it is not the site's."""
    site = kit.ground(request).settings.site
    if campaign.scheduled_at is None:
        return ""
    zone = campaign.scheduled_zone or site.zone
    shown = schedules.in_words(campaign.scheduled_at, zone, kit.translator(request))
    return shown if zone == site.zone else f"{shown} ({zone})"


def _days(request: web.Request) -> int:
    wished = request.query.get("days", "")
    return next((days for days in SPANS if str(days) == wished), overview.DAYS)


def _chart(days: Mapping[date, Counts], speaks: Translator) -> Drawing:
    """Day by day; of a long time week by week, a week counting for its first day."""
    step = 7 if len(days) > _MOST_DAYS else 1
    ordered = list(days)
    spans = [ordered[place : place + step] for place in range(0, len(ordered), step)]
    sums = [sum((days[day] for day in span), start=Counts()) for span in spans]
    return charts.draw(
        title=speaks.gettext(N_("Who came and left")),
        column=speaks.gettext(N_("Week from") if step > 1 else N_("Day")),
        names=[speaks.date(span[0], "medium") for span in spans],
        series=[
            charts.Series(name=speaks.gettext(words), values=[getattr(each, name) for each in sums])
            for name, words in COUNTED.items()
        ],
        say=speaks.number,
    )


def _named(request: web.Request, found: Growth, topic_names: Mapping[str, str]) -> list[_Part]:
    """The parts with the names that people read."""
    speaks = kit.translator(request)
    told = []
    for part, (title, heading, none) in PARTS.items():
        rows = []
        for row in found.parts[part]:
            name = row.name or speaks.gettext(none)
            if row.name == growth.OTHERS:
                name = speaks.gettext(N_("All others"))
            elif part is Part.TOPIC:
                name = topic_names.get(row.name, name)
            elif part is Part.LANGUAGE and row.name:
                name = speaks.language_title(row.name)
            rows.append((name, row.counts))
        told.append((part, speaks.gettext(title), speaks.gettext(heading), rows))
    return told
