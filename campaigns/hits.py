"""Addresses in delivered mail: `/r/{token}` (click), `/o/{token}.gif` (open), `/view/{token}`."""

import base64

from aiohttp import hdrs, web
from multidict import istr
from sqlmodel import col, select

from campaigns import archive
from campaigns.models import Campaign, Visibility
from campaigns.tracking import Tracker, Visit
from delivery.models import Delivery, Dispatch, DispatchPlan, Variant
from foundation import errors, i18n, logs
from foundation.ground import Ground
from foundation.i18n import N_
from foundation.tokens import Purpose
from foundation.web import door, kit, security
from foundation.web.ready import Written
from subscribers import people, recipients
from templates.plan import Plan

_log = logs.get("hits")

TRACKER: web.AppKey[Tracker] = web.AppKey("tracker", Tracker)

_GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
_SANDBOX = "allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"
_PURPOSES = tuple(map(istr, ("Sec-Purpose", "Purpose", "X-Moz", "X-Purpose")))
_NEVER_KEPT = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}
_TO_A_LINK = tuple(_NEVER_KEPT.items())


def routes() -> list[web.RouteDef]:
    """What is here; HEAD is answered by the same handlers."""
    return [
        web.get("/r/{token}", follow),
        web.get("/o/{token}.gif", pixel),
        web.get("/view/{token}", view),
    ]


async def _on_at_once(app: web.Application, request: web.Request, token: str) -> Written | None:
    """In a surge; whatever has to be looked at or said goes the long way."""
    try:
        url = app[TRACKER].click_at_once(token=token, visit=visit_of(request))
    except errors.BadToken:
        return None
    if url is None:
        return None
    return door.elsewhere(app, url, status=302, more=_TO_A_LINK)


@door.answers(_on_at_once)
async def follow(request: web.Request) -> web.Response:
    """`GET /r/{token}`: on to where the link was written to lead; there is no other way out."""
    token = request.match_info["token"]
    return _on(await request.app[TRACKER].click(token=token, visit=visit_of(request)))


def _on(url: str) -> web.Response:
    return web.Response(status=302, headers={"Location": url, **_NEVER_KEPT})


async def pixel(request: web.Request) -> web.Response:
    """`GET /o/{token}.gif`: always a transparent image; a broken token counts nothing."""
    try:
        token = request.match_info["token"]
        await request.app[TRACKER].opened(token=token, visit=visit_of(request))
    except errors.BadToken:
        pass
    except errors.Busy:
        _log.warning("an opening was not counted: the database is busy")
    return web.Response(body=_GIF, headers={"Content-Type": "image/gif", **_NEVER_KEPT})


async def view(request: web.Request) -> web.Response:
    """`GET /view/{token}`: the mail in a browser, as this reader got it; nothing is counted."""
    ground = kit.ground(request)
    html = await _own_copy(ground, request.match_info["token"])
    policy = security.content_policy(
        kit.context(request).nonce,
        style_src="'unsafe-inline'",
        script_src="'none'",
        img_src="* data:",
        sandbox=_SANDBOX,
    )
    return web.Response(
        text=html,
        content_type="text/html",
        charset="utf-8",
        headers={"Content-Security-Policy": policy, **_NEVER_KEPT},
    )


async def _own_copy(ground: Ground, token: str) -> str:
    numbers = ground.tokens.open(Purpose.VIEW, token)
    dispatch_id, subscriber_id, delivery_id = (*numbers, 0, 0, 0)[:3]
    async with ground.db.reading() as session:
        order = await session.get(Dispatch, dispatch_id)
        found = await recipients.by_id(session, [subscriber_id], with_membership=True)
        person = found.get(subscriber_id)
        campaign = await session.get(Campaign, order.campaign_id) if order else None
        own = await session.get(Delivery, delivery_id)
        if own is not None and own.dispatch_id != dispatch_id:
            own = None
        mailed = own.language if own is not None else None
        rows = await session.exec(
            select(DispatchPlan).where(col(DispatchPlan.dispatch_id) == dispatch_id)
        )
        variant = own.variant if own is not None else Variant.NONE.value
        plans = {row.language: Plan.thaw(row.of(variant)) for row in rows.all()}
    if order is None or not plans:
        raise errors.NotFound(N_("This bulletin is not kept any more."))
    if campaign is not None and campaign.visibility == Visibility.HIDDEN:
        raise errors.NotFound(N_("Whoever sent this bulletin took it back."))
    offered = [code for code in (order.default_language, *plans) if code in plans]
    plan = (
        plans.get(mailed or "") or plans[i18n.match(person.language if person else None, offered)]
    )
    values = archive.public_values(ground, plan, archive_url=ground.url("/archive"))
    if person is not None:
        values |= {
            name: value
            for name, value in people.merge_values(person).items()
            if name in plan.slot_names
        }
        values["unsubscribe_url"] = ground.link(
            "/unsubscribe", Purpose.UNSUBSCRIBE, person.id, delivery_id, 0
        )
        values["preferences_url"] = ground.link("/preferences", Purpose.PREFERENCES, person.id)
    values["view_url"] = ground.url(f"/view/{token}")
    return archive.as_page(plan, values, plan.answers(person) if person else plan.nobody)


def visit_of(request: web.Request) -> Visit:
    """A request, as far as it matters for telling people from machines."""
    headers = request.headers
    purpose = " ".join(headers[name] for name in _PURPOSES if name in headers).lower()
    return Visit(
        method=request.method,
        agent=headers.get(hdrs.USER_AGENT, ""),
        is_prefetch="prefetch" in purpose or "preview" in purpose,
    )
