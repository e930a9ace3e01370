"""Tables about partners: steps counted on their pages, keys they had, and whom they were given."""

import enum
from datetime import date, datetime

import sqlalchemy as sa
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


class PartnerKey(tables.Table, table=True):
    """A key that a partner had before its present one; counts for it until it is retired."""

    __tablename__ = "partner_keys"

    id: int = tables.identity()
    partner_id: int = tables.reference("partners.id")
    key: str = Field(nullable=False, unique=True)
    replaced_at: datetime = tables.moment()
    retires_at: datetime | None = tables.maybe_moment()
    """When it is to be retired; None: not before somebody says so."""
    retired_at: datetime | None = tables.maybe_moment()


class SharingKind(enum.StrEnum):
    """What a partner is told about a person."""

    GIVEN = "given"
    """The person joins the partner's own list."""
    WITHDRAWN = "withdrawn"
    """The person leaves it, or was erased."""


class Sharing(tables.Table, table=True):
    """Something that a partner is to be told, or was told, about a person who let it have theirs.

    Once the person is erased, only the reference is left, and only until the withdrawal was told.
    """

    __tablename__ = "sharings"
    __table_args__ = (
        sa.Index("ix_sharings_partner_batch", "partner_id", "batch"),
        {"sqlite_autoincrement": True},
    )

    id: int = tables.identity()
    partner_id: int = tables.reference("partners.id", index=False)
    subscriber_id: int | None = tables.reference(
        "subscribers.id", nullable=True, ondelete="SET NULL"
    )
    reference: str = Field(nullable=False)
    """A keyed hash by which the partner knows the person again; tells nothing to others."""
    kind: str = Field(nullable=False)
    at: datetime = tables.moment()
    batch: int | None = Field(default=None)
    """The export that it first went out with; None: not yet."""


class PartnerExport(tables.Table, table=True):
    """How far a partner was told, and where its own program listens."""

    __tablename__ = "partner_exports"
    __table_args__ = ()

    partner_id: int = Field(
        primary_key=True, foreign_key="partners.id", ondelete="CASCADE", sa_type=tables.BIG
    )
    last_batch: int = Field(default=0, nullable=False)
    last_at: datetime | None = tables.maybe_moment()
    webhook_url: str = tables.long_text()
    webhook_secret: str = Field(default="", nullable=False)
    sent_batch: int = Field(default=0, nullable=False)
    """The last batch that its program took."""
    due_at: datetime = tables.moment()
    attempts: int = Field(default=0, nullable=False)
    said: str = Field(default="", nullable=False)
    """What came of the last try; blank when it went well."""


class AlarmKind(enum.StrEnum):
    """What may be wrong with a partner's pages."""

    SILENT = "silent"
    """A form that was in use is neither seen nor sent in."""
    STRAY = "stray"
    """The form is used on a site that is not listed."""
    COLLAPSE = "collapse"
    """Far fewer of those who sign up confirm than before."""


class PartnerAlarm(tables.Table, table=True):
    """Something wrong with a partner's pages, from when it was noticed until it was over."""

    __tablename__ = "partner_alarms"

    id: int = tables.identity()
    partner_id: int = tables.reference("partners.id")
    kind: str = Field(nullable=False)
    about: str = Field(nullable=False)
    """The form's number, or the origin."""
    numbers: dict[str, int] = tables.json_dict()
    """Those that said so when it began."""
    began_at: datetime = tables.moment()
    last_at: datetime = tables.moment()
    ended_at: datetime | None = tables.maybe_moment(index=True)
    told_at: datetime | None = tables.maybe_moment()
