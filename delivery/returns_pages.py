"""Staff's pages of what came back (`/staff/returns`): lists, one with its evidence, what is held.

The message itself quotes a mail with its reader's own links, so only editors see it.
"""

from collections.abc import Mapping

from aiohttp import web

from delivery import blocks, came_back, holding_back, return_words
from delivery.came_back import Query
from delivery.models import BounceKind
from foundation import errors
from foundation.accounts.models import Role
from foundation.i18n import N_
from foundation.web import forms, kit

VIEWS: Mapping[str, tuple[str, BounceKind | None]] = {
    "": (N_("All"), None),
    "hard": (N_("Dead addresses"), BounceKind.HARD),
    "soft": (N_("Not just now"), BounceKind.SOFT),
    "block": (N_("Refused us"), BounceKind.BLOCK),
    "complaint": (N_("Complaints"), BounceKind.COMPLAINT),
}


def routes() -> list[web.RouteDef]:
    """What is here."""
    one = "/staff/returns/{id}"
    return [
        web.get("/staff/returns", index),
        web.post("/staff/returns/let-go", let_go),
        web.get(one, show),
        web.get(f"{one}/message", download),
        web.post(f"{one}/accept", accept),
        web.post(f"{one}/dismiss", dismiss),
    ]


@kit.staff(Role.VIEWER)
async def index(request: web.Request) -> web.StreamResponse:
    """`GET /staff/returns?view=&campaign=`: newest first."""
    ground, speaks = kit.ground(request), kit.translator(request)
    view = request.query.get("view", "")
    is_unproven = view == "unproven"
    query = Query(
        is_unproven=is_unproven,
        kind=VIEWS.get(view, VIEWS[""])[1],
        campaign_id=_number(request.query.get("campaign", "")),
    )
    after = _number(request.query.get("after", ""))
    found = await came_back.listed(ground, query, after=after)
    async with ground.db.reading() as session:
        held = await holding_back.read(ground.settings, session, now=ground.clock.now())
    next_url = ""
    if found.next_after is not None:
        next_url = str(request.rel_url.update_query(after=str(found.next_after)))
    return kit.render(
        request,
        "delivery/returns.html",
        found=found,
        query=query,
        held=[each for each in held if each.is_refused],
        tabs=_tabs(request, view, found.unproven),
        next_url=next_url,
        words=return_words,
        reason=lambda value: return_words.reason(value, speaks),
    )


@kit.staff(Role.VIEWER)
async def show(request: web.Request) -> web.StreamResponse:
    """`GET /staff/returns/{id}`: what it says, how that is known, and the message itself."""
    return await _page(request)


@kit.staff(Role.EDITOR)
async def download(request: web.Request) -> web.StreamResponse:
    """`GET …/message`: the message as a file, never as a page."""
    number = kit.number_in_path(request)
    found = await came_back.evidence(kit.ground(request), return_id=number)
    return web.Response(
        body=found.octets,
        content_type="application/octet-stream",
        headers={
            "Content-Disposition": f'attachment; filename="returned-{number}.{found.suffix}"',
            "Cache-Control": "no-store",
        },
    )


@kit.staff(Role.EDITOR)
async def accept(request: web.Request) -> web.StreamResponse:
    """`POST …/accept`: an editor takes it for true."""
    await forms.read(request)
    try:
        await came_back.accept(
            kit.ground(request),
            actor=kit.actor(request),
            return_id=kit.number_in_path(request),
        )
    except errors.Refused as problem:
        return await _page(request, problem)
    return _back(request, N_("It counts from now on."))


@kit.staff(Role.EDITOR)
async def dismiss(request: web.Request) -> web.StreamResponse:
    """`POST …/dismiss`: an editor does not believe it."""
    await forms.read(request)
    try:
        await came_back.dismiss(
            kit.ground(request),
            actor=kit.actor(request),
            return_id=kit.number_in_path(request),
        )
    except errors.Refused as problem:
        return await _page(request, problem)
    return _back(request, N_("Put away. Nothing followed from it."))


@kit.staff(Role.EDITOR)
async def let_go(request: web.Request) -> web.StreamResponse:
    """`POST /staff/returns/let-go`: what a host refused us for is mended; try it now."""
    form = await forms.read(request)
    await blocks.release(
        kit.ground(request), actor=kit.actor(request), name=form.line("name", limit=300)
    )
    said = kit.translator(request).gettext(N_("Mail goes there again within a minute."))
    return kit.redirect(request, "/staff/returns", flash=said)


async def _page(request: web.Request, problem: errors.HandbillError | None = None) -> web.Response:
    ground, speaks = kit.ground(request), kit.translator(request)
    number = kit.number_in_path(request)
    found = await came_back.one(ground, return_id=number)
    message = None
    if found.has_evidence and kit.signed_in(request).role.may(Role.EDITOR):
        message = await came_back.evidence(ground, return_id=number)
    return kit.render(
        request,
        "delivery/return.html",
        status=409 if problem else 200,
        problem=problem.say(speaks) if problem else "",
        found=found,
        message=message,
        kept_days=ground.settings.retention.bounce_evidence_days,
        words=return_words,
        reason=lambda value: return_words.reason(value, speaks),
    )


def _tabs(request: web.Request, view: str, unproven: int) -> list[tuple[str, str, bool]]:
    speaks = kit.translator(request)
    campaign = request.query.get("campaign", "")
    query = {"campaign": campaign} if campaign else {}
    tabs = [
        (
            str(request.rel_url.with_query({**query, **({"view": key} if key else {})})),
            speaks.gettext(word),
            key == view,
        )
        for key, (word, _) in VIEWS.items()
    ]
    if unproven and not campaign:
        label = speaks.gettext(N_("To be judged (%(count)s)")) % {"count": speaks.number(unproven)}
        tabs.append(("/staff/returns?view=unproven", label, view == "unproven"))
    return tabs


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else None


def _back(request: web.Request, msgid: str) -> web.Response:
    said = kit.translator(request).gettext(msgid)
    return kit.redirect(request, f"/staff/returns/{kit.number_in_path(request)}", flash=said)
