"""Campaigns for programs: make, approve, schedule, send, hold, cancel, and what came of it.

A token with the scope `campaigns` may send, as an editor may; every step is in the audit log under
the token's name.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, model_validator

from campaigns import (
    alarms,
    archiving,
    attention,
    audiences,
    campaign_views,
    follow_ups,
    lifecycle,
    reports,
    whole,
)
from campaigns.audience_rules import Conditions
from campaigns.documents import CampaignPart, Document
from campaigns.follow_ups import Besides
from campaigns.models import Campaign, CampaignState, Visibility
from campaigns.transitions import Verb
from foundation import errors
from foundation.accounts.api_tokens import Scope
from foundation.i18n import N_
from foundation.web import api, kit
from foundation.web.api import Body, Call, Endpoint, Page
from subscribers.member_models import ContactDuty

ShortText = Annotated[str, Field(max_length=300)]
Number = Annotated[int, Field(ge=1, le=2**53)]


class AudiencePart(Body):
    """Who gets it: people confirmed on one of the topics, perhaps only those who fit conditions.

    They fit each of `all_of`, one at least of `any_of` if there are any, and none of `none_of`.
    `received` and `not_received` are numbers of campaigns: only people who got one of those, or
    only people who got none.
    """

    topics: list[str] = []
    languages: list[str] = []
    members: bool = False
    duties: list[ContactDuty] = []
    received: Annotated[list[Number], Field(max_length=100)] = []
    not_received: Annotated[list[Number], Field(max_length=100)] = []
    all_of: Conditions = []
    any_of: Conditions = []
    none_of: Conditions = []


class CampaignIn(Body):
    """A new draft: of a bulletin that is there (`bulletin_id`), or with its whole `document`.

    A document brings its own audience, name and sender; those given here stand before them. It may
    also be the whole body, as `campaigns create` takes it.
    """

    bulletin_id: Number | None = None
    document: Document | None = None
    name: ShortText = ""
    audience: AudiencePart | None = None
    from_name: ShortText = ""
    from_address: ShortText = ""
    reply_to: ShortText = ""
    relay: ShortText = ""
    when_uncertain: Literal["", "hold", "resend"] = ""
    visibility: Visibility | None = None
    archive_slug: ShortText = ""

    @model_validator(mode="before")
    @classmethod
    def _bare_document(cls, values: Any) -> Any:
        is_bare = isinstance(values, dict) and not {"bulletin_id", "document"} & values.keys()
        return (
            {"document": values} if is_bare and {"editions", "blocks"} & values.keys() else values
        )

    @model_validator(mode="after")
    def _one_bulletin(self) -> "CampaignIn":
        if (self.bulletin_id is None) == (self.document is None):
            raise ValueError("give either bulletin_id or document")
        return self


class CampaignOut(BaseModel):
    """A campaign in a list."""

    id: int
    bulletin_id: int
    name: str
    state: str
    audience: dict[str, Any]
    from_name: str
    from_address: str
    reply_to: str
    relay: str
    when_uncertain: str
    scheduled_at: datetime | None
    scheduled_local: str
    scheduled_zone: str
    at_readers_time: bool
    waiting_reason: str
    approved_by: str
    archive_slug: str | None
    visibility: Visibility
    corrects_id: int | None
    started_at: datetime | None
    finished_at: datetime | None
    created_by: str
    created_at: datetime
    version: int


class CampaignWhole(CampaignOut):
    """A campaign with what can be done to it.

    `is_changed`: the bulletin was saved after it was approved, so it has to be approved again.
    """

    languages: list[str]
    verbs: list[Verb]
    is_changed: bool


class Timing(Body):
    """When it starts by itself: a local time of a zone. `fold` 1 is the second of two.

    `at_readers_time`: each reader gets it at that time where they live, by their ZIP code.
    """

    at: ShortText
    zone: ShortText
    fold: Literal[0, 1] | None = None
    at_readers_time: bool = False


class Hold(Body):
    """Why it is held; shown to staff."""

    reason: Annotated[str, Field(max_length=500)] = ""


class Seen(Body):
    """Who can read it from now on: everybody, only who got it, or nobody."""

    visibility: Visibility


class Duplicate(Body):
    """Who is left out of the duplicate: nobody, who got the first, or who followed a link in it."""

    besides: Besides = Besides.NOBODY


class HitsOut(BaseModel):
    """Opens or clicks: of everybody, of machines, and different people who agreed to be counted."""

    human: int
    machine: int
    people: int


class LinkOut(BaseModel):
    """One link's clicks."""

    url: str
    clicks: int
    people: int
    language: str
    label: str
    form: str
    """Of two forms that are tried, a or b."""
    number: int
    machine: int


class HandoutOut(BaseModel):
    """How often a campaign's links to a handout were followed."""

    material_id: int
    issue_id: int
    slug: str
    title: str
    language: str
    human: int
    machine: int


class UncertainOut(BaseModel):
    """Somebody who may or may not have got it."""

    delivery: int
    email: str


class CameBackOut(BaseModel):
    """Mails that came back, or were refused for good, for one reason from one domain."""

    kind: str
    reason: str
    domain: str
    count: int
    while_sending: int


class ReportOut(BaseModel):
    """What came of it; `audience` is the sum of the six states after `excluded`."""

    state: str
    audience: int
    excluded: dict[str, int]
    queued: int
    sent: int
    deferred: int
    failed: int
    uncertain: int
    cancelled: int
    bounced: dict[str, int]
    complaints: int
    came_back: list[CameBackOut]
    unsubscribed: int
    opens: HitsOut
    clicks: HitsOut
    links: list[LinkOut]
    handouts: list[HandoutOut]
    started_at: datetime | None
    finished_at: datetime | None
    by_language: dict[str, dict[str, int]]
    reasons: dict[str, int]
    uncertain_people: list[UncertainOut]
    consenting: int
    machine_rules: dict[str, dict[str, int]]
    """open or click → the rule by which hits were taken for machines' → how many."""
    counted_at: datetime | None
    """When `by_language` and `consenting` were counted, of a large campaign; null: just now."""


def endpoints() -> list[Endpoint]:
    """What is here."""
    read, write, tag = Scope.READ, Scope.CAMPAIGNS, "Campaigns"
    one = "/campaigns/{id}"
    return [
        Endpoint(method="GET", path="/campaigns", handler=list_campaigns, scope=read, tag=tag,
                 summary="List campaigns, newest first", is_list=True, answer=Page[CampaignOut],
                 query=(("state", ", ".join(CampaignState)),)),
        Endpoint(method="POST", path="/campaigns", handler=create, scope=write, tag=tag,
                 summary="Make a draft", body=CampaignIn, answer=CampaignWhole, status=201),
        Endpoint(method="GET", path=one, handler=show, scope=read, tag=tag,
                 summary="Show a campaign", answer=CampaignWhole),
        Endpoint(method="GET", path=f"{one}/report", handler=report, scope=read, tag=tag,
                 summary="What came of it", answer=ReportOut),
        _step("request-review", lifecycle.request_review, "Ask for approval"),
        _step("approve", lifecycle.approve, "Approve the bulletin as it stands"),
        Endpoint(method="POST", path=f"{one}/schedule", handler=schedule, scope=write, tag=tag,
                 summary="Let it start by itself", body=Timing, answer=CampaignWhole),
        _step("unschedule", lifecycle.unschedule, "Not by itself after all"),
        _step("start", lifecycle.start, "Begin to send now"),
        Endpoint(method="POST", path=f"{one}/pause", handler=pause, scope=write, tag=tag,
                 summary="Hold what is not sent yet", body=Hold, answer=CampaignWhole),
        _step("acknowledge", alarms.acknowledge, "Say that its alarms were looked at"),
        _step("resume", lifecycle.resume, "Go on"),
        _step("cancel", lifecycle.cancel, "Stop for good"),
        Endpoint(method="POST", path=f"{one}/visibility", handler=set_visibility, scope=write,
                 tag=tag, summary="Say who can read it afterwards", body=Seen,
                 answer=CampaignWhole),
        _follow_up("correction", follow_ups.correct,
                   "Make a draft that corrects it, to everybody who has it"),
        Endpoint(method="POST", path=f"{one}/duplicate", handler=duplicate, scope=write, tag=tag,
                 summary="Make a draft with a copy of its bulletin, perhaps without some people",
                 body=Duplicate, answer=CampaignWhole, status=201),
        _follow_up("others", follow_ups.send_to_others,
                   "Make a draft of the same to those whom it did not reach"),
    ]  # fmt: skip


async def list_campaigns(call: Call) -> Page[CampaignOut]:
    """Newest first."""
    state = call.query("state")
    if state is not None and state not in set(CampaignState):
        raise errors.Invalid(N_("“state” is one of %(known)s."), known=", ".join(CampaignState))
    found = await campaign_views.listed(
        call.ground,
        states=[CampaignState(state)] if state else [],
        after=call.after,
        limit=call.limit,
    )
    return Page(
        items=[CampaignOut.model_validate(_values(call, each)) for each in found.items],
        next=api.cursor(found.next_after) if found.next_after else None,
    )


async def create(call: Call) -> CampaignWhole:
    """A draft; nothing is sent before it is approved and started."""
    body: CampaignIn = call.body
    if body.document is not None:
        made = await _with_document(call, body, body.document)
    else:
        made = await _of(call, body)
    return await _shown(call, made.id)


async def show(call: Call) -> CampaignWhole:
    """One campaign."""
    return await _shown(call, call.number())


async def report(call: Call) -> ReportOut:
    """Counted now."""
    found = await reports.report(call.ground, campaign_id=call.number())
    return ReportOut.model_validate(found.as_dict())


async def schedule(call: Call) -> CampaignWhole:
    """At a local time of a zone."""
    body: Timing = call.body
    await lifecycle.schedule(
        call.ground,
        actor=call.actor,
        campaign_id=call.number(),
        at=body.at,
        zone=body.zone,
        fold=body.fold,
        at_readers_time=body.at_readers_time,
    )
    return await show(call)


async def pause(call: Call) -> CampaignWhole:
    """Hold what is not sent yet."""
    body: Hold = call.body
    await lifecycle.pause(
        call.ground, actor=call.actor, campaign_id=call.number(), reason=body.reason
    )
    return await show(call)


async def set_visibility(call: Call) -> CampaignWhole:
    """Before or after it went out."""
    body: Seen = call.body
    await archiving.set_visibility(
        call.ground, actor=call.actor, campaign_id=call.number(), visibility=body.visibility
    )
    return await show(call)


async def duplicate(call: Call) -> CampaignWhole:
    """A draft of a copy."""
    body: Duplicate = call.body
    made = await follow_ups.duplicate(
        call.ground, actor=call.actor, campaign_id=call.number(), besides=body.besides
    )
    return await _shown(call, made.id)


def _step(verb: str, act: Callable[..., Awaitable[object]], summary: str) -> Endpoint:
    """A step that takes nothing but the campaign."""

    async def handler(call: Call) -> CampaignWhole:
        await act(call.ground, actor=call.actor, campaign_id=call.number())
        return await show(call)

    return Endpoint(
        method="POST",
        path=f"/campaigns/{{id}}/{verb}",
        handler=handler,
        scope=Scope.CAMPAIGNS,
        tag="Campaigns",
        summary=summary,
        answer=CampaignWhole,
    )


def _follow_up(name: str, act: Callable[..., Awaitable[Campaign]], summary: str) -> Endpoint:
    """A new draft made from a campaign that was sent."""

    async def handler(call: Call) -> CampaignWhole:
        made = await act(call.ground, actor=call.actor, campaign_id=call.number())
        return await _shown(call, made.id)

    return Endpoint(
        method="POST",
        path=f"/campaigns/{{id}}/{name}",
        handler=handler,
        scope=Scope.CAMPAIGNS,
        tag="Campaigns",
        summary=summary,
        answer=CampaignWhole,
        status=201,
    )


async def _of(call: Call, body: CampaignIn) -> Campaign:
    audience = body.audience.model_dump(mode="json") if body.audience is not None else {}
    return await lifecycle.create(
        call.ground,
        actor=call.actor,
        bulletin_id=body.bulletin_id or 0,
        name=body.name,
        audience=audiences.parse(audience),
        from_name=body.from_name,
        from_address=body.from_address,
        reply_to=body.reply_to,
        relay=body.relay,
        when_uncertain=body.when_uncertain,
        visibility=body.visibility or Visibility.PUBLIC,
        archive_slug=body.archive_slug,
    )


async def _with_document(call: Call, body: CampaignIn, document: Document) -> Campaign:
    said = {name: value for name in CampaignPart.model_fields if (value := getattr(body, name))}
    changes: dict[str, Any] = {"campaign": document.campaign.model_copy(update=said)}
    if body.audience is not None:
        changes["audience"] = body.audience.model_dump(mode="json")
    return await whole.create(
        call.ground, actor=call.actor, document=document.model_copy(update=changes)
    )


async def _shown(call: Call, campaign_id: int) -> CampaignWhole:
    view = await campaign_views.show(call.ground, campaign_id=campaign_id)
    return CampaignWhole(
        languages=list(view.languages),
        verbs=sorted(view.verbs),
        is_changed=view.is_changed,
        **_values(call, view.campaign),
    )


def _values(call: Call, campaign: Campaign) -> dict[str, Any]:
    """A campaign's columns; why it waits in the caller's language."""
    language = kit.translator(call.request).language
    values = {name: getattr(campaign, name) for name in CampaignOut.model_fields}
    return {**values, "waiting_reason": attention.why(campaign, language)}
