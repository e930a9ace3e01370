"""The welcome: its steps, what each said, who is in it, and who got which step

Revision 0020, after 0019.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _welcomes()
    _steps()
    _readers()
    _mails()


def _welcomes() -> None:
    op.create_table(
        "welcomes",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("topic_id", _BIG, nullable=False),
        sa.Column("on_since", _JSON, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["topic_id"], ["topics.id"], name=op.f("fk_welcomes_topic_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_welcomes")),
        sa.UniqueConstraint("topic_id", name=op.f("uq_welcomes_topic_id")),
        sqlite_autoincrement=True,
    )


def _steps() -> None:
    op.create_table(
        "welcome_steps",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("welcome_id", _BIG, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("object_id", _BIG, nullable=False),
        sa.Column("object_version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("texts", _JSON, nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("removed_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["welcome_id"],
            ["welcomes.id"],
            name=op.f("fk_welcome_steps_welcome_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_welcome_steps")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_welcome_steps_welcome_id"), "welcome_steps", ["welcome_id"])
    op.create_table(
        "welcome_mailings",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("step_id", _BIG, nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("dispatch_id", _BIG, nullable=True),
        sa.Column("made_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["step_id"],
            ["welcome_steps.id"],
            name=op.f("fk_welcome_mailings_step_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_welcome_mailings")),
        sa.UniqueConstraint("step_id", "digest", name=op.f("uq_welcome_mailings_step_id_digest")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_welcome_mailings_dispatch_id"), "welcome_mailings", ["dispatch_id"])


def _readers() -> None:
    op.create_table(
        "welcome_readers",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("welcome_id", _BIG, nullable=False),
        sa.Column("subscriber_id", _BIG, nullable=True),
        sa.Column("began_at", _MOMENT, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("ended_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["welcome_id"],
            ["welcomes.id"],
            name=op.f("fk_welcome_readers_welcome_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscribers.id"],
            name=op.f("fk_welcome_readers_subscriber_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_welcome_readers")),
        sa.UniqueConstraint(
            "welcome_id", "subscriber_id", name=op.f("uq_welcome_readers_welcome_id_subscriber_id")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_welcome_readers_subscriber_id"), "welcome_readers", ["subscriber_id"])
    op.create_index("ix_welcome_readers_due", "welcome_readers", ["welcome_id", "state", "due_at"])


def _mails() -> None:
    op.create_table(
        "welcome_mails",
        sa.Column("reader_id", _BIG, nullable=False),
        sa.Column("step_id", _BIG, nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("delivery_id", _BIG, nullable=True),
        sa.Column("at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["reader_id"],
            ["welcome_readers.id"],
            name=op.f("fk_welcome_mails_reader_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["step_id"],
            ["welcome_steps.id"],
            name=op.f("fk_welcome_mails_step_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("reader_id", "step_id", name=op.f("pk_welcome_mails")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_welcome_mails_step", "welcome_mails", ["step_id", "outcome", "reason"])
    op.create_index(op.f("ix_welcome_mails_delivery_id"), "welcome_mails", ["delivery_id"])
