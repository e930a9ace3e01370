"""The page that makes the code of a form: for staff by form, for a partner by its key.

A partner's page needs no sign-in: it shows what everybody can see on the partner's own site.
"""

from typing import Any

from aiohttp import web

from foundation import errors
from foundation.accounts.models import Role
from foundation.i18n import N_
from foundation.web import kit
from subscribers import forms, partners, snippets, widget
from subscribers.forms import Offer
from subscribers.snippets import Wish

_THEMES = {
    "": N_("As the page it stands on"),
    "light": N_("Light"),
    "dark": N_("Dark"),
}


def routes() -> list[web.RouteDef]:
    """What is here."""
    return [
        web.get("/staff/forms/{id}/embed", for_staff),
        web.get("/widget/{partner}/code", for_partner),
    ]


@kit.staff(Role.VIEWER)
async def for_staff(request: web.Request) -> web.Response:
    """`GET /staff/forms/{id}/embed`: the code of a form, by itself or for one partner."""
    ground = kit.ground(request)
    form = await forms.get(ground, form_id=kit.number_in_path(request))
    known = [standing.partner for standing in await partners.listed(ground)]
    keys = {each.key for each in known}
    own = next((each.key for each in known if each.id == form.partner_id), "")
    asked = request.query.get("partner", own)
    partner = asked if asked in keys else ""
    async with ground.db.reading() as session:
        offer = await forms.offered(session, slug=form.slug, partner_key=partner)
    return _page(
        request,
        "people/embed.html",
        offer,
        partner=partner,
        form=form,
        partners=[(each.key, each.name) for each in known],
    )


async def for_partner(request: web.Request) -> web.Response:
    """`GET /widget/{partner}/code`: the same for whoever looks after the partner's site."""
    key = request.match_info["partner"]
    async with kit.ground(request).db.reading() as session:
        offer = await widget.chosen(session, form="", partner=key)
        if offer.partner is None or offer.partner.id is None:
            raise errors.NotFound(N_("There is no partner with this key. Ask the office for it."))
        own = await widget.forms_of(session, partner_id=offer.partner.id)
        asked = request.query.get("form", "")
        if asked != offer.slug and any(slug == asked for slug, _ in own):
            offer = await widget.chosen(session, form=asked, partner=key)
    return _page(request, "subscribers/embed.html", offer, partner=key, own_forms=own)


def _page(
    request: web.Request, template: str, offer: Offer, *, partner: str, **values: Any
) -> web.Response:
    ground = kit.ground(request)
    speaks = kit.translator(request)
    choices = {"partners": [], "own_forms": [], **values}
    wish = Wish.of(request.query, partner=partner, languages=ground.catalog.languages)
    return kit.render(
        request,
        template,
        offer=offer,
        wish=wish,
        made=snippets.made(ground, offer, wish, reader=speaks.language),
        script=snippets.SCRIPT_PATH,
        home=ground.settings.site.url,
        site_languages=[
            ("", speaks.gettext(N_("As the page it stands on"))),
            *((code, ground.catalog.translator(code).name) for code in ground.catalog.languages),
        ],
        themes=[(value, speaks.gettext(label)) for value, label in _THEMES.items()],
        **choices,
    )
