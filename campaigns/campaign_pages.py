"""Staff's pages on which campaigns are followed (`/staff/campaigns`).

How one is made stands in `campaign_form_pages`; what is done to it step by step (approve, schedule,
send…) in `step_pages`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import (
    alarms,
    archiving,
    attention,
    audience_pages,
    audiences,
    bulletins,
    campaign_form_pages,
    campaign_views,
    check_pages,
    follow_ups,
    live_pages,
    outcomes,
    reader_time,
    reasons,
    report_words,
    reports,
    review_panel_pages,
    staff_forms,
    transitions,
    translating,
    trials,
    wording,
)
from campaigns import schedule as schedules
from campaigns.campaign_views import View
from campaigns.models import Campaign, CampaignState, HitKind, Visibility
from campaigns.reports import Report
from campaigns.transitions import Verb
from campaigns.trial_models import STATE_WORDS
from delivery import return_words
from foundation import errors
from foundation.accounts.models import Role
from foundation.asides import Asking
from foundation.i18n import N_
from foundation.web import beside, kit

_S = CampaignState
GROUPS: Mapping[str, tuple[str, Sequence[CampaignState]]] = {
    "": (N_("All"), ()),
    "coming": (N_("Being made"), (_S.DRAFT, _S.IN_REVIEW, _S.APPROVED, _S.SCHEDULED)),
    "sending": (N_("Being sent"), (_S.SENDING, _S.PAUSED)),
    "over": (N_("Over"), (_S.SENT, _S.CANCELLED)),
}
TONES: Mapping[str, str] = {
    _S.DRAFT: "neutral",
    _S.IN_REVIEW: "warn",
    _S.APPROVED: "good",
    _S.SCHEDULED: "busy",
    _S.SENDING: "busy",
    _S.PAUSED: "warn",
    _S.SENT: "good",
    _S.CANCELLED: "neutral",
}
NEEDS: Mapping[Verb, Role] = {
    **dict.fromkeys(Verb, Role.EDITOR),
    Verb.UPDATE: Role.AUTHOR,
    Verb.REQUEST_REVIEW: Role.AUTHOR,
}
"""Who may take which step."""


def routes() -> list[web.RouteDef]:
    """What is here."""
    return [
        web.get("/staff/campaigns", index),
        web.get("/staff/campaigns/{id}", show),
    ]


@kit.staff(Role.VIEWER)
async def index(request: web.Request) -> web.StreamResponse:
    """`GET /staff/campaigns?group=`: newest first."""
    group = request.query.get("group", "")
    group = group if group in GROUPS else ""
    page = await campaign_views.listed(
        kit.ground(request),
        states=GROUPS[group][1],
        after=staff_forms.after_cursor(request.query),
    )
    more = str(request.rel_url.update_query(after=str(page.next_after))) if page.next_after else ""
    speak = kit.translator(request).gettext
    return kit.render(
        request,
        "campaigns/list.html",
        items=page.items,
        next_url=more,
        tabs=[
            (
                f"/staff/campaigns?group={key}" if key else "/staff/campaigns",
                speak(word),
                key == group,
            )
            for key, (word, _) in GROUPS.items()
        ],
        states=transitions.STATE_WORDS,
        tones=TONES,
        group=group,
        why=lambda each: attention.why(each, kit.translator(request).language),
    )


@kit.staff(Role.VIEWER)
async def show(request: web.Request) -> web.StreamResponse:
    """`GET /staff/campaigns/{id}`: what stands in the way, what can be done, what came of it."""
    return await render_campaign(request)


async def render_campaign(
    request: web.Request, problem: errors.HandbillError | None = None
) -> web.Response:
    """A campaign's page, perhaps with why a step was refused."""
    ground, speaks = kit.ground(request), kit.translator(request)
    number, role = kit.number_in_path(request), kit.signed_in(request).role
    begun = hours = None
    values: dict[str, Any] = {}
    async with ground.db.reading() as session:
        view = await campaign_views.read(session, number)
        campaign = view.campaign
        audience = audiences.parse(campaign.audience)
        if view.dispatch is not None:
            values["alarms"] = await alarms.of_campaign(session, number)
            values["corrections"] = await follow_ups.corrections(session, number)
        elif campaign.state != _S.CANCELLED:
            begun = await check_pages.begin(request, session, number)
            hours = _hours(request, view)
        said = await audience_pages.sentence(request, session, audience)
        trial = await trials.read(session, campaign)
        review = await review_panel_pages.panel(request, session, view)
        corrects = campaign.corrects_id
        corrected = await session.get(Campaign, corrects) if corrects else None
    values |= await _of_state(request, view, begun, said)
    return kit.render(
        request,
        "campaigns/campaign.html",
        status=409 if problem else 200,
        problem=problem.say(speaks) if problem else "",
        view=view,
        campaign=campaign,
        state_word=transitions.STATE_WORDS[CampaignState(campaign.state)],
        tone=TONES[campaign.state],
        may={verb.value for verb in view.verbs if role.may(NEEDS[verb])},
        may_set_visibility=role.may(Role.EDITOR),
        visibilities=campaign_form_pages.visibilities(speaks),
        visibility_words=speaks.gettext(
            archiving.VISIBILITY_WORDS[Visibility(campaign.visibility)]
        ),
        besides=[
            (each.value, speaks.gettext(words))
            for each, words in follow_ups.BESIDES_WORDS.items()
            if each is follow_ups.Besides.NOBODY or view.dispatch is not None
        ],
        may_duplicate=role.may(Role.AUTHOR),
        may_follow_up=view.dispatch is not None and role.may(Role.AUTHOR),
        times=times_of(request, view),
        progress=translating.progress(bulletins.document_of(view.bulletin)),
        is_moving=campaign.state == _S.SENDING,
        audience=said,
        sender=sender(request, view),
        when_uncertain=view.when_uncertain(ground),
        why=lambda each: attention.why(each, speaks.language),
        trial_words=STATE_WORDS,
        may_try=Verb.UPDATE in view.verbs and role.may(NEEDS[Verb.UPDATE]),
        review=review,
        hours=await _known_hours(hours),
        trial=trial,
        corrected=corrected,
        alarm_words=lambda each: alarms.in_words(each).say(speaks),
        **values,
    )


async def _of_state(
    request: web.Request, view: View, begun: check_pages.Begun | None, said: str
) -> dict[str, Any]:
    """What came of it, or what stands in its way, by how far it is."""
    ground, number = kit.ground(request), view.campaign.id
    if view.dispatch is not None:
        found = await reports.report(ground, campaign_id=number)
        told = await live_pages.told(request, number)
        return {**_NOT_COUNTED, **report_values(request, found), "told": told}
    nothing = {**report_values(request, None), "alarms": [], "corrections": []}
    if begun is None:
        return {**nothing, **_NOT_COUNTED}
    panel = await check_pages.panel(request, begun)
    audience = audiences.parse(view.campaign.audience)
    return {
        **nothing,
        "panel": panel,
        "is_clear": panel.is_clear,
        **await audience_pages.told(request, audience, begun.counting, sentence=said),
    }


_NOT_COUNTED: Mapping[str, Any] = {
    "counted": None,
    "is_being_counted": False,
    "panel": None,
    "is_clear": False,
}
"""Of a campaign that nobody is counted for any more."""


def report_values(request: web.Request, report: Report | None) -> dict[str, Any]:
    """What the part of a page that shows a report needs."""
    speaks, role = kit.translator(request), kit.signed_in(request).role
    return {
        "report": report,
        "here": f"/staff/campaigns/{kit.number_in_path(request)}",
        "exclusions": audiences.EXCLUSIONS,
        "reasons": reasons.WORDS,
        "words": return_words,
        "language_name": lambda code: wording.language_name(code, speaks),
        "machine_rules": report_words.rules(
            report.machine_rules,
            {HitKind.OPEN: report.opens.machine, HitKind.CLICK: report.clicks.machine},
            speaks,
        )
        if report
        else [],
        "may_retry": role.may(NEEDS[Verb.RETRY]),
        "few": outcomes.FEW,
    }


def _hours(request: web.Request, view: View) -> Asking[list[reader_time.Hour]] | None:
    """Begin to count when readers get it where they live; None where all get it at one time."""
    campaign, ground = view.campaign, kit.ground(request)
    if not campaign.at_readers_time or campaign.state != CampaignState.SCHEDULED:
        return None

    async def hours(session: AsyncSession) -> list[reader_time.Hour]:
        return await reader_time.hours(
            ground, session, campaign, view.bulletin,
            local=campaign.scheduled_local, zone=campaign.scheduled_zone,
        )  # fmt: skip

    return beside.begin(request, "hours", (campaign.id, campaign.version), hours)


async def _known_hours(asking: Asking[list[reader_time.Hour]] | None) -> list[reader_time.Hour]:
    """Those hours; empty where there are none, or they are not known yet."""
    try:
        return (await asking.answer() or []) if asking is not None else []
    except errors.Invalid:
        return []  # of a topic that is not there any more; the list before sending says so


def times_of(request: web.Request, view: View) -> list[tuple[str, str]]:
    """When a scheduled campaign starts: zone → local time, its own first, then the site's."""
    moment, site = view.campaign.scheduled_at, kit.ground(request).settings.site
    if moment is None:
        return []
    zones = dict.fromkeys((view.campaign.scheduled_zone or site.zone, site.zone))
    return [(zone, schedules.in_words(moment, zone, kit.translator(request))) for zone in zones]


def sender(request: web.Request, view: View) -> str:
    """From whom it comes, as inboxes show it."""
    settings, kept = kit.ground(request).settings, view.campaign
    name = kept.from_name or settings.from_name
    return f"{name} <{kept.from_address or settings.mail.from_address}>"
