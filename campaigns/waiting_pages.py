"""Staff's pages of all that waits for a translator (`/staff/translations`), and of one text."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from campaigns import (
    block_models,
    development_pages,
    material_pages,
    snippets,
    staff_forms,
    translation_pages,
    waiting_texts,
)
from campaigns.models import Development, Material
from campaigns.staff_forms import FieldSpec
from campaigns.waiting_texts import Kind, Thing
from foundation import errors
from foundation.accounts.models import Role
from foundation.i18n import N_
from foundation.web import forms, kit
from foundation.web.forms import Form

PATH = "/staff/translations"
KIND_WORDS: Mapping[Kind, str] = {
    Kind.DEVELOPMENT: N_("Development"),
    Kind.MATERIAL: N_("Handout"),
    Kind.SNIPPET: N_("Snippet"),
}


def routes() -> list[web.RouteDef]:
    """What is here."""
    one = f"{PATH}/{{kind}}/{{id}}"
    return [web.get(PATH, show), web.get(one, ask), web.post(one, save)]


@kit.staff(Role.VIEWER)
async def show(request: web.Request) -> web.StreamResponse:
    """`GET /staff/translations`: what waits, language by language."""
    ground = kit.ground(request)
    async with ground.db.reading() as session:
        found = await waiting_texts.everything(ground, session)
    return kit.render(
        request,
        "bulletins/staff/translations.html",
        found=found,
        words=KIND_WORDS,
        most=waiting_texts.NEWEST,
        may_translate=kit.signed_in(request).role.may(Role.TRANSLATOR),
    )


@kit.staff(Role.TRANSLATOR)
async def ask(request: web.Request) -> web.StreamResponse:
    """`GET …/{kind}/{id}?language=`: its texts beside their source."""
    return await _page(request, request.query.get("language", ""))


@kit.staff(Role.TRANSLATOR)
async def save(request: web.Request) -> web.StreamResponse:
    """`POST …/{kind}/{id}`: keep them; who comes second keeps what they typed, and sees why."""
    form = await forms.read(request)
    language = form.line("language", limit=20)
    kind = _kind(request)
    thing = await _thing(request)
    typed = staff_forms.read_sides(form, _specs(thing), [language])[language]
    try:
        form.check()
        await waiting_texts.keep(
            kit.ground(request),
            actor=kit.actor(request),
            kind=kind,
            number=kit.number_in_path(request),
            language=language,
            texts=typed,
            before=_fields(_sent(form, "before")),
            read={place: _fields(each) for place, each in _sent(form, "read").items()},
            right=form.lines("right", limit=10),
        )
    except (errors.Invalid, errors.Conflict) as problem:
        return await _page(request, language, form=form, problem=problem)
    words = kit.translator(request).gettext(N_("Saved."))
    return kit.redirect(request, f"{PATH}#w-{language}", flash=words)


def _sent(form: Form, name: str) -> dict[str, Any]:
    """What the page sent along of how texts were when it was made."""
    try:
        found = json.loads(form.values.get(name, "{}"))
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {}


def _fields(found: Any) -> dict[str, str]:
    """Its texts, no longer than texts are: they may be kept as what a translation was made from."""
    if not isinstance(found, dict):
        return {}
    return {str(name): str(text)[: block_models.HTML_LENGTH] for name, text in found.items()}


def _kind(request: web.Request) -> Kind:
    try:
        return Kind(request.match_info["kind"])
    except ValueError as problem:
        raise errors.NotFound(N_("There is no such page.")) from problem


async def _thing(request: web.Request) -> Thing:
    ground = kit.ground(request)
    async with ground.db.reading() as session:
        return await waiting_texts.get(ground, session, _kind(request), kit.number_in_path(request))


def _specs(thing: Thing) -> list[FieldSpec]:
    """The fields that are translated, as they are typed elsewhere."""
    if isinstance(thing.row, Development):
        return list(development_pages.TEXTS)
    if isinstance(thing.row, Material):
        return list(material_pages.TEXTS)
    block = snippets.block_of(thing.row)
    return [
        dataclasses.replace(translation_pages.spec_of(block, name), name=name)
        for name in thing.fields
    ]


async def _page(
    request: web.Request,
    language: str,
    *,
    form: Form | None = None,
    problem: errors.HandbillError | None = None,
) -> web.Response:
    ground, thing = kit.ground(request), await _thing(request)
    specs = _specs(thing)
    waiting_texts.check_language(thing, language, ground.catalog.languages)
    kept = thing.texts.get(language, {})
    return kit.render(
        request,
        "bulletins/staff/translation.html",
        status=409 if isinstance(problem, errors.Conflict) else 422 if problem else 200,
        thing=thing,
        language=language,
        word=KIND_WORDS[thing.kind],
        specs=specs,
        kept=kept,
        before=json.dumps(kept),
        read=json.dumps(
            {place: each.get(thing.source_language, {}) for place, each in thing.places.items()}
        ),
        behind=thing.sides(language),
        values=staff_forms.typed(form)
        if form
        else staff_forms.side_values(specs, {language: kept}),
        problems=staff_forms.say(request, problem) if problem else {},
        is_conflict=isinstance(problem, errors.Conflict),
    )
