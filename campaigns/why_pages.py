"""“Why is this person in or out?”, for a campaign and for a segment.

The address is sent in a form's body, so that it stands in no history and no server's log.
"""

from typing import Any

from aiohttp import web

from campaigns import (
    audience_why,
    audience_words,
    audiences,
    bulletins,
    campaign_views,
    segments,
    staff_forms,
    wording,
)
from campaigns.audience_rules import Audience
from foundation import errors
from foundation.accounts.models import Role
from foundation.i18n import N_
from foundation.web import forms, kit
from subscribers import plainly, topics


def routes() -> list[web.RouteDef]:
    """What is here."""
    return [
        web.get("/staff/campaigns/{id}/why", of_campaign),
        web.post("/staff/campaigns/{id}/why", of_campaign),
        web.get("/staff/segments/{id}/why", of_segment),
        web.post("/staff/segments/{id}/why", of_segment),
    ]


@kit.staff(Role.VIEWER)
async def of_campaign(request: web.Request) -> web.StreamResponse:
    """`GET|POST /staff/campaigns/{id}/why`: an address, and whether it gets this one."""
    view = await campaign_views.show(kit.ground(request), campaign_id=kit.number_in_path(request))
    return await _page(
        request,
        audiences.parse(view.campaign.audience),
        name=view.campaign.name,
        back=f"/staff/campaigns/{view.campaign.id}",
        languages=bulletins.languages(view.bulletin),
        campaign_id=view.campaign.id,
    )


@kit.staff(Role.VIEWER)
async def of_segment(request: web.Request) -> web.StreamResponse:
    """`GET|POST /staff/segments/{id}/why`: the same of a segment."""
    async with kit.ground(request).db.reading() as session:
        segment = await segments.get(session, kit.number_in_path(request))
        audience = await segments.audience_of(session, segments.rules_of(segment))
    return await _page(
        request,
        audience,
        name=segment.name,
        back=f"/staff/segments/{segment.id}",
        languages=kit.ground(request).catalog.languages,
    )


async def _page(
    request: web.Request,
    audience: Audience,
    *,
    name: str,
    back: str,
    languages: Any,
    campaign_id: int | None = None,
) -> web.Response:
    ground, speaks = kit.ground(request), kit.translator(request)
    problems: dict[str, str] = {}
    verdict, email = None, ""
    if request.method == "POST":
        form = await forms.read(request)
        email = form.line("email", limit=254)
        try:
            verdict = await audience_why.why(
                ground,
                audience=audience,
                email=email,
                languages=languages or [ground.settings.site.language],
                campaign_id=campaign_id,
            )
        except errors.Invalid as problem:
            problems = {"email": staff_forms.say(request, problem).get("main", problem.say(speaks))}
    async with ground.db.reading() as session:
        names = await audience_words.names_of(session, audience)
    return kit.render(
        request,
        "campaigns/why.html",
        status=422 if problems else 200,
        name=name,
        back=back,
        email=email,
        problems=problems,
        sentence=audience_words.sentence(audience, names, speaks) if campaign_id else "",
        verdict=verdict,
        groups=GROUPS,
        say=lambda condition: audience_words.phrase(condition, names, speaks),
        topic_name=lambda topic: topics.name(topic, speaks.language),
        topic_states=plainly.TOPIC_STATES,
        edition_name=lambda key: wording.language_name(key, speaks),
        is_by_name=audience_words.is_by_name(audience),
    )


GROUPS = {
    "all_of": N_("Has to fit"),
    "any_of": N_("One of these is enough"),
    "none_of": N_("Must not fit"),
}
"""What each group of conditions asks."""
