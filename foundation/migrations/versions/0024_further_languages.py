"""Further languages that somebody reads, and whether they want two of them in one mail

Revision 0024, after 0023.
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_SEVERAL = sa.text("further_languages <> ''")


def upgrade() -> None:
    for table in ("subscribers", "signups"):
        op.add_column(
            table, sa.Column("further_languages", sa.String(), nullable=False, server_default="")
        )
    op.add_column(
        "subscribers",
        sa.Column("reads_both", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.create_index(
        "ix_subscribers_further_languages",
        "subscribers",
        ["further_languages"],
        sqlite_where=_SEVERAL,
        postgresql_where=_SEVERAL,
    )
