"""Pages for coming in and going out, and for one's own account."""

from aiohttp import web

from foundation import errors
from foundation.accounts import sessions, signin, team
from foundation.accounts.models import Role
from foundation.i18n import N_
from foundation.web import forms, kit, middleware, security


def routes() -> list[web.RouteDef]:
    """Sign-in and account."""
    return [
        web.get("/staff/signin", show_signin),
        web.post("/staff/signin", sign_in),
        web.get("/staff/signin/{secret}", show_link),
        web.post("/staff/signin/{secret}", use_link),
        web.post("/staff/signout", sign_out),
        web.get("/staff/account", show_account),
        web.post("/staff/account", save_account),
        web.post("/staff/account/password", save_password),
    ]


async def show_signin(request: web.Request) -> web.StreamResponse:
    """The form; whoever is in already goes on."""
    if kit.context(request).signed_in is not None:
        return kit.redirect(request, _next(request.query.get("next")))
    return _signin_page(request, next_path=request.query.get("next", ""))


async def sign_in(request: web.Request) -> web.StreamResponse:
    """By password, or when none was typed, by a link that is mailed."""
    form = await forms.read(request)
    email = form.line("email", limit=300, required=True)
    next_path = form.line("next")
    password = form.values.get("password", "")
    try:
        form.check()
        if form.flag("by_link") or not password:
            await signin.request_link(kit.ground(request), email=email, network=_network(request))
            return kit.render(request, "accounts/link_sent.html", email=email)
        secret = await signin.with_password(
            kit.ground(request),
            email=email,
            password=password,
            network=_network(request),
            browser=_browser(request),
        )
    except errors.Invalid as problem:
        return _signin_page(request, next_path=next_path, email=email, problem=problem)
    _remember(request, secret)
    return kit.redirect(request, _next(next_path))


async def show_link(request: web.Request) -> web.StreamResponse:
    """A page with a button: opening the link changes nothing, so scanners can't spend it."""
    return kit.render(request, "accounts/link.html", secret=request.match_info["secret"])


async def use_link(request: web.Request) -> web.StreamResponse:
    """Spend the link and go in."""
    secret = await signin.use_link(
        kit.ground(request), secret=request.match_info["secret"], browser=_browser(request)
    )
    _remember(request, secret)
    person = await sessions.find(kit.ground(request), secret=secret)
    if person is not None and not person.has_password:
        kit.speak(request, person.language)
        words = kit.translator(request).gettext(
            N_("Welcome. Choose a password, so that you can come in without a link next time.")
        )
        return kit.redirect(request, "/staff/account", flash=words)
    return kit.redirect(request, "/staff")


@kit.staff(Role.PARTNER)
async def sign_out(request: web.Request) -> web.StreamResponse:
    """End this browser's session."""
    await sessions.end(kit.ground(request), session_id=kit.signed_in(request).session_id)
    kit.context(request).cookies[middleware.SESSION_COOKIE] = ("", 0)
    return kit.redirect(request, "/staff/signin")


@kit.staff(Role.PARTNER)
async def show_account(request: web.Request) -> web.StreamResponse:
    """One's own name, language and password."""
    return _account_page(request)


@kit.staff(Role.PARTNER)
async def save_account(request: web.Request) -> web.StreamResponse:
    """Keep name and language."""
    form = await forms.read(request)
    name, language = form.line("name", limit=100), form.line("language", limit=20)
    form.check()
    person = kit.signed_in(request)
    await team.set_profile(
        kit.ground(request), staff_id=person.staff_id, name=name, language=language
    )
    kit.speak(request, language)
    return kit.redirect(
        request, "/staff/account", flash=kit.translator(request).gettext(N_("Saved."))
    )


@kit.staff(Role.PARTNER)
async def save_password(request: web.Request) -> web.StreamResponse:
    """Choose a password; the other browsers are signed out."""
    form = await forms.read(request)
    person = kit.signed_in(request)
    try:
        await signin.set_password(
            kit.ground(request),
            staff_id=person.staff_id,
            session_id=person.session_id,
            present=form.values.get("present", ""),
            password=form.values.get("password", ""),
        )
    except errors.Invalid as problem:
        return _account_page(request, problem=problem)
    words = kit.translator(request).gettext(
        N_("Your password is set. Your other browsers were signed out.")
    )
    return kit.redirect(request, "/staff/account", flash=words)


def _signin_page(
    request: web.Request,
    *,
    next_path: str,
    email: str = "",
    problem: errors.Invalid | None = None,
) -> web.Response:
    return kit.render(
        request,
        "accounts/signin.html",
        status=422 if problem else 200,
        email=email,
        next_path=next_path,
        problem=problem.say(kit.translator(request)) if problem else "",
    )


def _account_page(request: web.Request, *, problem: errors.Invalid | None = None) -> web.Response:
    speaks = kit.translator(request)
    catalog = kit.ground(request).catalog
    return kit.render(
        request,
        "accounts/account.html",
        status=422 if problem else 200,
        person=kit.signed_in(request),
        offered=[(code, catalog.translator(code).name) for code in catalog.languages],
        minimum=kit.ground(request).settings.security.password_min_length,
        problems={
            name: each.say(speaks) for name, each in (problem.fields if problem else {}).items()
        },
    )


def _remember(request: web.Request, secret: str) -> None:
    days = kit.ground(request).settings.security.session_days
    kit.context(request).cookies[middleware.SESSION_COOKIE] = (secret, days * 86_400)


def _next(path: str | None) -> str:
    """Only pages of the staff room; anything else would be an open redirect."""
    is_ours = path and path.startswith("/staff") and "\\" not in path and path.isprintable()
    return path if is_ours and path else "/staff"


def _network(request: web.Request) -> str:
    return security.client_network(request, kit.ground(request).settings.server.trusted_proxies)


def _browser(request: web.Request) -> str:
    return request.headers.get("User-Agent", "")
