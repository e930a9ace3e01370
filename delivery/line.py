"""A line to an SMTP server: what is written goes out at once, and replies come in one by one.

Replies may be packed into one packet or split across many (RFC 2920 §3.1); here that makes no
difference. aiosmtplib opens, secures and authenticates; then the transport is handed over.
"""

import asyncio
import re
from collections import deque

_REPLY = re.compile(rb"(\d{3})([ -]?)(.*)")
_LONGEST_REPLY = 32_768
"""Octets of one reply, all its lines together; whoever says more is no SMTP server."""

Answer = tuple[int, str]
"""Reply code and text (RFC 5321 §4.2)."""


class Line(asyncio.Protocol):
    """Raises `OSError` or `TimeoutError` wherever it waits, once the connection is of no use."""

    def __init__(self, transport: asyncio.Transport, *, timeout_s: float) -> None:
        self._transport = transport
        self._timeout_s = timeout_s
        self._buffer = b""
        self._lines: list[bytes] = []
        self._said = 0
        self._answers: deque[Answer] = deque()
        self._waiting: asyncio.Future[None] | None = None
        self._is_full = False
        self._lost: OSError | None = None
        # Full as soon as the kernel has not taken everything: `drained` waits for exactly that.
        transport.set_write_buffer_limits(high=0)
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

    def close(self) -> None:
        """End the connection without a word."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Cut what came into lines, and lines into replies."""
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            self._hear(line.rstrip(b"\r"))
        if self._said + len(self._buffer) > _LONGEST_REPLY:
            self._give_up("the server said more than any reply holds")
        if self._answers:
            self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever waits is told."""
        if self._lost is None:
            self._lost = ConnectionResetError(
                f"the connection was closed{f': {exc}' if exc else ''}"
            )
        self._wake()

    def pause_writing(self) -> None:
        """The kernel has not taken everything yet."""
        self._is_full = True

    def resume_writing(self) -> None:
        """It has now."""
        self._is_full = False
        self._wake()

    def _hear(self, line: bytes) -> None:
        found = _REPLY.fullmatch(line)
        if found is None:
            self._give_up("the server said something that is no SMTP reply")
            return
        self._lines.append(found[3])
        self._said += len(line)
        if found[2] != b"-":
            text = b" ".join(self._lines).decode("utf-8", "replace")
            self._answers.append((int(found[1]), text))
            self._lines.clear()
            self._said = 0

    def _give_up(self, said: str) -> None:
        if self._lost is None:
            self._lost = OSError(said)
        self._transport.abort()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def _wait(self) -> None:
        loop = asyncio.get_running_loop()
        self._waiting = loop.create_future()
        bell = loop.call_later(self._timeout_s, self._time_out, self._waiting)
        try:
            await self._waiting
        finally:
            bell.cancel()
            self._waiting = None

    def _time_out(self, waiting: asyncio.Future[None]) -> None:
        if not waiting.done():
            waiting.set_exception(TimeoutError("the server did not answer in time"))
