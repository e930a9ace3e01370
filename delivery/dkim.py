"""Signs messages so that receivers know whose they are (DKIM, RFC 6376; Ed25519: RFC 8463).

Every header that a reader or a mail program goes by is named in `h=` once more than it occurs, so
that a second one put in front breaks the signature (RFC 6376 §8.15). Headers are signed relaxed,
for relays that fold them anew; bodies as they are, since they hold nothing that servers change.
"""

import base64
import functools
import hashlib
import operator
import re
from collections.abc import Callable, Sequence
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
_BLANK = re.compile(rb"[ \t\r\n]")
_FOLD = 70
_MARK = b"\0%d\0"
_MARKED = re.compile(rb"\0(\d+)\0")
_Picked = Callable[[Sequence[bytes]], tuple[bytes, ...]]
_FORMS = 8
"""So many are kept: a second's, each with its kinds of body."""


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
        self._forms: dict[tuple[bytes, ...], _Form] = {}

    def signed(
        self, pieces: Sequence[bytes], body: Sequence[bytes], *, second: int
    ) -> Sequence[bytes]:
        """The pieces of the whole message: signatures, head, a blank line, body.

        The head is lines that end in CRLF; `second` is the present in POSIX time.
        """
        drafts, rest = self.drafted(pieces, body, second=second)
        return (*[draft.header(draft.key.sign(draft.content)) for draft in drafts], *rest)

    def drafted(
        self,
        pieces: Sequence[bytes],
        body: Sequence[bytes],
        *,
        second: int,
        own: "Own | None" = None,
    ) -> tuple[Sequence[Draft], Sequence[bytes]]:
        """The same with the signatures still to be made.

        What pieces that are not a mail's `own` come to is kept for the next mail.
        """
        if not self.keys:
            return (), (*pieces, b"\r\n", *body)
        form = self._form(pieces, own, second) if own else self._formed(pieces, (), second)
        content = form.content(own.values(pieces) if own else ())
        body_hash = _body_hash(b"".join(body))
        drafts = tuple([each.draft(content, body_hash) for each in form.headers])
        return drafts, (b"".join(pieces), b"\r\n", *body)

    def _form(self, pieces: Sequence[bytes], own: "Own", second: int) -> "_Form":
        alike = own.others(pieces)
        found = self._forms.get(alike)
        if found is None:
            if len(self._forms) == _FORMS:
                self._forms.clear()
            found = self._forms[alike] = self._formed(pieces, own.places, second)
        return found

    def _formed(self, pieces: Sequence[bytes], own: Sequence[int], second: int) -> "_Form":
        marked = list(pieces)
        for number, place in enumerate(own):
            marked[place] = _MARK % number
        fields = _fields(b"".join(marked))
        order = _order(tuple([name for name, _ in fields]), _SIGNED)
        content = b"".join([fields[place][1] for place in order.places])
        common = f" t={second};\r\n h={order.named};\r\n bh="
        return _Form(content, [_Unsigned(key, self.domain, common) for key in self.keys])


class Own:
    """Places of a header's pieces that differ from mail to mail, two at least.

    Each of them is a field's whole value, or without a blank.
    """

    def __init__(self, *places: int, count: int) -> None:
        """`count` is how many pieces there are."""
        others = [place for place in range(count) if place not in places]
        self.places = places
        self.values: _Picked = operator.itemgetter(*places)
        self.others: _Picked = operator.itemgetter(*others)


class _Form:
    """What mails with the same fields have in common, but for some values."""

    def __init__(self, content: bytes, headers: Sequence["_Unsigned"]) -> None:
        """`content` is canonical, with a mark for each value."""
        self._pattern = _MARKED.sub(b"%b", content.replace(b"%", b"%%"))
        self._numbers = [int(each) for each in _MARKED.findall(content)]
        self.headers = headers

    def content(self, values: Sequence[bytes]) -> bytes:
        """A mail's fields as they are signed."""
        canonical = [_relaxed(each) if _BLANK.search(each) else each for each in values]
        return self._pattern % tuple([canonical[number] for number in self._numbers])


class _Unsigned:
    """The header of a signature, but for what differs from mail to mail."""

    def __init__(self, key: "Key", domain: str, common: str) -> None:
        """`common` is what the headers of all keys say, up to the hash of the body."""
        self._key = key
        self._value = (
            f"v=1; a={key.algorithm}; c=relaxed/simple; d={domain};\r\n s={key.selector};{common}"
        )
        # Canonical but for its folds: no two blanks stand together (RFC 6376 §3.4.2).
        self._own = "dkim-signature:" + self._value.replace("\r\n", "")

    def draft(self, content: bytes, body_hash: str) -> Draft:
        """For a mail with these fields and this body."""
        own = f"{self._own}{body_hash}; b="
        value = f"{self._value}{body_hash};\r\n b="
        return Draft(self._key, value, content + own.encode("ascii"))


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
    return lower.decode("ascii"), b"%b:%b\r\n" % (lower, _relaxed(value))


@functools.lru_cache(maxsize=256)
def _relaxed(value: bytes) -> bytes:
    """A field's value in canonical form (RFC 6376 §3.4.2); subjects are seldom new."""
    return _WHITE.sub(b" ", value.replace(b"\r\n", b"")).strip(b" ")


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
