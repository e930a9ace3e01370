"""What is known of a mail that came back, once it is read."""

from dataclasses import field

from delivery.bounces.reasons import BounceReason
from delivery.models import BounceKind
from foundation.frozen import frozen


@frozen
class Judged:
    """What a server's words mean for one recipient."""

    kind: BounceKind
    reason: BounceReason
    status: str = ""
    """The enhanced code (RFC 3463) that they hold, such as 5.1.1; blank if none."""


@frozen
class Recipient:
    """What a message says about one address."""

    address: str
    kind: BounceKind
    status: str = ""
    reason: str = ""
    """A `BounceReason`; blank for what is no failure."""
    diagnostic: str = ""
    """The server's own words, one short line."""
    sent_to: str = ""
    """The address as it was first mailed to, where a report tells it apart; else blank."""


@frozen
class Original:
    """What the returned part of a message says of the mail that was sent; blank where it does not.

    Anybody can write these lines: they tell where to look, and prove nothing.
    """

    to: str = ""
    """The address in `To`."""
    list_id: str = ""
    """Of `List-Id`, without angle brackets."""
    campaign: str = ""
    """Of `X-Handbill-Campaign`."""
    unsubscribe: str = ""
    """Of `List-Unsubscribe`, as it stands there."""


@frozen
class Returned:
    """A message that came back, classified."""

    kind: BounceKind
    recipients: list[Recipient] = field(default_factory=list)
    reply_code: int | None = None
    token: str = ""
    """Of our envelope sender, as found in the message; to be verified by whoever acts on it."""
    subject: str = ""
    message_id: str = ""
    """Of the mail that came back or is complained about, without angle brackets."""
    original: Original = field(default_factory=Original)
    is_automatic: bool = False
    """Written by a program: never to be answered (RFC 3834)."""
