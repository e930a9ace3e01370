"""Staff's pages about materials (`/staff/issues/{id}/materials`): handouts and their files."""

from aiohttp import web

from campaigns import (
    issue_page,
    issues,
    material_counts,
    materials,
    staff_forms,
    waiting_texts,
    wording,
)
from campaigns.material_models import Source
from campaigns.models import Issue, Material
from campaigns.staff_forms import FieldSpec
from delivery import naming
from foundation import errors
from foundation.accounts.models import Role
from foundation.i18n import N_
from foundation.web import forms, kit

TEXTS = (
    FieldSpec(name="title", label=N_("Title"), limit=200),
    FieldSpec(name="description", label=N_("What it is for"), limit=300),
)

WAYS = {
    Source.ISSUE: N_("The issue's page"),
    Source.ARCHIVE: N_("Bulletins read in the browser"),
    Source.DIRECT: N_("The bare address, printed or passed on"),
}


def routes() -> list[web.RouteDef]:
    """What is here."""
    here = "/staff/issues/{id}/materials"
    one = here + "/{material}"
    return [
        web.get(here, index),
        web.post(here, add),
        web.get(one, show),
        web.post(one, update),
        web.post(f"{one}/copy", put_copy),
        web.post(f"{one}/delete", delete),
        web.get(f"{one}/taken.csv", export_counts),
    ]


@kit.staff(Role.VIEWER)
async def index(request: web.Request) -> web.StreamResponse:
    """`GET …/materials`: the handouts of an issue."""
    return await _list_page(request)


@kit.staff(Role.AUTHOR)
async def add(request: web.Request) -> web.StreamResponse:
    """`POST …/materials`: a new handout; its files follow."""
    ground = kit.ground(request)
    form = await forms.read(request)
    issue = await _issue(request)
    _may_change(request, issue)
    texts = staff_forms.read_sides(form, TEXTS, ground.catalog.languages)
    slug = form.line("slug", limit=issues.MAX_SLUG, required=True)
    try:
        form.check()
        material = await materials.add(
            ground,
            actor=kit.actor(request),
            issue_id=issue.id,
            slug=slug,
            draft=materials.Draft(texts=texts),
        )
    except errors.Invalid as problem:
        return await _list_page(request, staff_forms.typed(form), problem)
    return kit.redirect(request, f"/staff/issues/{issue.id}/materials/{material.id}")


@kit.staff(Role.VIEWER)
async def show(request: web.Request) -> web.StreamResponse:
    """`GET …/materials/{material}`: texts, and a file or link for each language."""
    return await _page(request)


@kit.staff(Role.AUTHOR)
async def update(request: web.Request) -> web.StreamResponse:
    """`POST …/materials/{material}`: what is said of it."""
    ground = kit.ground(request)
    form = await forms.read(request)
    issue, material = await _found(request)
    _may_change(request, issue)
    texts = staff_forms.read_sides(form, TEXTS, ground.catalog.languages)
    position = form.number("position", default=material.position) or 0
    try:
        form.check()
        await materials.update(
            ground,
            actor=kit.actor(request),
            material_id=material.id,
            draft=materials.Draft(texts=texts, position=position),
        )
    except errors.Invalid as problem:
        return await _page(request, staff_forms.typed(form), problem)
    return _back(request, issue, material, N_("Saved."))


@kit.staff(Role.AUTHOR)
@kit.takes_files
async def put_copy(request: web.Request) -> web.StreamResponse:
    """`POST …/materials/{material}/copy`: a file, a link, or neither, for one language."""
    ground, actor = kit.ground(request), kit.actor(request)
    form = await forms.read(request)
    issue, material = await _found(request)
    _may_change(request, issue)
    language = form.line("language", limit=20)
    url = form.line("url", limit=2000)
    file = await staff_forms.file_of(request, "file")
    try:
        if form.flag("remove"):
            await materials.remove_copy(
                ground, actor=actor, material_id=material.id, language=language
            )
        elif file is not None:
            await materials.put_file(
                ground,
                actor=actor,
                material_id=material.id,
                language=language,
                file_name=file[0],
                content=file[1],
            )
        else:
            await materials.put_link(
                ground, actor=actor, material_id=material.id, language=language, url=url
            )
    except errors.Invalid as problem:
        return await _page(request, problem=problem, problem_language=language)
    return _back(request, issue, material, N_("Saved."))


@kit.staff(Role.EDITOR)
async def delete(request: web.Request) -> web.StreamResponse:
    """`POST …/materials/{material}/delete`."""
    issue, material = await _found(request)
    await materials.delete(kit.ground(request), actor=kit.actor(request), material_id=material.id)
    words = kit.translator(request).gettext(N_("Deleted. The log keeps what it said."))
    return kit.redirect(request, f"/staff/issues/{issue.id}/materials", flash=words)


@kit.staff(Role.VIEWER)
async def export_counts(request: web.Request) -> web.StreamResponse:
    """`GET …/materials/{material}/taken.csv`: how often it was taken, and by which way."""
    _, material = await _found(request)
    counts = await material_counts.of_material(kit.ground(request), material_id=material.id)
    return web.Response(
        body=material_counts.as_csv(material, counts),
        headers={
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Disposition": f'attachment; filename="{material.slug}-taken.csv"',
            "Cache-Control": "no-store",
        },
    )


def _may_change(request: web.Request, issue: Issue) -> None:
    if issue.is_published and not kit.signed_in(request).role.may(Role.EDITOR):
        raise errors.Forbidden(
            N_("This is public, so an editor has to change it. Authors write drafts.")
        )


def _back(request: web.Request, issue: Issue, material: Material, msgid: str) -> web.StreamResponse:
    words = kit.translator(request).gettext(msgid)
    return kit.redirect(request, f"/staff/issues/{issue.id}/materials/{material.id}", flash=words)


async def _issue(request: web.Request) -> Issue:
    async with kit.ground(request).db.reading() as session:
        return await issues.get(session, kit.number_in_path(request))


async def _found(request: web.Request) -> tuple[Issue, Material]:
    issue = await _issue(request)
    async with kit.ground(request).db.reading() as session:
        material = await materials.get(session, kit.number_in_path(request, "material"))
    if material.issue_id != issue.id:
        raise errors.NotFound(N_("There is no such material."))
    return issue, material


async def _list_page(
    request: web.Request,
    values: dict[str, str] | None = None,
    problem: errors.Invalid | None = None,
) -> web.Response:
    ground, speaks = kit.ground(request), kit.translator(request)
    issue = await _issue(request)
    async with ground.db.reading() as session:
        found = await materials.listed(session, issue.id)
        files = await materials.copies(session, [each.id for each in found])
    role = kit.signed_in(request).role
    return kit.render(
        request,
        "bulletins/staff/materials.html",
        status=422 if problem else 200,
        issue=issue,
        summary=issue_page.summarise(ground, issue, speaks),
        shown=[materials.tell(ground, each, files, speaks) for each in found],
        specs=TEXTS,
        values=values or {},
        problems=staff_forms.say(request, problem) if problem else {},
        may_change=role.may(Role.EDITOR if issue.is_published else Role.AUTHOR),
    )


async def _page(
    request: web.Request,
    values: dict[str, str] | None = None,
    problem: errors.Invalid | None = None,
    problem_language: str = "",
) -> web.Response:
    ground, speaks = kit.ground(request), kit.translator(request)
    issue, material = await _found(request)
    async with ground.db.reading() as session:
        files = await materials.copies(session, [material.id])
    told = materials.tell(ground, material, files, speaks)
    counts = await material_counts.of_material(ground, material_id=material.id)
    role = kit.signed_in(request).role
    return kit.render(
        request,
        "bulletins/staff/material.html",
        status=422 if problem else 200,
        issue=issue,
        summary=issue_page.summarise(ground, issue, speaks),
        material=material,
        told=told,
        copies={each.language: each for each in told.copies},
        translated=waiting_texts.of_material(ground, material, files),
        counts=counts,
        ways=WAYS,
        page_of=naming.page,
        language_name=lambda code: wording.language_name(code, speaks),
        specs=TEXTS,
        values=values
        if values is not None
        else staff_forms.side_values(TEXTS, material.texts) | {"position": material.position},
        problems=staff_forms.say(request, problem) if problem else {},
        problem_language=problem_language,
        limit_kb=min(ground.settings.server.max_upload_bytes, materials.MAX_BYTES) // 1024,
        may_change=role.may(Role.EDITOR if issue.is_published else Role.AUTHOR),
        may_delete=role.may(Role.EDITOR),
    )
