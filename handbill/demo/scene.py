"""What every part of the demo works with: ground, clock, catcher, sample content and chance."""

import heapq
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import aiohttp

from delivery import worker
from foundation.audit import Actor
from foundation.ground import Ground
from handbill.demo.catcher import Catcher
from handbill.demo.clock import DemoClock
from handbill.demo.content import Content

Act = Callable[[], Awaitable[object]]


class Timeline:
    """What happens in the past, each thing at its moment; acts may add what follows from them."""

    def __init__(self, clock: DemoClock) -> None:
        self._clock = clock
        self._ahead: list[tuple[datetime, int, Act]] = []
        self._numbers = itertools.count()

    def add(self, at: datetime, act: Act) -> None:
        """Let `act` happen at a moment."""
        heapq.heappush(self._ahead, (at, next(self._numbers), act))

    def after(self, wait: timedelta, act: Act) -> None:
        """Let `act` happen some time from the clock's present."""
        self.add(self._clock.now() + wait, act)

    async def run(self) -> None:
        """Let everything happen, in order, with the clock standing at each moment."""
        while self._ahead:
            at, _, act = heapq.heappop(self._ahead)
            self._clock.stand_at(at)
            await act()


@dataclass(frozen=True, kw_only=True)
class Scene:
    """The demo while its history is made."""

    ground: Ground
    clock: DemoClock
    timeline: Timeline
    catcher: Catcher
    sample: Content
    random: Random
    folder: Path
    now: datetime
    """The machine's time when the demo began; history is counted back from it."""
    web: aiohttp.ClientSession
    """Readers' mail programs and browsers."""
    staff: dict[str, Actor] = field(default_factory=dict)
    """Who works at the made-up office, by role."""
    addresses: set[str] = field(default_factory=set)
    """Those given to somebody already."""

    def ago(self, days: float) -> datetime:
        """A moment in the past."""
        return self.now - timedelta(days=days)

    async def deliver(self) -> None:
        """Send everything that is due."""
        await worker.run_until_idle(self.ground)
