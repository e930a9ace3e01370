"""Tables of the ways in: how each does, how far a mailbox was read, letters to people."""

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field

from foundation import tables


class Way(enum.StrEnum):
    """By which way a message came."""

    LISTENER = "listener"
    """Another mail server handed it to our own."""
    IMAP = "imap"
    """It lay in a mailbox on another server."""
    MAILDIR = "maildir"
    """It lay in a folder of this machine."""


class IntakeStatus(tables.Table, table=True):
    """How a way in did when it was last used, by whichever process."""

    __tablename__ = "intake_status"

    way: str = Field(primary_key=True)
    """A `Way`."""
    last_message_at: datetime | None = tables.maybe_moment()
    """To within ten seconds: a flood of mail does not write this row each time."""
    looked_at: datetime = tables.moment()
    """When somebody last listened or looked there."""
    said: str = Field(default="", nullable=False)
    """What is wrong; blank when all is well."""
    since: datetime = tables.moment()
    """When that began, or all began to be well."""


class ImapMailbox(tables.Table, table=True):
    """A mailbox that several processes may read, one at a time."""

    __tablename__ = "imap_mailboxes"

    name: str = Field(primary_key=True)
    """User, host and port."""
    holder: str = Field(nullable=False)
    """The process that reads it; a name of its own that no other has."""
    leased_until: datetime = tables.moment()


class ImapFolder(tables.Table, table=True):
    """How far a folder of a mailbox was read."""

    __tablename__ = "imap_folders"

    mailbox: str = Field(primary_key=True)
    folder: str = Field(primary_key=True)
    uid_validity: int = Field(nullable=False, sa_type=tables.BIG)
    """While it is the same, UIDs mean the same messages (RFC 3501 §2.3.1.1)."""
    last_uid: int = Field(nullable=False, sa_type=tables.BIG)
    """Every message up to this one was taken or left for good."""


class Letter(tables.Table, table=True):
    """A message to postmaster, abuse or a feedback address that only a person can answer."""

    __tablename__ = "letters"

    id: int = tables.identity()
    from_address: str = Field(nullable=False)
    """The envelope sender, which proves nothing."""
    to_address: str = Field(nullable=False)
    subject: str = tables.long_text()
    octets: bytes = Field(nullable=False, sa_type=sa.LargeBinary)
    """The message, or its beginning if it was long."""
    digest: str = Field(nullable=False, unique=True)
    """Of address and octets: a server that did not hear our answer brings the same once more."""
    received_at: datetime = tables.moment(index=True)
