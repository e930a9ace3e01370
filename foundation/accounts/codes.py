"""Codes of the second step: those of an app (TOTP, RFC 6238), and those on paper without one.

The secret that app and site share is enciphered in the database with a key that is kept elsewhere,
and of the codes on paper only keyed hashes are there: a copy of the database lets nobody in.
"""

import base64
import hashlib
import hmac
import os
import secrets
from datetime import datetime

from foundation import errors
from foundation.i18n import N_
from foundation.tokens import Keyring

STEP_S = 30
DIGITS = 6
SHEET = 10
"""So many codes are on paper."""
_AROUND = 1
"""Half minutes before and after that are taken too: clocks differ (RFC 6238 §5.2)."""
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that look alike on paper."""
_LENGTH = 10
"""49 bits, of which a guesser may try ten an hour."""
_NONCE_BYTES = 12


def fresh_secret() -> str:
    """What an app and the site share: 160 bits in base32 (RFC 4226 §4, R6)."""
    import pyotp

    return pyotp.random_base32()


def address(secret: str, *, account: str, site: str) -> str:
    """What an app reads from the picture."""
    import pyotp

    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=site)


def step_of(secret: str, code: str, *, now: datetime) -> int | None:
    """The half minute whose code this is, if it is that of now or the one before or after."""
    import pyotp

    app = pyotp.TOTP(secret)
    present = int(now.timestamp()) // STEP_S
    found = None
    for step in range(present - _AROUND, present + _AROUND + 1):
        if hmac.compare_digest(app.generate_otp(step).encode(), code.encode()):
            found = step
    return found


def seal(secret: str, *, keys: Keyring, staff_id: int) -> str:
    """A secret as it is kept: AES-256-GCM, tied to the person whose it is."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(_NONCE_BYTES)
    sealed = AESGCM(keys.derive("code-apps")).encrypt(nonce, secret.encode(), _whose(staff_id))
    return base64.urlsafe_b64encode(nonce + sealed).decode()


def unseal(sealed: str, *, keys: Keyring, staff_id: int) -> str:
    """The secret again. Raises `errors.Refused` where the site's key is another one."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    raw = base64.urlsafe_b64decode(sealed)
    try:
        opened = AESGCM(keys.derive("code-apps")).decrypt(
            raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _whose(staff_id)
        )
    except InvalidTag as problem:
        raise errors.Refused(
            N_("The key of this site was changed. Ask an owner to reset your second step.")
        ) from problem
    return opened.decode()


def fresh_sheet() -> tuple[str, ...]:
    """The codes to be put on paper, as they are shown."""
    return tuple(_in_halves(_fresh_code()) for _ in range(SHEET))


def hash_code(code: str, *, keys: Keyring, staff_id: int) -> str:
    """How a code on paper is kept."""
    return hashlib.blake2b(
        tidy(code).encode(),
        digest_size=32,
        key=keys.derive("recovery-codes"),
        salt=staff_id.to_bytes(16, "big"),
    ).hexdigest()


def tidy(typed: str) -> str:
    """A code as it is compared, however it was typed."""
    return "".join(letter for letter in typed.lower() if letter.isalnum())[:40]


def is_of_app(code: str) -> bool:
    """Whether a tidied code looks like that of an app."""
    return len(code) == DIGITS and code.isascii() and code.isdigit()


def _fresh_code() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))


def _in_halves(code: str) -> str:
    return f"{code[: _LENGTH // 2]}-{code[_LENGTH // 2 :]}"


def _whose(staff_id: int) -> bytes:
    return f"staff {staff_id}".encode()
