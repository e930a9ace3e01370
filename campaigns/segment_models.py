"""Tables of segments: named rules over people, which campaigns and series refer to by number."""

from datetime import datetime
from typing import Any

from sqlmodel import Field

from foundation import tables


class Segment(tables.Table, table=True):
    """A rule over people that has a name, as it stands now."""

    __tablename__ = "segments"

    id: int = tables.identity()
    name: str = Field(nullable=False)
    name_key: str | None = Field(default=None, unique=True)
    """The name in small letters; NULL once it is put away, so that another can have the name."""
    rules: dict[str, Any] = tables.json_dict()
    """See `audience_rules.Rules`."""
    version: int = Field(default=1, nullable=False)
    created_by: str = Field(default="", nullable=False)
    created_at: datetime = tables.moment()
    updated_by: str = Field(default="", nullable=False)
    updated_at: datetime = tables.moment()
    put_away_at: datetime | None = tables.maybe_moment()
    """Since when it is not offered any more; what was sent to it still names it."""


class SegmentVersion(tables.Table, table=True):
    """A segment as it stood once: what campaigns that were sent refer to."""

    __tablename__ = "segment_versions"

    segment_id: int = Field(
        primary_key=True, foreign_key="segments.id", ondelete="CASCADE", sa_type=tables.BIG
    )
    version: int = Field(primary_key=True)
    name: str = Field(nullable=False)
    rules: dict[str, Any] = tables.json_dict()
    saved_by: str = Field(default="", nullable=False)
    saved_at: datetime = tables.moment()
