"""The numbers of records that were joined with others, which links in old mail still carry

Revision 0041, after 0032.
"""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0032"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "former_subscribers",
        sa.Column("former_id", _BIG, nullable=False),
        sa.Column("subscriber_id", _BIG, nullable=False),
        sa.Column("merged_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscribers.id"],
            name=op.f("fk_former_subscribers_subscriber_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("former_id", name=op.f("pk_former_subscribers")),
    )
    op.create_index(
        op.f("ix_former_subscribers_subscriber_id"), "former_subscribers", ["subscriber_id"]
    )
