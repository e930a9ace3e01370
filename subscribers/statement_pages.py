"""The coalition's statement: read and signed by everybody, written and looked after by staff."""

from typing import Any

from aiohttp import web

from foundation import errors
from foundation.accounts.models import Role
from foundation.i18n import N_
from foundation.tokens import Purpose
from foundation.web import forms, kit, middleware
from subscribers import join, plainly, public_links, received, signing, statements
from subscribers.member_models import SignOnState

_FIELDS = ("organisation", "town", "name", "email", "agrees", "shown")


def routes() -> list[web.RouteDef]:
    """What is here."""
    return [
        web.get("/statement", show),
        web.post("/statement", sign),
        web.get("/statement/sent", sent),
        web.get("/statement/confirm/{token}", ask),
        web.post("/statement/confirm/{token}", act),
        web.get("/staff/statement", office),
        web.post("/staff/statement", write),
        web.post("/staff/statement/signatures/{id}", decide),
    ]


async def show(request: web.Request) -> web.Response:
    """`GET /statement[?version=N]`: the words, who signed them, and the form to sign."""
    return await _page(request, values={})


async def sign(request: web.Request) -> web.Response:
    """`POST /statement`: takes a signature; the answer is the same whatever was known before."""
    form = await forms.read(request)
    try:
        if form.line(join.HONEYPOT):
            return _to_sent(request)
        join.check_time(request, form.line("shown"))
        signature = signing.Signature(
            organisation=form.line("organisation", limit=120, required=True),
            town=form.line("town", limit=120),
            name=form.line("name", limit=120, required=True),
            email=form.line("email", limit=320, required=True),
            agrees=form.flag("agrees"),
            version=form.number("statement_version", default=0) or 0,
            language=kit.translator(request).language,
            network=received.network(request),
        )
        form.check()
        await signing.sign(kit.ground(request), signature=signature)
    except errors.Invalid as problem:
        values = {name: form.values.get(name, "") for name in _FIELDS}
        return await _page(request, values=values, problem=problem)
    return _to_sent(request)


async def sent(request: web.Request) -> web.Response:
    """`GET /statement/sent`: look into your mail."""
    return kit.render(request, "people/statement_sent.html")


async def ask(request: web.Request) -> web.Response:
    """`GET /statement/confirm/{token}`: what was signed; looking at it changes nothing."""
    link = await signing.look(kit.ground(request), token=request.match_info["token"])
    return await _link(request, link)


async def act(request: web.Request) -> web.Response:
    """`POST /statement/confirm/{token}`: confirm the signature, or take it back."""
    form = await forms.read(request)
    is_withdrawn = form.line("action") == "withdraw"
    verb = signing.withdraw if is_withdrawn else signing.confirm
    return await _link(request, await verb(kit.ground(request), token=request.match_info["token"]))


@kit.staff(Role.VIEWER)
async def office(request: web.Request) -> web.Response:
    """`GET /staff/statement`: every version, who signed which, and room for a new one."""
    return await _office(request, values={})


@kit.staff(Role.EDITOR)
async def write(request: web.Request) -> web.Response:
    """`POST /staff/statement`: a new version in every language."""
    form = await forms.read(request)
    ground = kit.ground(request)
    try:
        texts = {
            code: form.text(f"text.{code}", limit=statements.LONGEST)
            for code in ground.catalog.languages
        }
        form.check()
        await statements.write(
            ground,
            actor=kit.actor(request),
            after=form.number("after", default=0) or 0,
            texts=texts,
        )
    except (errors.Invalid, errors.Conflict) as problem:
        return await _office(request, values=dict(form.values), problem=problem)
    said = N_("Kept. From now on organizations are asked for this version.")
    return _to_office(request, said)


@kit.staff(Role.EDITOR)
async def decide(request: web.Request) -> web.Response:
    """`POST /staff/statement/signatures/{id}`: show a confirmed signature, or don't."""
    form = await forms.read(request)
    show_it = form.flag("show")
    await signing.decide(
        kit.ground(request),
        actor=kit.actor(request),
        sign_on_id=kit.number_in_path(request),
        show=show_it,
    )
    return _to_office(request, N_("It is shown now.") if show_it else N_("It is not shown."))


async def _page(
    request: web.Request, *, values: dict[str, str], problem: errors.Invalid | None = None
) -> web.Response:
    ground = kit.ground(request)
    speaks = kit.translator(request)
    asked = request.query.get("version", "")
    async with ground.db.reading() as session:
        newest = await statements.current(ground, session)
        number = int(asked) if asked.isdecimal() and len(asked) < 6 else newest.number
        version = await statements.version(ground, session, number)
    now = int(ground.clock.now().timestamp())
    return kit.render(
        request,
        "people/statement.html",
        status=422 if problem else 200,
        version=version,
        newest=newest,
        words=version.text(speaks.language),
        signatures=await signing.shown(ground),
        values=values,
        problems=_said(request, problem),
        message=problem.say(speaks) if problem else "",
        honeypot=join.HONEYPOT,
        shown=values.get("shown") or ground.tokens.seal(Purpose.FORM_TIME, now),
    )


async def _link(request: web.Request, link: signing.Link) -> web.Response:
    ground = kit.ground(request)
    kit.speak(request, link.row.language)
    async with ground.db.reading() as session:
        version = await statements.version(ground, session, link.row.statement_version)
    is_too_late = link.row.state == SignOnState.PENDING and link.is_too_old
    return public_links.private(
        kit.render(
            request,
            "people/statement_link.html",
            status=410 if is_too_late else 200,
            row=link.row,
            state="too-late" if is_too_late else link.row.state,
            version=version,
            words=version.text(kit.translator(request).language),
        )
    )


async def _office(
    request: web.Request,
    *,
    values: dict[str, str],
    problem: errors.Invalid | errors.Conflict | None = None,
) -> web.Response:
    ground = kit.ground(request)
    speaks = kit.translator(request)
    versions = await statements.everything(ground)
    filled: dict[str, Any] = {f"text.{code}": words for code, words in versions[0].texts.items()}
    return kit.render(
        request,
        "people/statement_office.html",
        status=middleware.status_of(problem) if problem else 200,
        versions=versions,
        signatures=await signing.everything(ground),
        states=plainly.SIGN_ON_STATES,
        tones=plainly.SIGN_ON_TONES,
        values=filled | values,
        site_languages=[
            (code, ground.catalog.translator(code).name) for code in ground.catalog.languages
        ],
        problems=_said(request, problem),
        message=problem.say(speaks) if problem else "",
    )


def _said(request: web.Request, problem: errors.HandbillError | None) -> dict[str, str]:
    fields = problem.fields if isinstance(problem, errors.Invalid) else {}
    return {name: each.say(kit.translator(request)) for name, each in fields.items()}


def _to_sent(request: web.Request) -> web.Response:
    return kit.redirect(request, f"/statement/sent?lang={kit.translator(request).language}")


def _to_office(request: web.Request, msgid: str) -> web.Response:
    return kit.redirect(request, "/staff/statement", flash=kit.translator(request).gettext(msgid))
