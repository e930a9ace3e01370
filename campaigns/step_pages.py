"""What staff do to a campaign, step by step: review, approve, schedule, send, pause, cancel.

Each step is a button of its own; the page before sending and scheduling stands in `before_pages`.
"""

from collections.abc import Awaitable, Callable

from aiohttp import web

from campaigns import (
    alarms,
    alert_release,
    archiving,
    campaign_form_pages,
    campaign_pages,
    campaign_views,
    follow_ups,
    lifecycle,
)
from campaigns.preflight import overriding
from campaigns.transitions import Verb
from foundation import errors
from foundation.accounts.models import Role
from foundation.i18n import N_
from foundation.web import forms, kit

_SAID = {
    Verb.REQUEST_REVIEW: N_("An editor can approve it now."),
    Verb.APPROVE: N_("Approved. It can be scheduled or sent."),
    Verb.SEND_BACK: N_("It is a draft again."),
    Verb.UNSCHEDULE: N_("It does not start by itself any more."),
    Verb.PAUSE: N_("Paused. Who has it, has it; everybody else waits."),
    Verb.RESUME: N_("Sending goes on."),
    Verb.CANCEL: N_("Cancelled. Nobody else gets it."),
}


def routes() -> list[web.RouteDef]:
    """What is here."""
    one = "/staff/campaigns/{id}"
    return [
        web.post(f"{one}/start", start),
        web.post(f"{one}/undo", undo),
        web.post(f"{one}/override", override),
        web.post(f"{one}/request-review", request_review),
        web.post(f"{one}/approve", approve),
        web.post(f"{one}/send-back", send_back),
        web.post(f"{one}/unschedule", unschedule),
        web.post(f"{one}/pause", pause),
        web.post(f"{one}/resume", resume),
        web.post(f"{one}/acknowledge", acknowledge),
        web.post(f"{one}/cancel", cancel),
        web.post(f"{one}/visibility", set_visibility),
        web.post(f"{one}/correct", correct),
        web.post(f"{one}/send-to-others", send_to_others),
    ]


@kit.staff(Role.EDITOR)
async def start(request: web.Request) -> web.StreamResponse:
    """`POST …/start`: sending begins when the undo window is over, or now where there is none."""
    await forms.read(request)
    ground, speaks = kit.ground(request), kit.translator(request)
    number = kit.number_in_path(request)
    view = await campaign_views.show(ground, campaign_id=number)
    if alert_release.takes_two(ground, view.bulletin):
        return kit.redirect(request, f"/staff/campaigns/{number}/release")
    window_s = ground.settings.release.undo_s
    act = lifecycle.start_soon if window_s else lifecycle.start
    try:
        await act(ground, actor=kit.actor(request), campaign_id=number)
    except (errors.Refused, errors.Conflict, errors.Invalid) as problem:
        return await campaign_pages.render_campaign(request, problem)
    words = speaks.gettext(N_("Sending has begun."))
    if window_s:
        words = speaks.gettext(N_("It goes out in a moment. Until then you can undo it."))
    return kit.redirect(request, f"/staff/campaigns/{number}", flash=words)


@kit.staff(Role.EDITOR)
async def undo(request: web.Request) -> web.StreamResponse:
    """`POST …/undo`: a start that was pressed a moment ago, or one that is about to come by itself.

    Who comes too late is told so; then it can be paused or cancelled.
    """
    await forms.read(request)
    number = kit.number_in_path(request)
    try:
        await lifecycle.unschedule(
            kit.ground(request), actor=kit.actor(request), campaign_id=number
        )
    except (errors.Refused, errors.Conflict):
        late = errors.Conflict(
            N_("It was too late to undo it: see below how far it is. You can pause or cancel it.")
        )
        return await campaign_pages.render_campaign(request, late)
    words = kit.translator(request).gettext(
        N_("Undone: nothing was sent. It is approved, as it was before.")
    )
    return kit.redirect(request, f"/staff/campaigns/{number}", flash=words)


@kit.staff(Role.OWNER)
async def override(request: web.Request) -> web.StreamResponse:
    """`POST …/override`: let it go out in spite of what is red, with a reason for the log."""
    form = await forms.read(request)
    number = kit.number_in_path(request)
    try:
        reason = form.line("why", limit=overriding.LONGEST)
        form.check()
        await overriding.override(
            kit.ground(request), actor=kit.actor(request), campaign_id=number, reason=reason
        )
    except (errors.Invalid, errors.Refused) as problem:
        return await campaign_pages.render_campaign(request, problem)
    words = kit.translator(request).gettext(
        N_("It can go out as it is. A change of the bulletin takes this back.")
    )
    return kit.redirect(request, f"/staff/campaigns/{number}", flash=words)


@kit.staff(Role.AUTHOR)
async def request_review(request: web.Request) -> web.StreamResponse:
    """`POST …/request-review`: perhaps to one editor, with a word."""
    form = await forms.read(request)
    number = kit.number_in_path(request)
    try:
        note, editor = form.text("note", limit=500), form.number("editor")
        form.check()
        await lifecycle.request_review(
            kit.ground(request),
            actor=kit.actor(request),
            campaign_id=number,
            note=note,
            editor_id=editor,
        )
    except (errors.Refused, errors.Conflict, errors.Invalid) as problem:
        return await campaign_pages.render_campaign(request, problem)
    words = kit.translator(request).gettext(_SAID[Verb.REQUEST_REVIEW])
    return kit.redirect(request, f"/staff/campaigns/{number}", flash=words)


@kit.staff(Role.EDITOR)
async def approve(request: web.Request) -> web.StreamResponse:
    """`POST …/approve`: as the only one, or as one of several."""
    await forms.read(request)
    number, speaks = kit.number_in_path(request), kit.translator(request)
    try:
        reached = await lifecycle.approve(
            kit.ground(request), actor=kit.actor(request), campaign_id=number
        )
    except (errors.Refused, errors.Conflict, errors.Invalid) as problem:
        return await campaign_pages.render_campaign(request, problem)
    words = speaks.gettext(_SAID[Verb.APPROVE])
    if reached.missing:
        words = speaks.ngettext(
            "Your approval is kept. %(num)s more person has to approve it.",
            "Your approval is kept. %(num)s more people have to approve it.",
            reached.missing,
        ) % {"num": reached.missing}
    return kit.redirect(request, f"/staff/campaigns/{number}", flash=words)


@kit.staff(Role.EDITOR)
async def send_back(request: web.Request) -> web.StreamResponse:
    """`POST …/send-back`: with a reason for the author."""
    return await _step(request, Verb.SEND_BACK, lifecycle.send_back, takes_reason=True)


@kit.staff(Role.EDITOR)
async def unschedule(request: web.Request) -> web.StreamResponse:
    """`POST …/unschedule`."""
    return await _step(request, Verb.UNSCHEDULE, lifecycle.unschedule)


@kit.staff(Role.EDITOR)
async def pause(request: web.Request) -> web.StreamResponse:
    """`POST …/pause`: with a reason, if there is one."""
    return await _step(request, Verb.PAUSE, lifecycle.pause, takes_reason=True)


@kit.staff(Role.EDITOR)
async def resume(request: web.Request) -> web.StreamResponse:
    """`POST …/resume`: after an alarm, only if its box is ticked."""
    form = await forms.read(request)
    number = kit.number_in_path(request)
    try:
        await lifecycle.resume(
            kit.ground(request),
            actor=kit.actor(request),
            campaign_id=number,
            is_acknowledged=form.flag("acknowledge"),
        )
    except (errors.Refused, errors.Conflict) as problem:
        return await campaign_pages.render_campaign(request, problem)
    words = kit.translator(request).gettext(_SAID[Verb.RESUME])
    return kit.redirect(request, f"/staff/campaigns/{number}", flash=words)


@kit.staff(Role.EDITOR)
async def acknowledge(request: web.Request) -> web.StreamResponse:
    """`POST …/acknowledge`: somebody has seen that too much came back."""
    await forms.read(request)
    number = kit.number_in_path(request)
    await alarms.acknowledge(kit.ground(request), actor=kit.actor(request), campaign_id=number)
    return kit.redirect(request, f"/staff/campaigns/{number}")


@kit.staff(Role.EDITOR)
async def cancel(request: web.Request) -> web.StreamResponse:
    """`POST …/cancel`."""
    return await _step(request, Verb.CANCEL, lifecycle.cancel)


@kit.staff(Role.EDITOR)
async def set_visibility(request: web.Request) -> web.StreamResponse:
    """`POST …/visibility`: who can read it from now on, also after it went out."""
    form = await forms.read(request)
    number = kit.number_in_path(request)
    await archiving.set_visibility(
        kit.ground(request),
        actor=kit.actor(request),
        campaign_id=number,
        visibility=campaign_form_pages.visibility(form),
    )
    words = kit.translator(request).gettext(N_("Saved."))
    return kit.redirect(request, f"/staff/campaigns/{number}", flash=words)


@kit.staff(Role.AUTHOR)
async def correct(request: web.Request) -> web.StreamResponse:
    """`POST …/correct`: a draft for everybody who has it; first its bulletin is written."""
    await forms.read(request)
    number = kit.number_in_path(request)
    try:
        made = await follow_ups.correct(
            kit.ground(request), actor=kit.actor(request), campaign_id=number
        )
    except errors.Refused as problem:
        return await campaign_pages.render_campaign(request, problem)
    words = kit.translator(request).gettext(
        N_("Write what was wrong and what is right. The campaign for it is made already.")
    )
    return kit.redirect(request, f"/staff/bulletins/{made.bulletin_id}", flash=words)


@kit.staff(Role.AUTHOR)
async def send_to_others(request: web.Request) -> web.StreamResponse:
    """`POST …/send-to-others`: a draft of the same for those whom it did not reach."""
    await forms.read(request)
    number = kit.number_in_path(request)
    try:
        made = await follow_ups.send_to_others(
            kit.ground(request), actor=kit.actor(request), campaign_id=number
        )
    except errors.Refused as problem:
        return await campaign_pages.render_campaign(request, problem)
    return kit.redirect(request, f"/staff/campaigns/{made.id}")


async def _step(
    request: web.Request,
    verb: Verb,
    act: Callable[..., Awaitable[object]],
    *,
    takes_reason: bool = False,
) -> web.StreamResponse:
    """Take a step and show the campaign, with a word on it or with why it was refused."""
    form = await forms.read(request)
    number = kit.number_in_path(request)
    more = {"reason": form.line("reason", limit=500)} if takes_reason else {}
    try:
        form.check()
        await act(kit.ground(request), actor=kit.actor(request), campaign_id=number, **more)
    except (errors.Refused, errors.Conflict, errors.Invalid) as problem:
        return await campaign_pages.render_campaign(request, problem)
    words = kit.translator(request).gettext(_SAID[verb])
    return kit.redirect(request, f"/staff/campaigns/{number}", flash=words)
