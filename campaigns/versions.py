"""Earlier states of a bulletin: kept at every save, thinned and listed by sittings.

Each save keeps the state before it, so that every step can be undone while people write. Once that
is over, what somebody saved in one sitting is one version, the last; what was approved, sent or
chosen for the welcome as it stood is kept for good. `bulletins.py` calls `keep`.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import documents
from campaigns.documents import Document
from campaigns.models import Bulletin, BulletinVersion, Campaign
from campaigns.review_models import Approval
from campaigns.welcome_models import StepKind, WelcomeStep
from foundation import errors
from foundation.frozen import frozen
from foundation.i18n import N_

SITTING = timedelta(minutes=15)
"""Whoever saves again within it is still at the same piece of work."""
_UNDONE_WITHIN = timedelta(hours=1)
"""For so long every single step is kept."""
_LISTED = 100


@frozen
class _Step:
    """A save, without what it held."""

    version: int
    saved_by: str
    saved_at: datetime
    is_pinned: bool


async def keep(session: AsyncSession, bulletin: Bulletin, *, now: datetime) -> BulletinVersion:
    """Keep a bulletin's present state, for who is about to save another one over it."""
    kept = BulletinVersion(
        bulletin_id=bulletin.id,
        version=bulletin.version,
        name=bulletin.name,
        document=bulletin.document,
        saved_by=bulletin.updated_by,
        saved_at=bulletin.updated_at,
        is_pinned=await _is_relied_on(session, bulletin),
    )
    await _thin(session, bulletin.id, now=now)
    return kept


async def listed(session: AsyncSession, bulletin: Bulletin) -> list[BulletinVersion]:
    """The last state of each sitting and what is kept for good, newest first."""
    steps = await _steps(session, bulletin.id)
    present = _present(bulletin)
    numbers = [each.version for each in steps if not _is_passing(each, [*steps, present])]
    statement = (
        select(BulletinVersion)
        .where(
            BulletinVersion.bulletin_id == bulletin.id,
            col(BulletinVersion.version).in_(numbers[-_LISTED:]),
        )
        .order_by(col(BulletinVersion.version).desc())
    )
    return list((await session.exec(statement)).all())


async def at(session: AsyncSession, bulletin: Bulletin, version: int) -> Document:
    """A bulletin as it was. Raises `errors.NotFound` for what is not kept any more."""
    if version == bulletin.version:
        return documents.parse(bulletin.document)
    earlier = await session.get(BulletinVersion, (bulletin.id, version))
    if earlier is None:
        raise errors.NotFound(N_("There is no such version of this bulletin."))
    return documents.parse(earlier.document)


async def _thin(session: AsyncSession, bulletin_id: int, *, now: datetime) -> None:
    """Drop the single steps of sittings that are over."""
    steps = await _steps(session, bulletin_id)
    over = [
        each.version
        for each in steps
        if each.saved_at < now - _UNDONE_WITHIN and _is_passing(each, steps)
    ]
    if over:
        await session.execute(
            sa.delete(BulletinVersion).where(
                col(BulletinVersion.bulletin_id) == bulletin_id,
                col(BulletinVersion.version).in_(over),
            )
        )


async def _steps(session: AsyncSession, bulletin_id: int) -> list[_Step]:
    """Every save that is still kept, oldest first."""
    statement = (
        sa.select(
            col(BulletinVersion.version),
            col(BulletinVersion.saved_by),
            col(BulletinVersion.saved_at),
            col(BulletinVersion.is_pinned),
        )
        .where(col(BulletinVersion.bulletin_id) == bulletin_id)
        .order_by(col(BulletinVersion.version))
    )
    found = (await session.execute(statement)).all()
    return [
        _Step(version=version, saved_by=who, saved_at=at, is_pinned=is_pinned)
        for version, who, at, is_pinned in found
    ]


def _present(bulletin: Bulletin) -> _Step:
    return _Step(
        version=bulletin.version,
        saved_by=bulletin.updated_by,
        saved_at=bulletin.updated_at,
        is_pinned=False,
    )


def _is_passing(step: _Step, steps: Sequence[_Step]) -> bool:
    """Whether the same person saved again in the same sitting.

    Others may have saved in between: two who write at once have a sitting each.
    """
    return not step.is_pinned and any(
        each.version > step.version
        and each.saved_by == step.saved_by
        and each.saved_at - step.saved_at <= SITTING
        for each in steps
    )


async def _is_relied_on(session: AsyncSession, bulletin: Bulletin) -> bool:
    """Whether a campaign, an approval or the welcome names just this version."""
    campaigns = sa.exists().where(
        col(Campaign.bulletin_id) == bulletin.id,
        col(Campaign.approved_version) == bulletin.version,
    )
    approvals = sa.exists().where(
        col(Approval.campaign_id) == col(Campaign.id),
        col(Campaign.bulletin_id) == bulletin.id,
        col(Approval.bulletin_version) == bulletin.version,
    )
    steps = sa.exists().where(
        col(WelcomeStep.kind) == StepKind.BULLETIN.value,
        col(WelcomeStep.object_id) == bulletin.id,
        col(WelcomeStep.object_version) == bulletin.version,
    )
    return bool(await session.scalar(sa.select(sa.or_(campaigns, approvals, steps))))
