"""How a call proves that the provider made it: a MAC, or a secret that comes along.

Everything secret is compared in constant time. What does not prove itself is told no more than
that: whoever guesses learns nothing.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

from foundation import errors
from foundation.i18n import N_
from foundation.webhook_sources import WebhookSource

_AHEAD = timedelta(minutes=5)
"""How far a provider's clock may be ahead of ours."""


def forged() -> errors.Forbidden:
    """What is said to whoever can't prove themselves."""
    return errors.Forbidden(N_("The signature is missing or wrong; nothing was taken."))


def check_mac(secret: bytes, message: bytes, said: str) -> None:
    """HMAC with SHA-256, in hexadecimal. Raises `errors.Forbidden`."""
    expected = hmac.new(secret, message, hashlib.sha256).hexdigest()
    if not is_same(expected, said.lower()):
        raise forged()


def check_secret(source: WebhookSource, headers: Mapping[str, str]) -> None:
    """The secret as password (RFC 7617), bearer token (RFC 6750), or in a header of its own.

    Raises `errors.SignInNeeded`.
    """
    if source.header:
        given = headers.get(source.header, "")
    else:
        scheme, _, given = headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "basic":
            given = _password(given)
        elif scheme.lower() != "bearer":
            given = ""
    if not is_same(source.secret, given.strip()):
        raise errors.SignInNeeded(N_("The secret is missing or wrong; nothing was taken."))


def check_time(said: datetime | None, *, now: datetime, tolerance_s: int) -> None:
    """Whether a call was signed not long ago. Raises `errors.Forbidden`."""
    if said is None or not now - timedelta(seconds=tolerance_s) <= said <= now + _AHEAD:
        raise errors.Forbidden(N_("The call's time is too far from ours; nothing was taken."))


def is_same(expected: str, given: str) -> bool:
    """Compare in constant time; a blank secret is the same as nothing."""
    return bool(expected) and hmac.compare_digest(
        expected.encode("utf-8", "replace"), given.encode("utf-8", "replace")
    )


def _password(credentials: str) -> str:
    try:
        return base64.b64decode(credentials, validate=True).decode("utf-8").partition(":")[2]
    except (binascii.Error, ValueError):
        return ""
