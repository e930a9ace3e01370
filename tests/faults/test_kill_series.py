"""The scheduler is killed between drafting an edition and sending it, at each of its commits."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime

import pytest

from campaigns import campaign_views, due, series_runs, series_sending
from campaigns.models import CampaignState
from foundation.ground import Ground
from tests.campaigns import editions, newsroom
from tests.world import people
from tests.world.clock import FakeClock
from tests.world.smtp import Catcher

CLOSES = datetime(2026, 9, 16, 21, tzinfo=UTC)


@pytest.mark.storage
async def test_an_edition_goes_out_once_wherever_its_scheduler_was_killed_on_the_way(
    ground: Ground, clock: FakeClock, smtp: Catcher, deliver: Callable[[], Awaitable[None]]
) -> None:
    await people.subscribed(ground, "ana@example.org")
    await newsroom.issue(ground)
    clock.set(CLOSES)
    await editions.news(ground, "A ruling", date(2026, 9, 10))
    clock.set(datetime(2026, 9, 15, tzinfo=UTC))
    kept = await editions.made(ground, mode="send")
    clock.set(CLOSES)
    (number,) = await series_runs.draft_due(ground)
    for writing, state in (
        ("INTO approvals", CampaignState.IN_REVIEW),
        ("scheduled_at", CampaignState.APPROVED),
        ("UPDATE series_runs", CampaignState.SCHEDULED),
    ):
        await editions.crash(ground, clock.now(), writing=writing)
        stands = await campaign_views.show(ground, campaign_id=number)
        assert stands.campaign.state == state
    assert await series_sending.send_drafted(ground) == [number]
    assert await series_sending.send_drafted(ground) == []
    (run,) = await editions.runs(ground, kept.id)
    assert (run.reason, run.is_to_send) == ("", False)
    clock.set(run.sends_at)
    assert await due.start_due(ground) == [number]
    assert await due.start_due(ground) == []
    await deliver()
    (mail,) = smtp.to("ana@example.org")
    assert "A ruling" in mail.text
