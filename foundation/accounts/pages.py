"""Pages for coming in and going out: password, mailed link, passkey, and the second step."""

from aiohttp import web
from multidict import MultiDict
from yarl import URL

from foundation import errors
from foundation.accounts import passkeys, second_step, sessions, signin
from foundation.accounts.entering import WITHIN, Entry, Visitor
from foundation.accounts.models import LinkKind, Role
from foundation.accounts.roles import ROLE_WORDS
from foundation.i18n import N_
from foundation.web import forms, kit, middleware, security

STEP_COOKIE = "handbill_step"
"""Holds the secret of what a browser has begun."""
_SECOND_STEP = "/staff/signin/second-step"


def routes() -> list[web.RouteDef]:
    """Sign-in and sign-out."""
    return [
        web.get("/staff/signin", show_signin),
        web.post("/staff/signin", sign_in),
        web.get(_SECOND_STEP, show_second_step),
        web.post(_SECOND_STEP, take_second_step),
        web.post("/staff/signin/second-step/ask", ask_second_step),
        web.post("/staff/signin/passkey/ask", ask_passkey),
        web.post("/staff/signin/passkey", use_passkey),
        web.get("/staff/signin/forgotten", show_forgotten),
        web.post("/staff/signin/forgotten", send_reset),
        web.get("/staff/signin/password/{secret}", show_reset),
        web.post("/staff/signin/password/{secret}", reset),
        web.get("/staff/signin/{secret}", show_link),
        web.post("/staff/signin/{secret}", use_link),
        web.post("/staff/signout", sign_out),
    ]


async def show_signin(request: web.Request) -> web.StreamResponse:
    """The form; whoever is in already goes on."""
    if kit.context(request).signed_in is not None:
        return kit.redirect(request, _next(request.query.get("next")))
    return _signin_page(request, next_path=request.query.get("next", ""))


async def sign_in(request: web.Request) -> web.StreamResponse:
    """By password, or when none was typed, by a link that is mailed."""
    ground = kit.ground(request)
    form = await forms.read(request)
    email = form.line("email", limit=300, required=True)
    next_path = form.line("next")
    password = form.values.get("password", "")
    visitor = _visitor(request)
    try:
        form.check()
        if form.flag("by_link") or not password:
            await signin.request_link(ground, email=email, network=visitor.network)
            return kit.render(request, "accounts/link_sent.html", email=email, is_reset=False)
        entry = await signin.with_password(ground, email=email, password=password, visitor=visitor)
    except errors.Invalid as problem:
        return _signin_page(request, next_path=next_path, email=email, problem=problem)
    return _go_on(request, entry, next_path)


async def show_second_step(request: web.Request) -> web.StreamResponse:
    """Asks for a code or a passkey, after the first step."""
    return await _second_step_page(request)


async def take_second_step(request: web.Request) -> web.StreamResponse:
    """By a code of the app or one on paper, or what a passkey signed."""
    ground, secret = kit.ground(request), request.cookies.get(STEP_COOKIE, "")
    form = await forms.read(request)
    code = form.line("code", limit=40)
    credential = form.values.get("credential", "")
    try:
        form.check()
        if credential:
            entry = await passkeys.take_second_step(
                ground, secret=secret, credential=credential, visitor=_visitor(request)
            )
        else:
            entry = await second_step.by_code(
                ground, secret=secret, code=code, visitor=_visitor(request)
            )
    except errors.Invalid as problem:
        return await _second_step_page(request, problem=problem)
    kit.context(request).cookies[STEP_COOKIE] = ("", 0)
    return _go_on(request, entry, form.line("next"))


async def ask_second_step(request: web.Request) -> web.StreamResponse:
    """What a passkey has to sign as the second step; the page's script asks for it."""
    secret = request.cookies.get(STEP_COOKIE, "")
    asked = await passkeys.ask_for_second_step(kit.ground(request), secret=secret)
    return web.Response(text=asked.options, content_type="application/json")


async def ask_passkey(request: web.Request) -> web.StreamResponse:
    """What a passkey has to sign to come in by it alone."""
    asked = await passkeys.ask_anybody(kit.ground(request), network=_visitor(request).network)
    _remember_step(request, asked.secret)
    return web.Response(text=asked.options, content_type="application/json")


async def use_passkey(request: web.Request) -> web.StreamResponse:
    """Come in by a passkey."""
    form = await forms.read(request)
    next_path = form.line("next")
    try:
        entry = await passkeys.enter(
            kit.ground(request),
            secret=request.cookies.get(STEP_COOKIE, ""),
            credential=form.values.get("credential", ""),
            visitor=_visitor(request),
        )
    except (errors.Invalid, errors.BadToken) as problem:
        return _signin_page(request, next_path=next_path, problem=problem)
    kit.context(request).cookies[STEP_COOKIE] = ("", 0)
    return _go_on(request, entry, next_path)


async def show_forgotten(request: web.Request) -> web.StreamResponse:
    """Asks for the address to which a link is mailed."""
    email = request.query.get("email", "")
    return kit.render(request, "accounts/forgotten.html", email=email, problem="")


async def send_reset(request: web.Request) -> web.StreamResponse:
    """Mail the link, to staff only; the answer is the same for everybody."""
    form = await forms.read(request)
    email = form.line("email", limit=300, required=True)
    try:
        form.check()
        await signin.request_reset(
            kit.ground(request), email=email, network=_visitor(request).network
        )
    except errors.Invalid as problem:
        said = problem.say(kit.translator(request))
        return kit.render(request, "accounts/forgotten.html", status=422, email=email, problem=said)
    return kit.render(request, "accounts/link_sent.html", email=email, is_reset=True)


async def show_reset(request: web.Request) -> web.StreamResponse:
    """The form for another password; opening it spends nothing."""
    return await _reset_page(request)


async def reset(request: web.Request) -> web.StreamResponse:
    """Keep the password and ask to sign in with it."""
    form = await forms.read(request)
    try:
        await signin.reset_password(
            kit.ground(request),
            secret=request.match_info["secret"],
            password=form.values.get("password", ""),
        )
    except errors.Invalid as problem:
        return await _reset_page(request, problem=problem)
    kit.context(request).cookies[middleware.SESSION_COOKIE] = ("", 0)
    return kit.render(request, "accounts/reset_done.html")


async def show_link(request: web.Request) -> web.StreamResponse:
    """A page with a button: opening the link changes nothing, so scanners can't spend it."""
    return await _link_page(request)


async def use_link(request: web.Request) -> web.StreamResponse:
    """Spend the link and go in; whoever was invited may choose a password on the way."""
    ground, secret = kit.ground(request), request.match_info["secret"]
    # The page of a link has nothing to fill in, that of an invitation has.
    typed = (await forms.read(request)) if request.can_read_body else forms.Form(MultiDict())
    password = typed.values.get("password", "")
    visitor = _visitor(request)
    try:
        entry = (
            await signin.accept(
                ground,
                secret=secret,
                name=typed.line("name", limit=100),
                password=password,
                visitor=visitor,
            )
            if password
            else await signin.use_link(ground, secret=secret, visitor=visitor)
        )
    except errors.Invalid as problem:
        return await _link_page(request, problem=problem)
    if entry.needs_second_step:
        return _go_on(request, entry, "")
    remember(request, entry.secret)
    person = await sessions.find(ground, secret=entry.secret)
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


def remember(request: web.Request, secret: str) -> None:
    """Put the session's secret into the browser's cookie."""
    days = kit.ground(request).settings.security.session_days
    kit.context(request).cookies[middleware.SESSION_COOKIE] = (secret, days * 86_400)


def _go_on(request: web.Request, entry: Entry, next_path: str) -> web.Response:
    """To the second step, or in."""
    if entry.needs_second_step:
        _remember_step(request, entry.secret)
        wanted = _next(next_path)
        query = {} if wanted == "/staff" else {"next": wanted}
        return kit.redirect(request, str(URL(_SECOND_STEP).with_query(query)))
    remember(request, entry.secret)
    return kit.redirect(request, _next(next_path))


def _signin_page(
    request: web.Request,
    *,
    next_path: str,
    email: str = "",
    problem: errors.HandbillError | None = None,
) -> web.Response:
    return kit.render(
        request,
        "accounts/signin.html",
        status=422 if problem else 200,
        email=email,
        next_path=next_path,
        problem=problem.say(kit.translator(request)) if problem else "",
    )


async def _second_step_page(
    request: web.Request, *, problem: errors.Invalid | None = None
) -> web.StreamResponse:
    secret = request.cookies.get(STEP_COOKIE, "")
    try:
        has_passkey = await second_step.has_passkey(kit.ground(request), secret=secret)
    except errors.BadToken as late:
        return _signin_page(request, next_path="", problem=late)
    return kit.render(
        request,
        "accounts/second_step.html",
        status=422 if problem else 200,
        has_passkey=has_passkey,
        next_path=request.query.get("next", ""),
        problem=problem.say(kit.translator(request)) if problem else "",
    )


async def _link_page(
    request: web.Request, *, problem: errors.Invalid | None = None
) -> web.StreamResponse:
    """For signing in, for an invitation, or what to do as the link does not work any more."""
    secret = request.match_info["secret"]
    link = await signin.look(kit.ground(request), secret=secret)
    if link is not None:
        kit.speak(request, link.person.language)
    speaks = kit.translator(request)
    is_open = link is not None and link.is_open and link.kind is not LinkKind.PASSWORD
    is_invitation = link is not None and link.kind is LinkKind.INVITATION
    role, hint = ROLE_WORDS.get(Role(link.person.role), ("", "")) if link else ("", "")
    return kit.render(
        request,
        "accounts/invited.html" if is_open and is_invitation else "accounts/link.html",
        status=(422 if problem else 200) if is_open else 400,
        secret=secret,
        link=link,
        is_open=is_open,
        is_invitation=is_invitation,
        role=speaks.gettext(role) if role else "",
        hint=speaks.gettext(hint) if hint else "",
        minimum=kit.ground(request).settings.security.password_min_length,
        problem=problem.say(speaks) if problem else "",
    )


async def _reset_page(
    request: web.Request, *, problem: errors.Invalid | None = None
) -> web.StreamResponse:
    link = await signin.look(kit.ground(request), secret=request.match_info["secret"])
    is_open = link is not None and link.is_open and link.kind is LinkKind.PASSWORD
    if link is not None and is_open:
        kit.speak(request, link.person.language)
    return kit.render(
        request,
        "accounts/reset.html",
        status=(422 if problem else 200) if is_open else 400,
        link=link,
        secret=request.match_info["secret"],
        is_open=is_open,
        minimum=kit.ground(request).settings.security.password_min_length,
        problem=problem.say(kit.translator(request)) if problem else "",
    )


def _remember_step(request: web.Request, secret: str) -> None:
    kit.context(request).cookies[STEP_COOKIE] = (secret, int(WITHIN.total_seconds()))


def _next(path: str | None) -> str:
    """Only pages of the staff room; anything else would be an open redirect."""
    is_ours = path and path.startswith("/staff") and "\\" not in path and path.isprintable()
    return path if is_ours and path else "/staff"


def _visitor(request: web.Request) -> Visitor:
    proxies = kit.ground(request).settings.server.trusted_proxies
    return Visitor(
        browser=request.headers.get("User-Agent", ""),
        network=security.client_network(request, proxies),
    )
