"""Staff's pages about the welcome (`/staff/welcome`): of each topic, its steps, what came of it."""

from typing import Any

from aiohttp import web

from campaigns import (
    archive,
    archive_pages,
    bulletins,
    issue_page,
    issues,
    materials,
    preview_pages,
    reasons,
    staff_forms,
    welcome,
    welcome_recipients,
    welcome_reports,
    welcome_words,
    wording,
)
from campaigns.staff_forms import FieldSpec, Widget
from campaigns.welcome import StepDraft, View
from campaigns.welcome_content import Ready
from campaigns.welcome_models import StepKind, WelcomeStep
from delivery import testmail
from delivery.history import STATES
from delivery.models import DeliveryState
from foundation import errors
from foundation.accounts.models import Role
from foundation.i18n import N_
from foundation.web import forms, kit
from foundation.web.forms import Form
from subscribers import topics
from subscribers.models import Topic
from templates.plan import Plan

_SPECS = (
    FieldSpec(name="subject", label=N_("Subject"), hint=N_("Empty: words of ours")),
    FieldSpec(
        name="lead",
        label=N_("First words"),
        hint=N_("Empty: the summary of the issue, or nothing above a handout"),
        widget=Widget.AREA,
    ),
)
_AGAIN = (DeliveryState.UNCERTAIN, DeliveryState.FAILED, DeliveryState.DEFERRED)
_BULLETINS = 100
"""The newest, among which a step's can be chosen."""
_LONGEST_NUMBER = 16
_FIRST = {"days": "1", "hour": "9"}


def routes() -> list[web.RouteDef]:
    """What is here."""
    one = "/staff/welcome/{topic}"
    step = f"{one}/steps/{{step}}"
    return [
        web.get("/staff/welcome", index),
        web.get("/staff/welcome-mailings/{id}", find_mailing),
        web.get(one, show),
        web.post(f"{one}/switch", switch),
        web.get(f"{one}/steps/new", ask),
        web.post(f"{one}/steps/new", save),
        web.get(step, show_step),
        web.get(f"{step}/edit", ask),
        web.post(f"{step}/edit", save),
        web.post(f"{step}/remove", remove),
        web.get(f"{step}/mail", show_mail),
        web.post(f"{step}/test", send_test),
        web.post(f"{step}/again", send_again),
    ]


@kit.staff(Role.VIEWER)
async def index(request: web.Request) -> web.StreamResponse:
    """`GET /staff/welcome`: every topic, and whether new people on it are welcomed."""
    lines = await welcome.listed(kit.ground(request))
    return kit.render(
        request,
        "campaigns/welcomes.html",
        lines=[
            (each, _name(request, each.topic), _on(request, each.welcome.on_since))
            if each.welcome
            else (each, _name(request, each.topic), "")
            for each in lines
        ],
    )


@kit.staff(Role.VIEWER)
async def find_mailing(request: web.Request) -> web.StreamResponse:
    """`GET /staff/welcome-mailings/{id}`: where lists of mails lead; on to the step's page."""
    number = kit.number_in_path(request)
    return kit.redirect(
        request, await welcome_reports.place_of(kit.ground(request), mailing_id=number)
    )


@kit.staff(Role.VIEWER)
async def show(request: web.Request) -> web.StreamResponse:
    """`GET /staff/welcome/{topic}`: its steps, whether it is on, and what came of it."""
    return await _topic_page(request)


@kit.staff(Role.EDITOR)
async def switch(request: web.Request) -> web.StreamResponse:
    """`POST …/switch`: on in the languages that are ticked, off in others."""
    form = await forms.read(request)
    try:
        await welcome.switch(
            kit.ground(request),
            actor=kit.actor(request),
            topic=_slug(request),
            version=staff_forms.version(form),
            languages=form.lines("languages"),
        )
    except (errors.Refused, errors.Conflict) as problem:
        return await _topic_page(request, problem)
    return _back(request, N_("Saved."))


@kit.staff(Role.EDITOR)
async def ask(request: web.Request) -> web.StreamResponse:
    """`GET …/steps/new` and `…/steps/{step}/edit`."""
    return await _form_page(request)


@kit.staff(Role.EDITOR)
async def save(request: web.Request) -> web.StreamResponse:
    """`POST …/steps/new` and `…/steps/{step}/edit`."""
    ground, actor, topic = kit.ground(request), kit.actor(request), _slug(request)
    form = await forms.read(request)
    try:
        draft = _draft(form, ground.catalog.languages)
        version = staff_forms.version(form)
        if "step" in request.match_info:
            await welcome.change_step(
                ground,
                actor=actor,
                topic=topic,
                version=version,
                step_id=kit.number_in_path(request, "step"),
                draft=draft,
            )
        else:
            await welcome.add_step(ground, actor=actor, topic=topic, version=version, draft=draft)
    except (errors.Invalid, errors.Conflict, errors.Refused) as problem:
        return await _form_page(request, form, problem)
    return _back(request, N_("Saved."))


@kit.staff(Role.EDITOR)
async def remove(request: web.Request) -> web.StreamResponse:
    """`POST …/steps/{step}/remove`."""
    form = await forms.read(request)
    try:
        await welcome.remove_step(
            kit.ground(request),
            actor=kit.actor(request),
            topic=_slug(request),
            version=staff_forms.version(form),
            step_id=kit.number_in_path(request, "step"),
        )
    except errors.Conflict as problem:
        return await _topic_page(request, problem)
    return _back(request, N_("The step is removed. What it brought stays in the figures."))


@kit.staff(Role.VIEWER)
async def show_step(request: web.Request) -> web.StreamResponse:
    """`GET …/steps/{step}?language=`: the mail, what came of it, and whom it did not reach."""
    ground, speaks = kit.ground(request), kit.translator(request)
    step, made = await _content(request)
    language = _language(request, made)
    plan = made.plans.get(language)
    figures = await welcome_reports.figures(ground, topic=_slug(request))
    values = _values(request, plan) if plan else {}
    return kit.render(
        request,
        "campaigns/welcome_step.html",
        topic=_slug(request),
        step=step,
        kind=speaks.gettext(welcome_words.KIND_WORDS[StepKind(step.kind)]),
        when=welcome_words.when(step, speaks),
        offered=[
            (
                code,
                wording.language_name(code, speaks),
                str(request.rel_url.with_query(language=code)),
            )
            for code in made.languages
        ],
        language=language,
        subject=plan.subject(values) if plan else "",
        remarks=_remarks(request, made),
        problem=made.problem.say(speaks) if made.problem else "",
        figures=figures.steps[step.id],
        why=lambda reason: reasons.say(reason, speaks),
        skips=welcome_words.SKIP_WORDS,
        states=STATES,
        odd=await welcome_reports.odd_ones(ground, step_id=step.id),
        again=_AGAIN,
        may_test=kit.signed_in(request).role.may(Role.AUTHOR),
        may_change=kit.signed_in(request).role.may(Role.EDITOR),
    )


@kit.staff(Role.VIEWER)
async def show_mail(request: web.Request) -> web.StreamResponse:
    """`GET …/steps/{step}/mail?language=&scheme=`: the mail itself, for the frame."""
    _, made = await _content(request)
    plan = made.plans.get(_language(request, made))
    if plan is None:
        raise made.problem or errors.NotFound(N_("There is no such page."))
    html = archive.as_page(plan, _values(request, plan), None, target="_blank")
    scheme = "dark" if request.query.get("scheme") == "dark" else "light"
    response = archive_pages.framed_mail(preview_pages.in_scheme(html, scheme))
    response.headers["Cache-Control"] = "no-store"
    return response


@kit.staff(Role.AUTHOR)
async def send_test(request: web.Request) -> web.StreamResponse:
    """`POST …/steps/{step}/test`: in every language to the person who asks, marked as a test."""
    await forms.read(request)
    ground, speaks = kit.ground(request), kit.translator(request)
    step, made = await _content(request)
    if made.problem is not None:
        raise made.problem
    person = kit.signed_in(request)
    await testmail.send(ground, plans=made.plans, to=person.email)
    words = speaks.gettext(N_("A test of each edition is on its way to %(email)s."))
    here = f"/staff/welcome/{_slug(request)}/steps/{step.id}"
    return kit.redirect(request, here, flash=words % {"email": person.email})


@kit.staff(Role.EDITOR)
async def send_again(request: web.Request) -> web.StreamResponse:
    """`POST …/steps/{step}/again`: to whom it failed, is put off, or is uncertain."""
    form = await forms.read(request)
    state = form.line("state")
    if state not in _AGAIN:
        raise errors.Invalid(N_("Choose one of the buttons."))
    step_id = kit.number_in_path(request, "step")
    queued = await welcome_recipients.retry(
        kit.ground(request),
        actor=kit.actor(request),
        topic=_slug(request),
        step_id=step_id,
        state=DeliveryState(state),
    )
    speaks = kit.translator(request)
    words = speaks.gettext(N_("It goes out again to %(count)s of them.")) % {"count": queued}
    here = f"/staff/welcome/{_slug(request)}/steps/{step_id}"
    return kit.redirect(request, here, flash=words)


async def _topic_page(
    request: web.Request, problem: errors.HandbillError | None = None
) -> web.Response:
    ground, speaks = kit.ground(request), kit.translator(request)
    view = await welcome.show(ground, topic=_slug(request))
    figures = await welcome_reports.figures(ground, topic=_slug(request))
    is_conflict = isinstance(problem, errors.Conflict)
    return kit.render(
        request,
        "campaigns/welcome.html",
        status=409 if is_conflict else 422 if problem else 200,
        view=view,
        name=_name(request, view.topic),
        on=_on(request, view.on_since),
        lines=[_line(request, view, each) for each in view.steps],
        removed=[_line(request, view, each) for each in view.removed],
        figures=figures,
        stops=welcome_words.STOP_WORDS,
        offered=[
            (code, wording.language_name(code, speaks).capitalize())
            for code in ground.catalog.languages
        ],
        problem=problem.say(speaks) if problem else "",
        may_change=kit.signed_in(request).role.may(Role.EDITOR),
    )


def _line(request: web.Request, view: View, step: WelcomeStep) -> dict[str, Any]:
    speaks, made = kit.translator(request), view.content.get(step.id)
    return {
        "step": step,
        "kind": speaks.gettext(welcome_words.KIND_WORDS[StepKind(step.kind)]),
        "when": welcome_words.when(step, speaks),
        "problem": made.problem.say(speaks) if made and made.problem else "",
        "remarks": _remarks(request, made) if made else [],
    }


def _remarks(request: web.Request, made: Ready) -> list[str]:
    return list(dict.fromkeys(each.say(kit.translator(request)) for each in made.findings))


async def _form_page(
    request: web.Request, form: Form | None = None, problem: errors.HandbillError | None = None
) -> web.Response:
    ground, speaks = kit.ground(request), kit.translator(request)
    view = await welcome.show(ground, topic=_slug(request))
    step = None
    if "step" in request.match_info:
        step, _ = await _content(request)
    is_conflict = isinstance(problem, errors.Conflict)
    return kit.render(
        request,
        "campaigns/welcome_step_form.html",
        status=409 if is_conflict else 422 if problem else 200,
        topic=view.topic.slug,
        name=_name(request, view.topic),
        version=view.version,
        step=step,
        values=staff_forms.typed(form) if form else _kept(step),
        problems=staff_forms.say(request, problem) if problem else {},
        is_conflict=is_conflict,
        specs=_SPECS,
        things=await _things(request, step),
        hours=[(each, welcome_words.hour(each, speaks)) for each in range(24)],
        zone=ground.settings.site.zone,
    )


async def _things(request: web.Request, step: WelcomeStep | None) -> list[tuple[str, str]]:
    """What a step can bring, each as `kind:number` and in words."""
    ground, speaks = kit.ground(request), kit.translator(request)
    async with ground.db.reading() as session:
        every_issue = await issues.everything(session)
        handouts = await materials.listed(session)
        written = (await bulletins.listed(session, limit=_BULLETINS)).items
    titles = [(each.id, issue_page.summarise(ground, each, speaks).title) for each in every_issue]
    told = [(each.id, materials.tell(ground, each, [], speaks).title) for each in handouts]
    offered = {
        StepKind.EXPLAINER: titles,
        StepKind.MATERIAL: told,
        StepKind.LAST_BULLETIN: titles,
        StepKind.BULLETIN: [(each.id, each.name) for each in written],
    }
    if step is not None and step.object_id not in [n for n, _ in offered[StepKind(step.kind)]]:
        offered[StepKind(step.kind)].append((step.object_id, step.name))
    return [
        (f"{kind.value}:{number}", f"{speaks.gettext(welcome_words.KIND_WORDS[kind])}: {title}")
        for kind, there in offered.items()
        for number, title in there
    ]


def _draft(form: Form, languages: tuple[str, ...]) -> StepDraft:
    kind, _, number = form.line("object").partition(":")
    if kind not in set(StepKind) or not (
        number.isascii() and number.isdigit() and len(number) < 16
    ):
        form.problems["object"] = errors.Invalid(N_("Choose what it brings."))
    days, hour = form.number("days"), form.number("hour")
    if days is None:
        form.problems.setdefault("days", errors.Invalid(N_("Fill this in.")))
    texts = staff_forms.read_sides(form, _SPECS, languages)
    form.check()
    return StepDraft(
        kind=StepKind(kind),
        object_id=int(number),
        days=days or 0,
        hour=9 if hour is None else hour,
        texts=texts,
    )


def _kept(step: WelcomeStep | None) -> dict[str, str]:
    if step is None:
        return dict(_FIRST)
    return {
        "object": f"{step.kind}:{step.object_id}",
        "days": str(step.days),
        "hour": str(step.hour),
        **staff_forms.side_values(_SPECS, step.texts),
    }


async def _content(request: web.Request) -> tuple[WelcomeStep, Ready]:
    return await welcome.content(
        kit.ground(request), topic=_slug(request), step_id=kit.number_in_path(request, "step")
    )


def _values(request: web.Request, plan: Plan) -> dict[str, str]:
    """As it would come to whoever looks; its links lead nowhere harmful."""
    ground, person = kit.ground(request), kit.signed_in(request)
    values = archive.public_values(ground, plan, archive_url=ground.url("/archive"))
    first, _, last = person.name.partition(" ")
    own = {"subscriber.first_name": first, "subscriber.last_name": last}
    return values | {name: value for name, value in own.items() if name in plan.slot_names}


def _language(request: web.Request, made: Ready) -> str:
    wished = request.query.get("language", "")
    return wished if wished in made.plans else next(iter(made.plans), "")


def _slug(request: web.Request) -> str:
    return request.match_info["topic"]


def _name(request: web.Request, topic: Topic) -> str:
    return topics.name(topic, kit.translator(request).language)


def _on(request: web.Request, languages: Any) -> str:
    speaks = kit.translator(request)
    return ", ".join(wording.language_name(code, speaks) for code in languages)


def _back(request: web.Request, msgid: str) -> web.StreamResponse:
    words = kit.translator(request).gettext(msgid)
    return kit.redirect(request, f"/staff/welcome/{_slug(request)}", flash=words)
