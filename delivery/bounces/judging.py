"""What a server's words and codes mean together: the words first, then the enhanced code."""

import re

from delivery.bounces import statuses, table
from delivery.bounces.reasons import KINDS, BounceReason
from delivery.bounces.returned import Judged
from delivery.models import BounceKind

_WHO_SAID = re.compile(
    r"\bhost \S{1,255}(?:\[[^\]\s]{1,60}\])? said:|\bremote-mta:\s?\S{1,260}", re.IGNORECASE
)
"""Names of servers may hold any word, such as `spam` or `unknown`."""
_FEW_WORDS = 3
_HARD_CODES = frozenset({"5.1.1", "5.1.2", "5.1.6", "5.1.10", "5.2.1"})
"""Codes that are about the address alone."""


def judge(text: str, *, status: str = "", reply_code: int | None = None) -> Judged:
    """What a server said, in its `text` and, where it is told apart, its enhanced `status`."""
    code = statuses.best(status, text)
    number = statuses.reply_code(text) if reply_code is None else reply_code
    reason = _reason(table.plain(_WHO_SAID.sub(" ", text)), code)
    kind = KINDS[reason]
    if kind is BounceKind.HARD and is_temporary(code, number):
        kind = BounceKind.SOFT
    return Judged(kind=kind, reason=reason, status=code)


def is_temporary(status: str, reply_code: int | None) -> bool:
    """Whether the server may think otherwise later (RFC 3463 §2, RFC 5321 §4.2.1).

    A code that ends in .0.0 was made up on the way: Gmail gives 4.0.0 for domains that don't exist.
    """
    if status and not status.endswith(".0.0"):
        return status.startswith("4")
    return reply_code is not None and 400 <= reply_code < 500


def says_nothing(text: str, judged: Judged) -> bool:
    """Whether the words did not decide, so that it is worth to look for others."""
    if judged.reason is BounceReason.UNKNOWN:
        return True
    return len(text.split()) < _FEW_WORDS and judged.status[2:] not in statuses.MEANINGS


def is_about_address(judged: Judged) -> bool:
    """Whether the enhanced code itself calls the address dead, and the words don't contradict."""
    return judged.kind is BounceKind.HARD and judged.status in _HARD_CODES


def _reason(words: str, status: str) -> BounceReason:
    row = table.first(words)
    coded = statuses.MEANINGS.get(status[2:]) or statuses.SUBJECTS.get(status[2:3])
    if row is not None and not (row.is_vague and coded is not None):
        return row.reason
    return coded or BounceReason.UNKNOWN
