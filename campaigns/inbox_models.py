"""Tables of the desk's inbox: feeds that are read, and what came in from anywhere."""

import enum
from datetime import date, datetime

import sqlalchemy as sa
from sqlmodel import Field

from foundation import tables

_OPTIONS = {"sqlite_autoincrement": True}


class FeedState(enum.StrEnum):
    """Whether a feed is read."""

    ACTIVE = "active"
    """It is read again and again."""
    PAUSED = "paused"
    """A person holds it."""
    BROKEN = "broken"
    """It is gone, or failed again and again, and waits for a person."""


class Feed(tables.Table, table=True):
    """A feed of an issue."""

    __tablename__ = "feeds"
    __table_args__ = (
        sa.UniqueConstraint("issue_id", "url"),
        sa.Index("ix_feeds_due", "state", "next_at"),
        _OPTIONS,
    )

    id: int = tables.identity()
    issue_id: int = tables.reference("issues.id", index=False)
    url: str = Field(nullable=False, sa_type=sa.Text)
    name: str = Field(default="", nullable=False)
    """As staff call it; blank: as it calls itself."""
    title: str = Field(default="", nullable=False)
    """As it calls itself."""
    language: str = Field(default="", nullable=False)
    """Of its stories, where it does not say; blank: the site's."""
    partner_id: int | None = tables.loose_reference()
    """The partner whose feed it is."""
    every_minutes: int = Field(nullable=False)
    include: list[str] = tables.json_list()
    """Words of which a story has to have one; empty: every story comes in."""
    exclude: list[str] = tables.json_list()
    """Words with which a story stays out."""
    state: str = Field(nullable=False)
    next_at: datetime = tables.moment()
    """When it is read the next time."""
    read_at: datetime | None = tables.maybe_moment()
    """When it was last read without a problem."""
    etag: str = Field(default="", nullable=False, sa_type=sa.Text)
    last_modified: str = Field(default="", nullable=False)
    failures: int = Field(default=0, nullable=False)
    """Attempts that failed, one after the other."""
    problem_texts: dict[str, str] = tables.json_dict()
    """Language → what went wrong the last time."""
    added: int = Field(default=0, nullable=False)
    """Stories that came in by it, in all."""
    left_out: int = Field(default=0, nullable=False)
    """Stories of the last reading that its words kept out."""
    version: int = Field(default=1, nullable=False)
    created_by: str = Field(default="", nullable=False)
    created_at: datetime = tables.moment()
    updated_at: datetime = tables.moment()


class Origin(enum.StrEnum):
    """By which way an item came in."""

    FEED = "feed"
    """Read from a feed."""
    MAIL = "mail"
    """Forwarded to the desk's address."""
    BROWSER = "browser"
    """Written down by staff, from the page that they were reading."""
    PARTNER = "partner"
    """Proposed by a partner."""
    CSV = "csv"
    """From a table."""
    API = "api"
    """Sent by a program."""


class ItemState(enum.StrEnum):
    """What became of an item."""

    NEW = "new"
    """Nobody has decided yet."""
    APART = "apart"
    """It came from somebody who is not known, or did not prove who they are."""
    HELD = "held"
    """For later: it is new again on its day."""
    KEPT = "kept"
    """It is a development."""
    SAME = "same"
    """It tells the same as another item."""
    DROPPED = "dropped"
    """It is not for us, for the reason that it has."""


class IncomingItem(tables.Table, table=True):
    """Something that came in, which may become a development."""

    __tablename__ = "incoming_items"
    __table_args__ = (
        sa.Index("ix_incoming_items_state", "state", "id"),
        sa.Index("ix_incoming_items_issue", "issue_id", "received_at"),
        _OPTIONS,
    )

    id: int = tables.identity()
    key: str = Field(nullable=False, unique=True)
    """A digest of where it came from and what that calls it; see `campaigns/incoming.py`."""
    origin: str = Field(nullable=False)
    feed_id: int | None = tables.reference("feeds.id", nullable=True, ondelete="SET NULL")
    issue_id: int = tables.reference("issues.id", index=False)
    partner_id: int | None = tables.loose_reference()
    """The partner whose story it is."""
    sender: str = Field(default="", nullable=False)
    """Who brought it: a name or address."""
    state: str = Field(nullable=False)
    language: str = Field(nullable=False)
    headline: str = Field(nullable=False, sa_type=sa.Text)
    summary: str = tables.long_text()
    """Sanitised HTML."""
    source_name: str = Field(default="", nullable=False)
    source_url: str = Field(default="", nullable=False, sa_type=sa.Text)
    link_key: str = Field(default="", nullable=False, index=True)
    """A digest of the link without what only counts readers; blank without a link."""
    happened_on: date = Field(nullable=False)
    kind: str = Field(nullable=False)
    place: str = Field(default="", nullable=False)
    hold_until: date | None = Field(default=None)
    """Its day, while it is held."""
    not_before: datetime | None = tables.maybe_moment()
    """Its embargo: nobody but staff sees it before then, kept or not."""
    reason: str = Field(default="", nullable=False, sa_type=sa.Text)
    """Why it was dropped, or stands apart."""
    same_as_id: int | None = tables.loose_reference()
    """The item that tells the same."""
    development_id: int | None = tables.reference(
        "developments.id", nullable=True, ondelete="SET NULL"
    )
    """What it became."""
    received_at: datetime = tables.moment()
    decided_at: datetime | None = tables.maybe_moment(index=True)
    decided_by: str = Field(default="", nullable=False)
    version: int = Field(default=1, nullable=False)


class InboxRule(tables.Table, table=True):
    """What is made of stories with certain words before anybody has seen them."""

    __tablename__ = "inbox_rules"

    id: int = tables.identity()
    position: int = Field(nullable=False, index=True)
    issue_id: int | None = tables.reference("issues.id", nullable=True)
    """Only for what comes in for this issue; None: for all."""
    words: list[str] = tables.json_list()
    """One of them has to be there."""
    is_headline_only: bool = Field(default=False, nullable=False)
    kind: str = Field(default="", nullable=False)
    """The kind that it gives; blank: none."""
    place: str = Field(default="", nullable=False)
    to_issue_id: int | None = tables.reference("issues.id", nullable=True)
    """The issue that the story is for instead."""
    is_drop: bool = Field(default=False, nullable=False)
    version: int = Field(default=1, nullable=False)
    created_by: str = Field(default="", nullable=False)
    created_at: datetime = tables.moment()
    updated_at: datetime = tables.moment()
