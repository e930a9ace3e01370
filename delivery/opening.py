"""Opens a connection to a relay: aiosmtplib connects, secures and authenticates it."""

import asyncio
import math
from collections.abc import Mapping
from typing import NamedTuple, cast

import aiosmtplib
from aiosmtplib.errors import SMTPException, SMTPHeloError

from delivery.replies import said
from foundation import relaying, trusting


class RelayTrouble(Exception):
    """The relay can't be used just now; no recipient is to blame."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


class Opened(NamedTuple):
    """A transport on which the server waits for a transaction, and what it offers."""

    transport: asyncio.Transport
    extensions: Mapping[str, str]
    """By name in lower case, with their parameters (RFC 5321 §4.1.1.1)."""


async def connect(settings: relaying.Relay) -> Opened:
    """Connect, secure, greet and authenticate. Raises `RelayTrouble`."""
    client = aiosmtplib.SMTP(
        hostname=settings.host,
        port=settings.port,
        local_hostname=settings.hello_name or None,
        timeout=settings.timeout_s,
        use_tls=settings.tls is relaying.Tls.TLS,
        start_tls=False,
        tls_context=(
            trusting.context(verifies=settings.verify_certificate)
            if settings.tls is not relaying.Tls.NONE
            else None
        ),
    )
    try:
        await client.connect()
        if settings.tls is relaying.Tls.STARTTLS:
            # Before TLS hides it: what is encrypted goes to the kernel at once, as in clear.
            _transport(client).set_write_buffer_limits(high=0)
            await client.starttls()
        if settings.username:
            await client.login(settings.username, settings.password)
        if client.is_ehlo_or_helo_needed:
            await _greet(client)
    except (SMTPException, OSError, TimeoutError, ValueError) as problem:
        client.close()
        raise RelayTrouble(said(problem)) from problem
    return Opened(_transport(client), client.esmtp_extensions)


def size_limit(announced: str) -> float:
    """Octets that the relay takes at most; none or 0 stands for no limit (RFC 1870 §4)."""
    return int(announced) if announced.isdecimal() and int(announced) > 0 else math.inf


async def _greet(client: aiosmtplib.SMTP) -> None:
    """EHLO, or HELO where that is all that a server knows (RFC 5321 §3.2)."""
    try:
        await client.ehlo()
    except SMTPHeloError as problem:
        if problem.code not in (500, 502):
            raise
        await client.helo()


def _transport(client: aiosmtplib.SMTP) -> asyncio.Transport:
    # uvloop's transports have asyncio's methods, not its classes.
    return cast(asyncio.Transport, client.transport)
