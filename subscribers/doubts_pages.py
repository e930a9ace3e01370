"""Staff's page of sign-ups that look like a program's (`/staff/people/doubtful`)."""

from urllib.parse import urlencode

from aiohttp import web

from foundation.accounts.models import Role
from foundation.i18n import N_
from foundation.web import forms, kit
from subscribers import doubts, plainly
from subscribers.models import Doubt

PATH = "/staff/people/doubtful"


def routes() -> list[web.RouteDef]:
    """What is here."""
    return [web.get(PATH, index), web.post(PATH, decide)]


@kit.staff(Role.VIEWER)
async def index(request: web.Request) -> web.Response:
    """`GET …/doubtful`: those that wait for a look, by why they are doubted."""
    wish = request.query.get("doubt", "")
    doubt = Doubt(wish) if wish and wish in set(Doubt) else None
    before = request.query.get("before", "")
    found = await doubts.waiting(
        kit.ground(request),
        doubt=doubt,
        before=int(before) if before.isdecimal() and len(before) < 18 else None,
    )
    return kit.render(
        request,
        "people/doubtful.html",
        found=found,
        doubt=doubt,
        doubts=plainly.DOUBTS,
        tabs=_tabs(request, doubt, found.counts),
        next_url=_url(doubt, before=found.next_before) if found.next_before else None,
    )


@kit.staff(Role.EDITOR)
async def decide(request: web.Request) -> web.Response:
    """`POST …/doubtful`: ask those that were ticked, or drop them."""
    form = await forms.read(request)
    ticked = [
        int(each)
        for each in form.values.getall("signup", [])
        if each.isascii() and each.isdecimal() and len(each) < 18
    ]
    speaks, ground, actor = kit.translator(request), kit.ground(request), kit.actor(request)
    if not ticked:
        said = speaks.gettext(N_("Tick some of them first."))
    elif form.line("act") == "ask":
        asked = await doubts.ask(ground, actor=actor, signup_ids=ticked)
        said = speaks.gettext(N_("Asked by mail: %(queued)s. Waiting for room: %(waiting)s.")) % {
            "queued": asked.queued,
            "waiting": asked.waiting,
        }
    else:
        dropped = await doubts.drop(ground, actor=actor, signup_ids=ticked)
        said = speaks.gettext(N_("Dropped: %(count)s.")) % {"count": dropped}
    wish = form.line("doubt")
    return kit.redirect(request, _url(Doubt(wish) if wish in set(Doubt) else None), flash=said)


def _tabs(
    request: web.Request, current: Doubt | None, counts: dict[Doubt, int]
) -> list[tuple[str, str, bool]]:
    speaks = kit.translator(request)
    total = sum(counts.values())
    tabs = [(_url(None), f"{speaks.gettext(N_('All'))} ({total})", current is None)]
    return tabs + [
        (_url(doubt), f"{speaks.gettext(words)} ({counts[doubt]})", doubt is current)
        for doubt, words in plainly.DOUBTS.items()
        if counts.get(doubt) or doubt is current
    ]


def _url(doubt: Doubt | None, *, before: int | None = None) -> str:
    query = {"doubt": doubt.value if doubt else "", "before": str(before or "")}
    said = urlencode({name: value for name, value in query.items() if value})
    return f"{PATH}?{said}" if said else PATH
