"""Runs Alembic's scripts, inside one transaction on the connection given."""

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy.engine import Connection

from foundation import errors
from foundation.i18n import N_
from foundation.migrations import FOLDER

# A number of our own for PostgreSQL's advisory lock, so that two nodes never migrate at once.
_LOCK = 0x68616E64


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration, with the connection to work on."""
    found = Config()
    found.set_main_option("script_location", str(FOLDER))
    found.attributes["connection"] = connection
    return found


def upgrade(connection: Connection) -> bool:
    """Run what is missing; whether anything was. Raises `errors.Refused` for a newer database."""
    if connection.dialect.name == "postgresql":
        # Another node may be at it; that takes as long as it takes.
        connection.execute(sa.text("SET LOCAL lock_timeout = 0"))
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    settings = config(connection)
    scripts = ScriptDirectory.from_config(settings)
    present = MigrationContext.configure(connection).get_current_revision()
    if present == scripts.get_current_head():
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
