"""Reads SPF records (RFC 7208): which terms they hold, and which of them can't be read.

The whole record is read before any of it counts, as §4.6 asks; one wrong term spoils all of it.
"""

import enum
import ipaddress
import re
from collections.abc import Iterable, Sequence

from foundation.frozen import frozen

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_VERSION = re.compile(r"v=spf1( |$)", re.IGNORECASE)
_MECHANISM = re.compile(
    r"([+?~-]?)(all|include|a|mx|ptr|ip4|ip6|exists)(?=[:/]|$)(.*)", re.IGNORECASE
)
_MODIFIER = re.compile(r"([a-z][a-z0-9._-]*)=(.*)", re.IGNORECASE)
_CIDR = re.compile(r"(?:/(0|[1-9][0-9]?))?(?://(0|[1-9][0-9]{0,2}))?$")
MACRO = re.compile(r"%\{([slodiphcrtv])([0-9]*)(r?)([.\-+,/_=]*)\}|%([%_-])", re.IGNORECASE)
"""Letter, how many parts, reversed, delimiters; or one that stands for a character (§7.1)."""
_LITERAL = re.compile(r"[\x21-\x24\x26-\x7e]*")
_TOP_LABEL = re.compile(r"[a-z0-9]*[a-z][a-z0-9]*|[a-z0-9]+-[a-z0-9-]*[a-z0-9]", re.IGNORECASE)
_ONLY_EXPLAINING = frozenset("crt")
"""Macros that may stand in the text of an explanation alone."""


class Qualifier(enum.StrEnum):
    """What a matching term says about an address."""

    PASS = "+"  # noqa: S105 - SPF's own sign
    """It may send."""
    NEUTRAL = "?"
    """Nothing is said about it."""
    SOFTFAIL = "~"
    """It probably may not; the mail is looked at more closely."""
    FAIL = "-"
    """It may not."""


class Kind(enum.StrEnum):
    """What a mechanism compares the address with."""

    ALL = "all"
    """Nothing: it matches always."""
    INCLUDE = "include"
    """Another domain's record."""
    A = "a"
    """A name's addresses."""
    MX = "mx"
    """The addresses of a domain's mail servers."""
    PTR = "ptr"
    """The names that the address itself has; not to be used any more (§5.5)."""
    IP4 = "ip4"
    """A network."""
    IP6 = "ip6"
    """A network."""
    EXISTS = "exists"
    """Whether a name made from the address has an address itself."""


LOOKS_UP = frozenset({Kind.INCLUDE, Kind.A, Kind.MX, Kind.PTR, Kind.EXISTS})
"""Those that ask name servers; a record may hold ten such terms in all (§4.6.4)."""


class Unreadable(Exception):
    """A term of a record is not as it has to be."""

    def __init__(self, term: str) -> None:
        super().__init__(term)
        self.term = term


@frozen
class Mechanism:
    """One term that addresses are compared with."""

    qualifier: Qualifier
    kind: Kind
    domain: str = ""
    """As it is written, macros too; blank for the domain that the record is of."""
    network: Network | None = None
    prefix4: int = 32
    prefix6: int = 128


@frozen
class Record:
    """A record that could be read."""

    mechanisms: Sequence[Mechanism]
    redirect: str = ""
    """Whose record counts when nothing in this one matches; blank for nobody's."""

    @property
    def all(self) -> Mechanism | None:
        """The term that decides about everybody else."""
        return next((each for each in self.mechanisms if each.kind is Kind.ALL), None)


def among(texts: Iterable[str]) -> list[str]:
    """Those of a name's TXT records that are SPF (§4.5)."""
    return [text for text in texts if _VERSION.match(text)]


def parse(text: str) -> Record:
    """A record. Raises `Unreadable` for the first term that is wrong."""
    mechanisms: list[Mechanism] = []
    modifiers: dict[str, str] = {}
    for term in text[6:].split(" "):
        if not term:
            continue
        if found := _MECHANISM.fullmatch(term):
            mechanisms.append(_mechanism(term, *found.groups()))
        elif found := _MODIFIER.fullmatch(term):
            name, value = found[1].lower(), found[2]
            is_known = name in ("redirect", "exp")
            if (is_known and (name in modifiers or not is_domain(value))) or not _is_text(value):
                raise Unreadable(term)
            modifiers[name] = value
        else:
            raise Unreadable(term)
    return Record(mechanisms=mechanisms, redirect=modifiers.get("redirect", ""))


def is_domain(text: str) -> bool:
    """Whether a term may name this domain, perhaps with macros (§7.1)."""
    if not _is_text(text) or any(
        found[1] and found[1].lower() in _ONLY_EXPLAINING for found in MACRO.finditer(text)
    ):
        return False
    if text.endswith("}") and MACRO.search(text):
        return True
    _, dot, top = text.removesuffix(".").rpartition(".")
    return bool(dot) and _TOP_LABEL.fullmatch(top) is not None


def has_macro(text: str) -> bool:
    """Whether a domain depends on who sends."""
    return "%" in text


def _mechanism(term: str, sign: str, name: str, rest: str) -> Mechanism:
    kind, qualifier = Kind(name.lower()), Qualifier(sign or "+")
    if kind is Kind.ALL:
        if rest:
            raise Unreadable(term)
        return Mechanism(qualifier=qualifier, kind=kind)
    if kind in (Kind.IP4, Kind.IP6):
        network = _network(term, rest.removeprefix(":"), version=int(kind.value[2]))
        return Mechanism(qualifier=qualifier, kind=kind, network=network)
    prefix4, prefix6 = 32, 128
    if kind in (Kind.A, Kind.MX):
        cidr = _CIDR.search(rest)
        if cidr is not None:
            rest = rest[: cidr.start()]
            prefix4, prefix6 = int(cidr[1] or 32), int(cidr[2] or 128)
    needs_domain = kind in (Kind.INCLUDE, Kind.EXISTS)
    is_bare = not rest and not needs_domain
    is_right = is_bare or (rest.startswith(":") and is_domain(rest[1:]))
    if not is_right or prefix4 > 32 or prefix6 > 128:
        raise Unreadable(term)
    return Mechanism(
        qualifier=qualifier, kind=kind, domain=rest[1:], prefix4=prefix4, prefix6=prefix6
    )


def _network(term: str, text: str, *, version: int) -> Network:
    address, slash, prefix = text.partition("/")
    try:
        if slash and (not prefix.isdecimal() or prefix != str(int(prefix))):
            raise Unreadable(term)
        found = ipaddress.ip_network(f"{address}{slash}{prefix}", strict=False)
    except ValueError as problem:
        raise Unreadable(term) from problem
    if found.version != version or "%" in text or not address:
        raise Unreadable(term)
    return found


def _is_text(text: str) -> bool:
    """Whether it consists of macros and characters that may stand for themselves."""
    return _LITERAL.fullmatch(MACRO.sub("", text)) is not None
