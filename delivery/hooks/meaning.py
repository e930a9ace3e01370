"""Turns what a provider says became of a mail into an event of ours.

Each provider's module has a table from its own categories to a `Meaning`. Where a receiving server
was asked and its words are passed on, those words decide, by the same table as for returned mail;
the provider's category decides where they say nothing that is understood.
"""

import re
from collections.abc import Mapping
from datetime import datetime

from delivery.bounces import classifier
from delivery.bounces.reasons import BounceReason
from delivery.hooks.payload import Fields
from delivery.models import BounceKind
from delivery.returns import Event
from foundation.frozen import frozen

_ANGLES = re.compile(r"<([^<>]*)>")
_OUR_SENDER = re.compile(r"\bb\+([a-z0-9]{10,80})@", re.IGNORECASE)
_REPLY = re.compile(r"(?:^|[;:]\s*)([245]\d\d)(?=[ -]|$)")
_OPEN_ENDED = (BounceKind.HARD, BounceKind.SOFT, BounceKind.BLOCK)
_MAX_ADDRESS = 320


@frozen
class Meaning:
    """What a provider's category means for us."""

    kind: BounceKind = BounceKind.NONE
    reason: BounceReason | None = None
    """None where the category does not say."""
    is_own: bool = False
    """It is the provider's own decision: no server was asked, so no words can tell more."""
    is_unsubscribe: bool = False
    """The reader left by the provider's own means."""


HARD = Meaning(kind=BounceKind.HARD)
SOFT = Meaning(kind=BounceKind.SOFT)
BLOCK = Meaning(kind=BounceKind.BLOCK)
DELAYED = Meaning(kind=BounceKind.DELAYED)
COMPLAINT = Meaning(kind=BounceKind.COMPLAINT, is_own=True)
UNSUBSCRIBED = Meaning(is_unsubscribe=True, is_own=True)
NOT_SENT = Meaning(kind=BounceKind.HARD, is_own=True)
"""The provider keeps the address on a list of its own, and will not send to it."""
REFUSED_BY_PROVIDER = Meaning(
    kind=BounceKind.BLOCK, reason=BounceReason.POLICY_REFUSED, is_own=True
)
"""The provider itself did not want the mail."""


@frozen
class Mail:
    """Which mail it is about, as far as the provider tells; each blank where it does not."""

    address: str
    sender: str = ""
    """The envelope sender."""
    message_id: str = ""
    campaign: str = ""
    """Of our header X-Handbill-Campaign, or of what a provider gives back in its place."""


@frozen
class Words:
    """What was said about it."""

    said: str = ""
    """By the receiving server, else by the provider."""
    status: str = ""
    """Enhanced code (RFC 3463), if told apart from the text."""
    reply_code: int | None = None


_NOTHING = Words()


def look_up(table: Mapping[str, Meaning], *categories: str) -> Meaning | None:
    """What a table says of `a/b`, else of `a`."""
    return table.get("/".join(categories)) or table.get(categories[0])


def event(
    *,
    via: str,
    meaning: Meaning | None,
    mail: Mail,
    words: Words = _NOTHING,
    at: datetime | None,
    event_id: str,
    item: Fields,
) -> Event | None:
    """An event of ours; None where there is nothing to do, or nobody is named."""
    address = plain_address(mail.address)
    if meaning is None or "@" not in address:
        return None
    code = _reply_code(words)
    kind, reason, status = _judged(meaning, words, code)
    return Event(
        via=via,
        kind=kind,
        address=address,
        status=status,
        reason=reason.value if reason is not None else "",
        reply_code=code,
        diagnostic=words.said,
        token=token(mail.sender),
        message_id=plain_id(mail.message_id),
        campaign=mail.campaign if mail.campaign.isascii() and mail.campaign.isdigit() else "",
        occurred_at=at,
        event_id=event_id,
        evidence=item.evidence,
        is_unsubscribe=meaning.is_unsubscribe,
    )


def plain_address(text: str) -> str:
    """`Ana <ana@example.org>` → the address."""
    found = _ANGLES.search(text)
    return (found[1] if found else text).strip()[:_MAX_ADDRESS]


def plain_id(text: str) -> str:
    """A Message-ID without its angle brackets."""
    return text.strip().strip("<>").strip()


def token(sender: str) -> str:
    """Of our envelope sender; blank when it is not ours."""
    found = _OUR_SENDER.search(sender)
    return found[1] if found else ""


def _reply_code(words: Words) -> int | None:
    """The reply code that is told, else that with which the words begin, also after `smtp;`."""
    if words.reply_code is not None and 200 <= words.reply_code < 600:
        return words.reply_code
    found = _REPLY.search(words.said)
    return int(found[1]) if found else None


def _judged(
    meaning: Meaning, words: Words, code: int | None
) -> tuple[BounceKind, BounceReason | None, str]:
    if meaning.is_own or not (words.said or words.status):
        return meaning.kind, meaning.reason, words.status
    judged = classifier.classify_reply(code, words.said, status=words.status)
    if judged.reason is BounceReason.UNKNOWN:
        return meaning.kind, meaning.reason or judged.reason, judged.status
    kind = judged.kind if meaning.kind in _OPEN_ENDED else meaning.kind
    return kind, judged.reason, judged.status
