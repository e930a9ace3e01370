"""What a relay's replies mean: which let a transaction go on, and what one says of a recipient."""

import enum

from aiosmtplib.errors import SMTPResponseException

from delivery import blocking
from delivery.letter import Outcome, Reply, Verdict
from delivery.models import Reason
from foundation import logs


class Stage(enum.Enum):
    """Where in a transaction a reply came."""

    MAIL = enum.auto()
    """To the envelope sender."""
    RCPT = enum.auto()
    """To the recipient."""
    DATA = enum.auto()
    """To the wish to send the content."""
    DOT = enum.auto()
    """To the content."""


FINE = {
    Stage.MAIL: frozenset(range(200, 300)),
    Stage.RCPT: frozenset({250, 251, 252}),
    Stage.DATA: frozenset({354}),
}
"""Replies to the envelope's commands that let the content follow (RFC 5321 §4.3.2)."""
GO_AHEAD = tuple(FINE.values())
"""The same, in the order in which they come."""
TAKEN = frozenset(range(200, 300))
"""Replies to the last dot by which the relay takes the message over."""


def judge(stage: Stage, reply: Reply) -> Outcome:
    """What a reply means for the recipient: the first digit decides (RFC 5321 §4.2.1).

    But for a refusal that is about us: that one is tried again, see `blocking`.
    """
    if reply.code == 421:
        # The service is closing down (RFC 5321 §3.8): that is about the relay alone.
        return Outcome(verdict=Verdict.BACK, reply=reply)
    if stage is Stage.DOT and 200 <= reply.code < 300:
        return Outcome(verdict=Verdict.SENT, reply=reply)
    if 400 <= reply.code < 500:
        return Outcome(verdict=Verdict.DEFERRED, reason=Reason.PUT_OFF, reply=reply)
    if blocking.is_block(reply.code, reply.text):
        return Outcome(verdict=Verdict.DEFERRED, reason=Reason.BLOCKED, reply=reply)
    if 500 <= reply.code < 600:
        return Outcome(verdict=Verdict.FAILED, reason=Reason.REFUSED, reply=reply)
    if stage is Stage.DOT:
        return Outcome(verdict=Verdict.UNCERTAIN, reason=Reason.NO_REPLY, reply=reply)
    return Outcome(verdict=Verdict.DEFERRED, reason=Reason.PUT_OFF, reply=reply)


def said(problem: BaseException) -> str:
    """What went wrong, in the server's or the system's own words."""
    if isinstance(problem, SMTPResponseException):
        return short(f"{problem.code} {problem.message}")
    return short(str(problem)) or type(problem).__name__


def short(text: str) -> str:
    """One line without an address."""
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode()
    return logs.masked(" ".join(text.split()))[:200]
