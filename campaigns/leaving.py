"""Who unsubscribed by a campaign's mail: in which way, and why, in their own words."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation.frozen import frozen
from subscribers.models import Consent, ConsentStep

_MOST = 100
"""Of what people said."""
_PEOPLE = sa.func.count(sa.distinct(col(Consent.subscriber_id)))


@frozen
class Leaving:
    """Those who left by one mail."""

    people: int
    ways: Mapping[str, int]
    """How they did it, as `Consent.via` has it → people; who did it twice counts for each."""
    said: Sequence[tuple[str, int]]
    """What people wrote when they were asked why, and how many wrote just that; newest first."""
    silent: int
    """Who said nothing; a mail program's one click does not ask."""


def by_mail(dispatch_id: int) -> sa.ColumnElement[bool]:
    """SQL about consents: somebody unsubscribed by this mail; found by their index by dispatch."""
    return sa.and_(
        col(Consent.dispatch_id) == dispatch_id,
        col(Consent.step) == ConsentStep.UNSUBSCRIBED.value,
    )


async def count(session: AsyncSession, dispatch_id: int) -> int:
    """How many people left by one mail."""
    return int(await session.scalar(sa.select(_PEOPLE).where(by_mail(dispatch_id))) or 0)


async def of_dispatch(session: AsyncSession, dispatch_id: int) -> Leaving:
    """Who left by one mail."""
    condition = by_mail(dispatch_id)
    ways = (
        sa.select(col(Consent.via), _PEOPLE)
        .where(condition)
        .group_by(col(Consent.via))
        .order_by(_PEOPLE.desc(), col(Consent.via))
    )
    newest = sa.func.max(col(Consent.id))
    said = (
        sa.select(col(Consent.reason), _PEOPLE)
        .where(condition, col(Consent.reason) != "")
        .group_by(col(Consent.reason))
        .order_by(newest.desc())
        .limit(_MOST)
    )
    spoke = sa.select(_PEOPLE).where(condition, col(Consent.reason) != "")
    people = await count(session, dispatch_id)
    return Leaving(
        people=people,
        ways={via: int(number) for via, number in (await session.execute(ways)).all()},
        said=[(reason, int(number)) for reason, number in (await session.execute(said)).all()],
        silent=people - int(await session.scalar(spoke) or 0),
    )
