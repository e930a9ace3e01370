"""Tables about partners' pages: how often a form was seen and started, without anybody's name."""

import enum
from datetime import date

from sqlmodel import Field

from foundation import tables


class Step(enum.StrEnum):
    """What somebody did with a form before sending it in."""

    SEEN = "seen"
    """The form came into view."""
    STARTED = "started"
    """Something was typed or ticked in it."""


class StepCount(tables.Table, table=True):
    """How often a form was seen and started on one day, page and language; names nobody.

    The number 0 stands for no partner, and for the form at `/subscribe`.
    """

    __tablename__ = "step_counts"
    __table_args__ = ()

    partner_id: int = Field(primary_key=True, sa_type=tables.BIG)
    day: date = Field(primary_key=True)
    """In the site's zone."""
    form_id: int = Field(primary_key=True, sa_type=tables.BIG)
    page: str = Field(primary_key=True)
    """The path, without query; blank where it is not known."""
    language: str = Field(primary_key=True)
    seen: int = Field(default=0, nullable=False)
    started: int = Field(default=0, nullable=False)
