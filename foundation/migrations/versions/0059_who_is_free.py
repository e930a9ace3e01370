"""The index by which rows are claimed holds those that nobody has claimed yet

Revision 0059, after 0058.
"""

import sqlalchemy as sa
from alembic import op

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None

_CLAIM = ("ix_deliveries_claim", "deliveries", ["dispatch_id", "state", "due_at", "id"])
_LEASE = ("ix_deliveries_lease", "deliveries")
_IS_HELD = sa.text("worker_id IS NOT NULL")


def upgrade() -> None:
    is_free = sa.text("state IN ('queued', 'deferred') AND worker_id IS NULL")
    op.drop_index("ix_deliveries_claim", "deliveries")
    # A row that is claimed leaves it: it gets no entry for the version that is leased, and no room
    # for one has to be kept.
    op.create_index(*_CLAIM, sqlite_where=is_free, postgresql_where=is_free)
    _lease("dispatch_id", "worker_id", "state")


def downgrade() -> None:
    _lease("worker_id", "state")
    is_open = sa.text("state IN ('queued', 'deferred')")
    op.drop_index("ix_deliveries_claim", "deliveries")
    op.create_index(*_CLAIM, sqlite_where=is_open, postgresql_where=is_open)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER INDEX ix_deliveries_claim SET (fillfactor = 50)")


def _lease(*columns: str) -> None:
    op.drop_index(*_LEASE)
    op.create_index(*_LEASE, columns, sqlite_where=_IS_HELD, postgresql_where=_IS_HELD)
