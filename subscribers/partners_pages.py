"""Staff's pages about partners, whose own sites carry our form (`/staff/partners`)."""

from typing import Any

from aiohttp import web

from foundation import errors
from foundation.accounts.models import Role
from foundation.i18n import N_
from foundation.web import forms, kit
from subscribers import partners
from subscribers.models import Partner


def routes() -> list[web.RouteDef]:
    """What is here."""
    return [
        web.get("/staff/partners", index),
        web.get("/staff/partners/new", new),
        web.post("/staff/partners/new", create),
        web.get("/staff/partners/{id}", show),
        web.post("/staff/partners/{id}", update),
    ]


@kit.staff(Role.VIEWER)
async def index(request: web.Request) -> web.Response:
    """`GET /staff/partners`: every partner with the sign-ups it brought."""
    return kit.render(
        request, "people/partners.html", standings=await partners.listed(kit.ground(request))
    )


@kit.staff(Role.EDITOR)
async def new(request: web.Request) -> web.Response:
    """`GET /staff/partners/new`: an empty page to fill in."""
    return await _page(request, partner=None, values={"is_active": "1"})


@kit.staff(Role.EDITOR)
async def create(request: web.Request) -> web.Response:
    """`POST /staff/partners/new`: write a partner down."""
    form = await forms.read(request)
    try:
        details = _details(form)
        form.check()
        made = await partners.create(kit.ground(request), actor=kit.actor(request), details=details)
    except errors.Invalid as problem:
        return await _page(request, partner=None, values=_typed(form), problem=problem)
    return _kept(request, made)


@kit.staff(Role.VIEWER)
async def show(request: web.Request) -> web.Response:
    """`GET /staff/partners/{id}`: one partner."""
    partner = await partners.get(kit.ground(request), partner_id=kit.number_in_path(request))
    values = {
        "name": partner.name,
        "key": partner.key,
        "origins": "\n".join(partner.origins),
        "languages": partner.languages,
        "member": str(partner.member_id or ""),
        "is_active": "1" if partner.is_active else "",
    }
    return await _page(request, partner=partner, values=values)


@kit.staff(Role.EDITOR)
async def update(request: web.Request) -> web.Response:
    """`POST /staff/partners/{id}`: change a partner."""
    ground = kit.ground(request)
    form = await forms.read(request)
    partner = await partners.get(ground, partner_id=kit.number_in_path(request))
    try:
        details = _details(form)
        form.check()
        await partners.update(
            ground, actor=kit.actor(request), partner_id=partner.id, details=details
        )
    except errors.Invalid as problem:
        return await _page(request, partner=partner, values=_typed(form), problem=problem)
    return _kept(request, partner)


async def _page(
    request: web.Request,
    *,
    partner: Partner | None,
    values: dict[str, Any],
    problem: errors.Invalid | None = None,
) -> web.Response:
    ground = kit.ground(request)
    speaks = kit.translator(request)
    fields = problem.fields if problem else {}
    return kit.render(
        request,
        "people/partner.html",
        status=422 if problem else 200,
        partner=partner,
        values=values,
        site_languages=[
            (code, ground.catalog.translator(code).name, "") for code in ground.catalog.languages
        ],
        members=[
            (str(member.id), member.name) for member in await partners.possible_members(ground)
        ],
        problems={name: each.say(speaks) for name, each in fields.items()},
        message=problem.say(speaks) if problem else "",
    )


def _details(form: forms.Form) -> partners.Details:
    return partners.Details(
        name=form.line("name", limit=120, required=True),
        key=form.line("key", limit=50, required=True).lower(),
        origins=form.text("origins", limit=2000).split(),
        languages=form.lines("languages"),
        member_id=form.number("member"),
        is_active=form.flag("is_active"),
    )


def _typed(form: forms.Form) -> dict[str, Any]:
    typed: dict[str, Any] = dict(form.values)
    return {
        "name": "",
        "key": "",
        "origins": "",
        "member": "",
        "is_active": "",
        **typed,
        "languages": form.lines("languages"),
    }


def _kept(request: web.Request, partner: Partner) -> web.Response:
    return kit.redirect(
        request,
        f"/staff/partners/{partner.id}",
        flash=kit.translator(request).gettext(N_("Kept.")),
    )
