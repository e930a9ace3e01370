"""The form on a tablet at a table (`/kiosk/{form}`), which works on without a network.

The page seals what is typed before it is kept, sends it when there is a network, and forgets it
then. A service worker keeps the page itself; its scope is `/kiosk/` alone.
"""

import json
from typing import Any

from aiohttp import web
from markupsafe import Markup

from foundation import errors, i18n
from foundation.i18n import N_
from foundation.web import forms as web_forms
from foundation.web import kit, security
from subscribers import consent, forms, gatherings, kiosk, received, sealing, topics, typos
from subscribers.forms import Offer

WORKER = "/kiosk/worker.js"
SITE_FORM = "subscribe"
"""Stands for the form at `/subscribe`, which has no name of its own."""


def routes() -> list[web.RouteDef]:
    """What is here."""
    return [
        web.get(WORKER, worker),
        web.get("/kiosk/{form}", show),
        web.post("/kiosk/{form}/entries", receive),
    ]


async def show(request: web.Request) -> web.Response:
    """`GET /kiosk/{form}?source=CODE`: the form in big type, in several languages.

    `?languages=es,en` says which, and which comes first; else the gathering's, else the site's.
    `?lang=es` overrides which comes first, as it does anywhere.
    """
    ground = kit.ground(request)
    source = request.query.get("source", "")[:120]
    async with ground.db.reading() as session:
        offer = await forms.offered(session, slug=_slug(request))
        gathering = await gatherings.by_code(session, source) if source else None
    asked = request.query.get("languages", "").split(",")
    languages = [code for code in asked if code in ground.catalog.languages]
    if not languages:
        languages = list(gathering.languages) if gathering else list(ground.catalog.languages)
    languages = list(dict.fromkeys(languages))
    first = i18n.match(request.query.get("lang"), languages)
    languages.sort(key=lambda code: code != first)
    kit.speak(request, languages[0])
    response = kit.render(
        request,
        "kiosk/kiosk.html",
        parts=[(ground.translator(code), _part(request, offer, code)) for code in languages],
        key=sealing.public_key(ground),
        info=sealing.INFO,
        source=source,
        tags=json.dumps(request.query.getall("tag", [])[:20]),
        slips=json.dumps(typos.known()),
        idle_s=ground.settings.kiosk.idle_s,
        send_to=f"/kiosk/{request.match_info['form']}/entries",
        worker=WORKER,
        place=gathering.name if gathering else "",
        own_page=f"/subscribe/{offer.slug}" if offer.slug else "/subscribe",
    )
    nonce = kit.context(request).nonce
    response.headers["Content-Security-Policy"] = security.content_policy(
        nonce, worker_src="'self'"
    )
    return response


async def receive(request: web.Request) -> web.Response:
    """`POST /kiosk/{form}/entries`: sealed entries; says by their numbers what became of each."""
    body = await web_forms.read_json(request)
    sent = body.get("entries")
    if not isinstance(sent, list) or not 0 < len(sent) <= kiosk.MOST_AT_ONCE:
        raise errors.Invalid(
            N_("Send between one and %(most)s entries at once."), most=kiosk.MOST_AT_ONCE
        )
    done = await kiosk.receive(
        kit.ground(request),
        form=_slug(request),
        batch=[sealing.read(each) for each in sent],
        network=received.network(request),
    )
    return web.json_response(
        {"taken": done.taken, "refused": done.refused, "unreadable": done.unreadable},
        headers={"Cache-Control": "no-store"},
    )


async def worker(request: web.Request) -> web.FileResponse:
    """`GET /kiosk/worker.js`: keeps the page on the tablet, and its scope is where it stands."""
    folder = request.app[kit.PAGES].static_folder
    return web.FileResponse(
        folder / "kiosk-worker.js",
        headers={"Content-Type": "text/javascript", "Cache-Control": "no-cache"},
    )


def _slug(request: web.Request) -> str:
    slug = request.match_info["form"]
    return "" if slug == SITE_FORM else slug


def _part(request: web.Request, offer: Offer, language: str) -> Markup:
    """The form in one language."""
    ground = kit.ground(request)
    default = ground.catalog.default
    values: dict[str, Any] = {
        "offer": offer,
        "site": ground.settings.site,
        "title": offer.text("title", language),
        "lead": offer.text("lead", language),
        "topics": [
            (topic.slug, topics.name(topic, language, default=default)) for topic in offer.topics
        ],
        "words": consent.words(ground, consent.SIGNUP, language=language),
    }
    html = request.app[kit.PAGES].render(
        "kiosk/_form.html", translator=ground.translator(language), values=values
    )
    return Markup(html)  # noqa: S704 - a template of ours, which escapes what is put in
