"""The public pages by which an organisation applies to join the coalition (`/join`).

They end where the office decides; what a member does afterwards is in `membership_pages.py`.
"""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from foundation import errors
from foundation.i18n import N_
from foundation.tokens import Purpose
from foundation.web import forms, kit, security
from subscribers import applying, plainly, public_links, questions, statements
from subscribers.member_models import ContactDuty

HONEYPOT = "fax"
"""A field that people don't see; whoever fills it in is a program."""

_FIELDS = (
    "name",
    "website",
    "town",
    "languages",
    "mission",
    "contact_name",
    "contact_email",
    "contact_role",
    "second_name",
    "second_email",
    "second_role",
    "wants_listing",
    "agrees",
)
_DUTIES = ("contact_duties", "second_duties")


def routes() -> list[web.RouteDef]:
    """What is here."""
    return [
        web.get("/join", show),
        web.post("/join", send),
        web.get("/join/sent", sent),
        web.get("/join/confirm/{token}", ask),
        web.post("/join/confirm/{token}", confirm),
        web.get("/join/answer/{token}", show_question),
        web.post("/join/answer/{token}", answer),
    ]


async def show(request: web.Request) -> web.Response:
    """`GET /join`: the application."""
    return await _page(request, values={}, problem=None)


async def send(request: web.Request) -> web.Response:
    """`POST /join`: takes the application; the answer is the same whatever was known before."""
    form = await forms.read(request)
    try:
        if form.line(HONEYPOT):
            return _to_sent(request)
        check_time(request, form.line("shown"))
        application = applying.Application(
            name=form.line("name", limit=120, required=True),
            website=_website(form.line("website", limit=300)),
            town=form.line("town", limit=120),
            languages=_listed(form.line("languages", limit=200)),
            mission=form.text("mission", limit=2000),
            contact_name=form.line("contact_name", limit=120, required=True),
            contact_email=form.line("contact_email", limit=320, required=True),
            contact_role=form.line("contact_role", limit=120),
            contact_duties=duties(form, "contact_duties"),
            second=_second(form),
            wants_listing=form.flag("wants_listing"),
            agrees=form.flag("agrees"),
            statement_version=form.number("statement_version", default=0) or 0,
            language=kit.translator(request).language,
            network=_network(request),
        )
        form.check()
        await applying.apply(kit.ground(request), application=application)
    except errors.Invalid as problem:
        values: dict[str, Any] = {name: form.values.get(name, "") for name in (*_FIELDS, "shown")}
        values |= {name: form.lines(name) for name in _DUTIES}
        return await _page(request, values=values, problem=problem)
    return _to_sent(request)


async def sent(request: web.Request) -> web.Response:
    """`GET /join/sent`: look into your mail."""
    return kit.render(request, "people/join_sent.html")


async def ask(request: web.Request) -> web.Response:
    """`GET /join/confirm/{token}`: a button; looking at it changes nothing."""
    member, contact = await applying.of_token(
        kit.ground(request), token=request.match_info["token"]
    )
    kit.speak(request, member.language)
    return kit.render(request, "people/join_confirm.html", member=member, contact=contact)


async def confirm(request: web.Request) -> web.Response:
    """`POST /join/confirm/{token}`: the contact pressed the button."""
    result = await applying.confirm(
        kit.ground(request), token=request.match_info["token"], network=_network(request)
    )
    kit.speak(request, result.language)
    return kit.render(
        request,
        "people/join_done.html",
        status=410 if result.outcome is applying.Confirmed.TOO_LATE else 200,
        result=result,
    )


async def show_question(request: web.Request) -> web.Response:
    """`GET /join/answer/{token}`: what the office asks, with room for the answer."""
    asked = await questions.look(kit.ground(request), token=request.match_info["token"])
    return _question(request, asked)


async def answer(request: web.Request) -> web.Response:
    """`POST /join/answer/{token}`: the answer, which goes to the office."""
    form = await forms.read(request)
    token = request.match_info["token"]
    try:
        text = form.text("answer", limit=questions.LONGEST)
        form.check()
        asked = await questions.answer(kit.ground(request), token=token, text=text)
    except errors.Invalid as problem:
        asked = await questions.look(kit.ground(request), token=token)
        return _question(request, asked, typed=form.values.get("answer", ""), problem=problem)
    return _question(request, asked)


def duties(form: forms.Form, name: str) -> list[ContactDuty]:
    """What was ticked of the things that a contact looks after."""
    return [ContactDuty(each) for each in form.lines(name) if each in set(ContactDuty)]


def duty_choices(request: web.Request) -> list[tuple[str, str, str]]:
    """What there is to tick, in the reader's language."""
    speaks = kit.translator(request)
    return [
        (duty.value, speaks.gettext(words), speaks.gettext(plainly.DUTY_HINTS[duty]))
        for duty, words in plainly.DUTIES.items()
    ]


def _second(form: forms.Form) -> applying.Named | None:
    """The other contact; nobody where all of it was left blank."""
    name = form.line("second_name", limit=120)
    email = form.line("second_email", limit=320)
    role = form.line("second_role", limit=120)
    if not (name or email or role):
        return None
    return applying.Named(name=name, email=email, role=role, duties=duties(form, "second_duties"))


def _question(
    request: web.Request,
    asked: questions.Asked,
    *,
    typed: str = "",
    problem: errors.Invalid | None = None,
) -> web.Response:
    kit.speak(request, asked.language)
    return public_links.private(
        kit.render(
            request,
            "people/join_question.html",
            status=422 if problem else 200,
            asked=asked,
            typed=typed,
            problems=_said(request, problem),
        )
    )


async def _page(
    request: web.Request, *, values: Mapping[str, Any], problem: errors.Invalid | None
) -> web.Response:
    ground = kit.ground(request)
    async with ground.db.reading() as session:
        statement = await statements.current(ground, session)
    now = int(ground.clock.now().timestamp())
    return kit.render(
        request,
        "people/join.html",
        status=422 if problem else 200,
        values=values,
        problems=_said(request, problem),
        message=problem.say(kit.translator(request)) if problem else "",
        statement=statement.text(kit.translator(request).language),
        statement_version=statement.number,
        duties=duty_choices(request),
        honeypot=HONEYPOT,
        # A page that comes back to be mended keeps the time at which it was first seen.
        shown=values.get("shown") or ground.tokens.seal(Purpose.FORM_TIME, now),
    )


def _said(request: web.Request, problem: errors.Invalid | None) -> dict[str, Any]:
    speaks = kit.translator(request)
    return {name: each.say(speaks) for name, each in problem.fields.items()} if problem else {}


def check_time(request: web.Request, token: str) -> None:
    """Raise `errors.Invalid` for what came too quickly.

    A person needs a moment to fill a form in; a program does not, or brings no time at all.
    """
    ground = kit.ground(request)
    try:
        (shown,) = ground.tokens.open(Purpose.FORM_TIME, token)
    except (errors.BadToken, ValueError):
        shown = None
    needed = ground.settings.signup.min_seconds_on_form
    if shown is None or ground.clock.now().timestamp() - shown < needed:
        raise errors.Invalid(N_("That was very quick. Look it over, then press the button again."))


def _to_sent(request: web.Request) -> web.Response:
    return kit.redirect(request, f"/join/sent?lang={kit.translator(request).language}")


def _website(text: str) -> str:
    """People leave the scheme out."""
    return f"https://{text}" if text and "://" not in text else text


def _listed(text: str) -> list[str]:
    """Words between commas, without blanks and repeats."""
    return list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def _network(request: web.Request) -> str:
    return security.client_network(request, kit.ground(request).settings.server.trusted_proxies)
