"""A way to PostgreSQL on which the answer to a commit gets lost, though it was committed."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.engine import make_url

_COMMIT = b"COMMIT;"
_COMPLETE = b"COMMIT\x00"
"""As in CommandComplete (PostgreSQL, chapter 55.7)."""


@dataclass(slots=True)
class Way:
    """The way, and what is to happen on it."""

    url: str = ""
    """Leads to the database by this way."""
    is_counting: bool = False
    """Whether commits are counted yet."""
    commits: int = 0
    loses: int = 0
    """The answer to this commit, counted from 1, is not passed on, and the connection ends."""
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when it was."""


@asynccontextmanager
async def leading_to(url: str) -> AsyncIterator[Way]:
    """A way to a database on a local socket, for as long as the block lasts."""
    parsed = make_url(url)
    socket = Path(str(parsed.query["host"])) / ".s.PGSQL.5432"
    way = Way()
    tasks: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await _carry(way, socket, reader, writer)
        writer.transport.abort()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    way.url = f"postgresql://postgres:@127.0.0.1:{port}/{parsed.database}"
    try:
        yield way
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _carry(
    way: Way, socket: Path, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """One connection, both directions, until either side ends it or an answer is to be lost."""
    from_server, to_server = await asyncio.open_unix_connection(str(socket))
    is_to_be_lost = False

    async def there() -> None:
        nonlocal is_to_be_lost
        while octets := await reader.read(65536):
            if way.is_counting and _COMMIT in octets:
                way.commits += 1
                is_to_be_lost = way.commits == way.loses
            to_server.write(octets)

    async def back() -> None:
        while octets := await from_server.read(65536):
            if is_to_be_lost and _COMPLETE in octets:
                way.lost.set()
                return
            writer.write(octets)

    ways = [asyncio.create_task(there()), asyncio.create_task(back())]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in ways:
            task.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        to_server.transport.abort()
