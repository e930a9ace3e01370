"""What other sites load from us: the widget's script, its form as a page of its own, and as data.

All of it is the same for everybody in a language, so it is answered from memory (`SCRIPTS` and
`FORMS`, set by `handbill/app.py`); what the address fills in before is made for that one request.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from aiohttp import web
from markupsafe import Markup

from foundation import errors
from foundation.frozen import frozen
from foundation.i18n import N_
from foundation.web import door, kit, middleware, prepared, security
from foundation.web.prepared import Prepared, Shelf
from foundation.web.ready import Written
from subscribers import embed, forms, public_embeds, received, snippets, widget
from subscribers.forms import Offer

FORMS_PATH = "/api/public/forms"
SCRIPTS: web.AppKey[Shelf[Prepared]] = web.AppKey("widget_scripts", Shelf)


@frozen
class Served:
    """A form in memory, and whose pages may show it."""

    made: Prepared
    origins: frozenset[str] = frozenset()


_LOOKED_AGAIN = timedelta(seconds=5)
"""For a site that is not among those written down, no more often than this."""
FORMS: web.AppKey[Shelf[Served]] = web.AppKey("widget_forms", Shelf)
_ANYWHERE = {
    # A module is asked for across origins (HTML §8.1.4.2), and pages that isolate themselves ask
    # whether it may be had.
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
_KEEP_SCRIPT = "public, max-age=3600, stale-while-revalidate=86400"
_ABOUT_THE_FORM = frozenset({"form", "partner", "lang", "theme", "accent"})
"""What an address may say without the answer being for one person alone."""


def routes() -> list[web.RouteDef]:
    """What is here."""
    return [
        web.get(snippets.SCRIPT_PATH, script),
        web.get("/widget-proof.js", script),
        web.get("/widget", frame),
        web.get("/widget/{partner}", frame),
        web.get(FORMS_PATH, describe),
        web.get(f"{FORMS_PATH}/{{form}}", describe),
    ]


async def _script_at_once(app: web.Application, request: web.Request, _: str) -> Written | None:
    found = app[SCRIPTS].find((request.path,), now=kit.ground(request).clock.now())
    return found.at_once(request) if found else None


@door.answers(_script_at_once)
async def script(request: web.Request) -> web.Response:
    """`GET /widget.js`: the element, for a module script of any page."""
    shelf, now = request.app[SCRIPTS], kit.ground(request).clock.now()
    found = shelf.find((request.path,), now=now)
    if found is None:
        found = await _squeezed(request)
        shelf.put((request.path,), found, now=now)
    return found.answer(request)


async def _squeezed(request: web.Request) -> Prepared:
    file = request.app[kit.PAGES].static_folder / request.path.removeprefix("/")
    return await asyncio.to_thread(
        lambda: prepared.prepare(
            file.read_bytes(),
            media_type="text/javascript; charset=utf-8",
            keep=_KEEP_SCRIPT,
            is_https=_is_https(request),
            headers=_ANYWHERE,
        )
    )


async def _form_at_once(app: web.Application, request: web.Request, _: str) -> Written | None:
    found = _kept(app, request)
    if found is None or not _may_show(request, found):
        return None
    return found.made.at_once(request, allow_origin=request.headers.get("Origin", ""))


@door.answers(_form_at_once)
async def describe(request: web.Request) -> web.Response:
    """`GET /api/public/forms[/{form}]?partner=&lang=`: all that the element shows.

    Pages on origins that neither the form nor the partner names are refused, in words that the
    element may read and show.
    """
    _speak(request)
    served = _kept(request.app, request) or await _described(request)
    if not _may_show(request, served) and not _was_just_made(request):
        # The office may have written this site down since.
        served = await _described(request)
    if _may_show(request, served):
        return served.made.answer(request, allow_origin=request.headers.get("Origin", ""))
    said = errors.Forbidden(
        N_("The sign-up form can't be shown on this page. Open it on its own page.")
    )
    response = middleware.problem_details(request, said, status=middleware.status_of(said))
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Vary"] = "Origin, Accept-Language"
    return response


async def _described(request: web.Request) -> Served:
    found = await widget.describe(
        kit.ground(request),
        form=request.match_info.get("form", ""),
        partner=request.query.get("partner", ""),
        language=kit.translator(request).language,
    )
    said = {name: value for name, value in asdict(found).items() if name != "origins"}
    return await _made(
        request,
        json.dumps(said, ensure_ascii=False, separators=(",", ":")),
        media_type="application/json; charset=utf-8",
        origins=found.origins,
        headers={"Vary": "Origin, Accept-Encoding, Accept-Language"},
    )


def _may_show(request: web.Request, served: Served) -> bool:
    """A browser names the origin of another site's page; our own pages and programs name none."""
    origin = request.headers.get("Origin", "")
    return not origin or forms.is_own(kit.ground(request), origin, served.origins)


def _was_just_made(request: web.Request) -> bool:
    return _kept(request.app, request, within=_LOOKED_AGAIN) is not None


async def _page_at_once(app: web.Application, request: web.Request, _: str) -> Written | None:
    found = _kept(app, request)
    return found.made.at_once(request) if found else None


@door.answers(_page_at_once)
async def frame(request: web.Request) -> web.Response:
    """`GET /widget[/{partner}]?form=&lang=`: the form alone, for a frame in any page."""
    served = _kept(request.app, request) or await _framed(request)
    return served.made.answer(request)


async def _framed(request: web.Request) -> Served:
    _speak(request)
    partner = request.match_info.get("partner", "")
    async with kit.ground(request).db.reading() as session:
        offer = await widget.chosen(session, form=request.query.get("form", ""), partner=partner)
    html = kit.render(
        request,
        "subscribers/widget.html",
        offer=offer,
        partner=partner,
        code=_code(request, offer, partner=partner),
        title=offer.text("title", kit.translator(request).language),
        theme=_theme(request),
        script=snippets.SCRIPT_PATH,
        is_preview="preview" in request.query,
        discovery=public_embeds.discovery(request, offer, partner=partner),
    )
    return await _made(
        request,
        html.text or "",
        media_type="text/html; charset=utf-8",
        policy=_policy(widget.thanks_url(kit.ground(request), offer)),
        # The policy says which pages may frame it; browsers that read it pass this over.
        headers={"Vary": "Accept-Encoding, Accept-Language", "X-Frame-Options": "SAMEORIGIN"},
    )


def _code(request: web.Request, offer: Offer, *, partner: str) -> Markup:
    """The plain form inside the element, for browsers that run no script."""
    return embed.plain(
        kit.ground(request),
        offer,
        kit.translator(request).language,
        partner=partner,
        trap=embed.Trap.HIDDEN,
        target="_top",
        values=received.filled_in(request.query),
        carried=[pair for pair in received.carried(request, request.query) if pair[0] != "partner"],
    )


def _policy(thanks_url: str) -> str:
    return security.content_policy(
        "",
        script_src="'self'",
        style_src="'self'",
        form_action=widget.form_targets(thanks_url),
        # It may stand anywhere: it sends to us alone, and whom it signs up has to confirm.
        frame_ancestors="*",
    )


async def _made(
    request: web.Request, text: str, *, origins: Sequence[str] = (), **more: Any
) -> Served:
    """An answer, kept for the next who asks unless it is for this one alone."""
    ground = kit.ground(request)
    is_for_all = _is_for_all(request)
    made = await asyncio.to_thread(
        prepared.prepare,
        text.encode(),
        keep=f"public, max-age={ground.settings.widget.keep_s}" if is_for_all else "no-store",
        is_https=_is_https(request),
        **more,
    )
    served = Served(made=made, origins=frozenset(origins))
    if is_for_all:
        request.app[FORMS].put(_key(request), served, now=ground.clock.now())
    return served


def _kept(
    app: web.Application, request: web.Request, *, within: timedelta | None = None
) -> Served | None:
    """What is in memory: by the request as it came, which is soon read, else by what it means."""
    shelf, now = app[FORMS], kit.ground(request).clock.now()
    came = (request.raw_path, request.headers.get("Accept-Language", ""))
    found = shelf.find(came, now=now, within=within)
    if found is None and _is_for_all(request):
        key = _key(request)
        found = shelf.find(key, now=now, within=within)
        if found is not None:
            shelf.also(came, known=key)
    return found


def _key(request: web.Request) -> prepared.Key:
    query = request.query
    named = (query.get("form", ""), query.get("partner", ""))
    return (request.path, *named, _theme(request), _language(request))


def _is_for_all(request: web.Request) -> bool:
    """Whether the address says nothing that only this one form is to hold, such as a name."""
    return request.query.keys() <= _ABOUT_THE_FORM


def _speak(request: web.Request) -> None:
    """`lang` may hold several wishes here, the dearest first."""
    kit.context(request).translator = kit.ground(request).translator(_language(request))


def _language(request: web.Request) -> str:
    wishes = request.query.get("lang", "") or request.headers.get("Accept-Language", "")
    return widget.language_of(kit.ground(request), wishes)


def _theme(request: web.Request) -> str:
    theme = request.query.get("theme", "")
    return theme if theme in ("light", "dark") else ""


def _is_https(request: web.Request) -> bool:
    return kit.ground(request).settings.site.url.startswith("https:")
