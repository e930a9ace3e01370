"""What limits of sending have used up, and a campaign's own relay

Revision 0003, after 0002.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "allowances",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("used", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("first_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ceiling", sa.Float(), nullable=True),
        sa.Column("measured", sa.Float(), nullable=False),
        sa.Column("said", sa.String(), nullable=False),
        sa.Column("troubled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stepped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("touched_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_allowances")),
    )
    op.create_index(op.f("ix_allowances_touched_at"), "allowances", ["touched_at"], unique=False)
    for table in ("campaigns", "dispatches"):
        op.add_column(table, sa.Column("relay", sa.String(), nullable=False, server_default=""))
