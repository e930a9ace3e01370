"""Pages about members: who is one (`/members`), and each one's own behind its mailed link."""

from collections.abc import Awaitable
from typing import Any

from aiohttp import web

from foundation import errors
from foundation.i18n import N_
from foundation.web import forms, kit, middleware
from foundation.web.forms import Form
from subscribers import belonging, listing, logos, public_links

_SAID = {
    "stay": N_("Thank you for staying with us."),
    "show": N_("Kept."),
    "logo": N_("Kept. This is how we show it."),
    "drop-logo": N_("Taken away."),
}


def routes() -> list[web.RouteDef]:
    """What is here."""
    return [
        web.get("/members", index),
        web.get("/members/{id}/logo/{digest}", logo),
        web.get("/member/{token}", show),
        web.post("/member/{token}", act),
    ]


async def index(request: web.Request) -> web.Response:
    """`GET /members`: the members that want to be named."""
    return kit.render(
        request, "people/members_public.html", members=await listing.listed(kit.ground(request))
    )


async def logo(request: web.Request) -> web.Response:
    """`GET /members/{id}/logo/{digest}`: a member's logo, as we drew it."""
    content = await listing.logo(
        kit.ground(request),
        member_id=kit.number_in_path(request),
        digest=request.match_info["digest"],
    )
    return web.Response(
        body=content,
        content_type="image/png",
        headers={"Cache-Control": "public, max-age=86400"},
    )


async def show(request: web.Request) -> web.Response:
    """`GET /member/{token}`: a member's own page; looking at it changes nothing."""
    own = await belonging.look(kit.ground(request), token=request.match_info["token"])
    return _page(request, own, said=_SAID.get(request.query.get("done", ""), ""))


@kit.takes_files
async def act(request: web.Request) -> web.Response:
    """`POST /member/{token}`: stay, be named, send the logo, or leave."""
    form = await forms.read(request)
    action = form.line("action")
    ground, token = kit.ground(request), request.match_info["token"]
    if action == "ask-to-leave":
        own = await belonging.look(ground, token=token)
        return _page(request, own, is_leaving=True)
    verb = _verb(request, form, action)
    if verb is None:
        return await show(request)
    try:
        own = await verb
    except (errors.Invalid, errors.Refused, errors.Conflict) as problem:
        own = await belonging.look(ground, token=token)
        return _page(request, own, problem=problem, typed=form)
    if action == "leave":
        return _page(request, own)
    language = f"&lang={request.query['lang']}" if "lang" in request.query else ""
    return kit.redirect(request, f"/member/{token}?done={action}{language}")


def _verb(request: web.Request, form: Form, action: str) -> Awaitable[belonging.Own] | None:
    ground, token = kit.ground(request), request.match_info["token"]
    if action == "stay":
        return belonging.stay(ground, token=token, agrees=form.flag("agrees"))
    if action == "show":
        return _named(request, form)
    if action == "logo":
        return _logo(request, form)
    if action == "drop-logo":
        return belonging.drop_logo(ground, token=token)
    if action == "leave":
        return belonging.leave(ground, token=token, reason=form.text("reason", limit=1000))
    return None


async def _named(request: web.Request, form: Form) -> belonging.Own:
    said = {
        "mission": form.text("mission", limit=2000),
        "website": form.line("website", limit=300),
        "town": form.line("town", limit=120),
    }
    form.check()
    return await belonging.show(
        kit.ground(request),
        token=request.match_info["token"],
        is_listed=form.flag("is_listed"),
        **said,
    )


async def _logo(request: web.Request, form: Form) -> belonging.Own:
    alt = form.line("alt", limit=200)
    form.check()
    sent = next((each for each in request.get(forms.FILES, ()) if each.name == "logo"), None)
    content = sent.file.read(logos.MAX_BYTES + 1) if sent else b""
    return await belonging.put_logo(
        kit.ground(request), token=request.match_info["token"], content=content, alt=alt
    )


def _page(
    request: web.Request,
    own: belonging.Own,
    *,
    said: str = "",
    is_leaving: bool = False,
    problem: errors.HandbillError | None = None,
    typed: Form | None = None,
) -> web.Response:
    kit.speak(request, own.member.language)
    speaks = kit.translator(request)
    fields = problem.fields if isinstance(problem, errors.Invalid) else {}
    values: dict[str, Any] = {
        "website": own.member.website,
        "town": own.member.town,
        "mission": own.member.mission,
        "is_listed": own.member.is_listed,
        "alt": own.logo.alt if own.logo else "",
        **(typed.values if typed else {}),
    }
    return public_links.private(
        kit.render(
            request,
            "people/member_own.html",
            status=middleware.status_of(problem) if problem else 200,
            own=own,
            member=own.member,
            words=own.statement.text(speaks.language),
            is_new_statement=own.statement.number > own.member.statement_version,
            is_asked=own.member.renewal_asked_at is not None,
            is_leaving=is_leaving,
            values=values,
            said=speaks.gettext(said) if said else "",
            problems={name: each.say(speaks) for name, each in fields.items()},
            message=problem.say(speaks) if problem else "",
        )
    )
