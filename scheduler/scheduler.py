"""Drives what happens by itself: due campaigns, held sign-ups, housekeeping.

APScheduler only ticks. What is due stands in the database, and becoming due is a compare-and-set,
so any number of schedulers may run at once and none of them is needed for the others.
"""

import asyncio
import contextlib
import functools
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from campaigns import (
    alarms,
    archiving,
    breakdowns,
    due,
    feed_polling,
    inbox,
    lifecycle,
    senders,
    series_runs,
    series_sending,
    trials,
    webhooks,
    welcome_sending,
)
from campaigns.preflight import following
from delivery import allowances, blocks, outbox, returns
from delivery.arriving import looks
from delivery.hooks import backlog, receiving
from delivery.inbound import letters
from foundation import errors, logs
from foundation.accounts import idempotency, signin
from foundation.finishing import finished
from foundation.frozen import frozen
from foundation.ground import Ground
from subscribers import growth, partner_keys, renewing, retention, sharing, telling, widget_health

_log = logs.get("scheduler")

Act = Callable[[Ground], Awaitable[object]]


@frozen
class Task:
    """Something to be done again and again."""

    name: str
    act: Act
    every: timedelta
    at_start: bool = True
    """Whether it is done at once when the service starts, before anything ticks."""


def tasks(ground: Ground) -> Sequence[Task]:
    """Everything that happens by itself."""
    tick = timedelta(seconds=ground.settings.scheduler.tick_s)
    return (
        Task(name="draft due editions", act=series_runs.draft_due, every=tick),
        Task(name="send editions", act=series_sending.send_drafted, every=tick),
        Task(name="start due campaigns", act=due.start_due, every=tick),
        Task(name="close sent campaigns", act=lifecycle.follow_dispatches, every=tick),
        Task(name="welcome new people", act=welcome_sending.work, every=timedelta(minutes=1)),
        Task(name="look at what came back", act=alarms.watch, every=tick),
        Task(
            name="count for reports",
            act=breakdowns.work,
            every=timedelta(minutes=1),
            # It looks at everybody, which takes a while where many are.
            at_start=False,
        ),
        Task(name="choose between two forms", act=trials.watch, every=tick),
        Task(name="hold hosts that refuse us", act=blocks.watch, every=timedelta(minutes=1)),
        Task(name="tell other programs", act=webhooks.work, every=tick),
        Task(name="act on webhooks", act=backlog.work, every=tick),
        Task(name="mail held sign-ups", act=retention.release_held, every=timedelta(minutes=5)),
        Task(name="ask members whether they stay", act=renewing.work, every=timedelta(hours=1)),
        Task(
            name="count who came and left",
            act=growth.work,
            every=timedelta(minutes=1),
            # The first time it looks at every step that anybody ever took.
            at_start=False,
        ),
        Task(name="tell partners", act=telling.tell, every=timedelta(minutes=1)),
        Task(name="look at partners' pages", act=widget_health.watch, every=timedelta(hours=1)),
        Task(name="retire keys", act=partner_keys.retire_due, every=timedelta(minutes=1)),
        Task(
            name="read feeds",
            act=feed_polling.poll_due,
            every=timedelta(minutes=1),
            # It asks servers far away, which may take their time.
            at_start=False,
        ),
        Task(name="tidy the inbox", act=inbox.tidy, every=timedelta(hours=6)),
        Task(name="tidy sharings", act=sharing.tidy, every=timedelta(hours=6)),
        Task(name="tidy people", act=retention.tidy, every=timedelta(hours=6)),
        Task(name="tidy sent notices", act=outbox.tidy, every=timedelta(hours=6)),
        Task(name="tidy limits", act=allowances.tidy, every=timedelta(hours=6)),
        Task(name="tidy returned mail", act=returns.tidy, every=timedelta(hours=6)),
        Task(name="tidy letters", act=letters.tidy, every=timedelta(hours=6)),
        Task(name="tidy waiting webhooks", act=backlog.tidy, every=timedelta(hours=6)),
        Task(name="tidy webhook tokens", act=receiving.tidy, every=timedelta(hours=6)),
        Task(name="fill the archive", act=archiving.fill_in, every=timedelta(hours=6)),
        Task(name="tidy links", act=following.tidy, every=timedelta(hours=6)),
        Task(name="tidy webhook calls", act=webhooks.tidy, every=timedelta(hours=6)),
        Task(name="tidy sessions", act=signin.tidy, every=timedelta(hours=6)),
        Task(name="tidy API keys", act=idempotency.tidy, every=timedelta(hours=6)),
        Task(
            name="look whether mail arrives",
            act=functools.partial(looks.look_when_due, planned=senders),
            every=timedelta(minutes=10),
            # It asks servers far away, which may take their time.
            at_start=False,
        ),
    )


class Scheduler:
    """One scheduler of one process."""

    def __init__(self, ground: Ground, *, wanted: Sequence[Task] | None = None) -> None:
        self._ground = ground
        self._tasks = tasks(ground) if wanted is None else wanted
        self._under_way: dict[str, asyncio.Task[None]] = {}
        """By the name of what is done."""

    async def run(self, stop: asyncio.Event) -> None:
        """Do what is done at the start, then each at its time, until `stop` is set.

        What runs then is cancelled, and has ended when this returns.
        """
        ticking = AsyncIOScheduler(timezone="UTC")
        for task in self._tasks:
            if task.at_start:
                await self._do(task)
            ticking.add_job(
                self._tick,
                IntervalTrigger(seconds=task.every.total_seconds()),
                args=(task,),
                id=task.name,
                # Ticks that come late are one tick.
                coalesce=True,
                # One that does something, and those that see it and end: of one more than are
                # allowed, APScheduler would warn, also where the last one has just seen it.
                max_instances=10,
                misfire_grace_time=None,
            )
        ticking.start()
        try:
            await stop.wait()
        finally:
            # It cancels what runs and, in an event loop, can't wait for it.
            ticking.shutdown(wait=False)
            if self._under_way:
                await finished(asyncio.wait(list(self._under_way.values())))

    async def _tick(self, task: Task) -> None:
        """A task in its turn, unless its last one still runs.

        A stop cancels what runs, which APScheduler would call a fault.
        """
        if task.name in self._under_way:
            return
        doing = self._under_way[task.name] = asyncio.create_task(self._do(task))
        doing.add_done_callback(lambda _: self._under_way.pop(task.name))
        with contextlib.suppress(asyncio.CancelledError):
            await doing

    async def _do(self, task: Task) -> None:
        """One tick; whatever goes wrong is logged, and the next tick tries again."""
        try:
            await task.act(self._ground)
        except errors.Busy as problem:
            _log.warning("a task waits", task=task.name, said=str(problem))
        except Exception:  # noqa: BLE001 - one task must not end the others
            _log.exception("a task failed", task=task.name)
