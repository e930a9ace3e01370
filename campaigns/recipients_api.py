"""Recipients to whom it did not simply go out, or whose mail came back, for programs."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from campaigns import recipients, retrying
from delivery import listing
from delivery.listing import CameBack, Choice
from delivery.models import BounceKind, DeliveryState, WhenUncertain
from foundation import errors
from foundation.accounts.api_tokens import Scope
from foundation.i18n import N_
from foundation.web import api
from foundation.web.api import Body, Call, Endpoint, Page

_MOST = 10_000
_STATES = ", ".join(listing.ODD)
_KINDS = ", ".join(("any", *listing.CAME_BACK))

Number = Annotated[int, Field(ge=1, le=2**53)]


class Meant(Body):
    """Recipients in one state: all, those of a reason or reply, or those whose `deliveries` these.

    `reply_code` 0: there was no reply.
    """

    state: Literal["failed", "deferred", "uncertain"]
    reason: str | None = None
    reply_code: Annotated[int, Field(ge=0, le=999)] | None = None
    deliveries: Annotated[list[Number], Field(max_length=_MOST)] | None = None

    def choice(self) -> Choice:
        """As the verbs take it."""
        return Choice(
            state=DeliveryState(self.state),
            reason=self.reason,
            reply_code=self.reply_code,
            ids=self.deliveries,
        )


class PutOff(Meant):
    """As for a retry; only who was put off can be given up."""

    state: Literal["deferred"] = "deferred"


class RecipientOut(BaseModel):
    """Somebody to whom it did not simply go out; `email` is blank for who was erased.

    `came_back`: the worst that came back of their mail (hard, soft, block, complaint), else blank.
    """

    delivery: int
    email: str
    language: str
    state: str
    reason: str
    reply_code: int | None
    reply_text: str
    relay: str
    attempts: int
    first_attempt_at: datetime | None
    due_at: datetime
    may_get_it: bool
    came_back: str
    came_back_reason: str


class GroupOut(BaseModel):
    """So many in one state, for one reason, with one code in the reply."""

    state: str
    reason: str
    reply_code: int | None
    count: int
    example: str


class GroupsOut(BaseModel):
    """Everybody to whom it did not simply go out, by why; the largest group first."""

    items: list[GroupOut]


class RetriedOut(BaseModel):
    """How many are tried again, and how many may not be mailed any more and are left alone."""

    queued: int
    withheld: int


class GivenUpOut(BaseModel):
    """How many are not tried any more."""

    given_up: int


class Decision(Body):
    """What becomes of recipients of whom it turns out uncertain whether they got it."""

    when_uncertain: WhenUncertain


def endpoints() -> list[Endpoint]:
    """What is here."""
    one, tag = "/campaigns/{id}", "Campaigns"
    read, write = Scope.READ, Scope.CAMPAIGNS
    return [
        Endpoint(method="GET", path=f"{one}/recipients", handler=list_recipients, scope=read,
                 tag=tag, summary="List who did not simply get it", is_list=True,
                 answer=Page[RecipientOut],
                 query=(("state", f"{_STATES}; failed unless told"), ("reason", "Why"),
                        ("reply_code", "Of the last reply; 0: there was none"),
                        ("came_back", f"Instead: mail that was taken and came back; {_KINDS}"))),
        Endpoint(method="GET", path=f"{one}/reasons", handler=list_reasons, scope=read, tag=tag,
                 summary="Count who did not simply get it, by why", answer=GroupsOut),
        Endpoint(method="POST", path=f"{one}/retry", handler=retry, scope=write, tag=tag,
                 summary="Try some of them again now", body=Meant, answer=RetriedOut),
        Endpoint(method="POST", path=f"{one}/give-up", handler=give_up, scope=write, tag=tag,
                 summary="Try those no more who were put off", body=PutOff, answer=GivenUpOut),
        Endpoint(method="POST", path=f"{one}/decide-uncertain", handler=decide_uncertain,
                 scope=write, tag=tag, body=Decision, answer=Decision,
                 summary="Hold those of whom it is uncertain, or send to them again"),
    ]  # fmt: skip


async def list_recipients(call: Call) -> Page[RecipientOut]:
    """In one state, in the order of the ledger."""
    found = await recipients.page(
        call.ground,
        campaign_id=call.number(),
        choice=_choice(call),
        after=call.after,
        limit=call.limit,
    )
    return Page(
        items=[
            RecipientOut(
                delivery=each.id,
                **{
                    name: getattr(each, name)
                    for name in RecipientOut.model_fields
                    if name != "delivery"
                },
            )
            for each in found.items
        ],
        next=api.cursor(found.next_after) if found.next_after else None,
    )


async def list_reasons(call: Call) -> GroupsOut:
    """Counted now."""
    found = await recipients.page(call.ground, campaign_id=call.number(), choice=None, limit=1)
    return GroupsOut(
        items=[GroupOut.model_validate(each, from_attributes=True) for each in found.groups]
    )


async def retry(call: Call) -> RetriedOut:
    """A campaign that was over is sending again."""
    body: Meant = call.body
    done = await retrying.retry(
        call.ground, actor=call.actor, campaign_id=call.number(), choice=body.choice()
    )
    return RetriedOut(queued=done.queued, withheld=done.withheld)


async def give_up(call: Call) -> GivenUpOut:
    """They count as failed."""
    body: PutOff = call.body
    count = await retrying.give_up(
        call.ground, actor=call.actor, campaign_id=call.number(), choice=body.choice()
    )
    return GivenUpOut(given_up=count)


async def decide_uncertain(call: Call) -> Decision:
    """From now on, also while it is sending."""
    body: Decision = call.body
    await retrying.decide_uncertain(
        call.ground,
        actor=call.actor,
        campaign_id=call.number(),
        when_uncertain=body.when_uncertain,
    )
    return body


def _choice(call: Call) -> Choice:
    kind = call.query("came_back")
    if kind is not None:
        if kind not in {"any", *listing.CAME_BACK}:
            raise errors.Invalid(N_("“came_back” is one of %(known)s."), known=_KINDS)
        back = CameBack(
            kind=None if kind == "any" else BounceKind(kind), reason=call.query("reason")
        )
        return Choice(state=DeliveryState.SENT, came_back=back)
    state, code = call.query("state") or "failed", call.query("reply_code")
    if state not in set(listing.ODD):
        raise errors.Invalid(N_("“state” is one of %(known)s."), known=_STATES)
    if code is not None and not (code.isascii() and code.isdigit() and len(code) < 4):
        raise errors.Invalid(N_("“reply_code” is a number such as 550."))
    return Choice(
        state=DeliveryState(state),
        reason=call.query("reason"),
        reply_code=int(code) if code is not None else None,
    )
