"""Series with their runs and items; developments that are held, pinned, or a partner's

Revision 0016, after 0015.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("developments", sa.Column("not_before", _MOMENT, nullable=True))
    op.add_column(
        "developments",
        sa.Column("is_pinned", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column("developments", sa.Column("partner_id", _BIG, nullable=True))
    _series()
    _runs()
    _items()


def _series() -> None:
    op.create_table(
        "series",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("document", _JSON, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("next_on", sa.Date(), nullable=True),
        sa.Column("closes_at", _MOMENT, nullable=True),
        sa.Column("sends_at", _MOMENT, nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("retry_at", _MOMENT, nullable=True),
        sa.Column("problem_texts", _JSON, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_series")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_series_due", "series", ["state", "closes_at"])


def _runs() -> None:
    op.create_table(
        "series_runs",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("series_id", _BIG, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("values", _JSON, nullable=False),
        sa.Column("volume", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("campaign_id", _BIG, nullable=True),
        sa.Column("closes_at", _MOMENT, nullable=False),
        sa.Column("sends_at", _MOMENT, nullable=False),
        sa.Column("made_at", _MOMENT, nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("is_to_send", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["series_id"], ["series.id"], name=op.f("fk_series_runs_series_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["campaigns.id"],
            name=op.f("fk_series_runs_campaign_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_series_runs")),
        sa.UniqueConstraint("series_id", "day", name=op.f("uq_series_runs_series_id_day")),
        sqlite_autoincrement=True,
    )
    for name in ("campaign_id", "is_to_send"):
        op.create_index(op.f(f"ix_series_runs_{name}"), "series_runs", [name])


def _items() -> None:
    op.create_table(
        "series_items",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("run_id", _BIG, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("object_id", _BIG, nullable=True),
        sa.Column("texts", _JSON, nullable=False),
        sa.Column("section", sa.Integer(), nullable=True),
        sa.Column("is_in", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("values", _JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["series_runs.id"],
            name=op.f("fk_series_items_run_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_series_items")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_series_items_run_id"), "series_items", ["run_id"])
