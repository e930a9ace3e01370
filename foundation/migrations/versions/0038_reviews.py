"""Review: who was asked, approvals, comments, alerts that two release; a start that can be undone

Revision 0038, after 0034.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0038"
down_revision = "0034"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("campaigns", sa.Column("undo_from", _MOMENT, nullable=True))
    op.create_table(
        "reviews",
        sa.Column("campaign_id", _BIG, nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("asked_by_id", _BIG, nullable=True),
        sa.Column("asked_at", _MOMENT, nullable=True),
        sa.Column("editor_id", _BIG, nullable=True),
        sa.Column("tell", _JSON, nullable=False),
        _of_campaign("reviews"),
        sa.PrimaryKeyConstraint("campaign_id", name=op.f("pk_reviews")),
    )
    op.create_table(
        "approvals",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("campaign_id", _BIG, nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("staff_id", _BIG, nullable=True),
        sa.Column("bulletin_version", sa.Integer(), nullable=False),
        sa.Column("seen", _JSON, nullable=False),
        sa.Column("given_at", _MOMENT, nullable=False),
        sa.Column("withdrawn_at", _MOMENT, nullable=True),
        _of_campaign("approvals"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approvals")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_approvals_campaign_id"), "approvals", ["campaign_id"])
    op.create_table(
        "comments",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("bulletin_id", _BIG, nullable=False),
        sa.Column("answers_id", _BIG, nullable=True),
        sa.Column("block", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("staff_id", _BIG, nullable=True),
        sa.Column("bulletin_version", sa.Integer(), nullable=False),
        sa.Column("written_at", _MOMENT, nullable=False),
        sa.Column("settled_by", sa.String(), nullable=False),
        sa.Column("settled_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["bulletin_id"],
            ["bulletins.id"],
            name=op.f("fk_comments_bulletin_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["answers_id"], ["comments.id"], name=op.f("fk_comments_answers_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comments")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_comments_bulletin_id"), "comments", ["bulletin_id"])
    op.create_index(op.f("ix_comments_answers_id"), "comments", ["answers_id"])
    op.create_table(
        "alert_releases",
        sa.Column("campaign_id", _BIG, nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("staff_id", _BIG, nullable=True),
        sa.Column("confirmed_at", _MOMENT, nullable=False),
        sa.Column("bulletin_version", sa.Integer(), nullable=False),
        sa.Column("seen", _JSON, nullable=False),
        _of_campaign("alert_releases"),
        sa.PrimaryKeyConstraint("campaign_id", name=op.f("pk_alert_releases")),
    )


def _of_campaign(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["campaign_id"],
        ["campaigns.id"],
        name=op.f(f"fk_{table}_campaign_id"),
        ondelete="CASCADE",
    )
