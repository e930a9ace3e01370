"""Tables of webhooks: who is told of what, and each call that is to be made."""

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field

from foundation import tables


class Webhook(tables.Table, table=True):
    """An address of another program that is told what happens."""

    __tablename__ = "webhooks"

    id: int = tables.identity()
    url: str = Field(nullable=False, sa_type=sa.Text)
    events: list[str] = tables.json_list()
    """Types, such as `subscriber.confirmed`."""
    secret: str = Field(nullable=False)
    """Signs each call; both sides hold it."""
    created_by: str = Field(default="", nullable=False)
    created_at: datetime = tables.moment()
    scanned_at: datetime = tables.moment()
    """Up to when calls were made out of what happened."""


class CallState(enum.StrEnum):
    """How far a call came."""

    PENDING = "pending"
    """To be made, or made again."""
    DONE = "done"
    """Answered with success."""
    FAILED = "failed"
    """Given up after every try."""


class WebhookCall(tables.Table, table=True):
    """One thing that happened, for one webhook. Holds no word about a person."""

    __tablename__ = "webhook_calls"
    __table_args__ = (
        sa.UniqueConstraint("webhook_id", "type", "source_id"),
        sa.Index("ix_webhook_calls_due", "state", "due_at"),
        {"sqlite_autoincrement": True},
    )

    id: int = tables.identity()
    webhook_id: int = tables.reference("webhooks.id", index=False)
    type: str = Field(nullable=False)
    source_id: int = Field(nullable=False, sa_type=tables.BIG)
    """The row in the log that says so."""
    object_id: int = Field(nullable=False, sa_type=tables.BIG)
    """The person, member or campaign."""
    happened_at: datetime = tables.moment()
    state: str = Field(default=CallState.PENDING.value, nullable=False)
    attempts: int = Field(default=0, nullable=False)
    due_at: datetime = tables.moment()
    said: str = Field(default="", nullable=False)
    """What came of the last try."""
