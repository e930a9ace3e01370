"""Staff's page of who is not mailed, and why (`/staff/suppressions`)."""

from aiohttp import web

from foundation import errors
from foundation.accounts.models import Role
from foundation.i18n import N_
from foundation.web import forms, kit
from subscribers import mending, plainly, suppressions
from subscribers.models import SuppressionReason
from subscribers.suppressions import Query

_HERE = "/staff/suppressions"


def routes() -> list[web.RouteDef]:
    """What is here."""
    return [web.get(_HERE, index), web.post(f"{_HERE}/lift", lift)]


@kit.staff(Role.VIEWER)
async def index(request: web.Request) -> web.StreamResponse:
    """`GET /staff/suppressions?reason=&lifted=`: newest first."""
    return await _page(request)


@kit.staff(Role.EDITOR)
async def lift(request: web.Request) -> web.StreamResponse:
    """`POST …/lift`: let a person be mailed again, with a reason that is kept."""
    form = await forms.read(request)
    person = form.number("person", default=0) or 0
    try:
        form.check()
        await mending.lift(
            kit.ground(request),
            actor=kit.actor(request),
            subscriber_id=person,
            because=form.line("because", limit=500),
        )
    except errors.Invalid as problem:
        return await _page(request, problem=problem, lifting=person)
    said = kit.translator(request).gettext(N_("Mail may go to this person again."))
    return kit.redirect(request, _HERE, flash=said)


async def _page(
    request: web.Request, *, problem: errors.Invalid | None = None, lifting: int = 0
) -> web.Response:
    speaks = kit.translator(request)
    wished, after = request.query.get("reason", ""), request.query.get("after", "")
    query = Query(
        reason=SuppressionReason(wished) if wished in set(SuppressionReason) else None,
        is_lifted=request.query.get("lifted", "") == "1",
    )
    found = await suppressions.listed(
        kit.ground(request),
        query,
        after=int(after) if after.isascii() and after.isdigit() and len(after) < 18 else None,
    )
    next_url = ""
    if found.next_after is not None:
        next_url = str(request.rel_url.update_query(after=str(found.next_after)))
    because = problem.fields.get("because", problem) if problem else None
    return kit.render(
        request,
        "people/suppressions.html",
        status=422 if problem else 200,
        rows=[(row, plainly.suppression(speaks, row.suppression)) for row in found.rows],
        query=query,
        tabs=_tabs(request, found, query),
        next_url=next_url,
        problem=because.say(speaks) if because else "",
        lifting=lifting,
    )


def _tabs(
    request: web.Request, found: suppressions.Found, query: Query
) -> list[tuple[str, str, bool]]:
    speaks = kit.translator(request)

    def label(word: str, count: int) -> str:
        return f"{speaks.gettext(word)} ({speaks.number(count)})"

    is_all = query.reason is None and not query.is_lifted
    tabs = [(_HERE, label(N_("All"), sum(found.counts.values())), is_all)]
    tabs += [
        (f"{_HERE}?reason={reason}", label(word, found.counts[reason]), query.reason is reason)
        for reason, word in plainly.SHORT_REASONS.items()
        if reason in found.counts
    ]
    return [*tabs, (f"{_HERE}?lifted=1", speaks.gettext(N_("Lifted")), query.is_lifted)]
