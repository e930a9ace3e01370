"""The whole service while it sends: how much memory it takes, and how soon its pages answer."""

import asyncio
import contextlib
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from sqlmodel import col, func, select

from bench import house
from bench import sink as sinks
from bench.measure import Figure
from campaigns import lifecycle
from delivery.models import Delivery, NoticeState, QueuedNotice
from foundation.accounts import team
from foundation.accounts.models import Role
from foundation.audit import COMMAND
from foundation.ground import Ground
from handbill.demo.browser import Browser
from tests.world import campaigning, mailing, service

MOST_MB = 120.0
MOST_GROWTH = 1.1
FIRST_WITHIN_S = 5.0
OVERVIEW_MS = 150.0
SIGN_UP_MS = 250.0
CONFIRMATION_S = 2.0
_EMAIL = "owner@coalition.example"
_LOOK_S = 0.05
# Everybody here comes from one address, and nobody's mailbox is spared.
_UNLIMITED = {
    "submissions_per_network_per_hour": 1_000_000,
    "submissions_per_form_per_hour": 1_000_000,
    "confirmations_per_hour": 1_000_000,
    "confirmations_per_domain_per_hour": 1_000_000,
    "challenge": "never",
    "min_seconds_on_form": 0,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Sent:
    """What was seen of a service that sent one bulletin."""

    most_mb: float
    """Memory of all its processes at its highest."""
    first_s: float
    """From the start of the campaign until the relay had taken the first message."""


async def memory(*, few: int, many: int) -> list[Figure]:
    """Memory while sending to few and to many, and when the first of many goes out."""
    small, large = await _send_to(few), await _send_to(many)
    growth = large.most_mb / small.most_mb
    return [
        Figure(
            name=f"memory of the service, {many:,} people",
            value=large.most_mb,
            unit="MB",
            limit=MOST_MB,
        ),
        Figure(name=f"… as many times that with {few:,}", value=growth, unit="", limit=MOST_GROWTH),
        Figure(
            name=f"first of {many:,} taken after",
            value=large.first_s,
            unit="s",
            limit=FIRST_WITHIN_S,
        ),
    ]


async def answers(*, people: int) -> list[Figure]:
    """The 95th percentile of a staff page and of a sign-up while a dispatch is under way.

    And how long the slowest confirmation took, from the sign-up until the relay had it.
    """
    async with _site(people) as (ground, running):
        async with Browser(running.url) as browser:
            link = await team.add(ground, actor=COMMAND, email=_EMAIL, role=Role.OWNER)
            page = await browser.open(link.replace(ground.settings.site.url, running.url))
            await browser.send(page.form("/staff/signin/"))
            form = (await browser.open("/subscribe")).form("/subscribe")
            number = await _start(ground)
            overview: list[float] = []
            sign_up: list[float] = []
            while (await mailing.counts(ground, number)).queued:
                began = time.perf_counter()
                await browser.open("/staff")
                overview.append(time.perf_counter() - began)
                began = time.perf_counter()
                await browser.send(form, email=f"new{len(sign_up)}@example.org")
                sign_up.append(time.perf_counter() - began)
        waited_s = await _confirmations(ground)
    return [
        _p95("staff overview while sending, p95", overview, limit_ms=OVERVIEW_MS),
        _p95("POST /subscribe while sending, p95", sign_up, limit_ms=SIGN_UP_MS),
        Figure(
            name="confirmation taken after, longest",
            value=max(waited_s),
            unit="s",
            limit=CONFIRMATION_S,
            times=len(waited_s),
        ),
    ]


async def _confirmations(ground: Ground) -> list[float]:
    """How long each one waited, once all are out."""
    while True:
        async with ground.db.reading() as session:
            found = (
                await session.exec(
                    select(
                        col(QueuedNotice.state),
                        col(QueuedNotice.created_at),
                        col(QueuedNotice.sent_at),
                    ).where(col(QueuedNotice.subscriber_id).is_not(None))
                )
            ).all()
        if all(state != NoticeState.QUEUED for state, _, _ in found):
            return [(sent - queued).total_seconds() for _, queued, sent in found if sent]
        await asyncio.sleep(_LOOK_S)


async def _send_to(people: int) -> _Sent:
    async with _site(people) as (ground, running):
        began = ground.clock.now()
        number = await _start(ground)
        most_mb, last = 0.0, time.monotonic()
        while (await mailing.counts(ground, number)).queued:
            while time.monotonic() < last + 1.0:
                most_mb = max(most_mb, _taken_mb(running.process.pid))
                await asyncio.sleep(_LOOK_S)
            last = time.monotonic()
        async with ground.db.reading() as session:
            first = (await session.exec(select(func.min(col(Delivery.sent_at))))).one()
    if first is None:
        raise AssertionError("nobody was sent anything")
    return _Sent(most_mb=most_mb, first_s=(first - began).total_seconds())


@contextlib.asynccontextmanager
async def _site(people: int) -> AsyncIterator[tuple[Ground, service.Service]]:
    """A service with so many people, its mail going to a sink."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        changes = {"signup": _UNLIMITED}
        async with (
            sinks.running() as port,
            house.opened(folder, port=port, changes=changes) as ground,
        ):
            await house.crowd(ground, people)
            async with service.running(ground.settings, folder, is_forked=False) as running:
                yield ground, running


async def _start(ground: Ground) -> int:
    """Press start on an approved campaign; returns the dispatch's number."""
    made = await campaigning.approved(ground)
    return (await lifecycle.start(ground, actor=COMMAND, campaign_id=made.id)).id


def _taken_mb(service: int) -> float:
    """Physical memory of a process and those that it forked, in megabytes.

    What several share is counted once (proportional set size, proc(5)).
    """
    forked = Path(f"/proc/{service}/task/{service}/children").read_text(encoding="ascii").split()
    return sum(map(_own_mb, (service, *map(int, forked))))


def _own_mb(process: int) -> float:
    for line in Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1000
    return 0.0


def _p95(name: str, seconds: list[float], *, limit_ms: float) -> Figure:
    """The 95th percentile."""
    return Figure(
        name=name,
        value=statistics.quantiles(seconds, n=20)[-1] * 1000,
        unit="ms",
        limit=limit_ms,
        times=len(seconds),
    )
