"""Staff look at a bulletin before anybody else: HTML and text, phone and desktop, light and dark.

The mail stands in a frame in which nothing can run; "a test to myself" goes straight to the relay
and counts nowhere.
"""

from collections.abc import Sequence

from aiohttp import web
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import (
    archive,
    archive_pages,
    bulletins,
    compiling,
    event_links,
    readers,
    readings,
    sections,
    trial_plans,
    trials,
    wording,
)
from campaigns.compiling import Compiled
from campaigns.documents import Document
from campaigns.models import Bulletin, Campaign
from delivery import testmail
from foundation import errors
from foundation.accounts.models import Role
from foundation.i18n import N_
from foundation.web import forms, kit
from subscribers import people, recipients
from subscribers.recipients import Recipient
from templates.plan import Plan

_DARK = "prefers-color-scheme:dark"
WIDTHS = ("desktop", "phone")
SCHEMES = ("light", "dark")
PARTS = ("html", "text")


def routes() -> list[web.RouteDef]:
    """What is here."""
    one = "/staff/bulletins/{id}"
    return [
        web.get(f"{one}/preview", show),
        web.post(f"{one}/preview", choose_reader),
        web.get(f"{one}/mail", show_mail),
        web.post(f"{one}/test", send_test),
    ]


@kit.staff(Role.VIEWER)
async def show(request: web.Request) -> web.StreamResponse:
    """`GET …/preview?language=&part=&width=&scheme=&reader=`: for all, or as one person gets it."""
    return await _preview_page(request)


@kit.staff(Role.VIEWER)
async def choose_reader(request: web.Request) -> web.StreamResponse:
    """`POST …/preview`: look with the eyes of whoever has an address; it stays out of the URL."""
    form = await forms.read(request)
    try:
        number = await people.by_email(kit.ground(request), email=form.line("email"))
    except (errors.Invalid, errors.NotFound) as problem:
        return await _preview_page(request, problem)
    return kit.redirect(request, str(request.rel_url.update_query(reader=str(number))))


async def _preview_page(
    request: web.Request, unknown: errors.HandbillError | None = None
) -> web.StreamResponse:
    bulletin = await _bulletin(request)
    offered = editions_of(bulletins.document_of(bulletin))
    if not offered:
        raise errors.Invalid(N_("This bulletin has no edition in any language yet."))
    speaks = kit.translator(request)
    language = _choice(request, "language", offered)
    compiled, problem = await _compiled(request, bulletin, language)
    plan = compiled.plan if compiled else None
    reader = await _reader(request)
    sees = sections.of_reader(compiled, reader) if compiled and reader else {}
    values = values_for(request, plan, reader) if plan else {}
    answers = plan.answers(reader) if plan and reader else None
    document = bulletins.document_of(bulletin)
    return kit.render(
        request,
        "bulletins/staff/preview.html",
        status=422 if problem or unknown else 200,
        reader=reader,
        unknown=unknown.say(speaks) if unknown else "",
        some=[
            (number, words, sees.get(number))
            for number, block in enumerate(document.blocks, start=1)
            if (words := readers.words(block, speaks))
        ],
        bulletin=bulletin,
        offered=[(code, wording.language_name(code, speaks)) for code in offered],
        language=language,
        part=_choice(request, "part", PARTS),
        width=_choice(request, "width", WIDTHS),
        scheme=_choice(request, "scheme", SCHEMES),
        subject=plan.subject(values) if plan else "",
        preheader=glimpse(document, language),
        text=plan.text(values, answers) if plan else "",
        size_kb=round(compiling.html_bytes(kit.ground(request), plan) / 1024) if plan else 0,
        problem=problem.say(speaks) if problem else "",
        url=_switched(request, offered),
        form=_form(request),
        may_test=kit.signed_in(request).role.may(Role.AUTHOR),
    )


@kit.staff(Role.VIEWER)
async def show_mail(request: web.Request) -> web.StreamResponse:
    """`GET …/mail?language=&scheme=&reader=`: the mail itself, for the frame."""
    bulletin = await _bulletin(request)
    offered = editions_of(bulletins.document_of(bulletin)) or [kit.ground(request).catalog.default]
    language = _choice(request, "language", offered)
    compiled, problem = await _compiled(request, bulletin, language)
    if compiled is None:
        raise problem or errors.NotFound(N_("There is no such page."))
    plan = compiled.plan
    reader = await _reader(request)
    answers = plan.answers(reader) if reader else None
    html = archive.as_page(plan, values_for(request, plan, reader), answers, target="_blank")
    response = archive_pages.framed_mail(in_scheme(html, _choice(request, "scheme", SCHEMES)))
    response.headers["Cache-Control"] = "no-store"
    return response


@kit.staff(Role.AUTHOR)
async def send_test(request: web.Request) -> web.StreamResponse:
    """`POST …/test`: every edition to the person who asks, marked as a test."""
    await forms.read(request)
    ground, speaks = kit.ground(request), kit.translator(request)
    person = kit.signed_in(request)
    bulletin = await _bulletin(request)
    async with ground.db.reading() as session:
        plans = await compiling.compile_plans(ground, session, bulletin)
    await testmail.send(ground, plans=plans, to=person.email)
    words = speaks.gettext(N_("A test of each edition is on its way to %(email)s."))
    return kit.redirect(
        request, f"/staff/bulletins/{bulletin.id}", flash=words % {"email": person.email}
    )


def in_scheme(html: str, scheme: str) -> str:
    """The mail as a program shows it that is set to light or dark, whatever this browser is."""
    always = "all" if scheme == "dark" else "not all"
    for written in ("(prefers-color-scheme: dark)", f"({_DARK})"):
        html = html.replace(written, always)
    return html


async def _bulletin(request: web.Request) -> Bulletin:
    async with kit.ground(request).db.reading() as session:
        return await bulletins.get(session, kit.number_in_path(request))


async def _compiled(
    request: web.Request, bulletin: Bulletin, language: str
) -> tuple[Compiled | None, errors.HandbillError | None]:
    """One edition, or what keeps it from being made."""
    ground = kit.ground(request)
    async with ground.db.reading() as session:
        try:
            document = await _document(request, session, bulletin)
            origin = await event_links.origin(session, bulletin.id)
            made = await compiling.compile_whole(
                ground, session, document, language=language, origin=origin
            )
        except errors.Invalid as problem:
            return None, problem
    return made, None


def _form(request: web.Request) -> dict[str, str]:
    """Which of two forms is looked at, for the frame's address; nothing for the bulletin itself."""
    return {name: request.query[name] for name in ("campaign", "form") if name in request.query}


async def _document(request: web.Request, session: AsyncSession, bulletin: Bulletin) -> Document:
    """The bulletin, or one of two forms of it that `?campaign=&form=` tries."""
    document = bulletins.document_of(bulletin)
    number, form = request.query.get("campaign", ""), request.query.get("form", "")
    if not (number.isascii() and number.isdigit() and len(number) < 18 and form in ("a", "b")):
        return document
    trial = await trials.of_campaign(session, int(number))
    campaign = await session.get(Campaign, int(number))
    if trial is None or campaign is None or campaign.bulletin_id != bulletin.id:
        return document
    both = trial_plans.forms(trial_plans.parse(trial.plan), document)
    return both[0] if form == "a" else both[1]


async def _reader(request: web.Request) -> Recipient | None:
    """The person in `?reader=`, with whose eyes staff look; None for nobody in particular."""
    raw = request.query.get("reader", "")
    if not (raw.isascii() and raw.isdigit() and len(raw) < 18):
        return None
    return await recipients.one(kit.ground(request), subscriber_id=int(raw))


def values_for(request: web.Request, plan: Plan, reader: Recipient | None) -> dict[str, str]:
    """As it would come to the reader, else to whoever looks; its links lead nowhere harmful."""
    ground, person = kit.ground(request), kit.signed_in(request)
    values = archive.public_values(ground, plan, archive_url=ground.url("/archive"))
    first, _, last = person.name.partition(" ")
    own = {
        "subscriber.first_name": first,
        "subscriber.last_name": last,
        "subscriber.email": person.email,
        "subscriber.language": plan.language,
    }
    if reader is not None:
        own = people.merge_values(reader)
    return values | {name: value for name, value in own.items() if name in plan.slot_names}


def _choice(request: web.Request, name: str, offered: list[str] | tuple[str, ...]) -> str:
    wished = request.query.get(name, "")
    return wished if wished in offered else offered[0]


def editions_of(document: Document) -> list[str]:
    """What there is to look at: an edition in each language, and any two in one mail."""
    return [*document.languages, *readings.pairs(document.languages)]


def glimpse(document: Document, edition: str) -> str:
    """What inboxes show behind the subject: before it the subject of a second language."""
    first, *others = readings.languages_in(edition)
    subjects = [document.editions[each].subject for each in others]
    return " · ".join(filter(None, (*subjects, document.editions[first].preheader)))


def _switched(request: web.Request, editions: Sequence[str]) -> dict[str, dict[str, str]]:
    """The address of this page with one choice changed: name → value → address."""
    offered = {"part": PARTS, "width": WIDTHS, "scheme": SCHEMES}
    found = {
        name: {value: str(request.rel_url.update_query({name: value})) for value in values}
        for name, values in offered.items()
    }
    found["reader"] = {"nobody": str(request.rel_url.without_query_params("reader"))}
    found["language"] = {
        code: str(request.rel_url.update_query({"language": code})) for code in editions
    }
    return found
