"""Staff's way to a duplicate of a campaign (`POST /staff/campaigns/{id}/duplicate`)."""

from aiohttp import web

from campaigns import campaign_pages, follow_ups
from campaigns.follow_ups import Besides
from foundation import errors
from foundation.accounts.models import Role
from foundation.i18n import N_
from foundation.web import forms, kit


def routes() -> list[web.RouteDef]:
    """What is here."""
    return [web.post("/staff/campaigns/{id}/duplicate", duplicate)]


@kit.staff(Role.AUTHOR)
async def duplicate(request: web.Request) -> web.StreamResponse:
    """`POST …/duplicate`: a draft to the same people, perhaps without some; first it is changed."""
    form = await forms.read(request)
    said = form.line("besides")
    try:
        made = await follow_ups.duplicate(
            kit.ground(request),
            actor=kit.actor(request),
            campaign_id=kit.number_in_path(request),
            besides=Besides(said) if said in set(Besides) else Besides.NOBODY,
        )
    except (errors.Refused, errors.Invalid) as problem:
        return await campaign_pages.render_campaign(request, problem)
    words = kit.translator(request).gettext(N_("This is the duplicate, as a draft."))
    return kit.redirect(request, f"/staff/campaigns/{made.id}", flash=words)
