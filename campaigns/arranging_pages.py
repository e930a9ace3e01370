"""Staff arrange a bulletin's blocks, take steps back, and see who else is at it."""

from aiohttp import web

from campaigns import (
    block_forms,
    bulletins,
    composed_pages,
    composer,
    composing,
    documents,
    presence,
    staff_forms,
)
from campaigns.composing import Change
from campaigns.documents import Document
from foundation import errors
from foundation.accounts.models import Role
from foundation.i18n import N_
from foundation.web import forms, kit
from foundation.web.forms import Form

_DONE = {
    "up": N_("%(block)s is now block %(place)s of %(count)s."),
    "down": N_("%(block)s is now block %(place)s of %(count)s."),
    "order": N_("The blocks are in another order."),
    "add": N_("%(block)s is added as block %(place)s of %(count)s."),
    "duplicate": N_("A copy of %(block)s is block %(place)s of %(count)s."),
    "delete": N_("Deleted. Earlier versions still have it."),
}
"""What is said when it is done."""


def routes() -> list[web.RouteDef]:
    """What is here."""
    one = "/staff/bulletins/{id}"
    return [
        web.post(f"{one}/arrange", arrange),
        web.post(f"{one}/undo", undo),
        web.post(f"{one}/here", say_here),
    ]


@kit.staff(Role.AUTHOR)
async def arrange(request: web.Request) -> web.StreamResponse:
    """`POST …/arrange`: add, move, duplicate or delete a block, or bring all into an order."""
    form = await forms.read(request)
    action, block = form.line("action", limit=20), form.line("block", limit=20)
    fresh = documents.new_id(())
    try:
        step = await composing.save(
            kit.ground(request),
            actor=kit.actor(request),
            bulletin_id=kit.number_in_path(request),
            version=staff_forms.version(form),
            change=_change(form, action, block, fresh),
        )
    except (errors.Conflict, errors.NotFound) as problem:
        return await composed_pages.render(request, problem=problem)
    touched = fresh if action in ("add", "duplicate") else block
    said = _said(request, action, touched, bulletins.document_of(step.bulletin))
    if kit.is_htmx(request):
        return await composed_pages.render(
            request, step=step, said=said, opened=fresh if action == "add" else ""
        )
    flash = said if action == "delete" else None
    return kit.redirect(request, f"/staff/bulletins/{step.bulletin.id}", flash=flash)


@kit.staff(Role.AUTHOR)
async def undo(request: web.Request) -> web.StreamResponse:
    """`POST …/undo` with `before` and `after`: take that step back; `again` if it was one back."""
    form = await forms.read(request)
    before, after = form.number("before", default=0) or 0, form.number("after", default=0) or 0
    try:
        step = await composing.undo(
            kit.ground(request),
            actor=kit.actor(request),
            bulletin_id=kit.number_in_path(request),
            before=before,
            after=after,
        )
    except (errors.Conflict, errors.NotFound) as problem:
        return await composed_pages.render(request, problem=problem)
    word = N_("Done again.") if form.flag("again") else N_("Undone.")
    said = kit.translator(request).gettext(word)
    if not kit.is_htmx(request):
        return kit.redirect(request, f"/staff/bulletins/{step.bulletin.id}", flash=said)
    return await composed_pages.render(request, step=step, said=said)


@kit.staff(Role.TRANSLATOR)
async def say_here(request: web.Request) -> web.StreamResponse:
    """`POST …/here`: a window says that it has the bulletin open, and hears of the others."""
    form = await forms.read(request)
    seat = form.line("seat", limit=40, required=True)
    form.check()
    speaks = kit.translator(request)
    company = await presence.say(
        kit.ground(request),
        bulletin_id=kit.number_in_path(request),
        staff_id=kit.signed_in(request).staff_id,
        seat=seat,
        block=form.line("block", limit=20),
        is_leaving=form.flag("leaving"),
    )
    yourself = speaks.gettext(N_("You, in another window"))
    return web.json_response(
        {
            "version": company.bulletin.version,
            "saved_by": company.bulletin.updated_by,
            "others": [
                {"name": yourself if each.is_same_person else each.name, "block": each.block}
                for each in company.others
            ],
        },
        headers={"Cache-Control": "no-store"},
    )


def _change(form: Form, action: str, block: str, fresh: str) -> Change:
    if action == "order":
        order = [each for each in form.line("order", limit=4000).split(",") if each]
        return lambda document: composer.reorder(document, order)
    if action == "add":
        added = composer.blank(form.line("kind", limit=20)).model_copy(update={"id": fresh})
        after = form.line("after", limit=20)
        return lambda document: composer.insert(document, added, after=after)
    return lambda document: composer.arrange(document, action=action, block_id=block, fresh=fresh)


def _said(request: web.Request, action: str, block_id: str, document: Document) -> str:
    """What an arrangement came to, for who does not see it."""
    speaks = kit.translator(request)
    words = speaks.gettext(_DONE.get(action, N_("Saved.")))
    try:
        place = document.place(block_id)
    except errors.NotFound:
        return words
    label = speaks.gettext(block_forms.FORMS[document.blocks[place].kind].label)
    return words % {"block": label, "place": place + 1, "count": len(document.blocks)}
