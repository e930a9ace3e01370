"""How each way in does, as the process that uses it last found it; for staff pages and `doctor`."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery.inbound.models import IntakeStatus, Way
from foundation import tables
from foundation.config import Settings
from foundation.frozen import frozen
from foundation.ground import Ground

_SILENT = timedelta(minutes=10)
"""A way that nobody looked at for so long is not in use: `handbill serve` does not run."""


@frozen
class WayState:
    """One way in that is set up."""

    way: Way
    place: str
    """Host and port, or the folder."""
    last_message_at: datetime | None
    """When the last message came, to within ten seconds; None if none ever did."""
    looked_at: datetime | None
    """When somebody last listened or looked there; None if nobody ever did."""
    said: str
    """What is wrong, in the server's or the system's own words; blank when all is well."""
    since: datetime | None
    """Since when that is so, or all is well."""
    is_in_use: bool
    """Whether a running process listens or looks there; else `said` may be long past."""

    @property
    def is_well(self) -> bool:
        """In use, and without trouble."""
        return self.is_in_use and not self.said


async def note(
    ground: Ground, *, way: Way, said: str = "", last_message_at: datetime | None = None
) -> None:
    """Remember that a way is in use and how it does; `since` moves only when that changes."""
    now = ground.clock.now()
    async with ground.db.transaction() as session:
        insert = tables.insert_for(session, IntakeStatus).values(
            way=way.value, last_message_at=last_message_at, looked_at=now, said=said, since=now
        )
        has_changed = col(IntakeStatus.said) != insert.excluded.said
        await session.execute(
            insert.on_conflict_do_update(
                index_elements=["way"],
                set_={
                    "last_message_at": sa.func.coalesce(
                        insert.excluded.last_message_at, col(IntakeStatus.last_message_at)
                    ),
                    "looked_at": insert.excluded.looked_at,
                    "said": insert.excluded.said,
                    "since": sa.case(
                        (has_changed, insert.excluded.since), else_=col(IntakeStatus.since)
                    ),
                },
            )
        )


async def read(ground: Ground, session: AsyncSession) -> Sequence[WayState]:
    """Every way that is set up, in the order of the settings; empty if mail comes in by none."""
    known = {row.way: row for row in (await session.exec(select(IntakeStatus))).all()}
    now = ground.clock.now()
    return [
        _state(way, place, known.get(way.value), now=now)
        for way, place in set_up(ground.settings).items()
    ]


def set_up(settings: Settings) -> dict[Way, str]:
    """The ways that the settings ask for, each with its place."""
    listener, imap, maildir = settings.listener, settings.imap, settings.maildir
    found: dict[Way, str] = {}
    if listener.enabled:
        found[Way.LISTENER] = f"{listener.host}:{listener.port}"
    if imap.host:
        found[Way.IMAP] = f"{imap.host}:{imap.port}"
    if maildir.path:
        found[Way.MAILDIR] = maildir.path
    return found


def _state(way: Way, place: str, row: IntakeStatus | None, *, now: datetime) -> WayState:
    return WayState(
        way=way,
        place=place,
        last_message_at=row.last_message_at if row else None,
        looked_at=row.looked_at if row else None,
        said=row.said if row else "",
        since=row.since if row else None,
        is_in_use=row is not None and now - row.looked_at < _SILENT,
    )
