"""Series that were deleted, and why

Revision 0049, after 0051.
"""

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0051"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("series", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))
    for name in ("deleted_by", "deleted_reason"):
        op.add_column("series", sa.Column(name, sa.String(), nullable=False, server_default=""))
