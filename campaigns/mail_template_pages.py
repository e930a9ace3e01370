"""Staff's pages of the site's own mail templates (`/staff/templates`)."""

from typing import Any

from aiohttp import web

from campaigns import (
    archive,
    archive_pages,
    composed_pages,
    mail_template_uses,
    mail_templates,
    preview_pages,
    remaking,
    staff_forms,
)
from campaigns.mail_template_models import MailTemplate
from foundation import errors
from foundation.accounts.models import Role
from foundation.i18n import N_
from foundation.web import forms, kit
from templates import content, own_templates
from templates.own_templates import Flaw


def routes() -> list[web.RouteDef]:
    """What is here; fixed names stand before `{id}`."""
    here = "/staff/templates"
    return [
        web.get(here, index),
        web.get(f"{here}/new", ask_new),
        web.post(f"{here}/new", create),
        web.post(f"{here}/check", check),
        web.post(f"{here}/sample", show_sample),
        web.get(f"{here}/{{id}}", show),
        web.post(f"{here}/{{id}}", save),
        web.post(f"{here}/{{id}}/versions", restore),
        web.post(f"{here}/{{id}}/delete", delete),
    ]


@kit.staff(Role.VIEWER)
async def index(request: web.Request) -> web.StreamResponse:
    """`GET /staff/templates`: ours, to copy, and the site's own."""
    async with kit.ground(request).db.reading() as session:
        found = await mail_templates.listed(session)
        counts = await mail_template_uses.counts(session)
    return kit.render(
        request,
        "bulletins/staff/templates.html",
        ours=composed_pages.TEMPLATE_WORDS,
        shown=[(each, counts.get(each.id, 0)) for each in found],
        may_change=_may_change(request),
    )


@kit.staff(Role.EDITOR)
async def ask_new(request: web.Request) -> web.StreamResponse:
    """`GET /staff/templates/new?of=bulletin`: a copy of one of ours."""
    wished = request.query.get("of", "")
    of = content.Template(wished) if wished in set(content.Template) else content.Template.BULLETIN
    return await _page(request, {"source": mail_templates.original(of)})


@kit.staff(Role.EDITOR)
async def create(request: web.Request) -> web.StreamResponse:
    """`POST /staff/templates/new`."""
    form = await forms.read(request)
    try:
        made = await mail_templates.create(
            kit.ground(request),
            actor=kit.actor(request),
            name=form.line("name", limit=120),
            source=form.text("source", limit=own_templates.LONGEST),
        )
    except errors.Invalid as problem:
        return await _page(request, staff_forms.typed(form), problem=problem)
    return kit.redirect(request, f"/staff/templates/{made.id}", flash=_say(request, N_("Saved.")))


@kit.staff(Role.VIEWER)
async def show(request: web.Request) -> web.StreamResponse:
    """`GET /staff/templates/{id}`: its source, a mail in it, and its earlier versions."""
    async with kit.ground(request).db.reading() as session:
        template = await mail_templates.get(session, kit.number_in_path(request))
    values = {"name": template.name, "source": template.source}
    return await _page(request, values, template=template)


@kit.staff(Role.EDITOR)
async def save(request: web.Request) -> web.StreamResponse:
    """`POST /staff/templates/{id}`: keep it, if nothing is wrong with it."""
    form = await forms.read(request)
    number = kit.number_in_path(request)
    try:
        saved = await mail_templates.save(
            kit.ground(request),
            actor=kit.actor(request),
            template_id=number,
            version=staff_forms.version(form),
            name=form.line("name", limit=120),
            source=form.text("source", limit=own_templates.LONGEST),
        )
    except (errors.Invalid, errors.Conflict) as problem:
        async with kit.ground(request).db.reading() as session:
            template = await mail_templates.get(session, number)
        return await _page(request, staff_forms.typed(form), template=template, problem=problem)
    return kit.redirect(
        request,
        f"/staff/templates/{number}",
        flash=remaking.told(kit.translator(request), saved.remade),
    )


@kit.staff(Role.EDITOR)
async def restore(request: web.Request) -> web.StreamResponse:
    """`POST /staff/templates/{id}/versions`: make an earlier version the newest again."""
    form = await forms.read(request)
    number = kit.number_in_path(request)
    saved = await mail_templates.restore(
        kit.ground(request),
        actor=kit.actor(request),
        template_id=number,
        version=staff_forms.version(form),
        wanted=form.number("wanted", default=0) or 0,
    )
    return kit.redirect(
        request,
        f"/staff/templates/{number}",
        flash=remaking.told(kit.translator(request), saved.remade),
    )


@kit.staff(Role.EDITOR)
async def delete(request: web.Request) -> web.StreamResponse:
    """`POST /staff/templates/{id}/delete`."""
    await forms.read(request)
    await mail_templates.delete(
        kit.ground(request), actor=kit.actor(request), template_id=kit.number_in_path(request)
    )
    return kit.redirect(request, "/staff/templates", flash=_say(request, N_("Deleted.")))


@kit.staff(Role.EDITOR)
async def check(request: web.Request) -> web.StreamResponse:
    """`POST /staff/templates/check`: what is wrong with a source that is being written."""
    form = await forms.read(request)
    source = form.text("source", limit=own_templates.LONGEST)
    return kit.render(
        request,
        "bulletins/staff/_template_flaws.html",
        flaws=_said(request, mail_templates.flaws(kit.ground(request), source)),
    )


@kit.staff(Role.EDITOR)
async def show_sample(request: web.Request) -> web.StreamResponse:
    """`POST /staff/templates/sample`: a mail in a template that is being written."""
    form = await forms.read(request)
    ground = kit.ground(request)
    plan = await mail_templates.sample(
        ground, kit.translator(request), form.text("source", limit=own_templates.LONGEST) + "\n"
    )
    values = archive.public_values(ground, plan, archive_url=ground.url("/archive"))
    html = archive.as_page(plan, values, None, target="_blank")
    scheme = "dark" if form.line("scheme", limit=10) == "dark" else "light"
    response = archive_pages.framed_mail(preview_pages.in_scheme(html, scheme))
    response.headers["Cache-Control"] = "no-store"
    return response


def _said(request: web.Request, flaws: list[Flaw] | tuple[Flaw, ...]) -> list[tuple[int, str]]:
    """Line and words of each; line 0 is the whole."""
    return [(each.line, each.problem.say(kit.translator(request))) for each in flaws]


async def _page(
    request: web.Request,
    values: dict[str, str],
    *,
    template: MailTemplate | None = None,
    problem: errors.HandbillError | None = None,
) -> web.Response:
    number = template.id if template else 0
    async with kit.ground(request).db.reading() as session:
        used = await mail_template_uses.bulletins(session, number)
        earlier = await mail_templates.versions(session, number)
    found: Any = problem.flaws if isinstance(problem, mail_templates.Flawed) else ()
    return kit.render(
        request,
        "bulletins/staff/template.html",
        status=409 if isinstance(problem, errors.Conflict) else 422 if problem else 200,
        own=template,
        values=values,
        flaws=_said(request, found),
        problems=staff_forms.say(request, problem) if problem and not found else {},
        is_conflict=isinstance(problem, errors.Conflict),
        used=used,
        earlier=earlier,
        longest=own_templates.LONGEST,
        may_change=_may_change(request),
    )


def _may_change(request: web.Request) -> bool:
    return kit.signed_in(request).role.may(Role.EDITOR)


def _say(request: web.Request, msgid: str) -> str:
    return kit.translator(request).gettext(msgid)
