"""Tables of issues, developments, materials, bulletins, campaigns and readers' hits."""

import enum
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field

from foundation import tables

_OPTIONS = {"sqlite_autoincrement": True}


class Issue(tables.Table, table=True):
    """A cause that people follow."""

    __tablename__ = "issues"

    id: int = tables.identity()
    slug: str = Field(nullable=False, unique=True)
    topic_id: int | None = tables.reference("topics.id", nullable=True, ondelete="SET NULL")
    position: int = Field(default=0, nullable=False)
    is_published: bool = Field(default=True, nullable=False)
    texts: dict[str, dict[str, str]] = tables.json_dict()
    """Language → {title, summary}."""
    version: int = Field(default=1, nullable=False)
    created_at: datetime = tables.moment()
    updated_at: datetime = tables.moment()


class PartKind(enum.StrEnum):
    """What a part of an issue's page is."""

    PROCESS = "process"
    """How the program works, with or without it."""
    POSITION = "position"
    """Where the coalition stands."""
    REASON = "reason"
    """Why it stands there."""
    FIGURE = "figure"
    """A number with its caption and source."""
    QUESTION = "question"
    """A frequently asked question and its answer."""
    PROGRAM = "program"
    """A program or contact that helps."""
    LINK = "link"
    """The coalition elsewhere."""


class IssuePart(tables.Table, table=True):
    """A part of an issue's page."""

    __tablename__ = "issue_parts"

    id: int = tables.identity()
    issue_id: int = tables.reference("issues.id")
    kind: str = Field(nullable=False)
    key: str = Field(default="", nullable=False)
    position: int = Field(default=0, nullable=False)
    value: str = Field(default="", nullable=False)
    url: str = Field(default="", nullable=False)
    source_name: str = Field(default="", nullable=False)
    source_url: str = Field(default="", nullable=False)
    texts: dict[str, dict[str, str]] = tables.json_dict()
    """Language → {title, body}; the body is sanitised HTML."""


class DevelopmentKind(enum.StrEnum):
    """What kind of thing happened."""

    NEWS = "news"
    """Reported elsewhere."""
    STATISTIC = "statistic"
    """A new figure."""
    PUBLIC_MEETING = "public-meeting"
    """A meeting that people can go to, or that took place."""
    RULING = "ruling"
    """A decision by a court or agency."""
    MATERIAL = "material"
    """A new handout."""
    ACTION = "action"
    """Something that readers can do."""


class Development(tables.Table, table=True):
    """One dated thing that happened on an issue."""

    __tablename__ = "developments"
    __table_args__ = (
        sa.Index("ix_developments_issue_date", "issue_id", "happened_on", "id"),
        _OPTIONS,
    )

    id: int = tables.identity()
    issue_id: int = tables.reference("issues.id", index=False)
    key: str | None = Field(default=None, unique=True)
    """A name for it in bulletin documents."""
    happened_on: date = Field(nullable=False)
    kind: str = Field(nullable=False)
    place: str = Field(default="", nullable=False)
    postal_code: str = Field(default="", nullable=False)
    """The ZIP code of the place, for who lives near; blank: near to nobody in particular."""
    miles: int = Field(default=25, nullable=False)
    """How far around there is near."""
    source_name: str = Field(default="", nullable=False)
    source_url: str = Field(default="", nullable=False, sa_type=sa.Text)
    is_published: bool = Field(default=True, nullable=False)
    not_before: datetime | None = tables.maybe_moment()
    """Nobody but staff sees it before then, published or not."""
    is_pinned: bool = Field(default=False, nullable=False)
    """It comes first in every edition of a series, again and again."""
    partner_id: int | None = tables.loose_reference(index=False)
    """The partner whose story it is."""
    texts: dict[str, dict[str, str]] = tables.json_dict()
    """Language → {headline, summary}; the summary is sanitised HTML."""
    behind: dict[str, dict[str, dict[str, str]]] = tables.json_dict()
    """Languages that the source moved away from; see `left_behind.py`."""
    created_at: datetime = tables.moment()
    updated_at: datetime = tables.moment()
    version: int = Field(default=1, nullable=False)


class Material(tables.Table, table=True):
    """A handout, with a file or link per language."""

    __tablename__ = "materials"

    id: int = tables.identity()
    issue_id: int = tables.reference("issues.id")
    slug: str = Field(nullable=False, unique=True)
    position: int = Field(default=0, nullable=False)
    texts: dict[str, dict[str, str]] = tables.json_dict()
    """Language → {title, description}."""
    behind: dict[str, dict[str, dict[str, str]]] = tables.json_dict()
    """Words and files that their source moved away from; see `left_behind.py`."""
    created_at: datetime = tables.moment()


class MaterialFile(tables.Table, table=True):
    """One language of a material: a file of ours, or a link elsewhere."""

    __tablename__ = "material_files"
    __table_args__ = (sa.UniqueConstraint("material_id", "language"), _OPTIONS)

    id: int = tables.identity()
    material_id: int = tables.reference("materials.id", index=False)
    language: str = Field(nullable=False)
    url: str = Field(default="", nullable=False)
    file_name: str = Field(default="", nullable=False)
    media_type: str = Field(default="", nullable=False)
    digest: str = Field(default="", nullable=False, index=True)
    content: bytes | None = Field(default=None, nullable=True, sa_type=sa.LargeBinary)


class Picture(tables.Table, table=True):
    """An image for bulletins, served under its hash."""

    __tablename__ = "pictures"

    id: int = tables.identity()
    digest: str = Field(nullable=False, unique=True)
    file_name: str = Field(nullable=False)
    media_type: str = Field(nullable=False)
    width: int = Field(nullable=False)
    height: int = Field(nullable=False)
    content: bytes = Field(nullable=False, sa_type=sa.LargeBinary)
    alts: dict[str, str] = tables.json_dict()
    """Language → what it shows."""
    is_decorative: bool = Field(default=False, nullable=False)
    """Whether somebody said that it adds nothing to the words around it."""
    focus_x: int = Field(default=50, nullable=False)
    """What has to be in view when it is cut, in per cent from the left…"""
    focus_y: int = Field(default=50, nullable=False)
    """… and from the top."""
    parent_id: int | None = tables.loose_reference()
    """The whole picture that it was cut from."""
    shape: str = Field(default="", nullable=False)
    """A `picture_making.Shape`."""
    created_at: datetime = tables.moment()


class Bulletin(tables.Table, table=True):
    """What goes out: blocks in one or more language editions, kept as one document."""

    __tablename__ = "bulletins"

    id: int = tables.identity()
    issue_id: int | None = tables.reference("issues.id", nullable=True, ondelete="SET NULL")
    name: str = Field(nullable=False)
    document: dict[str, Any] = tables.json_dict()
    """See `campaigns/documents.py`."""
    version: int = Field(default=1, nullable=False)
    created_by: str = Field(default="", nullable=False)
    created_at: datetime = tables.moment()
    updated_by: str = Field(default="", nullable=False)
    updated_at: datetime = tables.moment(index=True)


class BulletinVersion(tables.Table, table=True):
    """An earlier state of a bulletin."""

    __tablename__ = "bulletin_versions"

    bulletin_id: int = Field(
        primary_key=True, foreign_key="bulletins.id", ondelete="CASCADE", sa_type=tables.BIG
    )
    version: int = Field(primary_key=True)
    name: str = Field(nullable=False)
    document: dict[str, Any] = tables.json_dict()
    saved_by: str = Field(default="", nullable=False)
    saved_at: datetime = tables.moment()
    is_pinned: bool = Field(default=False, nullable=False)
    """Whether it was approved, sent or chosen for the welcome as it stands: it is kept for good."""


class BulletinPresence(tables.Table, table=True):
    """A window in which somebody of the office has a bulletin open."""

    __tablename__ = "bulletin_presences"

    bulletin_id: int = Field(
        primary_key=True, foreign_key="bulletins.id", ondelete="CASCADE", sa_type=tables.BIG
    )
    seat: str = Field(primary_key=True)
    """A name that the page in it gave itself."""
    staff_id: int = tables.reference("staff.id")
    block: str = Field(default="", nullable=False)
    """The block in which they write; blank for none."""
    seen_at: datetime = tables.moment()


class CampaignState(enum.StrEnum):
    """Where a campaign is in its life."""

    DRAFT = "draft"
    """Being written."""
    IN_REVIEW = "in-review"
    """An author asked for approval."""
    APPROVED = "approved"
    """May be scheduled or started."""
    SCHEDULED = "scheduled"
    """Starts by itself at its time."""
    SENDING = "sending"
    """Deliveries are going out."""
    PAUSED = "paused"
    """Held; goes on when resumed."""
    SENT = "sent"
    """Every recipient has an outcome."""
    CANCELLED = "cancelled"
    """Stopped for good."""


class Visibility(enum.StrEnum):
    """Who can read a bulletin after it went out, besides in the mail itself."""

    PUBLIC = "public"
    """Everybody: it is in the archive, in its search and in the feeds."""
    SUBSCRIBERS = "subscribers"
    """Whoever got it, by the link in their own mail; it is listed nowhere."""
    HIDDEN = "hidden"
    """Nobody any more; the links in its mails say so."""


class Campaign(tables.Table, table=True):
    """One sending of a bulletin to an audience at a time."""

    __tablename__ = "campaigns"
    __table_args__ = (sa.Index("ix_campaigns_due", "state", "scheduled_at"), _OPTIONS)

    id: int = tables.identity()
    bulletin_id: int = tables.reference("bulletins.id", ondelete="RESTRICT")
    name: str = Field(nullable=False)
    state: str = Field(nullable=False)
    audience: dict[str, Any] = tables.json_dict()
    """See `campaigns/audiences.py`."""
    from_name: str = Field(default="", nullable=False)
    from_address: str = Field(default="", nullable=False)
    reply_to: str = Field(default="", nullable=False)
    when_uncertain: str = Field(default="", nullable=False)
    """A `delivery.models.WhenUncertain`; blank: as the settings say when it starts."""
    relay: str = Field(default="", nullable=False)
    """The one relay that it goes out by; blank: chosen by sender and weight."""
    scheduled_at: datetime | None = tables.maybe_moment()
    scheduled_local: str = Field(default="", nullable=False)
    """As chosen: 2026-12-01T09:00."""
    scheduled_zone: str = Field(default="", nullable=False)
    at_readers_time: bool = Field(default=False, nullable=False)
    """Each reader gets it when clocks show `scheduled_local` where they live."""
    undo_from: datetime | None = tables.maybe_moment()
    """When somebody pressed Start: it begins at `scheduled_at`, and can be undone until then."""
    waiting_reason: str = Field(default="", nullable=False)
    """Why it waits for a person: staff's own words, or why it did not start by itself."""
    waiting_texts: dict[str, str] = tables.json_dict()
    """Language → why it did not start by itself; empty when the reason is staff's own words."""
    approved_version: int | None = Field(default=None)
    """The bulletin's version that was approved; another version withdraws the approval."""
    approved_by: str = Field(default="", nullable=False)
    corrects_id: int | None = tables.loose_reference()
    """The campaign whose mistake it corrects."""
    archive_slug: str | None = Field(default=None, unique=True)
    """The name of its page in the archive: as staff wish before it starts, and for good then."""
    visibility: str = Field(default=Visibility.PUBLIC.value, nullable=False)
    started_at: datetime | None = tables.maybe_moment()
    finished_at: datetime | None = tables.maybe_moment(index=True)
    created_by: str = Field(default="", nullable=False)
    created_at: datetime = tables.moment(index=True)
    updated_at: datetime = tables.moment()
    version: int = Field(default=1, nullable=False)


class HitKind(enum.StrEnum):
    """What a reader did."""

    OPEN = "open"
    """The mail's pixel was fetched."""
    CLICK = "click"
    """A tracked link was followed."""


class Hit(tables.Table, table=True):
    """An open or click by a person who agreed to be counted by name."""

    __tablename__ = "hits"
    __table_args__ = (sa.Index("ix_hits_dispatch", "dispatch_id", "kind", "is_human"), _OPTIONS)

    id: int = tables.identity()
    dispatch_id: int = tables.reference("dispatches.id", index=False)
    delivery_id: int = tables.reference("deliveries.id")
    kind: str = Field(nullable=False)
    link: int | None = Field(default=None)
    is_human: bool = Field(nullable=False)
    judged_by: str = Field(default="", nullable=False)
    """The rule that took it for a machine; blank for people."""
    at: datetime = tables.moment()


class HitTotal(tables.Table, table=True):
    """Opens and clicks of everybody, counted without a person."""

    __tablename__ = "hit_totals"

    dispatch_id: int = Field(
        primary_key=True, foreign_key="dispatches.id", ondelete="CASCADE", sa_type=tables.BIG
    )
    kind: str = Field(primary_key=True)
    link: int = Field(primary_key=True)
    """The link's number; 0 for opens."""
    hour: datetime = Field(primary_key=True, sa_type=tables.UtcDateTime)
    human: int = Field(default=0, nullable=False)
    machine: int = Field(default=0, nullable=False)


class HitRule(tables.Table, table=True):
    """How many opens or clicks one rule took for a machine's, of everybody."""

    __tablename__ = "hit_rules"

    dispatch_id: int = Field(
        primary_key=True, foreign_key="dispatches.id", ondelete="CASCADE", sa_type=tables.BIG
    )
    kind: str = Field(primary_key=True)
    rule: str = Field(primary_key=True)
    """As `tracking.judge` names it, or every-link."""
    count: int = Field(default=0, nullable=False)


class Breakdown(tables.Table, table=True):
    """What was counted by looking at every recipient of a large dispatch, kept with its time."""

    __tablename__ = "breakdowns"

    dispatch_id: int = Field(
        primary_key=True, foreign_key="dispatches.id", ondelete="CASCADE", sa_type=tables.BIG
    )
    counted_at: datetime = tables.moment()
    figures: dict[str, Any] = tables.json_dict()
    """See `campaigns/breakdowns.py`."""
