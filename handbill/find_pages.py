"""One field that leads anywhere in the staff room (`/staff/find`), and the help on its keys."""

from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from campaigns import lookup as in_campaigns
from foundation import lookup
from foundation.accounts.models import Role
from foundation.i18n import N_
from foundation.lookup import Asked, Finder, Place
from foundation.web import forms, kit
from subscribers import lookup as among_subscribers

PATH = "/staff/find"
FINDERS: Sequence[Finder] = (in_campaigns.find, among_subscribers.find)
_LONGEST = 200


def routes() -> list[web.RouteDef]:
    """What is here."""
    return [
        web.get(PATH, show),
        web.post(PATH, find),
        web.get("/staff/keys", show_keys),
    ]


@kit.staff(Role.VIEWER)
async def show(request: web.Request) -> web.StreamResponse:
    """`GET /staff/find`: every room, and what can be begun."""
    return _page(request, lookup.ask("", language=kit.translator(request).language), [])


@kit.staff(Role.VIEWER)
async def find(request: web.Request) -> web.StreamResponse:
    """`POST /staff/find`: what fits; a POST, as what is looked for may be somebody's address."""
    form = await forms.read(request)
    asked = lookup.ask(form.line("q", limit=_LONGEST), language=kit.translator(request).language)
    form.check()
    found: list[Place] = []
    if asked.text:
        for finder in FINDERS:
            found += await finder(kit.ground(request), asked)
    return _page(request, asked, found)


@kit.staff(Role.VIEWER)
async def show_keys(request: web.Request) -> web.StreamResponse:
    """`GET /staff/keys`: which key leads where."""
    return kit.render(request, "find/keys.html")


def _page(request: web.Request, asked: Asked, found: Sequence[Place]) -> web.Response:
    """The page, or for its own script what was found alone."""
    speak = kit.translator(request).gettext
    offered = [*kit.rooms(request), *kit.actions(request)]
    groups: list[tuple[str, Sequence[Mapping[str, Any]]]] = []
    if doors := [each for each in offered if asked.fits(each["label"])]:
        groups.append((speak(N_("Go to")), doors))
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for place in found:
        state = speak(place.state) if place.state else ""
        by_kind.setdefault(speak(place.kind), []).append(
            {"url": place.path, "label": place.name, "state": state, "key": "", "is_action": False}
        )
    return kit.render(
        request,
        "find/_found.html" if kit.is_htmx(request) else "find/find.html",
        asked=asked,
        groups=[*groups, *by_kind.items()],
    )
