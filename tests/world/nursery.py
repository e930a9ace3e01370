"""A process that makes a child of itself for each sender which is to be killed at a certain write.

It reads a line for each, with settings and the number of a moment, and says how the child ended.
Moments are counted before and after every write that somebody else can see: to the journal, to the
relay, and each commit. What it sent once itself its children need not compile and put together.
"""

import asyncio
import json
import os
import signal
import sys
import types
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session

from delivery import journal, worker
from delivery.journal import Journal
from delivery.line import Line
from foundation import logs
from foundation.clock import SystemClock
from foundation.config import Settings
from foundation.ground import Ground
from tests.world import grounds

ROOT = Path(__file__).parents[2]
_NEVER = 0


class Nursery:
    """As the test sees it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def practise(self, settings: Settings) -> None:
        """Send all that is due in the process itself."""
        assert await self.send(settings, killed_at=_NEVER) == 0

    async def send(self, settings: Settings, *, killed_at: int) -> int:
        """Send all that is due in a child, killed at this moment; returns how it ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        words = {"settings": settings.model_dump(mode="json"), "killed_at": killed_at}
        self._process.stdin.write(json.dumps(words).encode() + b"\n")
        return int(await self._process.stdout.readline())


@asynccontextmanager
async def opened() -> AsyncIterator[Nursery]:
    """A nursery for as long as the block lasts."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.world.nursery",
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    try:
        yield Nursery(process)
    finally:
        process.stdin.close()
        await process.wait()


class _Countdown:
    """Kills this process at one of the moments that it is told of."""

    def __init__(self, left: int) -> None:
        self._left = left

    def tick(self, *_: Any) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, act: Callable[..., Any]) -> Callable[..., Any]:
        """The same act with a moment before and one after it."""

        def watched(*given: Any, **named: Any) -> Any:
            self.tick()
            result = act(*given, **named)
            self.tick()
            return result

        return watched

    def watch(self, ground: Ground) -> None:
        """Put moments around everything that outlives this process."""
        system = types.SimpleNamespace(**vars(os))
        for name in ("open", "write", "ftruncate"):
            setattr(system, name, self.around(getattr(os, name)))
        for holder, name, act in (
            (journal, "os", system),
            (Journal, "retire", self.around(Journal.retire)),
            (Line, "write", self.around(Line.write)),
        ):
            setattr(holder, name, act)
        event.listen(ground.db.engine.sync_engine, "commit", self.tick)
        event.listen(Session, "after_commit", self.tick)


async def _send(settings: Settings, killed_at: int) -> None:
    async with grounds.standing(settings, SystemClock()) as ground:
        if killed_at != _NEVER:
            _Countdown(killed_at).watch(ground)
        await worker.run_until_idle(ground)


def _in_a_child(settings: Settings, killed_at: int) -> int:
    child = os.fork()
    if child == 0:
        asyncio.run(_send(settings, killed_at))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def main() -> None:
    """A child for each line, one after the other."""
    logs.configure(level="error")
    for line in sys.stdin:
        words = json.loads(line)
        settings = Settings.model_validate(words["settings"])
        if words["killed_at"] == _NEVER:
            asyncio.run(_send(settings, _NEVER))
            ended = 0
        else:
            ended = _in_a_child(settings, words["killed_at"])
        sys.stdout.write(f"{ended}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
