"""Events for calendar programs: one of them (`/events/{token}.ics`), an issue's, the site's."""

from aiohttp import web

from campaigns import calendars
from campaigns.calendars import Calendar
from foundation.web import conditional, kit

_KEPT_S = 900


def routes() -> list[web.RouteDef]:
    """What is here."""
    return [
        web.get("/events.ics", send_all),
        web.get("/events/{token}.ics", send_one),
        web.get("/issues/{slug}/events.ics", send_all),
    ]


async def send_one(request: web.Request) -> web.StreamResponse:
    """`GET /events/{token}.ics`: one event, also of a bulletin that only its readers have."""
    found = await calendars.one(
        kit.ground(request),
        token=request.match_info["token"],
        translator=kit.translator(request),
    )
    return _answer(request, found, "event.ics")


async def send_all(request: web.Request) -> web.StreamResponse:
    """`GET /events.ics`, `GET /issues/{slug}/events.ics`: to subscribe to."""
    found = await calendars.calendar(
        kit.ground(request),
        slug=request.match_info.get("slug", ""),
        translator=kit.translator(request),
    )
    return _answer(request, found, "events.ics")


def _answer(request: web.Request, found: Calendar, name: str) -> web.Response:
    return conditional.answer(
        request,
        calendars.written(found, language=kit.translator(request).language),
        media_type="text/calendar; charset=utf-8",
        changed_at=found.changed_at,
        keep_s=_KEPT_S,
        headers={
            "Content-Disposition": f'inline; filename="{name}"',
            "Vary": "Accept-Language, Cookie",
            "X-Robots-Tag": "noindex",
        },
    )
