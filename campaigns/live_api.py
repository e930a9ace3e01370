"""How sending is getting on, for programs."""

from datetime import datetime

from pydantic import BaseModel

from campaigns import live_pages
from delivery.models import DispatchState
from foundation import errors
from foundation.accounts.api_tokens import Scope
from foundation.i18n import N_
from foundation.web.api import Call, Endpoint


class ReasonOut(BaseModel):
    """So many in one state for one reason, with one code in the last reply."""

    state: str
    reason: str
    reply_code: int | None
    count: int


class ProgressOut(BaseModel):
    """How sending stands, counted within the last second; `audience` is the sum of the six states.

    `per_second` is over the last ten seconds; `seconds_left` is for those who were not tried yet,
    and null while nothing goes out. `relays` says how many mails each relay took.
    """

    state: DispatchState
    at: datetime
    audience: int
    queued: int
    sent: int
    deferred: int
    failed: int
    uncertain: int
    cancelled: int
    done: int
    per_second: float
    average_per_second: float
    seconds_left: float | None
    reasons: list[ReasonOut]
    relays: dict[str, int]


def endpoints() -> list[Endpoint]:
    """What is here."""
    return [
        Endpoint(method="GET", path="/campaigns/{id}/progress", handler=progress, scope=Scope.READ,
                 tag="Campaigns", summary="How sending is getting on", answer=ProgressOut),
    ]  # fmt: skip


async def progress(call: Call) -> ProgressOut:
    """However many ask, the database is asked once a second."""
    found = await live_pages.now(call.request, call.number())
    if found is None:
        raise errors.NotFound(N_("This campaign was not started yet."))
    return ProgressOut.model_validate(found, from_attributes=True)
