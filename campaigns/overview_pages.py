"""The staff room's first page (`/staff`)."""

from collections.abc import Mapping
from datetime import date

from aiohttp import web

from campaigns import attention, campaign_pages, developments, live_pages, overview, transitions
from campaigns import schedule as schedules
from campaigns.models import Campaign
from foundation.accounts.models import Role
from foundation.i18n import N_, Translator
from foundation.web import kit
from templates import charts
from templates.charts import Drawing


def routes() -> list[web.RouteDef]:
    """What is here."""
    return [web.get("/staff", home)]


@kit.staff(Role.VIEWER)
async def home(request: web.Request) -> web.StreamResponse:
    """`GET /staff`: what needs somebody, what goes out, what came of it."""
    ground, speaks = kit.ground(request), kit.translator(request)
    found = await overview.read(ground)
    return kit.render(
        request,
        "campaigns/overview.html",
        found=found,
        sending=[(each, await live_pages.told(request, each.id)) for each in found.sending],
        states=transitions.STATE_WORDS,
        tones=campaign_pages.TONES,
        why=lambda each: attention.why(each, speaks.language),
        coming=[(each, _when(request, each)) for each in found.coming],
        developments=[
            (each, developments.tell(ground, each, speaks)) for each in found.developments
        ],
        newcomers=sum(found.newcomers.values()),
        chart=_chart(found.newcomers, speaks),
    )


def _when(request: web.Request, campaign: Campaign) -> str:
    """The local time that was chosen, with its zone where it is not the site's."""
    site = kit.ground(request).settings.site
    if campaign.scheduled_at is None:
        return ""
    zone = campaign.scheduled_zone or site.zone
    shown = schedules.in_words(campaign.scheduled_at, zone, kit.translator(request))
    return shown if zone == site.zone else f"{shown} ({zone})"


def _chart(newcomers: Mapping[date, int], speaks: Translator) -> Drawing:
    return charts.draw(
        title=speaks.gettext(N_("New people by day")),
        column=speaks.gettext(N_("Day")),
        names=[speaks.date(day, "medium") for day in newcomers],
        series=[
            charts.Series(name=speaks.gettext(N_("Confirmed")), values=list(newcomers.values()))
        ],
        say=speaks.number,
    )
