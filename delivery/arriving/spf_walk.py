"""Follows an SPF record through all that it includes, and counts what receivers would have to ask.

A receiver stops at the first term that matches, so this is what the worst placed address costs.
Terms with macros depend on who sends: they are counted, and not followed.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field

from delivery.arriving import spf_record
from delivery.arriving.names import Names, Unanswered
from delivery.arriving.spf_record import LOOKS_UP, Kind, Mechanism, Record
from foundation.frozen import frozen

_ENOUGH = 30
"""Look-ups after which nobody need know how many there are."""
_MOST_HOSTS = 10
"""Servers of one `mx` (§4.6.4)."""


class Flaw(enum.StrEnum):
    """What makes receivers take the whole for wrong."""

    MISSING = "missing"
    """A domain that is included has no record."""
    SEVERAL = "several"
    """It has more than one."""
    UNREADABLE = "unreadable"
    """A term can't be read."""
    LOOP = "loop"
    """A record includes itself, perhaps by way of others."""
    MANY_HOSTS = "many-hosts"
    """An `mx` has more than ten servers."""


@frozen
class Trouble:
    """A flaw, and where."""

    flaw: Flaw
    domain: str
    """Whose record or servers are wrong."""
    term: str = ""


@dataclass(kw_only=True, slots=True)
class Walk:
    """What a record and all that it includes come to."""

    look_ups: int = 0
    voids: list[str] = field(default_factory=list)
    """Names under which terms find nothing at all."""
    troubles: list[Trouble] = field(default_factory=list)
    followed: list[str] = field(default_factory=list)
    """The domains whose records count too, in their order."""
    unanswered: list[str] = field(default_factory=list)
    asks_for_names: list[str] = field(default_factory=list)
    """Domains whose records use `ptr`."""
    macros: int = 0
    """Terms that depend on who sends."""


async def follow(names: Names, domain: str, record: Record) -> Walk:
    """All that hangs on a domain's record."""
    walk = Walk()
    await _record(names, walk, (domain.lower(),), record)
    return walk


async def _record(names: Names, walk: Walk, chain: Sequence[str], record: Record) -> None:
    for term in record.mechanisms:
        if walk.look_ups >= _ENOUGH or term.kind is Kind.ALL:
            return
        if term.kind in LOOKS_UP:
            await _term(names, walk, chain, term)
    if record.redirect:
        walk.look_ups += 1
        await _other(names, walk, chain, record.redirect)


async def _term(names: Names, walk: Walk, chain: Sequence[str], term: Mechanism) -> None:
    walk.look_ups += 1
    target = term.domain or chain[-1]
    if term.kind is Kind.PTR:
        walk.asks_for_names.append(chain[-1])
    elif term.kind is Kind.INCLUDE:
        await _other(names, walk, chain, target)
    elif spf_record.has_macro(target):
        walk.macros += 1
    else:
        await _hosts(names, walk, target, term)


async def _hosts(names: Names, walk: Walk, target: str, term: Mechanism) -> None:
    try:
        if term.kind is Kind.MX:
            found = len(await names.mail_hosts(target))
        else:
            found = len(await names.addresses(target))
    except Unanswered:
        walk.unanswered.append(target)
        return
    if not found:
        walk.voids.append(target)
    if term.kind is Kind.MX and found > _MOST_HOSTS:
        walk.troubles.append(Trouble(flaw=Flaw.MANY_HOSTS, domain=target))


async def _other(names: Names, walk: Walk, chain: Sequence[str], target: str) -> None:
    """Another domain's record, whose terms count in this one."""
    if spf_record.has_macro(target):
        walk.macros += 1
        return
    domain = target.rstrip(".").lower()
    if domain in chain:
        walk.troubles.append(Trouble(flaw=Flaw.LOOP, domain=domain))
        return
    walk.followed.append(domain)
    try:
        found = spf_record.among(await names.texts(domain))
        record = spf_record.parse(found[0]) if len(found) == 1 else None
    except Unanswered:
        walk.unanswered.append(domain)
        return
    except spf_record.Unreadable as problem:
        walk.troubles.append(Trouble(flaw=Flaw.UNREADABLE, domain=domain, term=problem.term))
        return
    if record is None:
        flaw = Flaw.SEVERAL if found else Flaw.MISSING
        walk.troubles.append(Trouble(flaw=flaw, domain=domain))
        return
    await _record(names, walk, (*chain, domain), record)
