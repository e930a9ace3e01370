"""Why a step of the welcome can't be made, for the overview

Revision 0028, after 0027.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    since = sa.Column("problem_since", sa.DateTime(timezone=True), nullable=True)
    op.add_column("welcome_steps", since)
    op.add_column(
        "welcome_steps", sa.Column("problem_texts", _JSON, nullable=False, server_default="{}")
    )
