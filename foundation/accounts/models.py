"""Tables of staff, how they come in and from where, and API tokens."""

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
    invited_by: str = Field(default="", nullable=False)
    """Who asked them to come, as the log shows it; blank for whom the command line added."""
    joined_at: datetime | None = tables.maybe_moment()
    """When they first came in; None while they are only invited."""


class LinkKind(enum.StrEnum):
    """What a one-time link is for."""

    SIGN_IN = "signin"
    """To come in."""
    INVITATION = "invitation"
    """To come in for the first time."""
    PASSWORD = "password"  # noqa: S105 - a kind of link
    """To choose another password."""


class SignInLink(tables.Table, table=True):
    """A one-time link; only its hash is kept."""

    __tablename__ = "signin_links"

    id: int = tables.identity()
    staff_id: int = tables.reference("staff.id")
    kind: str = Field(default=LinkKind.SIGN_IN.value, nullable=False)
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
    network: str = Field(default="", nullable=False)
    """Where it signed in from, /24 or /48; blank once `[retention] network_days` have passed."""
    created_at: datetime = tables.moment()
    last_seen_at: datetime = tables.moment()
    expires_at: datetime = tables.moment(index=True)
    proven_at: datetime | None = tables.maybe_moment()
    """When the person last showed that it is them; changes of how they come in ask for that."""


class CodeApp(tables.Table, table=True):
    """An app on a person's telephone that shows a new code every half a minute (RFC 6238)."""

    __tablename__ = "code_apps"

    id: int = tables.identity()
    staff_id: int = tables.reference("staff.id")
    sealed_secret: str = Field(nullable=False)
    """Enciphered with a key that is not in the database."""
    last_step: int = Field(default=0, nullable=False, sa_type=tables.BIG)
    """The half minute of the last code that was taken: none is taken twice (RFC 6238 §5.2)."""
    created_at: datetime = tables.moment()
    confirmed_at: datetime | None = tables.maybe_moment()
    """When its first code was typed; until then nobody is asked for one."""


class RecoveryCode(tables.Table, table=True):
    """A code on paper for whoever lost the telephone; only a keyed hash is kept."""

    __tablename__ = "recovery_codes"

    id: int = tables.identity()
    staff_id: int = tables.reference("staff.id")
    code_hash: str = Field(nullable=False, unique=True)
    created_at: datetime = tables.moment()
    used_at: datetime | None = tables.maybe_moment()


class Passkey(tables.Table, table=True):
    """A key that a person's device keeps; we hold its public half (WebAuthn Level 3)."""

    __tablename__ = "passkeys"

    id: int = tables.identity()
    staff_id: int = tables.reference("staff.id")
    name: str = Field(nullable=False)
    credential_id: str = Field(nullable=False, unique=True)
    public_key: str = tables.long_text()
    """COSE, in base64url."""
    sign_count: int = Field(default=0, nullable=False, sa_type=tables.BIG)
    created_at: datetime = tables.moment()
    last_used_at: datetime | None = tables.maybe_moment()


class BegunKind(enum.StrEnum):
    """What somebody has begun and not ended."""

    SECOND_STEP = "second_step"
    """Coming in: the password or link was right, the second step is to follow."""
    PASSKEY = "passkey"
    """Coming in by a passkey: the device has our challenge."""
    ADDING = "adding"
    """Adding a passkey: the device has our challenge."""


class Begun(tables.Table, table=True):
    """Something of several steps that a browser has begun; its cookie holds only the secret."""

    __tablename__ = "begun_signins"

    id: int = tables.identity()
    secret_hash: str = Field(nullable=False, unique=True)
    kind: str = Field(nullable=False)
    staff_id: int | None = tables.reference("staff.id", nullable=True)
    way: str = Field(default="", nullable=False)
    """By what the first step was taken."""
    challenge: str = Field(default="", nullable=False)
    """What a passkey has to sign, in base64url (WebAuthn Level 3 §13.4.3)."""
    created_at: datetime = tables.moment()
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
