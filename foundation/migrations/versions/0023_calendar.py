"""Events that bulletins told of, for calendars

Revision 0023, after 0022.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "calendar_events",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("bulletin_id", _BIG, nullable=False),
        sa.Column("number", _BIG, nullable=False),
        sa.Column("issue_id", _BIG, nullable=True),
        sa.Column("campaign_id", _BIG, nullable=True),
        sa.Column("is_for_all", sa.Boolean(), nullable=False),
        sa.Column("starts_at", _MOMENT, nullable=False),
        sa.Column("ends_at", _MOMENT, nullable=True),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("texts", _JSON, nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["bulletin_id"],
            ["bulletins.id"],
            name=op.f("fk_calendar_events_bulletin_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["issue_id"],
            ["issues.id"],
            name=op.f("fk_calendar_events_issue_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_events")),
        sa.UniqueConstraint(
            "bulletin_id", "number", name=op.f("uq_calendar_events_bulletin_id_number")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_calendar_events_issue_id_starts_at", "calendar_events", ["issue_id", "starts_at"]
    )
    op.create_index(op.f("ix_calendar_events_campaign_id"), "calendar_events", ["campaign_id"])
