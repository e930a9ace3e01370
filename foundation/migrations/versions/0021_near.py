"""Where developments are, for who lives near

Revision 0021, after 0020.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "developments", sa.Column("postal_code", sa.String(), nullable=False, server_default="")
    )
    op.add_column(
        "developments", sa.Column("miles", sa.Integer(), nullable=False, server_default="25")
    )
