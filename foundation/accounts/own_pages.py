"""Pages of one's own account: name, language, password, second step, passkeys and sessions."""

import asyncio
import base64
import textwrap
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from foundation import errors
from foundation.accounts import browsers, pages, passkeys, second_step, sessions, signin, team
from foundation.accounts.models import Role, StaffSession
from foundation.i18n import N_, Translator
from foundation.web import forms, kit

_HERE = "/staff/account"


@dataclass(frozen=True, slots=True)
class Drawing:
    """Draws a text as a code for a telephone's camera, as SVG."""

    draw: Callable[[str], bytes]


DRAWING: web.AppKey[Drawing] = web.AppKey("drawing", Drawing)


def routes() -> list[web.RouteDef]:
    """One's own account."""
    return [
        web.get(_HERE, show),
        web.post(_HERE, save),
        web.post("/staff/account/password", save_password),
        web.post("/staff/account/prove", prove),
        web.post("/staff/account/app", begin_app),
        web.post("/staff/account/app/confirm", confirm_app),
        web.post("/staff/account/app/remove", remove_app),
        web.post("/staff/account/codes", renew_codes),
        web.post("/staff/account/passkeys/ask", ask_passkey),
        web.post("/staff/account/passkeys", add_passkey),
        web.post("/staff/account/passkeys/{id}", rename_passkey),
        web.post("/staff/account/passkeys/{id}/remove", remove_passkey),
        web.post("/staff/account/sessions/end-others", end_others),
        web.post("/staff/account/sessions/{id}/end", end_session),
    ]


@kit.staff(Role.PARTNER)
async def show(request: web.Request) -> web.StreamResponse:
    """Everything about one's own account."""
    return await _page(request)


@kit.staff(Role.PARTNER)
async def save(request: web.Request) -> web.StreamResponse:
    """Keep name and language."""
    form = await forms.read(request)
    name, language = form.line("name", limit=100), form.line("language", limit=20)
    form.check()
    person = kit.signed_in(request)
    await team.set_profile(
        kit.ground(request), staff_id=person.staff_id, name=name, language=language
    )
    kit.speak(request, language)
    return _back(request, N_("Saved."))


@kit.staff(Role.PARTNER)
async def save_password(request: web.Request) -> web.StreamResponse:
    """Choose a password; the other browsers are signed out."""
    form = await forms.read(request)
    person = kit.signed_in(request)
    if not person.has_password:
        _check_proven(request)
    try:
        secret = await signin.set_password(
            kit.ground(request),
            staff_id=person.staff_id,
            session_id=person.session_id,
            present=form.values.get("present", ""),
            password=form.values.get("password", ""),
        )
    except errors.Invalid as problem:
        return await _page(request, problem=problem)
    pages.remember(request, secret)
    return _back(request, N_("Your password is set. Your other browsers were signed out."))


@kit.staff(Role.PARTNER)
async def prove(request: web.Request) -> web.StreamResponse:
    """Show by the password that it is them, so that they may change how they come in."""
    form = await forms.read(request)
    person = kit.signed_in(request)
    try:
        secret = await signin.prove(
            kit.ground(request),
            staff_id=person.staff_id,
            session_id=person.session_id,
            password=form.values.get("prove_password", ""),
        )
    except errors.Invalid as problem:
        said = errors.Invalid(problem.msgid, fields={"prove_password": problem})
        return await _page(request, problem=said)
    pages.remember(request, secret)
    return kit.redirect(request, f"{_HERE}#second-step")


@kit.staff(Role.PARTNER)
async def begin_app(request: web.Request) -> web.StreamResponse:
    """Show the picture that an app reads."""
    _check_proven(request)
    return await _app_page(request)


@kit.staff(Role.PARTNER)
async def confirm_app(request: web.Request) -> web.StreamResponse:
    """See that the app shows the right codes, and ask for them from now on."""
    _check_proven(request)
    form = await forms.read(request)
    try:
        sheet = await second_step.confirm_app(
            kit.ground(request),
            staff_id=kit.signed_in(request).staff_id,
            code=form.line("code", limit=40),
        )
    except errors.Invalid as problem:
        return await _app_page(request, problem=problem)
    await _renew(request)
    return _kept(request, sheet, N_("From now on you are asked for a code when you sign in."))


@kit.staff(Role.PARTNER)
async def remove_app(request: web.Request) -> web.StreamResponse:
    """Ask for no more codes."""
    _check_proven(request)
    await second_step.remove_app(kit.ground(request), staff_id=kit.signed_in(request).staff_id)
    return _back(request, N_("The app is removed. You can delete it from your telephone."))


@kit.staff(Role.PARTNER)
async def renew_codes(request: web.Request) -> web.StreamResponse:
    """New codes for paper, shown this once."""
    _check_proven(request)
    sheet = await second_step.renew_sheet(
        kit.ground(request), staff_id=kit.signed_in(request).staff_id
    )
    return _codes_page(request, sheet)


@kit.staff(Role.PARTNER)
async def ask_passkey(request: web.Request) -> web.StreamResponse:
    """What the person's device is asked to make; the page's script wants it."""
    _check_proven(request)
    asked = await passkeys.ask_to_add(kit.ground(request), staff_id=kit.signed_in(request).staff_id)
    kit.context(request).cookies[pages.STEP_COOKIE] = (asked.secret, 600)
    return web.Response(text=asked.options, content_type="application/json")


@kit.staff(Role.PARTNER)
async def add_passkey(request: web.Request) -> web.StreamResponse:
    """Keep what the device made."""
    _check_proven(request)
    form = await forms.read(request)
    try:
        sheet = await passkeys.add(
            kit.ground(request),
            staff_id=kit.signed_in(request).staff_id,
            secret=request.cookies.get(pages.STEP_COOKIE, ""),
            credential=form.values.get("credential", ""),
            name=form.line("passkey_name", limit=60),
        )
    except errors.Invalid as problem:
        said = errors.Invalid(problem.msgid, fields={"passkey_name": problem})
        return await _page(request, problem=said)
    await _renew(request)
    return _kept(request, sheet, N_("The passkey is added. Sign in with it next time."))


@kit.staff(Role.PARTNER)
async def rename_passkey(request: web.Request) -> web.StreamResponse:
    """Call one something else."""
    form = await forms.read(request)
    await passkeys.rename(
        kit.ground(request),
        staff_id=kit.signed_in(request).staff_id,
        passkey_id=kit.number_in_path(request),
        name=form.line("name", limit=60),
    )
    return _back(request, N_("Saved."))


@kit.staff(Role.PARTNER)
async def remove_passkey(request: web.Request) -> web.StreamResponse:
    """Let one in no more."""
    _check_proven(request)
    await passkeys.remove(
        kit.ground(request),
        staff_id=kit.signed_in(request).staff_id,
        passkey_id=kit.number_in_path(request),
    )
    return _back(request, N_("The passkey lets nobody in any more."))


@kit.staff(Role.PARTNER)
async def end_session(request: web.Request) -> web.StreamResponse:
    """Sign another browser out."""
    await sessions.end_own(
        kit.ground(request),
        staff_id=kit.signed_in(request).staff_id,
        session_id=kit.number_in_path(request),
    )
    return _back(request, N_("That browser is signed out."))


@kit.staff(Role.PARTNER)
async def end_others(request: web.Request) -> web.StreamResponse:
    """Sign all other browsers out."""
    person = kit.signed_in(request)
    async with kit.ground(request).db.transaction() as session:
        await sessions.end_others(session, staff_id=person.staff_id, kept=person.session_id)
    return _back(request, N_("Your other browsers are signed out."))


def _back(request: web.Request, words: str) -> web.Response:
    return kit.redirect(request, _HERE, flash=kit.translator(request).gettext(words))


def _is_proven(request: web.Request) -> bool:
    proven_at = kit.signed_in(request).proven_at
    return (
        proven_at is not None and kit.ground(request).clock.now() - proven_at < sessions.PROVEN_FOR
    )


def _check_proven(request: web.Request) -> None:
    if not _is_proven(request):
        raise errors.Forbidden(
            N_("Show first that it is you: on the page of your account, type your password.")
        )


async def _renew(request: web.Request) -> None:
    """Another secret for this browser: from now on it stands for more."""
    session_id = kit.signed_in(request).session_id
    secret = await sessions.renew(kit.ground(request), session_id=session_id)
    pages.remember(request, secret)
    kit.context(request).signed_in = await sessions.find(kit.ground(request), secret=secret)


def _kept(request: web.Request, sheet: tuple[str, ...], words: str) -> web.Response:
    """The codes for paper, if there are new ones; else the account."""
    return _codes_page(request, sheet) if sheet else _back(request, words)


def _codes_page(request: web.Request, sheet: tuple[str, ...]) -> web.Response:
    return kit.render(request, "accounts/codes.html", sheet=sheet)


async def _app_page(request: web.Request, *, problem: errors.Invalid | None = None) -> web.Response:
    ground = kit.ground(request)
    offer = await second_step.offer_app(ground, staff_id=kit.signed_in(request).staff_id)
    drawn = await asyncio.to_thread(request.app[DRAWING].draw, offer.address)
    return kit.render(
        request,
        "accounts/app.html",
        status=422 if problem else 200,
        picture=base64.b64encode(drawn).decode(),
        secret=" ".join(textwrap.wrap(offer.secret, 4)),
        problem=problem.say(kit.translator(request)) if problem else "",
    )


async def _page(request: web.Request, *, problem: errors.Invalid | None = None) -> web.Response:
    speaks, ground, person = kit.translator(request), kit.ground(request), kit.signed_in(request)
    catalog = ground.catalog
    return kit.render(
        request,
        "accounts/account.html",
        status=422 if problem else 200,
        person=person,
        offered=[(code, catalog.translator(code).name) for code in catalog.languages],
        minimum=ground.settings.security.password_min_length,
        is_proven=_is_proven(request),
        step=await second_step.state(ground, staff_id=person.staff_id),
        browsers=[
            (each, _named(each, speaks), each.id == person.session_id)
            for each in await sessions.of_person(ground, staff_id=person.staff_id)
        ],
        problems={
            name: each.say(speaks) for name, each in (problem.fields if problem else {}).items()
        },
    )


def _named(found: StaffSession, speaks: Translator) -> str:
    browser, system = browsers.named(found.browser)
    if browser and system:
        return speaks.gettext(browsers.ON) % {"browser": browser, "system": system}
    return browser or system or speaks.gettext(browsers.UNKNOWN)
