"""Asks web servers of others for something, and never one on a private network.

An address that somebody typed, or that a server redirects to, may lead back into our own network
(server-side request forgery). So a host's name is resolved here, every address that it has is
looked at, and the connection goes to one of those: what was checked is what is connected to, at
each redirect anew.

`foundation.ground.Ground` carries one `Outward`; tests hand in another name service and another
rule for what may be reached.
"""

import asyncio
import contextlib
import enum
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import field
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from foundation.frozen import frozen

Address = IPv4Address | IPv6Address
Lookup = Callable[[str], Awaitable[list[str]]]
"""The addresses of a host, as texts. Raises `OSError` when there are none."""

_NAT64 = IPv6Network("64:ff9b::/96")
_WELL_KNOWN = frozenset({80, 443})
_FIRST_FREE_PORT = 1024
_CHUNK = 16_384
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_ALWAYS_THERE = "example.com"


class Trouble(enum.StrEnum):
    """Why nothing could be asked for."""

    ODD = "odd"
    """It is no address of the web, or leads to a port that web pages don't use."""
    PRIVATE = "private"
    """It leads to a private network, or to this machine."""
    NO_HOST = "no-host"
    """There is no host of this name."""
    UNNAMED = "unnamed"
    """No name could be looked up just now."""
    UNTRUSTED = "untrusted"
    """Its certificate proves nothing."""
    SILENT = "silent"
    """Nobody answers, or not in time."""
    LOOPING = "looping"
    """It leads on and on."""


class OutwardError(Exception):
    """Nothing could be asked for; `trouble` says why, `said` in the words of whoever noticed."""

    def __init__(self, trouble: Trouble, said: str = "") -> None:
        super().__init__(f"{trouble}: {said}" if said else trouble.value)
        self.trouble = trouble
        self.said = said


@frozen
class Answer:
    """What a server said at the end of all redirects."""

    status: int
    url: str
    """Where that was."""
    media_type: str
    size_bytes: int | None
    """Of the whole body, as far as it was said or read to its end."""
    body: bytes
    """Its beginning, as much as was wanted."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """What stood above it; asked for without regard to case."""


@frozen
class Limits:
    """How much patience there is for one request."""

    timeout_s: float = 10.0
    """For all of it, redirects included."""
    redirects: int = 10
    """How many are followed; with 0, what redirects is the answer."""
    wanted_bytes: int = 0
    """How much of the body is read at most."""


def is_public(address: Address) -> bool:
    """Whether an address is one that anybody on the internet can reach.

    Those in an address that stand for another are looked at as well: IPv4 in IPv6 (RFC 4291
    §2.5.5.2), NAT64 (RFC 6052), 6to4 (RFC 3056) and Teredo (RFC 4380).
    """
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return is_public(address.ipv4_mapped)
        if address in _NAT64:
            return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
        inner = address.teredo or ((address.sixtofour,) if address.sixtofour else ())
        if address.is_site_local or not all(map(is_public, inner)):
            return False
    return address.is_global and not (
        address.is_multicast
        or address.is_reserved
        or address.is_unspecified
        or address.is_loopback
        or address.is_link_local
        or address.is_private
    )


def allowing(networks: Sequence[str]) -> Callable[[Address], bool]:
    """The rule that lets some private networks be reached, as the settings name them."""
    named = [ip_network(each) for each in networks]

    def allows(address: Address) -> bool:
        return is_public(address) or any(address in each for each in named)

    return allows


async def system_lookup(host: str) -> list[str]:
    """The addresses of a host by the machine's own name service."""
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


class Outward:
    """The one door to web servers of others."""

    def __init__(
        self,
        *,
        lookup: Lookup = system_lookup,
        allows: Callable[[Address], bool] = is_public,
        trust: ssl.SSLContext | None = None,
        agent: str = "Handbill",
    ) -> None:
        self._lookup = lookup
        self._allows = allows
        self._trust = trust
        self._agent = agent

    @contextlib.asynccontextmanager
    async def session(self, *, own_url: str = "", connections: int = 8) -> AsyncIterator["Session"]:
        """A session for some requests.

        `own_url` is our own site, which may be on a private network: the settings say so.
        """
        resolver = _Checked(self._lookup, self._allows, own=_place(URL(own_url)))
        connector = aiohttp.TCPConnector(
            resolver=resolver,
            use_dns_cache=False,
            limit=connections,
            force_close=True,
            ssl=self._trust or True,
        )
        async with aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": self._agent, "Accept": "*/*", "Accept-Encoding": "identity"},
            auto_decompress=False,
            # Neither proxies nor passwords from the environment.
            trust_env=False,
        ) as client:
            yield Session(client, resolver)

    async def knows_names(self) -> bool:
        """Whether names of the internet can be looked up from here at all.

        Where they can't, every host seems not to be there. This one always is (RFC 2606 §3).
        """
        try:
            return bool(await self._lookup(_ALWAYS_THERE))
        except OSError:
            return False


@frozen
class _Asked:
    """What is asked at each address on the way."""

    method: str
    body: bytes | None
    headers: Mapping[str, str]


class Session:
    """Some requests that share connections."""

    def __init__(self, client: aiohttp.ClientSession, resolver: "_Checked") -> None:
        self._client = client
        self._resolver = resolver

    async def ask(
        self,
        method: str,
        url: str,
        limits: Limits,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request, and the same of where it redirects to. Raises `OutwardError`."""
        asked = _Asked(method=method, body=body, headers=headers or {})
        try:
            async with asyncio.timeout(limits.timeout_s):
                return await self._follow(asked, url, limits)
        except (TimeoutError, aiohttp.ServerTimeoutError) as problem:
            raise OutwardError(Trouble.SILENT) from problem

    async def _follow(self, asked: "_Asked", url: str, limits: Limits) -> Answer:
        target = _parsed(url)
        for _ in range(limits.redirects + 1):
            self._resolver.check_literal(target)
            try:
                async with self._client.request(
                    asked.method,
                    target,
                    data=asked.body,
                    headers=asked.headers,
                    allow_redirects=False,
                ) as response:
                    onward = response.headers.get("Location", "")
                    is_redirect = response.status in _REDIRECTS and bool(onward)
                    if not is_redirect or not limits.redirects:
                        return await _answer(response, target, limits.wanted_bytes)
            except (aiohttp.ClientError, OSError, ValueError) as problem:
                raise _trouble(problem) from problem
            target = _joined(target, onward)
        raise OutwardError(Trouble.LOOPING)


async def _answer(response: aiohttp.ClientResponse, url: URL, wanted_bytes: int) -> Answer:
    body = bytearray()
    is_whole = response.method == "HEAD"
    while len(body) < wanted_bytes and not is_whole:
        chunk = await response.content.read(min(_CHUNK, wanted_bytes - len(body)))
        is_whole = not chunk
        body += chunk
    said = response.headers.get("Content-Length", "")
    size = int(said) if said.isascii() and said.isdigit() and len(said) < 18 else None
    if size is None and is_whole and response.method != "HEAD":
        size = len(body)
    return Answer(
        status=response.status,
        url=str(url),
        media_type=response.content_type,
        size_bytes=size,
        body=bytes(body),
        headers=response.headers,
    )


class _PrivateAddressError(OSError):
    """A host has an address on a private network."""


class _Checked(AbstractResolver):
    """Resolves names for the connections themselves, and refuses what may not be reached."""

    def __init__(
        self, lookup: Lookup, allows: Callable[[Address], bool], *, own: tuple[str, int]
    ) -> None:
        self._lookup = lookup
        self._allows = allows
        self._own = own

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Every address of a host, each of them looked at."""
        found = await self._lookup(host)
        for each in found:
            self._check(ip_address(each), host, port)
        return [
            ResolveResult(
                hostname=host,
                host=each,
                port=port,
                family=socket.AF_INET6 if ":" in each else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for each in found
            if family == socket.AF_UNSPEC or (":" in each) == (family == socket.AF_INET6)
        ]

    def check_literal(self, url: URL) -> None:
        """Look at a host that is written as an address, for which nobody asks a name service."""
        host = url.host or ""
        # All digits and dots is an address to sockets, also 127.1 and 2130706433.
        if ":" not in host and not host.replace(".", "").isdigit():
            return
        try:
            self._check(ip_address(host), host, url.port or 0)
        except ValueError as problem:
            raise OutwardError(Trouble.ODD, host) from problem
        except _PrivateAddressError as problem:
            raise OutwardError(Trouble.PRIVATE, host) from problem

    def _check(self, address: Address, host: str, port: int) -> None:
        if not self._allows(address) and (host, port) != self._own:
            raise _PrivateAddressError(str(address))

    async def close(self) -> None:
        """Nothing is kept open."""


def _parsed(url: str) -> URL:
    try:
        target = URL(url)
    except ValueError as problem:
        raise OutwardError(Trouble.ODD, url[:200]) from problem
    port = target.port or 0
    is_web = target.scheme in ("http", "https") and bool(target.host) and not target.user
    if not is_web or (port not in _WELL_KNOWN and port < _FIRST_FREE_PORT):
        raise OutwardError(Trouble.ODD, url[:200])
    return target.with_fragment(None)


def _joined(target: URL, onward: str) -> URL:
    try:
        return _parsed(str(target.join(URL(onward))))
    except ValueError as problem:
        raise OutwardError(Trouble.ODD, onward[:200]) from problem


def _place(url: URL) -> tuple[str, int]:
    return (url.host or "", url.port or 0)


_UNKNOWN_NAMES = (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME))


def _trouble(problem: Exception) -> OutwardError:
    """What was noticed, by its kind."""
    inner = problem.os_error if isinstance(problem, aiohttp.ClientConnectorError) else problem
    said = str(inner)[:200]
    if isinstance(inner, _PrivateAddressError):
        return OutwardError(Trouble.PRIVATE, said)
    if isinstance(inner, socket.gaierror):
        is_unknown = inner.errno in _UNKNOWN_NAMES
        return OutwardError(Trouble.NO_HOST if is_unknown else Trouble.UNNAMED, said)
    if isinstance(problem, (aiohttp.ClientSSLError, aiohttp.ClientConnectorCertificateError)):
        return OutwardError(Trouble.UNTRUSTED, said)
    if isinstance(problem, (aiohttp.InvalidURL, UnicodeError)):
        return OutwardError(Trouble.ODD, said)
    return OutwardError(Trouble.SILENT, said)
