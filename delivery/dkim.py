"""Signs messages so that receivers know whose they are (DKIM, RFC 6376; Ed25519: RFC 8463).

Every header that a reader or a mail program goes by is named in `h=` once more than it occurs, so
that a second one put in front breaks the signature (RFC 6376 §8.15). Headers are signed relaxed,
for relays that fold them anew; bodies as they are, since they hold nothing that servers change.
"""

import base64
import functools
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

from foundation import addresses, errors
from foundation.config import Settings
from foundation.i18n import N_

_SIGNED = (
    *("from", "to", "cc", "subject", "date", "message-id", "reply-to", "mime-version"),
    *("content-type", "auto-submitted", "list-id", "list-unsubscribe", "list-unsubscribe-post"),
    *("list-help", "list-archive", "feedback-id"),
)
_LEAST_BITS = 1024
"""Shorter ones count as none (RFC 8301 §3.2)."""
_WHITE = re.compile(rb"[ \t]+")
_SELECTOR = re.compile(r"[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?")
_FOLD = 70

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

    def sign(self, octets: bytes) -> bytes:
        """The signature over canonical octets."""
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.sign(octets, padding.PKCS1v15(), hashes.SHA256())
        return self.private.sign(hashlib.sha256(octets).digest())


class Signer:
    """Signs for one domain with each of its keys."""

    def __init__(self, domain: str, keys: Sequence[Key]) -> None:
        self.domain = domain
        self.keys = tuple(keys)

    def signed(self, head: bytes, body: bytes, *, now: datetime) -> bytes:
        """The whole message: signatures, `head` (lines that end in CRLF), a blank line, `body`."""
        if not self.keys:
            return b"%b\r\n%b" % (head, body)
        fields = _fields(head)
        named = [name for name in _SIGNED for _ in fields.get(name, ())]
        content = b"".join([field for name in _SIGNED for field in fields.get(name, ())])
        common = (
            f" t={int(now.timestamp())};\r\n h={_folded((*named, *_SIGNED))};\r\n"
            f" bh={_body_hash(body)};\r\n b="
        )
        signatures = [self._signature(key, common, content) for key in self.keys]
        return b"%b%b\r\n%b" % (b"".join(signatures), head, body)

    def _signature(self, key: Key, common: str, content: bytes) -> bytes:
        value = (
            f"v=1; a={key.algorithm}; c=relaxed/simple; d={self.domain};\r\n"
            f" s={key.selector};{common}"
        )
        own = _relaxed(b"dkim-signature", value.encode("ascii"))
        signature = base64.b64encode(key.sign(content + own)).decode("ascii")
        lines = [signature[at : at + _FOLD] for at in range(0, len(signature), _FOLD)]
        folded = "\r\n ".join(lines)
        return f"DKIM-Signature: {value}{folded}\r\n".encode("ascii")


def for_author(settings: Settings, from_address: str) -> Signer:
    """Who signs what comes from this address: the site's keys, for its own domain and those below.

    Elsewhere a signature would be somebody else's and prove nothing (RFC 7489 §3.1). Raises as
    `keys`.
    """
    own = domain(settings)
    author = addresses.a_labels(from_address.rpartition("@")[2]).lower()
    is_ours = author == own or author.endswith(f".{own}")
    return Signer(own, keys(settings) if is_ours else ())


def domain(settings: Settings) -> str:
    """The domain that signs, in A-labels."""
    named = settings.mail.dkim_domain or settings.mail.from_address.rpartition("@")[2]
    return addresses.a_labels(named).lower()


def keys(settings: Settings) -> Sequence[Key]:
    """The keys that `[mail] dkim_keys` names. Raises `errors.ConfigProblem`."""
    return _keys(tuple(settings.mail.dkim_keys))


def records(settings: Settings) -> Sequence[tuple[str, str]]:
    """For each key the name in the DNS and the TXT record that has to stand there."""
    own = domain(settings)
    return [(f"{key.selector}._domainkey.{own}", key.record) for key in keys(settings)]


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


@functools.lru_cache(maxsize=8)
def _keys(named: tuple[str, ...]) -> tuple[Key, ...]:
    """Read once: every notice asks for them."""
    return tuple(
        Key(selector, _private(Path(path)))
        for selector, _, path in (each.partition("=") for each in named)
    )


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


def _fields(head: bytes) -> dict[str, list[bytes]]:
    """Header fields in canonical form by their names; the last of a name first (§5.4.2)."""
    found: dict[str, list[bytes]] = {}
    for line in head.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ").split(b"\r\n")[:-1]:
        name, field = _canonical(line)
        found.setdefault(name, []).insert(0, field)
    return found


@functools.lru_cache(maxsize=256)
def _canonical(line: bytes) -> tuple[str, bytes]:
    """A field's name and canonical form; most of a bulletin's are the same in every mail."""
    name, _, value = line.partition(b":")
    lower = name.strip().lower()
    return lower.decode("ascii"), _relaxed(lower, value) + b"\r\n"


def _relaxed(name: bytes, value: bytes) -> bytes:
    """A field without its CRLF (RFC 6376 §3.4.2)."""
    return name + b":" + _WHITE.sub(b" ", value.replace(b"\r\n", b"")).strip(b" ")


def _body_hash(body: bytes) -> str:
    """Of the body without blank lines at its end (RFC 6376 §3.4.3)."""
    while body.endswith(b"\r\n\r\n"):
        body = body[:-2]
    return base64.b64encode(hashlib.sha256(body).digest()).decode("ascii")


@functools.lru_cache(maxsize=64)
def _folded(names: tuple[str, ...]) -> str:
    """The value of `h=` on lines that are not too long; all mails of a kind have the same."""
    lines = [""]
    for number, name in enumerate(names, start=1):
        ended = name + (":" if number < len(names) else "")
        if len(lines[-1]) + len(ended) > _FOLD:
            lines.append("")
        lines[-1] += ended
    return "\r\n ".join(lines)
