"""Who can read a bulletin afterwards, and what the archive keeps of each edition

Revision 0019, after 0018.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column(
        "campaigns", sa.Column("visibility", sa.String(), nullable=False, server_default="public")
    )
    # What was kept out of the archive can still be read by the links in its mails.
    op.execute("UPDATE campaigns SET visibility = 'subscribers' WHERE NOT is_in_archive")
    op.drop_column("campaigns", "is_in_archive")
    op.create_table(
        "archived_editions",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("dispatch_id", _BIG, nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("picture_url", sa.Text(), nullable=False),
        sa.Column("picture_alt", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("edition", _JSON, nullable=False),
        sa.Column("has_blocks", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dispatch_id"],
            ["dispatches.id"],
            name=op.f("fk_archived_editions_dispatch_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archived_editions")),
        sa.UniqueConstraint(
            "dispatch_id",
            "language",
            name=op.f("uq_archived_editions_dispatch_id_language"),
        ),
        sqlite_autoincrement=True,
    )
