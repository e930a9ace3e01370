"""Settings of asking web servers of others; `foundation.config` reads them with all others."""

import ipaddress

from pydantic import field_validator

from foundation.relaying import Section


class Reaching(Section):
    """What may be asked for feeds, links and pictures, and called as a webhook."""

    private_networks: list[str] = []

    @field_validator("private_networks")
    @classmethod
    def _are_networks(cls, value: list[str]) -> list[str]:
        return [str(ipaddress.ip_network(each.strip())) for each in value]
