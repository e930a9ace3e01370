"""What tests of looks begin with: a domain where all is well, and how findings are compared."""

import ipaddress
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager

from delivery.arriving.names import Names
from delivery.arriving.outgoing import Outgoing, Place, Reach
from foundation import i18n
from foundation.findings import Finding, Tone
from foundation.relaying import Relay
from tests.world import names
from tests.world.names import Fault

DOMAIN = "coalition.org"
SENDING = "198.51.100.7"
ENGLISH = i18n.load(languages=["en", "es"], default="en", zone="UTC").translator("en")

Zone = Mapping[tuple[str, str], list[str]]


@asynccontextmanager
async def asked(zone: Zone, faults: Mapping[str, Fault] | None = None) -> AsyncIterator[Names]:
    """Names as this zone has them."""
    async with names.running(zone, faults) as server:
        yield Names(server.resolver)


def txt(*texts: str) -> list[str]:
    """TXT records as a zone file writes them."""
    return [f'"{text}"' for text in texts]


def strings(record: str) -> str:
    """A long TXT record, which is several strings (RFC 1035 §3.3)."""
    return " ".join(f'"{record[at : at + 200]}"' for at in range(0, len(record), 200))


def outgoing(
    *addresses: str,
    is_certain: bool = True,
    host: str = "127.0.0.1",
    reach: Reach = Reach.MACHINE,
    **place: object,
) -> Outgoing:
    """Mail leaves from these addresses, by one relay."""
    at = Place(relay=Relay(host=host), reach=reach, **place)  # type: ignore[arg-type]
    found = [ipaddress.ip_address(each) for each in addresses]
    return Outgoing(addresses=found, is_certain=is_certain, places=[at])


def tones(found: Iterable[Finding]) -> list[tuple[str, Tone]]:
    """Code and colour of each line."""
    return [(each.code, each.tone) for each in found]


def said(found: Iterable[Finding]) -> str:
    """All lines in English, each with what to do."""
    return "\n".join(f"{each.say(ENGLISH)} → {each.advise(ENGLISH)}" for each in found)
