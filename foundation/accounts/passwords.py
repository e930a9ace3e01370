"""Passwords of staff, kept as Argon2id hashes (RFC 9106); checked off the event loop."""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from foundation import errors
from foundation.i18n import N_

MAX_CHARACTERS = 200
_hasher = PasswordHasher()
# Checked when nobody has the address, so that an answer takes as long as for somebody who does.
_NOBODY = _hasher.hash("nobody has this password")


def check_strength(password: str, *, minimum: int, email: str) -> None:
    """Raise `errors.Invalid` for a password that is too short, too long, or the address itself."""
    if len(password) < minimum:
        raise errors.Invalid(
            N_("Choose a password of at least %(minimum)s characters; a few words do well."),
            minimum=minimum,
        )
    if len(password) > MAX_CHARACTERS:
        raise errors.Invalid(N_("This is too long: at most %(limit)s characters."), limit=200)
    if (
        password.lower() in (email.lower(), email.partition("@")[0].lower())
        or len(set(password)) < 4
    ):
        raise errors.Invalid(N_("This is too easy to guess. Choose a few unrelated words."))


async def hash_password(password: str) -> str:
    """The hash to store."""
    return await asyncio.to_thread(_hasher.hash, password)


async def is_right(password: str, stored: str | None) -> bool:
    """Whether a password fits the stored hash; takes as long when there is none."""
    return await asyncio.to_thread(_verify, password[: MAX_CHARACTERS + 1], stored or _NOBODY)


def _verify(password: str, stored: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
