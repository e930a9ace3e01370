"""A quick SMTP server for tests about faults: counts what it took, and misbehaves when told to.

It takes a message only with its last dot, as RFC 5321 §4.1.1.4 says, and notes it before it
answers; so what it noted is what a real server would have delivered.
"""

import asyncio
import ssl
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

Act = Callable[["Connection"], None]


@dataclass(slots=True)
class Sink:
    """The server's memory, and what it was told to do."""

    port: int = 0
    taken: Counter[str] = field(default_factory=Counter)
    """Messages taken in full, by recipient."""
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    connections: set["Connection"] = field(default_factory=set)
    accepted: int = 0
    """How many connections were made, ever."""
    commands: list[str] = field(default_factory=list)
    """Every command line, in order."""
    greeting: bytes = b"220 sink.test ESMTP\r\n"
    extensions: tuple[str, ...] = ("PIPELINING", "SIZE 50000000", "SMTPUTF8", "8BITMIME")
    drips: bool = False
    """Says each octet of a reply in a packet of its own."""
    takes_data_for_nobody: bool = False
    """Answers DATA by 354 without a recipient, as RFC 2920 §3.1 allows."""
    contents: list[bytes] | None = None
    """Set to a list to keep what was written after DATA, as it was on the wire, without the dot."""
    acts: dict[str, Act] = field(default_factory=dict)
    """What to do at EHLO, MAIL, RCPT, DATA, `content` (its first octets) or `dot`, instead."""

    @property
    def total(self) -> int:
        """How many messages were taken."""
        return self.taken.total()

    async def reached(self, total: int, *, within_s: float = 90.0) -> None:
        """Wait until so many messages were taken."""
        async with asyncio.timeout(within_s):
            while self.total < total:
                self.changed.clear()
                await self.changed.wait()

    async def met(self, count: int, *, within_s: float = 90.0) -> None:
        """Wait until so many connections were made."""
        async with asyncio.timeout(within_s):
            while self.accepted < count:
                self.changed.clear()
                await self.changed.wait()

    async def reached_by(self, recipient: str, *, within_s: float = 90.0) -> None:
        """Wait until a message for this address was taken."""
        async with asyncio.timeout(within_s):
            while not self.taken[recipient]:
                self.changed.clear()
                await self.changed.wait()

    async def at_rest(self, *, within_s: float = 90.0) -> None:
        """Wait until no client is in the middle of a message."""
        async with asyncio.timeout(within_s):
            while any(connection.is_busy for connection in self.connections):
                self.changed.clear()
                await self.changed.wait()

    async def left(self, *, within_s: float = 90.0) -> None:
        """Wait until every client is gone, with all that it sent read."""
        await self.down_to(0, within_s=within_s)

    async def down_to(self, count: int, *, within_s: float = 90.0) -> None:
        """Wait until no more clients than so many are left."""
        async with asyncio.timeout(within_s):
            while len(self.connections) > count:
                self.changed.clear()
                await self.changed.wait()


class Connection(asyncio.Protocol):
    """One client."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.sender = ""
        """The envelope sender of the message that was begun last."""
        self.recipient = ""
        self.is_busy = False
        """Whether a message was begun, and neither taken nor refused."""
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._pieces: deque[bytes] = deque()
        self._is_content = False
        self._has_come = asyncio.Event()
        self._is_refused = False
        self._is_held = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        # uvloop's transports have asyncio's methods, not its classes.
        self._transport = cast(asyncio.Transport, transport)
        self.sink.connections.add(self)
        self.sink.accepted += 1
        self.sink.changed.set()
        self.say(self.sink.greeting)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's name
        """The client is gone; a message without its dot is forgotten."""
        self.sink.connections.discard(self)
        self.sink.changed.set()

    def data_received(self, data: bytes) -> None:
        """Read commands and contents as far as they are there."""
        self._buffer += data
        self._has_come.set()
        self._go_on()

    def say(self, reply: bytes) -> None:
        """Answer."""
        if self.sink.drips:
            self.say_apart(*(bytes([octet]) for octet in reply))
        else:
            self.say_apart(reply)

    def say_apart(self, *pieces: bytes) -> None:
        """Answer in pieces, each in a packet of its own, when the client has heard those before."""
        self._is_refused = pieces[0][:1] in (b"4", b"5")
        self._pieces.extend(pieces)
        if len(self._pieces) == len(pieces):
            self._say_next()

    def _say_next(self) -> None:
        """What is said here is heard a turn later, and behind whatever was put off until then."""
        put_off = asyncio.get_running_loop().call_soon
        while self._pieces:
            self._write(self._pieces[0])
            if len(self._pieces) > 1:
                put_off(put_off, self._was_heard)
                return
            self._pieces.popleft()

    def _was_heard(self) -> None:
        self._pieces.popleft()
        self._say_next()

    def _write(self, octets: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(octets)

    @property
    def unread(self) -> bytes:
        """What came and was not looked at yet."""
        return bytes(self._buffer)

    async def until_unread(self, octets: bytes) -> None:
        """Wait until these octets lie there, while the client waits for a reply."""
        async with asyncio.timeout(90):
            while octets not in self._buffer:
                self._has_come.clear()
                await self._has_come.wait()

    def hold(self) -> None:
        """Read nothing more until `release`: replies stay in the order of their commands."""
        self._is_held = True

    def release(self, reply: bytes) -> None:
        """Answer what was held, and go on."""
        self._is_held = False
        self.say(reply)
        if self._is_refused:
            self.recipient = ""
        self._go_on()

    def be_deaf(self) -> None:
        """Take nothing from the kernel until `listen`, so that the client's buffers fill."""
        assert self._transport is not None
        self._transport.pause_reading()

    def listen(self) -> None:
        """Go on after `be_deaf`."""
        assert self._transport is not None
        self._transport.resume_reading()

    def hang_up(self) -> None:
        """End the connection without a word."""
        assert self._transport is not None
        self._buffer.clear()
        self._transport.abort()

    def expect_content(self) -> None:
        """Read what comes next as a message's content."""
        self._is_content = True

    def take(self) -> None:
        """Note the message as taken."""
        self.sink.taken[self.recipient] += 1
        self.is_busy = False
        self.sink.changed.set()

    def _go_on(self) -> None:
        while not self._is_held and self._step():
            pass

    def _step(self) -> bool:
        if self._is_content:
            return self._read_content()
        line, found, rest = self._buffer.partition(b"\r\n")
        if not found:
            return False
        self._buffer = bytearray(rest)
        self._obey(line.decode())
        return True

    def _read_content(self) -> bool:
        if self._buffer and "content" in self.sink.acts:
            self._is_content = False
            self.sink.acts["content"](self)
            return False
        if self._buffer.startswith(b".\r\n"):
            del self._buffer[:3]
            self._is_content = False
            self.say(b"554 5.5.1 no valid recipients\r\n")
            return True
        end = self._buffer.find(b"\r\n.\r\n")
        if end < 0:
            return False
        if self.sink.contents is not None:
            self.sink.contents.append(bytes(self._buffer[: end + 2]))
        del self._buffer[: end + 5]
        self._is_content = False
        if "dot" in self.sink.acts:
            self.sink.acts["dot"](self)
        else:
            self.take()
            self.say(b"250 2.0.0 taken\r\n")
        return True

    def _obey(self, line: str) -> None:
        command = line[:4].upper()
        self.sink.commands.append(line)
        if command == "MAIL":
            self.sender = line.partition("<")[2].partition(">")[0]
            self.recipient, self.is_busy = "", True
        if command == "RCPT":
            self.recipient = line.partition("<")[2].partition(">")[0]
        if command == "DATA" and not self.recipient and not self.sink.takes_data_for_nobody:
            self.say(b"503 5.5.1 no valid recipients\r\n")
        elif command in self.sink.acts:
            self._is_refused = False
            self.sink.acts[command](self)
            if self._is_refused:
                self.recipient = ""
        elif command == "EHLO":
            lines = ["sink.test", *self.sink.extensions]
            marks = ["-"] * (len(lines) - 1) + [" "]
            pairs = zip(marks, lines, strict=True)
            self.say("".join(f"250{mark}{text}\r\n" for mark, text in pairs).encode())
        elif command == "DATA":
            self._is_content = True
            self.say(b"354 go on\r\n")
        elif command == "QUIT":
            self.say(b"221 bye\r\n")
            assert self._transport is not None
            self._transport.close()
        else:
            self.say(b"250 OK\r\n")


def usually(stage: str) -> Act:
    """What is done at a stage when nothing else was asked for."""

    def act(connection: Connection) -> None:
        if stage == "dot":
            connection.take()
        if stage == "DATA":
            connection.expect_content()
        connection.say({"DATA": b"354 go on\r\n"}.get(stage, b"250 OK\r\n"))

    return act


def replying(reply: str) -> Act:
    """Do nothing but answer so."""

    def act(connection: Connection) -> None:
        connection.say(reply.encode() + b"\r\n")

    return act


class Holding:
    """Keep clients waiting for a reply until the test lets them go on."""

    def __init__(self) -> None:
        self._reached = asyncio.Event()
        self._held: list[Connection] = []

    def __call__(self, connection: "Connection") -> None:
        """Say nothing yet."""
        connection.hold()
        self._held.append(connection)
        self._reached.set()

    async def reached(self, *, within_s: float = 90.0) -> "Connection":
        """Wait until a client waits; it is returned."""
        async with asyncio.timeout(within_s):
            await self._reached.wait()
        return self._held[0]

    def accept(self) -> None:
        """Take the message of everybody who waits, and say so."""
        for connection in self._held:
            connection.take()
        self.release()

    def release(self, reply: bytes = b"250 OK\r\n") -> None:
        """Answer everybody who waits."""
        held, self._held = self._held, []
        self._reached.clear()
        for connection in held:
            connection.release(reply)


def losing(is_lost: asyncio.Event) -> Act:
    """Lose the message, answer nothing from now on, and say to the test that it happened.

    Neither does what follows in the pipeline: a reply to it would be heard as the message's.
    """

    def act(connection: Connection) -> None:
        connection.hold()
        is_lost.set()

    return act


def slowly(seconds: float) -> Act:
    """Take the message, and say so after this time."""

    def act(connection: Connection) -> None:
        connection.take()
        connection.hold()
        asyncio.get_running_loop().call_later(seconds, connection.release, b"250 2.0.0 Ok\r\n")

    return act


def hanging_up(connection: Connection) -> None:
    """End the connection without a word."""
    connection.hang_up()


@asynccontextmanager
async def running(port: int = 0, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Sink]:
    """A sink on loopback, at a free port unless one is named, for as long as the block lasts.

    Under TLS from the first octet on, if it has a context for that.
    """
    sink = Sink()
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(sink), "127.0.0.1", port, ssl=tls
    )
    sink.port = server.sockets[0].getsockname()[1]
    try:
        yield sink
    finally:
        server.close()
        for connection in list(sink.connections):
            connection.hang_up()
