"""Staff's pages where a development gets own words for one bulletin, beside what the desk says."""

from collections.abc import Sequence
from typing import Any

from aiohttp import web
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import (
    block_forms,
    bulletins,
    composer,
    composing,
    development_blocks,
    developments,
    issues,
    shortening,
    staff_forms,
    writing_pages,
)
from campaigns.block_models import AnyBlock, Developments, OwnWordsText
from campaigns.composing import Change
from campaigns.documents import Document
from campaigns.models import Bulletin, Development
from campaigns.translating import Side
from foundation import errors
from foundation.accounts.models import Role
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_, Translator
from foundation.web import forms, kit
from foundation.web.forms import Form

SPECS = block_forms.FORMS["developments"].inner


@frozen
class Entry:
    """A development in the list of those that a block shows."""

    name: str
    """What the block calls it where it has own words for it."""
    headline: str
    language: str
    """Of the headline."""
    is_short: bool
    """Whether it has own words here."""
    is_moved: bool
    """Whether the desk's text was changed since."""


def routes() -> list[web.RouteDef]:
    """What is here."""
    here = "/staff/bulletins/{id}/blocks/{block}/words/{development}"
    return [web.get(here, ask), web.post(here, save), web.post(f"{here}/right", call_right)]


@kit.staff(Role.AUTHOR)
async def ask(request: web.Request) -> web.StreamResponse:
    """`GET …/words/{development}`: the form; for scripts the form alone, or its values."""
    bulletin, development = await _found(request)
    block = _block(request, bulletins.document_of(bulletin))
    if writing_pages.wants_values(request):
        known = _block(request, await writing_pages.known_to(request, bulletin))
        return writing_pages.kept(
            request, bulletin, _values(block, development), known=_values(known, development)
        )
    return _page(request, bulletin, development, _values(block, development))


@kit.staff(Role.AUTHOR)
async def save(request: web.Request) -> web.StreamResponse:
    """`POST …/words/{development}`: keep them; emptied ones leave the word to the desk again."""
    form = await forms.read(request)
    bulletin, development = await _found(request)
    block = _block(request, bulletins.document_of(bulletin))
    try:
        step = await composing.save(
            kit.ground(request),
            actor=kit.actor(request),
            bulletin_id=bulletin.id,
            version=staff_forms.version(form),
            change=typed(request, form, block.id, shortening.name_in(block, development)),
            prefer=writing_pages.preferred(form),
        )
    except (errors.Invalid, errors.Conflict) as problem:
        if writing_pages.wants_values(request):
            return writing_pages.refused(request, problem, block.id)
        newest = problem.bulletin if isinstance(problem, bulletins.SavedByOther) else bulletin
        sent = staff_forms.typed(form)
        return _page(request, newest, development, sent, form=form, problem=problem)
    if writing_pages.wants_values(request):
        kept = _block(request, bulletins.document_of(step.bulletin))
        mine = _block(request, step.mine)
        values, known = (_values(each, development) for each in (kept, mine))
        return writing_pages.kept(request, step.bulletin, values, known=known, step=step)
    return _back(request, N_("Saved."))


@kit.staff(Role.AUTHOR)
async def call_right(request: web.Request) -> web.StreamResponse:
    """`POST …/words/{development}/right`: own words still say what the changed desk's text says."""
    await forms.read(request)
    bulletin, development = await _found(request)
    document = bulletins.document_of(bulletin)
    block = _block(request, document)
    where = shortening.place(block, shortening.name_in(block, development))
    await bulletins.save(
        kit.ground(request),
        actor=kit.actor(request),
        bulletin_id=bulletin.id,
        version=bulletin.version,
        document=document,
        right=[(where, code) for code in document.languages],
    )
    return _back(request, N_("Noted as right."))


def typed(request: web.Request, form: Form, block_id: str, name: str) -> Change:
    """What was typed for the development that a block calls `name`, as a change of the bulletin.

    Raises `errors.Invalid`; the change raises `errors.NotFound` where the block is gone.
    """
    sides = staff_forms.read_sides(form, SPECS, kit.ground(request).catalog.languages)
    form.check()
    texts = {
        code: OwnWordsText(**bulletins.convert_foreign(fields)[0]) for code, fields in sides.items()
    }

    def change(document: Document) -> Document:
        block = _developments(document.block(block_id))
        return composer.replace(document, shortening.written(block, name, texts))

    return change


async def entries(
    ground: Ground, session: AsyncSession, document: Document, block: AnyBlock, speaks: Translator
) -> Sequence[Entry]:
    """What a block shows, each with whether it has own words; nothing for other kinds of block."""
    if not isinstance(block, Developments):
        return ()
    try:
        issue = await issues.by_slug(session, document.issue) if document.issue else None
        found = await development_blocks.shown(ground, session, issue, block)
    except (errors.Invalid, errors.NotFound):
        return ()  # the list of what to look at says so
    return [_entry(ground, document, block, each, speaks) for each in found]


def _entry(
    ground: Ground,
    document: Document,
    block: Developments,
    development: Development,
    speaks: Translator,
) -> Entry:
    told = developments.tell(ground, development, speaks)
    own = shortening.words(block, development).texts
    headline = own[told.language].headline if told.language in own else ""
    return Entry(
        name=shortening.name_in(block, development),
        headline=headline or told.headline,
        language=told.language,
        is_short=bool(own),
        is_moved=bool(_moved(ground, document, block, development)),
    )


def _moved(
    ground: Ground, document: Document, block: Developments, development: Development
) -> list[Side]:
    """In which languages the desk's text was changed since the own words were written, and how."""
    found = (
        shortening.moved(ground, document, block, development, code) for code in document.languages
    )
    return [each for each in found if each is not None]


def _developments(block: AnyBlock) -> Developments:
    if not isinstance(block, Developments):
        raise errors.NotFound(N_("This block is no longer there."))
    return block


def _block(request: web.Request, document: Document) -> Developments:
    return _developments(document.block(request.match_info["block"]))


def _values(block: Developments, development: Development) -> dict[str, str]:
    texts = shortening.words(block, development).texts
    return staff_forms.side_values(SPECS, {code: dict(each) for code, each in texts.items()})


async def _found(request: web.Request) -> tuple[Bulletin, Development]:
    """The bulletin, and the development by what the block calls it."""
    async with kit.ground(request).db.reading() as session:
        bulletin = await bulletins.get(session, kit.number_in_path(request))
        found = await developments.known(session, [request.match_info["development"]])
    if not found:
        raise errors.NotFound(N_("There is no such development."))
    return bulletin, found[0]


def _page(
    request: web.Request,
    bulletin: Bulletin,
    development: Development,
    values: dict[str, str],
    *,
    form: Form | None = None,
    problem: errors.HandbillError | None = None,
) -> web.Response:
    ground, speaks = kit.ground(request), kit.translator(request)
    document = bulletins.document_of(bulletin)
    block = _block(request, document)
    desk: dict[str, Any] = {
        code: {
            **shortening.desk_text(ground, development, code),
            "language": shortening.desk_language(ground, development, code),
        }
        for code in document.languages
    }
    return kit.render(
        request,
        f"bulletins/staff/{'_short_form' if kit.is_htmx(request) else 'short'}.html",
        status=409 if isinstance(problem, errors.Conflict) else 422 if problem else 200,
        bulletin=bulletin,
        version=writing_pages.base(form, problem, bulletin),
        is_part=kit.is_htmx(request),
        block_id=block.id,
        name=shortening.name_in(block, development),
        development=development,
        told=developments.tell(ground, development, speaks),
        desk=desk,
        moved=_moved(ground, document, block, development),
        specs=SPECS,
        values=values,
        problems=staff_forms.say(request, problem) if problem else {},
        is_conflict=isinstance(problem, errors.Conflict),
    )


def _back(request: web.Request, msgid: str) -> web.StreamResponse:
    number, block = kit.number_in_path(request), request.match_info["block"]
    words = kit.translator(request).gettext(msgid)
    return kit.redirect(request, f"/staff/bulletins/{number}#block-{block}", flash=words)
