"""Who has a bulletin open, and which of its earlier states are kept for good

Revision 0032, after 0043.
"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0043"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column(
        "bulletin_versions",
        sa.Column("is_pinned", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    # Nobody knows any more which of those that are there were approved: all of them stay.
    op.execute(sa.text("UPDATE bulletin_versions SET is_pinned = true"))
    op.create_table(
        "bulletin_presences",
        sa.Column("bulletin_id", _BIG, nullable=False),
        sa.Column("seat", sa.String(), nullable=False),
        sa.Column("staff_id", _BIG, nullable=False),
        sa.Column("block", sa.String(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["bulletin_id"],
            ["bulletins.id"],
            name=op.f("fk_bulletin_presences_bulletin_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"],
            ["staff.id"],
            name=op.f("fk_bulletin_presences_staff_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("bulletin_id", "seat", name=op.f("pk_bulletin_presences")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_bulletin_presences_staff_id"), "bulletin_presences", ["staff_id"])
