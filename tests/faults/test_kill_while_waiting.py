"""The service is killed while a start can be undone, and while readers wait for their hour."""

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import lifecycle
from campaigns.models import Campaign, CampaignState
from delivery.models import Delivery, Dispatch, Reason
from foundation.audit import COMMAND
from foundation.clock import SystemClock
from foundation.ground import Ground
from tests.world import campaigning, grounds, mailing, service, sink

PEOPLE = 6
AT_ONCE = 4
"""Whose hour is now; the others live an hour to the west."""


async def start_by_hours(ground: Ground, topic: int) -> None:
    """A dispatch of which some are due now, and the others in an hour."""
    kind = sa.inspect(Delivery).columns["due_at"].type
    now = ground.clock.now()
    soon, later = (sa.literal(each, type_=kind) for each in (now, now + timedelta(hours=1)))
    await mailing.start(
        ground,
        topics=[topic],
        campaign_id=900,
        not_before=lambda subscriber: sa.case((subscriber > AT_ONCE, later), else_=soon),
    )


async def let_time_pass(ground: Ground) -> None:
    """What is due within the hour is due now."""
    now = ground.clock.now()
    async with ground.db.transaction() as session:
        await session.execute(
            sa.update(Delivery).where(col(Delivery.reason) == Reason.OWN_TIME).values(due_at=now)
        )
        await session.execute(
            sa.update(Campaign)
            .where(col(Campaign.state) == CampaignState.SCHEDULED.value)
            .values(scheduled_at=now)
        )


async def has_started(session: AsyncSession) -> bool:
    """Whether a second dispatch is there."""
    return await session.get(Dispatch, 2) is not None


@pytest.mark.slow
async def test_nobody_gets_what_was_undone_or_is_not_due_when_the_service_is_killed(
    database_url: str, tmp_path: Path
) -> None:
    async with sink.running() as server:
        settings = grounds.settings(
            url=database_url,
            folder=tmp_path,
            changes={
                "relay": {"connections": 1},
                "delivery": {"lease_s": 3600},
                "release": {"undo_s": 600},
            },
            relay_port=server.port,
        )
        async with grounds.standing(settings, SystemClock()) as ground:
            topic = await mailing.crowd(ground, PEOPLE)
            undone, meant = [
                (await campaigning.approved(ground, name=name)).id for name in ("Undone", "Meant")
            ]
            async with service.running(settings, tmp_path) as serving:
                for number in (undone, meant):
                    await lifecycle.start_soon(ground, actor=COMMAND, campaign_id=number)
                held = sink.Holding()
                server.acts["dot"] = held
                await start_by_hours(ground, topic)
                await held.reached()
                await serving.kill()
            # The window is still open: one is undone while nobody is there to send.
            await lifecycle.unschedule(ground, actor=COMMAND, campaign_id=undone)
            server.acts.clear()
            async with service.running(settings, tmp_path) as serving:
                await mailing.stand(ground, queued=PEOPLE - AT_ONCE, deferred=0)
                late = range(AT_ONCE + 1, PEOPLE + 1)
                why = {row.subscriber_id: row.reason for row in await mailing.rows(ground)}
                assert {why[number] for number in late} == {Reason.OWN_TIME}
                assert not any(server.taken[mailing.address(number)] for number in late)
                async with ground.db.reading() as session:
                    assert not await has_started(session), "the window was not waited for"
                await let_time_pass(ground)
                await mailing.until(ground, has_started)
                await mailing.stand(ground, 2, sent=PEOPLE)
                await mailing.stand(ground, queued=0, deferred=0)
                assert await serving.stop() == 0
            assert await campaigning.state(ground, undone) == CampaignState.APPROVED
            async with ground.db.reading() as session:
                begun = (await session.exec(select(Dispatch.campaign_id))).all()
            assert sorted(begun) == [meant, 900]
            uncertain = (await mailing.counts(ground)).uncertain
            taken = [server.taken[mailing.address(number)] for number in range(1, PEOPLE + 1)]
    assert uncertain <= 1
    assert max(taken) <= 2, "somebody was mailed twice"
    assert sum(taken) >= 2 * PEOPLE - uncertain, "somebody was skipped"
