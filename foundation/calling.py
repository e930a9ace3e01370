"""How other programs are told of something: where to, how it is signed, and when it is tried again.

Used by webhooks (`campaigns/webhooks.py`) and by what partners are told (`subscribers/telling.py`).
"""

import hashlib
import hmac
from datetime import timedelta
from urllib.parse import urlsplit

from foundation import errors
from foundation.i18n import N_

SIGNATURE = "Handbill-Signature"
WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360, 720, 1440))
"""Before each further try."""
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


def sign(secret: str, body: bytes) -> str:
    """The value of the header `Handbill-Signature`."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def checked_url(url: str) -> str:
    """An address that may be told of something. Raises `errors.Invalid` for the field `url`."""
    try:
        parts = urlsplit(url)
        is_right = bool(parts.hostname) and not parts.username and parts.port != 0
    except ValueError:
        parts, is_right = urlsplit(""), False
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOCAL)
    if not (is_right and is_safe) or len(url) > 2000:
        problem = errors.Invalid(
            N_("A webhook's address starts with https:// (http:// only on this machine).")
        )
        raise errors.Invalid(problem.msgid, fields={"url": problem})
    return url
