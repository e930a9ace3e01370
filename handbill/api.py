"""The whole API: every slice's endpoints, their OpenAPI document, and a page to read it."""

from types import ModuleType
from typing import Any

from aiohttp import web

from campaigns import api as campaigns
from campaigns import check_api as check
from campaigns import comments_api as comments
from campaigns import content_api as content
from campaigns import feeds_api as feeds
from campaigns import inbox_api as inbox
from campaigns import inbox_rules_api as inbox_rules
from campaigns import live_api as live
from campaigns import materials_api as materials
from campaigns import proposals_api as proposals
from campaigns import recipients_api as recipients
from campaigns import segment_api as segments
from campaigns import series_api as series
from campaigns import trials_api as trials
from campaigns import webhooks_api as webhooks
from campaigns import welcome_api as welcome
from foundation.web import api, kit, openapi
from foundation.web.api import Endpoint
from handbill import release
from subscribers import api as subscribers
from subscribers import funnel_api as funnel
from subscribers import organisations_api as organisations

API_SLICES: tuple[ModuleType, ...] = (
    subscribers,
    organisations,
    funnel,
    content,
    comments,
    materials,
    feeds,
    inbox,
    inbox_rules,
    proposals,
    campaigns,
    check,
    recipients,
    live,
    segments,
    series,
    welcome,
    trials,
    webhooks,
)
"""Modules that offer `endpoints()`."""


def endpoints() -> list[Endpoint]:
    """Every endpoint of every slice."""
    return [each for module in API_SLICES for each in module.endpoints()]


def routes() -> list[web.RouteDef]:
    """The endpoints, and what describes them."""
    return [
        *api.routes(endpoints()),
        web.get("/api/openapi.json", show_openapi),
        web.get("/api/docs", show_docs),
    ]


def describe(url: str) -> dict[str, Any]:
    """The OpenAPI document of a site."""
    return openapi.describe(endpoints(), title="Handbill", version=release.version(), url=url)


async def show_openapi(request: web.Request) -> web.StreamResponse:
    """`GET /api/openapi.json`."""
    return web.json_response(describe(kit.ground(request).settings.site.url))


async def show_docs(request: web.Request) -> web.StreamResponse:
    """`GET /api/docs`: the same for people."""
    document = describe(kit.ground(request).settings.site.url)
    operations = [
        {"method": method.upper(), "path": path, **operation}
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    groups: dict[str, list[dict[str, Any]]] = {}
    for each in operations:
        groups.setdefault(each["tags"][0], []).append(each)
    return kit.render(
        request, "api/docs.html", groups=groups, schemas=document["components"]["schemas"]
    )
