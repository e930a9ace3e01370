"""An owner's word on what is red, as the list reads it; `overriding` is how it is given."""

from collections.abc import Iterable
from dataclasses import replace

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns.models import Bulletin
from campaigns.preflight.items import Item
from campaigns.preflight.models import Override
from foundation.findings import Tone


async def withdraw(session: AsyncSession, campaign_id: int) -> None:
    """Take it back, in the caller's transaction: the campaign was changed."""
    await session.execute(sa.delete(Override).where(col(Override.campaign_id) == campaign_id))


async def applied(
    session: AsyncSession, campaign_id: int, bulletin: Bulletin, found: Iterable[Item]
) -> list[Item]:
    """The list, with the owner's reason at each line that it was given for."""
    given = await session.get(Override, campaign_id)
    if given is None or given.bulletin_version != bulletin.version:
        return list(found)
    return [
        replace(each, reason=f"{given.reason} ({given.by})")
        if each.tone is Tone.BAD and not each.is_final and each.key in given.keys
        else each
        for each in found
    ]
