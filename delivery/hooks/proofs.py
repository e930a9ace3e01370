"""How a call proves that the provider made it: a MAC, a signature, or a secret that comes along.

Everything secret is compared in constant time. What does not prove itself is told no more than
that: whoever guesses learns nothing.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from foundation import errors
from foundation.i18n import N_
from foundation.webhook_sources import WebhookSource

_AHEAD = timedelta(minutes=5)
"""How far a provider's clock may be ahead of ours."""
_MAX_SIGNATURE = 2_000


def forged() -> errors.Forbidden:
    """What is said to whoever can't prove themselves."""
    return errors.Forbidden(N_("The signature is missing or wrong; nothing was taken."))


def check_mac(secret: bytes, message: bytes, said: str) -> None:
    """HMAC with SHA-256, in hexadecimal. Raises `errors.Forbidden`."""
    expected = hmac.new(secret, message, hashlib.sha256).hexdigest()
    if not is_same(expected, said.lower()):
        raise forged()


def check_ecdsa(key: ec.EllipticCurvePublicKey, message: bytes, said: str) -> None:
    """ECDSA with SHA-256, DER in base64. Raises `errors.Forbidden`."""
    try:
        key.verify(_octets(said), message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as problem:
        raise forged() from problem


def check_rsa(
    key: rsa.RSAPublicKey, message: bytes, said: str, digest: hashes.HashAlgorithm
) -> None:
    """RSASSA-PKCS1-v1_5 in base64. Raises `errors.Forbidden`."""
    try:
        key.verify(_octets(said), message, padding.PKCS1v15(), digest)
    except InvalidSignature as problem:
        raise forged() from problem


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
        raise errors.Forbidden(
            N_("The call's time is %(said)s, which is too far from ours; nothing was taken."),
            said=said.astimezone(UTC).isoformat(timespec="seconds") if said else "?",
        )


def is_same(expected: str, given: str) -> bool:
    """Compare in constant time; a blank secret is the same as nothing."""
    return bool(expected) and hmac.compare_digest(
        expected.encode("utf-8", "replace"), given.encode("utf-8", "replace")
    )


def p256_key(written: str) -> ec.EllipticCurvePublicKey:
    """A key for ECDSA over P-256. Raises `ValueError`."""
    key = _public_key(written)
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise ValueError("it is not an ECDSA key over P-256")


def rsa_key(written: str) -> rsa.RSAPublicKey:
    """A key for RSA. Raises `ValueError`."""
    key = _public_key(written)
    if isinstance(key, rsa.RSAPublicKey):
        return key
    raise ValueError("it is not an RSA key")


def _public_key(written: str) -> PublicKeyTypes:
    """As PEM, or its base64 alone."""
    text = written.strip()
    if not text.startswith("-----"):
        text = f"-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----"
    try:
        return serialization.load_pem_public_key(text.encode("ascii"))
    except (UnsupportedAlgorithm, UnicodeEncodeError) as problem:
        raise ValueError(str(problem)) from problem


def _octets(said: str) -> bytes:
    try:
        return base64.b64decode(said[:_MAX_SIGNATURE].strip(), validate=True)
    except (binascii.Error, ValueError) as problem:
        raise forged() from problem


def _password(credentials: str) -> str:
    try:
        return base64.b64decode(credentials, validate=True).decode("utf-8").partition(":")[2]
    except (binascii.Error, ValueError):
        return ""
