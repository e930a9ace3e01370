"""Which translations of developments, handouts and snippets were left behind by their source

Revision 0050, after 0048.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0050"
down_revision = "0048"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_TABLES = ("developments", "materials", "snippets")


def upgrade() -> None:
    for table in _TABLES:
        op.add_column(table, sa.Column("behind", _JSON, nullable=False, server_default="{}"))


def downgrade() -> None:
    for table in _TABLES:
        op.drop_column(table, "behind")
