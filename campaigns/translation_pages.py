"""Staff's pages where a bulletin is translated: its texts beside their source, and nothing else."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from aiohttp import web

from campaigns import (
    block_forms,
    bulletins,
    head_pages,
    staff_forms,
    translating,
    translation_saving,
    word_changes,
)
from campaigns.block_models import AnyBlock
from campaigns.documents import Document
from campaigns.left_behind import Fields
from campaigns.models import Bulletin
from campaigns.staff_forms import FieldSpec, Widget
from campaigns.translating import Side
from campaigns.translation_saving import Kept
from foundation.accounts.models import Role
from foundation.frozen import frozen
from foundation.i18n import N_, Translator
from foundation.web import forms, kit
from foundation.web.forms import Form

_JSON = "application/json"
_HEADS = {spec.name: spec for spec in head_pages.HEAD}


@frozen
class Line:
    """One field of a text, beside its source."""

    name: str
    """Of the form's field: `place:field`."""
    spec: FieldSpec
    number: int
    """Of which item it is, from 1; 0 outside of items."""
    source: str


@frozen
class Row:
    """One text, with all its fields."""

    side: Side
    label: str
    number: int
    """The block, from 1; 0 outside the blocks."""
    lines: Sequence[Line]
    theirs: Fields | None = None
    """What somebody else wrote there meanwhile."""


def routes() -> list[web.RouteDef]:
    """What is here."""
    here = "/staff/bulletins/{id}/translate"
    return [web.get(here, show), web.post(here, save), web.post(f"{here}/right", call_right)]


@kit.staff(Role.TRANSLATOR)
async def show(request: web.Request) -> web.StreamResponse:
    """`GET /staff/bulletins/{id}/translate?language=`: source and translation, text by text."""
    bulletin = await _bulletin(request)
    language = _language(request.query.get("language", ""), bulletins.document_of(bulletin))
    return _page(request, bulletin, language)


@kit.staff(Role.TRANSLATOR)
async def save(request: web.Request) -> web.StreamResponse:
    """`POST …/translate`: keep the texts that were changed; a script hears how each is by now."""
    form = await forms.read(request)
    bulletin = await _bulletin(request)
    language = form.line("language", limit=20)
    right = form.lines("right", limit=1)
    texts = _typed(form)
    kept = await translation_saving.keep(
        kit.ground(request),
        actor=kit.actor(request),
        bulletin_id=bulletin.id,
        version=staff_forms.version(form),
        source_version=form.number("source_version"),
        language=language,
        texts=texts,
        right=right,
    )
    if _JSON in request.headers.get("Accept", ""):
        return web.json_response(_said(request, kept, language, texts))
    if kept.problems or kept.theirs:
        return _page(request, kept.bulletin, language, kept=kept, texts=texts)
    document = bulletins.document_of(kept.bulletin)
    waiting = _next(document, language, after=right)
    words = kit.translator(request).gettext(N_("Saved."))
    where = f"/staff/bulletins/{bulletin.id}/translate?language={language}{waiting}"
    return kit.redirect(request, where, flash=words)


@kit.staff(Role.TRANSLATOR)
async def call_right(request: web.Request) -> web.StreamResponse:
    """`POST …/translate/right`: a side still says what its changed source says."""
    form = await forms.read(request)
    bulletin = await _bulletin(request)
    place = form.line("place", limit=200)
    form.check()
    await translation_saving.keep(
        kit.ground(request),
        actor=kit.actor(request),
        bulletin_id=bulletin.id,
        version=staff_forms.version(form),
        language=form.line("language", limit=20),
        texts={},
        right=[place],
    )
    words = kit.translator(request).gettext(N_("Noted as right."))
    block = place.partition(".")[0]
    anchor = "head-title" if block == "head" else f"block-{block}"
    return kit.redirect(request, f"/staff/bulletins/{bulletin.id}#{anchor}", flash=words)


def _typed(form: Form) -> dict[str, dict[str, str]]:
    """What was sent, by place and field."""
    texts: dict[str, dict[str, str]] = {}
    for name in form.values:
        place, mark, field = name.partition(":")
        if mark:
            read = form.text if word_changes.is_rich(field) else form.line
            limit = 50_000 if word_changes.is_rich(field) else 2_000
            texts.setdefault(place, {})[field] = read(name, limit=limit)
    form.check()
    return texts


def _page(
    request: web.Request,
    bulletin: Bulletin,
    language: str,
    *,
    kept: Kept | None = None,
    texts: Mapping[str, Fields] | None = None,
) -> web.Response:
    """All texts; after a problem with what was typed in place of what is kept."""
    speaks = kit.translator(request)
    document = bulletins.document_of(bulletin)
    rows = _rows(document, language, kept.theirs if kept else {})
    values = {
        f"{row.side.place}:{name}": row.side.target.get(name, "")
        for row in rows
        for name in row.side.names
    }
    problems: dict[str, str] = {}
    if kept:
        wrong = {*kept.theirs, *(place for place, _ in kept.problems)}
        for place in wrong:
            values |= {f"{place}:{name}": said for name, said in (texts or {})[place].items()}
        problems = _problems(kept, speaks)
    return kit.render(
        request,
        "bulletins/staff/translate.html",
        status=409 if kept and kept.theirs else 422 if kept else 200,
        bulletin=bulletin,
        document=document,
        language=language,
        source=document.languages[0],
        rows=rows,
        values=values,
        problems=problems,
        progress=_progress(document, language),
        others=[code for code in document.languages[1:] if code != language],
        is_rich=word_changes.is_rich,
        may_write=kit.signed_in(request).role.may(Role.AUTHOR),
    )


def _rows(document: Document, language: str, theirs: Mapping[str, Fields]) -> list[Row]:
    numbers = {block.id: number for number, block in enumerate(document.blocks, 1)}
    by_id = {block.id: block for block in document.blocks}
    found = []
    for side in translating.sides(document, language):
        block = by_id.get(side.block)
        label = block_forms.FORMS[block.kind].label if block else _HEADS[_head_of(side)].label
        found.append(
            Row(
                side=side,
                label=label,
                number=numbers.get(side.block, 0),
                lines=_lines(side, block),
                theirs=theirs.get(side.place),
            )
        )
    return found


def _lines(side: Side, block: AnyBlock | None) -> list[Line]:
    """The fields that the source fills, and an address of its own where there is one to replace."""
    return [
        Line(
            name=f"{side.place}:{name}",
            spec=spec_of(block, name) if block else _HEADS[_head_of(side)],
            number=int(name.split(".")[-2]) + 1 if translating.is_of_an_item(name) else 0,
            source=side.source.get(name, ""),
        )
        for name in side.names
        if name in side.source
        or name in side.target
        or (translating.is_address(name) and bool(getattr(block, name, None)))
    ]


def spec_of(block: AnyBlock, name: str) -> FieldSpec:
    """How a field of a block's text, or of an entry of a list in it, is typed and called."""
    first, _, last = name.replace(".", " ").partition(" ")
    described = block_forms.FORMS[block.kind]
    for spec in (*described.sides, *described.inner):
        if spec.name == first:
            found = [row for row in spec.rows if last.endswith(row.name)]
            return found[0] if found else spec
    widget = Widget.RICH if word_changes.is_rich(name) else Widget.LINE
    return FieldSpec(name=name, label=N_("Words"), widget=widget)


def _head_of(side: Side) -> str:
    return side.place.partition(".")[2]


def _progress(document: Document, language: str) -> translating.Progress:
    return next(each for each in translating.progress(document) if each.language == language)


def _said(request: web.Request, kept: Kept, language: str, sent: Collection[str]) -> dict[str, Any]:
    """How the texts that a script sent are by now."""
    speaks = kit.translator(request)
    document = bulletins.document_of(kept.bulletin)
    rest = _progress(document, language)
    return {
        "version": kept.bulletin.version,
        "states": {
            side.place: side.state.value
            for side in translating.sides(document, language)
            if side.place in sent
        },
        "problems": _problems(kept, speaks),
        "theirs": {place: dict(fields) for place, fields in kept.theirs.items()},
        "waiting": rest.waiting,
        "done": rest.done,
        "total": rest.total,
    }


def _problems(kept: Kept, speaks: Translator) -> dict[str, str]:
    return {f"{place}:{name}": each.say(speaks) for (place, name), each in kept.problems.items()}


def _next(document: Document, language: str, *, after: Sequence[str]) -> str:
    """The anchor of the next text that waits; blank when none does."""
    found = translating.sides(document, language)
    places = [side.place for side in found]
    start = places.index(after[0]) + 1 if after and after[0] in places else 0
    waiting = [
        side.place
        for side in [*found[start:], *found[:start]]
        if side.state is not translating.State.DONE
    ]
    return f"#t-{waiting[0]}" if waiting else ""


def _language(wish: str, document: Document) -> str:
    """The language that is asked for, else the first that there is to translate into."""
    language = wish or next(iter(document.languages[1:]), "")
    translation_saving.check_language(document, language)
    return language


async def _bulletin(request: web.Request) -> Bulletin:
    async with kit.ground(request).db.reading() as session:
        return await bulletins.get(session, kit.number_in_path(request))
