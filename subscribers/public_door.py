"""Sign-ups at the door: what the form's page and the public JSON address have in common there.

Both take there what most people send and what is in order. For all else the door says nothing, and
the handlers in `public.py` and `public_api.py` do, by all the layers; a refusal goes along with the
request, so that nothing is counted twice.
"""

from aiohttp import hdrs, web

from foundation import errors, i18n
from foundation.web import door, kit
from foundation.web.ready import Written
from subscribers import pacing, signup
from subscribers.intake import SignUpRequest
from subscribers.taking import SignUpOutcome

REFUSED: web.RequestKey[errors.HandbillError] = web.RequestKey("refused", errors.HandbillError)
"""Why a sign-up was refused at the door."""


def paced(quick: door.Quick) -> door.Quick:
    """A quick way that takes as long as the handler; where it leads nowhere, that one waits."""

    async def wait(app: web.Application, request: web.Request, named: str) -> Written | None:
        end = pacing.end_of(app[kit.GROUND].settings.signup.answer_after_s)
        found = await quick(app, request, named)
        if found is not None:
            await pacing.wait_until(end)
        return found

    return wait


def is_usual(request: web.Request) -> bool:
    """Whether the address and the browser say nothing that is to be looked at inside."""
    return "?" not in request.raw_path and hdrs.COOKIE not in request.headers


async def submitted(
    app: web.Application, request: web.Request, asked: SignUpRequest
) -> tuple[SignUpOutcome, str] | None:
    """What became of a sign-up, and the language to answer in; None where it was refused."""
    ground = app[kit.GROUND]
    wishes, offered = asked.language, ground.catalog.languages
    if wishes:
        language = i18n.match(wishes, offered)
    else:
        language = i18n.match_header(request.headers.get(hdrs.ACCEPT_LANGUAGE), offered)
    try:
        outcome = await signup.submit(ground, request=asked.with_language(wishes or language))
    except errors.HandbillError as problem:
        request[REFUSED] = problem
        return None
    return outcome, language
