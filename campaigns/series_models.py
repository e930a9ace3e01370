"""Tables of series: each one's plan, what became of every date, why each item was in or out."""

import enum
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field

from foundation import tables

_OPTIONS = {"sqlite_autoincrement": True}


class SeriesState(enum.StrEnum):
    """Whether a series drafts its editions."""

    ACTIVE = "active"
    """It drafts each when its content closes."""
    PAUSED = "paused"
    """A person holds it."""
    BROKEN = "broken"
    """It failed again and again, and waits for a person to mend it."""
    DELETED = "deleted"
    """A person ended it for good; what it drafted stays, and so does why."""


class Series(tables.Table, table=True):
    """A recurring bulletin."""

    __tablename__ = "series"
    __table_args__ = (sa.Index("ix_series_due", "state", "closes_at"), _OPTIONS)

    id: int = tables.identity()
    name: str = Field(nullable=False)
    document: dict[str, Any] = tables.json_dict()
    """See `campaigns/series_plans.py`."""
    state: str = Field(nullable=False)
    next_on: date | None = Field(default=None)
    """The local day of the coming edition."""
    closes_at: datetime | None = tables.maybe_moment()
    """When its content closes, and it is drafted."""
    sends_at: datetime | None = tables.maybe_moment()
    failures: int = Field(default=0, nullable=False)
    """Attempts at the coming edition that failed, one after the other."""
    retry_at: datetime | None = tables.maybe_moment()
    problem_texts: dict[str, str] = tables.json_dict()
    """Language → what went wrong the last time."""
    version: int = Field(default=1, nullable=False)
    created_by: str = Field(default="", nullable=False)
    created_at: datetime = tables.moment()
    updated_at: datetime = tables.moment()
    deleted_at: datetime | None = tables.maybe_moment()
    deleted_by: str = Field(default="", nullable=False)
    deleted_reason: str = Field(default="", nullable=False)


class RunOutcome(enum.StrEnum):
    """What became of a date."""

    DRAFTED = "drafted"
    """There is an edition."""
    SKIPPED = "skipped"
    """There is none, for the reason that the run has."""
    MISSED = "missed"
    """Nobody was there to draft it in time."""


class RunReason(enum.StrEnum):
    """Why there is no edition, or why it does not go out by itself."""

    TOO_LITTLE = "too-little"
    """Fewer items than an edition needs."""
    BY_HAND = "by-hand"
    """Somebody skipped it."""
    PAUSED = "paused"
    """The series was paused."""
    LATE = "late"
    """The service was down, and it is too long ago."""
    OVERTAKEN = "overtaken"
    """The service was down, and the edition after it is due already."""
    NOT_GREEN = "not-green"
    """The list before sending stops it, so it waits for a person."""
    DELETED = "deleted"
    """The series was deleted, so it waits for a person."""


class SeriesRun(tables.Table, table=True):
    """What became of one date of a series; there is one row for each, whoever tries."""

    __tablename__ = "series_runs"
    __table_args__ = (sa.UniqueConstraint("series_id", "day"), _OPTIONS)

    id: int = tables.identity()
    series_id: int = tables.reference("series.id", index=False)
    day: date = Field(nullable=False)
    outcome: str = Field(nullable=False)
    reason: str = Field(default="", nullable=False)
    values: dict[str, Any] = tables.json_dict()
    """What the reason's words need."""
    volume: int = Field(default=0, nullable=False)
    number: int = Field(default=0, nullable=False)
    """Of the edition; 0 where there is none."""
    campaign_id: int | None = tables.reference("campaigns.id", nullable=True, ondelete="SET NULL")
    closes_at: datetime = tables.moment()
    sends_at: datetime = tables.moment()
    made_at: datetime = tables.moment()
    made_by: str = Field(default="", nullable=False)
    is_to_send: bool = Field(default=False, nullable=False, index=True)
    """It goes out by itself, and nobody has looked yet whether it may."""


class SeriesItem(tables.Table, table=True):
    """What was looked at for a run, and why it was in or out."""

    __tablename__ = "series_items"

    id: int = tables.identity()
    run_id: int = tables.reference("series_runs.id")
    kind: str = Field(nullable=False)
    """A `series_selection.ItemKind`."""
    object_id: int = tables.loose_reference(index=False)
    texts: dict[str, str] = tables.json_dict()
    """Language → its headline or title then."""
    section: int | None = Field(default=None)
    """The place of the section that it was for, from 0."""
    is_in: bool = Field(nullable=False)
    reason: str = Field(nullable=False)
    """A `series_selection.ItemReason`."""
    values: dict[str, Any] = tables.json_dict()
    """What the reason's words need."""
