"""Trying two forms of a bulletin: some get one or the other at first, all others the better one.

Who gets which is drawn when the campaign starts and stands in the ledger. Becoming decided is a
compare-and-set in the transaction that lets all others have their form, so any number of
schedulers and people may decide at once: one does, and nobody is left between.
"""

import dataclasses
import enum
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import (
    archiving,
    attention,
    bulletins,
    compiling,
    transitions,
    trial_figures,
    trial_plans,
)
from campaigns.models import Campaign, CampaignState
from campaigns.preflight import overrides
from campaigns.transitions import Verb
from campaigns.trial_figures import FORMS, Comparison
from campaigns.trial_models import TRANSITIONS, Trial, TrialState, TrialVerb
from campaigns.trial_plans import Chooser, Plan, WhenUnclear
from delivery import dispatch, message
from delivery.models import Dispatch, Variant
from foundation import errors, logs
from foundation.audit import SYSTEM, Actor
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from foundation.sections import Trials as Settings

_log = logs.get("trials")

_UNDER_WAY = (CampaignState.SENDING.value, CampaignState.PAUSED.value)


class Why(enum.StrEnum):
    """Why a trial stands as it does."""

    BY_CLICKS = "by-clicks"
    """One form was clearly better."""
    UNCLEAR = "unclear"
    """There was no clear winner."""
    BY_HAND = "by-hand"
    """A person chooses, or chose."""
    UNSUBSCRIBED = "unsubscribed"
    """Too many unsubscribed."""
    COMPLAINTS = "complaints"
    """Too many marked it as spam."""


@frozen
class View:
    """A trial with its figures."""

    campaign: Campaign
    trial: Trial
    plan: Plan
    figures: Comparison | None
    """None while it has not begun; as they were when it was decided."""
    waiting: int
    """How many wait for the choice."""

    @property
    def state(self) -> TrialState:
        """How it stands."""
        return TrialState(self.trial.state)

    @property
    def may_be_decided(self) -> bool:
        """Whether somebody can choose now."""
        before, _ = TRANSITIONS[TrialVerb.DECIDE]
        return self.state in before and self.campaign.state in _UNDER_WAY

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain values, for programs."""
        values: dict[str, Any] = {
            "state": self.state.value,
            "plan": self.plan.model_dump(mode="json"),
            "reason": self.trial.reason,
            "waiting": self.waiting,
            "ends_at": _written(self.trial.ends_at),
            "winner": self.trial.winner,
            "decided_by": self.trial.decided_by,
            "decided_at": _written(self.trial.decided_at),
            "forms": {},
            "difference": None,
            "leader": "",
        }
        if self.figures is not None:
            for variant in FORMS:
                found = self.figures.of(variant)
                values["forms"][variant.value] = {
                    **dataclasses.asdict(found),
                    "share": dataclasses.asdict(found.share),
                }
            values["difference"] = dataclasses.asdict(self.figures.difference)
            values["leader"] = self.figures.winner or ""
        return values


async def plan(ground: Ground, *, actor: Actor, campaign_id: int, wanted: Plan) -> None:
    """Try two forms when the campaign starts, in place of whatever was planned before.

    Raises `errors.Invalid` for a form that can't be made, `errors.Refused` once it is approved.
    """
    async with ground.db.transaction() as session:
        campaign = await transitions.get(session, campaign_id)
        transitions.allow(campaign, Verb.UPDATE)
        await check(ground, session, campaign, wanted)
        before = await of_campaign(session, campaign_id)
        former = before.plan if before else {}
        found = before or Trial(campaign_id=campaign_id, state=TrialState.PLANNED.value)
        found.plan = trial_plans.dump(wanted)
        session.add(found)
        await overrides.withdraw(session, campaign_id)
        await transitions.touch(ground, session, campaign)
        transitions.note(
            ground, session, actor, campaign_id, "trial-planned", before=former, after=found.plan
        )


async def drop(ground: Ground, *, actor: Actor, campaign_id: int) -> None:
    """Send the bulletin in one form after all. Raises as `plan` does."""
    async with ground.db.transaction() as session:
        campaign = await transitions.get(session, campaign_id)
        transitions.allow(campaign, Verb.UPDATE)
        found = await of_campaign(session, campaign_id)
        if found is None:
            return
        transitions.note(
            ground, session, actor, campaign_id, "trial-dropped", before=found.plan, after={}
        )
        await session.delete(found)
        await transitions.touch(ground, session, campaign)


async def of_campaign(session: AsyncSession, campaign_id: int) -> Trial | None:
    """The campaign's trial, if there is one."""
    return await session.get(Trial, campaign_id)


async def show(ground: Ground, *, campaign_id: int) -> View | None:
    """A campaign's trial; None where there is none. Raises `errors.NotFound`."""
    async with ground.db.reading() as session:
        return await read(session, await transitions.get(session, campaign_id))


async def read(session: AsyncSession, campaign: Campaign) -> View | None:
    """The same within a session that is open already."""
    found = await of_campaign(session, campaign.id)
    if found is None:
        return None
    order = await _order(session, campaign.id)
    figures = None
    if found.figures:
        figures = trial_figures.kept(found.figures)
    elif order is not None:
        figures = await trial_figures.read(session, order.id)
    return View(
        campaign=campaign,
        trial=found,
        plan=trial_plans.parse(found.plan),
        figures=figures,
        waiting=await dispatch.count_waiting(session, dispatch_id=order.id) if order else 0,
    )


async def begin(
    ground: Ground, session: AsyncSession, *, campaign: Campaign, dispatch_id: int
) -> None:
    """The campaign starts: some were drawn. Raises `errors.Refused` where there are too few."""
    found = await of_campaign(session, campaign.id)
    if found is None:
        return
    figures = await trial_figures.read(session, dispatch_id)
    if not (figures.a.people and figures.b.people):
        raise errors.Refused(
            N_("Too few people to try two forms: raise the share, or send it in one form.")
        )
    hours = trial_plans.parse(found.plan).hours
    await _move(
        session,
        campaign.id,
        TrialVerb.BEGIN,
        ends_at=ground.clock.now() + timedelta(hours=hours),
    )


async def decide(ground: Ground, *, actor: Actor, campaign_id: int, winner: Variant) -> int:
    """A person chooses what all others get; returns how many that is.

    Raises `errors.Refused` before it began and after it was decided, `errors.NotFound`.
    """
    async with ground.db.transaction() as session:
        campaign = await transitions.get(session, campaign_id)
        if await of_campaign(session, campaign_id) is None:
            raise errors.NotFound(N_("This campaign tries nothing."))
        order = await _order(session, campaign_id)
        figures = await trial_figures.read(session, order.id if order else 0)
        return await _decide(ground, session, actor, campaign, figures, winner, Why.BY_HAND)


async def watch(ground: Ground) -> list[int]:
    """Stop trials that too many run from, and decide those that are over; returns their campaigns.

    Any number of schedulers may call it.
    """
    statement = (
        sa.select(col(Trial.campaign_id))
        .join(Campaign, col(Campaign.id) == col(Trial.campaign_id))
        .where(
            col(Trial.state).in_([TrialState.RUNNING.value, TrialState.WAITING.value]),
            col(Campaign.state).in_(_UNDER_WAY),
        )
        .order_by(col(Trial.campaign_id))
    )
    async with ground.db.reading() as session:
        numbers = (await session.scalars(statement)).all()
    touched = []
    for number in numbers:
        try:
            if await _look(ground, number):
                touched.append(number)
        except (errors.Conflict, errors.Refused):
            # Somebody took a step with it at this moment; the next look sees how it stands.
            continue
    return touched


async def _look(ground: Ground, campaign_id: int) -> bool:
    """Whether something came of looking at a trial."""
    async with ground.db.reading() as session:
        found = await of_campaign(session, campaign_id)
        order = await _order(session, campaign_id)
        if found is None or order is None:
            return False
        figures = await trial_figures.read(session, order.id)
    too_much = _too_much(figures, ground.settings.trials)
    if too_much is not None:
        return await _stop(ground, campaign_id, *too_much)
    is_over = found.ends_at is not None and found.ends_at <= ground.clock.now()
    is_tried = not (figures.a.untried or figures.b.untried)
    if found.state != TrialState.RUNNING or not (is_over and is_tried):
        return False
    wanted = trial_plans.parse(found.plan)
    async with ground.db.transaction() as session:
        campaign = await transitions.get(session, campaign_id)
        if wanted.chooser is Chooser.HAND:
            await _call(ground, session, campaign, Why.BY_HAND)
        elif figures.winner is not None:
            await _decide(ground, session, SYSTEM, campaign, figures, figures.winner, Why.BY_CLICKS)
        elif wanted.when_unclear is WhenUnclear.FIRST:
            await _decide(ground, session, SYSTEM, campaign, figures, Variant.A, Why.UNCLEAR)
        else:
            await _call(ground, session, campaign, Why.UNCLEAR)
    return True


def _too_much(figures: Comparison, settings: Settings) -> tuple[Why, Variant, int, int] | None:
    """What there is too much of in which form, with how many of how many."""
    for variant in FORMS:
        found = figures.of(variant)
        for why, count, least, percent in (
            (
                Why.COMPLAINTS,
                found.complaints,
                settings.least_complaints,
                settings.complaint_stop_percent,
            ),
            (
                Why.UNSUBSCRIBED,
                found.unsubscribed,
                settings.least_unsubscribed,
                settings.unsubscribe_stop_percent,
            ),
        ):
            if count >= least and count * 100 >= percent * max(found.sent, 1):
                return why, variant, count, found.sent
    return None


async def _stop(
    ground: Ground, campaign_id: int, why: Why, variant: Variant, count: int, sent: int
) -> bool:
    """Pause everything and tell staff."""
    reason = errors.Refused(STOP_WORDS[why], form=variant.value.upper(), count=count, sent=sent)
    async with ground.db.transaction() as session:
        campaign = await transitions.get(session, campaign_id)
        await _move(session, campaign_id, TrialVerb.STOP, reason=why.value)
        order = await _order(session, campaign_id)
        if campaign.state == CampaignState.SENDING and order is not None:
            await transitions.wait(ground, session, campaign, Verb.PAUSE, reason)
            await dispatch.pause(session, dispatch_id=order.id, reason=str(reason))
        await attention.tell_staff(ground, session, campaign=campaign, reason=reason)
    _log.warning("a trial was stopped", campaign=campaign_id, said=str(reason))
    return True


STOP_WORDS = {
    Why.UNSUBSCRIBED: N_(
        "The trial was stopped: of %(sent)s people who got form %(form)s, %(count)s unsubscribed."
    ),
    Why.COMPLAINTS: N_(
        "The trial was stopped: of %(sent)s people who got form %(form)s, %(count)s marked it "
        "as spam."
    ),
}
CALL_WORDS = {
    Why.BY_HAND: N_("The trial's time is over: choose the form that all others get."),
    Why.UNCLEAR: N_("The trial has no clear winner: choose the form that all others get."),
}


async def _call(ground: Ground, session: AsyncSession, campaign: Campaign, why: Why) -> None:
    """Ask a person."""
    await _move(session, campaign.id, TrialVerb.CALL, reason=why.value)
    await attention.tell_staff(
        ground, session, campaign=campaign, reason=errors.Refused(CALL_WORDS[why])
    )


async def _decide(
    ground: Ground,
    session: AsyncSession,
    actor: Actor,
    campaign: Campaign,
    figures: Comparison,
    winner: Variant,
    why: Why,
) -> int:
    """All others get a form, and the figures that it was chosen by are kept."""
    order = await _order(session, campaign.id)
    if order is None or campaign.state not in _UNDER_WAY:
        raise errors.Refused(N_("The campaign is not being sent, so there is nothing to choose."))
    now = ground.clock.now()
    # First, so that whoever comes second waits here and is refused.
    await _move(
        session,
        campaign.id,
        TrialVerb.DECIDE,
        winner=winner.value,
        reason=why.value,
        decided_by=actor.label,
        decided_at=now,
        figures=figures.as_dict(),
    )
    released = await dispatch.release(session, dispatch_id=order.id, variant=winner, now=now)
    if winner is Variant.B:
        await archiving.keep_as_sent(session, campaign=campaign, dispatch_id=order.id)
    transitions.note(
        ground,
        session,
        actor,
        campaign.id,
        "trial-decided",
        before={},
        after={"winner": winner.value, "why": why.value, "people": released},
    )
    return released


async def _move(session: AsyncSession, campaign_id: int, verb: TrialVerb, **values: Any) -> None:
    """Take one step of the table. Raises `errors.Refused` where another was taken before."""
    before, after = TRANSITIONS[verb]
    moved = await session.execute(
        sa.update(Trial)
        .where(
            col(Trial.campaign_id) == campaign_id,
            col(Trial.state).in_([state.value for state in before]),
        )
        .values(state=after.value, **values)
        .returning(col(Trial.campaign_id))
        .execution_options(synchronize_session=False)
    )
    if moved.first() is None:
        raise errors.Refused(N_("This trial is not at a point where that can be done."))


async def check(ground: Ground, session: AsyncSession, campaign: Campaign, wanted: Plan) -> None:
    """Raise `errors.Invalid` for a second form that can't be made."""
    bulletin = await bulletins.get(session, campaign.bulletin_id)
    _, other = trial_plans.forms(wanted, bulletins.document_of(bulletin))
    await compiling.compile_document(ground, session, other, bulletin_id=bulletin.id)
    if wanted.from_name:
        message.mailbox(
            wanted.from_name, campaign.from_address or ground.settings.mail.from_address
        )


def _written(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


async def _order(session: AsyncSession, campaign_id: int) -> Dispatch | None:
    statement = select(Dispatch).where(Dispatch.campaign_id == campaign_id)
    return (await session.exec(statement)).first()
