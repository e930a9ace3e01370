"""Mail that is meant for the desk: which address it came to, and who takes it.

The desk itself is on a higher floor and is handed in by `handbill/serving.py`.
"""

import email.policy
import email.utils
from email.parser import BytesHeaderParser
from typing import Protocol

from delivery.inbound.recipients import Destination, Recipients

_SAYS_WHERE = ("Delivered-To", "X-Original-To", "Envelope-To", "To", "Cc")
_MOST_ADDRESSES = 50
_LONGEST_LINE = 10_000
"""Of a header that names so many more than we look at."""


class StoryDesk(Protocol):
    """Takes stories that came by mail."""

    async def take(self, octets: bytes, *, to_address: str, is_checked: bool) -> bool:
        """Whether it was taken; if not, whoever sent it is told, where that can be done.

        `is_checked`: it came through a mail server of ours, which takes away what strangers write
        in its name. Raises `errors.Busy` when nothing could be stored.
        """
        ...


def desk_address(recipients: Recipients, octets: bytes, *, envelope_to: str) -> str:
    """The desk's address that a message came to; blank if it did not.

    Without an envelope, its headers say so: they prove nothing, and need not.
    """
    if envelope_to:
        found = [envelope_to]
    else:
        headers = BytesHeaderParser(policy=email.policy.compat32).parsebytes(octets)
        lines = [
            str(each)[:_LONGEST_LINE] for name in _SAYS_WHERE for each in headers.get_all(name, [])
        ]
        found = [each for _, each in email.utils.getaddresses(lines)[:_MOST_ADDRESSES]]
    return next((each for each in found if recipients.destination(each) is Destination.DESK), "")
