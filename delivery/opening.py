"""Opens a connection to a relay: aiosmtplib connects, secures and authenticates it."""

import asyncio
import contextlib
import functools
import math
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, cast

import aiosmtplib
from aiosmtplib.errors import SMTPException, SMTPHeloError

from delivery.replies import said
from foundation import relaying

_Authorities = tuple[tuple[str, int], ...]
"""Files and folders that say who vouches for servers; when each changed, in ns of POSIX time."""


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
        tls_context=_tls_context(settings) if settings.tls is not relaying.Tls.NONE else None,
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


def _tls_context(settings: relaying.Relay) -> ssl.SSLContext:
    return _context(_authorities() if settings.verify_certificate else None)


def _authorities() -> _Authorities:
    paths = ssl.get_default_verify_paths()
    found = []
    for each in filter(None, (paths.cafile, paths.capath)):
        # It may be being replaced just now.
        with contextlib.suppress(OSError):
            found.append((each, Path(each).stat().st_mtime_ns))
    return tuple(found)


@functools.lru_cache(maxsize=2)
def _context(authorities: _Authorities | None) -> ssl.SSLContext:
    """One for all connections, as to read who vouches holds everything up for 24 ms.

    It is read again when somebody else does; None stands for a server that need prove nothing.
    """
    if authorities is not None:
        return ssl.create_default_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
