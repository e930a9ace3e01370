"""Staff's list of every recipient of a campaign (`/staff/campaigns/{id}/everybody`)."""

from collections.abc import Mapping

from aiohttp import web

from campaigns import everybody, reasons, staff_forms, transitions
from campaigns.campaign_pages import TONES
from campaigns.everybody import Fate, Query
from campaigns.models import CampaignState
from delivery import history, return_words
from foundation.accounts.models import Role
from foundation.i18n import N_
from foundation.web import forms, kit

FATES: Mapping[Fate, str] = {
    Fate.ALL: N_("Everybody"),
    Fate.ARRIVED: N_("Arrived"),
    Fate.CLICKED: N_("Followed a link"),
    Fate.LEFT: N_("Unsubscribed by it"),
    Fate.CAME_BACK: N_("Came back"),
    Fate.NOT_SENT: N_("Did not go out"),
}
_LONGEST = 254


def routes() -> list[web.RouteDef]:
    """What is here."""
    one = "/staff/campaigns/{id}/everybody"
    return [web.get(one, index), web.post(f"{one}/export", export)]


@kit.staff(Role.VIEWER)
async def index(request: web.Request) -> web.StreamResponse:
    """`GET …/everybody?fate=&q=`: who, and what happened to each."""
    speaks, query = kit.translator(request), _query(request.query)
    found = await everybody.page(
        kit.ground(request),
        campaign_id=kit.number_in_path(request),
        query=query,
        after=staff_forms.after_cursor(request.query) or 0,
    )
    more = request.rel_url.update_query(after=str(found.next_after)) if found.next_after else ""
    state = CampaignState(found.campaign.state)
    return kit.render(
        request,
        "campaigns/everybody.html",
        campaign=found.campaign,
        found=found,
        query=query,
        fates=[(fate.value, speaks.gettext(words)) for fate, words in FATES.items()],
        states={key: speaks.gettext(words) for key, words in history.STATES.items()},
        why=lambda reason: reasons.say(reason, speaks),
        kinds=return_words.KINDS,
        next_url=str(more),
        state_word=transitions.STATE_WORDS[state],
        tone=TONES[state],
    )


@kit.staff(Role.EDITOR)
async def export(request: web.Request) -> web.StreamResponse:
    """`POST …/everybody/export`: all who are meant as a CSV file, streamed page by page."""
    ground, number = kit.ground(request), kit.number_in_path(request)
    query = _query((await forms.read(request)).values)
    pieces = everybody.chunks(ground, campaign_id=number, query=query)
    first = await anext(pieces)
    await everybody.note_export(ground, actor=kit.actor(request), campaign_id=number, query=query)
    of = query.fate.value or "everybody"
    return await kit.csv_file(request, first, pieces, name=f"campaign-{number}-{of}.csv")


def _query(values: Mapping[str, str]) -> Query:
    fate = values.get("fate", "")
    return Query(
        fate=Fate(fate) if fate in set(Fate) else Fate.ALL,
        text=values.get("q", "")[:_LONGEST].replace("\x00", "").strip(),
    )
