"""Which campaign another one corrects

Revision 0014, after 0013.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("campaigns", sa.Column("corrects_id", _BIG, nullable=True))
    op.create_index(op.f("ix_campaigns_corrects_id"), "campaigns", ["corrects_id"])
