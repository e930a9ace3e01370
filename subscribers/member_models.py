"""Tables of what the coalition's organisations say and are asked: statements, questions, logos."""

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field

from foundation import tables


class ContactDuty(enum.StrEnum):
    """What a contact of a member looks after."""

    PRESS = "press"
    """Journalists' questions, and words in the organisation's name."""
    POLICY = "policy"
    """What the coalition asks of lawmakers and offices."""
    SERVICES = "services"
    """Help for people: advice, interpreting, accompanying."""


class MemberContactDuty(tables.Table, table=True):
    """One thing that a contact looks after; those who look after nothing have no row."""

    __tablename__ = "member_contact_duties"

    contact_id: int = Field(
        primary_key=True, foreign_key="member_contacts.id", ondelete="CASCADE", sa_type=tables.BIG
    )
    duty: str = Field(primary_key=True)


class MemberQuestion(tables.Table, table=True):
    """A question of the office to an organisation that applied, and its answer."""

    __tablename__ = "member_questions"

    id: int = tables.identity()
    member_id: int = tables.reference("members.id")
    question: str = tables.long_text()
    asked_at: datetime = tables.moment()
    asked_by: str = Field(nullable=False)
    answer: str = tables.long_text()
    answered_at: datetime | None = tables.maybe_moment()
    contact_id: int | None = tables.reference(
        "member_contacts.id", nullable=True, index=False, ondelete="SET NULL"
    )
    """Who answered."""


class MemberLogo(tables.Table, table=True):
    """The picture beside a member's name on the public page; made anew from what was sent in."""

    __tablename__ = "member_logos"

    member_id: int = Field(
        primary_key=True, foreign_key="members.id", ondelete="CASCADE", sa_type=tables.BIG
    )
    digest: str = Field(nullable=False)
    alt: str = Field(nullable=False)
    """What the picture shows, for whoever does not see it."""
    width: int = Field(nullable=False)
    height: int = Field(nullable=False)
    content: bytes = Field(nullable=False, sa_type=sa.LargeBinary)
    """A PNG of our own making."""
    created_at: datetime = tables.moment()


class Statement(tables.Table, table=True):
    """A version of what the coalition's organisations agree to. Never changed once it is there."""

    __tablename__ = "statements"

    version: int = Field(primary_key=True)
    texts: dict[str, str] = tables.json_dict()
    """Language → words."""
    created_at: datetime = tables.moment()
    created_by: str = Field(default="", nullable=False)


class SignOnState(enum.StrEnum):
    """How far an organisation's name under the statement came."""

    PENDING = "pending"
    """Sent in; the person who signs has not confirmed by mail yet."""
    CONFIRMED = "confirmed"
    """Confirmed; waits for the office to look at it."""
    SHOWN = "shown"
    """Stands under the statement for everybody to read."""
    REFUSED = "refused"
    """Not shown, as the office decided."""
    WITHDRAWN = "withdrawn"
    """Taken back by who signed."""


class SignOn(tables.Table, table=True):
    """An organisation that signs a version of the statement, and the person who does so for it."""

    __tablename__ = "sign_ons"
    __table_args__ = (
        sa.UniqueConstraint("email_key", "organisation_key", "statement_version"),
        {"sqlite_autoincrement": True},
    )

    id: int = tables.identity()
    statement_version: int = Field(nullable=False, index=True)
    organisation: str = Field(nullable=False)
    organisation_key: str = Field(nullable=False)
    """The name without regard to case, to know it again."""
    town: str = Field(default="", nullable=False)
    name: str = Field(nullable=False)
    """Who signs for it; never shown in public."""
    email: str = Field(nullable=False)
    email_key: str = Field(nullable=False, index=True)
    language: str = Field(nullable=False)
    state: str = Field(nullable=False, index=True)
    member_id: int | None = tables.reference("members.id", nullable=True, ondelete="SET NULL")
    """The member that it turned out to be."""
    network: str | None = Field(default=None)
    created_at: datetime = tables.moment()
    confirmed_at: datetime | None = tables.maybe_moment()
    decided_by: str = Field(default="", nullable=False)
