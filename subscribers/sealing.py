"""Opens what a tablet sealed: each entry to a key of its own, which only this service can find.

The tablet knows the public half of a key pair (P-256) and makes a fresh pair for each entry; what
both agree on (ECDH), stretched by HKDF-SHA-256, is the entry's AES-256-GCM key (as ECIES does; SEC
1 §5.1, RFC 5869). The private half is derived from the site's secret keys and never leaves the
server: a tablet that is lost or opened tells nothing (docs/decisions/0020-what-a-tablet-keeps.md).
"""

import base64
import binascii
import dataclasses
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from foundation import errors
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec

INFO = "handbill kiosk 1"
"""Says what the key is for, and in which way; the tablet says the same."""
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of the curve (SEC 2 §2.4.2)."""
_NUMBER = re.compile(r"[0-9a-f]{32}")
_MOST_OCTETS = 8_000


@frozen
class Sealed:
    """An entry as the tablet keeps and sends it; all but the number in base64url."""

    number: str
    key: str
    """The public half of the pair that was made for this entry."""
    nonce: str
    text: str


_PARTS = tuple(part.name for part in dataclasses.fields(Sealed))


def public_key(ground: Ground) -> str:
    """What the page gives a tablet: the uncompressed point, in base64url."""
    from cryptography.hazmat.primitives import serialization

    point = (
        _private_key(ground)
        .public_key()
        .public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    )
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()


def read(value: object) -> Sealed:
    """An entry out of what was sent. Raises `errors.Invalid`."""
    parts = value if isinstance(value, dict) else {}
    said = {
        name: text
        for name in _PARTS
        if isinstance(text := parts.get(name), str) and len(text) <= _MOST_OCTETS
    }
    if len(said) < len(_PARTS) or not _NUMBER.fullmatch(said["number"]):
        raise _unreadable()
    return Sealed(**said)


def opened(ground: Ground, sealed: Sealed) -> Mapping[str, object]:
    """What was typed. Raises `errors.Invalid` for what was changed or sealed for another site."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    try:
        point = _octets(sealed.key)
        theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        agreed = _private_key(ground).exchange(ec.ECDH(), theirs)
        key = HKDF(hashes.SHA256(), 32, salt=point, info=INFO.encode()).derive(agreed)
        text = AESGCM(key).decrypt(
            _octets(sealed.nonce), _octets(sealed.text), sealed.number.encode()
        )
        found = json.loads(text.decode("utf-8"))
    except (InvalidTag, ValueError, binascii.Error, RecursionError) as problem:
        raise _unreadable() from problem
    if not isinstance(found, dict):
        raise _unreadable()
    return found


def _private_key(ground: Ground) -> "ec.EllipticCurvePrivateKey":
    from cryptography.hazmat.primitives.asymmetric import ec

    secret = int.from_bytes(ground.tokens.derive("kiosk"), "big") % (_ORDER - 1) + 1
    return ec.derive_private_key(secret, ec.SECP256R1())


def _octets(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))


def _unreadable() -> errors.Invalid:
    return errors.Invalid(
        N_("This entry can't be read. It was changed, or sealed for another site.")
    )
