"""A message on its way: what is to be sent, under which lease, and what came of it.

These are the words that the ledger, the journal, the worker and a sender share.
"""

import enum
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from delivery.dkim import Draft
from delivery.limit import Limit, Permit

LEASE_MARGIN_S = 5.0
"""No last dot is written when the lease ends sooner than this: its row may soon be another's."""
_LEASE_MARGIN = timedelta(seconds=LEASE_MARGIN_S)


class Kind(enum.StrEnum):
    """Which table a message's row is in."""

    DELIVERY = "d"
    """The ledger."""
    NOTICE = "n"
    """The outbox."""


class Verdict(enum.StrEnum):
    """What came of one attempt."""

    SENT = "sent"
    """The relay took it."""
    DEFERRED = "deferred"
    """To be tried again at its time."""
    FAILED = "failed"
    """Final."""
    UNCERTAIN = "uncertain"
    """The last dot was written, and nobody knows what the relay made of it."""
    CANCELLED = "cancelled"
    """Not to be sent any more; nothing went out."""
    BACK = "back"
    """Nothing went out and nobody is to blame: queued as before."""


IS_ATTEMPT = frozenset({Verdict.SENT, Verdict.DEFERRED, Verdict.FAILED, Verdict.UNCERTAIN})
"""Verdicts that count as a try."""


class Envelope(NamedTuple):
    """A message ready for SMTP."""

    mail_from: str
    rcpt_to: str
    pieces: Sequence[bytes]
    """Headers and body: CRLF line ends, no line begins with a dot, ending in CRLF.

    Joined when they are written: memory that was used a moment ago is still at hand then.
    """
    size: int
    """Octets in all pieces."""
    needs_smtputf8: bool
    """Whether an address is beyond ASCII (RFC 6531)."""
    is_8bit: bool = False
    """Whether octets beyond ASCII stand in the body as they are (RFC 6152)."""
    drafts: Sequence[Draft] = ()
    """Signatures that are still to be made; none in what is sent."""

    def signed(self, signatures: Sequence[bytes] = ()) -> "Envelope":
        """With signatures for all drafts: those that are given, or else made now."""
        if not self.drafts:
            return self
        made = signatures or [draft.key.sign(draft.content) for draft in self.drafts]
        lines = [draft.header(each) for draft, each in zip(self.drafts, made, strict=True)]
        size = self.size + sum(map(len, lines))
        pieces = (*lines, *self.pieces)
        return Envelope(
            self.mail_from, self.rcpt_to, pieces, size, self.needs_smtputf8, self.is_8bit
        )


_NOT_MADE = Envelope(mail_from="", rcpt_to="", pieces=(), size=0, needs_smtputf8=False)


class Reply(NamedTuple):
    """What a relay answered; `code` 0 stands for no answer at all."""

    code: int = 0
    text: str = ""
    """Short, without an address."""
    relay: str = ""


NO_REPLY = Reply()


class Outcome(NamedTuple):
    """What a sender says came of a message."""

    verdict: Verdict
    reason: str = ""
    reply: Reply = NO_REPLY
    due_at: datetime | None = None
    """When one that goes back is to be looked at again; None: at once."""


class Result(NamedTuple):
    """What is written into journal and ledger about one attempt."""

    kind: Kind
    id: int
    attempt: int
    """Counted from 1; tells a record of an earlier try of the same row from this one's."""
    verdict: Verdict
    at: datetime
    reason: str = ""
    reply: Reply = NO_REPLY
    due_at: datetime | None = None
    """When a deferred one is tried again, and an uncertain one where staff chose that."""


@dataclass(frozen=True, slots=True)
class Lease:
    """Until when this worker may send, by the wall clock and by one that never jumps."""

    until: datetime
    tick: float
    _safe_until: datetime
    _safe_tick: float

    @classmethod
    def starting(cls, now: datetime, *, seconds: float) -> "Lease":
        """A lease from now on; to be made before the claim, so that it never ends too late."""
        until, tick = now + timedelta(seconds=seconds), time.monotonic() + seconds
        return cls(until, tick, until - _LEASE_MARGIN, tick - LEASE_MARGIN_S)

    def is_safe(self, now: datetime) -> bool:
        """Whether a message may still be finished under it."""
        return now < self._safe_until and time.monotonic() < self._safe_tick


@dataclass(kw_only=True, slots=True, eq=False)
class Letter:
    """One message in a worker's hands."""

    kind: Kind
    id: int
    attempt: int
    lease: Lease
    compose: Callable[[bool], Envelope]
    """Makes the octets, but for signatures; its argument is whether the relay takes 8bit ones."""
    topics: tuple[int, ...] = ()
    """A delivery goes out only to who is confirmed on one of these."""
    first_attempt_at: datetime | None = None
    envelope: Envelope = _NOT_MADE
    is_signed: bool = False
    """Whether making it takes a signature that is most of the work, and is made ahead."""
    is_made_8bit: bool = False
    """What `compose` was told."""
    is_intended: bool = False
    """Whether the journal holds an intent that has no result yet."""
    relays: tuple[str, ...] = ()
    """The relays of which one is to carry it; none named: any."""
    group: Limit | None = None
    """The limit of the reader's host."""
    permit: Permit | None = None
    """What lets it go out now, if something is counted."""

    @property
    def is_notice(self) -> bool:
        """Whether it goes before bulletins."""
        return self.kind is Kind.NOTICE

    @property
    def is_made(self) -> bool:
        """Whether the octets are there."""
        return self.envelope is not _NOT_MADE

    def make(self, *, is_8bit: bool) -> None:
        """Make the octets, shortly before the message goes to a sender; raises as `compose`."""
        self.have(self.compose(is_8bit).signed(), is_8bit=is_8bit)

    def have(self, envelope: Envelope, *, is_8bit: bool) -> None:
        """Take what `compose` made when it was told `is_8bit`, signed meanwhile."""
        self.envelope = envelope
        self.is_made_8bit = is_8bit
