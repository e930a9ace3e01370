"""How each relay does, as the processes that send last found it; for staff pages and `doctor`."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery.models import RelayStatus, Worker
from foundation import tables
from foundation.frozen import frozen
from foundation.ground import Ground


@frozen
class RelayState:
    """One relay of the settings, in their order."""

    name: str
    host: str
    port: int
    is_resting: bool
    """Whether it was left alone because it could not be used."""
    said: str
    """What went wrong, in the relay's or the system's own words; blank when all is well."""
    since: datetime | None
    """None when it was never used."""


async def note(ground: Ground, *, name: str, is_resting: bool, said: str) -> None:
    """Remember how a relay does; `since` moves only when that changes."""
    async with ground.db.transaction() as session:
        insert = tables.insert_for(session, RelayStatus).values(
            name=name, is_resting=is_resting, said=said, since=ground.clock.now()
        )
        await session.execute(
            insert.on_conflict_do_update(
                index_elements=["name"],
                set_={
                    "is_resting": insert.excluded.is_resting,
                    "said": insert.excluded.said,
                    "since": insert.excluded.since,
                },
                where=sa.or_(
                    col(RelayStatus.is_resting) != insert.excluded.is_resting,
                    col(RelayStatus.said) != insert.excluded.said,
                ),
            )
        )


async def read(ground: Ground, session: AsyncSession) -> Sequence[RelayState]:
    """Every relay of the settings."""
    known = {row.name: row for row in (await session.exec(select(RelayStatus))).all()}
    return [
        RelayState(
            name=relay.name,
            host=relay.host,
            port=relay.port,
            is_resting=known[relay.name].is_resting if relay.name in known else False,
            said=known[relay.name].said if relay.name in known else "",
            since=known[relay.name].since if relay.name in known else None,
        )
        for relay in ground.settings.relay
    ]


async def troubles(session: AsyncSession) -> Sequence[str]:
    """What keeps running processes from sending, such as a full disk, in their own words."""
    statement = (
        sa.select(col(Worker.said))
        .where(col(Worker.closed_at).is_(None), col(Worker.said) != "")
        .distinct()
    )
    return (await session.scalars(statement)).all()
