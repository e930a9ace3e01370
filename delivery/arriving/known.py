"""What our own database knows for a look: who we write as, what came back, how it came."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery import intake_state
from delivery.arriving import standing
from delivery.arriving.standing import Standing
from delivery.hooks import state
from delivery.hooks.state import SourceState
from delivery.intake_state import WayState
from delivery.models import Dispatch
from foundation.config import Settings
from foundation.frozen import frozen
from foundation.ground import Ground

_LATELY = timedelta(days=90)


class Planned(Protocol):
    """Knows who is to write next; on a higher floor."""

    async def authors(self, session: AsyncSession) -> Sequence[str]:
        """Addresses in From of campaigns that are still to go out."""
        ...


@frozen
class Known:
    """Read in one transaction."""

    authors: Sequence[str]
    """Addresses in From: that of the settings, those of ninety days, those that are planned."""
    standing: Standing | None = None
    """None when the database could not be asked."""
    ways: Sequence[WayState] | None = None
    hooks: Sequence[SourceState] = ()


def from_settings(settings: Settings) -> Known:
    """What is known without a database."""
    return Known(authors=[settings.mail.from_address])


async def read(ground: Ground, *, planned: Planned | None) -> Known:
    """All that is known. Raises `errors.Busy`."""
    now = ground.clock.now()
    lately = (
        sa.select(col(Dispatch.from_address))
        .where(col(Dispatch.started_at) > now - _LATELY)
        .distinct()
        .order_by(col(Dispatch.from_address))
    )
    async with ground.db.reading() as session:
        authors = [
            ground.settings.mail.from_address,
            *(await session.scalars(lately)).all(),
            *(await planned.authors(session) if planned is not None else ()),
        ]
        return Known(
            authors=list(dict.fromkeys(filter(None, authors))),
            standing=await standing.read(ground.settings, session, now=now),
            ways=await intake_state.read(ground, session),
            hooks=await state.read(ground, session),
        )
