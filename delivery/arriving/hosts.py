"""What hosts see of whoever connects to them: reverse DNS, the name in EHLO, lists of spammers."""

import asyncio
import ipaddress
import re
import socket
from collections.abc import Sequence

import dns.reversename

from delivery.arriving.names import Names, Unanswered
from delivery.arriving.outgoing import Outgoing, Place, Reach
from foundation import findings
from foundation.arriving import Address
from foundation.findings import Finding, Record
from foundation.i18n import N_

_GENERIC = re.compile(
    r"(^|[.-])(dyn|dynamic|dsl|adsl|pool|dhcp|ppp|cable|dialup|static)([.-]|\d|$)"
)
_NOT_ASKED = ipaddress.ip_network("127.255.255.0/24")
"""How lists say that they did not answer the question, but refused the asker."""
_NAME_S = 3.0


async def reverse(names: Names, outgoing: Outgoing) -> Sequence[Finding]:
    """Whether each address has a name that leads back to it. Raises `names.Unanswered`."""
    return [
        await _reverse(names, address, is_certain=outgoing.is_certain)
        for address in outgoing.addresses
    ]


async def _reverse(names: Names, address: Address, *, is_certain: bool) -> Finding:
    tell = findings.bad if is_certain else findings.warn
    pointers = await names.pointers(address)
    if not pointers:
        return tell(
            "ptr",
            N_("%(address)s has no name (PTR), and large hosts take no mail from such addresses."),
            N_("Have whoever gave you the address set its reverse DNS to your mail server's name."),
            address=str(address),
        ).publishing(_pointer(address))
    back = [name for name in pointers if address in await names.addresses(name)]
    if not back:
        return tell(
            "ptr",
            N_("%(address)s is called %(name)s, but that name does not lead back to it."),
            N_("Give %(name)s this record."),
            address=str(address),
            name=pointers[0],
        ).publishing(
            Record(
                name=pointers[0], kind="A" if address.version == 4 else "AAAA", content=str(address)
            )
        )
    if _is_generic(back[0], address):
        return findings.warn(
            "ptr",
            N_("%(address)s is called %(name)s, like any subscriber's line; some hosts mind that."),
            N_("Have its reverse DNS set to a name of your own."),
            address=str(address),
            name=back[0],
        )
    return findings.good(
        "ptr",
        N_("%(address)s is called %(name)s, and that leads back to it."),
        address=str(address),
        name=back[0],
    )


def _pointer(address: Address) -> Record:
    name = dns.reversename.from_address(str(address)).to_text(omit_final_dot=True)
    return Record(name=name, kind="PTR", content="mail.example.org.")


def _is_generic(name: str, address: Address) -> bool:
    """Whether a name was made out of the address by whoever owns the network."""
    if _GENERIC.search(name):
        return True
    if address.version == 6:
        return False
    numbers = re.findall(r"\d+", name)
    parts = str(address).split(".")
    return set(parts[2:]) <= set(numbers) and len(numbers) >= 3


async def greeting(names: Names, places: Sequence[Place]) -> Sequence[Finding]:
    """The name by which we greet relays outside. Raises `names.Unanswered`."""
    outside = [each for each in places if each.reach is Reach.OUTSIDE]
    said = dict.fromkeys([each.relay.hello_name or await _own_name() for each in outside])
    return [await _greeting(names, name) for name in said]


async def _own_name() -> str:
    """What is said where the settings name nothing; the system may have to look it up."""
    try:
        async with asyncio.timeout(_NAME_S):
            return await asyncio.to_thread(socket.getfqdn)
    except TimeoutError:
        return socket.gethostname()


async def _greeting(names: Names, name: str) -> Finding:
    if "." in name and await names.addresses(name):
        return findings.good(
            "hello", N_("We greet the relay as %(name)s, which has an address."), name=name
        )
    return findings.warn(
        "hello",
        N_("We greet the relay as %(name)s, which is not in the DNS; some relays refuse that."),
        N_("Set [[relay]] hello_name to a name that has an A or AAAA record."),
        name=name,
    )


async def blocklists(names: Names, outgoing: Outgoing, lists: Sequence[str]) -> Sequence[Finding]:
    """Whether lists of spammers' addresses hold ours (RFC 5782)."""
    asked = await asyncio.gather(
        *(_listed(names, address, each) for address in outgoing.addresses for each in lists)
    )
    found = [each for each in asked if each is not None]
    if found or not asked:
        return found
    return [
        findings.good(
            "blocklist",
            N_("None of our addresses is on %(lists)s."),
            lists=", ".join(lists),
        )
    ]


async def _listed(names: Names, address: Address, blocklist: str) -> Finding | None:
    reversed_name = dns.reversename.from_address(str(address)).to_text(omit_final_dot=True)
    question = f"{reversed_name.rpartition('.')[0].rpartition('.')[0]}.{blocklist}"
    values = {"address": str(address), "blocklist": blocklist}
    try:
        answers = await names.addresses_of_version(question, 4)
        why = await names.texts(question) if answers else []
    except Unanswered:
        return _silent(values)
    if any(answer in _NOT_ASKED for answer in answers):
        return _silent(values)
    if not answers:
        return None
    return findings.bad(
        "blocklist",
        N_("%(address)s is on the list %(blocklist)s: %(why)s"),
        N_("Find out there why, mend that first, and then ask to be taken off."),
        why=" ".join(why)[:300] or ", ".join(map(str, answers)),
        **values,
    )


def _silent(values: dict[str, str]) -> Finding:
    return findings.neutral(
        "blocklist",
        N_("The list %(blocklist)s did not tell us about %(address)s."),
        N_("Many lists answer no public name servers; ask through one of your own."),
        **values,
    )
