"""Staff's page of those to whom a campaign did not simply go out, or whose mail came back."""

from collections.abc import Mapping

from aiohttp import web

from campaigns import campaign_pages, reasons, recipients, retrying, staff_forms, transitions
from campaigns.models import CampaignState
from campaigns.recipients import Page
from campaigns.transitions import TRANSITIONS, Verb
from delivery import listing, return_words
from delivery.listing import CameBack, Choice
from delivery.models import BounceKind, DeliveryState, WhenUncertain
from foundation import errors
from foundation.accounts.models import Role
from foundation.i18n import N_
from foundation.web import forms, kit
from foundation.web.forms import Form

STATE_WORDS: Mapping[DeliveryState, str] = {
    DeliveryState.FAILED: N_("Failed"),
    DeliveryState.DEFERRED: N_("Put off"),
    DeliveryState.UNCERTAIN: N_("Uncertain"),
    DeliveryState.CANCELLED: N_("Not sent"),
    DeliveryState.SENT: N_("Came back"),
}


def routes() -> list[web.RouteDef]:
    """What is here."""
    one = "/staff/campaigns/{id}"
    return [
        web.get(f"{one}/recipients", index),
        web.post(f"{one}/recipients/retry", retry),
        web.post(f"{one}/recipients/give-up", give_up),
        web.post(f"{one}/recipients/export", export),
        web.post(f"{one}/decide-uncertain", decide_uncertain),
    ]


@kit.staff(Role.VIEWER)
async def index(request: web.Request) -> web.StreamResponse:
    """`GET …/recipients?state=&reason=&code=`: who, and why; `?state=sent&kind=`: came back."""
    return await _page(request, _choice(request.query))


@kit.staff(Role.EDITOR)
async def retry(request: web.Request) -> web.StreamResponse:
    """`POST …/recipients/retry`: those who are ticked, or all who are meant."""
    form = await forms.read(request)
    choice = _choice(form.values)
    try:
        done = await retrying.retry(
            kit.ground(request),
            actor=kit.actor(request),
            campaign_id=kit.number_in_path(request),
            choice=_ticked(form, choice),
        )
    except (errors.Invalid, errors.Refused, errors.Conflict) as problem:
        return await _page(request, choice, problem)
    speaks = kit.translator(request)
    words = speaks.ngettext(
        "One is tried again now.", "%(count)s are tried again now.", done.queued
    ) % {"count": speaks.number(done.queued)}
    if done.withheld:
        words += " " + speaks.ngettext(
            "One may not be mailed any more, and is left alone.",
            "%(count)s may not be mailed any more, and are left alone.",
            done.withheld,
        ) % {"count": speaks.number(done.withheld)}
    return kit.redirect(request, _campaign_path(request), flash=words)


@kit.staff(Role.EDITOR)
async def give_up(request: web.Request) -> web.StreamResponse:
    """`POST …/recipients/give-up`: those who are ticked, or all who are meant."""
    form = await forms.read(request)
    choice = _choice(form.values)
    try:
        count = await retrying.give_up(
            kit.ground(request),
            actor=kit.actor(request),
            campaign_id=kit.number_in_path(request),
            choice=_ticked(form, choice),
        )
    except (errors.Invalid, errors.Refused, errors.Conflict) as problem:
        return await _page(request, choice, problem)
    speaks = kit.translator(request)
    words = speaks.ngettext(
        "One is not tried any more.", "%(count)s are not tried any more.", count
    ) % {"count": speaks.number(count)}
    return kit.redirect(request, _campaign_path(request), flash=words)


@kit.staff(Role.EDITOR)
async def export(request: web.Request) -> web.StreamResponse:
    """`POST …/recipients/export`: all who are meant as a CSV file, streamed page by page."""
    ground, number = kit.ground(request), kit.number_in_path(request)
    choice = _choice((await forms.read(request)).values)
    choice = choice or Choice(state=DeliveryState.FAILED)
    pieces = recipients.chunks(ground, campaign_id=number, choice=choice)
    first = await anext(pieces)
    await recipients.note_export(
        ground, actor=kit.actor(request), campaign_id=number, choice=choice
    )
    of = choice.state.value if choice.came_back is None else "came-back"
    return await kit.csv_file(request, first, pieces, name=f"campaign-{number}-{of}.csv")


@kit.staff(Role.EDITOR)
async def decide_uncertain(request: web.Request) -> web.StreamResponse:
    """`POST …/decide-uncertain`: whether they wait for staff, or get it again by themselves."""
    form = await forms.read(request)
    chosen = form.line("when_uncertain")
    if chosen not in set(WhenUncertain):
        raise errors.Invalid(N_("Choose one of the two."))
    try:
        await retrying.decide_uncertain(
            kit.ground(request),
            actor=kit.actor(request),
            campaign_id=kit.number_in_path(request),
            when_uncertain=WhenUncertain(chosen),
        )
    except (errors.Refused, errors.Conflict) as problem:
        return await campaign_pages.render_campaign(request, problem)
    words = kit.translator(request).gettext(N_("Saved."))
    return kit.redirect(request, _campaign_path(request), flash=words)


async def _page(
    request: web.Request, choice: Choice | None, problem: errors.HandbillError | None = None
) -> web.Response:
    speaks, role = kit.translator(request), kit.signed_in(request).role
    found = await recipients.page(
        kit.ground(request),
        campaign_id=kit.number_in_path(request),
        choice=choice,
        after=staff_forms.after_cursor(request.query),
    )
    more = request.rel_url.update_query(after=str(found.next_after)) if found.next_after else ""
    state = CampaignState(found.campaign.state)
    return kit.render(
        request,
        "campaigns/recipients.html",
        status=409 if problem else 200,
        problem=problem.say(speaks) if problem else "",
        campaign=found.campaign,
        found=found,
        meant=found.count(found.choice),
        groups=[each for each in found.groups if each.state == found.choice.state]
        if found.choice.came_back is None
        else found.returned,
        tabs=_tabs(request, found),
        next_url=str(more),
        why=lambda reason: reasons.say(reason, speaks),
        back=lambda kind, reason: return_words.summed_up(kind, reason, speaks),
        may={
            verb.value
            for verb in (Verb.RETRY, Verb.GIVE_UP)
            if state in TRANSITIONS[verb] and role.may(campaign_pages.NEEDS[verb])
        },
        state_word=transitions.STATE_WORDS[state],
        tone=campaign_pages.TONES[state],
    )


def _tabs(request: web.Request, found: Page) -> list[tuple[str, str, bool]]:
    speaks = kit.translator(request)
    tabs = []
    for state in (*listing.ODD, DeliveryState.SENT):
        back = CameBack() if state is DeliveryState.SENT else None
        count = speaks.number(found.count(Choice(state=state, came_back=back)))
        url = f"{request.path}?state={state.value}"
        label = f"{speaks.gettext(STATE_WORDS[state])} ({count})"
        tabs.append((url, label, state is found.choice.state))
    return tabs


def _choice(values: Mapping[str, str]) -> Choice | None:
    """Who is meant, as addresses and forms say it; None where no state is named."""
    state, code = values.get("state", ""), values.get("code", "")
    if state == DeliveryState.SENT:
        kind = values.get("kind", "")
        back = CameBack(
            kind=BounceKind(kind) if kind in set(listing.CAME_BACK) else None,
            reason=values.get("reason"),
        )
        return Choice(state=DeliveryState.SENT, came_back=back)
    if state not in set(listing.ODD):
        return None
    return Choice(
        state=DeliveryState(state),
        reason=values.get("reason") or None,
        reply_code=int(code) if code.isascii() and code.isdigit() and len(code) < 4 else None,
    )


def _ticked(form: Form, choice: Choice | None) -> Choice:
    """The choice, narrowed to who is ticked unless all are wanted. Raises `errors.Invalid`."""
    if choice is None:
        raise errors.Invalid(N_("Say who is meant."))
    if form.line("whom") == "all":
        return choice
    numbers = [int(each) for each in form.lines("delivery", limit=recipients.PAGE)
               if each.isascii() and each.isdigit() and len(each) < 18]  # fmt: skip
    if not numbers:
        raise errors.Invalid(N_("Tick somebody first."))
    return Choice(state=choice.state, ids=numbers)


def _campaign_path(request: web.Request) -> str:
    return f"/staff/campaigns/{kit.number_in_path(request)}"
