"""What a sender declares has a row for each kind of commit: two may follow close upon each other

Revision 0057, after 0056.
"""

import sqlalchemy as sa
from alembic import op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "declarations",
        sa.Column("worker_id", _NUMBER, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("number", _NUMBER, nullable=False),
        sa.ForeignKeyConstraint(
            ["worker_id"],
            ["workers.id"],
            name=op.f("fk_declarations_worker_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("worker_id", "kind", name=op.f("pk_declarations")),
    )
    # What was declared counts for moments; without it, senders ask once more.
    op.drop_column("workers", "declared")


def downgrade() -> None:
    op.add_column("workers", sa.Column("declared", _NUMBER))
    op.drop_table("declarations")
