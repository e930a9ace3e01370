"""The list before sending for programs: read it, or have links followed and SpamAssassin asked."""

from pydantic import BaseModel

from campaigns.preflight import checklist, items, looking
from foundation import errors
from foundation.accounts.api_tokens import Scope
from foundation.findings import Tone
from foundation.i18n import N_
from foundation.web.api import Call, Endpoint


class ItemOut(BaseModel):
    """A line of the list.

    `path`: the page of the staff room where it can be mended, and `place` what that is called.
    `can_override`: whether an owner may let it go out in spite of it; `reason` is why one did.
    """

    code: str
    tone: Tone
    said: str
    place: str
    path: str
    can_override: bool
    reason: str


class CampaignCheck(BaseModel):
    """Whether it can go out, and everything to look at, what stops it first."""

    is_clear: bool
    items: list[ItemOut]


def endpoints() -> list[Endpoint]:
    """What is here."""
    path, tag = "/campaigns/{id}/check", "Campaigns"
    return [
        Endpoint(method="GET", path=path, handler=show, scope=Scope.READ, tag=tag,
                 summary="What to look at before it goes out", answer=CampaignCheck),
        Endpoint(method="POST", path=path, handler=look, scope=Scope.CAMPAIGNS, tag=tag,
                 summary="Follow its links, ask SpamAssassin, and list what to look at",
                 answer=CampaignCheck),
    ]  # fmt: skip


async def show(call: Call) -> CampaignCheck:
    """By what is known; nobody is asked."""
    found = await checklist.check(call.ground, campaign_id=call.number())
    speaks = call.ground.translator(call.query("lang"))
    return CampaignCheck(
        is_clear=items.is_clear(found),
        items=[
            ItemOut(
                code=each.code,
                tone=each.tone,
                said=each.say(speaks),
                place=each.place.say(speaks) if each.place else "",
                path=each.place.path if each.place else "",
                can_override=each.tone is Tone.BAD and not each.is_final,
                reason=each.reason,
            )
            for each in found
        ],
    )


async def look(call: Call) -> CampaignCheck:
    """Within `[preflight] look_limit_s`; refused while somebody else is at it."""
    work = await looking.begin(call.ground, campaign_id=call.number(), is_anew=True)
    if work is None:
        raise errors.Refused(N_("Somebody is looking just now; ask again in a moment."))
    await looking.finish(call.ground, work)
    return await show(call)
