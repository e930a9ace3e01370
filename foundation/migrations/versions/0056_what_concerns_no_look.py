"""Senders say of a transaction that it concerns nobody's last look; the index of leases holds these

Revision 0056, after 0055.
"""

import sqlalchemy as sa
from alembic import op

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None

_INDEX = ("ix_deliveries_lease", "deliveries", ["worker_id", "state"])


def upgrade() -> None:
    op.add_column(
        "workers", sa.Column("declared", sa.BigInteger().with_variant(sa.Integer, "sqlite"))
    )
    is_held = sa.text("worker_id IS NOT NULL")
    op.drop_index("ix_deliveries_lease", "deliveries")
    op.create_index(*_INDEX, sqlite_where=is_held, postgresql_where=is_held)


def downgrade() -> None:
    op.drop_index("ix_deliveries_lease", "deliveries")
    op.create_index(*_INDEX)
    op.drop_column("workers", "declared")
