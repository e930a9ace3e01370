"""Looks at what comes back of campaigns, tells staff of too much, and pauses what is being sent.

Shares say nothing of few: below `[bounces] least_sent` mails, or fewer than `least_complaints` or
`least_hard` of the thing itself, nothing goes off. What an editor acknowledged is not counted
again: after that the shares are those of what came since.
"""

from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import attention, transitions
from campaigns.alarm_models import Alarm, AlarmKind, AlarmLevel
from campaigns.models import CampaignState
from campaigns.transitions import Verb
from delivery import dispatch
from delivery.models import (
    IS_ODD,
    BounceKind,
    Delivery,
    DeliveryState,
    Dispatch,
    DispatchState,
    Return,
)
from foundation import errors, logs, tables
from foundation.audit import Actor
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from foundation.sections import Bounces as Settings

_log = logs.get("alarms")

_LOOKED_AFTER = timedelta(days=14)
"""So long after its start a campaign is looked after."""


@frozen
class _Rule:
    """When an alarm of one kind goes off."""

    kind: AlarmKind
    counts: BounceKind
    least: int
    warn_percent: float | None
    stop_percent: float
    is_stop_above: bool
    """Whether the share has to be above the limit, not just at it."""


@frozen
class _Figures:
    """What has come of a campaign since somebody acknowledged an alarm of this kind."""

    round: int
    count: int
    sent: int
    all_count: int
    all_sent: int


async def watch(ground: Ground) -> list[int]:
    """Look at what came back of every campaign; returns those that were paused.

    Any number of schedulers may call it: each alarm goes off once.
    """
    rules = _rules(ground.settings.bounces)
    async with ground.db.reading() as session:
        looked_at = await _counted(ground, session, rules)
    paused = []
    for order, rule, count in looked_at:
        try:
            if await _look(ground, order, rule, count):
                paused.append(order.campaign_id)
        except (errors.Conflict, errors.Refused):
            # Somebody took a step with it at this moment; the next look sees how it stands.
            continue
    return paused


async def of_campaign(session: AsyncSession, campaign_id: int) -> Sequence[Alarm]:
    """Alarms that nobody has acknowledged yet, the gravest first."""
    statement = (
        select(Alarm)
        .where(Alarm.campaign_id == campaign_id, col(Alarm.acknowledged_at).is_(None))
        .order_by(col(Alarm.level), col(Alarm.id))
    )
    return (await session.exec(statement)).all()


async def acknowledge(ground: Ground, *, actor: Actor, campaign_id: int) -> int:
    """Say that somebody looked at a campaign's alarms; returns how many there were.

    Raises `errors.NotFound`.
    """
    async with ground.db.transaction() as session:
        await transitions.get(session, campaign_id)
        return await settle(ground, session, actor=actor, campaign_id=campaign_id)


async def settle(ground: Ground, session: AsyncSession, *, actor: Actor, campaign_id: int) -> int:
    """As `acknowledge`, in the caller's transaction."""
    settled = await session.execute(
        sa.update(Alarm)
        .where(col(Alarm.campaign_id) == campaign_id, col(Alarm.acknowledged_at).is_(None))
        .values(acknowledged_at=ground.clock.now(), acknowledged_by=actor.label)
        .returning(col(Alarm.kind))
    )
    kinds = sorted(set(settled.scalars().all()))
    if kinds:
        transitions.note(
            ground, session, actor, campaign_id, "alarm-acknowledged", before={},
            after={"alarms": ", ".join(kinds)},
        )  # fmt: skip
    return len(kinds)


async def refuse_unacknowledged(session: AsyncSession, campaign_id: int) -> None:
    """Raise `errors.Refused` when an alarm paused a campaign and nobody has looked at it."""
    if any(alarm.has_paused for alarm in await of_campaign(session, campaign_id)):
        raise errors.Refused(
            N_(
                "It was paused because too much came back. Look at the figures, say that you have, "
                "then let it go on."
            )
        )


def in_words(alarm: Alarm) -> errors.HandbillError:
    """What an alarm says, with its figures."""
    words = _WORDS[AlarmKind(alarm.kind), alarm.has_paused]
    return errors.Refused(words, count=alarm.count, sent=alarm.sent)


_WORDS = {
    (AlarmKind.COMPLAINTS, True): N_(
        "It was paused by itself: %(count)s of %(sent)s people marked it as spam."
    ),
    (AlarmKind.COMPLAINTS, False): N_("%(count)s of %(sent)s people marked it as spam."),
    (AlarmKind.DEAD_ADDRESSES, True): N_(
        "It was paused by itself: %(count)s of %(sent)s addresses do not exist any more."
    ),
    (AlarmKind.DEAD_ADDRESSES, False): N_("%(count)s of %(sent)s addresses do not exist any more."),
}


def _rules(settings: Settings) -> Sequence[_Rule]:
    return (
        _Rule(
            kind=AlarmKind.COMPLAINTS,
            counts=BounceKind.COMPLAINT,
            least=settings.least_complaints,
            warn_percent=settings.complaint_alarm_percent,
            stop_percent=settings.complaint_pause_percent,
            is_stop_above=False,
        ),
        _Rule(
            kind=AlarmKind.DEAD_ADDRESSES,
            counts=BounceKind.HARD,
            least=settings.least_hard,
            warn_percent=None,
            stop_percent=settings.hard_pause_percent,
            is_stop_above=True,
        ),
    )


async def _counted(
    ground: Ground, session: AsyncSession, rules: Sequence[_Rule]
) -> list[tuple[Dispatch, _Rule, int]]:
    """Campaigns of which enough came back to be looked at; from `ix_returns_counted`."""
    looked_after = sa.select(col(Dispatch.id)).where(
        col(Dispatch.started_at) > ground.clock.now() - _LOOKED_AFTER,
        col(Dispatch.state) != DispatchState.CANCELLED.value,
        col(Dispatch.campaign_id) > 0,
    )
    by_kind = {rule.counts.value: rule for rule in rules}
    statement = (
        sa.select(col(Return.dispatch_id), col(Return.kind), sa.func.count())
        .where(
            col(Return.dispatch_id).in_(looked_after),
            col(Return.kind).in_(by_kind),
        )
        .group_by(col(Return.dispatch_id), col(Return.kind))
    )
    found = []
    for dispatch_id, kind, count in (await session.execute(statement)).all():
        if count >= by_kind[kind].least:
            order = await session.get_one(Dispatch, dispatch_id)
            found.append((order, by_kind[kind], int(count)))
    return found


async def _look(ground: Ground, order: Dispatch, rule: _Rule, count: int) -> bool:
    """Set off the alarm that is due; whether that paused the campaign."""
    async with ground.db.reading() as session:
        level, figures = await _level(ground, session, order, rule, count)
    if level is None:
        return False
    async with ground.db.transaction() as session:
        campaign = await transitions.get(session, order.campaign_id)
        pauses = level is AlarmLevel.STOP and campaign.state == CampaignState.SENDING
        alarm = Alarm(
            campaign_id=campaign.id,
            kind=rule.kind.value,
            level=level.value,
            round=figures.round,
            count=figures.all_count,
            sent=figures.all_sent,
            has_paused=pauses,
            at=ground.clock.now(),
        )
        insert = (
            tables.insert_for(session, Alarm)
            .values(**alarm.model_dump(exclude={"id"}))
            .on_conflict_do_nothing(index_elements=["campaign_id", "kind", "level", "round"])
            .returning(col(Alarm.id))
        )
        if (await session.execute(insert)).first() is None:
            return False
        reason = in_words(alarm)
        if pauses:
            await transitions.wait(ground, session, campaign, Verb.PAUSE, reason)
            await dispatch.pause(session, dispatch_id=order.id, reason=str(reason))
        await attention.tell_staff(ground, session, campaign=campaign, reason=reason)
    _log.warning("too much came back", campaign=order.campaign_id, said=str(reason))
    return pauses


async def _level(
    ground: Ground, session: AsyncSession, order: Dispatch, rule: _Rule, count: int
) -> tuple[AlarmLevel | None, _Figures]:
    """How much too much it is; None when it is not, or when that is known already."""
    earlier = await session.exec(
        select(Alarm)
        .where(Alarm.campaign_id == order.campaign_id, Alarm.kind == rule.kind.value)
        .order_by(col(Alarm.id))
    )
    known = earlier.all()
    past = [each for each in known if each.acknowledged_at is not None]
    open_levels = {each.level for each in known if each.acknowledged_at is None}
    sent = await _sent(session, order)
    figures = _Figures(
        round=len({each.acknowledged_at for each in past}),
        count=count - max((each.count for each in past), default=0),
        sent=sent - max((each.sent for each in past), default=0),
        all_count=count,
        all_sent=sent,
    )
    if figures.count < rule.least or figures.sent < ground.settings.bounces.least_sent:
        return None, figures
    percent = figures.count * 100 / figures.sent
    is_stop = percent > rule.stop_percent or (
        percent == rule.stop_percent and not rule.is_stop_above
    )
    if is_stop:
        level = AlarmLevel.STOP
    elif rule.warn_percent is not None and percent >= rule.warn_percent:
        level = AlarmLevel.WARN
    else:
        return None, figures
    is_known = level.value in open_levels or AlarmLevel.STOP.value in open_levels
    return (None if is_known else level), figures


async def _sent(session: AsyncSession, order: Dispatch) -> int:
    """Mails that were taken, or refused for good; `ix_deliveries_sent` and that of the odd say."""
    of_it = sa.select(sa.func.count()).where(col(Delivery.dispatch_id) == order.id)
    taken = of_it.where(col(Delivery.sent_at).is_not(None))
    refused = of_it.where(IS_ODD, col(Delivery.state) == DeliveryState.FAILED.value)
    both = taken.scalar_subquery() + refused.scalar_subquery()
    return int((await session.execute(sa.select(both))).scalar_one())
