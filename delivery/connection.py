"""One SMTP connection, and what each of the relay's replies means for a message.

aiosmtplib connects, secures and authenticates; the transaction is ours, because the last dot has
to wait for the journal.
"""

import asyncio
import contextlib
import enum
import ssl
from collections.abc import Awaitable, Callable
from typing import cast

import aiosmtplib
from aiosmtplib.errors import SMTPException, SMTPHeloError, SMTPResponseException

from delivery.letter import Envelope, Outcome, Reply, Verdict
from delivery.models import Reason
from foundation import config, logs

_QUIT_S = 2.0
_LOST = (SMTPException, OSError, TimeoutError)

Clear = Callable[[], Awaitable[bool]]
"""Asked when only the last dot is missing; False means: do not write it."""


class RelayTrouble(Exception):
    """The relay can't be used just now; no recipient is to blame."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


class ConnectionStale(Exception):
    """A kept connection was closed by the relay between two messages; a new one will do."""


class _Stage(enum.Enum):
    """Where in a transaction a reply came."""

    MAIL = enum.auto()
    """To the envelope sender."""
    RCPT = enum.auto()
    """To the recipient."""
    DATA = enum.auto()
    """To the wish to send the content."""
    DOT = enum.auto()
    """To the content."""


class Connection:
    """A connection that is kept for many messages."""

    def __init__(self, client: aiosmtplib.SMTP, settings: config.Relay) -> None:
        self._client = client
        self._settings = settings
        self._sent = 0
        self.trouble = ""
        """Why the connection ended in the middle of a message; blank while it has not."""

    @classmethod
    async def open(cls, settings: config.Relay) -> "Connection":
        """Connect, secure and authenticate. Raises `RelayTrouble`."""
        client = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            username=settings.username or None,
            password=settings.password or None,
            local_hostname=settings.hello_name or None,
            timeout=settings.timeout_s,
            use_tls=settings.tls is config.Tls.TLS,
            start_tls=settings.tls is config.Tls.STARTTLS,
            tls_context=_tls_context(settings) if settings.tls is not config.Tls.NONE else None,
        )
        try:
            await client.connect()
            if client.is_ehlo_or_helo_needed:
                await _greet(client)
        except (*_LOST, ValueError) as problem:
            client.close()
            raise RelayTrouble(_said(problem)) from problem
        return cls(client, settings)

    @property
    def is_usable(self) -> bool:
        """Whether another message may go over it."""
        return self._sent < self._settings.messages_per_connection and self._client.is_connected

    async def send(self, envelope: Envelope, clear: Clear) -> Outcome | None:
        """One transaction (RFC 5321 §3.3); None when `clear` forbade the last dot.

        Raises `ConnectionStale` or `RelayTrouble` as long as no recipient was named.
        """
        self._sent += 1
        has_utf8 = self._client.supports_extension("smtputf8")
        if envelope.needs_smtputf8 and not has_utf8:
            return Outcome(
                verdict=Verdict.FAILED,
                reason=Reason.NEEDS_SMTPUTF8,
                reply=Reply(0, "the relay offers no SMTPUTF8", self._settings.name),
            )
        refusal = await self._introduce(envelope)
        if refusal is not None:
            return refusal
        for stage, command in (
            (_Stage.RCPT, f"RCPT TO:<{envelope.rcpt_to}>"),
            (_Stage.DATA, "DATA"),
        ):
            try:
                reply = await self._say(command)
            except _LOST as problem:
                return self._lost(problem)
            if reply.code not in ((250, 251, 252) if stage is _Stage.RCPT else (354,)):
                await self._reset(reply)
                return _judge(stage, reply)
        return await self._content(envelope.data, clear)

    async def quit(self) -> None:
        """End it as RFC 5321 §4.1.1.10 asks."""
        if self._client.is_connected:
            with contextlib.suppress(*_LOST):
                await self._client.quit(timeout=_QUIT_S)
        self._client.close()

    def drop(self) -> None:
        """End it without a word."""
        self._client.close()

    async def _introduce(self, envelope: Envelope) -> Outcome | None:
        """MAIL; whoever is refused here is us, not the recipient."""
        options = ""
        if self._client.supports_extension("size"):
            options += f" SIZE={len(envelope.data)}"
        if envelope.needs_smtputf8:
            options += " BODY=8BITMIME SMTPUTF8"
        try:
            reply = await self._say(f"MAIL FROM:<{envelope.mail_from}>{options}")
        except _LOST as problem:
            self.drop()
            if self._sent > 1:
                raise ConnectionStale from problem
            raise RelayTrouble(_said(problem)) from problem
        if 200 <= reply.code < 300:
            return None
        if reply.code == 421 and self._sent > 1:
            self.drop()
            raise ConnectionStale
        is_about_message = envelope.needs_smtputf8 or reply.code == 552 or "5.3.4" in reply.text
        if 400 <= reply.code < 500 and reply.code != 421:
            await self._reset(reply)
            return _judge(_Stage.MAIL, reply)
        if reply.code >= 500 and is_about_message:
            await self._reset(reply)
            return _judge(_Stage.MAIL, reply)
        self.drop()
        raise RelayTrouble(f"{reply.code} {reply.text}")

    async def _content(self, data: bytes, clear: Clear) -> Outcome | None:
        """Everything but the dot, leave to finish, the dot."""
        try:
            await self._write_all(data)
        except _LOST as problem:
            return self._lost(problem)
        if not await clear():
            # Without the dot the relay throws away what it has (RFC 5321 §4.1.1.4).
            self.drop()
            return None
        protocol = self._client.protocol
        if protocol is None or not protocol.is_connected:
            return self._lost(ConnectionResetError("the connection was closed"))
        try:
            reply = await self._say(".")
        except _LOST as problem:
            self.drop()
            self.trouble = _said(problem)
            return Outcome(
                verdict=Verdict.UNCERTAIN,
                reason=Reason.NO_REPLY,
                reply=Reply(0, self.trouble, self._settings.name),
            )
        if reply.code == 421:
            self.drop()
            self.trouble = f"{reply.code} {reply.text}"
        return _judge(_Stage.DOT, reply)

    async def _write_all(self, data: bytes) -> None:
        """Write, and wait until the kernel has all of it: a connection that broke shows here."""
        protocol = self._client.protocol
        if protocol is None:
            raise ConnectionResetError("the connection was closed")
        protocol.write(data)
        async with asyncio.timeout(self._settings.timeout_s):
            wait_s = 0.0
            while protocol.is_connected:
                # uvloop's transports have the method, but not asyncio's class.
                if cast(asyncio.WriteTransport, protocol.transport).get_write_buffer_size() == 0:
                    return
                await asyncio.sleep(wait_s)
                wait_s = min(0.05, wait_s + 0.001)
        raise ConnectionResetError("the connection was closed")

    async def _say(self, command: str) -> Reply:
        protocol = self._client.protocol
        if protocol is None:
            raise ConnectionResetError("the connection was closed")
        answer = await protocol.execute_command(
            command.encode("utf-8"), timeout=self._settings.timeout_s
        )
        return Reply(answer.code, _short(answer.message), self._settings.name)

    async def _reset(self, reply: Reply) -> None:
        """Forget the transaction; a connection on which that fails is of no more use."""
        try:
            if reply.code == 421 or (await self._say("RSET")).code != 250:
                self.drop()
        except _LOST:
            self.drop()
        if reply.code == 421:
            self.trouble = f"{reply.code} {reply.text}"

    def _lost(self, problem: Exception) -> Outcome:
        """The connection broke before the last dot, so nothing was taken."""
        self.drop()
        self.trouble = _said(problem)
        return Outcome(
            verdict=Verdict.DEFERRED,
            reason=Reason.CONNECTION_LOST,
            reply=Reply(0, self.trouble, self._settings.name),
        )


async def _greet(client: aiosmtplib.SMTP) -> None:
    """EHLO, or HELO where that is all that a server knows (RFC 5321 §3.2)."""
    try:
        await client.ehlo()
    except SMTPHeloError as problem:
        if problem.code not in (500, 502):
            raise
        await client.helo()


def _judge(stage: _Stage, reply: Reply) -> Outcome:
    """What a reply means for the recipient: the first digit decides (RFC 5321 §4.2.1)."""
    if reply.code == 421:
        # The service is closing down (RFC 5321 §3.8): that is about the relay alone.
        return Outcome(verdict=Verdict.BACK, reply=reply)
    if stage is _Stage.DOT and 200 <= reply.code < 300:
        return Outcome(verdict=Verdict.SENT, reply=reply)
    if 400 <= reply.code < 500:
        return Outcome(verdict=Verdict.DEFERRED, reason=Reason.PUT_OFF, reply=reply)
    if 500 <= reply.code < 600:
        return Outcome(verdict=Verdict.FAILED, reason=Reason.REFUSED, reply=reply)
    if stage is _Stage.DOT:
        return Outcome(verdict=Verdict.UNCERTAIN, reason=Reason.NO_REPLY, reply=reply)
    return Outcome(verdict=Verdict.DEFERRED, reason=Reason.PUT_OFF, reply=reply)


def _said(problem: BaseException) -> str:
    if isinstance(problem, SMTPResponseException):
        return _short(f"{problem.code} {problem.message}")
    return _short(str(problem)) or type(problem).__name__


def _short(text: str) -> str:
    """One line without an address."""
    return logs.masked(" ".join(text.encode("utf-8", "replace").decode().split()))[:200]


def _tls_context(settings: config.Relay) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not settings.verify_certificate:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
