"""`POST /api/public/signups`: signing up by script, from our pages and from partners' (CORS).

It needs no token: it does what the form does, through the same verb, with the same limits and the
same answer for everybody. Which sites may send is said by the form or partner that is named.
"""

import functools
from datetime import timedelta

from aiohttp import hdrs, web
from multidict import CIMultiDict, MultiDict

from foundation import errors
from foundation.i18n import N_
from foundation.web import door, kit, middleware, security
from foundation.web import forms as web_forms
from foundation.web.prepared import Shelf
from foundation.web.ready import Ready, Written
from subscribers import challenge, forms, pacing, public_door, received, signup
from subscribers.forms import Offer
from subscribers.intake import SignUpRequest

PATH = "/api/public/signups"
CHALLENGE_PATH = "/api/public/challenge"
_KEEP_PREFLIGHT_S = 600
ORIGINS: web.AppKey[Shelf[frozenset[str]]] = web.AppKey("origins", Shelf)
"""Whose scripts may read answers, as long as `KEEP_ORIGINS`: what staff change counts by then."""
KEEP_ORIGINS = timedelta(seconds=5)

_LOOK = N_("Look into your mail: press the button in our message, and you are on the list.")


def routes() -> list[web.RouteDef]:
    """What is here."""
    return [
        web.post(PATH, send),
        web.options(PATH, preflight),
        web.get(CHALLENGE_PATH, show_challenge),
    ]


async def preflight(request: web.Request) -> web.Response:
    """`OPTIONS …`: whether a site's script may send at all (Fetch, CORS protocol)."""
    headers = await cross_origin(request)
    if "Access-Control-Allow-Origin" in headers:
        headers.update(
            {
                "Access-Control-Allow-Methods": "POST",
                "Access-Control-Allow-Headers": "Content-Type",
                "Access-Control-Max-Age": str(_KEEP_PREFLIGHT_S),
            }
        )
    return web.Response(status=204, headers=headers)


async def _taken_at_once(app: web.Application, request: web.Request, _path: str) -> Written | None:
    """At the door: what is in order; the site is checked where its form is looked up anyhow."""
    ground, origin = app[kit.GROUND], request.headers.get("Origin", "")
    listed = app[ORIGINS].find((), now=ground.clock.now()) if origin else frozenset[str]()
    if listed is None or not public_door.is_usual(request):
        return None
    body = await web_forms.read_json_at_once(request)
    values = received.values_at_once(body) if body is not None else None
    if values is None or received.is_trapped(values):
        return None
    asked = _request_of(request, values)
    found = await public_door.submitted(app, request, asked._replace(origin=_elsewhere(request)))
    if found is None:
        return None
    _, language = found
    said = ground.translator(language).gettext(_LOOK)
    ready = _ready(said, ground.settings.site.url.startswith("https:"))
    is_listed = origin.lower() in listed
    return ready.to({hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: origin} if is_listed else {})


@door.answers(public_door.paced(_taken_at_once))
async def send(request: web.Request) -> web.Response:
    """`POST …`: take a sign-up; 202 whatever was known of the address, after the same time."""
    headers = await cross_origin(request)
    try:
        least_s = kit.ground(request).settings.signup.answer_after_s
        response = await pacing.no_sooner_than(least_s, _taken(request))
    except errors.HandbillError as problem:
        # Answered here, and not further out, so that the partner's script may read what is wrong.
        response = middleware.problem_details(
            request, problem, status=middleware.status_of(problem)
        )
    response.headers.update(headers)
    return response


async def show_challenge(request: web.Request) -> web.Response:
    """`GET …/challenge`: what a script has to solve before it sends a sign-up; null in quiet times.

    The solution goes along as `altcha`. Whoever asks without need gets nothing to solve.
    """
    ground = kit.ground(request)
    async with ground.db.reading() as session:
        is_asked_for = await challenge.is_asked_for(ground, session)
    found = await challenge.issue(ground) if is_asked_for else None
    headers = await cross_origin(request)
    headers["Cache-Control"] = "no-store"
    return web.json_response({"challenge": found}, headers=headers)


async def _taken(request: web.Request) -> web.Response:
    values = received.values_of_json(await web_forms.read_json(request))
    asked = _request_of(request, values)
    kit.speak(request, asked.language)
    async with kit.ground(request).db.reading() as session:
        offer = await forms.offered(session, slug=asked.form, partner_key=asked.partner)
    check_origin(request, offer)
    if not received.is_trapped(values):
        if public_door.REFUSED in request:
            raise request[public_door.REFUSED]
        await signup.submit(
            kit.ground(request),
            request=asked.with_language(asked.language or kit.translator(request).language),
        )
    return _said(kit.translator(request).gettext(_LOOK))


def _request_of(request: web.Request, values: MultiDict[str]) -> SignUpRequest:
    return received.request_of(request, values, form=values.get("form", ""), via="api")


def _said(text: str) -> web.Response:
    return web.json_response({"status": "check-mail", "message": text}, status=202)


@functools.lru_cache(maxsize=64)
def _ready(text: str, is_https: bool) -> Ready:
    response = _said(text)
    response.headers["Vary"] = "Origin"
    security.add_headers(response, nonce="", is_https=is_https)
    return Ready(status=202, headers=response.headers, body=(response.text or "").encode())


def check_origin(request: web.Request, offer: Offer) -> None:
    """Raises `errors.Forbidden` for a site that neither the form nor the partner names."""
    forms.check_origin(offer, _elsewhere(request))


def _elsewhere(request: web.Request) -> str:
    """The site whose script sends this; blank for ours, and for programs, which name none."""
    origin = request.headers.get("Origin", "").lower()
    is_ours = request.headers.get("Sec-Fetch-Site") == "same-origin"
    return "" if is_ours or origin == kit.ground(request).settings.site.url.lower() else origin


async def cross_origin(request: web.Request) -> CIMultiDict[str]:
    """The headers that let a listed site's script read the answer (Fetch, CORS protocol)."""
    headers: CIMultiDict[str] = CIMultiDict({"Vary": "Origin"})
    origin = request.headers.get("Origin", "")
    if origin and origin.lower() in await _origins(request):
        headers["Access-Control-Allow-Origin"] = origin
    return headers


async def _origins(request: web.Request) -> frozenset[str]:
    """From memory: every request of a script names its site."""
    ground, shelf = kit.ground(request), request.app[ORIGINS]
    found = shelf.find((), now=ground.clock.now())
    if found is None:
        async with ground.db.reading() as session:
            found = frozenset(await forms.origins(session))
        shelf.put((), found, now=ground.clock.now())
    return found
