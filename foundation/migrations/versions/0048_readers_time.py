"""Sending at the hour where each reader lives

Revision 0048, after 0046.
"""

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "campaigns",
        sa.Column("at_readers_time", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column("dispatches", sa.Column("last_due_at", sa.DateTime(timezone=True), nullable=True))
