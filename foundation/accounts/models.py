"""Tables of staff, their sessions and one-time links, and API tokens."""

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field

from foundation import tables


class Role(enum.StrEnum):
    """What a member of staff may do; each role may do all that the ones after it may."""

    OWNER = "owner"
    """Everything, staff and settings included."""
    EDITOR = "editor"
    """Approve, schedule and send; people, members and forms."""
    AUTHOR = "author"
    """Write developments and bulletins, and ask for review."""
    TRANSLATOR = "translator"
    """Put what others wrote into another language; leave how it is laid out alone."""
    VIEWER = "viewer"
    """Look, change nothing."""
    PARTNER = "partner"
    """Nobody of the office: a partner, who sees its own numbers and list and nothing else."""

    def may(self, needed: "Role") -> bool:
        """Whether this role may do what `needed` may."""
        order = list(Role)
        return order.index(self) <= order.index(needed)


OFFICE = tuple(role for role in Role if role is not Role.PARTNER)
"""The roles of people of the office."""


class Staff(tables.Table, table=True):
    """A person of the coalition's office, or of a partner that may look at its own numbers."""

    __tablename__ = "staff"

    id: int = tables.identity()
    email: str = Field(nullable=False)
    email_key: str = Field(nullable=False, unique=True)
    name: str = Field(default="", nullable=False)
    role: str = Field(nullable=False)
    language: str = Field(default="en", nullable=False)
    password_hash: str | None = Field(default=None)
    is_active: bool = Field(default=True, nullable=False)
    created_at: datetime = tables.moment()
    last_seen_at: datetime | None = tables.maybe_moment()
    partner_id: int | None = tables.loose_reference()
    """Whose numbers somebody with the role `partner` sees; None for the office."""


class SignInLink(tables.Table, table=True):
    """A one-time link; only its hash is kept."""

    __tablename__ = "signin_links"

    id: int = tables.identity()
    staff_id: int = tables.reference("staff.id")
    secret_hash: str = Field(nullable=False, unique=True)
    created_at: datetime = tables.moment()
    expires_at: datetime = tables.moment(index=True)
    used_at: datetime | None = tables.maybe_moment()


class StaffSession(tables.Table, table=True):
    """A signed-in browser; only the cookie's hash is kept."""

    __tablename__ = "staff_sessions"

    id: int = tables.identity()
    staff_id: int = tables.reference("staff.id")
    secret_hash: str = Field(nullable=False, unique=True)
    csrf_secret: str = Field(nullable=False)
    browser: str = Field(default="", nullable=False)
    created_at: datetime = tables.moment()
    last_seen_at: datetime = tables.moment()
    expires_at: datetime = tables.moment(index=True)


class ApiToken(tables.Table, table=True):
    """A program's key to the API; only its hash is kept."""

    __tablename__ = "api_tokens"

    id: int = tables.identity()
    name: str = Field(nullable=False)
    secret_hash: str = Field(nullable=False, unique=True)
    scopes: list[str] = tables.json_list()
    created_at: datetime = tables.moment()
    last_used_at: datetime | None = tables.maybe_moment()
    revoked_at: datetime | None = tables.maybe_moment()
    partner_id: int | None = tables.loose_reference()
    """The partner whose program uses it; None for the office."""


class IdempotencyRecord(tables.Table, table=True):
    """The answer to a write that named an Idempotency-Key, so that a repeat gets the same one."""

    __tablename__ = "idempotency_records"
    __table_args__ = (
        sa.UniqueConstraint("token_id", "key"),
        {"sqlite_autoincrement": True},
    )

    id: int = tables.identity()
    token_id: int = tables.reference("api_tokens.id")
    key: str = Field(nullable=False)
    request_hash: str = Field(nullable=False)
    status: int | None = Field(default=None)
    body: str = tables.long_text()
    created_at: datetime = tables.moment(index=True)
