"""Hands messages to a relay over kept SMTP connections.

`Sender` is the seam: a worker gives it an envelope and a guard to call right before the last dot,
and gets a reply. `RelayPool` is the first one, one command at a time over aiosmtplib; a faster
engine can take its place without the ledger or the journal noticing.
"""

import asyncio
import contextlib
import enum
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import aiosmtplib
from aiosmtplib.errors import SMTPException, SMTPServerDisconnected

from delivery.journal import Reply
from delivery.message import Envelope
from foundation import config, logs
from foundation.clock import Clock

_log = logs.get("relay")

Guard = Callable[[], Awaitable[bool]]
"""Called when only the last dot is missing; False means: do not write it."""


class Halt(enum.Enum):
    """Why a message was not handed over, though nobody refused it."""

    RELAY_AWAY = enum.auto()
    """No connection, or lost before the last dot: try again, nobody is to blame."""
    GUARDED = enum.auto()
    """The guard forbade the last dot."""
    UNCERTAIN = enum.auto()
    """The last dot was written, but the connection ended before the reply."""


class Sender(Protocol):
    """Hands over messages, several at a time."""

    async def send(self, envelope: Envelope, guard: Guard) -> Reply | Halt:
        """One message: the relay's reply, or why there is none."""
        ...

    def width(self) -> int:
        """How many messages are worth handing over at once."""
        ...

    def is_resting(self) -> bool:
        """Whether every relay is left alone for now."""
        ...

    async def close(self) -> None:
        """Say goodbye on every connection."""
        ...


@dataclass(slots=True)
class _Relay:
    """One relay with its idle connections and how it does."""

    settings: config.Relay
    idle: list["_Connection"] = field(default_factory=list)
    slots: asyncio.Semaphore = field(init=False)
    rests_until: datetime | None = None
    said: str = ""
    """What went wrong last, for staff."""

    def __post_init__(self) -> None:
        self.slots = asyncio.Semaphore(self.settings.connections)


@dataclass(frozen=True, kw_only=True, slots=True)
class RelayState:
    """How a relay does, for staff and `doctor`."""

    name: str
    host: str
    rests_until: datetime | None
    said: str


class RelayPool:
    """Implements `Sender` on aiosmtplib: the first relay that does not rest takes the message."""

    def __init__(self, relays: list[config.Relay], clock: Clock, *, rest_s: float) -> None:
        self._relays = [_Relay(each) for each in relays]
        self._clock = clock
        self._rest = timedelta(seconds=rest_s)

    def width(self) -> int:
        """As many as the first relay keeps connections."""
        return self._relays[0].settings.connections

    def is_resting(self) -> bool:
        """Whether every relay is left alone for now."""
        return all(self._rests(relay) for relay in self._relays)

    def states(self) -> list[RelayState]:
        """How each relay does."""
        return [
            RelayState(
                name=each.settings.name,
                host=each.settings.host,
                rests_until=each.rests_until if self._rests(each) else None,
                said=each.said,
            )
            for each in self._relays
        ]

    async def send(self, envelope: Envelope, guard: Guard) -> Reply | Halt:
        """Hand over one message; a relay that can't be reached is rested and the next one tried."""
        for relay in self._relays:
            if self._rests(relay):
                continue
            async with relay.slots:
                try:
                    async with self._connection(relay) as connection:
                        answer = await connection.hand_over(envelope, guard)
                except (SMTPException, OSError, TimeoutError) as problem:
                    self._rest_relay(relay, problem)
                    continue
            if isinstance(answer, Reply) and answer.code == 421:
                self._rest_relay(relay, SMTPServerDisconnected(answer.text))
                continue
            return answer
        return Halt.RELAY_AWAY

    async def close(self) -> None:
        """Say goodbye on every connection."""
        for relay in self._relays:
            for connection in relay.idle:
                await connection.quit()
            relay.idle.clear()

    @contextlib.asynccontextmanager
    async def _connection(self, relay: _Relay) -> AsyncIterator["_Connection"]:
        connection = await self._take(relay)
        try:
            yield connection
        except BaseException:
            connection.drop()
            raise
        if connection.is_usable():
            relay.idle.append(connection)
        else:
            await connection.quit()

    async def _take(self, relay: _Relay) -> "_Connection":
        while relay.idle:
            connection = relay.idle.pop()
            if connection.is_usable():
                return connection
            await connection.quit()
        return await _Connection.open(relay.settings)

    def _rests(self, relay: _Relay) -> bool:
        return relay.rests_until is not None and relay.rests_until > self._clock.now()

    def _rest_relay(self, relay: _Relay, problem: Exception) -> None:
        relay.said = " ".join(str(problem).split())[:200] or type(problem).__name__
        relay.rests_until = self._clock.now() + self._rest
        for connection in relay.idle:
            connection.drop()
        relay.idle.clear()
        _log.warning("relay is left alone for a while", relay=relay.settings.name, said=relay.said)


class _Connection:
    """One kept connection."""

    def __init__(self, client: aiosmtplib.SMTP, settings: config.Relay) -> None:
        self._client = client
        self._settings = settings
        self._left = settings.messages_per_connection
        self._has_utf8 = client.supports_extension("smtputf8")

    @classmethod
    async def open(cls, settings: config.Relay) -> "_Connection":
        """Connect, secure and authenticate. Raises aiosmtplib's errors and `OSError`."""
        client = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            local_hostname=settings.hello_name or None,
            timeout=settings.timeout_s,
            use_tls=settings.tls is config.Tls.TLS,
            start_tls=settings.tls is config.Tls.STARTTLS,
            tls_context=_tls_context(settings) if settings.tls is not config.Tls.NONE else None,
        )
        await client.connect()
        if settings.username:
            await client.login(settings.username, settings.password)
        if not client.is_ehlo_or_helo_needed:
            return cls(client, settings)
        await client.ehlo()
        return cls(client, settings)

    def is_usable(self) -> bool:
        """Whether another message may go over it."""
        return self._left > 0 and self._client.is_connected

    async def hand_over(self, envelope: Envelope, guard: Guard) -> Reply | Halt:
        """One transaction (RFC 5321 §3.3).

        Raises aiosmtplib's errors and `OSError` for a connection lost before the last dot.
        """
        self._left -= 1
        sender, recipient = envelope.mail_from, envelope.rcpt_to
        options = ""
        if not (recipient.isascii() and sender.isascii()):
            if not self._has_utf8:
                return Reply(553, "the relay does not take such addresses (SMTPUTF8)", self._name)
            options = " SMTPUTF8"
        for command in (f"MAIL FROM:<{sender}>{options}", f"RCPT TO:<{recipient}>", "DATA"):
            reply = await self._say(command.encode())
            if reply.code >= 400:
                await self._reset()
                return reply
        return await self._content(envelope, guard)

    async def _content(self, envelope: Envelope, guard: Guard) -> Reply | Halt:
        protocol = self._client.protocol
        if protocol is None:
            raise SMTPServerDisconnected("connection lost")
        protocol.write(envelope.data)
        if not await guard():
            # Without the dot the relay throws away what it has (RFC 5321 §4.1.1.10).
            self.drop()
            return Halt.GUARDED
        try:
            return await self._say(b".")
        except (SMTPException, OSError, TimeoutError):
            self.drop()
            return Halt.UNCERTAIN

    async def _say(self, command: bytes) -> Reply:
        protocol = self._client.protocol
        if protocol is None:
            raise SMTPServerDisconnected("connection lost")
        answer = await protocol.execute_command(command, timeout=self._settings.timeout_s)
        return Reply(answer.code, " ".join(answer.message.split())[:200], self._name)

    async def _reset(self) -> None:
        with contextlib.suppress(SMTPException, OSError, TimeoutError):
            await self._say(b"RSET")

    def drop(self) -> None:
        """End it without a word."""
        self._left = 0
        self._client.close()

    async def quit(self) -> None:
        """End it as RFC 5321 §4.1.1.10 asks."""
        with contextlib.suppress(SMTPException, OSError, TimeoutError):
            await self._client.quit(timeout=2)
        self._client.close()

    @property
    def _name(self) -> str:
        return self._settings.name


def _tls_context(settings: config.Relay) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not settings.verify_certificate:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
