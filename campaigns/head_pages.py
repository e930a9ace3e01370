"""Staff's page for what stands outside the blocks: subjects side by side, name, issue, look."""

from aiohttp import web

from campaigns import (
    bulletins,
    composed_pages,
    composing,
    documents,
    issue_page,
    issues,
    mail_templates,
    merging,
    staff_forms,
    writing_pages,
)
from campaigns.composing import Change
from campaigns.documents import Document
from campaigns.models import Bulletin
from campaigns.staff_forms import FieldSpec
from foundation import errors
from foundation.accounts.models import Role
from foundation.i18n import N_
from foundation.web import forms, kit
from foundation.web.forms import Form

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


def routes() -> list[web.RouteDef]:
    """What is here."""
    here = "/staff/bulletins/{id}/head"
    return [web.get(here, ask_head), web.post(here, save_head)]


@kit.staff(Role.AUTHOR)
async def ask_head(request: web.Request) -> web.StreamResponse:
    """`GET …/head`: subjects and preheaders side by side, name, issue, template."""
    if writing_pages.wants_values(request):
        bulletin = await _bulletin(request)
        values = _head_values(bulletins.document_of(bulletin))
        known = _head_values(await writing_pages.known_to(request, bulletin))
        return writing_pages.kept(request, bulletin, values, known=known)
    return await _head_page(request)


@kit.staff(Role.AUTHOR)
async def save_head(request: web.Request) -> web.StreamResponse:
    """`POST …/head`: keep them; a second editor is told and loses nothing."""
    form = await forms.read(request)
    bulletin = await _bulletin(request)
    try:
        change = changed(request, form)
        step = await composing.save(
            kit.ground(request),
            actor=kit.actor(request),
            bulletin_id=bulletin.id,
            version=staff_forms.version(form),
            change=change,
            prefer=writing_pages.preferred(form),
        )
    except (errors.Invalid, errors.Conflict) as problem:
        if writing_pages.wants_values(request):
            return writing_pages.refused(request, problem, merging.HEAD)
        return await _head_page(request, form, problem)
    if writing_pages.wants_values(request):
        values = _head_values(bulletins.document_of(step.bulletin))
        mine = _head_values(step.mine)
        return writing_pages.kept(request, step.bulletin, values, known=mine, step=step)
    said = kit.translator(request).gettext(N_("Saved."))
    return kit.redirect(request, f"/staff/bulletins/{bulletin.id}", flash=said)


def changed(request: web.Request, form: Form) -> Change:
    """Puts what was typed on the head page into a document. Raises `errors.Invalid`."""
    offered = kit.ground(request).catalog.languages
    sides = staff_forms.read_sides(form, HEAD, offered)
    chosen = [code for code in offered if code in form.lines("editions")]
    if not chosen:
        form.problems["editions"] = errors.Invalid(N_("Choose one language at least."))
    name = form.line("name", limit=200, required=True)
    issue = form.line("issue", limit=80)
    template = form.line("template", limit=80)
    default = form.line("default_language", limit=20)
    only_translated = form.flag("only_translated")
    form.check()
    typed = {
        "name": name,
        "issue": issue,
        "template": template,
        "default_language": default if default in chosen else chosen[0],
        "only_translated": only_translated,
        "editions": {code: bulletins.convert_foreign(sides[code])[0] for code in chosen},
    }
    return lambda document: documents.parse(documents.dump(document) | typed)


def _head_values(document: Document) -> dict[str, str]:
    """What stands outside the blocks as the values of its form."""
    kept = {code: edition.model_dump() for code, edition in document.editions.items()}
    return {
        **staff_forms.side_values(HEAD, kept),
        "name": document.name,
        "issue": document.issue,
        "template": str(document.template),
        "default_language": document.default_language,
        "only_translated": "1" if document.only_translated else "",
    }


async def issue_options(request: web.Request) -> list[tuple[str, str]]:
    """Every issue that a bulletin can be about, and none."""
    ground, speaks = kit.ground(request), kit.translator(request)
    async with ground.db.reading() as session:
        found = await issues.everything(session)
    named = [(each.slug, issue_page.summarise(ground, each, speaks).title) for each in found]
    return [*named, ("", speaks.gettext(N_("None in particular")))]


async def template_options(request: web.Request) -> list[tuple[str, str, str]]:
    """The looks, with what each is for; the site's own after those that come along."""
    speak = kit.translator(request).gettext
    async with kit.ground(request).db.reading() as session:
        own = await mail_templates.listed(session)
    return [
        *(
            (template.value, speak(word), speak(hint))
            for template, (word, hint) in composed_pages.TEMPLATE_WORDS.items()
        ),
        *((each.key, each.name, speak(N_("A template of your own"))) for each in own),
    ]


async def _head_page(
    request: web.Request,
    form: Form | None = None,
    problem: errors.HandbillError | None = None,
) -> web.Response:
    bulletin = await _bulletin(request)
    document = bulletins.document_of(bulletin)
    kept = {code: edition.model_dump() for code, edition in document.editions.items()}
    is_part = kit.is_htmx(request)
    return kit.render(
        request,
        f"bulletins/staff/{'_head_form' if is_part else 'head'}.html",
        status=409 if isinstance(problem, errors.Conflict) else 422 if problem else 200,
        bulletin=bulletin,
        is_part=is_part,
        specs=HEAD,
        version=writing_pages.base(form, problem, bulletin),
        values=staff_forms.typed(form) if form else _head_values(document),
        editions=form.lines("editions") if form else list(document.editions),
        kept=kept,
        problems=staff_forms.say(request, problem) if problem else {},
        is_conflict=isinstance(problem, errors.Conflict),
        issues=await issue_options(request),
        templates=await template_options(request),
    )


async def _bulletin(request: web.Request) -> Bulletin:
    async with kit.ground(request).db.reading() as session:
        return await bulletins.get(session, kit.number_in_path(request))
