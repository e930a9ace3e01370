"""Assembles the web application: every slice's routes, the middlewares, pages and static files."""

import asyncio
import functools
from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from pathlib import Path
from types import ModuleType

from aiohttp import web

import templates
from campaigns import (
    check_pages,
    composer_pages,
    desk_pages,
    handbill_pages,
    hits,
    live_pages,
    media_pages,
    senders,
    translation_pages,
    waiting_pages,
)
from campaigns import holdings as campaigns_holdings
from campaigns import pages as campaigns_pages
from campaigns import public as content_public
from campaigns.coming import Coming
from campaigns.handbills import Press
from campaigns.material_counts import Counter
from campaigns.preflight import looking
from campaigns.tracking import Tracker
from campaigns.welcome_history import WelcomeHistory
from delivery import holdings as delivery_holdings
from delivery import returns_pages
from delivery.arriving import pages as deliverability_pages
from delivery.arriving.pages import Looker
from delivery.history import History
from delivery.hooks import fetching
from delivery.hooks import providers as hook_providers
from delivery.hooks import public as hooks_public
from delivery.hooks.call import Fetch
from delivery.progress import Watch
from foundation.accounts import log_pages, own_pages, team_pages
from foundation.accounts import pages as account_pages
from foundation.accounts.models import Role
from foundation.asides import Asides
from foundation.ground import Ground
from foundation.i18n import N_
from foundation.web import beside, kit, middleware
from foundation.web.pages import Pages
from foundation.web.prepared import Shelf
from foundation.web.rooms import Room
from handbill import find_pages, health, log_values, settings_pages
from subscribers import (
    join,
    kiosk_pages,
    membership_pages,
    people_pages,
    public_api,
    public_links,
    public_steps,
    public_widget,
    statement_pages,
)
from subscribers import pages as subscribers_pages
from subscribers import public as subscribers_public
from subscribers.steps import Steps
from templates import qr

PAGE_SLICES: tuple[ModuleType, ...] = (
    health,
    account_pages,
    own_pages,
    team_pages,
    log_pages,
    join,
    membership_pages,
    statement_pages,
    kiosk_pages,
    subscribers_public,
    subscribers_pages,
    content_public,
    hits,
    hooks_public,
    desk_pages,
    composer_pages,
    translation_pages,
    waiting_pages,
    media_pages,
    campaigns_pages,
    returns_pages,
    deliverability_pages,
    settings_pages,
    find_pages,
)
"""Modules that offer `routes()`; each owns its part of the addresses."""

_WRITE, _SEND, _PEOPLE, _OFFICE = N_("Write"), N_("Send"), N_("People and partners"), N_("Office")

NAVIGATION = (
    kit.NavigationItem(path="/staff", msgid=N_("Overview"), key="o"),
    kit.NavigationItem(path="/staff/inbox", msgid=N_("Inbox"), group=_WRITE, key="i"),
    kit.NavigationItem(path="/staff/issues", msgid=N_("Issues"), group=_WRITE, key="s"),
    kit.NavigationItem(path="/staff/bulletins", msgid=N_("Bulletins"), group=_WRITE, key="b"),
    kit.NavigationItem(path="/staff/snippets", msgid=N_("Snippets"), group=_WRITE, key="x"),
    kit.NavigationItem(path=media_pages.PATH, msgid=N_("Pictures"), group=_WRITE),
    kit.NavigationItem(path=waiting_pages.PATH, msgid=N_("Translations"), group=_WRITE),
    kit.NavigationItem(path="/staff/series", msgid=N_("Series"), group=_WRITE, key="r"),
    kit.NavigationItem(path="/staff/welcome", msgid=N_("The welcome"), group=_WRITE, key="w"),
    kit.NavigationItem(path="/staff/campaigns", msgid=N_("Campaigns"), group=_SEND, key="c"),
    kit.NavigationItem(path="/staff/calendar", msgid=N_("Calendar"), group=_SEND, key="a"),
    kit.NavigationItem(
        path="/staff/returns",
        msgid=N_("Came back"),
        group=_SEND,
        key="k",
        also=("/staff/suppressions",),
    ),
    kit.NavigationItem(
        path=deliverability_pages.PATH,
        msgid=N_("Deliverability"),
        role=Role.EDITOR,
        group=_SEND,
        key="v",
    ),
    kit.NavigationItem(path="/staff/people", msgid=N_("People"), group=_PEOPLE, key="p"),
    kit.NavigationItem(path="/staff/segments", msgid=N_("Segments"), group=_PEOPLE),
    kit.NavigationItem(
        path="/staff/members",
        msgid=N_("Members"),
        group=_PEOPLE,
        key="m",
        also=("/staff/statement",),
    ),
    kit.NavigationItem(path="/staff/forms", msgid=N_("Forms"), group=_PEOPLE, key="f"),
    kit.NavigationItem(path="/staff/gatherings", msgid=N_("At a table"), group=_PEOPLE),
    kit.NavigationItem(path="/staff/partners", msgid=N_("Partners"), group=_PEOPLE, key="n"),
    kit.NavigationItem(
        path="/staff/partners/{partner}/numbers",
        msgid=N_("Numbers"),
        role=Role.PARTNER,
        is_partners=True,
    ),
    kit.NavigationItem(
        path="/staff/partners/{partner}/people",
        msgid=N_("People for your list"),
        role=Role.PARTNER,
        is_partners=True,
    ),
    kit.NavigationItem(
        path="/staff/partners/{partner}/stories",
        msgid=N_("Propose a story"),
        role=Role.PARTNER,
        is_partners=True,
    ),
    kit.NavigationItem(
        path="/staff/team",
        msgid=N_("Team"),
        role=Role.OWNER,
        group=_OFFICE,
        key="t",
        also=("/staff/tokens",),
    ),
    kit.NavigationItem(
        path="/staff/audit", msgid=N_("Log"), role=Role.EDITOR, group=_OFFICE, key="l"
    ),
    kit.NavigationItem(
        path="/staff/brand", msgid=N_("Look"), group=_OFFICE, also=("/staff/templates",)
    ),
    kit.NavigationItem(path="/staff/settings", msgid=N_("Settings"), group=_OFFICE),
    kit.NavigationItem(
        path="/staff/bulletins/new",
        msgid=N_("New bulletin"),
        role=Role.AUTHOR,
        key="b",
        is_action=True,
    ),
    kit.NavigationItem(
        path="/staff/campaigns/new",
        msgid=N_("New campaign"),
        role=Role.AUTHOR,
        key="c",
        is_action=True,
    ),
    kit.NavigationItem(
        path="/staff/inbox/new",
        msgid=N_("Put a story into the inbox"),
        role=Role.AUTHOR,
        key="s",
        is_action=True,
    ),
    kit.NavigationItem(
        path="/staff/forms/new", msgid=N_("Make a form"), role=Role.EDITOR, key="f", is_action=True
    ),
    kit.NavigationItem(
        path="/staff/partners/new",
        msgid=N_("Add a partner"),
        role=Role.EDITOR,
        key="n",
        is_action=True,
    ),
)

_TEMPLATES = Path(templates.__file__).parent


def build(
    ground: Ground,
    *,
    extra_routes: Iterable[web.RouteDef] = (),
    fetch: Fetch = fetching.fetch,
) -> web.Application:
    """The application over `ground`; the demo adds routes of its own.

    `fetch` gets what Amazon SNS points to.
    """
    pages = _pages()
    app = web.Application(
        client_max_size=ground.settings.server.max_body_bytes,
        middlewares=middleware.ALL,
    )
    app.on_response_prepare.append(middleware.make_safe)
    app[kit.GROUND] = ground
    app[kit.PAGES] = pages
    app[kit.STAFF_NAVIGATION] = NAVIGATION
    app[log_pages.WORDS] = log_values.WORDS
    app[hits.TRACKER] = Tracker(ground)
    app[own_pages.DRAWING] = own_pages.Drawing(functools.partial(qr.drawn, kind=qr.Kind.SVG))
    app[live_pages.WATCH] = Watch(ground)
    app[deliverability_pages.LOOKER] = Looker(ground, planned=senders)
    app[check_pages.LOOKER] = looking.Looker(ground)
    app[handbill_pages.PRESS] = Press()
    app[beside.ASIDES] = Asides(ground.db, patience_s=ground.settings.server.page_patience_s)
    app.on_shutdown.append(_end_streams)
    app.on_shutdown.append(_end_looks)
    app.on_cleanup.append(_write_hits)
    app[content_public.DOWNLOADS] = Counter(ground)
    app[people_pages.MAIL_HISTORY] = History()
    app[people_pages.WELCOME_HISTORY] = WelcomeHistory()
    app[people_pages.COMING] = Coming()
    app[public_steps.STEPS] = Steps(ground)
    app.cleanup_ctx.append(_counting_steps)
    app[public_links.ELSEWHERE] = (delivery_holdings, campaigns_holdings)
    app[public_api.ORIGINS] = Shelf(keep=public_api.KEEP_ORIGINS)
    app[public_widget.SCRIPTS] = Shelf(keep=timedelta.max)
    app[public_widget.FORMS] = Shelf(keep=timedelta(seconds=ground.settings.widget.keep_s))
    app[hooks_public.SOURCES] = hook_providers.build(ground.settings, fetch=fetch)
    app[hooks_public.PLACES] = asyncio.Semaphore(hooks_public.AT_ONCE)
    app.router.add_get("/static/{hash}/{name:.+}", pages.serve_static)
    for module in PAGE_SLICES:
        app.router.add_routes(module.routes())
    app.router.register_resource(Room("/api", _for_programs))
    app.router.add_routes(list(extra_routes))
    return app


def _for_programs() -> Iterable[web.RouteDef]:
    """What programs ask for, and its description."""
    from handbill import api

    return api.routes()


@functools.cache
def _pages() -> Pages:
    """The same for every application of this process: they come with the program."""
    return Pages(_TEMPLATES / "pages", _TEMPLATES / "static")


async def _counting_steps(app: web.Application) -> AsyncIterator[None]:
    async with app[public_steps.STEPS].running():
        yield


async def _end_streams(app: web.Application) -> None:
    """The server waits for answers that are under way; those that last end now."""
    app[live_pages.WATCH].close()


async def _write_hits(app: web.Application) -> None:
    """Last, when everybody was answered."""
    await app[hits.TRACKER].close()
    await app[content_public.DOWNLOADS].close()


async def _end_looks(app: web.Application) -> None:
    await app[deliverability_pages.LOOKER].close()
    await app[check_pages.LOOKER].close()
    await app[handbill_pages.PRESS].close()
    await app[beside.ASIDES].close()
