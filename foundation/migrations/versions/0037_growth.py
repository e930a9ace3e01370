"""How many people came and left, by day

Revision 0037, after 0039.
"""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0039"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "growth_counts",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("topic_id", _BIG, nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("partner_id", _BIG, nullable=False),
        sa.Column("joined", sa.Integer(), nullable=False),
        sa.Column("confirmed", sa.Integer(), nullable=False),
        sa.Column("left", sa.Integer(), nullable=False),
        sa.Column("barred", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "day", "topic_id", "language", "source", "partner_id", name=op.f("pk_growth_counts")
        ),
    )
    op.create_table(
        "growth_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("counted_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_growth_days")),
    )
