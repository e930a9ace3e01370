"""Tables of the welcome: its steps, what each said, who is in it, and who got which step."""

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field

from foundation import tables

_OPTIONS = {"sqlite_autoincrement": True}


class Welcome(tables.Table, table=True):
    """The short sequence for people who are new to a topic."""

    __tablename__ = "welcomes"
    __table_args__ = (sa.UniqueConstraint("topic_id"), _OPTIONS)

    id: int = tables.identity()
    topic_id: int = tables.reference("topics.id", index=False)
    on_since: dict[str, str] = tables.json_dict()
    """Language → since when, in ISO 8601; a language that is missing is off."""
    version: int = Field(default=1, nullable=False)
    created_at: datetime = tables.moment()
    updated_at: datetime = tables.moment()


class StepKind(enum.StrEnum):
    """What a step brings."""

    EXPLAINER = "explainer"
    """An issue's page as it stands, as a mail."""
    MATERIAL = "material"
    """A handout, in the reader's language."""
    LAST_BULLETIN = "last-bulletin"
    """The issue's bulletin that went out last to the topic, as it went out."""
    BULLETIN = "bulletin"
    """A bulletin that was written for it."""


class WelcomeStep(tables.Table, table=True):
    """A mail of the welcome; one that was removed stays, for the figures."""

    __tablename__ = "welcome_steps"

    id: int = tables.identity()
    welcome_id: int = tables.reference("welcomes.id")
    kind: str = Field(nullable=False)
    object_id: int = Field(nullable=False, sa_type=tables.BIG)
    """The issue, material or bulletin, which may be gone."""
    object_version: int = Field(default=0, nullable=False)
    """Of a bulletin: the version that goes out."""
    name: str = Field(nullable=False)
    """What the object was called when the step was kept, in the site's language."""
    texts: dict[str, dict[str, str]] = tables.json_dict()
    """Language → {subject, lead}; blank means words of ours."""
    days: int = Field(nullable=False)
    """After confirming."""
    hour: int = Field(nullable=False)
    """The local hour, from 0."""
    created_at: datetime = tables.moment()
    removed_at: datetime | None = tables.maybe_moment()
    problem_since: datetime | None = tables.maybe_moment()
    """Since when people wait for it because it can't be made."""
    problem_texts: dict[str, str] = tables.json_dict()
    """Language → why."""


class WelcomeMailing(tables.Table, table=True):
    """What a step said for a while, and the dispatch that brings it."""

    __tablename__ = "welcome_mailings"
    __table_args__ = (sa.UniqueConstraint("step_id", "digest"), _OPTIONS)

    id: int = tables.identity()
    step_id: int = tables.reference("welcome_steps.id", index=False)
    digest: str = Field(nullable=False)
    """Of the message plans in all languages."""
    dispatch_id: int | None = tables.loose_reference()
    made_at: datetime = tables.moment()


class ReaderState(enum.StrEnum):
    """How far somebody is in a welcome."""

    GOING = "going"
    """Steps are to come."""
    DONE = "done"
    """Nothing is to come."""
    STOPPED = "stopped"
    """Nothing comes any more, for the reason given."""


class StopReason(enum.StrEnum):
    """Why somebody's welcome ended before its last step."""

    LEFT = "left"
    """The person is not confirmed on the topic any more."""
    SUPPRESSED = "suppressed"
    """The address may not be mailed any more."""
    ERASED = "erased"
    """The person is gone."""
    SWITCHED_OFF = "switched-off"
    """Staff switched the welcome off in the person's language."""


class WelcomeReader(tables.Table, table=True):
    """Somebody who is new to a topic."""

    __tablename__ = "welcome_readers"
    __table_args__ = (
        sa.UniqueConstraint("welcome_id", "subscriber_id"),
        sa.Index("ix_welcome_readers_due", "welcome_id", "state", "due_at"),
        _OPTIONS,
    )

    id: int = tables.identity()
    welcome_id: int = tables.reference("welcomes.id", index=False)
    subscriber_id: int | None = tables.reference(
        "subscribers.id", nullable=True, ondelete="SET NULL"
    )
    began_at: datetime = tables.moment()
    """When the subscription was confirmed; the last time, for who came back."""
    state: str = Field(nullable=False)
    reason: str = Field(default="", nullable=False)
    """A `StopReason`."""
    due_at: datetime = tables.moment()
    """When this row is to be looked at again."""
    ended_at: datetime | None = tables.maybe_moment()


class MailOutcome(enum.StrEnum):
    """What became of a step for somebody."""

    HANDED = "handed"
    """It is with the ledger, once: what came of it stands in the delivery."""
    SKIPPED = "skipped"
    """It does not come, for the reason given."""


class SkipReason(enum.StrEnum):
    """Why a step was passed over for somebody."""

    HAS_IT = "has-it"
    """The bulletin is one that they got already."""
    NOT_READY = "not-ready"
    """It could not be made for so long that it would have come out of place."""


class WelcomeMail(tables.Table, table=True):
    """One step for one person: there is never a second row, so nobody gets a step twice."""

    __tablename__ = "welcome_mails"
    __table_args__ = (sa.Index("ix_welcome_mails_step", "step_id", "outcome", "reason"), _OPTIONS)

    reader_id: int = Field(
        primary_key=True, foreign_key="welcome_readers.id", ondelete="CASCADE", sa_type=tables.BIG
    )
    step_id: int = Field(
        primary_key=True, foreign_key="welcome_steps.id", ondelete="CASCADE", sa_type=tables.BIG
    )
    outcome: str = Field(nullable=False)
    reason: str = Field(default="", nullable=False)
    """A `SkipReason`."""
    delivery_id: int | None = tables.loose_reference()
    at: datetime = tables.moment()
