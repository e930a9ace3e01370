"""Two schedulers on one database start a campaign once; one bad task does not stop the others."""

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import col

from campaigns import due, lifecycle
from campaigns.models import CampaignState
from delivery.models import Delivery, Dispatch
from foundation.audit import COMMAND
from foundation.config import Settings
from foundation.ground import Ground
from scheduler.scheduler import Act, Scheduler, Task
from tests.world import campaigning, grounds, people
from tests.world.clock import FakeClock


@pytest.mark.storage
async def test_two_schedulers_start_one_campaign_once(
    ground: Ground, settings: Settings, clock: FakeClock
) -> None:
    await people.subscribed(ground)
    campaign = await campaigning.approved(ground)
    await lifecycle.schedule(
        ground,
        actor=COMMAND,
        campaign_id=campaign.id,
        at="2026-12-01T09:00",
        zone="America/New_York",
    )
    clock.advance(days=29)
    stop = asyncio.Event()
    due = [Task(name="due", act=started_or(stop, campaign.id), every=timedelta(seconds=0.02))]
    async with grounds.standing(settings, clock) as other:
        await asyncio.gather(
            Scheduler(ground, wanted=due).run(stop), Scheduler(other, wanted=due).run(stop)
        )
    async with ground.db.reading() as session:
        assert await session.scalar(sa.select(sa.func.count(col(Dispatch.id)))) == 1
        assert await session.scalar(sa.select(sa.func.count(col(Delivery.id)))) == 1


def started_or(stop: asyncio.Event, campaign_id: int) -> Act:
    """Starts what is due; stops everything a few ticks after the campaign is being sent."""
    ticks = 0

    async def act(ground: Ground) -> None:
        nonlocal ticks
        await due.start_due(ground)
        if await campaigning.state(ground, campaign_id) == CampaignState.SENDING:
            ticks += 1
        if ticks > 6:
            stop.set()

    return act


async def test_a_task_that_fails_does_not_stop_the_others(ground: Ground) -> None:
    stop = asyncio.Event()
    done: list[str] = []

    async def fails(_ground: Ground) -> None:
        done.append("failed")
        raise ValueError("a mistake of ours")

    async def works(_ground: Ground) -> None:
        done.append("worked")
        if done.count("failed") > 2 and done.count("worked") > 2:
            stop.set()

    every = timedelta(seconds=0.01)
    wanted = [Task(name="a", act=fails, every=every), Task(name="b", act=works, every=every)]
    await asyncio.wait_for(Scheduler(ground, wanted=wanted).run(stop), timeout=90)
    assert done.count("failed") > 2


async def test_a_stop_in_the_middle_of_a_task_is_no_fault_and_waits_until_it_has_ended(
    ground: Ground, caplog: pytest.LogCaptureFixture
) -> None:
    stop, ended = asyncio.Event(), asyncio.Event()

    async def lasts(_ground: Ground) -> None:
        stop.set()
        try:
            await asyncio.Event().wait()
        finally:
            # To give a connection back takes some turns of the event loop.
            for _ in range(20):
                await asyncio.sleep(0)
            ended.set()

    task = Task(name="lasts", act=lasts, every=timedelta(seconds=0.01), at_start=False)
    await asyncio.wait_for(Scheduler(ground, wanted=[task]).run(stop), timeout=90)
    assert ended.is_set()
    await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()})
    assert [each for each in caplog.records if each.exc_info] == []


async def test_a_task_that_lasts_is_not_begun_again_meanwhile_and_nobody_is_warned(
    ground: Ground, caplog: pytest.LogCaptureFixture
) -> None:
    stop = asyncio.Event()
    begun: list[str] = []

    async def lasts(_ground: Ground) -> None:
        begun.append("lasts")
        await stop.wait()

    async def ticks(_ground: Ground) -> None:
        begun.append("ticks")
        if begun.count("ticks") > 5:
            stop.set()

    wanted = [
        Task(name=act.__name__, act=act, every=timedelta(seconds=0.01), at_start=False)
        for act in (lasts, ticks)
    ]
    await asyncio.wait_for(Scheduler(ground, wanted=wanted).run(stop), timeout=90)
    assert begun.count("lasts") == 1
    assert caplog.messages == []


@pytest.mark.storage
@pytest.mark.settings(arriving={"look_timeout_s": 0.2})
async def test_every_task_of_the_service_runs(ground: Ground) -> None:
    from scheduler import scheduler

    for task in scheduler.tasks(ground):
        await task.act(ground)
