"""What people do by the links in their mail: unsubscribe, choose, take along, be forgotten.

The sealed token in the address is all the proof there is: no cookie, no session, so that one-click
unsubscribing works from a mail program's server (RFC 8058 §3.1).
"""

import json

from aiohttp import web

from foundation import addresses, errors
from foundation.i18n import N_
from foundation.web import forms as web_forms
from foundation.web import kit
from foundation.web.forms import Form
from subscribers import (
    coming_back,
    download,
    languages,
    plainly,
    preferences,
    received,
    unsubscribe,
)
from subscribers.holdings import Elsewhere

ELSEWHERE: web.AppKey[tuple[Elsewhere, ...]] = web.AppKey("elsewhere", tuple)
"""What higher floors hold about people; `handbill/app.py` hands it in."""

_EVERYTHING = "everything"
_ONE_CLICK = [("List-Unsubscribe", "One-Click")]


def routes() -> list[web.RouteDef]:
    """What is here."""
    return [
        web.get("/unsubscribe/{token}", unsubscribe_page),
        web.post("/unsubscribe/{token}", unsubscribe_now),
        web.get("/preferences/{token}", preferences_page),
        web.post("/preferences/{token}", preferences_act),
        web.get("/come-back/{token}", come_back_page),
        web.post("/come-back/{token}", come_back),
    ]


async def unsubscribe_page(request: web.Request) -> web.Response:
    """`GET /unsubscribe/{token}`: a button; looking at it changes nothing."""
    found = await unsubscribe.look(kit.ground(request), token=request.match_info["token"])
    kit.speak(request, found.language)
    return private(
        kit.render(
            request,
            "subscribers/unsubscribe.html",
            found=found,
            email=addresses.masked(found.email) if found.email else "",
            everything=_EVERYTHING,
        )
    )


async def unsubscribe_now(request: web.Request) -> web.Response:
    """`POST /unsubscribe/{token}`: by the page's button, or by one click in a mail program.

    One click acts on the exact body of RFC 8058 §3.2 alone, at once and without a redirect; any
    other body that our page did not send changes nothing and gets the page.
    """
    form = await web_forms.read(request)
    if list(form.values.items()) == _ONE_CLICK:
        done = await _unsubscribed(request, via="one-click")
        kit.speak(request, done.language)
        return web.Response(text=kit.translator(request).gettext(N_("You are unsubscribed.")))
    wish = form.line("from")
    if not wish:
        return await unsubscribe_page(request)
    done = await _unsubscribed(
        request,
        topic_slug=None if wish == _EVERYTHING else wish,
        is_everything=wish == _EVERYTHING,
        reason=form.text("reason"),
        via="link",
    )
    kit.speak(request, done.language)
    return private(kit.render(request, "subscribers/unsubscribed.html", done=done))


async def preferences_page(request: web.Request) -> web.Response:
    """`GET /preferences/{token}`: what is held and chosen."""
    return await _preferences(request)


async def preferences_act(request: web.Request) -> web.Response:
    """`POST /preferences/{token}`: what the person presses, see `preferences`."""
    form = await web_forms.read(request)
    action = form.values.get("action", "")
    if action == "save":
        return await _save(request, form)
    if action == "take-back":
        return await _take_back(request, form)
    if action == "download":
        return await _download(request)
    if action == "come-back":
        return await _ask_to_come_back(request)
    if action == "erase":
        return await _ask_to_erase(request)
    if action == "erase-now":
        return await _erase(request)
    return await _preferences(request)


async def come_back_page(request: web.Request) -> web.Response:
    """`GET /come-back/{token}`: a button; looking at it changes nothing."""
    found = await coming_back.look(kit.ground(request), token=request.match_info["token"])
    kit.speak(request, found.language)
    return private(kit.render(request, "subscribers/come_back.html", found=found))


async def come_back(request: web.Request) -> web.Response:
    """`POST /come-back/{token}`: mail may come again."""
    await web_forms.read(request)
    found = await coming_back.confirm(kit.ground(request), token=request.match_info["token"])
    kit.speak(request, found.language)
    return private(kit.render(request, "subscribers/come_back.html", found=found))


def private(response: web.Response) -> web.Response:
    """A page behind a sealed link: kept by no cache, found by no search engine."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


async def _unsubscribed(
    request: web.Request,
    *,
    via: str,
    topic_slug: str | None = None,
    is_everything: bool = False,
    reason: str = "",
) -> unsubscribe.Unsubscribed:
    return await unsubscribe.by_token(
        kit.ground(request),
        token=request.match_info["token"],
        topic_slug=topic_slug,
        is_everything=is_everything,
        reason=reason,
        via=via,
        elsewhere=elsewhere(request),
    )


async def _preferences(
    request: web.Request,
    *,
    problem: errors.Invalid | None = None,
    wishes: preferences.Wishes | None = None,
) -> web.Response:
    ground = kit.ground(request)
    view = await preferences.show(ground, token=request.match_info["token"])
    kit.speak(request, view.subscriber.language)
    speaks = kit.translator(request)
    problems = {name: each.say(speaks) for name, each in problem.fields.items()} if problem else {}
    return private(
        kit.render(
            request,
            "subscribers/preferences.html",
            status=422 if problem else 200,
            view=view,
            person=wishes or view.subscriber,
            ticked=wishes.topics if wishes else view.ticked,
            why_stopped=[
                speaks.gettext(words)
                for reason, words in plainly.TO_THE_PERSON.items()
                if reason in view.suppressions
            ],
            may_come_back=view.suppressions <= set(coming_back.LIFTABLE),
            site_languages=[
                (code, ground.catalog.translator(code).name) for code in ground.catalog.languages
            ],
            further_choices=languages.choices(ground, besides=(wishes or view.subscriber).language),
            saved=request.query.get("saved", ""),
            problems=problems,
        )
    )


async def _save(request: web.Request, form: Form) -> web.Response:
    ground = kit.ground(request)
    token = request.match_info["token"]
    wishes = preferences.Wishes(
        topics=form.lines("topic"),
        language=form.line("lang"),
        first_name=form.values.get("first_name", ""),
        last_name=form.values.get("last_name", ""),
        postal_code=form.values.get("postal_code", ""),
        further_languages=" ".join(form.lines(languages.FIELD)),
        reads_both=form.line("reads_both") == "both",
        allows_tracking=form.flag("allows_tracking"),
    )
    try:
        saved = await preferences.save(
            ground, token=token, wishes=wishes, network=received.network(request)
        )
    except errors.Invalid as problem:
        return await _preferences(request, problem=problem, wishes=wishes)
    return kit.redirect(request, f"/preferences/{token}?saved={'asked' if saved.asked else 'done'}")


async def _take_back(request: web.Request, form: Form) -> web.Response:
    token = request.match_info["token"]
    was_there = await preferences.take_back(
        kit.ground(request),
        token=token,
        partner_id=form.number("partner") or 0,
        network=received.network(request),
    )
    said = "?saved=taken-back" if was_there else ""
    return kit.redirect(request, f"/preferences/{token}{said}")


async def _ask_to_come_back(request: web.Request) -> web.Response:
    token = request.match_info["token"]
    asked = await coming_back.ask(kit.ground(request), token=token)
    return kit.redirect(request, f"/preferences/{token}?saved={asked.value}")


async def _download(request: web.Request) -> web.Response:
    found = await download.everything(
        kit.ground(request), token=request.match_info["token"], elsewhere=elsewhere(request)
    )
    return private(
        web.Response(
            text=json.dumps(found, ensure_ascii=False, indent=2),
            content_type="application/json",
            headers={"Content-Disposition": 'attachment; filename="my-data.json"'},
        )
    )


async def _ask_to_erase(request: web.Request) -> web.Response:
    view = await preferences.show(kit.ground(request), token=request.match_info["token"])
    kit.speak(request, view.subscriber.language)
    return private(
        kit.render(request, "subscribers/erase.html", email=addresses.masked(view.subscriber.email))
    )


async def _erase(request: web.Request) -> web.Response:
    ground = kit.ground(request)
    language = await preferences.language_of(ground, token=request.match_info["token"])
    kit.speak(request, language)
    await preferences.erase(ground, token=request.match_info["token"], elsewhere=elsewhere(request))
    return private(kit.render(request, "subscribers/erased.html"))


def elsewhere(request: web.Request) -> tuple[Elsewhere, ...]:
    """What higher floors hold about people, as the application was put together."""
    return request.app.get(ELSEWHERE, ())
