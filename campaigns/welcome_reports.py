"""What came of a welcome: for each step how many got it, and what became of the others and why.

Every person is accounted for; clicks are totals, those of machines apart.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import welcome
from campaigns.models import HitKind, HitTotal
from campaigns.welcome_models import (
    MailOutcome,
    ReaderState,
    Welcome,
    WelcomeMail,
    WelcomeMailing,
    WelcomeReader,
    WelcomeStep,
)
from delivery import listing
from delivery.listing import Choice, Listed
from delivery.models import Delivery, DeliveryState
from foundation import errors
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from subscribers.models import Consent, ConsentStep, Topic

_LISTED = 200
"""People whom a step did not simply reach, by name."""


@frozen
class StepFigures:
    """One step. `handed` is the sum of the six states below it."""

    handed: int = 0
    queued: int = 0
    sent: int = 0
    deferred: int = 0
    failed: int = 0
    uncertain: int = 0
    cancelled: int = 0
    reasons: Mapping[str, int]
    """Why some failed, are put off, uncertain or cancelled."""
    skipped: Mapping[str, int]
    """Why it was passed over: `SkipReason` → people."""
    bounced: int = 0
    complaints: int = 0
    unsubscribed: int = 0
    """By a link of this mail."""
    human_clicks: int = 0
    machine_clicks: int = 0


@frozen
class Figures:
    """A whole welcome: `begun` is the sum of who is in the middle, at its end, and stopped."""

    begun: int = 0
    going: int = 0
    done: int = 0
    stopped: Mapping[str, int]
    """`StopReason` → people."""
    steps: Mapping[int, StepFigures]
    """Step → its figures; removed ones too."""


async def figures(ground: Ground, *, topic: str) -> Figures:
    """The figures of a topic's welcome, read together. Raises `errors.NotFound`."""
    async with ground.db.reading() as session:
        kept, all_steps = await welcome.kept(session, topic)
        if kept is None:
            return Figures(stopped={}, steps={})
        states = await _readers(session, kept.id)
        steps = await _steps(session, [each.id for each in all_steps])
    stopped = {reason: count for (state, reason), count in states.items() if reason}
    going = states.get((ReaderState.GOING.value, ""), 0)
    done = states.get((ReaderState.DONE.value, ""), 0)
    return Figures(begun=sum(states.values()), going=going, done=done, stopped=stopped, steps=steps)


async def _readers(session: AsyncSession, welcome_id: int) -> dict[tuple[str, str], int]:
    grouped = (col(WelcomeReader.state), col(WelcomeReader.reason))
    statement = (
        sa.select(*grouped, sa.func.count())
        .where(col(WelcomeReader.welcome_id) == welcome_id)
        .group_by(*grouped)
    )
    return {(state, reason): count for state, reason, count in await session.execute(statement)}


async def _steps(session: AsyncSession, numbers: Sequence[int]) -> dict[int, StepFigures]:
    values: dict[int, dict[str, Any]] = {
        number: {"reasons": {}, "skipped": {}} for number in numbers
    }
    for number, told in (await _deliveries(session, numbers)).items():
        values[number] |= told
    skipped = (
        sa.select(col(WelcomeMail.step_id), col(WelcomeMail.reason), sa.func.count())
        .where(
            col(WelcomeMail.step_id).in_(numbers),
            col(WelcomeMail.outcome) == MailOutcome.SKIPPED.value,
        )
        .group_by(col(WelcomeMail.step_id), col(WelcomeMail.reason))
    )
    for number, reason, count in await session.execute(skipped):
        values[number]["skipped"][reason] = count
    clicks = (
        sa.select(
            col(WelcomeMailing.step_id),
            sa.func.sum(col(HitTotal.human)),
            sa.func.sum(col(HitTotal.machine)),
        )
        .join(HitTotal, col(HitTotal.dispatch_id) == col(WelcomeMailing.dispatch_id))
        .where(col(WelcomeMailing.step_id).in_(numbers), col(HitTotal.kind) == HitKind.CLICK.value)
        .group_by(col(WelcomeMailing.step_id))
    )
    for number, human, machine in await session.execute(clicks):
        values[number] |= {"human_clicks": int(human), "machine_clicks": int(machine)}
    left = (
        sa.select(
            col(WelcomeMailing.step_id), sa.func.count(sa.distinct(col(Consent.subscriber_id)))
        )
        .join(Consent, col(Consent.dispatch_id) == col(WelcomeMailing.dispatch_id))
        .where(
            col(WelcomeMailing.step_id).in_(numbers),
            col(Consent.step) == ConsentStep.UNSUBSCRIBED.value,
        )
        .group_by(col(WelcomeMailing.step_id))
    )
    for number, count in await session.execute(left):
        values[number]["unsubscribed"] = count
    return {number: StepFigures(**each) for number, each in values.items()}


async def _deliveries(session: AsyncSession, numbers: Sequence[int]) -> dict[int, dict[str, Any]]:
    """By one statement, so that states add up."""
    grouped = (col(WelcomeMailing.step_id), col(Delivery.state), col(Delivery.reason))
    statement = (
        sa.select(
            *grouped,
            sa.func.count(),
            sa.func.sum(sa.case((col(Delivery.bounce) != "", 1), else_=0)),
            sa.func.count(col(Delivery.complained_at)),
        )
        .join(Delivery, col(Delivery.dispatch_id) == col(WelcomeMailing.dispatch_id))
        .where(col(WelcomeMailing.step_id).in_(numbers))
        .group_by(*grouped)
    )
    found: dict[int, dict[str, Any]] = defaultdict(
        lambda: {
            **{state.value: 0 for state in DeliveryState},
            **dict.fromkeys(("handed", "bounced", "complaints"), 0),
            "reasons": {},
        }
    )
    for number, state, reason, count, bounced, complaints in await session.execute(statement):
        told = found[number]
        told[state] += count
        told["handed"] += count
        told["bounced"] += int(bounced)
        told["complaints"] += complaints
        if reason and state != DeliveryState.SENT:
            told["reasons"][reason] = told["reasons"].get(reason, 0) + count
    return found


async def odd_ones(ground: Ground, *, step_id: int) -> Sequence[Listed]:
    """Whom a step did not simply reach, or whose mail came back; the newest mailing first."""
    found: list[Listed] = []
    async with ground.db.reading() as session:
        for order in await dispatches(session, step_id):
            for state in listing.ODD:
                room = _LISTED - len(found)
                if room > 0:
                    found += await listing.listed(session, order, Choice(state=state), limit=room)
    return found


async def dispatches(session: AsyncSession, step_id: int) -> Sequence[int]:
    """Those that brought a step, the newest first."""
    statement = (
        sa.select(col(WelcomeMailing.dispatch_id))
        .where(col(WelcomeMailing.step_id) == step_id, col(WelcomeMailing.dispatch_id).is_not(None))
        .order_by(col(WelcomeMailing.id).desc())
    )
    return [number for number in (await session.scalars(statement)).all() if number is not None]


async def place_of(ground: Ground, *, mailing_id: int) -> str:
    """Staff's page of what a mailing brought. Raises `errors.NotFound`."""
    statement = (
        sa.select(col(Topic.slug), col(WelcomeStep.id), col(WelcomeStep.removed_at))
        .join(Welcome, col(Welcome.topic_id) == col(Topic.id))
        .join(WelcomeStep, col(WelcomeStep.welcome_id) == col(Welcome.id))
        .join(WelcomeMailing, col(WelcomeMailing.step_id) == col(WelcomeStep.id))
        .where(col(WelcomeMailing.id) == mailing_id)
    )
    async with ground.db.reading() as session:
        found = (await session.execute(statement)).first()
    if found is None:
        raise errors.NotFound(N_("This step is no longer there."))
    topic, step, removed_at = found
    here = f"/staff/welcome/{topic}"
    return here if removed_at else f"{here}/steps/{step}"


def as_dict(found: Figures) -> dict[str, Any]:
    """For programs: everything as plain values."""
    names = StepFigures.__dataclass_fields__
    return {
        "begun": found.begun,
        "going": found.going,
        "done": found.done,
        "stopped": dict(found.stopped),
        "steps": {
            number: {name: _plain(getattr(each, name)) for name in names}
            for number, each in found.steps.items()
        },
    }


def _plain(value: int | Mapping[str, int]) -> int | dict[str, int]:
    return value if isinstance(value, int) else dict(value)
