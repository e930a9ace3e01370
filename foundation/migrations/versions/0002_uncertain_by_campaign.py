"""Uncertain mail is held or sent again by campaign; the odd ones are listed, sent mail is counted

Revision 0002, after 0001.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "campaigns", sa.Column("when_uncertain", sa.String(), nullable=False, server_default="")
    )
    op.add_column(
        "dispatches",
        sa.Column("when_uncertain", sa.String(), nullable=False, server_default="hold"),
    )
    op.drop_index("ix_deliveries_sent_at", "deliveries")
    _create_partial_index(
        "ix_deliveries_odd",
        ["dispatch_id", "state", "id", "reason", "reply_code"],
        "state NOT IN ('queued', 'sent')",
    )
    _create_partial_index(
        "ix_deliveries_sent", ["dispatch_id", "sent_at", "relay"], "sent_at IS NOT NULL"
    )


def _create_partial_index(name: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, "deliveries", columns, sqlite_where=condition, postgresql_where=condition)
