"""Who got an earlier campaign, asked of the ledger: for audiences that follow one up."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery.models import Delivery, DeliveryState, Dispatch
from foundation import errors
from foundation.i18n import N_

_HAVE_IT = (DeliveryState.SENT, DeliveryState.UNCERTAIN)
"""Whoever may have it is told what was wrong in it, too."""
_WILL_NOT_GET_IT = (DeliveryState.FAILED, DeliveryState.CANCELLED)


async def dispatches(session: AsyncSession, campaign_ids: Sequence[int]) -> list[int]:
    """Row numbers of the dispatches of campaigns. Raises `errors.Invalid` for one without."""
    if not campaign_ids:
        return []
    statement = sa.select(col(Dispatch.campaign_id), col(Dispatch.id)).where(
        col(Dispatch.campaign_id).in_(campaign_ids)
    )
    found: dict[int, int] = dict((await session.execute(statement)).all())
    for number in campaign_ids:
        if number not in found:
            raise errors.Invalid(
                N_("Campaign %(number)s was not sent, so nobody has it."), number=number
            )
    return list(found.values())


async def last_dispatches(session: AsyncSession, count: int) -> list[int]:
    """Row numbers of the dispatches of the last so many campaigns, mailings of welcomes apart."""
    statement = (
        sa.select(col(Dispatch.id))
        .where(col(Dispatch.campaign_id) > 0)
        .order_by(col(Dispatch.id).desc())
        .limit(count)
    )
    return list((await session.scalars(statement)).all())


def have_it(dispatch_ids: Sequence[int]) -> sa.Select[int | None]:
    """SQL: whoever got one of them, or may have got it."""
    return _listed(dispatch_ids, col(Delivery.state).in_([each.value for each in _HAVE_IT]))


def may_get_it(dispatch_ids: Sequence[int]) -> sa.Select[int | None]:
    """SQL: whoever got one of them, may have got it, or is still to get it."""
    over = [each.value for each in _WILL_NOT_GET_IT]
    return _listed(dispatch_ids, col(Delivery.state).not_in(over))


def _listed(dispatch_ids: Sequence[int], state: sa.ColumnElement[bool]) -> sa.Select[int | None]:
    """SQL: who stands in the ledger in such a state; served by its key of dispatch and person."""
    return sa.select(col(Delivery.subscriber_id)).where(
        col(Delivery.dispatch_id).in_(dispatch_ids), state
    )
