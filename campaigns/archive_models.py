"""What the archive keeps of each edition that went out, so that it can be listed and searched."""

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
    """Everything that it says, as `archive_words.folded` leaves it."""
    edition: dict[str, Any] = tables.json_dict()
    """See `templates/kept.py`."""
    has_blocks: bool = Field(default=True, nullable=False)
    """Whether `edition` is there; not of what went out before it was kept."""
