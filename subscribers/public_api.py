"""`POST /api/public/signups`: signing up by script, from our pages and from partners' (CORS).

It needs no token: it does what the form does, through the same verb, with the same limits and the
same answer for everybody. Which sites may send is said by the form or partner that is named.
"""

from datetime import timedelta

from aiohttp import web
from multidict import CIMultiDict

from foundation import errors
from foundation.i18n import N_
from foundation.web import forms as web_forms
from foundation.web import kit, middleware
from foundation.web.prepared import Shelf
from subscribers import challenge, forms, pacing, received, signup
from subscribers.forms import Offer

PATH = "/api/public/signups"
CHALLENGE_PATH = "/api/public/challenge"
_KEEP_PREFLIGHT_S = 600
ORIGINS: web.AppKey[Shelf[frozenset[str]]] = web.AppKey("origins", Shelf)
"""Whose scripts may read answers, as long as `KEEP_ORIGINS`: what staff change counts by then."""
KEEP_ORIGINS = timedelta(seconds=5)


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
    asked = received.request_of(request, values, form=values.get("form", ""), via="api")
    kit.speak(request, asked.language)
    async with kit.ground(request).db.reading() as session:
        offer = await forms.offered(session, slug=asked.form, partner_key=asked.partner)
    check_origin(request, offer)
    if not received.is_trapped(values):
        await signup.submit(
            kit.ground(request),
            request=asked.with_language(asked.language or kit.translator(request).language),
        )
    said = N_("Look into your mail: press the button in our message, and you are on the list.")
    return web.json_response(
        {"status": "check-mail", "message": kit.translator(request).gettext(said)}, status=202
    )


def check_origin(request: web.Request, offer: Offer) -> None:
    """Raises `errors.Forbidden` for a site that neither the form nor the partner names."""
    origin = request.headers.get("Origin", "").lower()
    is_ours = request.headers.get("Sec-Fetch-Site") == "same-origin"
    if not origin or is_ours or origin == kit.ground(request).settings.site.url.lower():
        return
    if origin not in offer.origins:
        raise errors.Forbidden(
            N_("This site may not send the form. Its origin has to be added to the form first.")
        )


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
