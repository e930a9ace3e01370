"""A small IMAP client (RFC 3501, RFC 2177): as much of it as reading a mailbox needs.

Of a message no more than its beginning is held in memory, however long it is and whatever the
server sends. Every wait for the server ends. docs/decisions/0012-an-imap-client-of-our-own.md says
why there is one.
"""

import asyncio
import base64
import contextlib
import re
import ssl
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

from foundation import receiving, trusting
from foundation.relaying import Tls

_MAX_LINE = 4_000_000
"""A list of 350,000 UIDs; the only long line there is."""
_CHUNK = 65_536
_LITERAL = re.compile(rb"\{(\d+)\}\r\n$")
_QUOTED = rb'"((?:[^"\\\r\n]|\\["\\])*)"'
_BODY = re.compile(rb"BODY\[\](?:<\d+>)? (?:(\{\})|(NIL)|" + _QUOTED + rb")", re.IGNORECASE)
_EXISTS = re.compile(rb"\* \d+ EXISTS\b", re.IGNORECASE)
_VALIDITY = re.compile(rb"\[UIDVALIDITY (\d+)\]", re.IGNORECASE)
_HANGING_UP_S = 2.0


class Trouble(Exception):
    """The mailbox can't be read just now; `said` is why, in the server's or the system's words."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


class Refused(Trouble):
    """The server answered NO or BAD; the connection can still be used."""


@dataclass(frozen=True, slots=True)
class _Response:
    """One response; in `text` a `{}` stands for each literal."""

    text: bytes
    literals: list[bytes] = field(default_factory=list)


class Imap:
    """A connection that is signed in."""

    def __init__(self, settings: receiving.Imap, *, kept_bytes: int) -> None:
        self._settings = settings
        self._kept_bytes = kept_bytes
        self._tag = 0
        self._capabilities: frozenset[str] = frozenset()
        self._writers: list[asyncio.StreamWriter] = []
        """The one in use is the last; one that it replaced must not be closed before it."""
        self._has_news = False
        """The server spoke of new mail while something else was asked."""

    @property
    def can_idle(self) -> bool:
        """Whether the server tells of new mail by itself."""
        return "IDLE" in self._capabilities

    async def select(self, folder: str, *, is_read_only: bool) -> int:
        """Open a folder; returns its UIDVALIDITY."""
        self._has_news = False
        with _troubles():
            found = await self._command("EXAMINE" if is_read_only else "SELECT", _name(folder))
        self._has_news = False  # the count of messages that every SELECT answers
        for response in found:
            if validity := _VALIDITY.search(response.text):
                return int(validity[1])
        raise Trouble("the server gives no UIDVALIDITY")

    async def uids_after(self, uid: int) -> list[int]:
        """UIDs above `uid`, in their order."""
        with _troubles():
            found = await self._command("UID SEARCH UID", f"{uid + 1}:*")
        words = [
            word
            for response in found
            if response.text[:9].upper() == b"* SEARCH "
            for word in response.text.split()[2:]
        ]
        # `n:*` always holds the last message, also when it is below n (RFC 3501 §6.4.8).
        return sorted({int(word) for word in words if word.isdigit() and int(word) > uid})

    async def fetch(self, uid: int) -> bytes | None:
        """A message, or its beginning if it is long, without marking it; None if it is gone."""
        with _troubles():
            found = await self._command("UID FETCH", f"{uid} BODY.PEEK[]<0.{self._kept_bytes}>")
        for response in found:
            body = _BODY.search(response.text)
            if body is None:
                continue
            if body[1]:
                number = response.text[: body.start(1)].count(b"{}")
                return response.literals[number]
            return None if body[2] else re.sub(rb"\\(.)", rb"\1", body[3])
        return None

    async def mark_seen(self, uid: int) -> None:
        """Mark a message as read."""
        with _troubles():
            await self._command("UID STORE", rf"{uid} +FLAGS.SILENT (\Seen)")

    async def move(self, uid: int, folder: str) -> None:
        """Put a message into another folder, which is made if it is not there (RFC 6851)."""
        verb = "UID MOVE" if "MOVE" in self._capabilities else "UID COPY"
        with _troubles():
            try:
                await self._command(verb, f"{uid} {_name(folder)}")
            except Refused:
                await self._command("CREATE", _name(folder))
                await self._command(verb, f"{uid} {_name(folder)}")
        if verb == "UID COPY":
            await self.delete(uid)

    async def delete(self, uid: int) -> None:
        """Delete one message. Without UIDPLUS (RFC 4315) it is only marked for that.

        A plain EXPUNGE would take along what others have marked.
        """
        with _troubles():
            await self._command("UID STORE", rf"{uid} +FLAGS.SILENT (\Deleted)")
            if "UIDPLUS" in self._capabilities:
                await self._command("UID EXPUNGE", str(uid))

    async def idle(self, seconds: float) -> bool:
        """Wait for new mail in the open folder, for so long at most; whether there is any."""
        if self._has_news:
            self._has_news = False
            return True
        with _troubles():
            tag = await self._send("IDLE")
            await self._continuation()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    while not self._has_news:
                        await self._response(is_hurried=False)
            await self._write(b"DONE\r\n")
            await self._answers(tag)
        has_news, self._has_news = self._has_news, False
        return has_news

    # Opening.

    async def open(self) -> None:
        """Connect, secure and sign in."""
        settings = self._settings
        verifies = settings.verify_certificate
        context = trusting.context(verifies=verifies) if settings.tls is not Tls.NONE else None
        with _troubles():
            async with asyncio.timeout(settings.timeout_s):
                self._reader, writer = await asyncio.open_connection(
                    settings.host,
                    settings.port,
                    limit=_MAX_LINE,
                    ssl=context if settings.tls is Tls.TLS else None,
                )
            self._writers.append(writer)
            greeting = await self._response()
            if not greeting.text.upper().startswith((b"* OK", b"* PREAUTH")):
                raise Trouble(_words(greeting.text))
            if context is not None and settings.tls is Tls.STARTTLS:
                await self._command("STARTTLS")
                await self._secure(context)
            await self._ask_capabilities()
            if not greeting.text.upper().startswith(b"* PREAUTH"):
                await self._sign_in()
                await self._ask_capabilities()

    async def _secure(self, context: ssl.SSLContext) -> None:
        """Go on under TLS. What came in clear and was not read yet is left behind, unread."""
        loop = asyncio.get_running_loop()
        self._reader = asyncio.StreamReader(limit=_MAX_LINE, loop=loop)
        protocol = asyncio.StreamReaderProtocol(self._reader, loop=loop)
        async with asyncio.timeout(self._settings.timeout_s):
            transport = await loop.start_tls(
                self._writers[-1].transport,
                protocol,
                context,
                server_hostname=self._settings.host,
            )
        if transport is None:
            raise OSError("the connection could not be secured")
        protocol.connection_made(transport)
        self._writers.append(asyncio.StreamWriter(transport, protocol, self._reader, loop))

    async def _ask_capabilities(self) -> None:
        for response in await self._command("CAPABILITY"):
            if response.text[:13].upper() == b"* CAPABILITY ":
                self._capabilities = frozenset(
                    response.text.decode("ascii", "replace").upper().split()
                )

    async def _sign_in(self) -> None:
        username, password = self._settings.username, self._settings.password
        if "AUTH=PLAIN" in self._capabilities:
            tag = await self._send("AUTHENTICATE PLAIN")
            await self._continuation()
            # RFC 4616 §2.
            secret = base64.b64encode(f"\0{username}\0{password}".encode())
            await self._write(secret + b"\r\n")
            await self._answers(tag)
        elif "LOGINDISABLED" in self._capabilities:
            raise Trouble("the server lets nobody sign in over a connection that is not secured")
        else:
            await self._command("LOGIN", f"{_quoted(username)} {_quoted(password)}")

    async def close(self) -> None:
        """Hang up."""
        for writer in reversed(self._writers):
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(_HANGING_UP_S):
                    await writer.wait_closed()
        self._writers.clear()

    # Commands and responses.

    async def _command(self, verb: str, arguments: str = "") -> list[_Response]:
        """What the server said to a command. Raises `Refused` unless that was OK."""
        return await self._answers(await self._send(f"{verb} {arguments}".rstrip()))

    async def _send(self, command: str) -> bytes:
        self._tag += 1
        tag = f"h{self._tag}"
        await self._write(f"{tag} {command}\r\n".encode("ascii"))
        return tag.encode()

    async def _answers(self, tag: bytes) -> list[_Response]:
        """Responses up to the one that ends a command."""
        found: list[_Response] = []
        while True:
            response = await self._response()
            if not response.text.startswith(tag + b" "):
                found.append(response)
                continue
            said = response.text[len(tag) + 1 :]
            if not said.upper().startswith(b"OK"):
                raise Refused(_words(said))
            # Codes such as UIDVALIDITY may stand in the last response as well.
            return [*found, response]

    async def _continuation(self) -> None:
        """Wait until the server asks for more (RFC 3501 §7.5)."""
        while not (response := await self._response()).text.startswith(b"+"):
            if not response.text.startswith(b"*"):
                raise Refused(_words(response.text.partition(b" ")[2]))

    async def _response(self, *, is_hurried: bool = True) -> _Response:
        """The next response. Raises `Trouble` if that is a goodbye, TimeoutError if none comes."""
        text, literals = b"", []
        async with asyncio.timeout(self._settings.timeout_s if is_hurried else None):
            line = await self._reader.readuntil(b"\r\n")
        while literal := _LITERAL.search(line):
            text += line[: literal.start()] + b"{}"
            literals.append(await self._literal(int(literal[1])))
            async with asyncio.timeout(self._settings.timeout_s):
                line = await self._reader.readuntil(b"\r\n")
        text += line.rstrip(b"\r\n")
        if text[:5].upper() == b"* BYE":
            raise Trouble(_words(text[2:]))
        self._has_news = self._has_news or _EXISTS.match(text) is not None
        return _Response(text, literals)

    async def _literal(self, size: int) -> bytes:
        """Read octets, and keep the first of them."""
        kept = bytearray()
        while size:
            async with asyncio.timeout(self._settings.timeout_s):
                piece = await self._reader.read(min(size, _CHUNK))
            if not piece:
                raise asyncio.IncompleteReadError(b"", size)
            size -= len(piece)
            kept += piece[: max(0, self._kept_bytes - len(kept))]
        return bytes(kept)

    async def _write(self, octets: bytes) -> None:
        async with asyncio.timeout(self._settings.timeout_s):
            self._writers[-1].write(octets)
            await self._writers[-1].drain()


@contextlib.asynccontextmanager
async def opened(settings: receiving.Imap, *, kept_bytes: int) -> AsyncIterator[Imap]:
    """A connection that is signed in, for as long as the block lasts. Raises `Trouble`."""
    imap = Imap(settings, kept_bytes=kept_bytes)
    try:
        await imap.open()
        yield imap
    finally:
        await imap.close()


@contextlib.contextmanager
def _troubles() -> Iterator[None]:
    """Whatever a connection fails with is `Trouble`."""
    try:
        yield
    except TimeoutError as problem:
        raise Trouble("the server did not answer in time") from problem
    except asyncio.IncompleteReadError as problem:
        raise Trouble("the server hung up") from problem
    except asyncio.LimitOverrunError as problem:
        raise Trouble("the server sent a line that never ends") from problem
    except (OSError, ValueError) as problem:
        raise Trouble(str(problem) or type(problem).__name__) from problem


def _words(text: bytes) -> str:
    """What the server said, on one line, without what could not be shown."""
    said = text.decode("utf-8", "replace")[:300]
    return " ".join("".join(each if each.isprintable() else " " for each in said).split())


def _quoted(text: str) -> str:
    if not text.isascii() or any(each in text for each in "\r\n\0"):
        raise ValueError("the user name or password has signs that this server can't be told")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _name(folder: str) -> str:
    """A folder's name in modified UTF-7 (RFC 3501 §5.1.3), quoted."""
    out = []
    for plain, other in re.findall(r"([\x20-\x7e]+)|([^\x20-\x7e]+)", folder):
        if plain:
            out.append(plain.replace("&", "&-"))
        else:
            octets = base64.b64encode(other.encode("utf-16-be")).rstrip(b"=")
            out.append(f"&{octets.decode().replace('/', ',')}-")
    return _quoted("".join(out))
