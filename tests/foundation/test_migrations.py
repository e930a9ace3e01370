"""A database is brought to the newest schema; one from a newer program is refused."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory
from sqlmodel import col, select

import campaigns.material_models
import campaigns.models
import campaigns.segment_models
import campaigns.welcome_models
import delivery.arriving.models
import delivery.hooks.models
import delivery.inbound.models
import delivery.models
import subscribers.models
import subscribers.word_models
from campaigns.models import Campaign
from delivery.models import Delivery, Dispatch
from foundation import database, errors, migrations, tables
from foundation.ground import Ground
from foundation.migrations import upgrading
from subscribers import catchwords
from subscribers.word_models import SubscriberWord
from tests.world import databases


@pytest.mark.storage
async def test_the_migrated_schema_is_that_of_the_models(ground: Ground) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    def differences(connection: sa.Connection) -> list[object]:
        context = MigrationContext.configure(connection)
        return list(compare_metadata(context, tables.Table.metadata))

    # Every table is known.
    assert {
        campaigns.material_models,
        campaigns.models,
        campaigns.segment_models,
        campaigns.welcome_models,
        delivery.hooks.models,
        delivery.arriving.models,
        delivery.inbound.models,
        delivery.models,
        subscribers.models,
        subscribers.word_models,
    }
    async with ground.db.reading() as session:
        connection = await session.connection()
        assert await connection.run_sync(differences) == []


async def test_sqlite_gives_an_erased_rows_number_to_nobody_else(ground: Ground) -> None:
    """Links in mail hold numbers, and one that was erased must open nothing of anybody's."""
    numbered = {
        table.name
        for table in tables.METADATA.sorted_tables
        if [column.name for column in table.primary_key] == ["id"]
        and isinstance(table.c.id.type, sa.Integer)
    }
    async with ground.db.reading() as session:
        found = await session.execute(
            sa.text("SELECT name FROM sqlite_master WHERE sql LIKE '%PRIMARY KEY AUTOINCREMENT%'")
        )
        assert numbered
        assert numbered - set(found.scalars().all()) == set()


def test_the_newest_schema_is_that_of_the_last_script() -> None:
    scripts = ScriptDirectory.from_config(upgrading.config())
    assert migrations.newest() == scripts.get_current_head()


@pytest.mark.storage
async def test_migrating_twice_changes_nothing(ground: Ground) -> None:
    assert await migrations.migrate(ground.db) is False


@pytest.mark.storage
async def test_a_newer_database_is_refused_with_a_word(ground: Ground) -> None:
    async with ground.db.transaction() as session:
        await session.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(errors.Refused, match="newer Handbill"):
        await migrations.migrate(ground.db)


@pytest.mark.storage
async def test_an_upgrade_keeps_a_dispatch_that_is_being_sent(
    source: databases.SqliteFiles | databases.PostgresServer, tmp_path: Path
) -> None:
    if isinstance(source, databases.SqliteFiles):
        url = f"sqlite:///{tmp_path}/old.db"
    else:
        url = await source.empty()
    db = database.connect(url)
    async with db.transaction() as session:
        connection = await session.connection()
        await connection.run_sync(lambda raw: command.upgrade(upgrading.config(raw), "0001"))
        for statement in OLD_ROWS.split(";"):
            await session.execute(sa.text(statement))
    assert await migrations.migrate(db) is True
    async with db.reading() as session:
        dispatch = (await session.exec(select(Dispatch))).one()
        delivery = (await session.exec(select(Delivery))).one()
        campaign = (await session.exec(select(Campaign))).one()
        words = (await session.scalars(sa.select(col(SubscriberWord.word)))).all()
    assert (dispatch.state, dispatch.when_uncertain) == ("sending", "hold")
    assert (delivery.state, delivery.relay) == ("sent", "main")
    assert (campaign.name, campaign.when_uncertain) == ("News", "")
    # Who was there already is found as whoever comes now.
    assert set(words) == catchwords.of(["ana.ruiz@example.org", "Anaïs"])
    await db.close()


OLD_ROWS = """
INSERT INTO bulletins
(id, name, document, version, created_by, created_at, updated_by, updated_at)
VALUES (1, 'News', '{}', 1, '', '2026-11-02 15:00:00', '', '2026-11-02 15:00:00');
INSERT INTO campaigns
(id, bulletin_id, name, state, audience, from_name, from_address, reply_to, scheduled_local,
scheduled_zone, waiting_reason, waiting_texts, approved_by, is_in_archive, created_by, created_at,
updated_at, version)
VALUES (1, 1, 'News', 'sending', '{}', '', '', '', '', '', '', '{}', '', true, '',
'2026-11-02 15:00:00', '2026-11-02 15:00:00', 1);
INSERT INTO dispatches
(id, campaign_id, name, state, pause_reason, from_name, from_address, reply_to, default_language,
topics, excluded, audience, started_at)
VALUES (1, 1, 'News', 'sending', '', 'A', 'a@example.org', '', 'en', '[]', '{}', 1,
'2026-11-02 15:00:00');
INSERT INTO deliveries
(id, dispatch_id, language, state, reason, attempts, due_at, relay, reply_text, bounce, sent_at)
VALUES (1, 1, 'en', 'sent', '', 1, '2026-11-02 15:00:00', 'main', '', '', '2026-11-02 15:00:00');
INSERT INTO subscribers
(email, email_key, first_name, last_name, postal_code, town, language, fields, allows_tracking,
soft_bounces, created_at, updated_at)
VALUES ('Ana.Ruiz@example.org', 'ana.ruiz@example.org', 'Anaïs', '', '', '', 'es', '{}', false, 0,
'2026-11-02 15:00:00', '2026-11-02 15:00:00')
"""
"""A campaign on its way and a person, as the first schema keeps them."""
