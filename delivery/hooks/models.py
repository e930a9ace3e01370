"""Tables of webhooks that come in: how each source does, what waits, what is good once."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field

from foundation import tables


class HookStatus(tables.Table, table=True):
    """How a source did when it last called, whichever process it was that answered."""

    __tablename__ = "hook_status"

    name: str = Field(primary_key=True)
    last_call_at: datetime | None = tables.maybe_moment()
    """The last one that proved itself, to within ten seconds."""
    last_event_at: datetime | None = tables.maybe_moment()
    """The last event with a consequence."""
    taken: int = Field(default=0, nullable=False, sa_type=tables.BIG)
    repeated: int = Field(default=0, nullable=False, sa_type=tables.BIG)
    """Events that were known already."""
    ignored: int = Field(default=0, nullable=False, sa_type=tables.BIG)
    """Events of kinds without a consequence, or about nobody here."""
    refused: int = Field(default=0, nullable=False, sa_type=tables.BIG)
    """Calls that proved nothing or could not be read."""
    last_refusal_at: datetime | None = tables.maybe_moment()
    refusal: str = Field(default="", nullable=False)
    """Why, in English."""
    trouble: str = Field(default="", nullable=False)
    """What the provider said that staff should know, in English; blank when all is well."""


class HookNonce(tables.Table, table=True):
    """A provider's token that is good for one body only."""

    __tablename__ = "hook_nonces"

    source: str = Field(primary_key=True)
    nonce: str = Field(primary_key=True)
    digest: str = Field(nullable=False)
    """Of the body that it came with."""
    seen_at: datetime = tables.moment(index=True)


class WaitingCall(tables.Table, table=True):
    """A call with many events that was verified, to be acted on soon."""

    __tablename__ = "waiting_calls"

    id: int = tables.identity()
    source: str = Field(nullable=False)
    number: str = Field(default="", nullable=False)
    """The provider's for the call, where it has one."""
    body: bytes = Field(nullable=False, sa_type=sa.LargeBinary)
    received_at: datetime = tables.moment()
    leased_until: datetime = tables.moment()
    """Whoever works on it has until then."""
    tries: int = Field(default=0, nullable=False)
    done: int = Field(default=0, nullable=False)
    """Events that were acted on already."""
