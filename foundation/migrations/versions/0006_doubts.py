"""Why a sign-up looks like a program's

Revision 0006, after 0005. Those that were suspect before were so for haste or a flood; which of the
two was not written down.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("signups", sa.Column("doubt", sa.String(), nullable=False, server_default=""))
    op.execute("UPDATE signups SET doubt = 'haste' WHERE state = 'suspect'")
