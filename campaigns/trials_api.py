"""Trials for programs: plan one, see how it stands, choose."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from campaigns import trials
from campaigns.trial_models import TrialState
from campaigns.trial_plans import Plan
from delivery.models import Variant
from foundation import errors
from foundation.accounts.api_tokens import Scope
from foundation.i18n import N_
from foundation.web.api import Body, Call, Endpoint


class IntervalOut(BaseModel):
    """An estimate, and between what the true value lies, of a hundred times ninety-five."""

    value: float
    low: float
    high: float


class FormOut(BaseModel):
    """What came of one form among those who were drawn for it.

    `clicks` are people's; in `clicked`, whoever agreed to be counted by name counts once. `share`
    is of those who have it (Wilson's interval).
    """

    people: int
    sent: int
    untried: int
    clicks: int
    machine_clicks: int
    clicked: int
    unsubscribed: int
    complaints: int
    share: IntervalOut


class TrialOut(BaseModel):
    """A trial. `difference` is by how much A's share is larger than B's (Newcombe's interval).

    `leader` is the form that is clearly better, blank while neither is; `waiting` is how many wait
    for the choice. `reason` is by-clicks, unclear, by-hand, unsubscribed or complaints.
    """

    state: TrialState
    plan: Plan
    reason: str
    waiting: int
    ends_at: datetime | None
    winner: str
    decided_by: str
    decided_at: datetime | None
    forms: dict[str, FormOut]
    difference: IntervalOut | None
    leader: str


class Choice(Body):
    """The form that all others get."""

    form: Literal["a", "b"]


def endpoints() -> list[Endpoint]:
    """What is here."""
    path, tag, write = "/campaigns/{id}/trial", "Campaigns", Scope.CAMPAIGNS
    return [
        Endpoint(method="GET", path=path, handler=show, scope=Scope.READ, tag=tag,
                 summary="How trying two forms stands", answer=TrialOut),
        Endpoint(method="PUT", path=path, handler=plan, scope=write, tag=tag,
                 summary="Try two forms when it starts", body=Plan, answer=TrialOut),
        Endpoint(method="DELETE", path=path, handler=drop, scope=write, tag=tag,
                 summary="Send it in one form after all", status=204),
        Endpoint(method="POST", path=f"{path}/choose", handler=choose, scope=write, tag=tag,
                 summary="Choose the form that all others get", body=Choice, answer=TrialOut),
    ]  # fmt: skip


async def show(call: Call) -> TrialOut:
    """Counted now, or as it was when it was decided."""
    found = await trials.show(call.ground, campaign_id=call.number())
    if found is None:
        raise errors.NotFound(N_("This campaign tries nothing."))
    return TrialOut.model_validate(found.as_dict())


async def plan(call: Call) -> TrialOut:
    """In place of what was planned before."""
    await trials.plan(call.ground, actor=call.actor, campaign_id=call.number(), wanted=call.body)
    return await show(call)


async def drop(call: Call) -> None:
    """Where nothing is planned, nothing happens."""
    await trials.drop(call.ground, actor=call.actor, campaign_id=call.number())


async def choose(call: Call) -> TrialOut:
    """Refused before it began, and after it was decided."""
    body: Choice = call.body
    await trials.decide(
        call.ground, actor=call.actor, campaign_id=call.number(), winner=Variant(body.form)
    )
    return await show(call)
