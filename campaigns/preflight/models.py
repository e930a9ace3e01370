"""Tables of the list before sending: what links said, the last look, what an owner answers for."""

import enum
from datetime import datetime
from typing import Any

from sqlmodel import Field

from foundation import tables


class Verdict(enum.StrEnum):
    """What came of following a link."""

    GOOD = "good"
    """It leads to a page."""
    GONE = "gone"
    """There is no such page (404, 410)."""
    CLOSED = "closed"
    """The site does not let programs in, or asks who it is: people may well see the page."""
    FAILING = "failing"
    """The site says that something is wrong with it."""
    SILENT = "silent"
    """Nobody answered, or not in time."""
    NO_HOST = "no-host"
    """There is no site of this name."""
    PRIVATE = "private"
    """It leads into a private network, so nobody looked."""
    UNTRUSTED = "untrusted"
    """The site's certificate proves nothing; browsers warn of it."""
    LOOPING = "looping"
    """It leads on and on."""
    ODD = "odd"
    """It is no address that browsers open."""


class LinkCheck(tables.Table, table=True):
    """What a link or picture elsewhere said when it was last followed."""

    __tablename__ = "link_checks"

    digest: str = Field(primary_key=True)
    """SHA-256 of the address, its fragment left out."""
    url: str = tables.long_text()
    verdict: str = Field(nullable=False)
    status: int = Field(default=0, nullable=False)
    final_url: str = tables.long_text()
    """Where it ends after all redirects."""
    media_type: str = Field(default="", nullable=False)
    size_bytes: int | None = Field(default=None, nullable=True)
    width: int = Field(default=0, nullable=False)
    height: int = Field(default=0, nullable=False)
    checked_at: datetime = tables.moment(index=True)


class Look(tables.Table, table=True):
    """The last time that somebody had a campaign's links followed and SpamAssassin asked."""

    __tablename__ = "preflight_looks"

    campaign_id: int = Field(
        primary_key=True, foreign_key="campaigns.id", ondelete="CASCADE", sa_type=tables.BIG
    )
    bulletin_version: int = Field(nullable=False)
    started_at: datetime = tables.moment()
    finished_at: datetime | None = tables.maybe_moment()
    """None while it goes on, or when the process that looked ended."""
    done: int = Field(default=0, nullable=False)
    total: int = Field(default=0, nullable=False)
    spam: dict[str, Any] = tables.json_dict()
    """Language → what SpamAssassin said; see `campaigns/preflight/spam.py`."""


class Override(tables.Table, table=True):
    """An owner's word that a campaign goes out in spite of what is red."""

    __tablename__ = "preflight_overrides"

    campaign_id: int = Field(
        primary_key=True, foreign_key="campaigns.id", ondelete="CASCADE", sa_type=tables.BIG
    )
    bulletin_version: int = Field(nullable=False)
    """It counts for this version alone."""
    keys: list[str] = tables.json_list()
    """Of the lines that were red: what turns red later is not meant."""
    reason: str = tables.long_text()
    by: str = Field(nullable=False)
    at: datetime = tables.moment()
