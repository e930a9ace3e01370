"""Settings of the ways by which mail comes in: a listener of our own, an IMAP mailbox, a Maildir.

`foundation.config` reads them with all others.
"""

import ipaddress
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from foundation.relaying import Section, Tls


class Protocol(StrEnum):
    """What a listener speaks."""

    SMTP = "smtp"
    """For any mail server: the MX record of the return path's domain leads here."""
    LMTP = "lmtp"
    """For a mail server beside us that hands on what it has taken (RFC 2033)."""


class Afterwards(StrEnum):
    """What is done in an IMAP mailbox with a message that was acted on."""

    LEAVE = "leave"
    """Nothing: the mailbox is only read."""
    SEEN = "seen"
    """It is marked as read."""
    MOVE = "move"
    """It goes to another folder."""
    DELETE = "delete"
    """It is deleted for good."""


class Listener(Section):
    """A mail server of our own for the return path's domain."""

    enabled: bool = False
    protocol: Protocol = Protocol.SMTP
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 2525
    hello_name: str = ""
    networks: list[str] = []
    feedback_addresses: list[str] = []
    tls: Tls = Tls.NONE
    certificate_file: str = ""
    key_file: str = ""
    max_message_bytes: Annotated[int, Field(ge=100_000)] = 20_000_000
    connections: Annotated[int, Field(ge=1, le=1000)] = 50
    connections_per_host: Annotated[int, Field(ge=1, le=1000)] = 10
    timeout_s: Annotated[float, Field(gt=0)] = 120.0
    session_s: Annotated[float, Field(gt=0)] = 900.0

    @field_validator("networks")
    @classmethod
    def _are_networks(cls, value: list[str]) -> list[str]:
        for each in value:
            ipaddress.ip_network(each)
        return value

    @field_validator("feedback_addresses")
    @classmethod
    def _are_addresses(cls, value: list[str]) -> list[str]:
        if not all(each.count("@") == 1 for each in value):
            raise ValueError("each has to be an address such as fbl@example.org")
        return [each.strip().lower() for each in value]

    @model_validator(mode="after")
    def _fits_together(self) -> "Listener":
        if self.tls is not Tls.NONE and not self.certificate_file:
            raise ValueError("tls needs certificate_file")
        if self.protocol is Protocol.LMTP and self.port == 25:
            # RFC 2033 §5: what connects to port 25 expects SMTP.
            raise ValueError("lmtp must not be spoken on port 25")
        return self


class Imap(Section):
    """A mailbox on another server that mail comes back to."""

    host: str = ""
    port: Annotated[int, Field(ge=1, le=65535)] = 993
    tls: Tls = Tls.TLS
    verify_certificate: bool = True
    username: str = ""
    password: str = ""
    password_file: str = ""
    folders: Annotated[list[str], Field(min_length=1)] = ["INBOX"]
    afterwards: Afterwards = Afterwards.LEAVE
    move_to: str = ""
    poll_s: Annotated[float, Field(gt=0)] = 60.0
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 30.0
    retry_s: Annotated[float, Field(gt=0)] = 5.0

    @model_validator(mode="after")
    def _fits_together(self) -> "Imap":
        if self.afterwards is Afterwards.MOVE and not self.move_to:
            raise ValueError("afterwards = 'move' needs move_to")
        if self.move_to in self.folders:
            raise ValueError("move_to must not be one of folders")
        return self


class Maildir(Section):
    """A folder on this machine that a mail server delivers to."""

    path: str = ""
    afterwards: Literal["move", "delete"] = "move"
    poll_s: Annotated[float, Field(gt=0, le=300)] = 10.0
