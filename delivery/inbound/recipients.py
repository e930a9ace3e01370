"""Whom a listener takes mail for, decided before a message is sent (RFC 5321 §3.3).

Nobody else's mail is taken: what we can't place is refused while its sender still listens, so that
nothing has to be sent back later to an address that may be forged.
"""

import enum
import re

from delivery import message
from foundation import errors
from foundation.ground import Ground
from foundation.tokens import Purpose

_DESK = re.compile(r"desk\+([0-9a-f]{1,100})", re.IGNORECASE)
_VERP = re.compile(r"b\+([0-9a-f]{1,100})", re.IGNORECASE)


class Destination(enum.StrEnum):
    """What an address of ours is for."""

    RETURN_PATH = "return-path"
    """The envelope sender of a mail of ours; its token is genuine."""
    UNSUBSCRIBE = "unsubscribe"
    """The address of List-Unsubscribe; the token is in the subject."""
    PEOPLE = "people"
    """postmaster (RFC 5321 §4.5.1), abuse (RFC 2142 §2) or a feedback address: complaints are
    acted on, all else is kept for a person to read."""
    DESK = "desk"
    """Stories for bulletins: `[desk] address`, or the secret address of somebody of the office."""


class Recipients:
    """Knows the addresses of one site."""

    def __init__(self, ground: Ground) -> None:
        self._tokens = ground.tokens
        self._domain = message.ReturnPaths(ground).domain.lower()
        self._feedback = frozenset(ground.settings.listener.feedback_addresses)
        self._desk = ground.settings.desk.address

    def destination(self, address: str) -> Destination | None:
        """What `address` is for; None if it is none of ours."""
        local, _, domain = address.rpartition("@")
        if address.lower() in self._feedback or address.lower() == "postmaster":
            return Destination.PEOPLE
        if self._desk and address.lower() == self._desk:
            return Destination.DESK
        if domain.lower() != self._domain:
            return None
        if local.lower() in ("postmaster", "abuse"):
            return Destination.PEOPLE
        if local.lower() == "unsubscribe":
            return Destination.UNSUBSCRIBE
        secret = _DESK.fullmatch(local)
        if secret:
            return Destination.DESK if self._is_genuine(Purpose.DESK, secret[1]) else None
        found = _VERP.fullmatch(local)
        is_ours = found is not None and self._is_genuine(Purpose.RETURN_PATH, found[1])
        return Destination.RETURN_PATH if is_ours else None

    def staff_number(self, address: str) -> int | None:
        """Whose secret address of the desk it is; None for any other address."""
        found = _DESK.fullmatch(address.rpartition("@")[0])
        try:
            return self._tokens.open_from_address(Purpose.DESK, found[1])[0] if found else None
        except errors.BadToken:
            return None

    def _is_genuine(self, purpose: Purpose, token: str) -> bool:
        try:
            self._tokens.open_from_address(purpose, token)
        except errors.BadToken:
            return False
        return True
