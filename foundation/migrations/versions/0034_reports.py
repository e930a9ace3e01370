"""By which rule hits were taken for machines', and what was counted by looking at every recipient

Revision 0034, after 0033.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "hit_rules",
        sa.Column("dispatch_id", _BIG, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dispatch_id"],
            ["dispatches.id"],
            name=op.f("fk_hit_rules_dispatch_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("dispatch_id", "kind", "rule", name=op.f("pk_hit_rules")),
    )
    op.create_table(
        "breakdowns",
        sa.Column("dispatch_id", _BIG, nullable=False),
        sa.Column("counted_at", _MOMENT, nullable=False),
        sa.Column("figures", _JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["dispatch_id"],
            ["dispatches.id"],
            name=op.f("fk_breakdowns_dispatch_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("dispatch_id", name=op.f("pk_breakdowns")),
    )
