"""What receivers look up about us: SPF (RFC 7208), DKIM (RFC 6376), DMARC (RFC 7489), the MX.

Where we do not sign, DKIM is the relay's: only it knows the name of its key.
"""

from collections.abc import Sequence

import dns.exception
import dns.resolver
from dns.asyncresolver import Resolver
from dns.rdatatype import RdataType

from delivery import dkim
from foundation import findings
from foundation.config import Settings
from foundation.findings import Finding
from foundation.i18n import N_

_LIFETIME_S = 5.0
_NOBODY = (".localdomain", ".localhost", ".invalid", ".example", ".test")
"""Domains that no mail server outside will ever find (RFC 2606, RFC 6761)."""


class NoAnswer(Exception):
    """No name server answered; that says nothing about the domain."""


def system_resolver() -> Resolver:
    """The machine's own; raises `dns.resolver.NoResolverConfiguration` when it has none."""
    return Resolver()


async def examine(settings: Settings, resolver: Resolver | None) -> Sequence[Finding]:
    """SPF and MX of the return path's domain, DMARC of the From domain."""
    author = settings.mail.from_address.rpartition("@")[2].lower()
    returns = settings.return_path_domain.lower()
    if "." not in author or author.endswith(_NOBODY):
        return [
            findings.bad(
                "from",
                N_("Mail comes from %(address)s, a domain that nobody can look up."),
                N_("Set [mail] from_address to an address of your own domain."),
                address=settings.mail.from_address,
            )
        ]
    if resolver is None:
        return [_unanswered(author)]
    try:
        return [
            await _spf(resolver, returns),
            *[await _dkim(resolver, name, record) for name, record in dkim.records(settings)],
            await _dmarc(resolver, author),
            await _mx(resolver, returns),
        ]
    except NoAnswer:
        return [_unanswered(author)]


async def _spf(resolver: Resolver, domain: str) -> Finding:
    records = [
        text
        for text in await _texts(resolver, domain)
        if text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")
    ]
    if len(records) == 1:
        return findings.good("spf", N_("SPF of %(domain)s: %(record)s"), domain=domain,
                             record=records[0])  # fmt: skip
    if records:
        return findings.bad(
            "spf",
            N_("%(domain)s has %(count)s SPF records; receivers then take none of them."),
            N_("Join them into one."),
            domain=domain,
            count=len(records),
        )
    return findings.bad(
        "spf",
        N_("%(domain)s has no SPF record."),
        N_("Add a TXT record to %(domain)s that names your relay, such as “v=spf1 mx -all”."),
        domain=domain,
    )


async def _dkim(resolver: Resolver, name: str, record: str) -> Finding:
    """Whether the public half of a key of ours is there; other tags of the record are free."""
    public = record.partition("p=")[2]
    for text in await _texts(resolver, name):
        if public in "".join(text.split()):
            return findings.good("dkim", N_("DKIM: the key at %(name)s is ours."), name=name)
    return findings.bad(
        "dkim",
        N_("DKIM: our key is not at %(name)s, so receivers take its signatures for forged."),
        N_("Publish this TXT record at %(name)s: %(record)s"),
        name=name,
        record=record,
    )


async def _dmarc(resolver: Resolver, domain: str) -> Finding:
    """Of the domain itself, else of one above it (RFC 7489 §6.6.3)."""
    labels = domain.split(".")
    for start in range(len(labels) - 1):
        name = ".".join(["_dmarc", *labels[start:]])
        records = [
            text for text in await _texts(resolver, name) if text.lower().startswith("v=dmarc1")
        ]
        if len(records) == 1:
            return findings.good("dmarc", N_("DMARC of %(domain)s: %(record)s"), domain=domain,
                                 record=records[0])  # fmt: skip
    return findings.bad(
        "dmarc",
        N_("%(domain)s has no DMARC record; large providers ask for one."),
        N_("Add a TXT record to _dmarc.%(domain)s, such as “v=DMARC1; p=none”."),
        domain=domain,
    )


async def _mx(resolver: Resolver, domain: str) -> Finding:
    records = await _lookup(resolver, domain, RdataType.MX)
    hosts = [record.rpartition(" ")[2].rstrip(".") for record in records]
    if any(hosts):
        return findings.good("mx", N_("Mail that comes back goes to %(hosts)s."),
                             hosts=", ".join(filter(None, hosts)))  # fmt: skip
    return findings.bad(
        "mx",
        N_("Mail that comes back to %(domain)s has nowhere to go."),
        N_("Add an MX record to %(domain)s, or set [mail] return_path_domain to one that has it."),
        domain=domain,
    )


async def _texts(resolver: Resolver, name: str) -> list[str]:
    """TXT records, the strings of each joined (RFC 7208 §3.3)."""
    return [
        text.replace('" "', "").strip('"') for text in await _lookup(resolver, name, RdataType.TXT)
    ]


async def _lookup(resolver: Resolver, name: str, kind: RdataType) -> list[str]:
    try:
        found = await resolver.resolve(name, kind, lifetime=_LIFETIME_S)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except dns.exception.DNSException as problem:
        raise NoAnswer from problem
    return [each.to_text() for each in found]


def _unanswered(domain: str) -> Finding:
    return findings.bad(
        "dns",
        N_("No name server told us about %(domain)s."),
        N_("Check this machine's network and /etc/resolv.conf, then run this again."),
        domain=domain,
    )
