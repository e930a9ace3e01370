"""What may follow what in a campaign's life, and the one way to take a step.

`TRANSITIONS` is the whole table; anything else is refused with the reason. A step is a
compare-and-set on the state with its audit entry in the same transaction, so two people or two
schedulers never take the same one twice.
"""

import enum
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns.models import Campaign, CampaignState
from foundation import audit, errors
from foundation.audit import SYSTEM, Actor
from foundation.ground import Ground
from foundation.i18n import N_


class Verb(enum.StrEnum):
    """What can be done to a campaign."""

    UPDATE = "update"
    """Change name, audience or sender."""
    REQUEST_REVIEW = "request-review"
    """The author is done."""
    APPROVE = "approve"
    """Somebody with the right to send has read it; again after a change."""
    SIGN = "sign"
    """The same, where others have to approve it, too; taken by `approve` alone."""
    SEND_BACK = "send-back"
    """Back to the author, with a reason."""
    SCHEDULE = "schedule"
    """Start by itself at a time; again to choose another."""
    UNSCHEDULE = "unschedule"
    """Not by itself after all."""
    START = "start"
    """Begin to send now."""
    PAUSE = "pause"
    """Hold what is not sent yet."""
    RESUME = "resume"
    """Go on."""
    CANCEL = "cancel"
    """Stop for good."""
    RETRY = "retry"
    """Try those again who failed, were put off, or may not have got it."""
    GIVE_UP = "give-up"
    """Try those no more who were put off."""
    DECIDE_UNCERTAIN = "decide-uncertain"
    """Say what becomes of those of whom it turns out uncertain whether they got it."""


_S = CampaignState


def _to(after: CampaignState, *states: CampaignState) -> Mapping[CampaignState, CampaignState]:
    return dict.fromkeys(states, after)


def _stays(*states: CampaignState) -> Mapping[CampaignState, CampaignState]:
    return {state: state for state in states}


TRANSITIONS: Mapping[Verb, Mapping[CampaignState, CampaignState]] = {
    Verb.UPDATE: _stays(_S.DRAFT, _S.IN_REVIEW),
    Verb.REQUEST_REVIEW: _to(_S.IN_REVIEW, _S.DRAFT),
    Verb.APPROVE: _to(_S.APPROVED, _S.DRAFT, _S.IN_REVIEW, _S.APPROVED),
    Verb.SIGN: _to(_S.IN_REVIEW, _S.DRAFT, _S.IN_REVIEW, _S.APPROVED),
    Verb.SEND_BACK: _to(_S.DRAFT, _S.IN_REVIEW, _S.APPROVED),
    Verb.SCHEDULE: _to(_S.SCHEDULED, _S.APPROVED, _S.SCHEDULED),
    Verb.UNSCHEDULE: _to(_S.APPROVED, _S.SCHEDULED),
    Verb.START: _to(_S.SENDING, _S.APPROVED, _S.SCHEDULED),
    Verb.PAUSE: _to(_S.PAUSED, _S.SENDING),
    Verb.RESUME: _to(_S.SENDING, _S.PAUSED),
    Verb.CANCEL: _to(_S.CANCELLED, *(frozenset(_S) - {_S.SENT, _S.CANCELLED})),
    Verb.RETRY: {**_stays(_S.SENDING, _S.PAUSED), **_to(_S.SENDING, _S.SENT)},
    Verb.GIVE_UP: _stays(_S.SENDING, _S.PAUSED),
    Verb.DECIDE_UNCERTAIN: _stays(*(frozenset(_S) - {_S.CANCELLED})),
}
"""Verb → the states it may start from, each with the one that it leads to."""

STATE_WORDS: Mapping[CampaignState, str] = {
    _S.DRAFT: N_("draft"),
    _S.IN_REVIEW: N_("in review"),
    _S.APPROVED: N_("approved"),
    _S.SCHEDULED: N_("scheduled"),
    _S.SENDING: N_("sending"),
    _S.PAUSED: N_("paused"),
    _S.SENT: N_("sent"),
    _S.CANCELLED: N_("cancelled"),
}

REFUSALS: Mapping[Verb, str] = {
    Verb.UPDATE: N_("It is %(state)s: send it back to draft before you change it."),
    Verb.REQUEST_REVIEW: N_("Only a draft can be given for review; this one is %(state)s."),
    Verb.APPROVE: N_("It is %(state)s, so there is nothing to approve."),
    Verb.SIGN: N_("It is %(state)s, so there is nothing to approve."),
    Verb.SEND_BACK: N_("It is %(state)s: only what is in review or approved can be sent back."),
    Verb.SCHEDULE: N_("It is %(state)s: only what is approved can be scheduled."),
    Verb.UNSCHEDULE: N_("It is %(state)s, not scheduled."),
    Verb.START: N_("It is %(state)s: only what is approved or scheduled can be started."),
    Verb.PAUSE: N_("It is %(state)s: only what is being sent can be paused."),
    Verb.RESUME: N_("It is %(state)s, not paused."),
    Verb.CANCEL: N_("It is %(state)s already."),
    Verb.RETRY: N_("It is %(state)s: nobody can be tried again."),
    Verb.GIVE_UP: N_("It is %(state)s, so nobody waits to be tried again."),
    Verb.DECIDE_UNCERTAIN: N_("It is %(state)s: nothing of it goes out any more."),
}


async def get(session: AsyncSession, campaign_id: int) -> Campaign:
    """A campaign by its number. Raises `errors.NotFound`."""
    found = await session.get(Campaign, campaign_id)
    if found is None:
        raise errors.NotFound(N_("There is no such campaign."))
    return found


async def move(
    ground: Ground, session: AsyncSession, actor: Actor, campaign: Campaign, verb: Verb,
    said: Mapping[str, Any] | None = None, **values: Any,
) -> None:  # fmt: skip
    """Take one step of the table, or be refused; the campaign must still be what was read.

    `values` are the campaign's new ones; `said` goes into the log with them.
    """
    allow(campaign, verb)
    before = campaign.state
    after = TRANSITIONS[verb][CampaignState(before)]
    if "waiting_reason" in values:
        values.setdefault("waiting_texts", {})
    shown = {key: value for key, value in values.items() if isinstance(value, (str, int))}
    former = {key: getattr(campaign, key) for key in shown}
    moved = await session.execute(
        sa.update(Campaign)
        .where(
            col(Campaign.id) == campaign.id,
            col(Campaign.state) == before,
            # Undone and begun anew, it is in the same state again, but due at another time.
            col(Campaign.version) == campaign.version,
        )
        .values(
            state=after.value,
            version=Campaign.version + 1,
            updated_at=ground.clock.now(),
            **values,
        )
        .returning(col(Campaign.id))
    )
    if moved.first() is None:
        raise errors.Conflict(N_("Somebody else was quicker. Reload to see how it stands."))
    note(
        ground, session, actor, campaign.id, verb.value,
        before={"state": before, **former},
        after={"state": after.value, **shown, **(said or {})},
    )  # fmt: skip
    await session.refresh(campaign)


async def wait(
    ground: Ground,
    session: AsyncSession,
    campaign: Campaign,
    verb: Verb,
    reason: errors.HandbillError,
) -> None:
    """A step that nobody of the staff took: from then on it waits for them, who read the reason."""
    languages = ground.catalog.languages
    await move(
        ground,
        session,
        SYSTEM,
        campaign,
        verb,
        waiting_reason=str(reason),
        waiting_texts={code: reason.say(ground.translator(code)) for code in languages},
    )


async def touch(ground: Ground, session: AsyncSession, campaign: Campaign) -> None:
    """Something beside the campaign's row changed that belongs to it: who read it before is late.

    Raises `errors.Conflict` where somebody took a step meanwhile.
    """
    touched = await session.execute(
        sa.update(Campaign)
        .where(col(Campaign.id) == campaign.id, col(Campaign.version) == campaign.version)
        .values(version=Campaign.version + 1, updated_at=ground.clock.now())
        .returning(col(Campaign.id))
    )
    if touched.first() is None:
        raise errors.Conflict(N_("Somebody else was quicker. Reload to see how it stands."))
    await session.refresh(campaign)


def allow(campaign: Campaign, verb: Verb) -> None:
    """Raise `errors.Refused` with the reason when its state does not allow a step."""
    state = CampaignState(campaign.state)
    if state not in TRANSITIONS[verb]:
        raise errors.Refused(REFUSALS[verb], state=errors.Word(STATE_WORDS[state]))


def note(
    ground: Ground, session: AsyncSession, actor: Actor, campaign_id: int, verb: str, *,
    before: Mapping[str, Any], after: Mapping[str, Any],
) -> None:  # fmt: skip
    """Put what was done to a campaign into the log, in the caller's transaction."""
    audit.record(
        session,
        actor=actor,
        at=ground.clock.now(),
        action=f"campaign.{verb}",
        object_kind="campaign",
        object_id=campaign_id,
        before=before,
        after=after,
    )
