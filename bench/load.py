"""Asks a web server for one page over and over, from a process of its own.

`python -m bench.load PORT PATH REQUESTS CONNECTIONS` prints the requests answered in a second.
"""

import asyncio
import functools
import sys
import time
from typing import cast


class _Reader(asyncio.Protocol):
    """One connection: sends the next request when an answer is whole."""

    def __init__(self, request: bytes, number: int, is_over: asyncio.Future[None]) -> None:
        self._request = request
        self._left = number
        self._is_over = is_over
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have asyncio's methods, not its classes.
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0 or self._transport is None:
            return
        lines = bytes(self._buffer[:head]).lower().split(b"\r\n")
        length = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
        if len(self._buffer) < head + 4 + length:
            return
        if b" 200 " not in lines[0]:
            self._end(ConnectionError(lines[0].decode()))
            return
        self._buffer.clear()
        self._left -= 1
        if self._left:
            self._transport.write(self._request)
        else:
            self._end()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc or ConnectionError("the server hung up"))

    def _end(self, problem: Exception | None = None) -> None:
        if self._is_over.done():
            return
        if problem is None:
            self._is_over.set_result(None)
        else:
            self._is_over.set_exception(problem)
        if self._transport is not None:
            self._transport.close()


async def ask(port: int, path: str, *, requests: int, connections: int) -> float:
    """Requests answered in a second."""
    loop = asyncio.get_running_loop()
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
    share = requests // connections
    ends = [loop.create_future() for _ in range(connections)]
    began = time.perf_counter()
    for is_over in ends:
        reader = functools.partial(_Reader, request, share, is_over)
        await loop.create_connection(reader, "127.0.0.1", port)
    await asyncio.gather(*ends)
    return share * connections / (time.perf_counter() - began)


if __name__ == "__main__":
    found = asyncio.run(
        ask(
            int(sys.argv[1]),
            sys.argv[2],
            requests=int(sys.argv[3]),
            connections=int(sys.argv[4]),
        )
    )
    print(found)
