"""Which events of providers were heard already, and hosts that refuse us

Revision 0007, after 0006.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "heard_events",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_heard_events")),
    )
    op.create_index(op.f("ix_heard_events_heard_at"), "heard_events", ["heard_at"], unique=False)
    for column in (
        sa.Column("holds", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("held_said", sa.String(), nullable=False, server_default=""),
        sa.Column("is_given_up", sa.Boolean(), nullable=False, server_default=sa.false()),
    ):
        op.add_column("allowances", column)
