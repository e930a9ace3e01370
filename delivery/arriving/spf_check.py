"""Asks SPF as a receiver does: may this address send for this domain (RFC 7208, `check_host`)?"""

import enum
import ipaddress
import re
from dataclasses import dataclass, field
from urllib.parse import quote

from delivery.arriving import spf_record
from delivery.arriving.names import Names, Unanswered
from delivery.arriving.spf_record import Kind, Mechanism, Qualifier, Record
from foundation.arriving import Address

MOST_LOOK_UPS = 10
"""Terms that ask name servers (§4.6.4)."""
MOST_VOID = 2
"""Such terms that find nothing at all (§4.6.4)."""
_MOST_HOSTS = 10
"""Servers of one `mx`, names of one `ptr` (§4.6.4)."""
_LONGEST = 253
_LABEL = re.compile(r"[^.]{1,63}")


class Result(enum.StrEnum):
    """What comes of it (§2.6)."""

    NONE = "none"
    """The domain has no record."""
    NEUTRAL = "neutral"
    """It says nothing about the address."""
    PASS = "pass"  # noqa: S105 - SPF's own word
    """The address may send."""
    FAIL = "fail"
    """It may not."""
    SOFTFAIL = "softfail"
    """It probably may not."""
    TEMPERROR = "temperror"
    """Name servers did not answer."""
    PERMERROR = "permerror"
    """The record is wrong, so that nothing in it counts."""


_RESULTS = {
    Qualifier.PASS: Result.PASS,
    Qualifier.NEUTRAL: Result.NEUTRAL,
    Qualifier.SOFTFAIL: Result.SOFTFAIL,
    Qualifier.FAIL: Result.FAIL,
}


class _Wrong(Exception):
    """The record can't be gone by."""


@dataclass(kw_only=True, slots=True)
class _Question:
    """One address, one sender; counts what is asked on the way."""

    names: Names
    address: Address
    sender: str
    hello: str
    look_ups: int = 0
    voids: int = 0
    _validated: str | None = field(default=None)

    def count(self) -> None:
        """One more term that asks."""
        self.look_ups += 1
        if self.look_ups > MOST_LOOK_UPS:
            raise _Wrong

    def found(self, how_many: int) -> None:
        """A term's question found so many records."""
        self.voids += not how_many
        if self.voids > MOST_VOID:
            raise _Wrong


async def check(names: Names, *, address: Address, sender: str, hello: str = "unknown") -> Result:
    """What the domain of `sender` says about mail from `address`, with `hello` said in EHLO."""
    plain = getattr(address, "ipv4_mapped", None) or address
    domain = sender.rpartition("@")[2]
    question = _Question(names=names, address=plain, sender=sender, hello=hello)
    try:
        return await _domain(question, domain)
    except _Wrong:
        return Result.PERMERROR
    except Unanswered:
        return Result.TEMPERROR


async def _domain(question: _Question, domain: str) -> Result:
    labels = domain.removesuffix(".").split(".")
    if len(labels) < 2 or not all(map(_LABEL.fullmatch, labels)):
        return Result.NONE
    records = spf_record.among(await question.names.texts(domain))
    if not records:
        return Result.NONE
    if len(records) > 1:
        raise _Wrong
    try:
        record = spf_record.parse(records[0])
    except spf_record.Unreadable as problem:
        raise _Wrong from problem
    return await _record(question, domain, record)


async def _record(question: _Question, domain: str, record: Record) -> Result:
    for term in record.mechanisms:
        if await _matches(question, domain, term):
            return _RESULTS[term.qualifier]
    if not record.redirect:
        return Result.NEUTRAL
    question.count()
    result = await _domain(question, await _expanded(question, domain, record.redirect))
    if result is Result.NONE:
        raise _Wrong
    return result


async def _matches(question: _Question, domain: str, term: Mechanism) -> bool:
    if term.kind is Kind.ALL:
        return True
    if term.network is not None:
        return question.address in term.network
    question.count()
    target = await _expanded(question, domain, term.domain) if term.domain else domain
    match term.kind:
        case Kind.INCLUDE:
            return await _includes(question, target)
        case Kind.A:
            return await _is_host(question, target, term)
        case Kind.MX:
            return await _is_mail_host(question, target, term)
        case Kind.EXISTS:
            found = await question.names.addresses_of_version(target, 4)
            question.found(len(found))
            return bool(found)
        case _:
            return await _has_name(question, target)


async def _includes(question: _Question, domain: str) -> bool:
    result = await _domain(question, domain)
    if result is Result.NONE:
        raise _Wrong
    return result is Result.PASS


async def _is_host(question: _Question, name: str, term: Mechanism) -> bool:
    found = await question.names.addresses_of_version(name, question.address.version)
    question.found(len(found))
    return _is_among(question.address, found, term)


async def _is_mail_host(question: _Question, domain: str, term: Mechanism) -> bool:
    hosts = await question.names.mail_hosts(domain)
    question.found(len(hosts))
    if len(hosts) > _MOST_HOSTS:
        raise _Wrong
    for host in hosts:
        if host.name:
            version = question.address.version
            found = await question.names.addresses_of_version(host.name, version)
            if _is_among(question.address, found, term):
                return True
    return False


def _is_among(address: Address, found: list[Address], term: Mechanism) -> bool:
    prefix = term.prefix4 if address.version == 4 else term.prefix6
    return any(address in ipaddress.ip_network(f"{each}/{prefix}", strict=False) for each in found)


async def _has_name(question: _Question, domain: str) -> bool:
    """Whether the address has a name at or below a domain that leads back to it (§5.5)."""
    return any(_is_below(name, domain) for name in await _own_names(question))


async def _own_names(question: _Question) -> list[str]:
    try:
        pointers = await question.names.pointers(question.address)
    except Unanswered:
        return []
    question.found(len(pointers))
    proven = []
    for name in pointers[:_MOST_HOSTS]:
        try:
            found = await question.names.addresses_of_version(name, question.address.version)
        except Unanswered:
            continue
        if question.address in found:
            proven.append(name)
    return proven


def _is_below(name: str, domain: str) -> bool:
    name, domain = name.rstrip(".").lower(), domain.rstrip(".").lower()
    return name == domain or name.endswith(f".{domain}")


async def _expanded(question: _Question, domain: str, text: str) -> str:
    """A domain with its macros filled in, shortened from the left to what the DNS takes (§7.3)."""
    parts: list[str] = []
    at = 0
    for found in spf_record.MACRO.finditer(text):
        parts += [text[at : found.start()], await _filled(question, domain, found)]
        at = found.end()
    whole = "".join([*parts, text[at:]]).removesuffix(".")
    while len(whole) > _LONGEST and "." in whole:
        whole = whole.partition(".")[2]
    return whole


async def _filled(question: _Question, domain: str, found: re.Match[str]) -> str:
    if found[5]:
        return {"%": "%", "_": " ", "-": "%20"}[found[5]]
    letter, most, is_reversed, delimiters = found[1], found[2], found[3], found[4] or "."
    if most and int(most) == 0:
        raise _Wrong
    value = await _value(question, domain, letter.lower())
    pieces = re.split(f"[{re.escape(delimiters)}]", value)
    if is_reversed:
        pieces.reverse()
    value = ".".join(pieces[-int(most) :] if most else pieces)
    return quote(value, safe="-._~") if letter.isupper() else value


async def _value(question: _Question, domain: str, letter: str) -> str:
    local, _, sender_domain = question.sender.rpartition("@")
    local = local or "postmaster"
    match letter:
        case "s":
            return f"{local}@{sender_domain}"
        case "l":
            return local
        case "o":
            return sender_domain
        case "d":
            return domain
        case "i":
            return _dotted(question.address)
        case "v":
            return "in-addr" if question.address.version == 4 else "ip6"
        case "h":
            return question.hello
        case _:
            return await _validated(question, domain)


def _dotted(address: Address) -> str:
    if address.version == 4:
        return str(address)
    return ".".join(address.exploded.replace(":", ""))


async def _validated(question: _Question, domain: str) -> str:
    """A proven name of the address: the domain itself, else one below it, else any (§7.3)."""
    names = await _own_names(question)
    below = [name for name in names if _is_below(name, domain)]
    if domain.lower() in names:
        return domain
    return (below or names or ["unknown"])[0]
