"""`POST /hooks/{name}`: where sending providers tell what became of mail.

The call proves itself; there is no cookie, and answers are problem details as for other programs.
"""

import asyncio
import dataclasses
from collections.abc import Mapping

from aiohttp import web

from delivery.hooks import receiving
from delivery.hooks.call import Call
from delivery.hooks.source import Source
from foundation import errors
from foundation.i18n import N_
from foundation.web import kit, middleware, security

SOURCES: web.AppKey[Mapping[str, Source]] = web.AppKey("webhook_sources", Mapping)
"""Every source of the settings; `handbill/app.py` hands them in."""
PLACES: web.AppKey[asyncio.Semaphore] = web.AppKey("webhook_places", asyncio.Semaphore)
"""For bodies that are larger than other addresses take."""

AT_ONCE = 4
_READ_S = 60.0
_STATUS: Mapping[type[errors.HandbillError], int] = {
    errors.Invalid: 400,
    errors.SignInNeeded: 401,
    errors.Forbidden: 403,
}


def routes() -> list[web.RouteDef]:
    """What is here."""
    return [web.post("/hooks/{name}", receive)]


@kit.takes_events
async def receive(request: web.Request) -> web.Response:
    """`POST /hooks/{name}`: 200 once everything that matters in it is kept."""
    source = request.app[SOURCES].get(request.match_info["name"])
    if source is None:
        raise errors.NotFound(N_("There is no webhook of this name in the settings."))
    ground = kit.ground(request)
    try:
        done = await _received(request, source)
    except tuple(_STATUS) as problem:
        await receiving.refused(ground, source, problem)
        return _refusal(request, problem)
    return web.json_response(dataclasses.asdict(done))


async def _received(request: web.Request, source: Source) -> receiving.Received:
    ground = kit.ground(request)
    server = ground.settings.server
    networks = source.settings.networks
    if networks and not security.is_from(request, networks, server.trusted_proxies):
        raise errors.Forbidden(N_("Calls from this network are not taken."))
    length = request.content_length
    if length is not None and length <= server.max_body_bytes:
        return await receiving.receive(ground, source, await _call(request))
    async with request.app[PLACES]:
        return await receiving.receive(ground, source, await _call(request))


async def _call(request: web.Request) -> Call:
    try:
        async with asyncio.timeout(_READ_S):
            body = await request.read()
    except TimeoutError as problem:
        raise errors.Busy(N_("The call took too long to arrive; send it again.")) from problem
    return Call(headers=request.headers, body=body, at=kit.ground(request).clock.now())


def _refusal(request: web.Request, problem: errors.HandbillError) -> web.Response:
    status = next(code for kind, code in _STATUS.items() if isinstance(problem, kind))
    answer = middleware.problem_details(request, problem, status=status)
    if status == 401:
        # RFC 9110 §15.5.2
        answer.headers["WWW-Authenticate"] = 'Basic realm="webhook", Bearer realm="webhook"'
    return answer
