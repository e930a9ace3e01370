"""Settings in the staff room: owners change what is not secret, everybody reads what each does.

What file or environment decide is shown as fixed, with where it comes from; secrets and what a
process holds on to from its start are only explained.
"""

from itertools import groupby
from typing import Any

from aiohttp import web

from foundation import changeable, changing, errors, settings_doc
from foundation.accounts.models import Role
from foundation.accounts.roles import ROLE_WORDS
from foundation.changeable import Group, Kind, Offer
from foundation.config import Origin
from foundation.i18n import N_, Translator
from foundation.web import forms, kit
from foundation.web.forms import Form

_HERE = "/staff/settings"


def routes() -> list[web.RouteDef]:
    """What is here."""
    return [web.get(_HERE, show), web.post(f"{_HERE}/{{group}}", change)]


@kit.staff(Role.VIEWER)
async def show(request: web.Request) -> web.StreamResponse:
    """`GET /staff/settings`: what can be changed here, and each setting with its own anchor."""
    return await _page(request)


@kit.staff(Role.OWNER)
async def change(request: web.Request) -> web.StreamResponse:
    """`POST /staff/settings/{group}`: keep what was typed for one group."""
    form = await forms.read(request)
    group = changeable.group(request.match_info["group"], kit.ground(request).settings)
    typed = {offer.name: _typed(form, offer) for offer in group.offers}
    seen = form.number("version", default=0) or 0
    try:
        form.check()
        changed = await changing.change(
            kit.ground(request), actor=kit.actor(request), group=group, typed=typed, seen=seen
        )
    except (errors.Invalid, errors.Conflict) as problem:
        return await _page(request, problem=problem, typed=typed)
    words = N_("Saved. It counts everywhere within seconds.") if changed else N_("Nothing differs.")
    said = kit.translator(request).gettext(words)
    return kit.redirect(request, f"{_HERE}#{group.key}", flash=said)


async def _page(
    request: web.Request,
    *,
    problem: errors.HandbillError | None = None,
    typed: dict[str, Any] | None = None,
) -> web.Response:
    ground, speaks = kit.ground(request), kit.translator(request)
    every = groupby(settings_doc.settings(), key=lambda each: each.section)
    fields = problem.fields if isinstance(problem, errors.Invalid) else {}
    may_change = kit.signed_in(request).role.may(Role.OWNER)
    return kit.render(
        request,
        "settings.html",
        status=422 if fields else 409 if problem else 200,
        sections=[(name, list(found)) for name, found in every],
        groups=[_shown(request, each, typed or {}) for each in changeable.groups(ground.settings)]
        if may_change
        else [],
        version=await changing.version(ground),
        roles=[(role.value, speaks.gettext(words)) for role, (words, _) in ROLE_WORDS.items()],
        problem=problem.say(speaks) if problem and not fields else "",
        problems={name: each.say(speaks) for name, each in fields.items()},
    )


def _shown(request: web.Request, group: Group, typed: dict[str, Any]) -> dict[str, Any]:
    settings, speaks = kit.ground(request).settings, kit.translator(request)
    offers = []
    for offer in group.offers:
        given = settings.given(offer.section)
        field = type(given).model_fields[offer.key]
        present = getattr(settings.section(offer.section), offer.key)
        default = field.get_default(call_default_factory=True)
        offers.append(
            {
                "name": offer.name,
                "id": f"{offer.section}-{offer.key}",
                "kind": offer.kind.name,
                "label": speaks.gettext(offer.label) % offer.values
                if offer.values
                else speaks.gettext(offer.label),
                "hint": speaks.gettext(offer.hint) if offer.hint else "",
                "value": typed.get(offer.name, _plain(present)),
                "said": _said(present, offer, speaks),
                "default": _said(default, offer, speaks),
                "is_default": present == default,
                "fixed": _fixed(request, offer),
            }
        )
    return {"key": group.key, "title": speaks.gettext(group.title), "offers": offers}


def _fixed(request: web.Request, offer: Offer) -> str:
    """Where a setting is fixed, in words; blank where it can be changed."""
    settings, speaks = kit.ground(request).settings, kit.translator(request)
    origin = settings.fixed_by(offer.section, offer.key)
    if origin is None:
        return ""
    if origin is Origin.ENVIRONMENT:
        words = speaks.gettext(N_("Fixed by %(name)s in the environment"))
        return words % {"name": settings.variable(offer.section, offer.key)}
    return speaks.gettext(N_("Fixed in config.toml"))


def _said(value: Any, offer: Offer, speaks: Translator) -> str:
    if isinstance(value, bool):
        return speaks.gettext(N_("yes")) if value else speaks.gettext(N_("no"))
    if isinstance(value, list):
        return ", ".join(str(each) for each in value) or speaks.gettext(offer.nothing)
    return str(_plain(value)) if value != "" else speaks.gettext(N_("blank"))


def _plain(value: Any) -> Any:
    """5 rather than 5.0."""
    return f"{value:g}" if isinstance(value, float) else value


def _typed(form: Form, offer: Offer) -> Any:
    if offer.kind is Kind.FLAG:
        return form.flag(offer.name)
    if offer.kind is Kind.ROLES:
        return form.lines(offer.name)
    if offer.kind is Kind.LINES:
        return form.text(offer.name, limit=2000).replace(",", " ").split()
    line = form.line(offer.name, limit=300)
    return line.replace(",", ".") if offer.kind is Kind.NUMBER else line
