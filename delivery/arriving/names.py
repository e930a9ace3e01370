"""Asks name servers what others will find about us, each question once in a look.

That a name has no such record is an answer; that nobody answered is `Unanswered`, which says
nothing about the name.
"""

import asyncio
import ipaddress
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import dns.exception
import dns.name
import dns.resolver
import dns.reversename
from dns.asyncresolver import Resolver
from dns.nameserver import Do53Nameserver
from dns.rdatatype import RdataType

from foundation.arriving import Address, Arriving, place

_LIFETIME_S = 6.0
_TRY_S = 2.0
"""A packet may be lost: then the question is put again, to the next server if there is one."""


class Unanswered(Exception):
    """No name server told us about a name."""

    def __init__(self, name: str, *, is_error: bool) -> None:
        super().__init__(name)
        self.name = name
        self.is_error = is_error
        """Whether name servers answered that they can't, instead of saying nothing."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found under a name."""

    records: Sequence[Any] = ()
    is_there: bool = True
    """Whether the name exists at all, with whatever records."""


@dataclass(frozen=True, slots=True)
class MailHost:
    """One MX record."""

    preference: int
    name: str
    """Blank: the domain takes no mail (RFC 7505)."""


def resolver(settings: Arriving) -> Resolver | None:
    """Asks the name servers of the settings, else those of this machine; None where it has none."""
    if settings.name_servers:
        found = Resolver(configure=False)
        found.nameservers = [Do53Nameserver(*place(each)) for each in settings.name_servers]
    else:
        try:
            found = Resolver()
        except dns.resolver.NoResolverConfiguration:
            return None
    found.timeout, found.lifetime = _TRY_S, _LIFETIME_S
    return found


class Names:
    """What one look learns; it forgets nothing, so make another for the next look."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._known: dict[tuple[str, RdataType], Answer | Unanswered] = {}
        self._asking: defaultdict[tuple[str, RdataType], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def texts(self, name: str) -> list[str]:
        """TXT records, the strings of each joined (RFC 7208 §3.3). Raises `Unanswered`."""
        answer = await self._ask(name, RdataType.TXT)
        return [b"".join(each.strings).decode("utf-8", "replace") for each in answer.records]

    async def addresses(self, name: str) -> list[Address]:
        """Of both families. Raises `Unanswered`."""
        return [
            *await self.addresses_of_version(name, 4),
            *await self.addresses_of_version(name, 6),
        ]

    async def addresses_of_version(self, name: str, version: int) -> list[Address]:
        """A or AAAA records. Raises `Unanswered`."""
        kind = RdataType.A if version == 4 else RdataType.AAAA
        answer = await self._ask(name, kind)
        return [ipaddress.ip_address(each.address) for each in answer.records]

    async def mail_hosts(self, name: str) -> list[MailHost]:
        """MX records, the preferred ones first. Raises `Unanswered`."""
        answer = await self._ask(name, RdataType.MX)
        hosts = [MailHost(each.preference, _text(each.exchange)) for each in answer.records]
        return sorted(hosts, key=lambda host: (host.preference, host.name))

    async def pointers(self, address: Address) -> list[str]:
        """The names that an address has. Raises `Unanswered`."""
        name = dns.reversename.from_address(str(address)).to_text(omit_final_dot=True)
        answer = await self._ask(name, RdataType.PTR)
        return [_text(each.target) for each in answer.records]

    async def alias(self, name: str) -> str:
        """Where a CNAME record leads; blank when there is none. Raises `Unanswered`."""
        answer = await self._ask(name, RdataType.CNAME)
        return _text(answer.records[0].target) if answer.records else ""

    async def is_there(self, name: str) -> bool:
        """Whether a name exists in the DNS. Raises `Unanswered`."""
        return (await self._ask(name, RdataType.A)).is_there

    async def _ask(self, name: str, kind: RdataType) -> Answer:
        key = (name.rstrip(".").lower(), kind)
        async with self._asking[key]:
            if key not in self._known:
                try:
                    self._known[key] = await self._look_up(*key)
                except Unanswered as problem:
                    self._known[key] = problem
        found = self._known[key]
        if isinstance(found, Unanswered):
            raise found
        return found

    async def _look_up(self, name: str, kind: RdataType) -> Answer:
        try:
            wanted = dns.name.from_text(name)
        except (dns.exception.DNSException, UnicodeError):
            return Answer(is_there=False)  # no such name can be written, so nobody can have it
        try:
            return Answer(tuple(await self._resolver.resolve(wanted, kind)))
        except dns.resolver.NXDOMAIN:
            return Answer(is_there=False)
        except dns.resolver.NoAnswer:
            return Answer()
        except (dns.exception.DNSException, OSError) as problem:
            is_error = isinstance(problem, dns.resolver.NoNameservers)
            raise Unanswered(name, is_error=is_error) from problem


def _text(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower().rstrip(".")
