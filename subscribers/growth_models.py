"""Tables of how many people came and left, by day; they name nobody and outlive who was erased."""

from datetime import date, datetime

from sqlmodel import Field

from foundation import tables


class GrowthCount(tables.Table, table=True):
    """Different people on one day, in one topic, of one language, source and partner."""

    __tablename__ = "growth_counts"

    day: date = Field(primary_key=True)
    """In the site's zone."""
    topic_id: int = Field(primary_key=True, sa_type=tables.BIG)
    """0: whatever the topic."""
    language: str = Field(primary_key=True)
    source: str = Field(primary_key=True)
    """Of their first sign-up; blank where none was noted."""
    partner_id: int = Field(primary_key=True, sa_type=tables.BIG)
    """Of their first sign-up; 0: none."""
    joined: int = Field(default=0, nullable=False)
    confirmed: int = Field(default=0, nullable=False)
    left: int = Field(default=0, nullable=False)
    barred: int = Field(default=0, nullable=False)


class GrowthDay(tables.Table, table=True):
    """A day that was counted."""

    __tablename__ = "growth_days"

    day: date = Field(primary_key=True)
    counted_at: datetime = tables.moment()
