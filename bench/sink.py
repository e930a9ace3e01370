"""A server that takes every message, in a process of its own: Postfix's, or a plain one of ours."""

import asyncio
import contextlib
import functools
import os
import shutil
import socket
import ssl
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple, cast

import uvloop

BACKLOG = 100
_PATIENCE_S = 10


def postfix_program(name: str) -> str | None:
    """Where Debian's `postfix` package put `smtp-sink` or `smtp-source`, if it is there."""
    return shutil.which(name, path="/usr/sbin:/usr/local/sbin:/usr/bin")


class Running(NamedTuple):
    """A sink, as others have it."""

    port: int
    process: int


@contextlib.asynccontextmanager
async def running(*, is_ours: bool = False, certificate: Path | None = None) -> AsyncIterator[int]:
    """`watched`, where only its port matters."""
    async with watched(is_ours=is_ours, certificate=certificate) as found:
        yield found.port


@contextlib.asynccontextmanager
async def watched(
    *, is_ours: bool = False, certificate: Path | None = None
) -> AsyncIterator[Running]:
    """A sink on loopback, for as long as the block lasts.

    One that offers STARTTLS (by a `certificate` with its key) is ours in any case.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    program = None if is_ours or certificate else postfix_program("smtp-sink")
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    command = (
        [program, *user, f"127.0.0.1:{port}", str(BACKLOG)]
        if program
        else [sys.executable, "-m", "bench.sink", str(port), *map(str, filter(None, [certificate]))]
    )
    process = await asyncio.create_subprocess_exec(*command)
    try:
        async with asyncio.timeout(_PATIENCE_S):
            while not await _answers(port):
                if process.returncode is not None:
                    raise ConnectionError(f"{command[0]} ended at once")
                await asyncio.sleep(0.05)
        yield Running(port, process.pid)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


class _Plain(asyncio.Protocol):
    """One client: takes all that it says, and looks at no more of it than has to be.

    So that under TLS, too, the sender is what is measured.
    """

    _REPLIES = {
        b"EHLO": b"250-sink\r\n250-PIPELINING\r\n250-SIZE 50000000\r\n250 8BITMIME\r\n",
        b"DATA": b"354 go on\r\n",
        b"QUIT": b"221 bye\r\n",
    }
    _SECURED = {
        **_REPLIES,
        b"EHLO": _REPLIES[b"EHLO"].replace(b"250-PIPELINING", b"250-STARTTLS\r\n250-PIPELINING"),
        b"STAR": b"220 go on\r\n",
    }
    _END = b"\r\n.\r\n"

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self._context = context
        self._replies = self._SECURED if context else self._REPLIES
        self._transport: asyncio.Transport | None = None
        self._securing: asyncio.Task[None] | None = None
        self._rest = b""
        self._is_content = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have asyncio's methods, not its classes.
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(b"220 sink ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        there, at, replies = self._rest + data, 0, []
        while True:
            mark = self._END if self._is_content else b"\r\n"
            end = there.find(mark, at)
            if end < 0:
                break
            verb = b"" if self._is_content else there[at : at + 4].upper()
            replies.append(self._replies.get(verb, b"250 fine\r\n"))
            if verb == b"STAR":
                self._securing = asyncio.create_task(self._secure())
            self._is_content, at = verb == b"DATA", end + len(mark)
        # Of a content only what may be the beginning of its end is looked at again.
        self._rest = there[max(at, len(there) - len(self._END)) if self._is_content else at :]
        if replies and self._transport is not None:
            self._transport.write(b"".join(replies))

    async def _secure(self) -> None:
        plain = self._transport
        if plain is None or self._context is None:
            raise ConnectionError("there is no certificate for TLS")
        self._transport = await asyncio.get_running_loop().start_tls(
            plain, self, self._context, server_side=True
        )


async def _serve(port: int, certificate: str = "") -> None:
    context = None
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
    server = await asyncio.get_running_loop().create_server(
        functools.partial(_Plain, context), "127.0.0.1", port, backlog=BACKLOG
    )
    await server.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(_serve(int(sys.argv[1]), *sys.argv[2:]))
