"""Reads mail that came back: delivery status notifications (RFC 3464) and complaints (RFC 5965)."""

import email
import email.policy
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage, Message
from email.parser import BytesParser

from delivery.models import BounceKind

_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_REPLY = re.compile(r"\b([45]\d\d)[ -]")
_VERP = re.compile(r"\bb\+([a-z2-7]+)@", re.IGNORECASE)

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

_DEAD = frozenset({"5.1.1", "5.1.2", "5.1.6", "5.1.10", "5.2.1"})
"""Codes that are about the address alone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipient:
    """What a message says about one address."""

    address: str
    kind: BounceKind
    status: str = ""
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Returned:
    """A message that came back, classified."""

    kind: BounceKind
    recipients: list[Recipient] = field(default_factory=list)
    reply_code: int | None = None
    token: str = ""
    """Of our envelope sender, as found in the message; to be verified by whoever acts on it."""


def classify(octets: bytes) -> Returned:
    """What a message says; any octets are taken, what says nothing is of kind `none`."""
    message = BytesParser(EmailMessage, policy=email.policy.default).parsebytes(octets)
    token = _token(message, octets)
    if _is_report(message, "feedback-report"):
        return _complaint(message, token)
    recipients, reply_code = _status_report(message)
    if recipients:
        return Returned(
            kind=_worst(recipients), recipients=recipients, reply_code=reply_code, token=token
        )
    return Returned(
        kind=BounceKind.AUTO_REPLY if _is_automatic(message) else BounceKind.NONE, token=token
    )


def is_dead(reply_code: int, text: str) -> bool:
    """Whether a server's reply says, by its enhanced code, that there is no such mailbox."""
    found = _STATUS.search(text)
    if found is None or not 500 <= reply_code < 600:
        return False
    return _kind("failed", found[0], text) is BounceKind.HARD and found[0] in _DEAD


def _is_report(message: EmailMessage, kind: str) -> bool:
    wanted = str(message.get_param("report-type", "") or "").lower()
    return wanted == kind or any(
        part.get_content_type() == f"message/{kind}" for part in message.walk()
    )


def _status_report(message: EmailMessage) -> tuple[list[Recipient], int | None]:
    found: list[Recipient] = []
    reply_code: int | None = None
    for group in _groups(message, "message/delivery-status"):
        final = _address(group.get("Final-Recipient") or group.get("Original-Recipient") or "")
        if not final:
            continue
        diagnostic = " ".join(str(group.get("Diagnostic-Code", "")).split())
        status = _status(str(group.get("Status", "")), diagnostic)
        kind = _kind(str(group.get("Action", "")).strip().lower(), status, diagnostic)
        reason = _reason(status, diagnostic, kind)
        found.append(Recipient(address=final, kind=kind, status=status, reason=reason))
        answer = _REPLY.search(diagnostic)
        reply_code = int(answer[1]) if answer and reply_code is None else reply_code
    return found, reply_code


def _groups(message: EmailMessage, kind: str) -> Iterator[Message]:
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
    if status.startswith("5.7") or _is_block(diagnostic):
        return BounceKind.BLOCK
    if status.startswith("4") or status in ("5.2.2", "5.4.7") or "rate" in diagnostic.lower():
        return BounceKind.SOFT
    return BounceKind.HARD


def _is_block(diagnostic: str) -> bool:
    words = diagnostic.lower()
    return any(word in words for word in ("spam", "blocked", "blacklist", "blocklist", "policy"))


def _reason(status: str, diagnostic: str, kind: BounceKind) -> str:
    if kind is BounceKind.BLOCK:
        return "spam-refused" if "spam" in diagnostic.lower() else "policy-refused"
    return _REASONS.get(status[2:], "")


def _complaint(message: EmailMessage, token: str) -> Returned:
    fields = next(_groups(message, "message/feedback-report"), None)
    address = ""
    if fields is None:
        for part in message.walk():
            if part.get_content_type() == "message/feedback-report":
                fields = email.message_from_string(str(part.get_payload()))
    if fields is not None:
        address = _address(fields.get("Original-Rcpt-To") or "")
    recipients = [Recipient(address=address, kind=BounceKind.COMPLAINT)] if address else []
    return Returned(kind=BounceKind.COMPLAINT, recipients=recipients, token=token)


def _worst(recipients: list[Recipient]) -> BounceKind:
    order = [
        BounceKind.HARD,
        BounceKind.BLOCK,
        BounceKind.SOFT,
        BounceKind.DELAYED,
        BounceKind.NONE,
    ]
    return min((each.kind for each in recipients), key=order.index)


def _is_automatic(message: EmailMessage) -> bool:
    """Vacation notices and the like (RFC 3834 §5)."""
    said = str(message.get("Auto-Submitted", "no")).lower()
    return (not said.startswith("no")) or "X-Autoreply" in message or "X-Autorespond" in message


def _token(message: EmailMessage, octets: bytes) -> str:
    """The token of our envelope sender: where the mail was returned to, else in what it quotes."""
    for name in ("Delivered-To", "X-Original-To", "Envelope-To", "To"):
        found = _VERP.search(str(message.get(name, "")))
        if found:
            return found[1]
    quoted = _VERP.search(octets[:200_000].decode("ascii", "replace"))
    return quoted[1] if quoted else ""
