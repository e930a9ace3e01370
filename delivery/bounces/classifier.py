"""Reads mail that came back: delivery status notifications (RFC 3464) and complaints (RFC 5965).

Anybody can send us anything, so headers are read as plain text: Python's parser of structured
headers raises on some malformed ones, and takes time that grows with the square of others.
"""

import email
import email.errors
import email.header
import itertools
import re
from collections.abc import Iterator
from email.message import Message

from delivery.bounces.reasons import BounceReason
from delivery.bounces.returned import Judged, Original, Recipient, Returned
from delivery.models import BounceKind

_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_REPLY = re.compile(r"\b([45]\d\d)[ -]")
_VERP = re.compile(r"\bb\+([a-z0-9]{10,80})@", re.IGNORECASE)
_RATE = re.compile(r"\brates?\b|\brate[- ]limit", re.IGNORECASE)
_MAX_OCTETS = 1_000_000
"""What a message says about itself stands before what it returns."""
_MAX_GROUPS = 1_000
_MAX_HEADER = 2_000
_MAX_DIAGNOSTIC = 500

_REASONS = {
    "1.1": "user-unknown",
    "1.2": "domain-unknown",
    "1.6": "address-moved",
    "1.10": "domain-unknown",
    "2.1": "mailbox-disabled",
    "2.2": "mailbox-full",
    "2.3": "message-too-large",
    "3.4": "message-too-large",
    "4.1": "network",
    "4.4": "domain-unknown",
    "4.6": "relay-loop",
    "4.7": "expired",
    "6.0": "content-refused",
}
"""Subject and detail of a status (RFC 3463 §3) → our word."""

_ABOUT_US = ("5.5.", "5.6.", "5.7.")
"""Protocol, content and policy (RFC 3463 §3.6-3.8): what we sent was not wanted."""
_TOO_LARGE = frozenset({"5.2.3", "5.3.4"})
_ABOUT_SERVERS = ("4.", "5.3.", "5.4.")
"""A deferral that expired, a mail system or a route in trouble: the mailbox may be well."""
_DEAD = frozenset({"5.1.1", "5.1.2", "5.1.6", "5.1.10", "5.2.1"})
"""Codes that are about the address alone."""


def classify(octets: bytes) -> Returned:
    """What a message says; any octets are taken, what says nothing is of kind `none`."""
    try:
        return _classified(octets[:_MAX_OCTETS])
    except RecursionError:
        # Parts within parts, hundreds deep: no mail server writes that.
        return Returned(kind=BounceKind.NONE)


def _classified(octets: bytes) -> Returned:
    message = email.message_from_bytes(octets)
    recipients, reply_code = _status_report(message)
    if _is_report(message, "feedback-report"):
        kind, recipients, reply_code = BounceKind.COMPLAINT, _complaint(message), None
    elif recipients:
        kind = _worst(recipients)
    else:
        kind = BounceKind.AUTO_REPLY if _is_vacation(message) else BounceKind.NONE
    sent = _sent(message)
    return Returned(
        kind=kind,
        recipients=recipients,
        reply_code=reply_code,
        token=_token(message, octets),
        subject=_header(message, "Subject"),
        message_id=_header(sent, "Message-ID").strip("<>") if sent else "",
        original=_original(sent) if sent else Original(),
        is_automatic=kind is not BounceKind.NONE or _is_automatic(message),
    )


def classify_reply(reply_code: int | None, text: str, *, status: str = "") -> Judged:
    """What a server's reply to us, or a provider's event about one, says of its recipient.

    `status` is the enhanced code where it is told apart from the text.
    """
    found = _status(status, text)
    if not found and reply_code is not None:
        found = f"{reply_code // 100}.0.0"
    kind = _kind("failed", found, text)
    return Judged(kind=kind, reason=BounceReason(_reason(found, text, kind)), status=found)


def tokens(address: str) -> list[str]:
    """The token of our envelope sender in the address that a message was delivered to, if any."""
    return _VERP.findall(address[:_MAX_HEADER])


def is_dead(reply_code: int, text: str) -> bool:
    """Whether a server's reply says, by its enhanced code, that there is no such mailbox."""
    found = _STATUS.search(text)
    if found is None or not 500 <= reply_code < 600:
        return False
    return _kind("failed", found[0], text) is BounceKind.HARD and found[0] in _DEAD


def _is_report(message: Message, kind: str) -> bool:
    wanted = str(message.get_param("report-type", "") or "").lower()
    return wanted == kind or any(
        part.get_content_type() == f"message/{kind}" for part in message.walk()
    )


def _status_report(message: Message) -> tuple[list[Recipient], int | None]:
    found: list[Recipient] = []
    reply_code: int | None = None
    groups = _groups(message, "message/delivery-status")
    for group in itertools.islice(groups, _MAX_GROUPS):
        final = _address(group.get("Final-Recipient") or group.get("Original-Recipient") or "")
        if not final:
            continue
        diagnostic = " ".join(str(group.get("Diagnostic-Code", "")).split())
        status = _status(str(group.get("Status", "")), diagnostic)
        kind = _kind(str(group.get("Action", "")).strip().lower(), status, diagnostic)
        reason = _reason(status, diagnostic, kind)
        found.append(
            Recipient(
                address=final,
                kind=kind,
                status=status,
                reason=reason,
                diagnostic=diagnostic.partition(";")[2].strip()[:_MAX_DIAGNOSTIC],
            )
        )
        answer = _REPLY.search(diagnostic)
        reply_code = int(answer[1]) if answer and reply_code is None else reply_code
    return found, reply_code


def _groups(message: Message, kind: str) -> Iterator[Message]:
    for part in message.walk():
        if part.get_content_type() != kind:
            continue
        payload = part.get_payload()
        if isinstance(payload, list):
            yield from (each for each in payload if isinstance(each, Message))


def _address(value: str) -> str:
    """`rfc822; name@example.org` → the address."""
    return str(value).rpartition(";")[2].strip().strip("<>")


def _status(said: str, diagnostic: str) -> str:
    """The enhanced code; the diagnostic's own is nearer to the truth than a generic x.0.0."""
    found = _STATUS.search(said)
    other = _STATUS.search(diagnostic)
    if found and found[0].endswith(".0.0") and other:
        return other[0]
    return found[0] if found else other[0] if other else ""


def _kind(action: str, status: str, diagnostic: str) -> BounceKind:
    if action == "delayed":
        return BounceKind.DELAYED
    if action in ("delivered", "relayed", "expanded") or status.startswith("2"):
        return BounceKind.NONE
    if status.startswith(_ABOUT_US) or status in _TOO_LARGE or _is_block(diagnostic):
        return BounceKind.BLOCK
    if status.startswith(_ABOUT_SERVERS) and status != "5.4.4":
        return BounceKind.SOFT
    if status == "5.2.2" or _RATE.search(diagnostic):
        return BounceKind.SOFT
    return BounceKind.HARD


def _is_block(diagnostic: str) -> bool:
    words = diagnostic.lower()
    return any(word in words for word in ("spam", "blocked", "blacklist", "blocklist", "policy"))


def _reason(status: str, diagnostic: str, kind: BounceKind) -> str:
    if kind is BounceKind.BLOCK:
        return "spam-refused" if "spam" in diagnostic.lower() else "policy-refused"
    if kind in (BounceKind.DELAYED, BounceKind.NONE):
        return ""
    return _REASONS.get(status[2:], "unknown")


def _complaint(message: Message) -> list[Recipient]:
    fields = next(_groups(message, "message/feedback-report"), None)
    address = ""
    if fields is None:
        for part in message.walk():
            if part.get_content_type() == "message/feedback-report":
                fields = email.message_from_string(str(part.get_payload()))
    if fields is not None:
        address = _address(fields.get("Original-Rcpt-To") or "")
    return [Recipient(address=address, kind=BounceKind.COMPLAINT)] if address else []


def _sent(message: Message) -> Message | None:
    """The mail that is returned, as far as it is."""
    for part in message.walk():
        if part.get_content_type() == "message/rfc822":
            payload = part.get_payload()
            if isinstance(payload, list) and payload and isinstance(payload[0], Message):
                return payload[0]
        elif part.get_content_type() == "text/rfc822-headers":
            return email.message_from_string(str(part.get_payload()))
    return None


def _original(sent: Message) -> Original:
    return Original(
        to=_header(sent, "To").rpartition("<")[2].strip("<> "),
        list_id=_header(sent, "List-Id").rpartition("<")[2].strip("<> "),
        campaign=_header(sent, "X-Handbill-Campaign"),
    )


def _worst(recipients: list[Recipient]) -> BounceKind:
    order = [
        BounceKind.HARD,
        BounceKind.BLOCK,
        BounceKind.SOFT,
        BounceKind.DELAYED,
        BounceKind.NONE,
    ]
    return min((each.kind for each in recipients), key=order.index)


def _is_vacation(message: Message) -> bool:
    """Vacation notices and the like (RFC 3834 §5)."""
    said = _header(message, "Auto-Submitted").lower() or "no"
    return (not said.startswith("no")) or "X-Autoreply" in message or "X-Autorespond" in message


def _is_automatic(message: Message) -> bool:
    """Whether nobody waits for an answer: also lists, bulk and what has the null sender."""
    return (
        _is_vacation(message)
        or _header(message, "Return-Path") == "<>"
        or _header(message, "Precedence").lower() in ("bulk", "junk", "list", "auto_reply")
    )


def _token(message: Message, octets: bytes) -> str:
    """The token of our envelope sender: where the mail was returned to, else in what it quotes."""
    for name in ("Delivered-To", "X-Original-To", "Envelope-To", "To"):
        found = _VERP.search(_header(message, name))
        if found:
            return found[1]
    quoted = _VERP.search(octets[:200_000].decode("ascii", "replace"))
    return quoted[1] if quoted else ""


def _header(message: Message, name: str) -> str:
    """A header's text, as far as it can be read; blank when it is not there."""
    raw = str(message.get(name, ""))[:_MAX_HEADER]
    try:
        text = str(email.header.make_header(email.header.decode_header(raw)))
    except (email.errors.HeaderParseError, LookupError, ValueError):
        text = raw
    return " ".join(text.split())
