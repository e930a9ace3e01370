"""Says what a message that came back is: whom it failed to reach, why, and what that means.

The order is that of trust. A report in fields (RFC 3464, RFC 5965) says it outright. Then come
notices that must never be taken for a bounce, then free text, and last of all other people's
detectors, for addresses only. Anybody can send us anything: nothing makes this raise, or take long.
"""

import re

from delivery.bounces import (
    automatic,
    complaints,
    judging,
    layout,
    mailboxes,
    others,
    prose,
    reading,
    status_reports,
    statuses,
)
from delivery.bounces.complaints import Said
from delivery.bounces.layout import Layout
from delivery.bounces.reading import Headers
from delivery.bounces.returned import Judged, Original, Recipient, Returned
from delivery.models import BounceKind

_VERP = re.compile(r"\bb\+([a-z0-9]{10,80})@", re.IGNORECASE)
_MAX_ADDRESS = 2_000
_MAX_TOKEN_SEARCH = 200_000
_WORST_FIRST = (
    BounceKind.HARD,
    BounceKind.BLOCK,
    BounceKind.SOFT,
    BounceKind.DELAYED,
    BounceKind.NONE,
)
_FAILURES = frozenset(_WORST_FIRST[:3])


def classify(octets: bytes) -> Returned:
    """What a message says; any octets are taken, what says nothing is of kind `none`."""
    octets = octets[: reading.MAX_OCTETS]
    message = reading.read(octets)
    laid = layout.laid_out(message)
    kind, recipients = _understood(laid, octets)
    return Returned(
        kind=kind,
        recipients=recipients,
        reply_code=_reply_code(laid, recipients) if kind in _FAILURES else None,
        token=_token(laid, octets),
        subject=message.headers.get("Subject"),
        message_id=laid.sent.get("Message-ID").strip("<> "),
        original=_original(laid.sent),
        is_automatic=kind is not BounceKind.NONE or automatic.is_automatic(message.headers),
    )


def classify_reply(reply_code: int | None, text: str, *, status: str = "") -> Judged:
    """What a server's reply to us, or a provider's event about one, says of its recipient.

    `status` is the enhanced code where it is told apart from the text.
    """
    return judging.judge(text, status=status, reply_code=reply_code)


def tokens(address: str) -> list[str]:
    """The token of our envelope sender in the address that a message was delivered to, if any."""
    return _VERP.findall(address[:_MAX_ADDRESS])


def is_dead(reply_code: int, text: str) -> bool:
    """Whether a server's reply says, by its enhanced code, that there is no such mailbox."""
    return 500 <= reply_code < 600 and judging.is_about_address(
        judging.judge(text, reply_code=reply_code)
    )


def _understood(laid: Layout, octets: bytes) -> tuple[BounceKind, list[Recipient]]:
    said = complaints.said(laid)
    if said is Said.COMPLAINT:
        address = complaints.address(laid)
        about = [Recipient(address=address, kind=BounceKind.COMPLAINT)] if address else []
        return BounceKind.COMPLAINT, about
    if said is Said.OTHER or automatic.is_receipt(laid):
        return BounceKind.NONE, []
    recipients = status_reports.recipients(laid)
    if recipients:
        return _worst(recipients), recipients
    if automatic.is_reply(laid):
        return BounceKind.AUTO_REPLY, []
    if laid.groups or prose.is_bounce(laid):
        return _bounce(laid, octets)
    return (BounceKind.AUTO_REPLY if automatic.may_be_reply(laid) else BounceKind.NONE), []


def _bounce(laid: Layout, octets: bytes) -> tuple[BounceKind, list[Recipient]]:
    """A bounce in free text: the address by where it stands, else by whatever may tell it."""
    recipients = prose.recipients(laid)
    if not recipients:
        found = others.addresses(octets) or _single(laid)
        recipients = [prose.judged(address, laid) for address in found]
    if recipients and not prose.is_delay(laid):
        return _worst(recipients), recipients
    if prose.is_delay(laid):
        return BounceKind.DELAYED, recipients
    judged = judging.judge(f"{laid.words} {laid.message.headers.get('Subject')}")
    return judged.kind, []


def _single(laid: Layout) -> list[str]:
    """Whom the mail that came back was for, where that is one person."""
    verp = mailboxes.from_verp(laid.sent.get("Return-Path")) or mailboxes.from_verp(
        laid.message.headers.get("To")
    )
    named = [verp] if verp else mailboxes.find(laid.sent.get("To"))
    return named if len(named) == 1 else []


def _worst(recipients: list[Recipient]) -> BounceKind:
    return min((each.kind for each in recipients), key=_WORST_FIRST.index)


def _reply_code(laid: Layout, recipients: list[Recipient]) -> int | None:
    codes = (statuses.reply_code(each.diagnostic) for each in recipients)
    found = next((code for code in codes if code is not None), None)
    return prose.reply_code(laid) if found is None and not laid.groups else found


def _original(sent: Headers) -> Original:
    return Original(
        to=next(iter(mailboxes.find(sent.get("To"))), ""),
        list_id=sent.get("List-Id").rpartition("<")[2].strip("<> "),
        campaign=sent.get("X-Handbill-Campaign"),
        unsubscribe=sent.get("List-Unsubscribe"),
    )


def _token(laid: Layout, octets: bytes) -> str:
    """The token of our envelope sender: where the mail was returned to, else in what it quotes."""
    for name in ("Delivered-To", "X-Original-To", "Envelope-To", "To"):
        found = _VERP.search(laid.message.headers.get(name))
        if found:
            return found[1]
    quoted = _VERP.search(laid.sent.get("Return-Path")) or _VERP.search(
        octets[:_MAX_TOKEN_SEARCH].decode("ascii", "replace")
    )
    return quoted[1] if quoted else ""
