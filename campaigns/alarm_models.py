"""The table of alarms: what came back of a campaign was more than is good."""

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field

from foundation import tables


class AlarmKind(enum.StrEnum):
    """What there is too much of."""

    COMPLAINTS = "complaints"
    """Readers marked it as spam."""
    DEAD_ADDRESSES = "dead-addresses"
    """Mailboxes that do not exist."""


class AlarmLevel(enum.StrEnum):
    """How much too much."""

    WARN = "warn"
    """Staff should know."""
    STOP = "stop"
    """A campaign that is still being sent is paused."""


class Alarm(tables.Table, table=True):
    """One alarm, with the figures at which it went off."""

    __tablename__ = "alarms"
    __table_args__ = (
        # Any number of schedulers look: each alarm goes off once until it is acknowledged.
        sa.UniqueConstraint("campaign_id", "kind", "level", "round"),
        {"sqlite_autoincrement": True},
    )

    id: int = tables.identity()
    campaign_id: int = tables.reference("campaigns.id", index=False)
    kind: str = Field(nullable=False)
    level: str = Field(nullable=False)
    round: int = Field(nullable=False)
    """How often this kind was acknowledged before: figures count from there."""
    count: int = Field(nullable=False)
    """Complaints, or dead addresses, in all."""
    sent: int = Field(nullable=False)
    """Mails that were sent by then, in all."""
    has_paused: bool = Field(nullable=False)
    """Whether the campaign was paused by it."""
    at: datetime = tables.moment()
    acknowledged_at: datetime | None = tables.maybe_moment()
    acknowledged_by: str = Field(default="", nullable=False)
