"""Asks flufl.bounce for addresses, last of all: it knows forms that we don't.

Only its addresses are used: it calls most soft failures permanent. It may raise, and it may be slow
on what was made to be slow, so it gets little, in short lines.
"""

import email
import logging

from delivery.bounces import mailboxes

_MAX_OCTETS = 60_000
_MAX_LINE = 500
_MAX_LINES = 1_000
"""It goes through them once for each of its some sixty patterns."""
_ASCII = bytes(octet if octet < 128 else ord("?") for octet in range(256))
"""Its detectors take headers for text, and raise at what is none."""


def addresses(octets: bytes) -> list[str]:
    """The addresses that it finds; none where it fails."""
    from flufl import bounce  # its patterns are compiled when it is loaded: here, and not before

    head = octets[:_MAX_OCTETS].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    few = head.translate(_ASCII).split(b"\n")[:_MAX_LINES]
    lines = b"\n".join(line[:_MAX_LINE] for line in few)
    # It tells of each detector that trips, which is no error of this program.
    logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)
    try:
        temporary, permanent = bounce.all_failures(email.message_from_bytes(lines))
    except Exception:  # noqa: BLE001 - whatever a detector trips over, there is no address in it
        return []
    named = [bytes(each).decode("ascii", "replace") for each in sorted({*temporary, *permanent})]
    return [address for each in named for address in mailboxes.find(each)[:1]]
