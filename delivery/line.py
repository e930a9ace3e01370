"""A line to an SMTP server: what is written goes out at once, and replies come in one by one.

Replies may be packed into one packet or split across many (RFC 2920 §3.1); here that makes no
difference. aiosmtplib opens, secures and authenticates; then the transport is handed over.
"""

import asyncio
import functools
import re
from collections import deque
from collections.abc import Callable
from socket import SO_SNDBUF, SOL_SOCKET

_REPLY = re.compile(rb"(\d{3})([ -]?)(.*?)\r*")
_LONGEST_REPLY = 32_768
"""Octets of one reply, all its lines together; whoever says more is no SMTP server."""

Answer = tuple[int, str]
"""Reply code and text (RFC 5321 §4.2)."""


class Line(asyncio.Protocol):
    """Raises `OSError` wherever it waits, once the connection is of no use."""

    def __init__(self, transport: asyncio.Transport, *, timeout_s: float) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._timeout_s = timeout_s
        self._since = 0.0
        self._bell: asyncio.TimerHandle | None = None
        self._room = _room_octets(transport)
        self._buffer = b""
        self._lines: list[str] = []
        self._said = 0
        self.answers: deque[Answer] = deque()
        """Replies that came, in their order, and nobody took yet."""
        self._waiting: asyncio.Future[None] | None = None
        self._step: Callable[[], bool] | None = None
        self._is_full = False
        self._lost: OSError | None = None
        # Full as soon as the kernel has not taken everything: `drained` waits for exactly that.
        # A transport under TLS calls itself full when 0 octets are the limit and none are there.
        is_secured = transport.get_extra_info("sslcontext") is not None
        transport.set_write_buffer_limits(high=1 if is_secured else 0, low=0)
        transport.set_protocol(self)
        if transport.is_closing():
            self._lost = ConnectionResetError("the connection was closed")

    @property
    def is_open(self) -> bool:
        """Whether the other side is still there, as far as is known."""
        return self._lost is None and not self._transport.is_closing()

    def write(self, octets: bytes) -> None:
        """Send octets, without waiting."""
        if self._lost is None and not self._transport.is_closing():
            self._transport.write(octets)

    def takes(self, size: int) -> bool:
        """Whether the kernel has room for so many octets, all that was sent before being there."""
        return size <= self._room and not self._is_full

    async def drained(self) -> None:
        """Wait until the kernel has everything that was written: a lost connection shows here."""
        while self.is_open and self._is_full:
            await self._wait()
        if not self.is_open:
            raise self._lost or ConnectionResetError("the connection was closed")

    async def answer(self) -> Answer:
        """The next reply. One that came before the connection was lost is still given."""
        while not self.answers:
            if self._lost is not None:
                raise self._lost
            await self._wait()
        return self.answers.popleft()

    async def attend(self, step: Callable[[], bool]) -> None:
        """Have `step` called whenever replies came, until it returns True or the line is lost.

        That costs no turn of the event loop for each reply. What `step` raises is raised here.
        """
        if self._lost is not None or step():
            return
        self._step = step
        try:
            await self._wait()
        finally:
            self._step = None

    def close(self) -> None:
        """End the connection without a word."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Cut what came into lines, and lines into replies."""
        if not (self._buffer or self._lines or self._lost):
            # As a rule it is whole replies of one line each, of which only the first is new.
            first, _, rest = data.partition(b"\n")
            answer, others = _whole(first), _all_whole(rest)
            if answer is not None and others is not None and data.endswith(b"\n"):
                self.answers.append(answer)
                self.answers.extend(others)
                self._wake()
                return
        lines = (self._buffer + data).split(b"\n")
        self._buffer = lines.pop()
        for line in lines:
            answer = _whole(line) if self._lost is None and not self._lines else None
            if answer is not None:
                self.answers.append(answer)
            else:
                self._hear(line)
        if self._said + len(self._buffer) > _LONGEST_REPLY:
            self._give_up(OSError("the server said more than any reply holds"))
        if self.answers:
            self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever waits is told."""
        if self._lost is None:
            self._lost = ConnectionResetError(
                f"the connection was closed{f': {exc}' if exc else ''}"
            )
        if self._bell is not None:
            self._bell.cancel()
            self._bell = None
        self._wake()

    def pause_writing(self) -> None:
        """The kernel has not taken everything yet."""
        self._is_full = True

    def resume_writing(self) -> None:
        """It has now."""
        self._is_full = False
        self._wake()

    def _hear(self, line: bytes) -> None:
        """One line of several, or what is no reply: behind that, nobody can tell what is one."""
        if self._lost is not None:
            return
        found = _REPLY.fullmatch(line)
        if found is None:
            self._give_up(OSError("the server said something that is no SMTP reply"))
            return
        self._lines.append(found[3].decode("utf-8", "replace"))
        self._said += len(line)
        if found[2] != b"-":
            self.answers.append((int(found[1]), " ".join(self._lines)))
            self._lines.clear()
            self._said = 0

    def _give_up(self, problem: OSError) -> None:
        if self._lost is None:
            self._lost = problem
        self._transport.abort()

    def _wake(self) -> None:
        waiting = self._waiting
        if waiting is None or waiting.done():
            return
        if self._step is not None and self._lost is None:
            self._since = self._loop.time()
            try:
                if not self._step():
                    return
            except BaseException as problem:  # noqa: BLE001 - raised again where it is awaited
                waiting.set_exception(problem)
                return
        waiting.set_result(None)

    async def _wait(self) -> None:
        self._waiting = self._loop.create_future()
        self._since = self._loop.time()
        if self._bell is None:
            self._bell = self._loop.call_later(self._timeout_s, self._ring)
        try:
            await self._waiting
        finally:
            self._waiting = None

    def _ring(self) -> None:
        """One bell serves many waits: it rings when the first would be over, and is set again."""
        self._bell = None
        if self._waiting is None or self._waiting.done():
            return
        left_s = self._since + self._timeout_s - self._loop.time()
        if left_s > 0:
            self._bell = self._loop.call_later(left_s, self._ring)
        else:
            self._give_up(TimeoutError("the server did not answer in time"))
            self._waiting.set_result(None)


@functools.lru_cache(maxsize=512)
def _whole(line: bytes) -> Answer | None:
    """The reply that a line is by itself, if it is; servers say the same again and again."""
    found = _REPLY.fullmatch(line)
    if found is None or found[2] == b"-":
        return None
    return int(found[1]), found[3].decode("utf-8", "replace")


@functools.lru_cache(maxsize=64)
def _all_whole(octets: bytes) -> tuple[Answer, ...] | None:
    """The replies that octets are, if they are nothing but whole ones of one line each."""
    found = [_whole(line) for line in octets.split(b"\n")[:-1]]
    answers = tuple([answer for answer in found if answer is not None])
    return answers if len(answers) == len(found) and octets[-1:] in (b"", b"\n") else None


def _room_octets(transport: asyncio.Transport) -> int:
    """What the kernel takes at once; half of the buffer is for what it keeps beside the octets."""
    socket = transport.get_extra_info("socket")
    return socket.getsockopt(SOL_SOCKET, SO_SNDBUF) // 2 if socket is not None else 0
