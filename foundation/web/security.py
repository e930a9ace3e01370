"""Headers that keep pages safe, the CSRF check of staff forms, and the network of a request."""

import functools
import hmac
import ipaddress
from collections.abc import Sequence

from aiohttp import web

from foundation import errors
from foundation.i18n import N_

CSRF_FIELD = "csrf_token"
CSRF_HEADER = "X-CSRF-Token"
_LONGEST_ADDRESS = 100
"""An IPv6 address with the name of its zone is shorter."""
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_POLICY = {
    "default-src": "'none'",
    "base-uri": "'none'",
    "connect-src": "'self'",
    "font-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "frame-src": "'self'",
    "img-src": "'self' data:",
    "manifest-src": "'self'",
}


_BARE = {**_POLICY, "script-src": "'none'", "style-src": "'self'"}
"""For answers without a page of ours: nothing in them may run."""
_SAFE_HEADERS = {
    "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in _BARE.items()),
    "X-Content-Type-Options": "nosniff",
    # Paths hold tokens: the address of a page goes to nobody else.
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def content_policy(nonce: str, **changes: str) -> str:
    """A Content-Security-Policy; `changes` replace directives, with `_` for `-` in their names.

    Scripts and styles in a page run only with the request's nonce (CSP Level 3 §8.2).
    """
    directives = {
        **_POLICY,
        "script-src": f"'nonce-{nonce}' 'strict-dynamic'",
        "style-src": f"'self' 'nonce-{nonce}'",
        **{name.replace("_", "-"): value for name, value in changes.items()},
    }
    return "; ".join(f"{name} {value}" for name, value in directives.items())


def add_headers(response: web.StreamResponse, *, nonce: str, is_https: bool) -> None:
    """Put the safe defaults on an answer that does not say otherwise itself.

    `nonce` is blank where no page of ours was made.
    """
    headers = response.headers
    if nonce and "Content-Security-Policy" not in headers:
        headers["Content-Security-Policy"] = content_policy(nonce)
    for name, value in _SAFE_HEADERS.items():
        if name not in headers:
            headers[name] = value
    if is_https:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")


def check_csrf(request: web.Request, *, sent: str | None, expected: str) -> None:
    """Refuse a staff form that did not come from a page of ours. Raises `errors.Forbidden`."""
    if request.method in _SAFE_METHODS:
        return
    given = request.headers.get(CSRF_HEADER) or sent or ""
    if not expected or not hmac.compare_digest(given.encode(), expected.encode()):
        raise errors.Forbidden(
            N_("This page was open for too long. Go back, reload it, and send it again.")
        )


def check_same_site(request: web.Request) -> None:
    """Refuse what another site's page sends (Fetch Metadata). Raises `errors.Forbidden`."""
    came_from = request.headers.get("Sec-Fetch-Site", "same-origin")
    if request.method not in _SAFE_METHODS and came_from not in ("same-origin", "none"):
        raise errors.Forbidden(N_("This form was sent from another site."))


def client_network(request: web.Request, trusted_proxies: Sequence[str]) -> str:
    """The network that a request came from: IPv4 /24 or IPv6 /48, never the full address."""
    return truncated_network(_client_address(request, trusted_proxies))


def is_from(request: web.Request, networks: Sequence[str], trusted_proxies: Sequence[str]) -> bool:
    """Whether a request came from one of some networks."""
    return _is_within(_client_address(request, trusted_proxies), networks)


def _client_address(request: web.Request, trusted_proxies: Sequence[str]) -> str:
    """`X-Forwarded-For` counts only when the connection comes from a trusted proxy.

    Of its entries the last that is not itself such a proxy does.
    """
    address = request.remote or ""
    if _is_within(address, trusted_proxies):
        for hop in reversed(request.headers.get("X-Forwarded-For", "").split(",")):
            address = hop.strip() or address
            if not _is_within(address, trusted_proxies):
                break
    return address


def truncated_network(address: str) -> str:
    """`203.0.113.9` → `203.0.113.0/24`; blank for what is not an address."""
    return _truncated(address) if len(address) <= _LONGEST_ADDRESS else ""


@functools.lru_cache(maxsize=4096)
def _truncated(address: str) -> str:
    parsed = _parsed(address)
    if parsed is None:
        return ""
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    length = 24 if parsed.version == 4 else 48
    return str(ipaddress.ip_network(f"{parsed}/{length}", strict=False))


def _is_within(address: str, networks: Sequence[str]) -> bool:
    if not networks or len(address) > _LONGEST_ADDRESS:
        return False
    parsed = _parsed(address)
    return parsed is not None and any(parsed in _network(entry) for entry in networks)


@functools.lru_cache(maxsize=4096)
def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(address)
    except ValueError:
        return None


@functools.lru_cache(maxsize=256)
def _network(entry: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    return ipaddress.ip_network(entry, strict=False)
