"""The overview reads the same on both engines, and its days are the site's days."""

from datetime import UTC, date, datetime

import pytest

from campaigns import overview
from foundation.ground import Ground
from subscribers.models import Consent, ConsentStep
from tests.world import campaigning, people


async def confirmed(ground: Ground, subscriber_id: int, at: datetime) -> None:
    """A person pressed the button at a moment."""
    async with ground.db.transaction() as session:
        session.add(
            Consent(
                subscriber_id=subscriber_id,
                at=at,
                step=ConsentStep.CONFIRMED.value,
                language="en",
            )
        )


@pytest.mark.storage
async def test_new_people_count_on_their_local_day_each_once(ground: Ground) -> None:
    ana = await people.subscribed(ground, "ana@example.org")
    bo = await people.subscribed(ground, "bo@example.org")
    # New York left summer time on 1 November 2026: that day had 25 hours.
    await confirmed(ground, ana.id, datetime(2026, 11, 1, 3, 59, tzinfo=UTC))
    await confirmed(ground, bo.id, datetime(2026, 11, 1, 4, 1, tzinfo=UTC))
    await confirmed(ground, bo.id, datetime(2026, 11, 2, 4, 59, tzinfo=UTC))
    await confirmed(ground, ana.id, datetime(2026, 9, 1, 12, 0, tzinfo=UTC))
    found = (await overview.read(ground)).newcomers
    assert len(found) == overview.DAYS
    assert {day: count for day, count in found.items() if count} == {
        date(2026, 10, 31): 1,
        date(2026, 11, 1): 1,
    }


@pytest.mark.storage
async def test_what_is_being_sent_and_waits_is_there(ground: Ground) -> None:
    assert (await overview.read(ground)).is_new
    await people.subscribed(ground)
    sending, _ = await campaigning.started(ground)
    found = await overview.read(ground)
    assert [each.id for each in found.sending] == [sending.id]
    assert found.outcomes == []
    assert not found.is_new
