"""Reads complaints: a reader pressed “spam” and the provider says so (RFC 5965, and older forms).

Providers hide whom a report is about as well as they can. What they leave is tried in turn: the
fields made for it, the mail that they enclose, and the words.
"""

import enum
import re

from delivery.bounces import mailboxes
from delivery.bounces.layout import Layout

_REDACTED = re.compile(
    r"redacted|removed|hidden|undisclosed|anonymous|withheld|xxxx|^<?[0-9a-f]{24,64}@",
    re.IGNORECASE,
)
_COMPLAINTS = frozenset(
    {"abuse", "fraud", "virus", "other", "opt-out", "opt-out-list", "complaint", "miscategorized"}
)
"""Values of Feedback-Type by which a reader, or a filter for them, objects (RFC 5965 §3.5)."""
_OLD_HEADERS = ("X-HmXmrOriginalRecipient", "X-Original-Recipient", "X-Rcpt-To")
_PROVIDERS = re.compile(
    r"staff@hotmail\.com|scomp@aol\.net|feedbackloop|feedback-loop|fbl@|@feedback|arf@|abuse.?report",
    re.IGNORECASE,
)
_SUBJECT = re.compile(
    r"complaint about message from|e?-?mail feedback report|abuse report|spam report"
    r"|client tos notification|feedback loop|spam complaint|complaint from",
    re.IGNORECASE,
)
_WORDS = re.compile(
    r"this is an? (?:email |e-mail )?(?:spam |abuse |feedback )+(?:report|complaint)"
    r"|abuse report for an email message"
    r"|(?:reported|marked|flagged) (?:it |this |the message |your message |the following message )?"
    r"(?:as|being) (?:spam|junk|unsolicited)"
    r"|complain(?:t|ed) (?:about|from|regarding)|feedback report for an email",
    re.IGNORECASE,
)


class Said(enum.Enum):
    """What a message says as a complaint."""

    COMPLAINT = enum.auto()
    """A reader objects."""
    OTHER = enum.auto()
    """It is such a report and nobody objects: not spam, authentication failed, statistics."""
    NOTHING = enum.auto()
    """It is none."""


def said(layout: Layout) -> Said:
    """Whether a message is a complaint."""
    message = layout.message
    if layout.feedback is not None:
        kind = layout.feedback.get("Feedback-Type").lower().partition(";")[0].strip()
        kind = kind.partition(" ")[0]
        return Said.COMPLAINT if not kind or kind in _COMPLAINTS else Said.OTHER
    if message.parameters.get("report-type", "").lower() == "feedback-report":
        return Said.COMPLAINT
    if any(
        name in headers for headers in (message.headers, layout.sent) for name in _OLD_HEADERS[:1]
    ):
        return Said.COMPLAINT
    has_words = bool(_WORDS.search(layout.words[:4_000]))
    has_subject = bool(_SUBJECT.search(message.headers.get("Subject")))
    is_provider = bool(_PROVIDERS.search(message.headers.get("From")))
    encloses = bool(layout.sent.pairs)
    if encloses and has_words + has_subject + is_provider >= 2:
        return Said.COMPLAINT
    return Said.NOTHING


def address(layout: Layout) -> str:
    """Whom the complaint is about, as far as it can be told; blank if not."""
    values: list[str] = []
    if layout.feedback is not None:
        for name in ("Original-Rcpt-To", "Removal-Recipient"):
            values += layout.feedback.all(name)
    for headers in (layout.message.headers, layout.sent):
        values += [headers.get(name) for name in _OLD_HEADERS]
    sent = layout.sent
    for name in ("Delivered-To", "X-Original-To", "Envelope-To", "To", "Apparently-To"):
        values += sent.all(name)
    values += re.findall(r"\bfor <?([^\s<>;]{3,254})>?;", " ".join(sent.all("Received"))[:8_000])
    values.append(mailboxes.from_verp(sent.get("Return-Path")))
    return next(filter(None, (_shown(value) for value in values)), "")


def _shown(value: str) -> str:
    found = mailboxes.one(value)
    return "" if _REDACTED.search(found) else found
