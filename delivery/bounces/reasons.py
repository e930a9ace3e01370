"""Why mail was not taken: one vocabulary for DSNs, SMTP replies, providers' events and reports."""

import enum
from collections.abc import Mapping
from types import MappingProxyType

from delivery.models import BounceKind


class BounceReason(enum.StrEnum):
    """Why a server did not take a mail, or may not yet."""

    USER_UNKNOWN = "user-unknown"
    """There is no such mailbox."""
    DOMAIN_UNKNOWN = "domain-unknown"
    """There is no such domain, or none that names a mail server."""
    ADDRESS_MOVED = "address-moved"
    """The mailbox has another address now."""
    MAILBOX_DISABLED = "mailbox-disabled"
    """The mailbox was closed or given up."""
    NOT_ACCEPTING = "not-accepting"
    """The host takes no mail at all (RFC 7504, RFC 7505)."""
    SUSPENDED = "suspended"
    """The account is locked for now."""
    MAILBOX_FULL = "mailbox-full"
    """The mailbox has no room."""
    MESSAGE_TOO_LARGE = "message-too-large"
    """The mail has more octets than the server takes."""
    SPAM_REFUSED = "spam-refused"
    """The server thinks that the mail is spam."""
    VIRUS = "virus"
    """The server thinks that the mail carries something harmful."""
    CONTENT_REFUSED = "content-refused"
    """Something in the mail, such as a header, a link or a file, is not wanted."""
    POLICY_REFUSED = "policy-refused"
    """A rule of the recipient's site, such as who may write to whom."""
    AUTHENTICATION_FAILED = "authentication-failed"
    """SPF, DKIM, DMARC or the name of our host did not prove the sender."""
    REPUTATION = "reputation"
    """Our address, host or network is on a list, or has no good name."""
    RELAYING_DENIED = "relaying-denied"
    """The server does not see itself in charge of the recipient's domain."""
    TLS_REQUIRED = "tls-required"
    """The connection was not encrypted as one side demands."""
    PROTOCOL_ERROR = "protocol-error"
    """The server did not understand or allow a command."""
    RATE_LIMITED = "rate-limited"
    """Too much at a time, from us or to this mailbox."""
    GREYLISTED = "greylisted"
    """The server wants to see us a second time first."""
    NETWORK = "network"
    """The server could not be reached, or hung up."""
    EXPIRED = "expired"
    """It was tried until the time was over."""
    RELAY_LOOP = "relay-loop"
    """The mail went round in a circle."""
    SYSTEM_TROUBLE = "system-trouble"
    """Something is wrong at the server: disk, configuration, forwarding."""
    UNKNOWN = "unknown"
    """It was refused, and nothing that we understand was said about why."""


KINDS: Mapping[BounceReason, BounceKind] = MappingProxyType(
    {
        BounceReason.USER_UNKNOWN: BounceKind.HARD,
        BounceReason.DOMAIN_UNKNOWN: BounceKind.HARD,
        BounceReason.ADDRESS_MOVED: BounceKind.HARD,
        BounceReason.MAILBOX_DISABLED: BounceKind.HARD,
        BounceReason.NOT_ACCEPTING: BounceKind.HARD,
        BounceReason.SUSPENDED: BounceKind.SOFT,
        BounceReason.MAILBOX_FULL: BounceKind.SOFT,
        BounceReason.MESSAGE_TOO_LARGE: BounceKind.BLOCK,
        BounceReason.SPAM_REFUSED: BounceKind.BLOCK,
        BounceReason.VIRUS: BounceKind.BLOCK,
        BounceReason.CONTENT_REFUSED: BounceKind.BLOCK,
        BounceReason.POLICY_REFUSED: BounceKind.BLOCK,
        BounceReason.AUTHENTICATION_FAILED: BounceKind.BLOCK,
        BounceReason.REPUTATION: BounceKind.BLOCK,
        BounceReason.RELAYING_DENIED: BounceKind.BLOCK,
        BounceReason.TLS_REQUIRED: BounceKind.BLOCK,
        BounceReason.PROTOCOL_ERROR: BounceKind.BLOCK,
        BounceReason.RATE_LIMITED: BounceKind.SOFT,
        BounceReason.GREYLISTED: BounceKind.SOFT,
        BounceReason.NETWORK: BounceKind.SOFT,
        BounceReason.EXPIRED: BounceKind.SOFT,
        BounceReason.RELAY_LOOP: BounceKind.SOFT,
        BounceReason.SYSTEM_TROUBLE: BounceKind.SOFT,
        BounceReason.UNKNOWN: BounceKind.SOFT,
    }
)
"""What each means for the reader. Only what says that the address is dead is hard, and that only
while the server speaks for good: a temporary reply (4xx, 4.x.x) makes soft of hard."""
