"""Answers whose octets stand before anybody asks, written to whoever does as they are.

aiohttp makes each answer anew: it copies headers, adds its own, looks through them and joins them.
Where all who ask get the same, that is done once (`Ready`), and `door.py` hands out the rest. What
the server asks of an answer is told in `Written`.
"""

from collections.abc import Mapping
from http import HTTPStatus

from aiohttp import HttpVersion11, helpers, web


class Ready:
    """An answer with all of its headers but the moment, and those that are for one alone."""

    def __init__(self, *, status: int, headers: Mapping[str, str], body: bytes = b"") -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self._start = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nDate: ".encode()
        # RFC 9110 §8.6: an answer that says “as you have it” does not tell a length.
        length = {} if status == HTTPStatus.NOT_MODIFIED else {"Content-Length": str(len(body))}
        self._rest = lines({**headers, **length}) + b"\r\n\r\n" + body

    def octets(self, more: bytes) -> bytes:
        """All that goes to whoever asks now; `more` are `lines` for them alone."""
        now = helpers.rfc822_formatted_time().encode()
        return b"".join((self._start, now, self._rest if not more else more + self._rest))

    def to(self, more: Mapping[str, str]) -> "Written":
        """The answer to one request, with further headers."""
        return Written(self, more)


class Written:
    """A `Ready` answer under way: as much of a `web.StreamResponse` as aiohttp's server asks for.

    Whoever speaks an older HTTP, or wants the connection closed, gets the same by aiohttp's way.
    """

    __slots__ = ("_more", "_ready", "keep_alive")

    def __init__(self, ready: Ready, more: Mapping[str, str]) -> None:
        self._ready = ready
        self._more = more
        self.keep_alive: bool | None = True

    async def prepare(self, request: web.BaseRequest) -> None:
        """Write all of it."""
        if request.version != HttpVersion11 or not request.keep_alive:
            await self._in_full(request)
            return
        transport = request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError
        transport.write(self._ready.octets(lines(self._more) if self._more else b""))

    async def write_eof(self) -> None:
        """Nothing is left to be written."""

    async def _in_full(self, request: web.BaseRequest) -> None:
        ready = self._ready
        response = web.Response(
            status=ready.status, headers={**ready.headers, **self._more}, body=ready.body or None
        )
        await response.prepare(request)
        await response.write_eof()
        self.keep_alive = response.keep_alive


def lines(headers: Mapping[str, str]) -> bytes:
    """Headers on the wire, each after a line break. Raises `ValueError` for a break within one."""
    said = "".join(f"\r\n{name}: {value}" for name, value in headers.items())
    if said.count("\n") != len(headers) or said.count("\r") != len(headers) or "\0" in said:
        raise ValueError("a header can't hold a line break")
    return said.encode()
