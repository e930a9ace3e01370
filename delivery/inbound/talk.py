"""One conversation with another mail server, in SMTP (RFC 5321) or LMTP (RFC 2033).

aiosmtpd reads commands and knows their order. Ours are the limits, the content, and every decision:
those are a `Desk`'s. A message ends with CR LF dot CR LF and with nothing else, so no server that
takes another line end for one can be made to bring in a message that it did not see.
"""

import asyncio
import collections
import re
import ssl
from collections.abc import Sequence
from typing import Protocol, cast

from aiosmtpd.smtp import SMTP, Envelope, Session

from foundation import logs
from foundation.frozen import frozen

_log = logs.get("listener")

MAX_RECIPIENTS = 100
"""RFC 5321 §4.5.3.1.8: at least so many are taken."""
_MAX_REFUSED = 20
"""Whoever tries so many addresses that are not ours is guessing."""
_PATH = re.compile(
    r"<(?:@[^<>:\s]*:)?"  # a route before it is ignored (RFC 5321 §4.1.1.3)
    r'((?:"(?:[^"\\]|\\.)*"|[^<>"\s])*)>(?:\s+(\S.*))?'
)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_HAS_STATUS = re.compile(r"\d{3}[ -][245]\.")
_STATUSES = {
    "250": "2.0.0", "221": "2.0.0", "421": "4.3.0", "454": "4.7.0", "500": "5.5.2",
    "501": "5.5.4", "502": "5.5.1", "503": "5.5.1", "552": "5.3.4", "554": "5.7.0",
    "555": "5.5.4",
}  # fmt: skip
"""Enhanced codes (RFC 2034) for replies of aiosmtpd's, which have none."""


@frozen
class Limits:
    """What a conversation may take."""

    message_bytes: int
    kept_bytes: int
    """How much of a message is held in memory."""
    timeout_s: float
    """For the next octet."""
    session_s: float
    """For a message, from the one before it or from the beginning on."""


class Desk(Protocol):
    """Decides about connections, recipients and messages."""

    def admit(self, talk: "Talk") -> str:
        """A refusal for somebody who has just connected; blank to let them in."""
        ...

    def leave(self, talk: "Talk") -> None:
        """A connection has ended."""
        ...

    def look_at(self, address: str) -> str:
        """A refusal for a recipient; blank to take mail for it."""
        ...

    async def take(
        self, octets: bytes, *, from_address: str, to_addresses: Sequence[str]
    ) -> Sequence[str]:
        """A reply for each recipient; 2xx only when the message is stored."""
        ...


class Talk(SMTP):
    """One conversation in SMTP."""

    command_size_limit = 1000
    command_size_limits = collections.defaultdict(lambda: 1000)
    """RFC 5321 §4.5.3.1.4 asks for 512 octets, and more for each extension."""

    def __init__(
        self, desk: Desk, *, host_name: str, limits: Limits, tls: ssl.SSLContext | None
    ) -> None:
        super().__init__(
            self,
            hostname=host_name,
            ident="ESMTP",
            data_size_limit=limits.message_bytes,
            enable_SMTPUTF8=True,
            tls_context=tls,
            timeout=limits.timeout_s,
            command_call_limit={"*": 100_000, "NOOP": 50, "VRFY": 10, "HELP": 10, "STARTTLS": 2},
            loop=asyncio.get_running_loop(),
        )
        self._desk = desk
        self._limits = limits
        self._session_end: asyncio.TimerHandle | None = None
        self._refused = 0
        self._is_admitted = False
        self._is_busy = False
        self._is_ending = False

    @property
    def peer_host(self) -> str:
        """The address of whoever has connected; blank if there is none."""
        peer = self.transport.get_extra_info("peername") if self.transport else None
        return str(peer[0]) if isinstance(peer, tuple) else ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet, or refuse before a word was said (RFC 5321 §3.1)."""
        if self._is_admitted:
            super().connection_made(transport)  # once more, under TLS
            return
        self.transport = transport
        refusal = self._desk.admit(self)
        if refusal:
            self._give_up(refusal)
            return
        self._is_admitted = True
        self.transport = None
        super().connection_made(transport)
        self._begin_message()

    def connection_lost(self, error: Exception | None) -> None:
        """Forget what was begun and not ended."""
        if self._session_end is not None:
            self._session_end.cancel()
        self._desk.leave(self)
        if self._is_admitted:
            super().connection_lost(error)

    def data_received(self, data: bytes) -> None:
        """Whoever says something is not silent."""
        if self._is_admitted:
            self._reset_timeout()
            super().data_received(data)

    def eof_received(self) -> bool | None:
        """Nothing more will come."""
        return super().eof_received() if self._is_admitted else None

    def end(self) -> None:
        """Say goodbye: at once, or after the message that is under way."""
        self._is_ending = True
        if not self._is_busy:
            self._give_up("421 4.3.2 We are closing down; come back later")

    def abort(self) -> None:
        """End it now."""
        if self._wire is not None:
            self._wire.abort()

    @property
    def _letter(self) -> Envelope:
        return cast(Envelope, self.envelope)

    @property
    def _wire(self) -> asyncio.Transport | None:
        # uvloop's transports have asyncio's methods, not its classes.
        return cast(asyncio.Transport | None, self.transport)

    def _timeout_cb(self) -> None:
        self._give_up("421 4.4.2 You have been silent for too long")

    def _begin_message(self) -> None:
        """From now on there is so much time for one message."""
        if self._session_end is not None:
            self._session_end.cancel()
        self._session_end = asyncio.get_running_loop().call_later(
            self._limits.session_s, self._give_up, "421 4.4.2 This takes too long"
        )

    def _give_up(self, reply: str) -> None:
        """Say why, and close. Whoever does not even read our answers is not waited for."""
        wire = self._wire
        if wire is None or wire.is_closing():
            return
        wire.write(reply.encode() + b"\r\n")
        if wire.get_write_buffer_size():
            wire.abort()
        else:
            wire.close()

    async def push(self, status: str) -> None:  # type: ignore[override]  # it says texts alone
        """Answer, with an enhanced code (RFC 2034)."""
        await super().push(_with_code(status))

    async def smtp_HELO(self, hostname: str | None) -> None:
        """The greeting of old (RFC 5321 §4.1.1.1)."""
        await self._greet(hostname, is_extended=False)

    async def smtp_EHLO(self, hostname: str | None) -> None:
        """The greeting, answered by what we can do."""
        await self._greet(hostname, is_extended=True)

    async def _greet(self, hostname: str | None, *, is_extended: bool) -> None:
        if not hostname:
            await self.push("501 5.5.4 Say who you are")
            return
        self.envelope = self._create_envelope()
        session = cast(Session, self.session)
        session.extended_smtp, session.host_name = is_extended, hostname
        lines = [self.hostname]
        if is_extended:
            lines += ["PIPELINING", f"SIZE {self._limits.message_bytes}", "8BITMIME", "SMTPUTF8"]
            lines += ["STARTTLS"] if self.tls_context and not self._tls_protocol else []
            lines += ["ENHANCEDSTATUSCODES"]
        marks = ["-"] * (len(lines) - 1) + [" "]
        answer = [f"250{mark}{line}" for mark, line in zip(marks, lines, strict=True)]
        await super().push("\r\n".join(answer))

    async def smtp_RCPT(self, arg: str | None) -> None:
        """A recipient, as long as there are not too many (RFC 5321 §4.5.3.1.10)."""
        if len(self._letter.rcpt_tos) >= MAX_RECIPIENTS:
            await self.push("452 4.5.3 Too many recipients at once")
            return
        await super().smtp_RCPT(arg)
        if self._refused >= _MAX_REFUSED:
            self._give_up("421 4.7.0 Too many addresses that are not here")

    async def smtp_DATA(self, arg: str | None) -> None:
        """The message itself: a reply for all recipients, or for each (RFC 2033 §4.2)."""
        if not self._letter.rcpt_tos:
            await self.push("503 5.5.1 Nobody is to get it")
            return
        if arg:
            await self.push("501 5.5.4 DATA takes no parameter")
            return
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        self._is_busy = True
        try:
            octets = await self._read_content()
            replies = (
                ["552 5.3.4 The message is too long"] * len(self._letter.rcpt_tos)
                if octets is None
                else await self._desk.take(
                    octets,
                    from_address=self._letter.mail_from or "",
                    to_addresses=self._letter.rcpt_tos,
                )
            )
            self.envelope = self._create_envelope()
            await self._answer(replies)
            self._begin_message()
        finally:
            self._is_busy = False
        if self._is_ending:
            self.end()

    async def _answer(self, replies: Sequence[str]) -> None:
        """One reply for all: a part that failed for now makes its sender bring all of it again."""
        await self.push(max(replies, key=lambda reply: (reply[0] == "4", reply[0] == "5")))

    async def _read_content(self) -> bytes | None:
        """What is written up to the last dot, its beginning at least; None if it was too long.

        Lines may be longer than RFC 5321 allows: a bounce is not lost for that. Memory holds no
        more than what is kept.
        """
        kept = bytearray()
        total = 0
        is_line_start = True
        while True:
            try:
                piece = await self._reader.readuntil(b"\r\n")
            except asyncio.LimitOverrunError as problem:
                piece = await self._reader.read(problem.consumed)
            if is_line_start:
                if piece == b".\r\n":
                    return None if total > self._limits.message_bytes else bytes(kept)
                piece = piece.removeprefix(b".")  # RFC 5321 §4.5.2
            is_line_start = piece.endswith(b"\r\n")
            total += len(piece)
            kept += piece[: max(0, self._limits.kept_bytes - len(kept))]

    async def smtp_VRFY(self, _arg: str | None) -> None:
        """Says nothing about who is here (RFC 5321 §7.3)."""
        await self.push("252 2.5.0 Send it, and you will see")

    async def smtp_HELP(self, _arg: str | None) -> None:
        """Where to read on."""
        await self.push("214 2.0.0 See RFC 5321")

    async def smtp_AUTH(self, _arg: str | None) -> None:
        """Nobody signs in here."""
        await self.push("502 5.5.1 Not here")

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        """A path and what follows it; `<>` is the empty one (RFC 5321 §4.1.2)."""
        found = _PATH.fullmatch(arg.strip())
        if found is None or _CONTROLS.search(arg):
            return None, None
        return found[1] or "<>", found[2] or ""

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: object
    ) -> str:
        """Called back by aiosmtpd once a recipient can be read."""
        refusal = self._desk.look_at(address)
        if refusal:
            self._refused += 1
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_exception(self, error: Exception) -> str:
        """Whatever it was, the message is not taken, and its sender keeps it."""
        _log.error("a conversation broke down", exc_info=error)
        return "451 4.3.0 Something went wrong here; try again later"


class LmtpTalk(Talk):
    """One conversation in LMTP."""

    async def smtp_LHLO(self, hostname: str | None) -> None:
        """The greeting (RFC 2033 §4.1)."""
        await self._greet(hostname, is_extended=True)

    async def smtp_EHLO(self, hostname: str | None) -> None:  # noqa: ARG002 - aiosmtpd's name
        """Not in LMTP."""
        await self.push("500 5.5.1 This is LMTP: say LHLO")

    async def smtp_HELO(self, hostname: str | None) -> None:
        """Not in LMTP either."""
        await self.smtp_EHLO(hostname)

    async def _answer(self, replies: Sequence[str]) -> None:
        for reply in replies:
            await self.push(reply)


def _with_code(reply: str) -> str:
    if _HAS_STATUS.match(reply) or reply[:3] not in _STATUSES or reply[3:4] != " ":
        return reply
    return f"{reply[:4]}{_STATUSES[reply[:3]]} {reply[4:]}"
