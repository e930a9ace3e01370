"""What pictures show in each language, what has to be in view, and the shapes that they are cut to

Revision 0047, after 0045.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0047"
down_revision = "0045"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def _columns() -> list[sa.Column[object]]:
    return [
        sa.Column("alts", _JSON, nullable=False, server_default="{}"),
        sa.Column("is_decorative", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("focus_x", sa.Integer(), nullable=False, server_default="50"),
        sa.Column("focus_y", sa.Integer(), nullable=False, server_default="50"),
        sa.Column("parent_id", _BIG, nullable=True),
        sa.Column("shape", sa.String(), nullable=False, server_default=""),
    ]


def upgrade() -> None:
    for column in _columns():
        op.add_column("pictures", column)
    op.create_index(op.f("ix_pictures_parent_id"), "pictures", ["parent_id"])


def downgrade() -> None:
    op.execute("DELETE FROM pictures WHERE parent_id IS NOT NULL")
    op.drop_index(op.f("ix_pictures_parent_id"), "pictures")
    for column in reversed(_columns()):
        op.drop_column("pictures", column.name)
