"""E-mail addresses: checked, compared and hidden.

Two spellings of an address are the same person when their keys are equal: the domain in A-labels
and lower case, the local part in lower case. For sending, the local part is kept as it was typed.
"""

import functools
import hmac
import re
from typing import NamedTuple

from email_validator import EmailNotValidError, validate_email

from foundation import errors
from foundation.i18n import N_

MAX_OCTETS = 254
"""RFC 5321 §4.5.3.1.3: a path is at most 256 octets with its angle brackets."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_PLAIN = re.compile(r"(?=.{1,64}\Z)[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*")
"""Local parts that are good as they are (RFC 5321 §4.1.2), as most are; others are looked at."""


class Address(NamedTuple):
    """An address that was checked: `email` for sending, `key` for comparing.

    Made for each of very many, and handed from process to process, so a tuple.
    """

    email: str
    key: str

    @property
    def domain(self) -> str:
        """The domain in A-labels and lower case."""
        return self.key.rpartition("@")[2]


def parse(text: str) -> Address:
    """Check an address as a person typed it.

    Raises `errors.Invalid` when it is not one. Syntax only: no DNS is asked.
    """
    typed = text.strip()
    local, _, domain = typed.partition("@")
    if _PLAIN.fullmatch(local) and len(typed) <= MAX_OCTETS and _is_plain_domain(domain):
        return Address(email=typed, key=typed)
    if _CONTROL.search(typed):
        raise errors.Invalid(N_("An e-mail address can't hold line breaks or control characters."))
    try:
        # `strict` holds the local part to 64 octets (RFC 5321 §4.5.3.1.1).
        found = validate_email(
            typed, check_deliverability=False, strict=True, test_environment=True
        )
    except EmailNotValidError as problem:
        raise errors.Invalid(
            N_("“%(text)s” is not an e-mail address. It should look like name@example.org."),
            text=typed[:80],
        ) from problem
    email = f"{found.local_part}@{found.ascii_domain}"
    if len(email.encode()) > MAX_OCTETS:
        raise errors.Invalid(N_("This e-mail address is too long."))
    return Address(email=email, key=f"{found.local_part.lower()}@{found.ascii_domain.lower()}")


@functools.lru_cache(maxsize=4096)
def _is_plain_domain(domain: str) -> bool:
    """Whether a domain is good as it is typed; most people have their mailbox at one of a few."""
    if len(domain) > MAX_OCTETS:
        return False
    try:
        found = validate_email(
            f"x@{domain}", check_deliverability=False, strict=True, test_environment=True
        )
    except EmailNotValidError:
        return False
    return found.ascii_domain == domain == domain.lower()


def a_labels(domain: str) -> str:
    """A domain as every relay takes it (RFC 5891). Raises `errors.Invalid` as `parse`."""
    return domain if domain.isascii() else parse(f"x@{domain}").domain


def keyed_hash(key: str, *, secret: bytes) -> str:
    """The hash under which a suppression outlives the address itself (hex, 64 characters)."""
    return hmac.digest(secret, b"address:" + key.encode(), "sha256").hex()


def masked(email: str) -> str:
    """An address for logs and lists: `m…@example.org`."""
    local, _, domain = email.rpartition("@")
    return f"{local[:1]}…@{domain}"
