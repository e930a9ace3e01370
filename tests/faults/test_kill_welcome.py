"""Who welcomes new people is killed in the middle, and two others go on at once."""

import signal
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import welcome, welcome_sending
from campaigns.welcome_models import ReaderState, StepKind, WelcomeMail, WelcomeReader
from delivery.models import DeliveryState
from foundation.audit import COMMAND
from foundation.clock import SystemClock
from tests.campaigns import newsroom
from tests.world import grounds, mailing, sink, welcoming
from tests.world.clock import FakeClock

PEOPLE = 60
CONNECTIONS = 3
TOPIC = "secure-communities"


async def all_are_done(session: AsyncSession) -> bool:
    """Whether nobody is in the middle any more."""
    going = sa.select(sa.func.count()).where(col(WelcomeReader.state) == ReaderState.GOING.value)
    handed = sa.select(sa.func.count()).select_from(WelcomeMail)
    return await session.scalar(going) == 0 and await session.scalar(handed) == PEOPLE


@pytest.mark.storage
@pytest.mark.slow
async def test_when_who_welcomes_is_killed_everybody_gets_the_step_once_or_is_listed(
    database_url: str, tmp_path: Path
) -> None:
    now = SystemClock().now()
    async with sink.running() as server:
        settings = grounds.settings(
            url=database_url,
            folder=tmp_path,
            changes={
                "relay": {"connections": CONNECTIONS},
                "delivery": {"batch_size": 20, "lease_s": 3600},
            },
            relay_port=server.port,
        )
        async with grounds.standing(settings, FakeClock(now - timedelta(hours=30))) as ground:
            issue = await newsroom.issue(ground)
            hour = now.astimezone(settings.site.tzinfo).hour
            draft = welcome.StepDraft(
                kind=StepKind.EXPLAINER, object_id=issue.id, days=1, hour=hour
            )
            await welcome.add_step(ground, actor=COMMAND, topic=TOPIC, version=0, draft=draft)
            await welcome.switch(ground, actor=COMMAND, topic=TOPIC, version=1, languages=["en"])
            await mailing.crowd(ground, PEOPLE)
        first = await welcoming.process(settings)
        await server.reached(PEOPLE // 3)
        first.kill()
        assert await first.wait() == -signal.SIGKILL
        others = [await welcoming.process(settings) for _ in range(2)]
        async with grounds.standing(settings, SystemClock()) as ground:
            await mailing.until(ground, all_are_done)
            await mailing.stand(ground, queued=0, deferred=0)
            for process in others:
                process.terminate()
                assert await process.wait() == 0
            assert await welcome_sending.work(ground) == 0
            rows = await mailing.rows(ground)
    assert len(rows) == PEOPLE
    uncertain = [each for each in rows if each.state == DeliveryState.UNCERTAIN]
    assert len(uncertain) <= CONNECTIONS
    for row in rows:
        taken = server.taken[mailing.address(row.subscriber_id or 0)]
        assert taken == 1 or (row in uncertain and taken == 0)
