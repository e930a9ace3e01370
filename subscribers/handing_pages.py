"""People for a partner's own list, and who may sign in for it (`/staff/partners/{id}/people`)."""

from aiohttp import web

from foundation import errors
from foundation.accounts import team
from foundation.accounts.models import Role
from foundation.i18n import N_
from foundation.web import forms, kit
from subscribers import handing_on, partners


def routes() -> list[web.RouteDef]:
    """What is here."""
    return [
        web.get("/staff/partners/{id}/people", show),
        web.post("/staff/partners/{id}/people.csv", download),
        web.post("/staff/partners/{id}/people/webhook", set_webhook),
        web.post("/staff/partners/{id}/signins", invite),
        web.post("/staff/partners/{id}/signins/close", close),
    ]


@kit.partner_or_staff
async def show(request: web.Request) -> web.Response:
    """`GET /staff/partners/{id}/people`: how many wait, and how they are fetched."""
    return await _page(request)


@kit.partner_or_staff
async def download(request: web.Request) -> web.StreamResponse:
    """`POST /staff/partners/{id}/people.csv`: what is new, or what came after a cursor.

    The header `Handbill-Cursor` names what the file reaches to.
    """
    _check_may_hand_on(request)
    ground = kit.ground(request)
    form = await forms.read(request)
    after = form.line("after", limit=100) if "after" in form.values else None
    partner_id = kit.number_in_path(request)
    try:
        span, cursor = await handing_on.take(
            ground, actor=kit.actor(request), partner_id=partner_id, after=after
        )
    except errors.Invalid as problem:
        return await _page(request, problem=problem)
    day = ground.clock.now().astimezone(ground.settings.site.tzinfo).date()
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Disposition": f'attachment; filename="people-{day.isoformat()}.csv"',
            "Cache-Control": "no-store",
            "Handbill-Cursor": cursor,
        }
    )
    await response.prepare(request)
    async for piece in handing_on.chunks(ground, span):
        await response.write(piece)
    await response.write_eof()
    return response


@kit.partner_or_staff
async def set_webhook(request: web.Request) -> web.Response:
    """`POST /staff/partners/{id}/people/webhook`: tell a program, or no longer."""
    _check_may_hand_on(request)
    form = await forms.read(request)
    partner_id = kit.number_in_path(request)
    url = form.line("url", limit=2000)
    try:
        form.check()
        await handing_on.set_webhook(
            kit.ground(request), actor=kit.actor(request), partner_id=partner_id, url=url
        )
    except errors.Invalid as problem:
        return await _page(request, problem=problem, url=url)
    return _kept(request, partner_id)


@kit.staff(Role.OWNER)
async def invite(request: web.Request) -> web.Response:
    """`POST /staff/partners/{id}/signins`: somebody of the partner may sign in."""
    ground = kit.ground(request)
    form = await forms.read(request)
    partner = await partners.get(ground, partner_id=kit.number_in_path(request))
    email = form.line("email", limit=300, required=True)
    name = form.line("name", limit=100)
    try:
        form.check()
        await team.add(
            ground,
            actor=kit.actor(request),
            email=email,
            role=Role.PARTNER,
            name=name,
            language=next(iter(partner.languages), None),
            is_mailed=True,
            partner_id=partner.id,
        )
    except errors.Invalid as problem:
        return await _page(request, problem=problem)
    words = kit.translator(request).gettext(N_("The invitation to %(email)s is on its way."))
    return kit.redirect(
        request, f"/staff/partners/{partner.id}/people", flash=words % {"email": email}
    )


@kit.staff(Role.OWNER)
async def close(request: web.Request) -> web.Response:
    """`POST /staff/partners/{id}/signins/close`: somebody of the partner may not any more."""
    ground = kit.ground(request)
    form = await forms.read(request)
    partner_id = kit.number_in_path(request)
    staff_id = form.number("staff") or 0
    if staff_id not in {each.id for each in await team.of_partner(ground, partner_id=partner_id)}:
        raise errors.NotFound(N_("There is no such person."))
    await team.change(
        ground,
        actor=kit.actor(request),
        staff_id=staff_id,
        role=Role.PARTNER,
        is_active=False,
    )
    return _kept(request, partner_id)


def _check_may_hand_on(request: web.Request) -> None:
    """Addresses leave the house: the partner itself may have its own, of the office an editor.

    Raises `errors.Forbidden`.
    """
    person = kit.signed_in(request)
    if person.partner_id is None and not person.role.may(Role.EDITOR):
        raise errors.Forbidden(N_("Your role does not allow this. Ask an owner of this site."))


async def _page(
    request: web.Request, *, problem: errors.Invalid | None = None, url: str | None = None
) -> web.Response:
    ground = kit.ground(request)
    partner = await partners.get(ground, partner_id=kit.number_in_path(request))
    speaks = kit.translator(request)
    is_office = kit.signed_in(request).partner_id is None
    standing = await handing_on.standing(ground, partner_id=partner.id)
    may = not is_office or kit.signed_in(request).role.may(Role.EDITOR)
    return kit.render(
        request,
        "people/handing_on.html",
        status=422 if problem else 200,
        partner=partner,
        standing=standing,
        may_hand_on=may,
        url=standing.webhook_url if url is None else url,
        signins=await team.of_partner(ground, partner_id=partner.id) if is_office else (),
        problems={name: each.say(speaks) for name, each in problem.fields.items()}
        if problem
        else {},
        message=problem.say(speaks) if problem else "",
    )


def _kept(request: web.Request, partner_id: int) -> web.Response:
    said = kit.translator(request).gettext(N_("Kept."))
    return kit.redirect(request, f"/staff/partners/{partner_id}/people", flash=said)
