"""Settings of looking whether our mail arrives; `foundation.config` reads them with all others."""

import ipaddress
from typing import Annotated

from pydantic import Field, field_validator

from foundation.relaying import Section

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Arriving(Section):
    """What is asked when somebody looks whether our mail arrives."""

    name_servers: list[str] = []
    sending_addresses: list[str] = []
    blocklists: list[str] = []
    look_timeout_s: Annotated[float, Field(gt=0, le=120)] = 20.0
    look_every_hours: Annotated[int, Field(ge=0)] = 24

    @field_validator("name_servers")
    @classmethod
    def _are_places(cls, value: list[str]) -> list[str]:
        for each in value:
            place(each)
        return value

    @field_validator("sending_addresses")
    @classmethod
    def _are_addresses(cls, value: list[str]) -> list[str]:
        return [str(ipaddress.ip_address(each.strip())) for each in value]

    @field_validator("blocklists")
    @classmethod
    def _in_small_letters(cls, value: list[str]) -> list[str]:
        return [each.strip().strip(".").lower() for each in value]


def place(text: str) -> tuple[str, int]:
    """Address and port of a name server: `9.9.9.9`, `127.0.0.1:5353`, `[2620:fe::fe]:53`.

    Raises `ValueError` for anything else.
    """
    host, port = text.strip(), "53"
    if host.startswith("["):
        host, bracket, rest = host[1:].partition("]")
        port = rest.removeprefix(":") or (port if bracket else "")
    elif host.count(":") == 1:
        host, _, port = host.partition(":")
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(f"{text!r} has no port between 1 and 65535")
    return str(ipaddress.ip_address(host)), int(port)
