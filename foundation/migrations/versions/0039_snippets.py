"""Saved snippets: blocks that are written once and stand in many bulletins

Revision 0039, after 0038.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "snippets",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("block", _JSON, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_by", sa.String(), nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snippets")),
        sa.UniqueConstraint("key", name=op.f("uq_snippets_key")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "snippet_versions",
        sa.Column("snippet_id", _BIG, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("block", _JSON, nullable=False),
        sa.Column("saved_by", sa.String(), nullable=False),
        sa.Column("saved_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["snippet_id"],
            ["snippets.id"],
            name=op.f("fk_snippet_versions_snippet_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("snippet_id", "version", name=op.f("pk_snippet_versions")),
    )
    op.create_table(
        "snippet_uses",
        sa.Column("bulletin_id", _BIG, nullable=False),
        sa.Column("snippet_id", _BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["bulletin_id"],
            ["bulletins.id"],
            name=op.f("fk_snippet_uses_bulletin_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["snippet_id"],
            ["snippets.id"],
            name=op.f("fk_snippet_uses_snippet_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("bulletin_id", "snippet_id", name=op.f("pk_snippet_uses")),
    )
    op.create_index(op.f("ix_snippet_uses_snippet_id"), "snippet_uses", ["snippet_id"])


def downgrade() -> None:
    op.drop_table("snippet_uses")
    op.drop_table("snippet_versions")
    op.drop_table("snippets")
