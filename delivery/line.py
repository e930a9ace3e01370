"""A line to an SMTP server: what is written goes out at once, and replies come in one by one.

Replies may be packed into one packet or split across many (RFC 2920 §3.1); here that makes no
difference. aiosmtplib opens, secures and authenticates; then the transport is handed over.
"""

import asyncio
import functools
import re
from collections import deque
from collections.abc import Callable, Collection
from socket import SO_SNDBUF, SOL_SOCKET

_REPLY = re.compile(rb"(\d{3})([ -]?)(.*)")
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
        self._answers: deque[Answer] = deque()
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
        if self.is_open:
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
        while not self._answers:
            if self._lost is not None:
                raise self._lost
            await self._wait()
        return self._answers.popleft()

    @property
    def has_answer(self) -> bool:
        """Whether a reply is there already."""
        return bool(self._answers)

    def next_if(self, wanted: Collection[int]) -> Answer | None:
        """The next reply, if it is there already and its code is as wanted."""
        answers = self._answers
        return answers.popleft() if answers and answers[0][0] in wanted else None

    def heard(self, *wanted: Collection[int]) -> bool | None:
        """Take the next replies if their codes are as wanted; None while some have to come yet."""
        answers = self._answers
        for (code, _), codes in zip(answers, wanted, strict=False):
            if code not in codes:
                return False
        if len(answers) < len(wanted):
            return None
        for _ in wanted:
            answers.popleft()
        return True

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
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            # Behind something that is no reply, nobody can tell what a reply is to.
            if self._lost is None:
                self._hear(line.rstrip(b"\r"))
        if self._said + len(self._buffer) > _LONGEST_REPLY:
            self._give_up(OSError("the server said more than any reply holds"))
        if self._answers:
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
        found = _parsed(line)
        if found is None:
            self._give_up(OSError("the server said something that is no SMTP reply"))
            return
        code, is_last, text = found
        if is_last and not self._lines:
            self._answers.append((code, text))
            return
        self._lines.append(text)
        self._said += len(line)
        if is_last:
            self._answers.append((code, " ".join(self._lines)))
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
def _parsed(line: bytes) -> tuple[int, bool, str] | None:
    """Code, whether it is the reply's last line, and text; servers say the same again and again."""
    found = _REPLY.fullmatch(line)
    if found is None:
        return None
    return int(found[1]), found[2] != b"-", found[3].decode("utf-8", "replace")


def _room_octets(transport: asyncio.Transport) -> int:
    """What the kernel takes at once; half of the buffer is for what it keeps beside the octets."""
    socket = transport.get_extra_info("socket")
    return socket.getsockopt(SOL_SOCKET, SO_SNDBUF) // 2 if socket is not None else 0
