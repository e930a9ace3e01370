"""On SQLite counters of limits are rows of their key, which is written once instead of twice

Revision 0054, after 0053.
"""

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None

_TABLE = "throttle_counters"
_BEFORE = f"{_TABLE}_before"


def upgrade() -> None:
    _made_anew(has_rowid=False)


def downgrade() -> None:
    _made_anew(has_rowid=True)


def _made_anew(*, has_rowid: bool) -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    op.rename_table(_TABLE, _BEFORE)
    op.create_table(
        _TABLE,
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("window_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "window_start", name=op.f(f"pk_{_TABLE}")),
        sqlite_with_rowid=has_rowid,
    )
    op.execute(
        f"INSERT INTO {_TABLE} (subject, window_start, count)"  # noqa: S608 - names of our own
        f" SELECT subject, window_start, count FROM {_BEFORE}"
    )
    op.drop_table(_BEFORE)
