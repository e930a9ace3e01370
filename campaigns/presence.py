"""Who else has a bulletin open, and in which block they write.

Every window in which somebody writes says so every few seconds (`arranging_pages.py`); it goes
through the database, so that it holds for any number of processes.
"""

from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import bulletins
from campaigns.models import Bulletin, BulletinPresence
from foundation.accounts.models import Staff
from foundation.frozen import frozen
from foundation.ground import Ground

HERE_FOR = timedelta(seconds=20)
"""Whoever was silent for longer has left; windows speak up every four seconds."""
_FORGOTTEN_AFTER = timedelta(hours=1)


@frozen
class Other:
    """Somebody else, or the same person in another window."""

    name: str
    block: str
    """The block in which they write; blank for none."""
    is_same_person: bool


@frozen
class Company:
    """How a bulletin stands for one of its windows."""

    bulletin: Bulletin
    others: Sequence[Other]


async def say(
    ground: Ground, *, bulletin_id: int, staff_id: int, seat: str, block: str, is_leaving: bool
) -> Company:
    """Say that a window has a bulletin open, and hear who else does. Raises `errors.NotFound`."""
    now = ground.clock.now()
    async with ground.db.transaction() as session:
        bulletin = await bulletins.get(session, bulletin_id)
        own = await session.get(BulletinPresence, (bulletin_id, seat))
        if own is None:
            own = BulletinPresence(
                bulletin_id=bulletin_id, seat=seat, staff_id=staff_id, seen_at=now
            )
        # Somebody else's seat is not taken by who guesses its name.
        if own.staff_id == staff_id:
            own.block = "" if is_leaving else block
            own.seen_at = now - HERE_FOR if is_leaving else now
            session.add(own)
        await session.execute(
            sa.delete(BulletinPresence).where(
                col(BulletinPresence.bulletin_id) == bulletin_id,
                col(BulletinPresence.seen_at) < now - _FORGOTTEN_AFTER,
            )
        )
        others = await _others(session, bulletin_id, staff_id, seat, since=now - HERE_FOR)
        session.expunge(bulletin)
    return Company(bulletin=bulletin, others=others)


async def _others(
    session: AsyncSession, bulletin_id: int, staff_id: int, seat: str, *, since: object
) -> list[Other]:
    statement = (
        sa.select(col(Staff.id), col(Staff.name), col(Staff.email), col(BulletinPresence.block))
        .join(Staff, col(Staff.id) == col(BulletinPresence.staff_id))
        .where(
            col(BulletinPresence.bulletin_id) == bulletin_id,
            col(BulletinPresence.seat) != seat,
            col(BulletinPresence.seen_at) > since,
        )
        .order_by(col(Staff.name), col(Staff.id), col(BulletinPresence.seat))
    )
    found = (await session.execute(statement)).all()
    return [
        Other(name=name or email, block=block, is_same_person=number == staff_id)
        for number, name, email, block in found
    ]
