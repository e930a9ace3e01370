"""What every part of the demo works with: ground, clock, catcher, sample content and chance."""

import asyncio
import heapq
import itertools
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import TypeVar

import aiohttp

from delivery import worker
from foundation.audit import Actor
from foundation.ground import Ground
from handbill.demo.catcher import Catcher
from handbill.demo.clock import DemoClock
from handbill.demo.content import Content
from handbill.demo.mailbox import Mail

T = TypeVar("T")
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


class StoryError(Exception):
    """Something in the demo did not happen as it should have."""


def expect(is_so: bool, problem: str) -> None:
    """Go on only if something is so. Raises `StoryError` that says what is the matter."""
    if not is_so:
        raise StoryError(problem)


async def until(look: Callable[[], T | None], what: str, *, within_s: float = 20.0) -> T:
    """Look again and again until something is there. Raises `StoryError` when it never comes."""
    ends = asyncio.get_running_loop().time() + within_s
    while (found := look()) is None:
        if asyncio.get_running_loop().time() > ends:
            raise StoryError(f"{what} did not come within {within_s:.0f} seconds")
        await asyncio.sleep(0.05)
    return found


def link_in(mail: Mail | None, path: str) -> str:
    """The first link in a mail's text whose path starts with `path`. Raises `StoryError`."""
    found = re.search(rf"https?://[^\s/]+{re.escape(path)}[^\s>)\]]*", mail.text if mail else "")
    if found is None:
        raise StoryError(f"no mail with a link to {path}")
    return found[0]


def token_in(mail: Mail | None, path: str) -> str:
    """The last part of such a link."""
    return link_in(mail, path).partition("?")[0].rpartition("/")[2]
