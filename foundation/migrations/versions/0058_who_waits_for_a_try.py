"""The index by which rows are claimed holds those that wait; the ledger's others have room for more

Revision 0058, after 0057.
"""

import sqlalchemy as sa
from alembic import op

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None

_CLAIM = ("ix_deliveries_claim", "deliveries", ["dispatch_id", "state", "due_at", "id"])
_OTHERS = (
    "pk_deliveries",
    "uq_deliveries_dispatch_id_subscriber_id",
    "ix_deliveries_subscriber_id",
)


def upgrade() -> None:
    is_open = sa.text("state IN ('queued', 'deferred')")
    op.drop_index("ix_deliveries_claim", "deliveries")
    op.create_index(*_CLAIM, sqlite_where=is_open, postgresql_where=is_open)
    # A row is written anew when it is claimed and when it has its outcome, and has an entry for
    # each version. Pages that new rows leave half empty have room for them; full ones are searched
    # for versions that are gone, over and over, and in the end take as much room.
    _on_postgresql("SET (fillfactor = 50)")


def downgrade() -> None:
    _on_postgresql("RESET (fillfactor)")
    op.drop_index("ix_deliveries_claim", "deliveries")
    op.create_index(*_CLAIM)


def _on_postgresql(words: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        for name in ("ix_deliveries_claim", *_OTHERS):
            op.execute(f"ALTER INDEX {name} {words}")
