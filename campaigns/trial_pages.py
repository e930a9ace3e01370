"""Staff's page of a campaign's trial: plan it, see how it stands, choose (`…/trial`)."""

from typing import Any

from aiohttp import web

from campaigns import (
    block_forms,
    bulletins,
    campaign_views,
    composer,
    staff_forms,
    trial_plans,
    trials,
    wording,
)
from campaigns.campaign_views import View
from campaigns.documents import Document
from campaigns.transitions import Verb
from campaigns.trial_figures import FORMS
from campaigns.trial_models import STATE_WORDS
from campaigns.trial_plans import Chooser, Plan, What, WhenUnclear
from delivery.models import Variant
from foundation import errors
from foundation.accounts.models import Role
from foundation.audit import SYSTEM
from foundation.i18n import N_
from foundation.web import forms, kit
from foundation.web.forms import Form

WHAT_WORDS = {
    What.SUBJECT: N_("The subject"),
    What.SENDER: N_("The sender's name"),
    What.BLOCK: N_("A block"),
}
CHOOSER_WORDS = {
    Chooser.CLICKS: N_("The form that more people clicked in, by itself"),
    Chooser.HAND: N_("One of the staff"),
}
UNCLEAR_WORDS = {
    WhenUnclear.HAND: N_("One of the staff chooses"),
    WhenUnclear.FIRST: N_("All others get A"),
}
WHY_WORDS = {
    trials.Why.BY_CLICKS: N_("It was clearly better."),
    trials.Why.UNCLEAR: N_("There was no clear winner, and A was to go out then."),
    trials.Why.BY_HAND: N_("Chosen by hand."),
}
TONES = {
    "planned": "neutral",
    "running": "busy",
    "waiting": "warn",
    "stopped": "bad",
    "decided": "good",
}
_WORDS_OF_BLOCK = 60


def routes() -> list[web.RouteDef]:
    """What is here."""
    one = "/staff/campaigns/{id}/trial"
    return [
        web.get(one, show),
        web.post(one, save),
        web.post(f"{one}/drop", drop),
        web.post(f"{one}/choose", choose),
    ]


@kit.staff(Role.VIEWER)
async def show(request: web.Request) -> web.StreamResponse:
    """`GET …/trial`: what is tried, how it stands, and the choice."""
    return await _page(request)


@kit.staff(Role.AUTHOR)
async def save(request: web.Request) -> web.StreamResponse:
    """`POST …/trial`: try two forms when the campaign starts."""
    form = await forms.read(request)
    number = kit.number_in_path(request)
    try:
        await trials.plan(
            kit.ground(request), actor=kit.actor(request), campaign_id=number, wanted=_read(form)
        )
    except (errors.Invalid, errors.Refused) as problem:
        return await _page(request, form, problem)
    return _back(request, N_("Planned. It is part of what is approved."))


@kit.staff(Role.AUTHOR)
async def drop(request: web.Request) -> web.StreamResponse:
    """`POST …/trial/drop`: send it in one form after all."""
    await forms.read(request)
    try:
        await trials.drop(
            kit.ground(request),
            actor=kit.actor(request),
            campaign_id=kit.number_in_path(request),
        )
    except errors.Refused as problem:
        return await _page(request, None, problem)
    return _back(request, N_("It goes out in one form."))


@kit.staff(Role.EDITOR)
async def choose(request: web.Request) -> web.StreamResponse:
    """`POST …/trial/choose`: all others get this form."""
    form = await forms.read(request)
    wished = form.line("form", limit=2)
    if wished not in set(FORMS):
        raise errors.Invalid(N_("Choose A or B."))
    try:
        people = await trials.decide(
            kit.ground(request),
            actor=kit.actor(request),
            campaign_id=kit.number_in_path(request),
            winner=Variant(wished),
        )
    except (errors.Refused, errors.NotFound) as problem:
        return await _page(request, None, problem)
    speaks = kit.translator(request)
    said = speaks.ngettext(
        "Form %(form)s goes to %(count)s more person.",
        "Form %(form)s goes to %(count)s more people.",
        people,
    )
    words = said % {"form": wished.upper(), "count": people}
    return kit.redirect(
        request, f"/staff/campaigns/{kit.number_in_path(request)}/trial", flash=words
    )


def _read(form: Form) -> Plan:
    """What was typed. Raises `errors.Invalid` by field."""
    percent, hours = form.number("percent", default=20), form.number("hours", default=24)
    values: dict[str, Any] = {
        "what": form.line("what", limit=20),
        "subjects": {
            name.removeprefix("subject-"): form.line(name, limit=200)
            for name in form.values
            if name.startswith("subject-") and form.line(name, limit=200)
        },
        "from_name": form.line("from_name", limit=200),
        "block_a": form.line("block_a", limit=20),
        "block_b": form.line("block_b", limit=20),
        "percent": percent,
        "hours": hours,
        "chooser": form.line("chooser", limit=20),
        "when_unclear": form.line("when_unclear", limit=20),
    }
    form.check()
    try:
        return trial_plans.parse(values)
    except errors.Invalid as problem:
        raise errors.Invalid(
            N_("Something needs to be mended before this can be kept."),
            fields={_field(place): said for place, said in problem.fields.items()},
        ) from problem


def _field(place: str) -> str:
    """`subjects.es` → `subject-es`; what is wrong with the whole stands at its first field."""
    name, _, code = place.partition(".")
    if name == "subjects":
        return f"subject-{code}" if code else "what"
    return "what" if name in ("document", "") else name


async def _page(
    request: web.Request, form: Form | None = None, problem: errors.HandbillError | None = None
) -> web.Response:
    ground, speaks = kit.ground(request), kit.translator(request)
    view = await campaign_views.show(ground, campaign_id=kit.number_in_path(request))
    found = await trials.show(ground, campaign_id=view.campaign.id)
    role = kit.signed_in(request).role
    document = bulletins.document_of(view.bulletin)
    is_refused = isinstance(problem, errors.Refused)
    return kit.render(
        request,
        "campaigns/trial.html",
        status=409 if is_refused else 422 if problem else 200,
        view=view,
        found=found,
        state_word=STATE_WORDS[found.state] if found else "",
        tone=TONES[found.state] if found else "",
        why=WHY_WORDS.get(trials.Why(found.trial.reason)) if found and found.trial.reason else "",
        is_by_itself=found is not None and found.trial.decided_by == SYSTEM.label,
        called=trials.CALL_WORDS.get(trials.Why(found.trial.reason))
        if found and found.trial.reason
        else "",
        words=_words(request, view, found.plan) if found else {},
        values=staff_forms.typed(form) if form else _kept(found.plan if found else None),
        problems=staff_forms.say(request, problem) if problem and not is_refused else {},
        refused=problem.say(speaks) if problem and is_refused else "",
        offered=[
            (code, wording.language_name(code, speaks), document.editions[code].subject)
            for code in document.languages
        ],
        blocks=_blocks(request, document),
        what=_named(request, WHAT_WORDS),
        chooser=_named(request, CHOOSER_WORDS),
        when_unclear=_named(request, UNCLEAR_WORDS),
        sender=view.campaign.from_name or ground.settings.from_name,
        may_plan=Verb.UPDATE in view.verbs and role.may(Role.AUTHOR),
        may_choose=found is not None and found.may_be_decided and role.may(Role.EDITOR),
    )


def _words(request: web.Request, view: View, plan: Plan) -> dict[str, list[tuple[str, str]]]:
    """What each form has: language, blank for all of them, and words."""
    document = bulletins.document_of(view.bulletin)
    if plan.what is What.SUBJECT:
        return {
            "a": [(code, document.editions[code].subject) for code in document.languages],
            "b": [(code, plan.subjects.get(code, "")) for code in document.languages],
        }
    if plan.what is What.SENDER:
        name = view.campaign.from_name or kit.ground(request).settings.from_name
        return {"a": [("", name)], "b": [("", plan.from_name)]}
    named = dict(_blocks(request, document))
    return {
        "a": [("", named.get(plan.block_a, plan.block_a))],
        "b": [("", named.get(plan.block_b, plan.block_b))],
    }


def _blocks(request: web.Request, document: Document) -> list[tuple[str, str]]:
    """The bulletin's blocks to choose from: number, kind, and how they begin."""
    speaks = kit.translator(request)
    return [
        (
            block.id,
            f"{number}. {speaks.gettext(block_forms.FORMS[block.kind].label)} "
            f"{composer.excerpt(block, document.languages[0])[:_WORDS_OF_BLOCK]}".strip(),
        )
        for number, block in enumerate(document.blocks, start=1)
        if document.languages
    ]


def _kept(plan: Plan | None) -> dict[str, str]:
    if plan is None:
        return {
            "what": What.SUBJECT.value,
            "percent": "20",
            "hours": "24",
            "chooser": Chooser.CLICKS.value,
            "when_unclear": WhenUnclear.HAND.value,
        }
    kept = plan.model_dump(mode="json", exclude={"subjects"})
    values = {name: str(value) for name, value in kept.items()}
    return values | {f"subject-{code}": text for code, text in plan.subjects.items()}


def _named(request: web.Request, words: Any) -> list[tuple[str, str]]:
    """Choices with their words in the reader's language."""
    speak = kit.translator(request).gettext
    return [(value.value, speak(word)) for value, word in words.items()]


def _back(request: web.Request, msgid: str) -> web.StreamResponse:
    number = kit.number_in_path(request)
    words = kit.translator(request).gettext(msgid)
    return kit.redirect(request, f"/staff/campaigns/{number}", flash=words)
