"""The private keys that sign our mail: made, kept in files, read (RFC 6376; Ed25519: RFC 8463)."""

import base64
import functools
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

from foundation import errors
from foundation.i18n import N_

_LEAST_BITS = 1024
"""Shorter ones count as none (RFC 8301 §3.2)."""
_SELECTOR = re.compile(r"[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?")

PrivateKey = rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


@dataclass(frozen=True, slots=True)
class Key:
    """A private key and the name under which its public half stands in the DNS."""

    selector: str
    private: PrivateKey

    @property
    def algorithm(self) -> str:
        """The value of `a=`."""
        return "rsa-sha256" if isinstance(self.private, rsa.RSAPrivateKey) else "ed25519-sha256"

    @property
    def is_slow(self) -> bool:
        """Whether signing takes longer than all else about a message."""
        return isinstance(self.private, rsa.RSAPrivateKey)

    @property
    def record(self) -> str:
        """The TXT record at `<selector>._domainkey.<domain>` (RFC 6376 §3.6.1, RFC 8463 §4)."""
        public = self.private.public_key()
        if isinstance(public, rsa.RSAPublicKey):
            octets = public.public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            return f"v=DKIM1; k=rsa; p={base64.b64encode(octets).decode()}"
        octets = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return f"v=DKIM1; k=ed25519; p={base64.b64encode(octets).decode()}"

    @property
    def octets(self) -> bytes:
        """The private key itself (PKCS #8, DER)."""
        return self.private.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    def sign(self, octets: bytes) -> bytes:
        """The signature over canonical octets."""
        return _maker(self.private)(octets)


@functools.lru_cache(maxsize=8)
def _maker(private: PrivateKey) -> Callable[[bytes], bytes]:
    """What makes the signature over octets by a key."""
    if isinstance(private, rsa.RSAPrivateKey):
        return lambda octets: private.sign(octets, padding.PKCS1v15(), hashes.SHA256())
    # The very signature that `cryptography` makes, in three fifths of the time; two megabytes that
    # a site without such a key can do without.
    from nacl import bindings

    _, secret = bindings.crypto_sign_seed_keypair(private.private_bytes_raw())

    def make(octets: bytes) -> bytes:
        signed = bindings.crypto_sign(hashlib.sha256(octets).digest(), secret)
        return signed[: bindings.crypto_sign_BYTES]

    return make


@functools.lru_cache(maxsize=8)
def read(named: tuple[str, ...]) -> tuple[Key, ...]:
    """The keys in these files, each after its selector: `name=path`; every notice asks for them.

    Raises `errors.ConfigProblem` for one that can't be used.
    """
    return tuple(
        Key(selector, _private(Path(path)))
        for selector, _, path in (each.partition("=") for each in named)
    )


def create(folder: Path, selector: str) -> Sequence[tuple[Key, Path]]:
    """A new key of each kind, in files that only this user can read.

    Raises `errors.Refused` when such a file is there already, or can't be written, and
    `errors.Invalid` for a selector that can't be one.
    """
    if not _SELECTOR.fullmatch(selector):
        raise errors.Invalid(
            N_("“%(selector)s” can't name a key: use letters of a to z, digits and hyphens."),
            selector=selector,
        )
    made: tuple[Key, ...] = (
        Key(f"{selector}-rsa", rsa.generate_private_key(public_exponent=65537, key_size=2048)),
        Key(f"{selector}-ed25519", ed25519.Ed25519PrivateKey.generate()),
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return [(key, _written(folder / f"{key.selector}.pem", key)) for key in made]
    except OSError as problem:
        raise errors.Refused(
            N_("The key can't be kept in %(file)s: %(problem)s"),
            file=problem.filename or str(folder),
            problem=problem.strerror or str(problem),
        ) from problem


def _written(path: Path, key: Key) -> Path:
    octets = key.private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.touch(mode=0o600, exist_ok=False)
    path.write_bytes(octets)
    return path


def _private(path: Path) -> PrivateKey:
    try:
        found = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as problem:
        raise errors.ConfigProblem(
            N_(
                "The DKIM key %(file)s can't be read: %(problem)s. "
                "`handbill dkim new` makes keys; [mail] dkim_keys names them."
            ),
            file=str(path),
            problem=getattr(problem, "strerror", None) or str(problem),
        ) from problem
    if isinstance(found, rsa.RSAPrivateKey) and found.key_size >= _LEAST_BITS:
        return found
    if isinstance(found, ed25519.Ed25519PrivateKey):
        return found
    raise errors.ConfigProblem(
        N_("The DKIM key %(file)s is neither RSA of 1024 bits or more nor Ed25519."), file=str(path)
    )
