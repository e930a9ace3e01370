"""Passwords of staff, kept as Argon2id hashes (RFC 9106); checked off the event loop."""

import asyncio
import functools
from typing import TYPE_CHECKING

from foundation import errors
from foundation.i18n import N_

if TYPE_CHECKING:
    from argon2 import PasswordHasher

MAX_CHARACTERS = 200


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
    return await asyncio.to_thread(_hash, password)


async def is_right(password: str, stored: str | None) -> bool:
    """Whether a password fits the stored hash; takes as long when there is none."""
    return await asyncio.to_thread(_verify, password[: MAX_CHARACTERS + 1], stored)


@functools.cache
def _hasher() -> "PasswordHasher":
    from argon2 import PasswordHasher

    return PasswordHasher()


@functools.cache
def _nobody() -> str:
    """Checked when nobody has the address, so that an answer takes as long as for who has one."""
    return _hash("nobody has this password")


def _hash(password: str) -> str:
    return _hasher().hash(password)


def _verify(password: str, stored: str | None) -> bool:
    from argon2.exceptions import InvalidHashError, VerificationError

    # Made before it is known whether it is needed: the first answer must not tell either.
    nobody = _nobody()
    try:
        return _hasher().verify(stored or nobody, password)
    except (VerificationError, InvalidHashError):
        return False
