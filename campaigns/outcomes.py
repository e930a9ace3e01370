"""What came of campaigns in a few figures each, for lists of them: the overview, and to compare.

Read from indexes that hold the odd ones alone, so that ten campaigns to a million people each
take no longer than ten to a hundred.
"""

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns.models import Campaign, CampaignState, HitKind, HitTotal
from delivery import listing
from delivery.models import (
    ALL_QUEUED,
    IS_ODD,
    BounceKind,
    Delivery,
    DeliveryState,
    Dispatch,
    Return,
)
from foundation.frozen import frozen
from subscribers.models import Consent, ConsentStep

FEW = 100
"""Shares of fewer people than this say little, and pages say so."""


@frozen
class Outcome:
    """One campaign."""

    campaign: Campaign
    audience: int
    sent: int
    """Taken by the relay, whether or not it came back later."""
    failed: int
    came_back: int
    complaints: int
    opens: int
    clicks: int
    """By people, as far as the rules can tell."""
    unsubscribed: int

    @property
    def delivered(self) -> float | None:
        """Of those it was tried with, the share that was taken and did not come back."""
        tried = self.sent + self.failed
        return (self.sent - self.came_back) / tried if tried else None

    @property
    def clicks_a_hundred(self) -> float | None:
        """Clicks for each hundred mails that arrived; one person may click often."""
        return self._of_arrived(100 * self.clicks)

    @property
    def left(self) -> float | None:
        """The share of those who got it that unsubscribed by it."""
        return self._of_arrived(self.unsubscribed)

    def _of_arrived(self, count: float) -> float | None:
        arrived = self.sent - self.came_back
        return count / arrived if arrived > 0 else None


async def latest(
    session: AsyncSession, *, limit: int, before: Dispatch | None = None
) -> list[Outcome]:
    """Those that are over, the last first; `before` one: those that were started before it."""
    statement = (
        select(Campaign, Dispatch)
        .join(Dispatch, col(Dispatch.campaign_id) == col(Campaign.id))
        .where(Campaign.state == CampaignState.SENT.value)
        .order_by(col(Campaign.finished_at).desc(), col(Campaign.id).desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(col(Dispatch.id) < before.id)
    return await of(session, (await session.exec(statement)).all())


async def of(session: AsyncSession, started: Sequence[tuple[Campaign, Dispatch]]) -> list[Outcome]:
    """The outcomes of campaigns that were started, in the same order."""
    numbers = [dispatch.id for _, dispatch in started]
    states = await _states(session, numbers)
    back, complaints = await _came_back(session, numbers)
    hits = await _hits(session, numbers)
    left = await _left(session, numbers)
    found = []
    for campaign, dispatch in started:
        counted = states.get(dispatch.id, {})
        found.append(
            Outcome(
                campaign=campaign,
                audience=dispatch.audience,
                # Whoever is in no other state was sent to: their rows are too many to count.
                sent=dispatch.audience - sum(counted.values()),
                failed=counted.get(DeliveryState.FAILED.value, 0),
                came_back=back.get(dispatch.id, 0),
                complaints=complaints.get(dispatch.id, 0),
                opens=hits.get((dispatch.id, HitKind.OPEN.value), 0),
                clicks=hits.get((dispatch.id, HitKind.CLICK.value), 0),
                unsubscribed=left.get(dispatch.id, 0),
            )
        )
    return found


def median(values: Sequence[float | None]) -> float | None:
    """Of those that are known; None of none."""
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


async def _states(session: AsyncSession, numbers: Sequence[int]) -> Mapping[int, Mapping[str, int]]:
    """All but who was sent to: the odd ones by their own index, others by those of claims."""
    grouped = (col(Delivery.dispatch_id), col(Delivery.state))
    found: dict[int, Counter[str]] = {}
    for condition in (IS_ODD, *ALL_QUEUED):
        statement = (
            sa.select(*grouped, sa.func.count())
            .where(col(Delivery.dispatch_id).in_(numbers), condition)
            .group_by(*grouped)
        )
        for number, state, count in (await session.execute(statement)).all():
            found.setdefault(number, Counter())[state] += count
    return found


async def _came_back(
    session: AsyncSession, numbers: Sequence[int]
) -> tuple[Mapping[int, int], Mapping[int, int]]:
    """Mails that were taken and came back, and complaints; found from the side of what came."""
    told = sa.select(col(Return.delivery_id)).where(
        col(Return.dispatch_id).in_(numbers),
        col(Return.kind).in_([kind.value for kind in listing.CAME_BACK]),
    )
    bounced = col(Delivery.bounce).in_(
        [kind.value for kind in listing.CAME_BACK if kind is not BounceKind.COMPLAINT]
    )
    statement = (
        sa.select(
            col(Delivery.dispatch_id),
            sa.func.count().filter(bounced, col(Delivery.state) == DeliveryState.SENT.value),
            sa.func.count(col(Delivery.complained_at)),
        )
        .where(col(Delivery.id).in_(told))
        .group_by(col(Delivery.dispatch_id))
    )
    rows = (await session.execute(statement)).all()
    return {row[0]: row[1] for row in rows}, {row[0]: row[2] for row in rows}


async def _hits(session: AsyncSession, numbers: Sequence[int]) -> dict[tuple[int, str], int]:
    grouped = (col(HitTotal.dispatch_id), col(HitTotal.kind))
    statement = (
        sa.select(*grouped, sa.func.sum(col(HitTotal.human)))
        .where(col(HitTotal.dispatch_id).in_(numbers))
        .group_by(*grouped)
    )
    rows = (await session.execute(statement)).all()
    return {(number, kind): int(human) for number, kind, human in rows}


async def _left(session: AsyncSession, numbers: Sequence[int]) -> dict[int, int]:
    statement = (
        sa.select(col(Consent.dispatch_id), sa.func.count(sa.distinct(col(Consent.subscriber_id))))
        .where(
            col(Consent.dispatch_id).in_(numbers),
            col(Consent.step) == ConsentStep.UNSUBSCRIBED.value,
        )
        .group_by(col(Consent.dispatch_id))
    )
    return {number or 0: int(count) for number, count in (await session.execute(statement)).all()}
