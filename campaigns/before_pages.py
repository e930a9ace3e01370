"""The page before a campaign is sent or scheduled: everything that will happen, in words.

Who gets it and who does not, when, from whom, what inboxes show, what is not settled, and the mails
themselves; then one button.
"""

from typing import Any

from aiohttp import web

from campaigns import (
    alert_release,
    archiving,
    audience_pages,
    audiences,
    bulletins,
    campaign_pages,
    campaign_views,
    check_pages,
    lifecycle,
    review_panel_pages,
    staff_forms,
    trials,
    wording,
)
from campaigns import schedule as schedules
from campaigns.campaign_views import View
from campaigns.models import Visibility
from campaigns.review_panel_pages import Panel as Review
from campaigns.transitions import Verb
from foundation import errors
from foundation.accounts.models import Role
from foundation.frozen import frozen
from foundation.i18n import N_
from foundation.web import forms, kit
from foundation.web.forms import Form


@frozen
class Before:
    """Everything that is said before it goes out."""

    review: Review
    sender: str
    reply_to: str
    relay: str
    """Blank: chosen by sender."""
    visibility: str
    trial_percent: int
    """How many of a hundred get one of two forms first; 0 where there is one form."""
    undo_s: int


def routes() -> list[web.RouteDef]:
    """What is here."""
    one = "/staff/campaigns/{id}"
    return [
        web.get(f"{one}/schedule", ask_schedule),
        web.post(f"{one}/schedule", schedule),
        web.get(f"{one}/start", ask_start),
    ]


async def before(request: web.Request, view: View) -> dict[str, Any]:
    """What `campaigns/_before.html` needs: what will happen when it goes out as it stands."""
    ground, speaks = kit.ground(request), kit.translator(request)
    campaign = view.campaign
    audience = audiences.parse(campaign.audience)
    async with ground.db.reading() as session:
        begun = await check_pages.begin(request, session, campaign.id)
        trial = await trials.read(session, campaign)
        review = await review_panel_pages.panel(request, session, view)
        said = await audience_pages.sentence(request, session, audience)
    visibility = archiving.VISIBILITY_WORDS[Visibility(campaign.visibility)]
    return {
        "before": Before(
            review=review,
            sender=campaign_pages.sender(request, view),
            reply_to=campaign.reply_to or ground.settings.mail.reply_to,
            relay=campaign.relay,
            visibility=speaks.gettext(visibility),
            trial_percent=trial.plan.percent if trial else 0,
            undo_s=ground.settings.release.undo_s,
        ),
        "panel": await check_pages.panel(request, begun),
        "document": bulletins.document_of(view.bulletin),
        "bulletin": view.bulletin,
        "language_name": lambda code: wording.language_name(code, speaks),
        **await audience_pages.told(request, audience, begun.counting, sentence=said),
    }


@kit.staff(Role.EDITOR)
async def ask_schedule(request: web.Request) -> web.StreamResponse:
    """`GET …/schedule`: which local time, in which zone."""
    return await _schedule_page(request)


@kit.staff(Role.EDITOR)
async def schedule(request: web.Request) -> web.StreamResponse:
    """`POST …/schedule`: asks which one is meant when the clocks show the time twice."""
    form = await forms.read(request)
    number = kit.number_in_path(request)
    at, zone = form.line("at", limit=30), form.line("zone", limit=60)
    fold = form.number("fold")
    try:
        form.check()
        if fold is None and schedules.is_repeated(at, zone):
            return await _schedule_page(request, form, is_repeated=True)
        await lifecycle.schedule(
            kit.ground(request),
            actor=kit.actor(request),
            campaign_id=number,
            at=at,
            zone=zone,
            fold=1 if fold else 0,
            at_readers_time=form.flag("at_readers_time"),
        )
    except errors.Invalid as problem:
        return await _schedule_page(request, form, problem)
    except (errors.Refused, errors.Conflict) as problem:
        return await campaign_pages.render_campaign(request, problem)
    return kit.redirect(request, f"/staff/campaigns/{number}")


@kit.staff(Role.EDITOR)
async def ask_start(request: web.Request) -> web.StreamResponse:
    """`GET …/start`: everything in words, then one button."""
    ground = kit.ground(request)
    view = await campaign_views.show(ground, campaign_id=kit.number_in_path(request))
    if alert_release.takes_two(ground, view.bulletin):
        return kit.redirect(request, f"/staff/campaigns/{view.campaign.id}/release")
    if Verb.START not in view.verbs:
        return kit.redirect(request, f"/staff/campaigns/{view.campaign.id}")
    return kit.render(
        request,
        "campaigns/start.html",
        campaign=view.campaign,
        **await before(request, view),
    )


async def _schedule_page(
    request: web.Request,
    form: Form | None = None,
    problem: errors.Invalid | None = None,
    *,
    is_repeated: bool = False,
) -> web.Response:
    ground, site = kit.ground(request), kit.ground(request).settings.site
    view = await campaign_views.show(ground, campaign_id=kit.number_in_path(request))
    if Verb.SCHEDULE not in view.verbs:
        refused = errors.Refused(N_("Only what is approved can be scheduled."))
        return await campaign_pages.render_campaign(request, refused)
    zone = view.campaign.scheduled_zone or site.zone
    values = {
        "at": view.campaign.scheduled_local,
        "zone": zone,
        "fold": "",
        "at_readers_time": "1" if view.campaign.at_readers_time else "",
    }
    return kit.render(
        request,
        "campaigns/schedule.html",
        status=422 if problem or is_repeated else 200,
        campaign=view.campaign,
        values={**values, **staff_forms.typed(form)} if form else values,
        zones=schedules.offered(site.zone, zone),
        soonest=schedules.local_text(ground.clock.now(), site.zone),
        is_repeated=is_repeated,
        **await before(request, view),
        late_hours=ground.settings.delivery.late_start_hours,
        problems=staff_forms.say(request, problem) if problem else {},
    )
