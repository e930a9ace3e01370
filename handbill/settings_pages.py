"""A page of the staff room that explains every setting; none is changed or shown as it is set."""

from itertools import groupby

from aiohttp import web

from foundation import settings_doc
from foundation.accounts.models import Role
from foundation.web import kit


def routes() -> list[web.RouteDef]:
    """What is here."""
    return [web.get("/staff/settings", show)]


@kit.staff(Role.VIEWER)
async def show(request: web.Request) -> web.StreamResponse:
    """`GET /staff/settings`: by section, each setting with its own anchor."""
    every = groupby(settings_doc.settings(), key=lambda each: each.section)
    sections = [(name, list(found)) for name, found in every]
    return kit.render(request, "settings.html", sections=sections)
