"""Settings of what takes our mail: relays, and limits for those who host our readers' mailboxes.

`foundation.config` reads them with all others.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from foundation import rates

OTHERS = "*"
"""Among a limit's domains: every domain that no other limit names, each for itself."""


class Section(BaseModel):
    """A table of the file: unknown keys are refused, values can't be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


RELAY = "relay:"
"""What the name of a relay's section starts with, for settings that owners change."""
HOST = "host:"
"""The same for a limit of those who host our readers' mailboxes."""


class Tls(StrEnum):
    """How a connection to a relay is protected."""

    NONE = "none"
    """In clear; for a relay on the same machine."""
    STARTTLS = "starttls"
    """Upgraded after connecting (RFC 3207); refused if the relay can't."""
    TLS = "tls"
    """Encrypted from the first byte (RFC 8314)."""


class TransferEncoding(StrEnum):
    """How the parts of bulletins are encoded for a relay."""

    AUTO = "auto"
    """As they are (8bit) where it offers 8BITMIME (RFC 6152), else quoted-printable."""
    QUOTED_PRINTABLE = "quoted-printable"
    """ASCII in short lines, which no server has to change."""


class Relay(Section):
    """An SMTP server that takes our mail."""

    name: str = "relay"
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 25
    username: str = ""
    password: str = ""
    password_file: str = ""
    tls: Tls = Tls.NONE
    verify_certificate: bool = True
    connections: Annotated[int, Field(ge=1, le=100)] = 4
    messages_per_connection: Annotated[int, Field(ge=1)] = 1000
    weight: Annotated[int, Field(ge=0, le=1000)] = 1
    sender_domains: list[str] = []
    rates: list[str] = []
    warmup: list[Annotated[int, Field(ge=1)]] = []
    timeout_s: Annotated[float, Field(gt=0)] = 60.0
    hello_name: str = ""
    transfer_encoding: TransferEncoding = TransferEncoding.AUTO

    @field_validator("rates")
    @classmethod
    def _are_rates(cls, value: list[str]) -> list[str]:
        rates.parse_all(value)
        return value

    @field_validator("sender_domains")
    @classmethod
    def _in_small_letters(cls, value: list[str]) -> list[str]:
        return [domain.strip().lower() for domain in value]


class DomainLimit(Section):
    """How fast mail may go to the mailboxes of some domains that one host serves."""

    name: Annotated[str, Field(min_length=1)]
    domains: Annotated[list[str], Field(min_length=1)]
    rates: list[str] = []
    connections: Annotated[int, Field(ge=0)] = 0
    back_off: bool = True

    @field_validator("rates")
    @classmethod
    def _are_rates(cls, value: list[str]) -> list[str]:
        rates.parse_all(value)
        return value

    @field_validator("domains")
    @classmethod
    def _in_small_letters(cls, value: list[str]) -> list[str]:
        return [domain.strip().lower() for domain in value]


DOMAIN_LIMITS = (
    DomainLimit(name="gmail", domains=["gmail.com", "googlemail.com"]),
    DomainLimit(
        name="microsoft",
        domains=["outlook.com", "hotmail.com", "live.com", "msn.com", "passport.com"],
    ),
    DomainLimit(
        name="yahoo",
        domains=["yahoo.com", "ymail.com", "rocketmail.com", "aol.com", "aim.com"],
    ),
    DomainLimit(name="apple", domains=["icloud.com", "me.com", "mac.com"]),
)
"""The large hosts: no rate is set for them, but we slow down when they ask us to."""


def check_names(names: Sequence[str]) -> None:
    """Raises `ValueError` when two have the same name."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{twice[0]!r} is the name of two; each needs its own")


def check_domains(limits: Iterable[DomainLimit]) -> None:
    """Raises `ValueError` when a domain is named by two limits."""
    seen: dict[str, str] = {}
    for limit in limits:
        for domain in limit.domains:
            other = seen.setdefault(domain, limit.name)
            if other != limit.name:
                raise ValueError(f"{domain} is named by {other!r} and by {limit.name!r}")


def check_routes(relays: Iterable[Relay]) -> None:
    """Raises `ValueError` when mail from some domains would have no relay."""
    if all(relay.sender_domains for relay in relays):
        raise ValueError("one relay at least must be without sender_domains, to take the rest")
