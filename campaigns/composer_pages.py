"""Staff's pages where bulletins are composed (`/staff/bulletins`)."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import (
    audiences,
    block_models,
    block_pages,
    bulletins,
    composer,
    documents,
    issue_page,
    issues,
    preview_pages,
    readers,
    review_panel_pages,
    sections,
    staff_forms,
    translating,
)
from campaigns.documents import Document
from campaigns.models import Bulletin
from campaigns.preflight import audience as about_audience
from campaigns.preflight import checklist, items
from campaigns.preflight.items import Where
from campaigns.staff_forms import FieldSpec
from foundation import errors
from foundation.accounts.models import Role
from foundation.findings import Tone
from foundation.ground import Ground
from foundation.i18n import N_
from foundation.web import forms, kit
from foundation.web.forms import Form
from templates import content

_TO_LOOK_AT = (Tone.BAD, Tone.WARN)
HEAD = (
    FieldSpec(name="subject", label=N_("Subject"), limit=200),
    FieldSpec(
        name="preheader",
        label=N_("Preheader"),
        hint=N_("What inboxes show behind the subject"),
        limit=200,
    ),
    FieldSpec(
        name="title", label=N_("Headline in the mail"), hint=N_("Empty: the subject"), limit=200
    ),
)
TEMPLATE_WORDS = {
    content.Template.BULLETIN: (N_("Bulletin"), N_("A regular one, with several parts")),
    content.Template.ALERT: (N_("Alert"), N_("A short call to do one thing now")),
}


def routes() -> list[web.RouteDef]:
    """Bulletins, their blocks and previews."""
    one = "/staff/bulletins/{id}"
    return [
        web.get("/staff/bulletins", index),
        web.get("/staff/bulletins/new", ask_new),
        web.post("/staff/bulletins/new", create),
        web.get(one, show),
        web.get(f"{one}/head", ask_head),
        web.post(f"{one}/head", save_head),
        web.post(f"{one}/arrange", arrange),
        web.get(f"{one}/versions", show_versions),
        web.post(f"{one}/versions", restore),
        web.get(f"{one}/document", download),
        web.post(f"{one}/delete", delete),
        *preview_pages.routes(),
        *block_pages.routes(),
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
    template = form.line("template", limit=20) or content.Template.BULLETIN.value
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
    return await _compose_page(request)


@kit.staff(Role.AUTHOR)
async def ask_head(request: web.Request) -> web.StreamResponse:
    """`GET …/head`: subjects and preheaders side by side, name, issue, template."""
    return await _head_page(request)


@kit.staff(Role.AUTHOR)
async def save_head(request: web.Request) -> web.StreamResponse:
    """`POST …/head`: keep them; a second editor is told and loses nothing."""
    ground = kit.ground(request)
    form = await forms.read(request)
    bulletin = await _bulletin(request)
    try:
        document = _with_head(request, form, bulletins.document_of(bulletin))
        await bulletins.save(
            ground,
            actor=kit.actor(request),
            bulletin_id=bulletin.id,
            version=staff_forms.version(form),
            document=document,
        )
    except (errors.Invalid, errors.Conflict) as problem:
        return await _head_page(request, form, problem)
    return _back(request, bulletin.id, N_("Saved."))


@kit.staff(Role.AUTHOR)
async def arrange(request: web.Request) -> web.StreamResponse:
    """`POST …/arrange`: move, duplicate or delete a block, or bring all into an order."""
    form = await forms.read(request)
    bulletin = await _bulletin(request)
    document = bulletins.document_of(bulletin)
    action, block_id = form.line("action", limit=20), form.line("block", limit=20)
    order = [each for each in form.line("order", limit=4000).split(",") if each]
    try:
        changed = (
            composer.reorder(document, order)
            if action == "order"
            else composer.arrange(document, action=action, block_id=block_id)
        )
        await bulletins.save(
            kit.ground(request),
            actor=kit.actor(request),
            bulletin_id=bulletin.id,
            version=staff_forms.version(form),
            document=changed,
        )
    except (errors.Conflict, errors.NotFound) as problem:
        return await _compose_page(request, problem)
    said = N_("Deleted. Earlier versions still have it.") if action == "delete" else ""
    return _back(request, bulletin.id, said)


@kit.staff(Role.VIEWER)
async def show_versions(request: web.Request) -> web.StreamResponse:
    """`GET …/versions`: earlier states, to look back or go back."""
    async with kit.ground(request).db.reading() as session:
        bulletin = await bulletins.get(session, kit.number_in_path(request))
        found = await bulletins.versions(session, bulletin.id)
    return kit.render(
        request,
        "bulletins/staff/versions.html",
        bulletin=bulletin,
        versions=[(each, documents.parse(each.document)) for each in found],
    )


@kit.staff(Role.AUTHOR)
async def restore(request: web.Request) -> web.StreamResponse:
    """`POST …/versions`: make an earlier state the newest."""
    form = await forms.read(request)
    wanted = form.number("wanted", default=0) or 0
    bulletin = await bulletins.restore(
        kit.ground(request),
        actor=kit.actor(request),
        bulletin_id=kit.number_in_path(request),
        version=staff_forms.version(form),
        wanted=wanted,
    )
    return _back(request, bulletin.id, N_("The earlier version is back; the later ones are kept."))


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


def _with_head(request: web.Request, form: Form, document: Document) -> Document:
    """The document with what was typed on the head page. Raises `errors.Invalid`."""
    offered = kit.ground(request).catalog.languages
    sides = staff_forms.read_sides(form, HEAD, offered)
    chosen = [code for code in offered if code in form.lines("editions")]
    if not chosen:
        form.problems["editions"] = errors.Invalid(N_("Choose one language at least."))
    name = form.line("name", limit=200, required=True)
    issue = form.line("issue", limit=80)
    template = form.line("template", limit=20)
    default = form.line("default_language", limit=20)
    form.check()
    values = documents.dump(document) | {
        "name": name,
        "issue": issue,
        "template": template,
        "default_language": default if default in chosen else chosen[0],
        "editions": {code: bulletins.convert_foreign(sides[code])[0] for code in chosen},
    }
    return documents.parse(values)


def _back(request: web.Request, bulletin_id: int, msgid: str) -> web.StreamResponse:
    words = kit.translator(request).gettext(msgid) if msgid else None
    return kit.redirect(request, f"/staff/bulletins/{bulletin_id}", flash=words)


async def _bulletin(request: web.Request) -> Bulletin:
    async with kit.ground(request).db.reading() as session:
        return await bulletins.get(session, kit.number_in_path(request))


async def _issue_options(request: web.Request) -> list[tuple[str, str]]:
    ground, speaks = kit.ground(request), kit.translator(request)
    async with ground.db.reading() as session:
        found = await issues.everything(session)
    named = [(each.slug, issue_page.summarise(ground, each, speaks).title) for each in found]
    return [*named, ("", speaks.gettext(N_("None in particular")))]


def _template_options(request: web.Request) -> list[tuple[str, str, str]]:
    speak = kit.translator(request).gettext
    return [
        (template.value, speak(word), speak(hint))
        for template, (word, hint) in TEMPLATE_WORDS.items()
    ]


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
        issues=await _issue_options(request),
        templates=_template_options(request),
        values={"since": since.isoformat() if since else "", "start": "since", **values},
        problems=staff_forms.say(request, problem) if problem else {},
    )


async def _compose_page(
    request: web.Request, problem: errors.HandbillError | None = None
) -> web.Response:
    ground, speaks = kit.ground(request), kit.translator(request)
    async with ground.db.reading() as session:
        bulletin = await bulletins.get(session, kit.number_in_path(request))
        looked, found = await checklist.of_bulletin(ground, session, bulletin)
        campaigns = await bulletins.campaigns_of(session, bulletin.id)
        is_counted = "count" in request.query
        seen = await _seen(ground, session, looked.document) if is_counted else {}
    document = looked.document
    role = kit.signed_in(request).role
    return kit.render(
        request,
        "bulletins/staff/compose.html",
        status=409 if problem else 200,
        bulletin=bulletin,
        document=document,
        blocks=[_shown_block(each, document, speaks) for each in document.blocks],
        seen={number: each.say(speaks) for number, each in seen.items()},
        is_counted=is_counted,
        block_forms=composer.FORMS,
        findings=[(each, each.say(speaks)) for each in found if each.tone in _TO_LOOK_AT],
        attention={
            int(each.place.name)
            for each in found
            if each.tone in _TO_LOOK_AT and each.place and each.place.where is Where.BLOCK
        },
        progress=translating.progress(document),
        waiting=translating.by_block(document),
        may_translate=role.may(Role.TRANSLATOR),
        campaigns=campaigns,
        templates=TEMPLATE_WORDS,
        problems=staff_forms.say(request, problem) if problem else {},
        may_write=role.may(Role.AUTHOR),
        may_delete=role.may(Role.EDITOR),
        **await review_panel_pages.remarks(request, bulletin.id, document),
    )


async def _seen(
    ground: Ground, session: AsyncSession, document: Document
) -> Mapping[int, items.Item]:
    """Of blocks that are for some: how many of those whom the bulletin is for it is."""
    try:
        audience = audiences.parse(document.audience)
        if not (audience.topics or audience.members):
            audience = audiences.Audience(topics=[document.issue] if document.issue else [])
        counted = await sections.count(ground, session, document=document, audience=audience)
    except errors.Invalid:
        return {}  # an issue without a topic, or one that is gone
    return {each.number: about_audience.section(each) for each in counted.blocks}


def _shown_block(block: block_models.AnyBlock, document: Document, speaks: Any) -> dict[str, Any]:
    return {
        "id": block.id,
        "kind": block.kind,
        "about": composer.about(block, speaks),
        "seen_by": readers.words(block, speaks),
        "texts": [(code, composer.excerpt(block, code)) for code in document.languages],
        "has_texts": block.kind in composer.WORDED
        or any(composer.excerpt(block, code) for code in document.languages),
    }


async def _head_page(
    request: web.Request,
    form: Form | None = None,
    problem: errors.HandbillError | None = None,
) -> web.Response:
    bulletin = await _bulletin(request)
    document = bulletins.document_of(bulletin)
    kept = {code: edition.model_dump() for code, edition in document.editions.items()}
    values: dict[str, str] = {
        **staff_forms.side_values(HEAD, kept),
        "name": document.name,
        "issue": document.issue,
        "template": document.template.value,
        "default_language": document.default_language,
    }
    return kit.render(
        request,
        "bulletins/staff/head.html",
        status=409 if isinstance(problem, errors.Conflict) else 422 if problem else 200,
        bulletin=bulletin,
        specs=HEAD,
        values=staff_forms.typed(form) if form else values,
        editions=form.lines("editions") if form else list(document.editions),
        kept=kept,
        problems=staff_forms.say(request, problem) if problem else {},
        is_conflict=isinstance(problem, errors.Conflict),
        issues=await _issue_options(request),
        templates=_template_options(request),
    )
