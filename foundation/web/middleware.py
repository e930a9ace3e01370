"""What happens around every request: language, session, safe headers, errors turned into answers.

This is the one place where a domain error becomes a status and a page (or problem details,
RFC 9457, where programs call). No traceback reaches a reader; each unforeseen error is logged with
a number that the page shows.
"""

import contextlib
import secrets
from urllib.parse import quote, unquote

from aiohttp import hdrs, web

from foundation import errors, i18n, logs
from foundation.accounts import sessions
from foundation.asides import GivenUp
from foundation.i18n import N_
from foundation.web import forms, kit, security
from foundation.web.kit import Handler

_log = logs.get("web")

STATUS: dict[type[errors.HandbillError], int] = {
    errors.Invalid: 422,
    errors.NotFound: 404,
    errors.Forbidden: 403,
    errors.SignInNeeded: 401,
    errors.Refused: 409,
    errors.Conflict: 409,
    errors.TooLarge: 413,
    errors.TooMany: 429,
    errors.Busy: 503,
    errors.BadToken: 400,
    errors.ProofNeeded: 428,
}

SESSION_COOKIE = "handbill_session"
_LANGUAGE_COOKIE = "handbill_lang"
_TEXT_COOKIE = "handbill_text"
_ONE_YEAR_S = 31_536_000
_FOR_PROGRAMS = ("/api/", "/hooks/")
"""Where no person looks: errors are problem details."""


def status_of(problem: errors.HandbillError) -> int:
    """The HTTP status of an error."""
    return next((code for kind, code in STATUS.items() if isinstance(problem, kind)), 500)


@web.middleware
async def prepare(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Finds out the language, answers errors, puts cookies on the answer."""
    ground = kit.ground(request)
    context = kit.RequestContext(
        translator=ground.translator(_wished_language(request)),
        text_size=_text_size(request),
    )
    request[kit.CONTEXT] = context
    response = await _answered(request, handler)
    if not response.prepared:
        _set_cookies(request, response)
    return response


async def make_safe(request: web.Request, response: web.StreamResponse) -> None:
    """Puts the safe headers on every answer as it begins, those that are streamed too."""
    context = request.get(kit.CONTEXT)
    if context is not None:
        is_https = kit.ground(request).settings.site.url.startswith("https:")
        security.add_headers(response, nonce=context.used_nonce, is_https=is_https)


@web.middleware
async def know_staff(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Looks the session up for the staff room, whose pages then speak its language."""
    if not request.path.startswith("/staff"):
        return await handler(request)
    context = kit.context(request)
    security.check_same_site(request)
    secret = request.cookies.get(SESSION_COOKIE)
    if secret:
        context.signed_in = await sessions.find(kit.ground(request), secret=secret)
    if context.signed_in is not None:
        kit.speak(request, context.signed_in.language)
        flash = request.cookies.get(kit.FLASH_COOKIE)
        if flash:
            context.flashes.append(unquote(flash))
            context.cookies.setdefault(kit.FLASH_COOKIE, ("", 0))
    return await handler(request)


@web.middleware
async def limit_body(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuses a body that says that it is too large before it is read; files may be larger."""
    if not request.can_read_body:
        return await handler(request)
    limit = kit.body_limit(request)
    if (request.content_length or 0) > limit:
        raise forms.too_large(limit, is_file=kit.takes_files_at(request))
    if limit == kit.ground(request).settings.server.max_body_bytes:
        return await handler(request)
    wider = request.clone(client_max_size=limit)
    try:
        return await handler(wider)
    finally:
        # aiohttp closes the files of the request that it made itself, not of a clone.
        for sent in wider.get(forms.FILES, ()):
            sent.file.close()


@web.middleware
async def check_form(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Innermost: checks that a form for the staff room comes from its pages."""
    person = kit.context(request).signed_in
    if person is not None:
        sent = None
        if request.method == "POST" and security.CSRF_HEADER not in request.headers:
            sent = (await forms.read(request)).values.get(security.CSRF_FIELD)
        security.check_csrf(request, sent=sent, expected=person.csrf_secret)
    return await handler(request)


ALL = (prepare, know_staff, limit_body, check_form)
"""In the order in which a request meets them."""


async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except errors.HandbillError as problem:
        if isinstance(problem, errors.Busy) and kit.context(request).typed is None:
            with contextlib.suppress(errors.HandbillError):
                await forms.read(request)
        return _refusal(request, problem)
    except web.HTTPException as problem:
        if problem.status < 400:
            raise
        response = _refusal(request, _from_http(request, problem), status=problem.status)
        if isinstance(problem, web.HTTPMethodNotAllowed):
            # RFC 9110 §15.5.6
            response.headers["Allow"] = ", ".join(sorted(problem.allowed_methods))
        return response
    except ConnectionResetError:
        raise
    except Exception:  # noqa: BLE001 - the last line before a reader
        number = secrets.token_hex(4)
        _log.exception("request failed", number=number, method=request.method, path=request.path)
        problem_said = errors.HandbillError(
            N_(
                "Something went wrong on our side. Nothing was lost. Tell us the number %(number)s."
            ),
            number=number,
        )
        return _refusal(request, problem_said, status=500)


def _from_http(request: web.Request, problem: web.HTTPException) -> errors.HandbillError:
    if problem.status == 404:
        return errors.NotFound(N_("There is no such page."))
    if problem.status == 413:
        return forms.too_large(kit.body_limit(request))
    if problem.status == 405:
        return errors.Refused(N_("This address does not take that kind of request."))
    return errors.Invalid(N_("This request could not be understood."))


def _refusal(
    request: web.Request, problem: errors.HandbillError, *, status: int | None = None
) -> web.Response:
    if isinstance(problem, GivenUp):
        if request.method == "GET":
            # Another window shows what changed meanwhile: this one asks for that, too.
            return web.Response(status=303, headers={"Location": str(request.rel_url)})
        # RFC 9110 §15.3.5: what the page shows by now stays as it is.
        return web.Response(status=204)
    found = status or status_of(problem)
    is_program = request.path.startswith(_FOR_PROGRAMS)
    if isinstance(problem, errors.SignInNeeded) and not is_program:
        # The path as it came: decoded, it could hold line breaks, which no header may.
        wanted = quote(request.rel_url.raw_path, safe="/")
        return web.Response(status=303, headers={"Location": f"/staff/signin?next={wanted}"})
    response = (
        problem_details(request, problem, status=found)
        if is_program
        else _error_page(request, problem, status=found)
    )
    if isinstance(problem, errors.TooMany):
        response.headers["Retry-After"] = str(problem.retry_after_s)
    elif isinstance(problem, errors.Busy):
        response.headers["Retry-After"] = "5"
    return response


def problem_details(
    request: web.Request, problem: errors.HandbillError, *, status: int
) -> web.Response:
    """An error as JSON problem details (RFC 9457 §3)."""
    speaks = kit.translator(request)
    body: dict[str, object] = {
        "type": "about:blank",
        "title": speaks.gettext(_title(problem, status)),
        "status": status,
        "detail": problem.say(speaks),
    }
    if isinstance(problem, errors.Invalid) and problem.fields:
        body["errors"] = [
            {"field": name, "detail": field.say(speaks)} for name, field in problem.fields.items()
        ]
    if isinstance(problem, errors.Mistyped):
        body["suggestion"] = problem.suggestion
    if isinstance(problem, errors.ProofNeeded):
        body["challenge"] = problem.challenge
    return web.json_response(body, status=status, content_type="application/problem+json")


def _title(problem: errors.HandbillError, status: int) -> str:
    # Only a link says with 400 that it does not work; all else has something in it to mend.
    is_unreadable = status == 400 and isinstance(problem, errors.Invalid)
    return _TITLES.get(422 if is_unreadable else status, N_("Something went wrong"))


_TITLES = {
    400: N_("This link does not work"),
    401: N_("Sign in first"),
    403: N_("Not allowed"),
    404: N_("Not found"),
    405: N_("Not possible here"),
    409: N_("Not possible now"),
    413: N_("Too large"),
    415: N_("Something is not right yet"),
    422: N_("Something is not right yet"),
    428: N_("One thing more"),
    429: N_("Too many requests"),
    500: N_("Something went wrong"),
    503: N_("Just a moment"),
}


def _error_page(
    request: web.Request, problem: errors.HandbillError, *, status: int
) -> web.Response:
    speaks = kit.translator(request)
    return kit.render(
        request,
        "error.html",
        status=status,
        title=speaks.gettext(_title(problem, status)),
        message=problem.say(speaks),
        error_fields=[
            (name, field.say(speaks))
            for name, field in (
                problem.fields.items() if isinstance(problem, errors.Invalid) else ()
            )
        ],
        request_url=request.rel_url.raw_path_qs,
        again=_to_send_again(request) if isinstance(problem, errors.Busy) else None,
    )


def _to_send_again(request: web.Request) -> list[tuple[str, str]] | None:
    """What was typed, but for passwords; None for what is only looked at."""
    typed = kit.context(request).typed
    if request.method != "POST" or typed is None:
        return None
    return [(name, value) for name, value in typed.items() if "password" not in name]


def _wished_language(request: web.Request) -> str:
    offered = kit.ground(request).catalog.languages
    asked = kit.asked_language(request) or _cookie(request, _LANGUAGE_COOKIE)
    if asked:
        return i18n.match(asked, offered)
    return i18n.match_header(request.headers.get(hdrs.ACCEPT_LANGUAGE), offered)


def _text_size(request: web.Request) -> str:
    asked = request.query.get("text") or _cookie(request, _TEXT_COOKIE)
    return asked if asked in kit.TEXT_SIZES else "normal"


def _cookie(request: web.Request, name: str) -> str:
    """Blank for who has none: most who come have no cookie of ours, nor any other."""
    return request.cookies.get(name, "") if hdrs.COOKIE in request.headers else ""


def _set_cookies(request: web.Request, response: web.StreamResponse) -> None:
    context = kit.context(request)
    if not context.cookies and not request.query:
        return
    settings = kit.ground(request).settings
    secure = settings.site.url.startswith("https:") and settings.server.secure_cookies
    if "text" in request.query:
        context.cookies.setdefault(_TEXT_COOKIE, (context.text_size, _ONE_YEAR_S))
    if "lang" in request.query and request.path.startswith("/staff"):
        context.cookies.setdefault(_LANGUAGE_COOKIE, (context.translator.language, _ONE_YEAR_S))
    for name, (value, seconds) in context.cookies.items():
        if seconds:
            response.set_cookie(
                name, value, max_age=seconds, httponly=True, secure=secure, samesite="Lax"
            )
        else:
            response.del_cookie(name)
