"""A start that is undone while a scheduler begins it: one of the two happens, wholly."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import col

from campaigns import due, lifecycle
from campaigns.models import CampaignState
from delivery.models import Dispatch
from foundation import errors
from foundation.audit import COMMAND
from foundation.ground import Ground
from tests.world import campaigning, people
from tests.world.clock import FakeClock


@pytest.mark.settings(release={"undo_s": 30})
@pytest.mark.storage
async def test_what_was_undone_and_begun_anew_is_not_started_by_who_looked_before(
    ground: Ground, clock: FakeClock
) -> None:
    await people.subscribed(ground)
    campaign = await campaigning.approved(ground)
    both: dict[str, Any] = {"actor": COMMAND, "campaign_id": campaign.id}
    first = await lifecycle.start_soon(ground, **both)
    clock.advance(seconds=30)
    await lifecycle.unschedule(ground, **both)
    second = await lifecycle.start_soon(ground, **both)
    assert second - first == timedelta(seconds=30)
    with pytest.raises(errors.Conflict):
        await lifecycle.start(ground, is_due=True, **both)
    assert await campaigning.state(ground, campaign.id) == CampaignState.SCHEDULED
    # Undoing and starting at one moment: one of the two happens, wholly.
    clock.advance(seconds=30)
    started, undone = await asyncio.gather(
        due.start_due(ground), lifecycle.unschedule(ground, **both), return_exceptions=True
    )
    is_started = started == [campaign.id]
    assert is_started == isinstance(undone, (errors.Refused, errors.Conflict))
    async with ground.db.reading() as session:
        assert await session.scalar(sa.select(sa.func.count(col(Dispatch.id)))) == int(is_started)
