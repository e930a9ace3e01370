"""What the archive keeps of what went out: its editions, to be searched, and its events."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field

from foundation import tables


class ArchivedEdition(tables.Table, table=True):
    """One language of a bulletin that went out: only what everybody saw, and nobody's data."""

    __tablename__ = "archived_editions"
    __table_args__ = (
        sa.UniqueConstraint("dispatch_id", "language"),
        {"sqlite_autoincrement": True},
    )

    id: int = tables.identity()
    dispatch_id: int = tables.reference("dispatches.id", index=False)
    language: str = Field(nullable=False)
    subject: str = tables.long_text()
    description: str = tables.long_text()
    """One or two sentences; blank when nothing was said."""
    picture_url: str = tables.long_text()
    """The first picture; blank without one."""
    picture_alt: str = tables.long_text()
    words: str = tables.long_text()
    """Everything that it says, as `foundation.words.folded` leaves it."""
    edition: dict[str, Any] = tables.json_dict()
    """See `templates/kept.py`."""
    has_blocks: bool = Field(default=True, nullable=False)
    """Whether `edition` is there; not of what went out before it was kept."""


class CalendarEvent(tables.Table, table=True):
    """Something to come to, as the last bulletin that told of it said."""

    __tablename__ = "calendar_events"
    __table_args__ = (
        sa.UniqueConstraint("bulletin_id", "number"),
        sa.Index("ix_calendar_events_issue_id_starts_at", "issue_id", "starts_at"),
        {"sqlite_autoincrement": True},
    )

    id: int = tables.identity()
    bulletin_id: int = tables.reference("bulletins.id", index=False)
    """The bulletin that told of it first."""
    number: int = Field(nullable=False, sa_type=tables.BIG)
    """Its block there, see `event_links.number`."""
    issue_id: int | None = tables.reference(
        "issues.id", nullable=True, index=False, ondelete="SET NULL"
    )
    campaign_id: int | None = tables.loose_reference()
    """Whose bulletin says it as it stands here."""
    is_for_all: bool = Field(default=True, nullable=False)
    """Whether everybody saw it; what only some saw is in no list."""
    starts_at: datetime = tables.moment()
    ends_at: datetime | None = tables.maybe_moment()
    zone: str = Field(nullable=False)
    """In which it takes place; its times are kept in UTC."""
    url: str = tables.long_text()
    texts: dict[str, dict[str, str]] = tables.json_dict()
    """Language → {title, place, address, body_html, url}."""
    sequence: int = Field(default=0, nullable=False)
    """How often it was told otherwise (RFC 5545 §3.8.7.4)."""
    created_at: datetime = tables.moment()
    updated_at: datetime = tables.moment()
