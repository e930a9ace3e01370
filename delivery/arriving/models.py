"""The table of what the last look found."""

from datetime import datetime
from typing import Any

from sqlmodel import Field

from foundation import tables

ONLY = 1
"""The number of the one row."""


class ArrivingLook(tables.Table, table=True):
    """What was found when somebody looked last, and whether somebody looks now."""

    __tablename__ = "arriving_looks"

    id: int = Field(default=ONLY, primary_key=True, sa_type=tables.BIG)
    began_at: datetime | None = tables.maybe_moment()
    """When whoever looks now began; NULL while nobody does."""
    looked_at: datetime | None = tables.maybe_moment()
    answers: dict[str, Any] = tables.json_dict()
    """Question → findings, as `delivery/arriving/looks.py` writes them."""
    settings: str = Field(default="", nullable=False)
    """A digest of the settings that were looked at."""
