"""About how many an audience has, told at once while they are counted.

Some of all people, drawn at random, are asked the very conditions; Wilson's interval says between
what the true number lies, nineteen times of twenty.
"""

import secrets

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import audiences, intervals
from campaigns.audiences import Audience
from foundation import i18n, rows
from foundation.frozen import frozen
from foundation.ground import Ground
from subscribers.models import Subscriber

_DRAWN = 1000
"""Asked in a hundredth of a second; a tenth of all people is found to within two in a hundred."""
_CHANCE = secrets.SystemRandom()


@frozen
class Estimate:
    """About how many, and between what it lies."""

    about: int
    least: int
    most: int


async def estimate(ground: Ground, audience: Audience) -> Estimate | None:
    """About how many would get it; None where there are hardly more people than would be drawn.

    Raises `errors.Invalid`, as counting does.
    """
    async with ground.db.reading() as session:
        resolved = await audiences.resolve(ground, session, audience, languages=[i18n.SOURCE])
        number = col(Subscriber.id)
        # Apart, as SQLite looks through everybody for both ends at once, and finds each by its key.
        ends = [sa.select(end(number)).scalar_subquery() for end in (sa.func.min, sa.func.max)]
        first, last = (await session.execute(sa.select(*ends))).one()
        if first is None or last - first < 2 * _DRAWN or not resolved.topics:
            return None
        # Numbers without a person count as people who don't get it: nobody has to know how many
        # people there are.
        drawn = _CHANCE.sample(range(first, last + 1), _DRAWN)
        found = await _fitting(session, resolved, drawn)
    return _told(intervals.share(found, _DRAWN), last + 1 - first, is_any=found > 0)


async def _fitting(session: AsyncSession, resolved: audiences.Resolved, drawn: list[int]) -> int:
    """How many of these numbers belong to somebody who gets it."""
    source = rows.Rows("drawn")
    statement = (
        sa.select(sa.func.count())
        .select_from(source.table)
        .join(Subscriber, col(Subscriber.id) == source.number(0))
        .where(audiences.gets_it(resolved))
    )
    return int(await session.scalar(statement, {"drawn": rows.packed([n] for n in drawn)}) or 0)


def _told(share: intervals.Interval, people: int, *, is_any: bool) -> Estimate:
    """In round numbers: more would look as if somebody had counted."""
    least, most = share.low * people, share.high * people
    return Estimate(
        about=_round(share.value * people),
        least=_round(least, up=False) if is_any else 0,
        most=min(_round(most, up=True), people),
    )


def _round(people: float, *, up: bool | None = None) -> int:
    """To two digits; `up` or down where an end of the interval must not come nearer."""
    if people < 1:
        return int(bool(up) and people > 0)
    step: int = 10 ** max(0, len(str(int(people))) - 2)
    if up is None:
        return round(people / step) * step
    return (-int(-people // step) if up else int(people // step)) * step
