"""Staff's pages about issues (`/staff/issues`): titles, the parts of the page, publication."""

from typing import Any

from aiohttp import web

from campaigns import development_pages, issue_page, issues, links, material_pages, staff_forms
from campaigns.models import Issue, IssuePart, PartKind
from campaigns.staff_forms import FieldSpec, Widget
from foundation import errors
from foundation.accounts.models import Role
from foundation.i18n import N_
from foundation.web import forms, kit

TEXTS = (
    FieldSpec(name="title", label=N_("Title"), limit=120),
    FieldSpec(name="summary", label=N_("In two sentences"), widget=Widget.AREA),
)
PART_TEXTS = (
    FieldSpec(name="title", label=N_("Title"), limit=300),
    FieldSpec(name="body", label=N_("Text"), widget=Widget.RICH),
)
PART_WORDS = {
    PartKind.PROCESS: (
        N_("How it works"),
        N_("One part without the program, one with it; a numbered list shows the steps."),
    ),
    PartKind.FIGURE: (N_("Figures"), N_("A number, what it counts, and where it is from.")),
    PartKind.POSITION: (N_("Where we stand"), N_("The coalition's position in a sentence or two.")),
    PartKind.REASON: (N_("Reasons"), N_("Why we stand there, one reason each.")),
    PartKind.QUESTION: (N_("Questions and answers"), N_("What people ask, and the answer.")),
    PartKind.PROGRAM: (N_("Programs and contacts"), N_("Who helps, and how to reach them.")),
    PartKind.LINK: (N_("Find us elsewhere"), N_("Pages of the coalition on other sites.")),
}


def routes() -> list[web.RouteDef]:
    """Issues, and what belongs to them."""
    one = "/staff/issues/{id}"
    return [
        web.get("/staff/issues", index),
        web.get("/staff/issues/new", ask_new),
        web.post("/staff/issues/new", create),
        web.get(one, show),
        web.post(one, update),
        web.get(f"{one}/preview", preview),
        web.get(f"{one}/parts/new", ask_part),
        web.post(f"{one}/parts/new", save_part),
        web.get(f"{one}/parts/{{part}}", ask_part),
        web.post(f"{one}/parts/{{part}}", save_part),
        web.post(f"{one}/parts/{{part}}/move", move_part),
        web.post(f"{one}/parts/{{part}}/delete", delete_part),
        *development_pages.routes(),
        *material_pages.routes(),
    ]


@kit.staff(Role.VIEWER)
async def index(request: web.Request) -> web.StreamResponse:
    """`GET /staff/issues`: all issues."""
    ground, speaks = kit.ground(request), kit.translator(request)
    async with ground.db.reading() as session:
        found = await issues.everything(session)
    shown = [(each, issue_page.summarise(ground, each, speaks)) for each in found]
    return kit.render(request, "bulletins/staff/issues.html", shown=shown)


@kit.staff(Role.AUTHOR)
async def ask_new(request: web.Request) -> web.StreamResponse:
    """`GET /staff/issues/new`."""
    return _new_page(request, {})


@kit.staff(Role.AUTHOR)
async def create(request: web.Request) -> web.StreamResponse:
    """`POST /staff/issues/new`: make an issue; it is published later."""
    ground = kit.ground(request)
    form = await forms.read(request)
    texts = staff_forms.read_sides(form, TEXTS, ground.catalog.languages)
    slug = form.line("slug", limit=issues.MAX_SLUG, required=True)
    try:
        form.check()
        issue = await issues.create(
            ground, actor=kit.actor(request), slug=slug, draft=issues.IssueDraft(texts=texts)
        )
    except errors.Invalid as problem:
        return _new_page(request, staff_forms.typed(form), problem)
    return kit.redirect(request, f"/staff/issues/{issue.id}")


@kit.staff(Role.VIEWER)
async def show(request: web.Request) -> web.StreamResponse:
    """`GET /staff/issues/{id}`: titles and parts."""
    return await _issue_page(request)


@kit.staff(Role.AUTHOR)
async def update(request: web.Request) -> web.StreamResponse:
    """`POST /staff/issues/{id}`: change titles, or publish."""
    ground = kit.ground(request)
    form = await forms.read(request)
    issue = await _issue(request)
    _may_change(request, issue)
    texts = staff_forms.read_sides(form, TEXTS, ground.catalog.languages)
    is_published = form.flag("is_published")
    if is_published != issue.is_published:
        _need(request, Role.EDITOR)
    draft = issues.IssueDraft(
        texts=texts,
        is_published=is_published,
        position=form.number("position", default=issue.position) or 0,
    )
    try:
        form.check()
        await issues.update(
            ground,
            actor=kit.actor(request),
            issue_id=issue.id,
            version=staff_forms.version(form),
            draft=draft,
        )
    except (errors.Invalid, errors.Conflict) as problem:
        return await _issue_page(request, staff_forms.typed(form), problem)
    return _back(request, issue.id, N_("Saved."))


@kit.staff(Role.VIEWER)
async def preview(request: web.Request) -> web.StreamResponse:
    """`GET /staff/issues/{id}/preview`: the public page, published or not."""
    issue = await _issue(request)
    page = await issue_page.show(
        kit.ground(request), slug=issue.slug, translator=kit.translator(request), is_preview=True
    )
    return kit.render(request, "bulletins/issue.html", page=page)


@kit.staff(Role.AUTHOR)
async def ask_part(request: web.Request) -> web.StreamResponse:
    """`GET …/parts/new?kind=` and `…/parts/{part}`."""
    issue = await _issue(request)
    _may_change(request, issue)
    part = await _part(request, issue)
    kind = PartKind(part.kind) if part else _kind(request.query.get("kind", ""))
    return await _part_page(request, issue, kind, part)


@kit.staff(Role.AUTHOR)
async def save_part(request: web.Request) -> web.StreamResponse:
    """`POST …/parts/new` and `…/parts/{part}`: keep a part."""
    ground = kit.ground(request)
    form = await forms.read(request)
    issue = await _issue(request)
    _may_change(request, issue)
    part = await _part(request, issue)
    kind = PartKind(part.kind) if part else _kind(form.line("kind"))
    draft = issues.PartDraft(
        kind=kind,
        texts=staff_forms.read_sides(form, PART_TEXTS, ground.catalog.languages),
        key=form.line("key", limit=80),
        value=form.line("value", limit=40),
        url=form.line("url", limit=2000),
        source_name=form.line("source_name", limit=200),
        source_url=form.line("source_url", limit=2000),
    )
    try:
        form.check()
        await issues.save_part(
            ground,
            actor=kit.actor(request),
            issue_id=issue.id,
            version=staff_forms.version(form),
            draft=draft,
            part_id=part.id if part else None,
        )
    except (errors.Invalid, errors.Conflict) as problem:
        fresh = await _issue(request)
        return await _part_page(request, fresh, kind, part, staff_forms.typed(form), problem)
    return _back(request, issue.id, N_("Saved."), anchor=kind.value)


@kit.staff(Role.AUTHOR)
async def move_part(request: web.Request) -> web.StreamResponse:
    """`POST …/parts/{part}/move`: one up or down."""
    form = await forms.read(request)
    issue = await _issue(request)
    _may_change(request, issue)
    await issues.move_part(
        kit.ground(request),
        actor=kit.actor(request),
        issue_id=issue.id,
        version=staff_forms.version(form),
        part_id=kit.number_in_path(request, "part"),
        by=-1 if form.line("action") == "up" else 1,
    )
    return kit.redirect(request, f"/staff/issues/{issue.id}#parts")


@kit.staff(Role.AUTHOR)
async def delete_part(request: web.Request) -> web.StreamResponse:
    """`POST …/parts/{part}/delete`."""
    form = await forms.read(request)
    issue = await _issue(request)
    _may_change(request, issue)
    await issues.delete_part(
        kit.ground(request),
        actor=kit.actor(request),
        issue_id=issue.id,
        version=staff_forms.version(form),
        part_id=kit.number_in_path(request, "part"),
    )
    return _back(request, issue.id, N_("Removed from the page. The log keeps what it said."))


def _may_change(request: web.Request, issue: Issue) -> None:
    """What is public is changed by editors; drafts by authors too."""
    if issue.is_published:
        _need(request, Role.EDITOR)


def _need(request: web.Request, role: Role) -> None:
    if not kit.signed_in(request).role.may(role):
        raise errors.Forbidden(
            N_("This is public, so an editor has to change it. Authors write drafts.")
        )


def _back(
    request: web.Request, issue_id: int, msgid: str, *, anchor: str = ""
) -> web.StreamResponse:
    words = kit.translator(request).gettext(msgid)
    place = f"#{anchor}" if anchor else ""
    return kit.redirect(request, f"/staff/issues/{issue_id}{place}", flash=words)


def _kind(name: str) -> PartKind:
    try:
        return PartKind(name)
    except ValueError as problem:
        raise errors.NotFound(N_("There is no such page.")) from problem


async def _issue(request: web.Request) -> Issue:
    async with kit.ground(request).db.reading() as session:
        return await issues.get(session, kit.number_in_path(request))


async def _part(request: web.Request, issue: Issue) -> IssuePart | None:
    if "part" not in request.match_info:
        return None
    number = kit.number_in_path(request, "part")
    async with kit.ground(request).db.reading() as session:
        found = [each for each in await issues.parts(session, issue.id) if each.id == number]
    if not found:
        raise errors.NotFound(N_("This part of the page is no longer there."))
    return found[0]


def _new_page(
    request: web.Request, values: dict[str, str], problem: errors.Invalid | None = None
) -> web.Response:
    return kit.render(
        request,
        "bulletins/staff/issue_new.html",
        status=422 if problem else 200,
        specs=TEXTS,
        values=values,
        problems=staff_forms.say(request, problem) if problem else {},
    )


async def _issue_page(
    request: web.Request,
    values: dict[str, str] | None = None,
    problem: errors.HandbillError | None = None,
) -> web.Response:
    ground, speaks = kit.ground(request), kit.translator(request)
    async with ground.db.reading() as session:
        issue = await issues.get(session, kit.number_in_path(request))
        parts = await issues.parts(session, issue.id)
    role = kit.signed_in(request).role
    return kit.render(
        request,
        "bulletins/staff/issue.html",
        status=_status(problem),
        issue=issue,
        summary=issue_page.summarise(ground, issue, speaks),
        specs=TEXTS,
        values=values if values is not None else staff_forms.side_values(TEXTS, issue.texts),
        problems=staff_forms.say(request, problem) if problem else {},
        is_conflict=isinstance(problem, errors.Conflict),
        parts={kind: [each for each in parts if each.kind == kind.value] for kind in PART_WORDS},
        part_words=PART_WORDS,
        may_change=role.may(Role.EDITOR if issue.is_published else Role.AUTHOR),
        may_publish=role.may(Role.EDITOR),
    )


def _status(problem: errors.HandbillError | None) -> int:
    if problem is None:
        return 200
    return 409 if isinstance(problem, errors.Conflict) else 422


async def _part_page(
    request: web.Request,
    issue: Issue,
    kind: PartKind,
    part: IssuePart | None,
    values: dict[str, str] | None = None,
    problem: errors.HandbillError | None = None,
) -> web.Response:
    kept: dict[str, Any] = staff_forms.side_values(PART_TEXTS, part.texts) if part else {}
    if part:
        kept |= {
            "key": part.key,
            "value": part.value,
            "url": part.url,
            "source_name": part.source_name,
            "source_url": part.source_url,
        }
    return kit.render(
        request,
        "bulletins/staff/part.html",
        status=_status(problem),
        issue=issue,
        summary=issue_page.summarise(kit.ground(request), issue, kit.translator(request)),
        kind=kind,
        words=PART_WORDS[kind],
        part=part,
        specs=PART_TEXTS,
        values=values if values is not None else kept,
        problems=staff_forms.say(request, problem) if problem else {},
        is_conflict=isinstance(problem, errors.Conflict),
        kept=dict(part.texts) if part else {},
        clean=links.clean,
    )
