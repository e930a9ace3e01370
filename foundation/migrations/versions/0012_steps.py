"""How often forms were seen and started, by partner, day, page and language

Revision 0012, after 0011.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "step_counts",
        sa.Column("partner_id", _BIG, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("form_id", _BIG, nullable=False),
        sa.Column("page", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("started", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "partner_id", "day", "form_id", "page", "language", name=op.f("pk_step_counts")
        ),
    )
