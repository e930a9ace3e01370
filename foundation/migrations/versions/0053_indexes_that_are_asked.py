"""Sign-ups, consent and notices have no index that no query asks, and none for what is not there

Revision 0053, after 0052.
"""

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None

_UNASKED = (("signups", "source"), ("signups", "confirmed_at"), ("notices", "sent_at"))
_SELDOM_THERE = (
    ("signups", "form_id"),
    ("signups", "partner_id"),
    ("signups", "gathering_id"),
    ("consents", "dispatch_id"),
)


def upgrade() -> None:
    for table, column in _UNASKED:
        op.drop_index(f"ix_{table}_{column}", table)
    for table, column in _SELDOM_THERE:
        op.drop_index(f"ix_{table}_{column}", table)
        is_there = sa.text(f"{column} IS NOT NULL")
        op.create_index(
            f"ix_{table}_{column}",
            table,
            [column],
            sqlite_where=is_there,
            postgresql_where=is_there,
        )


def downgrade() -> None:
    for table, column in _SELDOM_THERE:
        op.drop_index(f"ix_{table}_{column}", table)
    for table, column in (*_UNASKED, *_SELDOM_THERE):
        op.create_index(f"ix_{table}_{column}", table, [column])
