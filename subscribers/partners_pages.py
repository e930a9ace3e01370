"""Staff's pages about partners, whose own sites carry our form (`/staff/partners`)."""

from datetime import date, timedelta
from typing import Any

from aiohttp import web

from foundation import errors
from foundation.accounts.models import Role
from foundation.i18n import N_
from foundation.web import forms, kit
from subscribers import partner_keys, partners
from subscribers.models import Partner

_LONGEST_DAYS = 730
"""After which a key may be retired."""


def routes() -> list[web.RouteDef]:
    """What is here."""
    return [
        web.get("/staff/partners", index),
        web.get("/staff/partners/new", new),
        web.post("/staff/partners/new", create),
        web.get("/staff/partners/{id}", show),
        web.post("/staff/partners/{id}", update),
        web.post("/staff/partners/{id}/keys", renew_key),
        web.post("/staff/partners/{id}/keys/retire", retire_key),
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
        "contact_name": partner.contact_name,
        "contact_email": partner.contact_email,
        "agreed_on": partner.agreed_on.isoformat() if partner.agreed_on else "",
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


@kit.staff(Role.EDITOR)
async def renew_key(request: web.Request) -> web.Response:
    """`POST /staff/partners/{id}/keys`: a new key beside the present one."""
    form = await forms.read(request)
    partner_id = kit.number_in_path(request)
    made = await partner_keys.renew(
        kit.ground(request),
        actor=kit.actor(request),
        partner_id=partner_id,
        after=_days(form),
    )
    words = kit.translator(request).gettext(N_("The new key is %(key)s. The one before works on."))
    return kit.redirect(request, f"/staff/partners/{partner_id}", flash=words % {"key": made})


@kit.staff(Role.EDITOR)
async def retire_key(request: web.Request) -> web.Response:
    """`POST /staff/partners/{id}/keys/retire`: a former key counts no more, now or later."""
    form = await forms.read(request)
    partner_id = kit.number_in_path(request)
    await partner_keys.retire(
        kit.ground(request),
        actor=kit.actor(request),
        partner_id=partner_id,
        key_id=form.number("key") or 0,
        after=_days(form) or partner_keys.AT_ONCE,
    )
    words = kit.translator(request).gettext(N_("Kept."))
    return kit.redirect(request, f"/staff/partners/{partner_id}", flash=words)


def _days(form: forms.Form) -> timedelta | None:
    days = form.number("days")
    form.check()
    return None if days is None else timedelta(days=min(days, _LONGEST_DAYS))


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
        keys=await partner_keys.former(ground, partner_id=partner.id) if partner else (),
        message=problem.say(speaks) if problem else "",
    )


def _details(form: forms.Form) -> partners.Details:
    return partners.Details(
        name=form.line("name", limit=120, required=True),
        key=form.line("key", limit=50, required=True).lower(),
        origins=form.text("origins", limit=2000).split(),
        languages=form.lines("languages"),
        contact_name=form.line("contact_name", limit=120),
        contact_email=form.line("contact_email", limit=300),
        agreed_on=_date(form, "agreed_on"),
        member_id=form.number("member"),
        is_active=form.flag("is_active"),
    )


def _date(form: forms.Form, name: str) -> date | None:
    text = form.line(name, limit=10)
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        form.problems[name] = errors.Invalid(N_("Write a date as year-month-day."))
        return None


def _typed(form: forms.Form) -> dict[str, Any]:
    typed: dict[str, Any] = dict(form.values)
    return {
        "name": "",
        "key": "",
        "origins": "",
        "contact_name": "",
        "contact_email": "",
        "agreed_on": "",
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
