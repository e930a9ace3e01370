"""What came back says by which way, how it is known whom it is about, and what the server said

Revision 0005, after 0004. A bounce that was kept before is known again under its new digest: what it
is about and its kind.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    for column in (
        sa.Column("dispatch_id", _BIG, nullable=True),
        sa.Column("notice_id", _BIG, nullable=True),
        sa.Column("domain", sa.String(), nullable=False, server_default=""),
        sa.Column("via", sa.String(), nullable=False, server_default="mail"),
        sa.Column("proof", sa.String(), nullable=False, server_default="token"),
        sa.Column("reply_code", sa.Integer(), nullable=True),
        sa.Column("diagnostic", sa.Text(), nullable=False, server_default=""),
        sa.Column("times", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=True),
    ):
        op.add_column("returns", column)
    op.create_index(op.f("ix_returns_dispatch_id"), "returns", ["dispatch_id"], unique=False)
    unproven = sa.text("proof = 'none'")
    op.create_index(
        "ix_returns_unproven", "returns", ["id"], sqlite_where=unproven, postgresql_where=unproven
    )
    op.execute(
        "UPDATE returns SET dispatch_id ="
        " (SELECT dispatch_id FROM deliveries WHERE deliveries.id = returns.delivery_id)"
    )
    op.execute(
        "UPDATE returns SET digest = 'd:' || delivery_id || ':' || kind WHERE id IN"
        " (SELECT min(id) FROM returns WHERE delivery_id IS NOT NULL GROUP BY delivery_id, kind)"
    )
    op.add_column("suppressions", sa.Column("return_id", _BIG, nullable=True))
