"""Tables of what becomes of handouts: where each stood, and how often it was taken."""

import enum
from datetime import date

import sqlalchemy as sa
from sqlmodel import Field

from foundation import tables

_OPTIONS = {"sqlite_autoincrement": True}


class Source(enum.StrEnum):
    """By which way somebody came to a file of ours."""

    MAIL = "mail"
    """A link in a mail: counted by that link, for its campaign."""
    ARCHIVE = "archive"
    """A bulletin that was read in the browser."""
    ISSUE = "issue"
    """The issue's page."""
    DIRECT = "direct"
    """The bare address: printed, passed on, or found by a search."""


class MaterialAddress(tables.Table, table=True):
    """An address that a handout has or had, so that links in old mail are still known as its."""

    __tablename__ = "material_addresses"
    __table_args__ = (sa.UniqueConstraint("address", "material_id", "language"), _OPTIONS)

    id: int = tables.identity()
    material_id: int = tables.reference("materials.id")
    language: str = Field(nullable=False)
    address: str = Field(nullable=False, sa_type=sa.Text)
    """A path of ours, or a whole address elsewhere."""


class MaterialDownload(tables.Table, table=True):
    """How often a file was taken on a day, by whichever way; nobody is named."""

    __tablename__ = "material_downloads"

    material_id: int = Field(
        primary_key=True, foreign_key="materials.id", ondelete="CASCADE", sa_type=tables.BIG
    )
    language: str = Field(primary_key=True)
    source: str = Field(primary_key=True)
    """A `Source`; `mail` is not here."""
    day: date = Field(primary_key=True)
    """In the site's zone."""
    human: int = Field(default=0, nullable=False)
    machine: int = Field(default=0, nullable=False)
