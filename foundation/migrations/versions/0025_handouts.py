"""Where handouts stood, so that links in old mail are known as theirs, and how often they are taken

Revision 0025, after 0024.
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "material_addresses",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("material_id", _BIG, nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["material_id"],
            ["materials.id"],
            name=op.f("fk_material_addresses_material_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_material_addresses")),
        sa.UniqueConstraint(
            "address",
            "material_id",
            "language",
            name=op.f("uq_material_addresses_address_material_id_language"),
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_material_addresses_material_id"), "material_addresses", ["material_id"]
    )
    op.create_table(
        "material_downloads",
        sa.Column("material_id", _BIG, nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("human", sa.Integer(), nullable=False),
        sa.Column("machine", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["material_id"],
            ["materials.id"],
            name=op.f("fk_material_downloads_material_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "material_id", "language", "source", "day", name=op.f("pk_material_downloads")
        ),
        sqlite_autoincrement=True,
    )
    # What stands there now is known from the first day.
    op.execute(
        "INSERT INTO material_addresses (material_id, language, address) "
        "SELECT material_id, language, CASE WHEN digest <> '' "
        "THEN '/files/' || digest || '/' || file_name ELSE url END FROM material_files"
    )
