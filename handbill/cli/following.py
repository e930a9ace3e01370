"""Follows a campaign to its end with a progress bar; sends it here if no other process does."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

import click
import sqlalchemy as sa
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from sqlmodel import col

from campaigns import campaign_views, lifecycle, telling
from campaigns.models import CampaignState
from campaigns.telling import Told
from delivery.models import Worker as WorkerRow
from delivery.progress import Watch
from delivery.worker import Worker
from foundation.ground import Ground
from foundation.i18n import N_, Translator
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
    watch, speaks = Watch(ground), kit.translator()
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[pace]}", markup=False),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task("sending", total=None, pace="")
        async with _sending(ground, stop) as sending:
            while True:
                await lifecycle.follow_dispatches(ground)
                view = await campaign_views.show(ground, campaign_id=campaign_id)
                state, order = view.campaign.state, view.dispatch
                is_over = state in _ENDED or stop.is_set() or sending.done()
                if order is not None:
                    # At the end, what was seen a moment ago is too old.
                    looking = Watch(ground) if is_over else watch
                    told = telling.tell(await looking.read(order.id), speaks)
                    _draw(bar, task, state, told, speaks)
                    if is_over:
                        _sum_up(told, speaks)
                if is_over:
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


def _draw(bar: Progress, task: TaskID, state: str, told: Told, speaks: Translator) -> None:
    bar.update(
        task,
        description=state,
        total=told.maximum,
        completed=told.value,
        pace=_pace(told, speaks),
    )


def _pace(told: Told, speaks: Translator) -> str:
    """How fast, how long still, who is in the way most, and which relay carries it, in one line."""
    parts = [told.texts["rate"]]
    if told.texts["left"] != telling.NOTHING:
        parts.append(speaks.gettext(N_("%(time)s left")) % {"time": told.texts["left"]})
    return " · ".join([*parts, *told.lists["reasons"][:1], *told.lists["relays"]])


def _sum_up(told: Told, speaks: Translator) -> None:
    """On standard error: what came of it, at which rate, by which relay, and why not of all."""
    average = speaks.gettext(N_("%(rate)s on average")) % {"rate": told.texts["average"]}
    click.echo(" · ".join([told.texts["done"], average, *told.lists["relays"]]), err=True)
    for line in told.lists["reasons"]:
        click.echo(f"  {line}", err=True)
