"""Proposals for programs of partners: put a story to the editors, see what became of it."""

from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, Field

from campaigns import feed_reading, inbox_lists, issues, proposals
from campaigns.content_api import ShortText
from campaigns.inbox_models import IncomingItem
from campaigns.models import DevelopmentKind
from campaigns.proposals import Proposal
from foundation import errors
from foundation.accounts.api_tokens import Scope
from foundation.i18n import N_
from foundation.web.api import Body, Call, Endpoint


class ProposalIn(Body):
    """A story for an issue, named by its slug; `summary` is plain text."""

    issue: ShortText
    headline: Annotated[str, Field(min_length=1, max_length=feed_reading.LINE)]
    summary: Annotated[str, Field(max_length=4000)] = ""
    language: ShortText = ""
    happened_on: date | None = None
    kind: DevelopmentKind = DevelopmentKind.NEWS
    place: ShortText = ""
    source_url: Annotated[str, Field(max_length=feed_reading.LINK)] = ""


class ProposalOut(BaseModel):
    """A story that was proposed, and what became of it."""

    id: int
    headline: str
    language: str
    happened_on: date
    kind: str
    source_url: str
    state: str
    received_at: datetime


class CutOffOut(BaseModel):
    """Until when stories are taken for the next edition of a series."""

    series: str
    closes_at: datetime
    sends_at: datetime


class Proposals(BaseModel):
    """What a partner proposed, the last first, and the coming cut-offs."""

    items: list[ProposalOut]
    cut_offs: list[CutOffOut]


def endpoints() -> list[Endpoint]:
    """What is here."""
    scope, tag = Scope.PROPOSE, "Proposals"
    return [
        Endpoint(method="GET", path="/proposals", handler=list_proposals, scope=scope, tag=tag,
                 summary="What your organization proposed, and until when stories are taken",
                 answer=Proposals),
        Endpoint(method="POST", path="/proposals", handler=propose, scope=scope, tag=tag,
                 summary="Propose a story; the same again is the same", body=ProposalIn,
                 answer=ProposalOut, status=201),
    ]  # fmt: skip


async def list_proposals(call: Call) -> Proposals:
    """Of the partner whose token it is."""
    found = await proposals.listed(call.ground, partner_id=_partner(call))
    async with call.ground.db.reading() as session:
        cut_offs = await proposals.cut_offs(call.ground, session)
    return Proposals(
        items=[_out(call, each) for each in found],
        cut_offs=[CutOffOut.model_validate(each, from_attributes=True) for each in cut_offs],
    )


async def propose(call: Call) -> ProposalOut:
    """For the partner whose token it is."""
    body: ProposalIn = call.body
    async with call.ground.db.reading() as session:
        issue = await issues.by_slug(session, body.issue)
    made = await proposals.propose(
        call.ground,
        actor=call.actor,
        partner_id=_partner(call),
        proposal=Proposal(
            issue_id=issue.id,
            headline=body.headline,
            summary=body.summary,
            language=body.language or call.ground.settings.site.language,
            happened_on=body.happened_on or inbox_lists.today(call.ground),
            kind=body.kind,
            place=body.place,
            source_url=body.source_url,
        ),
    )
    return _out(call, made)


def _partner(call: Call) -> int:
    if call.caller.partner_id is None:
        raise errors.Forbidden(N_("Only people of the partner propose in its name."))
    return call.caller.partner_id


def _out(call: Call, item: IncomingItem) -> ProposalOut:
    values = {name: getattr(item, name) for name in ProposalOut.model_fields if name != "state"}
    return ProposalOut(state=inbox_lists.state_now(call.ground, item).value, **values)
