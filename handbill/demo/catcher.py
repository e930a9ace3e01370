"""An SMTP server on loopback that keeps mail instead of delivering it, with some wayward addresses.

`gone…@` is refused for good, `full…@` is put off once, and a bulletin for `moved…@` is taken but
comes back later as a delivery status notification, as happens behind a forwarding server.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiosmtpd.smtp import SMTP, Envelope, Session

from foundation.clock import Clock
from handbill.demo import returning
from handbill.demo.mailbox import Mail, Mailbox

_MAX_BYTES = 25_000_000


# Without slots: aiosmtpd asks for all there is, which Python 3.11.2 answers wrongly with them.
@dataclass
class Catcher:
    """The server's rules, and what it has caught."""

    clock: Clock
    mailbox: Mailbox = field(default_factory=Mailbox)
    port: int = 0
    _put_off: set[str] = field(default_factory=set)
    _to_return: list[Mail] = field(default_factory=list)

    def take_returns(self) -> list[bytes]:
        """Reports on mail that could not be delivered after all; each is given out once."""
        mails, self._to_return = self._to_return, []
        return [returning.report(mail, at=self.clock.now()) for mail in mails]

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take, refuse or put off a recipient, by the beginning of the address."""
        if address.startswith("gone"):
            return "550 5.1.1 There is no such mailbox here"
        if address.startswith("full") and address not in self._put_off:
            self._put_off.add(address)
            return "452 4.2.2 The mailbox is full, try again later"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Keep a message, once for each recipient."""
        data = envelope.original_content
        if not isinstance(data, bytes):
            return "451 4.3.0 The message was not understood"
        for recipient in envelope.rcpt_tos:
            mail = self.mailbox.keep(
                received_at=self.clock.now(),
                mail_from=envelope.mail_from or "",
                recipient=recipient,
                data=data,
            )
            if recipient.startswith("moved") and mail.is_bulletin:
                self._to_return.append(mail)
        return "250 2.0.0 Kept in the demo's inbox"


@asynccontextmanager
async def catching(clock: Clock) -> AsyncIterator[Catcher]:
    """The catcher on a free port of loopback, for as long as the block lasts."""
    catcher = Catcher(clock=clock)
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(
            catcher, enable_SMTPUTF8=True, hostname="catcher.localhost", data_size_limit=_MAX_BYTES
        ),
        "127.0.0.1",
        0,
    )
    catcher.port = server.sockets[0].getsockname()[1]
    try:
        yield catcher
    finally:
        server.close()
