"""Processes that send beside the first one, so that bulletins go out on every core.

They are forked before anything runs in the first one, and share with it what is loaded. All of them
live by a pipe: where its other end is closed, however that came, they finish what is on the wire
and end. What one leaves that is killed is settled by the others, as after any crash.
"""

import asyncio
import contextlib
import functools
import os
import signal
from collections.abc import Awaitable, Callable, Iterable
from typing import NamedTuple

from delivery.shift import pause
from foundation import forking, logs
from foundation.config import Settings

_log = logs.get("crew")

_MOST = 4
"""Processes that are begun without being asked for: the relay is the limit long before that."""
_LOOK_S = 1.0
"""How often the first process looks whether another one ended."""
_END_S = 0.05
"""The same when they were told to."""
_BEGIN = b"\n"
_NICER = 5
"""Pages are answered first."""

Send = Callable[[int, int], None]
"""What another process does: its place (from 1), and a file that can be read when it is to stop."""


class Share(NamedTuple):
    """Which of how many processes one is, counted from 0: they share a relay's connections."""

    place: int = 0
    of: int = 1

    def part(self, connections: int) -> int:
        """This one's part of so many connections; one at least, however few an owner sets later."""
        return max(1, connections // self.of + (self.place < connections % self.of))


ALONE = Share()


def size(settings: Settings) -> int:
    """How many processes send on this machine, the first one among them.

    By themselves only where a domain's connections, which count for each process, are not limited.
    """
    most = min(relay.connections for relay in settings.relay)
    wanted = settings.delivery.processes
    if not wanted:
        is_narrow = any(limit.connections for limit in settings.domain_limit)
        wanted = 1 if is_narrow else min(_MOST, os.cpu_count() or 1)
    return min(wanted, most)


class Crew:
    """The others, as the first process has them; make it with `forked`."""

    def __init__(self, processes: Iterable[int] = (), *, line: int = -1) -> None:
        self._processes = set(processes)
        self._line = line
        self.share = Share(0, len(self._processes) + 1)
        """The part of the first process."""

    @classmethod
    def forked(cls, number: int, send: Send) -> "Crew":
        """So many others; to be called before there are threads or an event loop.

        They begin to `send` when told by `run`.
        """
        if not number:
            return NOBODY
        ends, line = os.pipe()
        processes = [
            forking.forked(
                functools.partial(_be, send, place, ends, line),
                name=f"sender {place}",
                deaf_to=(signal.SIGINT,),
            )
            for place in range(1, number + 1)
        ]
        os.close(ends)
        return cls(processes, line=line)

    async def run(self, stop: asyncio.Event, *, lost: Callable[[], Awaitable[None]]) -> None:
        """Have them send until `stop` is set; returns when they have finished.

        `lost` is called when one is gone that nobody told to.
        """
        if not self._processes:
            return
        with contextlib.suppress(BrokenPipeError):
            os.write(self._line, _BEGIN * len(self._processes))
        while not stop.is_set():
            await pause(stop, _LOOK_S)
            for process in self._ended():
                _log.error("a sending process is gone; the others go on", process=process)
                await lost()
        os.close(self._line)
        while self._processes:
            self._ended()
            await asyncio.sleep(_END_S)

    def _ended(self) -> Iterable[int]:
        """Those that ended since the last time."""
        gone = [process for process in self._processes if forking.has_ended(process)]
        self._processes.difference_update(gone)
        return gone


NOBODY = Crew()


def _be(send: Send, place: int, ends: int, line: int) -> None:
    """The life of another sender."""
    os.close(line)
    os.nice(_NICER)
    if os.read(ends, len(_BEGIN)):
        send(place, ends)
