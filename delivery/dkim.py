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
from typing import TYPE_CHECKING, NamedTuple

from foundation import addresses
from foundation.config import Settings

if TYPE_CHECKING:
    from delivery.signing_keys import Key

_SIGNED = (
    *("from", "to", "cc", "subject", "date", "message-id", "reply-to", "mime-version"),
    *("content-type", "auto-submitted", "list-id", "list-unsubscribe", "list-unsubscribe-post"),
    *("list-help", "list-archive", "feedback-id"),
)
_WHITE = re.compile(rb"[ \t]+")
_FOLD = 70


class Draft(NamedTuple):
    """A header of a signature, but for the signature."""

    key: "Key"
    value: str
    """All that stands before the signature."""
    content: bytes
    """What is to be signed."""

    def header(self, signature: bytes) -> bytes:
        """The whole header, folded."""
        written = base64.b64encode(signature).decode("ascii")
        lines = [written[at : at + _FOLD] for at in range(0, len(written), _FOLD)]
        folded = "\r\n ".join(lines)
        return f"DKIM-Signature: {self.value}{folded}\r\n".encode("ascii")


class Signer:
    """Signs for one domain with each of its keys."""

    def __init__(self, domain: str, keys: Sequence["Key"]) -> None:
        self.domain = domain
        self.keys = tuple(keys)

    def signed(
        self, pieces: Sequence[bytes], body: Sequence[bytes], *, second: int
    ) -> Sequence[bytes]:
        """The pieces of the whole message: signatures, head, a blank line, body.

        The head is lines that end in CRLF; `second` is the present in POSIX time.
        """
        drafts, rest = self.drafted(pieces, body, second=second)
        return (*[draft.header(draft.key.sign(draft.content)) for draft in drafts], *rest)

    def drafted(
        self, pieces: Sequence[bytes], body: Sequence[bytes], *, second: int
    ) -> tuple[Sequence[Draft], Sequence[bytes]]:
        """The same with the signatures still to be made."""
        if not self.keys:
            return (), (*pieces, b"\r\n", *body)
        head = b"".join(pieces)
        fields = _fields(head)
        order = _order(tuple([name for name, _ in fields]), _SIGNED)
        content = b"".join([fields[place][1] for place in order.places])
        body_hash = _body_hash(b"".join(body))
        common = f" t={second};\r\n h={order.named};\r\n bh={body_hash};\r\n b="
        drafts = tuple([self._draft(key, common, content) for key in self.keys])
        return drafts, (head, b"\r\n", *body)

    def _draft(self, key: "Key", common: str, content: bytes) -> Draft:
        value = (
            f"v=1; a={key.algorithm}; c=relaxed/simple; d={self.domain};\r\n"
            f" s={key.selector};{common}"
        )
        # Canonical but for its folds: no two blanks stand together (RFC 6376 §3.4.2).
        own = "dkim-signature:" + value.replace("\r\n", "")
        return Draft(key, value, content + own.encode("ascii"))


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


def keys(settings: Settings) -> Sequence["Key"]:
    """The keys that `[mail] dkim_keys` names. Raises `errors.ConfigProblem`."""
    named = tuple(settings.mail.dkim_keys)
    if not named:
        return ()
    # `cryptography` takes seven megabytes: a site whose relay signs has no use for it.
    from delivery import signing_keys

    return signing_keys.read(named)


def records(settings: Settings) -> Sequence[tuple[str, str]]:
    """For each key the name in the DNS and the TXT record that has to stand there."""
    own = domain(settings)
    return [(f"{key.selector}._domainkey.{own}", key.record) for key in keys(settings)]


def _fields(head: bytes) -> list[tuple[str, bytes]]:
    """Header fields: each one's name and canonical form."""
    unfolded = head.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ")
    return [_canonical(line) for line in unfolded.split(b"\r\n")[:-1]]


class _Order(NamedTuple):
    """How a header is signed."""

    places: tuple[int, ...]
    """Its fields that are, by their places in it; the last of a name first (§5.4.2)."""
    named: str
    """The value of `h=`."""


@functools.lru_cache(maxsize=64)
def _order(names: tuple[str, ...], signed: tuple[str, ...]) -> _Order:
    """For a header with fields of these names; all mails of a kind have the same."""
    last_first = [(name, place) for place, name in reversed(tuple(enumerate(names)))]
    places = [place for each in signed for name, place in last_first if name == each]
    return _Order(tuple(places), _folded([*[names[place] for place in places], *signed]))


@functools.lru_cache(maxsize=256)
def _canonical(line: bytes) -> tuple[str, bytes]:
    """A field's name and canonical form; most of a bulletin's are the same in every mail."""
    name, _, value = line.partition(b":")
    lower = name.strip().lower()
    if b"  " in value or b"\t" in value:
        value = _WHITE.sub(b" ", value)
    return lower.decode("ascii"), b"%b:%b\r\n" % (lower, value.strip(b" "))


def _body_hash(body: bytes) -> str:
    """Of the body without blank lines at its end (RFC 6376 §3.4.3)."""
    while body.endswith(b"\r\n\r\n"):
        body = body[:-2]
    return base64.b64encode(hashlib.sha256(body).digest()).decode("ascii")


def _folded(names: Sequence[str]) -> str:
    """The value of `h=` on lines that are not too long."""
    lines = [""]
    for number, name in enumerate(names, start=1):
        ended = name + (":" if number < len(names) else "")
        if len(lines[-1]) + len(ended) > _FOLD:
            lines.append("")
        lines[-1] += ended
    return "\r\n ".join(lines)
