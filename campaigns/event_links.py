"""What an event is known by: the bulletin that told of it first, and the block there.

The same event keeps its address and its place in calendars through corrections (whose bulletins are
copies) and through the same bulletin's further campaigns.
"""

import zlib

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns.models import Campaign
from foundation.ground import Ground
from foundation.tokens import Purpose

_LONGEST_CHAIN = 20


async def origin(session: AsyncSession, bulletin_id: int) -> int:
    """The bulletin that a correction goes back to; of any other, itself."""
    corrected = aliased(Campaign)
    for _ in range(_LONGEST_CHAIN):
        earlier = await session.scalar(
            sa.select(col(corrected.bulletin_id))
            .join(Campaign, col(Campaign.corrects_id) == col(corrected.id))
            .where(col(Campaign.bulletin_id) == bulletin_id)
            .limit(1)
        )
        if earlier is None:
            break
        bulletin_id = earlier
    return bulletin_id


def number(block_id: str) -> int:
    """A block's name as a number, for tokens and tables."""
    return zlib.crc32(block_id.encode())


def address(ground: Ground, bulletin_id: int, block_id: str, language: str) -> str:
    """Where the event can be had for a calendar, in a language; blank for what is not kept yet."""
    if not bulletin_id or not block_id:
        return ""
    token = ground.tokens.seal(Purpose.EVENT, bulletin_id, number(block_id))
    return ground.url(f"/events/{token}.ics?lang={language}")
