"""Rules of the inbox; API tokens of partners

Revision 0026, after 0025.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("api_tokens", sa.Column("partner_id", _BIG, nullable=True))
    op.create_index(op.f("ix_api_tokens_partner_id"), "api_tokens", ["partner_id"])
    op.create_table(
        "inbox_rules",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("issue_id", _BIG, nullable=True),
        sa.Column("words", _JSON, nullable=False),
        sa.Column("is_headline_only", sa.Boolean(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("to_issue_id", _BIG, nullable=True),
        sa.Column("is_drop", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["issue_id"], ["issues.id"], name=op.f("fk_inbox_rules_issue_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["to_issue_id"],
            ["issues.id"],
            name=op.f("fk_inbox_rules_to_issue_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox_rules")),
        sqlite_autoincrement=True,
    )
    for name in ("position", "issue_id", "to_issue_id"):
        op.create_index(op.f(f"ix_inbox_rules_{name}"), "inbox_rules", [name])
