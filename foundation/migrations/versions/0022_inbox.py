"""Feeds that are read again and again, and the inbox of what comes in

Revision 0022, after 0021.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _feeds()
    _items()


def _feeds() -> None:
    op.create_table(
        "feeds",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("issue_id", _BIG, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("partner_id", _BIG, nullable=True),
        sa.Column("every_minutes", sa.Integer(), nullable=False),
        sa.Column("include", _JSON, nullable=False),
        sa.Column("exclude", _JSON, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("next_at", _MOMENT, nullable=False),
        sa.Column("read_at", _MOMENT, nullable=True),
        sa.Column("etag", sa.Text(), nullable=False),
        sa.Column("last_modified", sa.String(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("problem_texts", _JSON, nullable=False),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("left_out", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["issue_id"], ["issues.id"], name=op.f("fk_feeds_issue_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feeds")),
        sa.UniqueConstraint("issue_id", "url", name=op.f("uq_feeds_issue_id_url")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_feeds_due", "feeds", ["state", "next_at"])
    op.create_index(op.f("ix_feeds_partner_id"), "feeds", ["partner_id"])


def _items() -> None:
    op.create_table(
        "incoming_items",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("feed_id", _BIG, nullable=True),
        sa.Column("issue_id", _BIG, nullable=False),
        sa.Column("partner_id", _BIG, nullable=True),
        sa.Column("sender", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("headline", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("source_name", sa.String(), nullable=False),
        sa.Column("source_url", sa.Text(), nullable=False),
        sa.Column("link_key", sa.String(), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("hold_until", sa.Date(), nullable=True),
        sa.Column("not_before", _MOMENT, nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("same_as_id", _BIG, nullable=True),
        sa.Column("development_id", _BIG, nullable=True),
        sa.Column("received_at", _MOMENT, nullable=False),
        sa.Column("decided_at", _MOMENT, nullable=True),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["feed_id"], ["feeds.id"], name=op.f("fk_incoming_items_feed_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["issue_id"], ["issues.id"], name=op.f("fk_incoming_items_issue_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["development_id"],
            ["developments.id"],
            name=op.f("fk_incoming_items_development_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incoming_items")),
        sa.UniqueConstraint("key", name=op.f("uq_incoming_items_key")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_incoming_items_state", "incoming_items", ["state", "id"])
    op.create_index("ix_incoming_items_issue", "incoming_items", ["issue_id", "received_at"])
    for name in ("feed_id", "partner_id", "link_key", "same_as_id", "development_id", "decided_at"):
        op.create_index(op.f(f"ix_incoming_items_{name}"), "incoming_items", [name])
