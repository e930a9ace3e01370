"""From which addresses our mail reaches readers' hosts, as far as that can be known from here.

A relay hands mail on from addresses of its own. Who runs it knows them: `[arriving]
sending_addresses`. Else a relay at a public address probably sends from that, a known service sends
from what its SPF record names, and about one on this machine or in the same network nobody can say.
"""

import asyncio
import enum
import ipaddress
import socket
from collections.abc import Iterable, Sequence

from delivery.arriving import providers
from delivery.arriving.providers import Provider
from foundation.arriving import Address
from foundation.config import Settings
from foundation.frozen import frozen
from foundation.relaying import Relay

_RESOLVE_S = 5.0
_INSIDE = tuple(
    ipaddress.ip_network(each)
    for each in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"),
        *("fc00::/7", "fe80::/10"),
    )
)
"""Networks that nobody reaches from outside (RFC 1918, 4193, 6598)."""


class Reach(enum.StrEnum):
    """How far away a relay is."""

    MACHINE = "machine"
    """On this machine."""
    INSIDE = "inside"
    """In a network that is not reached from outside."""
    OUTSIDE = "outside"
    """At a public address."""
    NOWHERE = "nowhere"
    """Its name has no address."""


@frozen
class Place:
    """Where one relay is."""

    relay: Relay
    reach: Reach
    addresses: Sequence[Address] = ()
    provider: Provider | None = None


@frozen
class Outgoing:
    """What is known of the addresses that mail leaves from."""

    addresses: Sequence[Address]
    """Those that readers' hosts see."""
    is_certain: bool
    """Whether the settings name them; else the relays' own are taken for them."""
    places: Sequence[Place]

    @property
    def providers(self) -> Sequence[Provider]:
        """The known services among the relays, each once."""
        return list(dict.fromkeys(each.provider for each in self.places if each.provider))


async def find(settings: Settings) -> Outgoing:
    """The relays' places, and the addresses behind them."""
    places = await asyncio.gather(*(_place(relay) for relay in settings.relay))
    named = [ipaddress.ip_address(each) for each in settings.arriving.sending_addresses]
    return Outgoing(addresses=named or _guessed(places), is_certain=bool(named), places=places)


def reach_of(addresses: Iterable[Address]) -> Reach:
    """How far away somebody with these addresses is."""
    found = list(addresses)
    if not found:
        return Reach.NOWHERE
    if all(address.is_loopback for address in found):
        return Reach.MACHINE
    if all(_is_inside(address) for address in found):
        return Reach.INSIDE
    return Reach.OUTSIDE


def _guessed(places: Iterable[Place]) -> Sequence[Address]:
    return list(
        dict.fromkeys(
            address
            for place in places
            if place.reach is Reach.OUTSIDE and place.provider is None
            for address in place.addresses
        )
    )


def _is_inside(address: Address) -> bool:
    return address.is_loopback or any(address in network for network in _INSIDE)


async def _place(relay: Relay) -> Place:
    addresses = await _addresses(relay.host)
    return Place(
        relay=relay,
        reach=reach_of(addresses),
        addresses=addresses,
        provider=providers.of(relay.host),
    )


async def _addresses(host: str) -> Sequence[Address]:
    """As the system finds them when it connects, `/etc/hosts` too."""
    try:
        async with asyncio.timeout(_RESOLVE_S):
            found = await asyncio.get_running_loop().getaddrinfo(
                host, None, type=socket.SOCK_STREAM
            )
    except (OSError, UnicodeError, TimeoutError):
        return ()
    return list(
        dict.fromkeys(ipaddress.ip_address(str(each[4][0]).partition("%")[0]) for each in found)
    )
