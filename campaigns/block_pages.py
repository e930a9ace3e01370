"""Staff's pages for one block of a bulletin: its form, with the editions side by side."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from aiohttp import web

from campaigns import (
    block_choices,
    block_forms,
    bulletins,
    composer,
    composing,
    developments,
    issue_page,
    issues,
    materials,
    media_pages,
    pictures,
    readers,
    shortening_pages,
    snippets,
    staff_forms,
    wording,
    writing_pages,
    zips,
)
from campaigns.block_models import AnyBlock
from campaigns.documents import Document
from campaigns.models import Bulletin, PartKind
from foundation import errors
from foundation.accounts.models import Role
from foundation.i18n import N_
from foundation.web import forms, kit
from foundation.web.forms import Form

Options = list[tuple[str, str, str]]
_OFFERED_DEVELOPMENTS = 40
_OFFERED_ELSEWHERE = 20


def routes() -> list[web.RouteDef]:
    """What is here."""
    here = "/staff/bulletins/{id}/blocks"
    return [
        web.get(f"{here}/new", ask_new),
        web.post(f"{here}/new", create),
        web.get(f"{here}/{{block}}", ask),
        web.post(f"{here}/{{block}}", save),
    ]


@kit.staff(Role.AUTHOR)
async def ask_new(request: web.Request) -> web.StreamResponse:
    """`GET …/blocks/new?kind=&after=`: the form, or the kinds to choose from."""
    bulletin = await _bulletin(request)
    kind = request.query.get("kind", "")
    if kind not in block_forms.FORMS:
        return kit.render(
            request,
            "bulletins/staff/block_kinds.html",
            bulletin=bulletin,
            kinds=block_forms.FORMS,
            after=request.query.get("after", ""),
        )
    values = {"limit": "", "miles": str(zips.USUAL_MILES)}
    return await _page(request, bulletin, kind, values)


@kit.staff(Role.AUTHOR)
@kit.takes_files
async def create(request: web.Request) -> web.StreamResponse:
    """`POST …/blocks/new`: add a block behind another, or at the end."""
    form = await forms.read(request)
    bulletin = await _bulletin(request)
    kind = form.line("kind")
    if kind not in block_forms.FORMS:
        raise errors.NotFound(N_("There is no such page."))
    after = form.line("after", limit=20)

    def place(document: Document, block: AnyBlock) -> Document:
        return composer.insert(document, block, after=after)

    return await _keep(request, form, bulletin, kind, place)


@kit.staff(Role.AUTHOR)
async def ask(request: web.Request) -> web.StreamResponse:
    """`GET …/blocks/{block}`: the form of a block; for scripts the form alone, or its values."""
    bulletin = await _bulletin(request)
    block = bulletins.document_of(bulletin).block(request.match_info["block"])
    if writing_pages.wants_values(request):
        known = (await writing_pages.known_to(request, bulletin)).block(block.id)
        return writing_pages.kept(
            request, bulletin, composer.values_of(block), known=composer.values_of(known)
        )
    return await _page(request, bulletin, block.kind, composer.values_of(block), block=block)


@kit.staff(Role.AUTHOR)
@kit.takes_files
async def save(request: web.Request) -> web.StreamResponse:
    """`POST …/blocks/{block}`: keep it; a second editor is told and loses nothing."""
    form = await forms.read(request)
    bulletin = await _bulletin(request)
    kind = form.line("kind")
    if kind not in block_forms.FORMS:
        raise errors.NotFound(N_("There is no such page."))
    return await _keep(request, form, bulletin, kind, composer.replace)


async def _keep(
    request: web.Request,
    form: Form,
    bulletin: Bulletin,
    kind: str,
    place: Callable[[Document, AnyBlock], Document],
) -> web.StreamResponse:
    block_id = request.match_info.get("block", "")
    try:
        picture = await _upload(request) if kind == "image" else None
        block, unknown = await typed(request, form, bulletin, block_id=block_id, picture=picture)
        step = await composing.save(
            kit.ground(request),
            actor=kit.actor(request),
            bulletin_id=bulletin.id,
            version=staff_forms.version(form),
            change=lambda document: place(document, block),
            prefer=writing_pages.preferred(form),
        )
    except (errors.Invalid, errors.Conflict) as problem:
        if writing_pages.wants_values(request):
            return writing_pages.refused(request, problem, block_id)
        values = staff_forms.typed(form)
        return await _page(request, bulletin, kind, values, form=form, problem=problem)
    speaks = kit.translator(request)
    warned = ""
    if unknown:
        words = speaks.gettext(N_("These merge tags of another system are not known: %(tags)s."))
        warned = words % {"tags": ", ".join(unknown)}
    if writing_pages.wants_values(request):
        values = composer.values_of(bulletins.document_of(step.bulletin).block(block_id))
        known = composer.values_of(step.mine.block(block_id))
        return writing_pages.kept(
            request, step.bulletin, values, known=known, step=step, warned=warned
        )
    said = " ".join(filter(None, (speaks.gettext(N_("Saved.")), warned)))
    return kit.redirect(request, f"/staff/bulletins/{bulletin.id}#blocks", flash=said)


async def typed(
    request: web.Request,
    form: Form,
    bulletin: Bulletin,
    *,
    block_id: str,
    picture: str | None = None,
) -> tuple[AnyBlock, list[str]]:
    """The block that was typed, and foreign merge tags in it that nobody knows.

    Blank `block_id` is for a new one; `picture` is one that came with the form. Raises
    `errors.Invalid`.
    """
    kind = form.line("kind")
    document = bulletins.document_of(bulletin)
    over = next((each for each in document.blocks if block_id and each.id == block_id), None)
    described = block_forms.FORMS[kind]
    unknown: list[str] = []
    words = staff_forms.read_all(form, described.sides, kit.ground(request).catalog.languages)
    for texts in words.values():
        plain = {name: text for name, text in texts.items() if isinstance(text, str)}
        converted, tags = bulletins.convert_foreign(plain)
        texts.update(converted)
        unknown.extend(tags)
    shared: dict[str, Any] = {
        spec.name: staff_forms.read_shared(form, spec) for spec in described.shared
    }
    if kind == "image":
        shared["picture"] = picture or form.line("picture", limit=80)
    if shared.get("postal_code"):
        shared["postal_code"] = await _zip_code(form, shared["postal_code"])
    towns, postal_codes = form.text("towns", limit=10_000), form.line("postal_codes", limit=4_000)
    form.check()
    shared |= readers.chosen(
        form.line("seen_by", limit=20),
        towns=towns,
        postal_codes=postal_codes,
        members=form.flag("members"),
    )
    return composer.block_from(kind, shared, words, block_id=block_id, over=over), unknown


async def _zip_code(form: Form, typed: str) -> str:
    """The code of the place that was typed; what is wrong is noted on the form."""
    try:
        return (await zips.named(typed)).code
    except errors.Invalid as problem:
        form.problems["postal_code"] = problem
        return ""


async def _upload(request: web.Request) -> str | None:
    """The digest of a picture that came with the form, or None."""
    file = await staff_forms.file_of(request, "file")
    if file is None:
        return None
    picture = await pictures.add(
        kit.ground(request), actor=kit.actor(request), file_name=file[0], content=file[1]
    )
    return picture.digest


async def _bulletin(request: web.Request) -> Bulletin:
    async with kit.ground(request).db.reading() as session:
        return await bulletins.get(session, kit.number_in_path(request))


async def _page(
    request: web.Request,
    bulletin: Bulletin,
    kind: str,
    values: dict[str, str],
    *,
    block: AnyBlock | None = None,
    form: Form | None = None,
    problem: errors.HandbillError | None = None,
) -> web.Response:
    """The form of a block. After a conflict it holds what was typed, over the newest version."""
    newest = problem.bulletin if isinstance(problem, bulletins.SavedByOther) else bulletin
    document = bulletins.document_of(newest)
    block_id = request.match_info.get("block", "")
    theirs = next((each for each in document.blocks if each.id == block_id), None)
    if form is not None and kind in ("developments", "figures"):
        chosen = form.lines("keys")
    elif kind == "columns":
        chosen = [values.get(name, "") for name in ("first_picture", "second_picture")]
    else:
        chosen = [str(key) for key in getattr(block, "keys", [])]
    return kit.render(
        request,
        f"bulletins/staff/{'_block_form' if kit.is_htmx(request) else 'block'}.html",
        status=409 if isinstance(problem, errors.Conflict) else 422 if problem else 200,
        bulletin=newest,
        is_part=kit.is_htmx(request),
        version=writing_pages.base(form, problem, newest),
        kind=kind,
        form=block_forms.FORMS[kind],
        block_id=block_id,
        after=values.get("after", request.query.get("after", "")),
        values=values,
        problems=staff_forms.say(request, problem) if problem else {},
        is_conflict=isinstance(problem, errors.Conflict),
        theirs={code: composer.excerpt(theirs, code) for code in document.languages}
        if theirs
        else {},
        is_gone=isinstance(problem, errors.Conflict) and bool(block_id) and theirs is None,
        options=await _options(request, kind, document, chosen),
        readers=[
            (value, kit.translator(request).gettext(word), "") for value, word in readers.CHOICES
        ],
        chosen=chosen,
        listed=await _listed(request, document, theirs),
        last_sent=await _last_sent(request, kind, document),
        can_be_snippet=kind in snippets.KINDS,
        recent=await _recent(request) if kind == "image" else [],
        limit_mb=pictures.MAX_BYTES // 1024 // 1024,
    )


async def _last_sent(request: web.Request, kind: str, document: Document) -> date | None:
    """The day of the issue's last bulletin, for “everything since”."""
    if kind != "developments" or not document.issue:
        return None
    ground = kit.ground(request)
    async with ground.db.reading() as session:
        issue = await issues.by_slug(session, document.issue)
        return await bulletins.last_sent_on(session, ground, issue.id)


async def _listed(
    request: web.Request, document: Document, block: AnyBlock | None
) -> Sequence[shortening_pages.Entry]:
    """The developments that a block shows, which can have own words; none for other kinds."""
    ground = kit.ground(request)
    if block is None:
        return ()
    async with ground.db.reading() as session:
        return await shortening_pages.entries(
            ground, session, document, block, kit.translator(request)
        )


async def _recent(request: web.Request) -> list[dict[str, Any]]:
    async with kit.ground(request).db.reading() as session:
        found = await pictures.recent(session)
    return [media_pages.told(request, each) for each in found]


async def _options(
    request: web.Request, kind: str, document: Document, chosen: list[str]
) -> dict[str, Options]:
    """What can be chosen in the fields of a block."""
    ground, speaks = kit.ground(request), kit.translator(request)
    if kind in block_choices.KINDS:
        async with ground.db.reading() as session:
            return await block_choices.of(session, speaks, kind, chosen)
    near = [(value.value, speaks.gettext(word), "") for value, word in block_forms.NEAR.items()]
    if kind == "event":
        return {"near": near}
    if kind not in ("developments", "figures", "material"):
        return {}
    async with ground.db.reading() as session:
        if kind == "material":
            found = await materials.listed(session)
            told = [materials.tell(ground, each, [], speaks) for each in found]
            choose = ("", speaks.gettext(N_("Choose…")), "")
            return {"material": [choose, *((each.slug, each.title, "") for each in told)]}
        if not document.issue:
            return {"keys": [], "near": near}
        issue = await issues.by_slug(session, document.issue)
        if kind == "figures":
            parts = [
                each
                for each in await issues.parts(session, issue.id)
                if each.kind == PartKind.FIGURE.value and each.key
            ]
            return {
                "keys": [(each.key, each.value, _caption(request, each.texts)) for each in parts]
            }
        page = await developments.listed(session, issue_id=issue.id, limit=_OFFERED_DEVELOPMENTS)
        # A series may have put in what is older, or another issue's: saving must not drop it.
        items = list(page.items)
        items += await developments.elsewhere(session, issue_id=issue.id, limit=_OFFERED_ELSEWHERE)
        names = {str(each.id) for each in items} | {each.key for each in items}
        others = [name for name in chosen if name not in names]
        items += await developments.known(session, others)
        known = {each.id: each for each in await issues.everything(session)}
    titles = {
        number: issue_page.summarise(ground, each, speaks).title
        for number, each in known.items()
        if number != issue.id
    }
    return {"keys": _development_options(request, items, chosen, titles), "near": near}


def _caption(request: web.Request, texts: wording.Texts) -> str:
    worded = wording.pick(
        texts,
        kit.translator(request),
        need="body",
        default=kit.ground(request).settings.site.language,
    )
    return worded["body"]


def _development_options(
    request: web.Request, found: Any, chosen: list[str], titles: Mapping[int, str]
) -> Options:
    """Developments to choose from, by key where they have one; the chosen ones first, in order.

    `titles` are those of other issues, by which theirs are known.
    """
    ground, speaks = kit.ground(request), kit.translator(request)
    options: Options = []
    for each in found:
        told = developments.tell(ground, each, speaks)
        name = str(each.id) if str(each.id) in chosen else (each.key or str(each.id))
        state = "" if each.is_published else f" · {speaks.gettext(N_('draft'))}"
        where = f" · {titles[each.issue_id]}" if each.issue_id in titles else ""
        hint = f"{told.kind_label} · {speaks.date(told.happened_on)}{where}{state}"
        options.append((name, told.headline, hint))
    order = {name: place for place, name in enumerate(chosen)}
    return sorted(options, key=lambda option: order.get(option[0], len(order)))
