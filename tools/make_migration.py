"""Writes a migration script from the difference between the tables in code and the scripts so far.

`python -m tools.make_migration "why"` makes the next one. Before the first release,
`--initial` rewrites the first script from the tables, so that the history starts clean.
"""

import argparse
import asyncio
import tempfile
from pathlib import Path

from alembic import command
from alembic.operations.ops import MigrationScript, OpContainer
from alembic.runtime.migration import MigrationContext
from sqlalchemy.engine import Connection

import campaigns.alarm_models
import campaigns.models
import campaigns.preflight.models
import campaigns.webhook_models
import delivery.models
import foundation.accounts.models
import foundation.audit
import foundation.throttle
import subscribers.models
from foundation import database, migrations
from foundation.migrations import upgrading

MODELS = (
    foundation.accounts.models,
    foundation.audit,
    foundation.throttle,
    subscribers.models,
    delivery.models,
    campaigns.models,
    campaigns.alarm_models,
    campaigns.preflight.models,
    campaigns.webhook_models,
)
VERSIONS = Path(migrations.__file__).parent / "versions"


def main() -> None:
    """Parse the arguments and write the script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("message", nargs="?", default="The first schema")
    parser.add_argument("--initial", action="store_true")
    arguments = parser.parse_args()
    if arguments.initial:
        for old in VERSIONS.glob("[0-9]*.py"):
            old.unlink()
    asyncio.run(_write(arguments.message))


async def _write(message: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        db = database.connect(f"sqlite:///{folder}/empty.db")
        if list(VERSIONS.glob("[0-9]*.py")):
            await migrations.migrate(db)
        async with db.transaction() as session:
            connection = await session.connection()
            await connection.run_sync(_autogenerate, message)
        await db.close()


def _autogenerate(connection: Connection, message: str) -> None:
    number = len(list(VERSIONS.glob("[0-9]*.py"))) + 1
    settings = upgrading.config(connection)
    settings.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    command.revision(
        settings,
        message,
        autogenerate=True,
        rev_id=f"{number:04d}",
        process_revision_directives=_only_upgrades,
    )


def _only_upgrades(
    _context: MigrationContext, _revision: object, directives: list[MigrationScript]
) -> None:
    for script in directives:
        upgrades = script.upgrade_ops
        if isinstance(upgrades, OpContainer) and upgrades.is_empty():
            print("nothing changed")
            directives.clear()


if __name__ == "__main__":
    main()
