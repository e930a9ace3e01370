"""Tables of review: who was asked, who approved what, what was remarked, who releases an alert."""

from datetime import datetime
from typing import Any

from sqlmodel import Field

from foundation import tables


class Review(tables.Table, table=True):
    """Whom a campaign was given to for review, and who is told when it goes out."""

    __tablename__ = "reviews"

    campaign_id: int = Field(
        primary_key=True, foreign_key="campaigns.id", ondelete="CASCADE", sa_type=tables.BIG
    )
    note: str = Field(default="", nullable=False)
    """A word from who asked."""
    asked_by: str = Field(default="", nullable=False)
    asked_by_id: int | None = tables.loose_reference(index=False)
    asked_at: datetime | None = tables.maybe_moment()
    editor_id: int | None = tables.loose_reference(index=False)
    """Whom it was given to; None: any editor."""
    tell: list[str] = tables.json_list()
    """Addresses that are told when it goes out and when that is done, besides the settings'."""


class Approval(tables.Table, table=True):
    """Somebody has read a campaign and says that it may go out as it stands."""

    __tablename__ = "approvals"

    id: int = tables.identity()
    campaign_id: int = tables.reference("campaigns.id")
    by: str = Field(nullable=False)
    staff_id: int | None = tables.loose_reference(index=False)
    bulletin_version: int = Field(nullable=False)
    seen: dict[str, Any] = tables.json_dict()
    """What the campaign said beside its bulletin; see `approvals.said`."""
    given_at: datetime = tables.moment()
    withdrawn_at: datetime | None = tables.maybe_moment()
    """When an editor sent it back; a change of what was approved voids it without this."""


class Comment(tables.Table, table=True):
    """A remark on a bulletin, or the answer to one."""

    __tablename__ = "comments"

    id: int = tables.identity()
    bulletin_id: int = tables.reference("bulletins.id")
    answers_id: int | None = tables.reference("comments.id", nullable=True)
    """The remark that it answers."""
    block: str = Field(default="", nullable=False)
    """The block's name in the document; blank: about all of it."""
    language: str = Field(default="", nullable=False)
    """The side that it is about; blank: every language."""
    text: str = tables.long_text()
    by: str = Field(nullable=False)
    staff_id: int | None = tables.loose_reference(index=False)
    bulletin_version: int = Field(nullable=False)
    """What was read when it was written."""
    written_at: datetime = tables.moment()
    settled_by: str = Field(default="", nullable=False)
    settled_at: datetime | None = tables.maybe_moment()


class AlertRelease(tables.Table, table=True):
    """The first of two people who release an alert together."""

    __tablename__ = "alert_releases"

    campaign_id: int = Field(
        primary_key=True, foreign_key="campaigns.id", ondelete="CASCADE", sa_type=tables.BIG
    )
    by: str = Field(nullable=False)
    staff_id: int | None = tables.loose_reference(index=False)
    confirmed_at: datetime = tables.moment()
    bulletin_version: int = Field(nullable=False)
    seen: dict[str, Any] = tables.json_dict()
    """As in `Approval`: another bulletin or audience has to be confirmed anew."""
