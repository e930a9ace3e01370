"""Supporters' pages: sign up and confirm. What they decide later is in `public_links.py`."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from aiohttp import web

from foundation import errors
from foundation.ground import Ground
from foundation.tokens import Purpose
from foundation.web import door, kit, middleware, security
from foundation.web import forms as web_forms
from foundation.web.ready import Written
from subscribers import (
    challenge,
    confirming,
    consent,
    forms,
    intake,
    languages,
    pacing,
    public_api,
    public_door,
    public_embeds,
    public_links,
    public_steps,
    public_widget,
    received,
    sharing,
    signup,
    topics,
    widget,
)
from subscribers.forms import Offer

_STATUS = {confirming.Answer.TOO_LATE: 410, confirming.Answer.BLOCKED: 409}


def routes() -> list[web.RouteDef]:
    """What this floor serves to supporters."""
    return [
        web.get("/subscribe", show),
        web.post("/subscribe", send),
        web.get("/subscribe/sent", sent),
        web.get("/subscribe/{form}", show),
        web.post("/subscribe/{form}", send),
        web.get("/confirm/{token}", ask),
        web.post("/confirm/{token}", confirm),
        *public_links.routes(),
        *public_api.routes(),
        *public_steps.routes(),
        *public_widget.routes(),
        *public_embeds.routes(),
    ]


async def show(request: web.Request) -> web.Response:
    """`GET /subscribe[/{form}]`: the form; the address's query fills it in before."""
    ground = kit.ground(request)
    offer = await _offer(request, partner=request.query.get("partner", ""))
    async with ground.db.reading() as session:
        has_challenge = await challenge.is_asked_for(ground, session)
    known = {topic.slug for topic in offer.topics}
    ticked = [slug for slug in request.query.getall("topic", []) if slug in known]
    return _form(
        request,
        offer,
        values=received.filled_in(request.query),
        carried=received.carried(request, request.query),
        page=received.page(request, request.query),
        ticked=ticked or [topic.slug for topic in offer.topics[:1]],
        work=await challenge.issue(ground) if has_challenge else None,
    )


async def _taken_at_once(app: web.Application, request: web.Request, slug: str) -> Written | None:
    """At the door: a form as most send it, which is in order; what is not is told inside."""
    if not public_door.is_usual(request):
        return None
    values = await web_forms.read_at_once(request)
    if values is None or received.is_trapped(values):
        return None
    asked = received.request_of(request, values, form=slug, via="form")
    found = await public_door.submitted(app, request, asked)
    if found is None:
        return None
    outcome, language = found
    return door.elsewhere(app, _thanks(outcome.offer, language), status=303)


@door.answers(public_door.paced(_taken_at_once))
async def send(request: web.Request) -> web.Response:
    """`POST /subscribe[/{form}]`: take a sign-up.

    The answer is the same for known and unknown addresses, over a limit, and for programs, and
    comes after the same time.
    """
    least_s = kit.ground(request).settings.signup.answer_after_s
    return await pacing.no_sooner_than(least_s, _taken(request))


async def _taken(request: web.Request) -> web.Response:
    form = await web_forms.read(request)
    asked = received.request_of(
        request, form.values, form=request.match_info.get("form", ""), via="form"
    )
    kit.speak(request, asked.language)
    if received.is_trapped(form.values):
        return _to_sent(request, await _offer(request, partner=asked.partner))
    try:
        if public_door.REFUSED in request:
            raise request[public_door.REFUSED]
        outcome = await signup.submit(kit.ground(request), request=_in_language(request, asked))
    except (errors.Invalid, errors.ProofNeeded) as problem:
        return _form(
            request,
            await _offer(request, partner=asked.partner),
            shares=list(asked.shares),
            values=received.filled_in(form.values)
            | {received.SHOWN: form.values.get(received.SHOWN, "")},
            carried=received.carried(request, form.values),
            ticked=list(asked.topics),
            problem=problem,
            work=await _work(request, problem, asked),
        )
    return _to_sent(request, outcome.offer)


async def _work(
    request: web.Request, problem: errors.HandbillError, asked: intake.SignUpRequest
) -> Mapping[str, object] | None:
    """The challenge on a form that comes back; a proof that came with it may be used up."""
    if isinstance(problem, errors.ProofNeeded):
        return problem.challenge
    return await challenge.issue(kit.ground(request)) if asked.has_seen_challenge else None


async def sent(request: web.Request) -> web.Response:
    """`GET /subscribe/sent`: look into your mail."""
    slug = request.query.get("form", "")
    try:
        async with kit.ground(request).db.reading() as session:
            offer: Offer | None = await forms.offered(session, slug=slug)
    except errors.NotFound:
        offer = None
    thanks = offer.text("thanks", kit.translator(request).language) if offer else ""
    again = f"/subscribe/{slug}" if offer and slug else "/subscribe"
    return kit.render(request, "subscribers/sent.html", thanks=thanks, again=again)


async def ask(request: web.Request) -> web.Response:
    """`GET /confirm/{token}`: a button; looking at it changes nothing."""
    found = await confirming.look(kit.ground(request), token=request.match_info["token"])
    return _confirmation(request, found)


async def confirm(request: web.Request) -> web.Response:
    """`POST /confirm/{token}`: the person pressed the button."""
    done = await confirming.confirm(
        kit.ground(request),
        token=request.match_info["token"],
        network=received.network(request),
    )
    return _confirmation(request, done)


def _confirmation(request: web.Request, found: confirming.Confirmed) -> web.Response:
    kit.speak(request, found.language)
    ground = kit.ground(request)
    language = kit.translator(request).language
    return public_links.private(
        kit.render(
            request,
            "subscribers/confirm.html",
            status=_STATUS.get(found.answer, 200),
            found=found,
            words=consent.words(ground, consent.CONFIRM, language=language),
        )
    )


async def _offer(request: web.Request, *, partner: str) -> Offer:
    async with kit.ground(request).db.reading() as session:
        return await forms.offered(
            session, slug=request.match_info.get("form", ""), partner_key=partner
        )


def _in_language(request: web.Request, asked: intake.SignUpRequest) -> intake.SignUpRequest:
    """A form that names no language is in that of its page."""
    return asked.with_language(asked.language or kit.translator(request).language)


def _form(
    request: web.Request,
    offer: Offer,
    *,
    shares: Sequence[str] = (),
    values: dict[str, str],
    carried: list[tuple[str, str]],
    ticked: list[str],
    page: str = "",
    problem: errors.Invalid | errors.ProofNeeded | None = None,
    work: Mapping[str, object] | None = None,
) -> web.Response:
    ground = kit.ground(request)
    speaks = kit.translator(request)
    invalid = problem if isinstance(problem, errors.Invalid) else None
    response = kit.render(
        request,
        "subscribers/subscribe.html",
        status=middleware.status_of(problem) if problem else 200,
        message=problem.say(speaks) if problem and not invalid else "",
        suggestion=problem.suggestion if isinstance(problem, errors.Mistyped) else "",
        challenge=work,
        challenge_field=challenge.FIELD,
        offer=offer,
        discovery=public_embeds.discovery(request, offer, partner=dict(carried).get("partner", "")),
        title=offer.text("title", speaks.language),
        lead=offer.text("lead", speaks.language),
        topics=_choices(ground, offer, speaks.language),
        ticked=ticked,
        organisations=[
            (each.key, each.words, "")
            for each in sharing.said(ground, offer.organisations, speaks.language)
        ],
        shares=shares,
        share_field=sharing.FIELD,
        values=values,
        carried=carried,
        # A form that comes back to be mended was counted when it was first shown.
        steps="" if problem else public_steps.PATH,
        page=page,
        site_languages=[
            (code, ground.catalog.translator(code).name) for code in ground.catalog.languages
        ],
        further_choices=languages.choices(ground, besides=speaks.language),
        words=consent.words(ground, consent.SIGNUP, language=speaks.language),
        honeypot=intake.HONEYPOT,
        # A form that comes back to be mended keeps the time at which it was first seen.
        shown=values.get(received.SHOWN)
        or ground.tokens.seal(Purpose.FORM_TIME, int(ground.clock.now().timestamp())),
        problems=_said(request, invalid),
    )
    response.headers["Content-Security-Policy"] = _policy(request, offer, has_worker=bool(work))
    return response


def _policy(request: web.Request, offer: Offer, *, has_worker: bool) -> str:
    changes = {"worker_src": "'self'"} if has_worker else {}
    changes["form_action"] = widget.form_targets(offer.form.thanks_url if offer.form else "")
    return security.content_policy(kit.context(request).nonce, **changes)


def _choices(ground: Ground, offer: Offer, language: str) -> list[tuple[str, str, str]]:
    default = ground.catalog.default
    return [
        (
            topic.slug,
            topics.name(topic, language, default=default),
            topics.description(topic, language, default=default),
        )
        for topic in offer.topics
    ]


def _said(request: web.Request, problem: errors.Invalid | None) -> dict[str, Any]:
    if problem is None:
        return {}
    speaks = kit.translator(request)
    said = {name: each.say(speaks) for name, each in problem.fields.items()}
    return said or {"email": problem.say(speaks)}


def _to_sent(request: web.Request, offer: Offer) -> web.Response:
    """To the form's own page of thanks, which staff chose, or to ours."""
    where = _thanks(offer, kit.translator(request).language)
    return web.Response(status=303, headers={"Location": where})


def _thanks(offer: Offer, language: str) -> str:
    if offer.form and offer.form.thanks_url:
        return offer.form.thanks_url
    named = f"&form={quote(offer.slug)}" if offer.slug else ""
    return f"/subscribe/sent?lang={language}{named}"
