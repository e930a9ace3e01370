"""`POST /api/public/steps`: a form tells that it was seen or started, for counting alone.

Sent by our own form's page and by those of partners, also as plain text, because that is what
`navigator.sendBeacon` does without asking first. It carries nothing about a person, and the answer
is the same whatever was done with it.
"""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from foundation import errors, i18n
from foundation.i18n import N_
from foundation.web import forms as web_forms
from foundation.web import kit, middleware
from subscribers import forms, page_path, partners, public_api, received
from subscribers.forms import Offer
from subscribers.partner_models import Step
from subscribers.steps import Steps

PATH = "/api/public/steps"
STEPS: web.AppKey[Steps] = web.AppKey("steps", Steps)
"""What counts; the application hands it in."""
_KINDS = ("application/json", "text/plain")


def routes() -> list[web.RouteDef]:
    """What is here."""
    return [web.post(PATH, count), web.options(PATH, public_api.preflight)]


async def count(request: web.Request) -> web.Response:
    """`POST …`: 204, also for a form or partner that is not there any more."""
    headers = await public_api.cross_origin(request)
    try:
        await _count(request)
    except errors.NotFound:
        pass
    except errors.HandbillError as problem:
        response = middleware.problem_details(
            request, problem, status=middleware.status_of(problem)
        )
        response.headers.update(headers)
        return response
    return web.Response(status=204, headers=headers)


async def _count(request: web.Request) -> None:
    body = await web_forms.read_json(request, kinds=_KINDS)
    step = _step(body)
    form, partner, page, language = (
        _text(body, name) for name in ("form", "partner", "page", "lang")
    )
    ground = kit.ground(request)
    async with ground.db.reading() as session:
        offer = await forms.offered(session, slug=form, partner_key=partner)
    try:
        public_api.check_origin(request, offer)
    except errors.Forbidden:
        _note_stray(request, offer)
        raise
    request.app[STEPS].count(
        step,
        partner_id=offer.partner.id if offer.partner else 0,
        form_id=offer.form.id if offer.form else 0,
        page=page_path.clean(page),
        language=i18n.match(language, ground.catalog.languages),
        network=received.network(request),
    )


def _note_stray(request: web.Request, offer: Offer) -> None:
    """Whose form it is hears of it, where a browser can have sent it."""
    if offer.partner is None:
        return
    try:
        origin = partners.origin(request.headers.get("Origin", "")[:300])
    except errors.Invalid:
        return
    request.app[STEPS].stray(partner_id=offer.partner.id, origin=origin)


def _step(body: Mapping[str, Any]) -> Step:
    try:
        return Step(body.get("step", ""))
    except ValueError as problem:
        said = errors.Invalid(N_("A step is “seen” or “started”."))
        raise errors.Invalid(said.msgid, fields={"step": said}) from problem


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name) or ""
    if not isinstance(value, str) or not received.is_text(value):
        said = errors.Invalid(N_("This has to be a text."))
        raise errors.Invalid(said.msgid, fields={name: said})
    return value
