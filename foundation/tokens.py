"""Links that can't be forged: a few numbers, sealed with a keyed MAC, short enough for mail.

A token is `version ‖ key number ‖ numbers ‖ MAC`, in base64url for links and in hexadecimal for
envelope senders (whose case a server may change). The purpose is part of what is sealed, so an
unsubscribe token opens nothing else. Tokens hold row numbers, never an address. The first key
seals, every key still opens, so keys can be changed without breaking mail that was delivered.
"""

import binascii
import enum
import hashlib
import hmac
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path

from foundation import errors
from foundation.i18n import N_

_VERSION = 1
_MAC_BYTES = 12
"""96 bits: a forger gets one guess in 2^96 a request (RFC 2104 §5 asks for at least 80)."""


class Purpose(enum.StrEnum):
    """What a token opens; the value is sealed in, at most 16 bytes."""

    CONFIRM = "confirm"
    """Numbers: sign-up, subscriber, minute of issue."""
    UNSUBSCRIBE = "unsubscribe"
    """Numbers: subscriber, delivery or 0, topic or 0 (all)."""
    PREFERENCES = "preferences"
    """Numbers: subscriber."""
    VIEW = "view"
    """Numbers: dispatch, subscriber or 0, delivery or 0."""
    CLICK = "click"
    """Numbers: dispatch, link, delivery or 0 (no consent), sent (10 s steps since its start)."""
    OPEN = "open"
    """Numbers: dispatch, delivery or 0 (no consent), sent (10 s steps since its start)."""
    RETURN_PATH = "return"
    """Numbers: delivery (or notice), 0 for a delivery and 1 for a notice."""
    MEMBER = "member"
    """Numbers: member contact."""
    MEMBERSHIP = "membership"
    """Numbers: member contact, for whom it opens the member's own page."""
    QUESTION = "question"
    """Numbers: question to an applicant, member contact."""
    SIGN_ON = "sign-on"
    """Numbers: sign-on to the statement, minute of issue."""
    FORM_TIME = "form"
    """Numbers: second at which a form was shown."""
    COME_BACK = "come-back"
    """Numbers: subscriber, minute of issue."""
    SHARED_UNTIL = "shared-until"
    """Numbers: partner, batch of people for its list."""
    DOWNLOAD = "download"
    """Numbers: subscriber, minute of issue."""
    DESK = "desk"
    """Numbers: member of staff, whose secret address of the desk it makes."""
    EVENT = "event"
    """Numbers: bulletin, checksum of its block's name."""


class Keyring:
    """Seals and opens tokens. Keys are at least 16 bytes each; the first one seals."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys:
            raise ValueError("a keyring needs a key")
        # BLAKE2b takes up to 64 bytes of key; hashing first lets a key have any length.
        self._keys = [
            hashlib.blake2b(key, digest_size=32, person=b"handbill-keys").digest() for key in keys
        ]
        self._numbers = [key[0] for key in self._keys]
        self._prefix = bytes((_VERSION, self._numbers[0]))
        self._derived: dict[str, bytes] = {}
        self._macs_of = [{each: _keyed(key, each) for each in Purpose} for key in self._keys]
        self._macs = self._macs_of[0]

    def seal(self, purpose: Purpose, *numbers: int) -> str:
        """A token in base64url."""
        return _in_url(self._seal(purpose, numbers)).decode("ascii")

    def seal_for_address(self, purpose: Purpose, *numbers: int) -> str:
        """A token for a local part: lower-case letters and digits only."""
        return self._seal(purpose, numbers).hex()

    def sealer(self, purpose: Purpose) -> Callable[[bytes], bytes]:
        """`seal` for who seals many: from numbers by `number_octets`, in octets."""
        prefix, fresh = self._prefix, self._macs[purpose].copy
        to_base64, table = binascii.b2a_base64, _URL_SAFE

        def seal(numbers: bytes) -> bytes:
            head = prefix + numbers
            mac = fresh()
            mac.update(head)
            return to_base64(head + mac.digest(), newline=False).translate(table, b"=")

        return seal

    def sealer_for_address(self, purpose: Purpose) -> Callable[[bytes], str]:
        """The same as `seal_for_address`."""
        prefix, fresh = self._prefix, self._macs[purpose].copy

        def seal(numbers: bytes) -> str:
            head = prefix + numbers
            mac = fresh()
            mac.update(head)
            return head.hex() + mac.hexdigest()

        return seal

    def open(self, purpose: Purpose, token: str) -> tuple[int, ...]:
        """The numbers of a base64url token. Raises `errors.BadToken`."""
        try:
            octets = token.encode("ascii")
            padded = octets.translate(_FROM_URL) + b"=" * (-len(octets) % 4)
            raw = binascii.a2b_base64(padded)
        except (UnicodeEncodeError, binascii.Error) as problem:
            raise _bad() from problem
        if _in_url(raw) != octets:
            raise _bad()  # a second spelling of the same bytes is not our token
        return self._open(purpose, raw)

    def open_from_address(self, purpose: Purpose, token: str) -> tuple[int, ...]:
        """The numbers of a hexadecimal token, in any case. Raises `errors.BadToken`."""
        try:
            raw = binascii.unhexlify(token.encode("ascii"))
        except (UnicodeEncodeError, binascii.Error) as problem:
            raise _bad() from problem
        return self._open(purpose, raw)

    def derive(self, name: str) -> bytes:
        """A key of 32 bytes for something else, such as hashing suppressed addresses.

        Comes from the last (oldest) key, so that a rotation keeps old hashes valid.
        """
        found = self._derived.get(name)
        if found is None:
            made = hashlib.blake2b(name.encode(), key=self._keys[-1], digest_size=32)
            found = self._derived[name] = made.digest()
        return found

    def fingerprint(self) -> str:
        """Names the oldest key without giving it away; nodes on one database must agree on it."""
        return self.derive("fingerprint")[:8].hex()

    def _seal(self, purpose: Purpose, numbers: Sequence[int]) -> bytes:
        head = self._prefix + b"".join(map(number_octets, numbers))
        mac = self._macs[purpose].copy()
        mac.update(head)
        return head + mac.digest()

    def _open(self, purpose: Purpose, raw: bytes) -> tuple[int, ...]:
        head, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        if len(head) < 2 or head[0] != _VERSION:
            raise _bad()
        for number, macs in zip(self._numbers, self._macs_of, strict=True):
            if number == head[1]:
                expected = macs[purpose].copy()
                expected.update(head)
                if hmac.compare_digest(expected.digest(), mac):
                    return _numbers(head[2:])
        raise _bad()


def _keyed(key: bytes, purpose: Purpose) -> "hashlib.blake2b":
    return hashlib.blake2b(key=key, digest_size=_MAC_BYTES, person=purpose.value.encode())


def number_octets(number: int) -> bytes:
    """A number as it stands in a token: seven bits an octet, the lowest first."""
    if 0 <= number < 0x80:
        return _SMALL[number]
    if number < 0x4000:
        return bytes((number & 0x7F | 0x80, number >> 7))
    if number < 0x200000:
        return bytes((number & 0x7F | 0x80, number >> 7 & 0x7F | 0x80, number >> 14))
    return bytes((number & 0x7F | 0x80,)) + number_octets(number >> 7)


_SMALL = [bytes((number,)) for number in range(0x80)]
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_", b"+/")


def _in_url(raw: bytes) -> bytes:
    return binascii.b2a_base64(raw, newline=False).translate(_URL_SAFE, b"=")


def _numbers(raw: bytes) -> tuple[int, ...]:
    found: list[int] = []
    value = shift = 0
    for byte in raw:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            found.append(value)
            value = shift = 0
    return tuple(found)


def _bad() -> errors.BadToken:
    return errors.BadToken(
        N_("This link is not complete. Open it again from the mail, or copy the whole of it.")
    )


def secret_token() -> str:
    """A random secret of 256 bits for sessions, one-time links and API tokens."""
    return secrets.token_urlsafe(32)


def hash_secret(secret: str) -> str:
    """How a random secret is stored: SHA-256 is enough for 256 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def load_or_create_key(path: Path) -> bytes:
    """The key kept in `path`, made (mode 0600) the first time."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(48) + "\n")
        try:
            # A hard link fails when another process was first; then its key counts.
            path.hardlink_to(fresh)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text().strip().encode()
