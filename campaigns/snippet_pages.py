"""Staff's pages of saved snippets (`/staff/snippets`)."""

from typing import Any

from aiohttp import web

from campaigns import (
    block_choices,
    block_forms,
    block_models,
    bulletins,
    composer,
    composing,
    remaking,
    snippet_uses,
    snippets,
    staff_forms,
    waiting_texts,
)
from campaigns.block_models import AnyBlock
from campaigns.snippet_models import Snippet
from foundation import errors
from foundation.accounts.models import Role
from foundation.i18n import N_
from foundation.web import forms, kit
from foundation.web.forms import Form


def routes() -> list[web.RouteDef]:
    """What is here."""
    one = "/staff/snippets/{id}"
    return [
        web.get("/staff/snippets", index),
        web.get("/staff/snippets/new", ask_new),
        web.post("/staff/snippets/new", create),
        web.get(one, show),
        web.post(one, save),
        web.post(f"{one}/versions", restore),
        web.post(f"{one}/delete", delete),
    ]


@kit.staff(Role.VIEWER)
async def index(request: web.Request) -> web.StreamResponse:
    """`GET /staff/snippets`: all of them, with how they begin and where they stand."""
    async with kit.ground(request).db.reading() as session:
        found = await snippets.listed(session)
        counts = await snippet_uses.counts(session)
    language = kit.translator(request).language
    return kit.render(
        request,
        "bulletins/staff/snippets.html",
        shown=[
            (
                each,
                block_forms.FORMS[each.block["kind"]].label,
                composer.excerpt(snippets.block_of(each), language),
                counts.get(each.id, 0),
            )
            for each in found
        ],
    )


@kit.staff(Role.AUTHOR)
async def ask_new(request: web.Request) -> web.StreamResponse:
    """`GET /staff/snippets/new?kind=`, or `?bulletin=&block=` for a block that is there."""
    block = await _block_of_bulletin(
        request, request.query.get("bulletin", ""), request.query.get("block", "")
    )
    kind = block.kind if block else request.query.get("kind", "rich_text")
    if kind not in snippets.KINDS:
        raise errors.NotFound(N_("There is no such page."))
    values = composer.values_of(block) if block else {}
    return await _page(request, kind, {**values, **_origin(request.query)})


@kit.staff(Role.AUTHOR)
async def create(request: web.Request) -> web.StreamResponse:
    """`POST /staff/snippets/new`: keep it; a block that it was made of becomes the snippet."""
    form = await forms.read(request)
    kind = _kind(form)
    ground, actor = kit.ground(request), kit.actor(request)
    try:
        block = _typed(request, form, kind)
        made = await snippets.create(
            ground, actor=actor, name=form.line("name", limit=120), block=block
        )
    except errors.Invalid as problem:
        return await _page(request, kind, staff_forms.typed(form), problem=problem)
    number = form.line("bulletin", limit=18)
    if not number:
        return kit.redirect(
            request, f"/staff/snippets/{made.id}", flash=_say(request, N_("Saved."))
        )
    return await _put_in(request, form, made)


async def _put_in(request: web.Request, form: Form, made: Snippet) -> web.StreamResponse:
    """Let the snippet stand where the block stood, unless the bulletin was changed meanwhile."""
    ground = kit.ground(request)
    said = N_("Saved as a snippet, which stands in the bulletin now.")
    async with ground.db.reading() as session:
        bulletin = await bulletins.get(session, form.number("bulletin", default=0) or 0)
    document = bulletins.document_of(bulletin)
    try:
        block = document.block(form.line("block", limit=20))
        standing = block_models.SavedSnippet(
            id=block.id, only_to=block.only_to, all_but=block.all_but, snippet=made.key
        )
        await composing.save(
            ground,
            actor=kit.actor(request),
            bulletin_id=bulletin.id,
            version=staff_forms.version(form),
            change=lambda seen: composer.replace(seen, standing),
        )
    except (errors.NotFound, errors.Conflict):
        said = N_(
            "Saved as a snippet. The bulletin was changed meanwhile, so the block stands there yet."
        )
    return kit.redirect(
        request, f"/staff/bulletins/{bulletin.id}#blocks", flash=_say(request, said)
    )


@kit.staff(Role.VIEWER)
async def show(request: web.Request) -> web.StreamResponse:
    """`GET /staff/snippets/{id}`: its form, where it stands, and its earlier versions."""
    async with kit.ground(request).db.reading() as session:
        snippet = await snippets.get(session, kit.number_in_path(request))
    block = snippets.block_of(snippet)
    values = composer.values_of(block) | {"name": snippet.name}
    return await _page(request, block.kind, values, snippet=snippet)


@kit.staff(Role.AUTHOR)
async def save(request: web.Request) -> web.StreamResponse:
    """`POST /staff/snippets/{id}`: keep it, and say which bulletins show the change."""
    form = await forms.read(request)
    kind = _kind(form)
    number = kit.number_in_path(request)
    try:
        saved = await snippets.save(
            kit.ground(request),
            actor=kit.actor(request),
            snippet_id=number,
            version=staff_forms.version(form),
            name=form.line("name", limit=120),
            block=_typed(request, form, kind),
        )
    except (errors.Invalid, errors.Conflict) as problem:
        async with kit.ground(request).db.reading() as session:
            snippet = await snippets.get(session, number)
        typed = staff_forms.typed(form)
        return await _page(request, kind, typed, snippet=snippet, problem=problem)
    return kit.redirect(
        request,
        f"/staff/snippets/{number}",
        flash=remaking.told(kit.translator(request), saved.remade),
    )


@kit.staff(Role.AUTHOR)
async def restore(request: web.Request) -> web.StreamResponse:
    """`POST /staff/snippets/{id}/versions`: make an earlier version the newest again."""
    form = await forms.read(request)
    number = kit.number_in_path(request)
    saved = await snippets.restore(
        kit.ground(request),
        actor=kit.actor(request),
        snippet_id=number,
        version=staff_forms.version(form),
        wanted=form.number("wanted", default=0) or 0,
    )
    return kit.redirect(
        request,
        f"/staff/snippets/{number}",
        flash=remaking.told(kit.translator(request), saved.remade),
    )


@kit.staff(Role.AUTHOR)
async def delete(request: web.Request) -> web.StreamResponse:
    """`POST /staff/snippets/{id}/delete`."""
    await forms.read(request)
    await snippets.delete(
        kit.ground(request), actor=kit.actor(request), snippet_id=kit.number_in_path(request)
    )
    return kit.redirect(request, "/staff/snippets", flash=_say(request, N_("Deleted.")))


def _typed(request: web.Request, form: Form, kind: str) -> AnyBlock:
    described = block_forms.FORMS[kind]
    sides = staff_forms.read_all(form, described.sides, kit.ground(request).catalog.languages)
    words = {code: _converted(texts) for code, texts in sides.items()}
    shared: dict[str, Any] = {
        spec.name: staff_forms.read_shared(form, spec) for spec in described.shared
    }
    if kind == "image":
        shared |= {"picture": form.line("picture", limit=80), "src": form.line("src", limit=2000)}
    form.check()
    return composer.block_from(kind, shared, words, block_id="")


def _converted(texts: dict[str, Any]) -> dict[str, Any]:
    plain = {name: text for name, text in texts.items() if isinstance(text, str)}
    return {**texts, **bulletins.convert_foreign(plain)[0]}


def _kind(form: Form) -> str:
    kind = form.line("kind", limit=20)
    if kind not in snippets.KINDS:
        raise errors.NotFound(N_("There is no such page."))
    return kind


async def _block_of_bulletin(request: web.Request, number: str, block_id: str) -> AnyBlock | None:
    """The block that a snippet is to be made of. Raises `errors.NotFound`."""
    if not number:
        return None
    if not number.isascii() or not number.isdigit() or len(number) > 18:
        raise errors.NotFound(N_("There is no such bulletin."))
    async with kit.ground(request).db.reading() as session:
        bulletin = await bulletins.get(session, int(number))
    return snippets.plain_block(bulletins.document_of(bulletin).block(block_id))


def _origin(query: Any) -> dict[str, str]:
    return {name: query.get(name, "") for name in ("bulletin", "block", "version")}


async def _page(
    request: web.Request,
    kind: str,
    values: dict[str, str],
    *,
    snippet: Snippet | None = None,
    problem: errors.HandbillError | None = None,
) -> web.Response:
    speaks = kit.translator(request)
    language = speaks.language
    chosen = [values.get(f"{side}_picture", "") for side in ("first", "second")]
    number = snippet.id if snippet else 0
    async with kit.ground(request).db.reading() as session:
        used = await snippet_uses.bulletins(session, number)
        earlier = await snippets.versions(session, number)
        options = await block_choices.of(session, speaks, kind, chosen)
    return kit.render(
        request,
        "bulletins/staff/snippet.html",
        status=409 if isinstance(problem, errors.Conflict) else 422 if problem else 200,
        snippet=snippet,
        kind=kind,
        kinds=[each for each in block_forms.FORMS if each in snippets.KINDS - {"image"}],
        labels={each: block_forms.FORMS[each].label for each in snippets.KINDS},
        form=block_forms.FORMS[kind],
        values=values,
        problems=staff_forms.say(request, problem) if problem else {},
        is_conflict=isinstance(problem, errors.Conflict),
        kept=composer.excerpt(snippets.block_of(snippet), language) if snippet else "",
        options=options,
        translated=waiting_texts.of_snippet(kit.ground(request), snippet) if snippet else None,
        used=used,
        earlier=[(each, composer.excerpt(snippets.block_of(each), language)) for each in earlier],
        may_change=kit.signed_in(request).role.may(Role.AUTHOR),
    )


def _say(request: web.Request, msgid: str) -> str:
    return kit.translator(request).gettext(msgid)
