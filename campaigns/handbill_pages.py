"""Handbills to print: of the archive for everybody, of any campaign for staff."""

from aiohttp import web

from campaigns import handbills
from campaigns.handbills import Press, Printed
from foundation.accounts.models import Role
from foundation.web import conditional, kit

PRESS: web.AppKey[Press] = web.AppKey("press", Press)

_KEPT_S = 3600


def routes() -> list[web.RouteDef]:
    """What is here."""
    return [web.get("/archive/{slug}/handbill.pdf", send_archived)]


def staff_routes() -> list[web.RouteDef]:
    """What is here for staff."""
    return [web.get("/staff/campaigns/{id}/handbill.pdf", send_draft)]


async def send_archived(request: web.Request) -> web.StreamResponse:
    """`GET /archive/{slug}/handbill.pdf`: two pages, with the code that leads to signing up."""
    made = await handbills.of_archive(
        kit.ground(request),
        request.app[PRESS],
        slug=request.match_info["slug"],
        translator=kit.translator(request),
    )
    return conditional.answer(
        request,
        made.pdf,
        media_type="application/pdf",
        changed_at=made.made_at,
        keep_s=_KEPT_S,
        headers={**_named(made), "Vary": "Accept-Language, Cookie"},
    )


@kit.staff(Role.VIEWER)
async def send_draft(request: web.Request) -> web.StreamResponse:
    """`GET /staff/campaigns/{id}/handbill.pdf?language=`: as it went out, or as it stands now."""
    made = await handbills.of_campaign(
        kit.ground(request),
        request.app[PRESS],
        campaign_id=kit.number_in_path(request),
        language=request.query.get("language", "")[:20],
    )
    headers = {**_named(made), "Content-Type": "application/pdf", "Cache-Control": "no-store"}
    return web.Response(body=made.pdf, headers=headers)


def _named(made: Printed) -> dict[str, str]:
    return {
        "Content-Disposition": f'inline; filename="{made.file_name}"',
        "Content-Language": made.language,
        # A browser's own PDF reader does not work in a sandbox, and runs no scripts of ours.
        "Content-Security-Policy": (
            "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'"
        ),
    }
