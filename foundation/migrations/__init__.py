"""Brings a database to the newest schema, and refuses one that is newer than the program.

`versions/` holds Alembic's scripts, named by their numbers. Alembic itself is only loaded when
there is something to do: a service that starts on the newest schema never needs it.
"""

import re
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from foundation.database import Database

FOLDER = Path(__file__).parent
_BEFORE = re.compile(r'^down_revision = "(\d+)"', re.MULTILINE)


async def migrate(db: Database) -> bool:
    """Bring the schema to the newest; returns whether anything changed.

    Safe to call from several processes at once. Raises `errors.Refused` when the database was
    written by a newer Handbill.
    """
    if await is_newest(db):
        return False
    from foundation.migrations import upgrading

    async with db.transaction() as session:
        connection = await session.connection()
        return await connection.run_sync(upgrading.upgrade)


async def is_newest(db: Database) -> bool:
    """Whether the schema is this program's; changes nothing. Raises `errors.Busy`."""
    async with db.reading() as session:
        connection = await session.connection()
        return await connection.run_sync(_present) == newest()


def newest() -> str:
    """The number of the script after which there is none; they need not be in order of numbers."""
    scripts = {
        path.name[:4]: _BEFORE.search(path.read_text(encoding="utf-8"))
        for path in (FOLDER / "versions").glob("[0-9]*.py")
    }
    (last,) = scripts.keys() - {found[1] for found in scripts.values() if found}
    return last


def _present(connection: Connection) -> str | None:
    """The database's schema, by Alembic's own table; None where there is none yet."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return found
