"""The mail as it would be with what somebody is typing, for the preview beside the blocks.

Nothing is kept here: `composer-preview.js` sends the form that is open, and draws what comes back.
"""

import re

from aiohttp import web
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import (
    archive,
    block_forms,
    block_pages,
    bulletins,
    compiling,
    composer,
    event_links,
    head_pages,
    preview_pages,
    shortening_pages,
    somebody,
)
from campaigns.documents import Document
from campaigns.models import Bulletin
from foundation import errors
from foundation.accounts.models import Role
from foundation.i18n import N_
from foundation.web import forms, kit
from foundation.web.forms import Form
from subscribers import people, recipients
from subscribers.recipients import Recipient

_PICTURES = re.compile(r"(<img\b[^>]*?\s)src=", re.IGNORECASE)
_BACKGROUNDS = re.compile(r"""\bbackground=["'][^"']*["']|url\([^)]*\)""", re.IGNORECASE)


def routes() -> list[web.RouteDef]:
    """What is here."""
    one = "/staff/bulletins/{id}"
    return [web.post(f"{one}/draft", draw), web.post(f"{one}/somebody", choose_somebody)]


@kit.staff(Role.VIEWER)
async def draw(request: web.Request) -> web.StreamResponse:
    """`POST …/draft`: the mail with the form that is being typed in, or what keeps it from that.

    `look_language`, `look_scheme`, `look_images` and `look_reader` say how it is looked at.
    """
    form = await forms.read(request)
    ground, speaks = kit.ground(request), kit.translator(request)
    try:
        async with ground.db.reading() as session:
            bulletin = await bulletins.get(session, kit.number_in_path(request))
            document = await _typed(request, form, bulletin)
            told = await _mail(request, session, form, bulletin, document)
    except errors.Invalid as problem:
        told = {"problem": " ".join(dict.fromkeys(_said(problem, speaks)))}
    return web.json_response(told, headers={"Cache-Control": "no-store"})


@kit.staff(Role.VIEWER)
async def choose_somebody(request: web.Request) -> web.StreamResponse:
    """`POST …/somebody` with an `email`, or none for whoever comes of those whom it is for."""
    form = await forms.read(request)
    ground, speaks = kit.ground(request), kit.translator(request)
    email = form.line("email")
    try:
        if email:
            number = await people.by_email(ground, email=email)
        else:
            number = await _anybody(request)
        reader = await recipients.one(ground, subscriber_id=number)
    except (errors.Invalid, errors.NotFound) as problem:
        reader, said = None, problem.say(speaks)
    else:
        said = reader.email if reader else ""
    told = {"reader": reader.id if reader else None, "said": said}
    return web.json_response(told, headers={"Cache-Control": "no-store"})


async def _anybody(request: web.Request) -> int:
    """One of those whom the bulletin is for, another at each time. Raises `errors.NotFound`."""
    ground = kit.ground(request)
    async with ground.db.reading() as session:
        bulletin = await bulletins.get(session, kit.number_in_path(request))
        found = await somebody.choose(ground, session, bulletins.document_of(bulletin))
    if found is None:
        raise errors.NotFound(N_("Nobody would get this bulletin yet."))
    return found


async def _typed(request: web.Request, form: Form, bulletin: Bulletin) -> Document:
    """The bulletin with the form that is open in it. Raises `errors.Invalid`."""
    document = bulletins.document_of(bulletin)
    where = form.line("typed_in", limit=120)
    if not where:
        return document
    if where == "head":
        return bulletins.cleaned(kit.ground(request), head_pages.changed(request, form)(document))
    block_id, is_own_words, name = where.partition("/words/")
    if is_own_words:
        change = shortening_pages.typed(request, form, block_id, name)
        return bulletins.cleaned(kit.ground(request), change(document))
    if form.line("kind") not in block_forms.FORMS:
        return document
    block, _ = await block_pages.typed(request, form, bulletin, block_id=where)
    return bulletins.cleaned(kit.ground(request), composer.replace(document, block))


async def _mail(
    request: web.Request,
    session: AsyncSession,
    form: Form,
    bulletin: Bulletin,
    document: Document,
) -> dict[str, object]:
    ground = kit.ground(request)
    offered = preview_pages.editions_of(document)
    if not offered:
        raise errors.Invalid(N_("This bulletin has no edition in any language yet."))
    wished = form.line("look_language", limit=40)
    language = wished if wished in offered else offered[0]
    origin = await event_links.origin(session, bulletin.id)
    made = await compiling.compile_whole(
        ground, session, document, language=language, origin=origin
    )
    plan = made.plan
    reader = await _reader(request, form)
    values = preview_pages.values_for(request, plan, reader)
    answers = plan.answers(reader) if reader else None
    html = archive.as_page(plan, values, answers, target="_blank")
    scheme = "dark" if form.line("look_scheme") == "dark" else "light"
    html = preview_pages.in_scheme(html, scheme)
    if form.line("look_images") == "off":
        html = without_pictures(html)
    text = plan.text(values, answers)
    glimpse = preview_pages.glimpse(document, language)
    size = round(compiling.html_bytes(ground, plan) / 1024)
    words = kit.translator(request).gettext(N_("%(size)s KB of HTML"))
    return {
        "html": html,
        "lang": language.split("+")[0],
        "texts": {
            "sender": ground.settings.from_name,
            "subject": plan.subject(values),
            "preheader": glimpse,
            # Without a preheader, inboxes show how the mail begins.
            "behind": glimpse or " ".join(text.split())[:200],
            "text": text,
            "size": words % {"size": size},
        },
    }


def without_pictures(html: str) -> str:
    """The mail as a program shows it that loads no pictures: with their descriptions."""
    return _BACKGROUNDS.sub("", _PICTURES.sub(r"\1data-src=", html))


async def _reader(request: web.Request, form: Form) -> Recipient | None:
    number = form.number("look_reader")
    if number is None:
        return None
    return await recipients.one(kit.ground(request), subscriber_id=number)


def _said(problem: errors.Invalid, speaks: errors.Speaks) -> list[str]:
    return [each.say(speaks) for each in problem.fields.values()] or [problem.say(speaks)]
