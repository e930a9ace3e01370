"""Asks a web server over and over, as many at once as told, from a process of its own.

`python -m bench.load PORT CONNECTIONS` reads what to ask from its standard input, a line each: a
path, and after a blank the form to send there. It prints the requests answered in a second.
"""

import asyncio
import functools
import sys
import time
from collections.abc import Iterator, Sequence
from typing import cast

import uvloop

_GOOD = (b" 200 ", b" 202 ", b" 302 ", b" 303 ")
_START = b"http/1.1"


class _Reader(asyncio.Protocol):
    """One connection: sends the next request when an answer is whole."""

    def __init__(self, requests: Iterator[bytes], is_over: asyncio.Future[None]) -> None:
        self._requests = requests
        self._is_over = is_over
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have asyncio's methods, not its classes.
        self._transport = cast(asyncio.Transport, transport)

    def begin(self) -> None:
        """Send the first request."""
        if self._transport is not None:
            self._next(self._transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0 or self._transport is None:
            return
        lines = bytes(self._buffer[:head]).lower().split(b"\r\n")
        length = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
        if len(self._buffer) < head + 4 + length:
            return
        if lines[0][len(_START) :][:5] not in _GOOD:
            self._end(ConnectionError(lines[0].decode()))
            return
        self._buffer.clear()
        self._next(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc or ConnectionError("the server hung up"))

    def _next(self, transport: asyncio.Transport) -> None:
        request = next(self._requests, None)
        if request is None:
            self._end()
        else:
            transport.write(request)

    def _end(self, problem: Exception | None = None) -> None:
        if self._is_over.done():
            return
        if problem is None:
            self._is_over.set_result(None)
        else:
            self._is_over.set_exception(problem)
        if self._transport is not None:
            self._transport.close()


async def ask(port: int, wanted: Sequence[str], *, connections: int) -> float:
    """Requests answered in a second, from when all connections are open."""
    loop = asyncio.get_running_loop()
    requests = iter([_request(port, *line.split()) for line in wanted])
    ends = [loop.create_future() for _ in range(connections)]
    readers = [_Reader(requests, is_over) for is_over in ends]
    for reader in readers:
        await loop.create_connection(functools.partial(_given, reader), "127.0.0.1", port)
    began = time.perf_counter()
    for reader in readers:
        reader.begin()
    await asyncio.gather(*ends)
    return len(wanted) / (time.perf_counter() - began)


def _given(reader: _Reader) -> _Reader:
    return reader


def _request(port: int, path: str, form: str = "") -> bytes:
    verb = "POST" if form else "GET"
    head = f"{verb} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: Mozilla/5.0 (X11)\r\n"
    if form:
        head += (
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(form)}\r\n"
        )
    return f"{head}\r\n{form}".encode()


async def from_outside(port: int, wanted: Sequence[str], *, connections: int) -> float:
    """The same from another process, so that a server in this one has a processor for itself."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.load", str(port), str(connections)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate("\n".join(wanted).encode())
    if process.returncode:
        raise ConnectionError("not everything was answered")
    return float(said)


if __name__ == "__main__":
    lines = sys.stdin.read().splitlines()
    print(uvloop.run(ask(int(sys.argv[1]), lines, connections=int(sys.argv[2]))))
