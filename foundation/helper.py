"""A process that does one kind of work for another, over a line between the two.

It is forked before there are threads or an event loop, as senders are, and begins nothing before it
is first asked: until then it shares its memory with the first process. It lives by the line: when
that is closed, however that came, it ends what it is at, and then itself.
"""

import asyncio
import contextlib
import functools
import pickle
import signal
import socket
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from foundation import errors, forking, logs
from foundation.i18n import N_

_log = logs.get("helper")

_LENGTH_OCTETS = 4
_PATIENCE_S = 60.0
"""So long an answer is waited for; whatever holds the database up so long has told us before."""
_LOOKS = 250
_LOOK_S = 0.02
"""So often, and after so long, it is looked whether the process has ended."""
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Life = Callable[[socket.socket], None]
"""What the process does from when it is first asked, with its end of the line."""


class Gone(errors.Busy):
    """The helper is not there any more; what it was asked last may have been done or not."""

    def __init__(self) -> None:
        super().__init__(
            N_("The database can't be used just now. Nothing was lost; try again in a moment.")
        )


class Helper:
    """The other process, as the first one has it; make it with `forked`."""

    def __init__(self, process: int, line: socket.socket) -> None:
        self.process = process
        self._line = line
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._asked: deque[asyncio.Future[Any]] = deque()
        """Who waits for an answer; answers come in the order of questions."""
        self.is_gone = False
        """Whether it can't be asked any more."""

    @classmethod
    def forked(cls, life: Life) -> "Helper":
        """A process that waits to be asked."""
        ours, theirs = socket.socketpair()
        process = forking.forked(
            functools.partial(_live, life, ours, theirs),
            name="helper",
            # Who stops the service ends this one last, by the line.
            deaf_to=(signal.SIGINT, signal.SIGTERM),
        )
        theirs.close()
        return cls(process, ours)

    async def open(self) -> None:
        """Take up the line, which wakes nobody yet."""
        reader, self._writer = await _opened(self._line)
        self._reading = asyncio.create_task(self._read(reader))

    async def ask(self, asked: object) -> Any:
        """What comes of it. Raises what it was refused for, and `Gone`.

        A further question may be asked before the first is answered, and lies ready then.
        """
        if self.is_gone or self._writer is None:
            raise Gone
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._asked.append(answer)
        try:
            async with asyncio.timeout(_PATIENCE_S):
                self._writer.write(_framed(asked))
                await self._writer.drain()
                return await answer
        except OSError as problem:  # a timeout is one
            self._give_up()
            raise Gone from problem

    async def close(self) -> None:
        """Let it end, and see it ended."""
        if self._reading is not None and self._writer is not None:
            self._reading.cancel()
            self._writer.close()
        self._line.close()
        for _ in range(_LOOKS):
            if forking.has_ended(self.process):
                return
            await asyncio.sleep(_LOOK_S)
        _log.error("a helping process does not end", process=self.process)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        """Hand answers out until the line is closed."""
        with contextlib.suppress(OSError, EOFError):
            while True:
                is_done, found = await _read(reader)
                answer = self._asked.popleft()
                if answer.done():
                    continue  # whoever asked went away
                if is_done:
                    answer.set_result(found)
                else:
                    answer.set_exception(found)
        self._give_up()

    def _give_up(self) -> None:
        if not self.is_gone:
            _log.error("a helping process is gone", process=self.process)
        self.is_gone = True
        while self._asked:
            answer = self._asked.popleft()
            if not answer.done():
                answer.set_exception(Gone())


async def help_out(line: socket.socket, work: Callable[[Any], Awaitable[object]]) -> None:
    """Do what is asked for, one after the other, until the line is closed."""
    reader, writer = await _opened(line)
    with contextlib.suppress(OSError, EOFError):
        while True:
            asked = await _read(reader)
            try:
                answer = _framed((True, await work(asked)))
            except errors.HandbillError as problem:
                answer = _framed((False, problem))
            except Exception as problem:  # noqa: BLE001 - whoever asked is told
                _log.error("a helping process could not do it", exc_info=problem)
                answer = _framed((False, RuntimeError(repr(problem))))
            writer.write(answer)
            await writer.drain()
    writer.close()


def _live(life: Life, ours: socket.socket, theirs: socket.socket) -> None:
    ours.close()
    if theirs.recv(1, socket.MSG_PEEK):
        life(theirs)


async def _opened(line: socket.socket) -> Streams:
    line.setblocking(False)
    return await asyncio.open_unix_connection(sock=line)


def _framed(said: object) -> bytes:
    octets = pickle.dumps(said, pickle.HIGHEST_PROTOCOL)
    return len(octets).to_bytes(_LENGTH_OCTETS, "big") + octets


async def _read(reader: asyncio.StreamReader) -> Any:
    """What the other end said; both ends are one program, which was forked."""
    length = int.from_bytes(await reader.readexactly(_LENGTH_OCTETS), "big")
    return pickle.loads(await reader.readexactly(length))  # noqa: S301 - see above
