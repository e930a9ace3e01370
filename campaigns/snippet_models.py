"""Tables of saved snippets: blocks that are written once and stand in many bulletins."""

from datetime import datetime
from typing import Any

from sqlmodel import Field

from foundation import tables


class Snippet(tables.Table, table=True):
    """A block with a name; bulletins show it as it is now until they are sent."""

    __tablename__ = "snippets"

    id: int = tables.identity()
    key: str = Field(nullable=False, unique=True)
    """What documents call it: made of its first name, and the same for good."""
    name: str = Field(nullable=False)
    block: dict[str, Any] = tables.json_dict()
    """A block as in documents, without a name and for everybody."""
    behind: dict[str, dict[str, dict[str, str]]] = tables.json_dict()
    """Languages that the source moved away from; see `left_behind.py`."""
    version: int = Field(default=1, nullable=False)
    created_by: str = Field(default="", nullable=False)
    created_at: datetime = tables.moment()
    updated_by: str = Field(default="", nullable=False)
    updated_at: datetime = tables.moment()


class SnippetVersion(tables.Table, table=True):
    """An earlier state of a snippet."""

    __tablename__ = "snippet_versions"

    snippet_id: int = Field(
        primary_key=True, foreign_key="snippets.id", ondelete="CASCADE", sa_type=tables.BIG
    )
    version: int = Field(primary_key=True)
    name: str = Field(nullable=False)
    block: dict[str, Any] = tables.json_dict()
    saved_by: str = Field(default="", nullable=False)
    saved_at: datetime = tables.moment()


class SnippetUse(tables.Table, table=True):
    """A bulletin in which a snippet stands."""

    __tablename__ = "snippet_uses"

    bulletin_id: int = Field(
        primary_key=True, foreign_key="bulletins.id", ondelete="CASCADE", sa_type=tables.BIG
    )
    snippet_id: int = Field(
        primary_key=True,
        foreign_key="snippets.id",
        ondelete="RESTRICT",
        index=True,
        sa_type=tables.BIG,
    )
