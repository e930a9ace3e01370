"""A database is brought to the newest schema; one from a newer program is refused."""

import pytest
import sqlalchemy as sa

import campaigns.models
import delivery.models
import subscribers.models
from foundation import errors, migrations, tables
from foundation.ground import Ground


@pytest.mark.storage
async def test_the_migrated_schema_is_that_of_the_models(ground: Ground) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    def differences(connection: sa.Connection) -> list[object]:
        context = MigrationContext.configure(connection)
        return list(compare_metadata(context, tables.Table.metadata))

    assert {campaigns.models, delivery.models, subscribers.models}  # every table is known
    async with ground.db.reading() as session:
        connection = await session.connection()
        assert await connection.run_sync(differences) == []


@pytest.mark.storage
async def test_migrating_twice_changes_nothing(ground: Ground) -> None:
    assert await migrations.migrate(ground.db) is False


@pytest.mark.storage
async def test_a_newer_database_is_refused_with_a_word(ground: Ground) -> None:
    async with ground.db.transaction() as session:
        await session.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(errors.Refused, match="newer Handbill"):
        await migrations.migrate(ground.db)
