"""An IMAP server on loopback: as much of RFC 3501, IDLE, MOVE and UIDPLUS as reading mail needs.

It can be told to misbehave: to refuse, to hang up in the middle of a message, to say nothing, to
give a folder other UIDs.
"""

import asyncio
import base64
import contextlib
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

USER, PASSWORD = "returns", 'a "secret" \\ with signs'


@dataclass(slots=True)
class Stored:
    """A message in a folder."""

    octets: bytes
    flags: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Folder:
    """A folder; its UIDs are as RFC 3501 §2.3.1.1 wants them."""

    validity: int = 7
    messages: dict[int, Stored] = field(default_factory=dict)
    next_uid: int = 1

    def add(self, octets: bytes) -> int:
        """Put a message in; returns its UID."""
        uid, self.next_uid = self.next_uid, self.next_uid + 1
        self.messages[uid] = Stored(octets)
        return uid


@dataclass(slots=True)
class Server:
    """The server's memory, and what it was told to do."""

    port: int = 0
    folders: dict[str, Folder] = field(default_factory=lambda: {"INBOX": Folder()})
    capabilities: list[str] = field(
        default_factory=lambda: ["IMAP4rev1", "AUTH=PLAIN", "IDLE", "MOVE", "UIDPLUS"]
    )
    greeting: str = "* OK ready"
    refuses_everybody: bool = False
    hang_ups: int = 0
    """How often it still hangs up in the middle of a message."""
    is_mute: bool = False
    """Answers nothing any more."""
    ignores: str = ""
    """A command that it never answers."""
    knows_no_part: bool = False
    """Sends a message whole when asked for its beginning."""
    quotes: bool = False
    """Sends messages as quoted strings, as it may with short ones."""
    tls: ssl.SSLContext | None = None
    """For STARTTLS."""
    commands: list[str] = field(default_factory=list)
    accepted: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    _clients: set[asyncio.StreamWriter] = field(default_factory=set)

    def deliver(self, octets: bytes, folder: str = "INBOX") -> int:
        """A message arrives; whoever listens is told."""
        uid = self.folders[folder].add(octets)
        self._tell()
        return uid

    def renumber(self, folder: str = "INBOX") -> None:
        """The folder is restored from a copy: the same messages with other UIDs."""
        old = self.folders[folder]
        self.folders[folder] = Folder(validity=old.validity + 1)
        for stored in old.messages.values():
            self.folders[folder].add(stored.octets)

    def drop_everybody(self) -> None:
        """End every connection without a word."""
        for writer in self._clients:
            writer.transport.abort()

    async def heard(self, command: str, *, times: int = 1) -> None:
        """Wait until a command that begins so has come so often."""
        async with asyncio.timeout(60):
            while sum(each.startswith(command) for each in self.commands) < times:
                self.changed.clear()
                await self.changed.wait()

    def _tell(self) -> None:
        self.changed.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client."""
        self.accepted += 1
        self._clients.add(writer)
        try:
            await Client(self, reader, writer).talk()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._clients.discard(writer)
            writer.close()


class Client:
    """One conversation."""

    def __init__(
        self, server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._server = server
        self._reader = reader
        self._writer = writer
        self._name = ""
        self._is_known = False
        self._is_changeable = False

    @property
    def _folder(self) -> Folder:
        return self._server.folders[self._name]

    async def talk(self) -> None:
        """Greet, then do as told until LOGOUT."""
        self._say(self._server.greeting)
        while True:
            line = (await self._reader.readuntil(b"\r\n")).decode().rstrip("\r\n")
            tag, _, rest = line.partition(" ")
            word, _, arguments = rest.partition(" ")
            if word == "UID":
                word, _, arguments = arguments.partition(" ")
                word = f"UID {word}"
            self._server.commands.append(f"{word} {arguments}".strip())
            self._server.changed.set()
            if self._server.is_mute or word == self._server.ignores:
                continue
            if answer := await self._obey(tag, word, arguments):
                self._say(f"{tag} {answer}")
            if word == "LOGOUT":
                return

    async def _obey(self, tag: str, word: str, arguments: str) -> str:
        if word == "CAPABILITY":
            self._say(f"* CAPABILITY {' '.join(self._server.capabilities)}")
            return "OK done"
        if word == "STARTTLS" and self._server.tls is not None:
            return await self._secure(tag)
        if word in ("LOGIN", "AUTHENTICATE"):
            return await self._sign_in(word, arguments)
        if not self._is_known:
            return "BAD sign in first"
        if word in ("SELECT", "EXAMINE"):
            return self._select(_unquoted(arguments), is_changeable=word == "SELECT")
        if word == "CREATE":
            self._server.folders[_unquoted(arguments)] = Folder()
            return "OK made"
        if not self._name:
            return "BAD select first"
        if word == "IDLE" and "IDLE" in self._server.capabilities:
            return await self._idle()
        if word == "UID SEARCH":
            return self._search(arguments)
        if word == "UID FETCH":
            return await self._fetch(arguments)
        if not self._is_changeable:
            return "NO this folder is only read"
        return self._change(word, arguments)

    async def _secure(self, tag: str) -> str:
        """With a reply in clear behind the last one, as somebody in between might put it in."""
        assert self._server.tls is not None
        self._say(f"{tag} OK begin\r\n* CAPABILITY IMAP4rev1 LOGINDISABLED")
        await self._writer.start_tls(self._server.tls)
        return ""

    async def _sign_in(self, word: str, arguments: str) -> str:
        if word == "LOGIN":
            found = re.fullmatch(r'"((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"', arguments)
            given = tuple(re.sub(r"\\(.)", r"\1", each) for each in found.groups()) if found else ()
        else:
            self._say("+ ")
            line = await self._reader.readuntil(b"\r\n")
            given = tuple(base64.b64decode(line).decode().split("\0")[1:])
        self._is_known = given == (USER, PASSWORD) and not self._server.refuses_everybody
        return (
            "OK welcome" if self._is_known else "NO [AUTHENTICATIONFAILED] not with this password"
        )

    def _select(self, name: str, *, is_changeable: bool) -> str:
        if name not in self._server.folders:
            return "NO [NONEXISTENT] there is no such folder"
        self._name, self._is_changeable = name, is_changeable
        self._say(f"* {len(self._folder.messages)} EXISTS")
        self._say(f"* OK [UIDVALIDITY {self._folder.validity}] as always")
        self._say(f"* OK [UIDNEXT {self._folder.next_uid}] next")
        return "OK open"

    def _search(self, arguments: str) -> str:
        first = int(arguments.removeprefix("UID ").partition(":")[0])
        uids = list(self._folder.messages)
        found = [uid for uid in uids if uid >= first] or uids[-1:]
        self._say(f"* SEARCH {' '.join(map(str, found))}".rstrip())
        return "OK searched"

    async def _fetch(self, arguments: str) -> str:
        found = re.fullmatch(r"(\d+) BODY\.PEEK\[\]<0\.(\d+)>", arguments)
        assert found is not None
        uid, most = int(found[1]), int(found[2])
        if uid not in self._folder.messages:
            return "OK nothing there"
        octets = self._folder.messages[uid].octets
        if not self._server.knows_no_part:
            octets = octets[:most]
        head = (
            f"* {list(self._folder.messages).index(uid) + 1} FETCH (UID {uid} BODY[]<0> ".encode()
        )
        if self._server.quotes:
            quoted = octets.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
            self._writer.write(head + b'"' + quoted + b'")\r\n')
            return "OK fetched"
        self._writer.write(head + f"{{{len(octets)}}}\r\n".encode())
        if self._server.hang_ups:
            self._server.hang_ups -= 1
            self._writer.write(octets[: len(octets) // 2])
            await self._writer.drain()
            raise ConnectionAbortedError
        self._writer.write(octets + b")\r\n")
        await self._writer.drain()
        return "OK fetched"

    def _change(self, word: str, arguments: str) -> str:
        text, _, rest = arguments.partition(" ")
        uid = int(text)
        if uid not in self._folder.messages:
            return "OK nothing there"
        stored = self._folder.messages[uid]
        if word == "UID STORE":
            stored.flags |= set(re.findall(r"\\\w+", rest))
        elif word in ("UID MOVE", "UID COPY"):
            if _unquoted(rest) not in self._server.folders:
                return "NO [TRYCREATE] there is no such folder"
            self._server.folders[_unquoted(rest)].add(stored.octets)
            if word == "UID MOVE":
                del self._folder.messages[uid]
        elif word == "UID EXPUNGE":
            if "\\Deleted" in stored.flags:
                del self._folder.messages[uid]
        else:
            return "BAD no such command"
        return "OK changed"

    async def _idle(self) -> str:
        self._say("+ idling")
        known = len(self._folder.messages)
        ending = asyncio.create_task(self._reader.readuntil(b"\r\n"))
        while not ending.done():
            if len(self._folder.messages) != known:
                known = len(self._folder.messages)
                self._say(f"* {known} EXISTS")
            self._server.changed.clear()
            changing = asyncio.create_task(self._server.changed.wait())
            await asyncio.wait({ending, changing}, return_when=asyncio.FIRST_COMPLETED)
            changing.cancel()
        assert ending.result() == b"DONE\r\n"
        return "OK idled"

    def _say(self, line: str) -> None:
        self._writer.write(f"{line}\r\n".encode())


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text.removeprefix('"').removesuffix('"'))


@asynccontextmanager
async def running(*, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """A server on a free port, as long as the block lasts; under TLS at once if it has `tls`."""
    server = Server()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, limit=1_000_000, ssl=tls)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        server.drop_everybody()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                await listening.wait_closed()
