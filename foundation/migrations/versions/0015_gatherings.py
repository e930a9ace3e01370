"""Where people sign up by hand, and when what they wrote was typed in

Revision 0015, after 0014.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "gatherings",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("form_id", _BIG, nullable=True),
        sa.Column("languages", _JSON, nullable=False),
        sa.Column("wordings", _JSON, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["form_id"], ["forms.id"], name=op.f("fk_gatherings_form_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gatherings")),
        sa.UniqueConstraint("code", name=op.f("uq_gatherings_code")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("signups") as signups:
        signups.add_column(sa.Column("gathering_id", _BIG, nullable=True))
        signups.add_column(sa.Column("typed_at", _MOMENT, nullable=True))
        signups.add_column(sa.Column("entry_number", sa.String(), nullable=True))
        signups.create_index(op.f("ix_signups_gathering_id"), ["gathering_id"])
        signups.create_unique_constraint(op.f("uq_signups_entry_number"), ["entry_number"])
