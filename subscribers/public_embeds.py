"""A form's link for others to make something of: oEmbed for web pages, QR codes for paper.

Both lead to forms of ours only, so nobody can have us vouch for an address of theirs.
"""

import asyncio
import functools
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from aiohttp import web
from markupsafe import Markup, escape

from foundation import errors
from foundation.i18n import N_
from foundation.web import kit
from subscribers import widget
from subscribers.forms import Offer
from templates import qr

OEMBED_PATH = "/oembed"
_WIDTH = 560
_HEIGHT = 560
_LEAST = 240
_KEEP_S = 3600
_MOST_SOURCE = 120
_CARRIED = frozenset({"lang", "source", "theme"})


def routes() -> list[web.RouteDef]:
    """What is here."""
    return [web.get(OEMBED_PATH, oembed), web.get("/qr.{kind}", code)]


async def oembed(request: web.Request) -> web.Response:
    """`GET /oembed?url=`: how to show one of our forms (oEmbed 1.0 §2.3), as JSON or XML."""
    query = request.query
    form, partner, carried = _read(request, query.get("url", ""))
    async with kit.ground(request).db.reading() as session:
        offer = await widget.chosen(session, form=form, partner=partner)
    language = kit.translator(request).language
    site = kit.ground(request).settings.site
    width, height = _size(query.get("maxwidth"), _WIDTH), _size(query.get("maxheight"), _HEIGHT)
    title = offer.text("title", language) or site.name
    said: dict[str, Any] = {
        "version": "1.0",
        "type": "rich",
        "title": title,
        "provider_name": site.name,
        "provider_url": site.url,
        "cache_age": _KEEP_S,
        "width": width,
        "height": height,
        "html": str(
            Markup(
                '<iframe src="{}" title="{}" width="{}" height="{}" style="border:0"></iframe>'
            ).format(
                widget.frame_url(kit.ground(request), offer, partner=partner, carried=carried),
                title,
                width,
                height,
            )
        ),
    }
    return _said(said, query.get("format", "json"))


@functools.lru_cache(maxsize=64)
def _drawn(text: str, kind: qr.Kind, title: str) -> bytes:
    return qr.drawn(text, kind=kind, title=title)


async def code(request: web.Request) -> web.Response:
    """`GET /qr.{svg,png,pdf}?form=&partner=&lang=&source=`: the link to a form as a QR code."""
    try:
        kind = qr.Kind(request.match_info["kind"])
    except ValueError as problem:
        raise errors.NotFound(N_("There is no such page.")) from problem
    query = request.query
    ground = kit.ground(request)
    partner = query.get("partner", "")
    async with ground.db.reading() as session:
        offer = await widget.chosen(session, form=query.get("form", ""), partner=partner)
    language = query.get("lang", "")
    link = widget.link(
        ground,
        offer,
        partner=partner if offer.partner else "",
        language=widget.language_of(ground, language) if language else "",
        source=query.get("source", "")[:_MOST_SOURCE],
    )
    body = await asyncio.to_thread(_drawn, link, kind, link)
    return web.Response(
        body=body,
        content_type=kind.media_type,
        headers={
            "Cache-Control": f"public, max-age={_KEEP_S}",
            "Content-Disposition": f'inline; filename="{offer.slug or "sign-up"}.{kind}"',
            "Cross-Origin-Resource-Policy": "cross-origin",
        },
    )


def _read(request: web.Request, url: str) -> tuple[str, str, dict[str, str]]:
    """The form, the partner and what else an address of ours says.

    Raises `errors.NotFound` for an address that shows no form.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    site = urlsplit(kit.ground(request).settings.site.url)
    _, _, rest = parts.path.rstrip("/").partition("/")
    page, _, name = rest.partition("/")
    if parts.netloc.lower() != site.netloc.lower() or page not in ("subscribe", "widget"):
        raise errors.NotFound(N_("There is no sign-up form at this address."))
    said = {key: values[0] for key, values in parse_qs(parts.query).items()}
    carried = {key: value for key, value in said.items() if key in _CARRIED}
    if page == "subscribe":
        return name, said.get("partner", ""), carried
    return said.get("form", ""), name, carried


def _size(asked: str | None, usual: int) -> int:
    if not asked or not asked.isascii() or not asked.isdigit():
        return usual
    return max(_LEAST, min(usual, int(asked[:6])))


def _said(said: Mapping[str, Any], form: str) -> web.Response:
    headers = {
        "Access-Control-Allow-Origin": "*",
        "Cache-Control": f"public, max-age={_KEEP_S}",
        "Vary": "Accept-Language",
    }
    if form == "json":
        return web.json_response(said, headers=headers)
    if form != "xml":
        raise errors.Invalid(N_("This can be had as json or as xml."))
    lines = (f"<{name}>{escape(value)}</{name}>" for name, value in said.items())
    return web.Response(
        text='<?xml version="1.0" encoding="utf-8" standalone="yes"?>\n'
        f"<oembed>{''.join(lines)}</oembed>\n",
        content_type="text/xml",
        charset="utf-8",
        headers=headers,
    )


def discovery(request: web.Request, offer: Offer, *, partner: str) -> list[tuple[str, str]]:
    """The links by which editors of web pages find out (oEmbed 1.0 §4): media type, address."""
    ground = kit.ground(request)
    url = widget.link(ground, offer, partner=partner)
    return [
        (f"{kind}+oembed", ground.url(f"{OEMBED_PATH}?{urlencode({'url': url, 'format': name})}"))
        for kind, name in (("application/json", "json"), ("text/xml", "xml"))
    ]
