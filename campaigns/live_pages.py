"""How sending is getting on, as events that a page of the staff room shows while they come."""

import asyncio
import contextlib
import json

from aiohttp import web

from campaigns import campaign_views, telling, transitions
from campaigns.models import CampaignState
from campaigns.telling import Told
from delivery.progress import Progress, Watch
from foundation.accounts.models import Role
from foundation.web import kit

WATCH: web.AppKey[Watch] = web.AppKey("watch", Watch)
"""Set by `handbill/app.py`; all who look share it."""

_LONGEST_S = 300.0
"""Then the browser comes back by itself, and shows that it may still see this."""
_AGAIN_MS = 2000


def routes() -> list[web.RouteDef]:
    """What is here."""
    return [web.get("/staff/campaigns/{id}/live", live, allow_head=False)]


@kit.staff(Role.VIEWER)
async def live(request: web.Request) -> web.StreamResponse:
    """`GET …/live`: an event a second while it is sending, and one when that ends.

    Server-sent events (WHATWG HTML §9.2): `progress` holds a `Told` as JSON; `over` says that the
    page should be loaded anew.
    """
    number = kit.number_in_path(request)
    ground = kit.ground(request)
    async with ground.db.reading() as session:
        order = await campaign_views.order_of(session, number)
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/event-stream",
            "Cache-Control": "no-store",
            # Proxies such as nginx would otherwise keep events until there are many.
            "X-Accel-Buffering": "no",
        }
    )
    await response.prepare(request)
    with contextlib.suppress(ConnectionResetError):
        await response.write(f"retry: {_AGAIN_MS}\n\n".encode())
        await _follow(request, response, campaign_id=number, dispatch_id=order.id)
    return response


async def now(request: web.Request, campaign_id: int) -> Progress | None:
    """How sending stands; None for a campaign that was not started."""
    async with kit.ground(request).db.reading() as session:
        order = await campaign_views.dispatch_of(session, campaign_id)
    return await request.app[WATCH].read(order.id) if order is not None else None


async def told(request: web.Request, campaign_id: int) -> Told | None:
    """The same in words."""
    progress = await now(request, campaign_id)
    return telling.tell(progress, kit.translator(request)) if progress is not None else None


async def _follow(
    request: web.Request, response: web.StreamResponse, *, campaign_id: int, dispatch_id: int
) -> None:
    """Until it ends, the browser is gone, the service ends, or the time is up."""
    watch, speaks = request.app[WATCH], kit.translator(request)
    ends_at = asyncio.get_running_loop().time() + _LONGEST_S
    while asyncio.get_running_loop().time() < ends_at:
        progress = await watch.read(dispatch_id)
        data = json.dumps(telling.tell(progress, speaks).as_dict(), ensure_ascii=False)
        await response.write(f"event: progress\ndata: {data}\n\n".encode())
        if not progress.is_moving and not await _is_sending(request, campaign_id):
            await response.write(b"event: over\ndata: {}\n\n")
            return
        if not await watch.pause():
            return


async def _is_sending(request: web.Request, campaign_id: int) -> bool:
    """Whether the campaign's own state has not followed its dispatch yet."""
    async with kit.ground(request).db.reading() as session:
        campaign = await transitions.get(session, campaign_id)
    return campaign.state == CampaignState.SENDING
