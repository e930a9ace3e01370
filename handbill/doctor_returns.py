"""What `doctor` says about the ways by which mail comes in: each is tried as it is used.

Nothing is sent or marked: the listener hears of recipients and no message, folders are only looked
into.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509

from delivery.inbound import imap, listener
from delivery.inbound.imap import Trouble
from foundation import addresses, errors, findings, receiving, trusting
from foundation.clock import Clock
from foundation.config import Settings
from foundation.findings import Finding
from foundation.i18n import N_
from foundation.receiving import Protocol
from foundation.relaying import Tls

_CONNECT_S = 10.0
_EXPIRES_SOON = timedelta(days=14)
_EVERYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - asked, not opened
"""Where somebody who listens at every address is found from here."""


async def examine(settings: Settings, *, clock: Clock) -> AsyncIterator[Finding]:
    """Look at each way that is set up."""
    if settings.listener.enabled:
        if settings.listener.tls is not Tls.NONE:
            yield await asyncio.to_thread(_about_certificate, settings.listener, clock.now())
        yield await _about_listener(settings)
    if settings.imap.host:
        yield await _about_mailbox(settings.imap)
    if settings.maildir.path:
        yield await asyncio.to_thread(_about_maildir, Path(settings.maildir.path))
    if not (settings.listener.enabled or settings.imap.host or settings.maildir.path):
        yield findings.neutral(
            "ways-in",
            N_("No mail server, mailbox or folder is set up for mail that comes back."),
            N_(
                "Set up [listener], [imap] or [maildir], unless your provider tells of bounces by "
                "webhook, or your mail server hands them to `handbill bounces ingest -`."
            ),
        )


def _about_certificate(settings: receiving.Listener, now: datetime) -> Finding:
    try:
        listener.Certificate(settings)
        shown = x509.load_pem_x509_certificate(Path(settings.certificate_file).read_bytes())
    except (errors.ConfigProblem, OSError, ValueError) as problem:
        return findings.bad(
            "listener-certificate",
            "%(problem)s",
            N_("Check [listener] certificate_file and key_file, and who may read them."),
            problem=problem,
        )
    until = shown.not_valid_after_utc
    if until <= now:
        return findings.bad(
            "listener-certificate",
            N_("The listener's certificate ended on %(until)s."),
            N_("Renew it. The listener takes the new one up by itself."),
            until=f"{until:%Y-%m-%d}",
        )
    if until - now < _EXPIRES_SOON:
        return findings.warn(
            "listener-certificate",
            N_("The listener's certificate is good until %(until)s only."),
            N_("Renew it. The listener takes the new one up by itself."),
            until=f"{until:%Y-%m-%d}",
        )
    return findings.good(
        "listener-certificate",
        N_("The listener's certificate is good until %(until)s."),
        until=f"{until:%Y-%m-%d}",
    )


async def _about_listener(settings: Settings) -> Finding:
    """Whether it takes mail for one of our addresses, and for nobody else's."""
    place = f"{settings.listener.host or '*'}:{settings.listener.port}"
    domain = addresses.a_labels(settings.return_path_domain)
    try:
        ours, others = await _ask(
            settings.listener, f"postmaster@{domain}", "nobody@handbill.invalid"
        )
    except (OSError, TimeoutError, EOFError) as problem:
        return findings.bad(
            "listener",
            N_("Nobody takes mail at %(place)s: %(problem)s"),
            N_("Start `handbill serve`. If it runs, its log says why it does not listen."),
            place=place,
            problem=str(problem) or type(problem).__name__,
        )
    if ours.startswith("250") and others.startswith("550"):
        return findings.good(
            "listener",
            N_("Mail for %(domain)s is taken at %(place)s, and none for others."),
            domain=domain,
            place=place,
        )
    return findings.warn(
        "listener",
        N_("At %(place)s this was answered to mail for %(domain)s: %(said)s"),
        N_("Check that no other mail server has this port, and that [listener] networks fits."),
        place=place,
        domain=domain,
        said=(others if ours.startswith("250") else ours)[:200],
    )


async def _ask(settings: receiving.Listener, *recipients: str) -> list[str]:
    """What is answered to recipients; the first refusal of all if it comes before them."""
    # It is our own, asked by its address, not by the name in its certificate.
    context = trusting.context(verifies=False)
    async with asyncio.timeout(_CONNECT_S):
        reader, writer = await asyncio.open_connection(
            _EVERYWHERE.get(settings.host, settings.host),
            settings.port,
            ssl=context if settings.tls is Tls.TLS else None,
        )
        try:
            hello = "LHLO" if settings.protocol is Protocol.LMTP else "EHLO"
            said = await _reply(reader)
            for command in (f"{hello} doctor.invalid", "MAIL FROM:<>"):
                if not said.startswith("2"):
                    return [said] * len(recipients)
                said = await _said(reader, writer, command)
            found = [await _said(reader, writer, f"RCPT TO:<{each}>") for each in recipients]
            await _said(reader, writer, "QUIT")
            return found
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


async def _said(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, command: str) -> str:
    writer.write(f"{command}\r\n".encode())
    await writer.drain()
    return await _reply(reader)


async def _reply(reader: asyncio.StreamReader) -> str:
    """The last line of a reply."""
    while True:
        line = (await reader.readuntil(b"\n")).decode("utf-8", "replace").rstrip()
        if line[3:4] != "-":
            return line


async def _about_mailbox(settings: receiving.Imap) -> Finding:
    place = f"{settings.host}:{settings.port}"
    quick = settings.model_copy(update={"timeout_s": min(settings.timeout_s, _CONNECT_S)})
    try:
        async with imap.opened(quick, kept_bytes=0) as connection:
            for folder in settings.folders:
                await connection.select(folder, is_read_only=True)
            can_idle = connection.can_idle
    except Trouble as trouble:
        return findings.bad(
            "imap",
            N_("The mailbox at %(place)s can't be read: %(problem)s"),
            N_("Check [imap] host, port, tls, username, password and folders."),
            place=place,
            problem=trouble.said,
        )
    if can_idle:
        return findings.good(
            "imap",
            N_("The mailbox at %(place)s can be read, and tells of new mail at once."),
            place=place,
        )
    return findings.good(
        "imap",
        N_("The mailbox at %(place)s can be read; it is looked at every %(seconds)s seconds."),
        place=place,
        seconds=f"{settings.poll_s:g}",
    )


def _about_maildir(folder: Path) -> Finding:
    missing = [name for name in ("new", "cur") if not (folder / name).is_dir()]
    if missing:
        return findings.bad(
            "maildir",
            N_("%(folder)s is no Maildir: there is no folder %(missing)s in it."),
            N_("Check [maildir] path, and that your mail server has delivered there once."),
            folder=folder,
            missing=", ".join(missing),
        )
    needed = (folder, folder / "new", folder / "cur")
    if not all(os.access(each, os.R_OK | os.W_OK | os.X_OK) for each in needed):
        return findings.bad(
            "maildir",
            N_("The Maildir %(folder)s can't be read and written by us."),
            N_("What was read is moved or deleted: give this program's user the rights for that."),
            folder=folder,
        )
    return findings.good(
        "maildir", N_("The Maildir %(folder)s can be read and written."), folder=folder
    )
