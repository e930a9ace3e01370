"""A real SMTP server on loopback that keeps what it gets and can be told to refuse."""

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass(frozen=True, kw_only=True, slots=True)
class Received:
    """One message that the server took."""

    mail_from: str
    rcpt_to: str
    data: bytes

    @property
    def parsed(self) -> EmailMessage:
        """The message as Python's email package reads it."""
        return email.message_from_bytes(self.data, policy=email.policy.default)

    @property
    def text(self) -> str:
        """The text part."""
        part = self.parsed.get_body(("plain",))
        assert part is not None
        return str(part.get_content())

    @property
    def html(self) -> str:
        """The HTML part."""
        part = self.parsed.get_body(("html",))
        assert part is not None
        return str(part.get_content())


# Without slots: aiosmtpd asks for all there is, which Python 3.11.2 answers wrongly with them.
@dataclass
class Catcher:
    """The server's handler; `answers` overrule acceptance by command and address."""

    port: int = 0
    messages: list[Received] = field(default_factory=list)
    answers: dict[tuple[str, str | None], str] = field(default_factory=dict)

    def clear(self) -> None:
        """Forget every message."""
        self.messages.clear()

    def answer(self, command: str, address: str | None, reply: str) -> None:
        """Answer `command` (MAIL, RCPT, DATA) for `address` (None: everybody) with `reply`."""
        self.answers[command, address] = reply

    def accept_again(self) -> None:
        """Refuse nothing any more."""
        self.answers.clear()

    def to(self, address: str) -> list[Received]:
        """What came for one address."""
        return [message for message in self.messages if message.rcpt_to == address]

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take or refuse an envelope sender."""
        refusal = self.answers.get(("MAIL", None))
        if refusal:
            return refusal
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take or refuse a recipient."""
        refusal = self.answers.get(("RCPT", address)) or self.answers.get(("RCPT", None))
        if refusal:
            return refusal
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Keep or refuse a message."""
        recipient = envelope.rcpt_tos[0]
        refusal = self.answers.get(("DATA", recipient)) or self.answers.get(("DATA", None))
        if refusal:
            return refusal
        content = envelope.original_content
        assert isinstance(content, bytes)
        self.messages.append(
            Received(mail_from=envelope.mail_from or "", rcpt_to=recipient, data=content)
        )
        return "250 kept"


@asynccontextmanager
async def running() -> AsyncIterator[Catcher]:
    """A server on a free port of loopback, for as long as the block lasts."""
    catcher = Catcher()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(
            catcher, enable_SMTPUTF8=True, hostname="catcher.test", data_size_limit=50_000_000
        ),
        "127.0.0.1",
        0,
    )
    catcher.port = server.sockets[0].getsockname()[1]
    try:
        yield catcher
    finally:
        server.close()
