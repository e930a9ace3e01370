"""The list before sending as a panel, and what takes long, looked at again while staff watch.

The panel stands on a campaign's page, and on those where it is scheduled or sent.
"""

from collections.abc import Sequence
from datetime import datetime

from aiohttp import web
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import audience_pages, audiences, bulletins, transitions
from campaigns.audience_pages import Counting
from campaigns.preflight import checklist, items, looking
from campaigns.preflight.checklist import Beyond, Subject
from campaigns.preflight.items import Item
from campaigns.preflight.looking import Looker
from campaigns.preflight.models import Look
from foundation import errors
from foundation.accounts.models import Role
from foundation.asides import Asking
from foundation.findings import Tone
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.web import beside, forms, kit

LOOKER: web.AppKey[Looker] = web.AppKey("looker", Looker)
"""Set by `handbill/app.py`."""

Line = tuple[Item, str]
"""An item, and its words."""


@frozen
class Panel:
    """What the panel shows to somebody."""

    campaign_id: int
    is_whole: bool
    """Whether everybody was counted whom it tells about; else it asks for the rest by itself."""
    first: Sequence[Line]
    """What stops it, should be looked at, or is to be known."""
    others: Sequence[Line]
    """What is well."""
    is_clear: bool
    is_going_on: bool
    """Whether somebody is looking just now."""
    done: int
    total: int
    looked_at: datetime | None
    """When links were followed last, for the bulletin as it stands."""
    may_look: bool
    looks_by_itself: bool
    """Whether to begin as soon as the page is open: nobody has looked at this version."""
    may_mend: bool
    may_override: bool


def routes() -> list[web.RouteDef]:
    """What is here."""
    one = "/staff/campaigns/{id}"
    return [
        web.get(f"{one}/check", show),
        web.post(f"{one}/check", look),
        web.get(f"{one}/check/progress", progress),
    ]


@frozen
class Begun:
    """A panel as far as it counts nobody; the rest is being found beside the page."""

    about: Subject
    last: Look | None
    told: Sequence[Item]
    counting: Counting
    beyond: Asking[Beyond]


async def begin(request: web.Request, session: AsyncSession, campaign_id: int) -> Begun:
    """Read what the panel tells, while the rest is being found. Raises `errors.NotFound`."""
    ground = kit.ground(request)
    campaign = await transitions.get(session, campaign_id)
    bulletin = await bulletins.get(session, campaign.bulletin_id)
    audience = audiences.parse(campaign.audience)
    counting = audience_pages.counting(request, audience, bulletin)
    about = await checklist.subject(ground, session, campaign, bulletin)
    beyond = beside.begin(
        request,
        "checks",
        (campaign_id, campaign.version, bulletin.version),
        lambda apart: checklist.beyond(ground, apart, about),
    )
    last = await looking.last(session, campaign_id)
    return Begun(
        about=about,
        last=last,
        told=await checklist.without_counting(ground, session, about, last),
        counting=counting,
        beyond=beyond,
    )


async def panel(request: web.Request, begun: Begun) -> Panel:
    """The panel for whoever is signed in."""
    ground, speaks = kit.ground(request), kit.translator(request)
    role = kit.signed_in(request).role
    about, last = begun.about, begun.last
    found, is_whole = await _found(begun)
    is_going_on = looking.is_going_on(ground, last)
    is_of_now = last is not None and last.bulletin_version == about.bulletin.version
    told = [(each, each.say(speaks)) for each in found]
    red = [each for each in found if each.stops]
    return Panel(
        campaign_id=about.campaign.id,
        is_whole=is_whole,
        first=[line for line in told if line[0].tone is not Tone.GOOD],
        others=[line for line in told if line[0].tone is Tone.GOOD],
        is_clear=items.is_clear(found),
        is_going_on=is_going_on,
        done=last.done if last else 0,
        total=last.total if last else 0,
        looked_at=last.finished_at if last and is_of_now else None,
        may_look=role.may(Role.AUTHOR) and _asks_anybody(ground),
        looks_by_itself=role.may(Role.AUTHOR)
        and _asks_anybody(ground)
        and not is_going_on
        and not is_of_now,
        may_mend=role.may(Role.AUTHOR),
        may_override=role.may(Role.OWNER) and bool(red) and not any(each.is_final for each in red),
    )


async def _found(begun: Begun) -> tuple[Sequence[Item], bool]:
    """The list, and whether it is whole: everybody was counted whom it tells about."""
    counted, can_be_counted = None, True
    try:
        counted = await begun.counting.answer()
    except errors.Invalid:
        can_be_counted = False
    beyond = await begun.beyond.answer()
    if beyond is None or (counted is None and can_be_counted):
        return begun.told, False
    return checklist.whole(begun.about, begun.told, counted, beyond), True


async def _alone(request: web.Request, campaign_id: int) -> Panel:
    """The panel without a page around it. Raises `errors.NotFound`."""
    async with kit.ground(request).db.reading() as session:
        begun = await begin(request, session, campaign_id)
    return await panel(request, begun)


def _asks_anybody(ground: Ground) -> bool:
    settings = ground.settings.preflight
    return settings.links or settings.spamassassin


@kit.staff(Role.VIEWER)
async def show(request: web.Request) -> web.StreamResponse:
    """`GET …/check?clear=`: the panel alone, or the page that it stands on.

    `clear` says what the page shows; when that is no longer so, all of it is loaded anew.
    """
    number = kit.number_in_path(request)
    if not kit.is_htmx(request):
        return kit.redirect(request, f"/staff/campaigns/{number}#check")
    shown = await _alone(request, number)
    response = kit.render(request, "campaigns/_check.html", panel=shown)
    if request.query.get("clear", "") != ("1" if shown.is_clear else "0"):
        response.headers["HX-Refresh"] = "true"
    return response


@kit.staff(Role.AUTHOR)
async def look(request: web.Request) -> web.StreamResponse:
    """`POST …/check`: follow links and ask SpamAssassin, behind the page's back."""
    form = await forms.read(request)
    number = kit.number_in_path(request)
    await request.app[LOOKER].begin(campaign_id=number, is_anew=form.flag("anew"))
    if not kit.is_htmx(request):
        return kit.redirect(request, f"/staff/campaigns/{number}#check")
    shown = await _alone(request, number)
    return kit.render(request, "campaigns/_check.html", panel=shown)


@kit.staff(Role.VIEWER)
async def progress(request: web.Request) -> web.StreamResponse:
    """`GET …/check/progress?clear=`: how far a look is; asks for the panel when it is over."""
    number = kit.number_in_path(request)
    ground = kit.ground(request)
    async with ground.db.reading() as session:
        await transitions.get(session, number)
        last: Look | None = await looking.last(session, number)
    return kit.render(
        request,
        "campaigns/_looking.html",
        campaign_id=number,
        is_going_on=looking.is_going_on(ground, last),
        done=last.done if last else 0,
        total=last.total if last else 0,
        clear="1" if request.query.get("clear") == "1" else "0",
    )
