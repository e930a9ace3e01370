"""Staff's pages where bulletins are composed (`/staff/bulletins`)."""

from aiohttp import web

from campaigns import (
    arranging_pages,
    block_pages,
    bulletins,
    composed_pages,
    composer,
    documents,
    draft_pages,
    head_pages,
    issues,
    preview_pages,
    shortening_pages,
    staff_forms,
    translating,
    version_pages,
)
from campaigns.models import Bulletin
from foundation import errors
from foundation.accounts.models import Role
from foundation.i18n import N_
from foundation.web import forms, kit
from templates import content


def routes() -> list[web.RouteDef]:
    """Bulletins, their blocks and previews."""
    one = "/staff/bulletins/{id}"
    return [
        web.get("/staff/bulletins", index),
        web.get("/staff/bulletins/new", ask_new),
        web.post("/staff/bulletins/new", create),
        web.get(one, show),
        web.get(f"{one}/document", download),
        web.post(f"{one}/delete", delete),
        *head_pages.routes(),
        *version_pages.routes(),
        *arranging_pages.routes(),
        *draft_pages.routes(),
        *preview_pages.routes(),
        *block_pages.routes(),
        *shortening_pages.routes(),
    ]


@kit.staff(Role.VIEWER)
async def index(request: web.Request) -> web.StreamResponse:
    """`GET /staff/bulletins`: all of them, newest first."""
    async with kit.ground(request).db.reading() as session:
        page = await bulletins.listed(session, after=staff_forms.after_cursor(request.query))
    more = str(request.rel_url.update_query(after=str(page.next_after))) if page.next_after else ""
    return kit.render(
        request,
        "bulletins/staff/bulletins.html",
        shown=[(each, bulletins.document_of(each)) for each in page.items],
        progress=translating.progress,
        next_url=more,
    )


@kit.staff(Role.AUTHOR)
async def ask_new(request: web.Request) -> web.StreamResponse:
    """`GET /staff/bulletins/new`: blank, or of the developments since the last one."""
    return await _new_page(request, {})


@kit.staff(Role.AUTHOR)
async def create(request: web.Request) -> web.StreamResponse:
    """`POST /staff/bulletins/new`."""
    ground = kit.ground(request)
    form = await forms.read(request)
    name = form.line("name", limit=200, required=True)
    issue = form.line("issue", limit=80)
    template = form.line("template", limit=80) or content.Template.BULLETIN.value
    try:
        is_from_news = form.line("start") == "since"
        since = staff_forms.read_day(form, "since") if is_from_news else None
        if is_from_news and not issue:
            form.problems["issue"] = errors.Invalid(N_("Choose the issue that it is about."))
        form.check()
        document = composer.started(ground, name=name, issue=issue, template=template, since=since)
        bulletin = await bulletins.create(ground, actor=kit.actor(request), document=document)
    except errors.Invalid as problem:
        return await _new_page(request, staff_forms.typed(form), problem)
    return kit.redirect(request, f"/staff/bulletins/{bulletin.id}/head")


@kit.staff(Role.VIEWER)
async def show(request: web.Request) -> web.StreamResponse:
    """`GET /staff/bulletins/{id}`: subjects, blocks, and what should be looked at."""
    return await composed_pages.render(request)


@kit.staff(Role.VIEWER)
async def download(request: web.Request) -> web.StreamResponse:
    """`GET …/document`: the bulletin as a JSON document."""
    bulletin = await _bulletin(request)
    return web.Response(
        text=documents.as_json(bulletins.document_of(bulletin)),
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="bulletin-{bulletin.id}.json"'},
    )


@kit.staff(Role.EDITOR)
async def delete(request: web.Request) -> web.StreamResponse:
    """`POST …/delete`: only while no campaign uses it."""
    await bulletins.delete(
        kit.ground(request),
        actor=kit.actor(request),
        bulletin_id=kit.number_in_path(request),
    )
    words = kit.translator(request).gettext(N_("Deleted. The log keeps what it said."))
    return kit.redirect(request, "/staff/bulletins", flash=words)


def _back(request: web.Request, bulletin_id: int, msgid: str) -> web.StreamResponse:
    words = kit.translator(request).gettext(msgid) if msgid else None
    return kit.redirect(request, f"/staff/bulletins/{bulletin_id}", flash=words)


async def _bulletin(request: web.Request) -> Bulletin:
    async with kit.ground(request).db.reading() as session:
        return await bulletins.get(session, kit.number_in_path(request))


async def _new_page(
    request: web.Request, values: dict[str, str], problem: errors.Invalid | None = None
) -> web.Response:
    ground = kit.ground(request)
    async with ground.db.reading() as session:
        found = await issues.everything(session)
        first = found[0] if found else None
        since = await bulletins.last_sent_on(session, ground, first.id) if first else None
    return kit.render(
        request,
        "bulletins/staff/bulletin_new.html",
        status=422 if problem else 200,
        issues=await head_pages.issue_options(request),
        templates=await head_pages.template_options(request),
        values={"since": since.isoformat() if since else "", "start": "since", **values},
        problems=staff_forms.say(request, problem) if problem else {},
    )
