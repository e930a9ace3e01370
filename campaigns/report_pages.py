"""The whole report of a campaign (`/staff/campaigns/{id}/report`): to read, print, take along."""

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import (
    archive_pages,
    breakdowns,
    campaign_pages,
    campaign_views,
    heat,
    leaving,
    outcomes,
    report_files,
    report_words,
    reports,
    transitions,
)
from campaigns.campaign_pages import TONES
from campaigns.models import CampaignState
from campaigns.reports import Report
from delivery.models import Dispatch, DispatchPlan
from foundation import errors
from foundation.accounts.models import Role
from foundation.i18n import N_
from foundation.web import kit
from subscribers import plainly
from templates.plan import Plan

_COMPARED = 10


def routes() -> list[web.RouteDef]:
    """What is here."""
    one = "/staff/campaigns/{id}"
    return [
        web.get(f"{one}/report", show),
        web.get(f"{one}/report.csv", as_csv),
        web.get(f"{one}/report.json", as_json),
        web.get(f"{one}/heat", show_heat),
    ]


@kit.staff(Role.VIEWER)
async def show(request: web.Request) -> web.StreamResponse:
    """`GET …/report?edition=`: everything that is known of what came of it."""
    ground, speaks = kit.ground(request), kit.translator(request)
    number = kit.number_in_path(request)
    report = await reports.report(ground, campaign_id=number)
    async with ground.db.reading() as session:
        campaign = await transitions.get(session, number)
        order = await campaign_views.order_of(session, number)
        counted = await breakdowns.read(ground, session, order)
        hours, later = await report_words.by_hour(session, order, counted, speaks)
        left = await leaving.of_dispatch(session, order.id)
        (own,) = await outcomes.of(session, [(campaign, order)])
        earlier = await outcomes.latest(session, limit=_COMPARED, before=order)
    chosen = _edition(request, report)
    state = CampaignState(campaign.state)
    return kit.render(
        request,
        "campaigns/report.html",
        campaign=campaign,
        state_word=transitions.STATE_WORDS[state],
        tone=TONES[state],
        hours=hours,
        later=later,
        counted=counted,
        told_apart=[
            (part, *map(speaks.gettext, report_words.PARTS[part][:2]),
             [(report_words.named(part, row, speaks), row) for row in counted.parts[part]])
            for part in breakdowns.Part
        ] if counted else [],
        leaving=left,
        ways=[(plainly.way(via, speaks), count) for via, count in left.ways.items()],
        own=own,
        earlier=earlier,
        medians=_medians(earlier),
        compared=report_words.compared([own, *earlier], speaks) if earlier else [],
        editions=[(key, _edition_name(request, key), key == chosen) for key in _editions(report)],
        edition=chosen,
        warm=heat.warmed(_of_edition(report, chosen)),
        **campaign_pages.report_values(request, report),
    )  # fmt: skip


@kit.staff(Role.VIEWER)
async def show_heat(request: web.Request) -> web.StreamResponse:
    """`GET …/heat?edition=`: the mail that was sent, each link marked with its clicks."""
    ground, number = kit.ground(request), kit.number_in_path(request)
    report = await reports.report(ground, campaign_id=number)
    chosen = _edition(request, report)
    async with ground.db.reading() as session:
        order = await campaign_views.order_of(session, number)
        plan = await _plan(session, order, chosen)
    warm = {each.link.number: each for each in heat.warmed(_of_edition(report, chosen))}
    response = archive_pages.framed_mail(
        heat.over_mail(ground, plan, warm, kit.translator(request))
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@kit.staff(Role.VIEWER)
async def as_csv(request: web.Request) -> web.StreamResponse:
    """`GET …/report.csv`: every figure as a row."""
    whole, number = await _whole(request), kit.number_in_path(request)
    name = f"campaign-{number}-report.csv"
    return kit.file(report_files.csv(whole), name=name, media_type="text/csv")


@kit.staff(Role.VIEWER)
async def as_json(request: web.Request) -> web.StreamResponse:
    """`GET …/report.json`: the same as a document; people are not named in it."""
    text = json.dumps(await _whole(request), ensure_ascii=False, indent=2)
    name = f"campaign-{kit.number_in_path(request)}-report.json"
    return kit.file(text, name=name, media_type="application/json")


async def _whole(request: web.Request) -> Mapping[str, Any]:
    ground, number = kit.ground(request), kit.number_in_path(request)
    report = await reports.report(ground, campaign_id=number)
    async with ground.db.reading() as session:
        order = await campaign_views.order_of(session, number)
        counted = await breakdowns.read(ground, session, order)
        left = await leaving.of_dispatch(session, order.id)
    return report_files.whole(order, report, counted, left)


def _editions(report: Report) -> list[str]:
    """Each mail that has links, in their order."""
    return list(dict.fromkeys(link.edition for link in report.links))


def _edition(request: web.Request, report: Report) -> str:
    offered = _editions(report)
    wished = request.query.get("edition", "")
    return wished if wished in offered else next(iter(offered), "")


def _of_edition(report: Report, edition: str) -> list[reports.LinkHits]:
    return [link for link in report.links if link.edition == edition]


def _edition_name(request: web.Request, edition: str) -> str:
    language, _, form = edition.partition(" ")
    name = kit.translator(request).language_title(language)
    return name + (f" · {form.upper()}" if form else "")


async def _plan(session: AsyncSession, order: Dispatch, edition: str) -> Plan:
    """The mail as it was frozen; without links that are counted, in the dispatch's own language."""
    language, _, form = edition.partition(" ")
    row = await session.get(DispatchPlan, (order.id, language or order.default_language))
    if row is None:
        raise errors.NotFound(N_("This mail is not kept any more."))
    return Plan.thaw(row.of(form))


def _medians(earlier: list[outcomes.Outcome]) -> Mapping[str, float | None]:
    return {
        name: outcomes.median([getattr(each, name) for each in earlier])
        for name in ("sent", "delivered", "clicks_a_hundred", "left", "unsubscribed", "clicks")
    }
