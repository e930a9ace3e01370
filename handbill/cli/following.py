"""Follows a campaign to its end with a progress bar; sends it here if no other process does."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

import sqlalchemy as sa
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlmodel import col

from campaigns import lifecycle, reports
from campaigns.models import CampaignState
from delivery.ledger import Counts
from delivery.models import Worker as WorkerRow
from delivery.worker import Worker
from foundation.ground import Ground
from handbill import serving
from handbill.cli import kit

_LOOK_S = 0.3
_ALONE_EVERY_S = 3.0
_ALIVE = timedelta(seconds=45)
"""A sending process says that it lives every fifteen seconds."""
_ENDED = (CampaignState.SENT, CampaignState.CANCELLED)


async def follow(ground: Ground, *, campaign_id: int) -> str:
    """Until it ended, or the person interrupts; the state then. Raises `errors.NotFound`."""
    stop = serving.stop_on_signals()
    console = kit.console()
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task("sending", total=None)
        async with _sending(ground, stop) as sending:
            while True:
                await lifecycle.follow_dispatches(ground)
                state = (await lifecycle.show(ground, campaign_id=campaign_id)).campaign.state
                counts = await reports.progress(ground, campaign_id=campaign_id)
                bar.update(
                    task, description=state, total=counts.audience, completed=_settled(counts)
                )
                if state in _ENDED or stop.is_set() or sending.done():
                    return state
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), _LOOK_S)


@contextlib.asynccontextmanager
async def _sending(ground: Ground, stop: asyncio.Event) -> AsyncIterator[asyncio.Task[None]]:
    """Sends here while no other process does; what is on the wire is finished at the end.

    Yields the task, which ends by itself only when sending failed; its error is raised then.
    """
    task = asyncio.create_task(_send_when_alone(ground, stop))
    try:
        yield task
    finally:
        stop.set()
        await task


async def _send_when_alone(ground: Ground, stop: asyncio.Event) -> None:
    while not stop.is_set() and await _is_sent_elsewhere(ground):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _ALONE_EVERY_S)
    if not stop.is_set():
        await Worker(ground).run(stop)


async def _is_sent_elsewhere(ground: Ground) -> bool:
    """Whether another process that sends has said lately that it lives."""
    statement = sa.select(
        sa.exists().where(
            col(WorkerRow.closed_at).is_(None),
            col(WorkerRow.seen_at) > ground.clock.now() - _ALIVE,
        )
    )
    async with ground.db.reading() as session:
        return bool((await session.execute(statement)).scalar_one())


def _settled(counts: Counts) -> int:
    return counts.audience - counts.queued - counts.deferred
