"""Signatures that providers put under their calls, and the keys to check them with.

Loaded only by a site with a source that signs: it brings a large library along.
"""

import base64
import binascii

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from delivery.hooks.proofs import forged

_MAX_SIGNATURE = 2_000


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
