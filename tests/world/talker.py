"""Speaks SMTP or LMTP octet by octet, so that it can also say what no mail server would."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Talker:
    """A client that says what the test wants it to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def say(self, octets: bytes | str) -> None:
        """Write as it is."""
        self._writer.write(octets.encode() if isinstance(octets, str) else octets)
        await self._writer.drain()

    async def heard(self) -> str:
        """One reply, of one or more lines; blank when the server has hung up."""
        lines: list[str] = []
        async with asyncio.timeout(60):
            while not lines or lines[-1][3:4] == "-":
                line = (await self._reader.readline()).decode()
                if not line:
                    break
                lines.append(line.rstrip("\r\n"))
        return "\n".join(lines)

    async def ask(self, command: str) -> str:
        """The reply to a command."""
        await self.say(f"{command}\r\n")
        return await self.heard()

    async def begin(self, *recipients: str, sender: str = "", hello: str = "EHLO") -> list[str]:
        """Greet and name sender and recipients; returns the replies to the recipients."""
        await self.ask(f"{hello} client.test")
        await self.ask(f"MAIL FROM:<{sender}>")
        return [await self.ask(f"RCPT TO:<{each}>") for each in recipients]

    async def send(self, octets: bytes) -> str:
        """DATA with a message that needs no dots doubled; returns the reply to the last dot."""
        assert (await self.ask("DATA"))[:3] == "354"
        await self.say(octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") + b"\r\n.\r\n")
        return await self.heard()

    async def all_that_is_left(self) -> str:
        """Everything up to where the server hangs up."""
        async with asyncio.timeout(60):
            try:
                return (await self._reader.read()).decode()
            except ConnectionError:
                return ""

    def hang_up(self) -> None:
        """End it without a word."""
        self._writer.transport.abort()


@asynccontextmanager
async def connected(port: int, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Talker]:
    """A conversation that was not begun yet; the server's greeting is still to be heard."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=tls, server_hostname="localhost" if tls else None
    )
    talker = Talker(reader, writer)
    try:
        yield talker
    finally:
        talker.hang_up()


@asynccontextmanager
async def talking(port: int) -> AsyncIterator[Talker]:
    """A conversation that the server has greeted."""
    async with connected(port) as talker:
        assert (await talker.heard())[:3] == "220"
        yield talker
