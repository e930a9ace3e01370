"""Staff's pages about sign-up forms (`/staff/forms`): make them, change them, copy their code."""

from typing import Any

from aiohttp import web

from foundation import errors
from foundation.accounts.models import Role
from foundation.i18n import N_
from foundation.web import forms, kit
from subscribers import embed, partners, topics
from subscribers import forms as signup_forms
from subscribers.models import PUBLIC_FIELDS, Form

_ASKS = {
    "first_name": N_("First name"),
    "last_name": N_("Last name"),
    "postal_code": N_("Postal code"),
    "further_languages": N_("Other languages that you read"),
}


def routes() -> list[web.RouteDef]:
    """What is here."""
    return [
        web.get("/staff/forms", index),
        web.get("/staff/forms/new", new),
        web.post("/staff/forms/new", create),
        web.get("/staff/forms/{id}", show),
        web.post("/staff/forms/{id}", update),
    ]


@kit.staff(Role.VIEWER)
async def index(request: web.Request) -> web.Response:
    """`GET /staff/forms`: every form with what it brought."""
    return kit.render(
        request, "people/forms.html", standings=await signup_forms.listed(kit.ground(request))
    )


@kit.staff(Role.EDITOR)
async def new(request: web.Request) -> web.Response:
    """`GET /staff/forms/new`: an empty form to fill in."""
    values = {"asks": list(signup_forms.DEFAULT_ASKS), "is_active": "1"}
    return await _page(request, form=None, values=values)


@kit.staff(Role.EDITOR)
async def create(request: web.Request) -> web.Response:
    """`POST /staff/forms/new`: make a form."""
    sent = await forms.read(request)
    try:
        details = _details(request, sent)
        sent.check()
        made = await signup_forms.create(
            kit.ground(request), actor=kit.actor(request), details=details
        )
    except errors.Invalid as problem:
        return await _page(request, form=None, values=_typed(sent), problem=problem)
    return _kept(request, made, N_("Made. Copy its code below into any web page."))


@kit.staff(Role.VIEWER)
async def show(request: web.Request) -> web.Response:
    """`GET /staff/forms/{id}`: one form, its code in each language, and how it looks."""
    form = await signup_forms.get(kit.ground(request), form_id=kit.number_in_path(request))
    return await _page(request, form=form, values=_values(form))


@kit.staff(Role.EDITOR)
async def update(request: web.Request) -> web.Response:
    """`POST /staff/forms/{id}`: change a form."""
    ground = kit.ground(request)
    sent = await forms.read(request)
    form = await signup_forms.get(ground, form_id=kit.number_in_path(request))
    try:
        details = _details(request, sent)
        version = sent.number("version", default=0) or 0
        sent.check()
        await signup_forms.update(
            ground, actor=kit.actor(request), form_id=form.id, version=version, details=details
        )
    except (errors.Invalid, errors.Conflict) as problem:
        return await _page(request, form=form, values=_typed(sent), problem=problem)
    return _kept(request, form, N_("Kept."))


async def _page(
    request: web.Request,
    *,
    form: Form | None,
    values: dict[str, Any],
    problem: errors.HandbillError | None = None,
) -> web.Response:
    ground = kit.ground(request)
    speaks = kit.translator(request)
    async with ground.db.reading() as session:
        public = await topics.public(session)
        organisations = await signup_forms.organisations(session, form) if form else ()
    chosen = {topic.slug: topic for topic in public}
    offered = [chosen[slug] for slug in (form.topics if form else ()) if slug in chosen] or public
    fields = problem.fields if isinstance(problem, errors.Invalid) else {}
    return kit.render(
        request,
        "people/form.html",
        status=200 if problem is None else (422 if fields else 409),
        form=form,
        values=values,
        topics=[
            (
                topic.slug,
                topics.name(topic, speaks.language),
                topics.description(topic, speaks.language),
            )
            for topic in public
        ],
        asks=[(name, speaks.gettext(_ASKS[name]), "") for name in PUBLIC_FIELDS],
        site_languages=[
            (code, ground.catalog.translator(code).name) for code in ground.catalog.languages
        ],
        partners=[
            (str(each.partner.id), each.partner.name) for each in await partners.listed(ground)
        ],
        codes=embed.codes(ground, form=form, offered=offered, organisations=organisations)
        if form
        else [],
        address=ground.url(f"/subscribe/{form.slug}") if form else "",
        problems={name: each.say(speaks) for name, each in fields.items()},
        message=problem.say(speaks) if problem else "",
    )


def _details(request: web.Request, sent: forms.Form) -> signup_forms.Details:
    languages = kit.ground(request).catalog.languages
    return signup_forms.Details(
        slug=sent.line("slug", limit=60, required=True).lower(),
        name=sent.line("name", limit=120, required=True),
        topics=sent.lines("topics"),
        asks=sent.lines("asks"),
        texts={
            language: {
                part: sent.text(f"{part}.{language}", limit=1000) for part in signup_forms.TEXTS
            }
            for language in languages
        },
        thanks_url=sent.line("thanks_url", limit=500),
        origins=[_origin(text) for text in sent.text("origins", limit=2000).split()],
        partner_id=sent.number("partner_id"),
        shares=[int(number) for number in sent.lines("shares") if number.isdecimal()],
        is_active=sent.flag("is_active"),
    )


def _origin(text: str) -> str:
    """People paste whole addresses; only what a browser calls the origin counts."""
    try:
        return partners.origin(text)
    except errors.Invalid:
        return text


def _values(form: Form) -> dict[str, Any]:
    texts = {
        f"{part}.{language}": text
        for language, parts in form.texts.items()
        for part, text in parts.items()
    }
    return {
        "slug": form.slug,
        "name": form.name,
        "topics": form.topics,
        "asks": form.asks,
        "thanks_url": form.thanks_url,
        "origins": "\n".join(form.origins),
        "partner_id": str(form.partner_id or ""),
        "shares": [str(number) for number in form.shares],
        "is_active": "1" if form.is_active else "",
        "version": str(form.version),
        **texts,
    }


def _typed(sent: forms.Form) -> dict[str, Any]:
    typed: dict[str, Any] = dict(sent.values)
    several = {name: sent.lines(name) for name in ("topics", "asks", "shares")}
    return {**typed, **several}


def _kept(request: web.Request, form: Form, msgid: str) -> web.Response:
    said = kit.translator(request).gettext(msgid)
    return kit.redirect(request, f"/staff/forms/{form.id}", flash=said)
