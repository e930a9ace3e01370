"""Brings a database to the newest schema, and refuses one that is newer than the program.

`versions/` holds Alembic's scripts; they run inside one transaction on the connection given.
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy.engine import Connection

from foundation import errors
from foundation.database import Database
from foundation.i18n import N_

_FOLDER = Path(__file__).parent
# A number of our own for PostgreSQL's advisory lock, so that two nodes never migrate at once.
_LOCK = 0x68616E64


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration, with the connection to work on."""
    found = Config()
    found.set_main_option("script_location", str(_FOLDER))
    found.attributes["connection"] = connection
    return found


async def migrate(db: Database) -> bool:
    """Bring the schema to the newest; returns whether anything changed.

    Safe to call from several processes at once. Raises `errors.Refused` when the database was
    written by a newer Handbill.
    """
    async with db.transaction() as session:
        connection = await session.connection()
        return await connection.run_sync(_upgrade)


async def is_newest(db: Database) -> bool:
    """Whether the schema is this program's; changes nothing. Raises `errors.Busy`."""
    async with db.reading() as session:
        connection = await session.connection()
        return await connection.run_sync(_is_newest)


def _is_newest(connection: Connection) -> bool:
    present = MigrationContext.configure(connection).get_current_revision()
    return present == ScriptDirectory.from_config(config(connection)).get_current_head()


def _upgrade(connection: Connection) -> bool:
    if connection.dialect.name == "postgresql":
        # Another node may be at it; that takes as long as it takes.
        connection.execute(sa.text("SET LOCAL lock_timeout = 0"))
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    settings = config(connection)
    scripts = ScriptDirectory.from_config(settings)
    present = MigrationContext.configure(connection).get_current_revision()
    newest = scripts.get_current_head()
    if present == newest:
        return False
    if present is not None and not _is_known(scripts, present):
        raise errors.Refused(
            N_(
                "This database was written by a newer Handbill (schema %(present)s). "
                "Install that version, or restore a backup made before the upgrade."
            ),
            present=present,
        )
    command.upgrade(settings, "head")
    return True


def _is_known(scripts: ScriptDirectory, revision: str) -> bool:
    try:
        return scripts.get_revision(revision) is not None
    except CommandError:
        return False
