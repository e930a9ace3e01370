"""Tables of dispatches, the ledger of deliveries, queued notices, workers and returned mail."""

import enum
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlmodel import Field, col

from foundation import tables

_OPTIONS = {"sqlite_autoincrement": True}


class DispatchState(enum.StrEnum):
    """How a work order stands. Workers claim from `sending` only."""

    SENDING = "sending"
    """Deliveries are being claimed and sent."""
    PAUSED = "paused"
    """Nobody claims; what is queued stays queued."""
    SENT = "sent"
    """Every delivery has its outcome."""
    CANCELLED = "cancelled"
    """Stopped by staff; what was queued is cancelled."""


class Variant(enum.StrEnum):
    """Which of the two forms of a dispatch that tries two somebody gets."""

    NONE = ""
    """There is one form only, or it was not chosen yet for those who wait."""
    A = "a"
    """Drawn to get the first."""
    B = "b"
    """Drawn to get the second."""
    REST_A = "rest-a"
    """Not drawn, and gets the first, as it was chosen."""
    REST_B = "rest-b"
    """Not drawn, and gets the second, as it was chosen."""

    @property
    def is_second(self) -> bool:
        """Whether it is the second form."""
        return self in (Variant.B, Variant.REST_B)


NOT_YET = datetime(9000, 1, 1, tzinfo=UTC)
"""When those are due for whom it is not chosen yet which form they get: nobody claims them."""


class WhenUncertain(enum.StrEnum):
    """What becomes of recipients whose mail may or may not have gone out."""

    HOLD = "hold"
    """They wait, listed by name, until a person decides."""
    RESEND = "resend"
    """They are sent to once more, at the risk of a second copy."""


class Dispatch(tables.Table, table=True):
    """The frozen work order of a campaign."""

    __tablename__ = "dispatches"

    id: int = tables.identity()
    campaign_id: int = Field(nullable=False, unique=True, sa_type=tables.BIG)
    """On a higher floor; one dispatch a campaign, ever. Below zero: see `naming`."""
    name: str = Field(nullable=False)
    state: str = Field(nullable=False, index=True)
    pause_reason: str = Field(default="", nullable=False)
    from_name: str = Field(nullable=False)
    from_address: str = Field(nullable=False)
    reply_to: str = Field(default="", nullable=False)
    relay: str = Field(default="", nullable=False)
    """The one relay that it goes out by; blank: chosen by sender and weight."""
    default_language: str = Field(nullable=False)
    topics: list[int] = tables.json_list()
    """Topic ids; a recipient has to be confirmed on one of them at the moment of sending."""
    excluded: dict[str, int] = tables.json_dict()
    """Who was left out when the audience was frozen: reason → people."""
    audience: int = Field(default=0, nullable=False)
    when_uncertain: str = Field(default=WhenUncertain.HOLD.value, nullable=False)
    """A `WhenUncertain`; staff may change it while it is sending."""
    from_name_b: str = Field(default="", nullable=False)
    """The sender's name in the second form of one that tries two; blank where it is the same."""
    waiting: int = Field(default=0, nullable=False)
    """How many of the audience wait until one of two forms is chosen; 0 from then on."""
    last_due_at: datetime | None = tables.maybe_moment()
    """When the last are due of those who wait for the hour where they live; NULL: nobody does."""
    winner: str = Field(default=Variant.NONE.value, nullable=False)
    """A or B, once it is chosen which of them all others get."""
    started_at: datetime = tables.moment()
    finished_at: datetime | None = tables.maybe_moment()


class DispatchPlan(tables.Table, table=True):
    """A message plan of one language, frozen."""

    __tablename__ = "dispatch_plans"

    dispatch_id: int = Field(
        primary_key=True, foreign_key="dispatches.id", ondelete="CASCADE", sa_type=tables.BIG
    )
    language: str = Field(primary_key=True)
    plan: bytes = Field(nullable=False, sa_type=sa.LargeBinary)
    plan_b: bytes | None = Field(default=None, nullable=True, sa_type=sa.LargeBinary)
    """The second form, of a dispatch that tries two."""

    def of(self, variant: str) -> bytes:
        """The frozen plan of a form; there may be no second one."""
        return self.plan_b if self.plan_b and Variant(variant).is_second else self.plan


class DispatchLink(tables.Table, table=True):
    """A tracked link of a dispatch; `/r/{token}` leads only to these."""

    __tablename__ = "dispatch_links"

    dispatch_id: int = Field(
        primary_key=True, foreign_key="dispatches.id", ondelete="CASCADE", sa_type=tables.BIG
    )
    number: int = Field(primary_key=True)
    language: str = Field(nullable=False)
    variant: str = Field(default=Variant.NONE.value, nullable=False)
    """The form of the bulletin that it stands in; each has links of its own."""
    url: str = Field(nullable=False, sa_type=sa.Text)
    label: str = Field(default="", nullable=False, sa_type=sa.Text)


class DeliveryState(enum.StrEnum):
    """What became of one recipient. The counts of these always add up to the audience."""

    QUEUED = "queued"
    """Waits for a worker, or is leased by one and not yet on the wire."""
    SENT = "sent"
    """The relay took it: 250 after the final dot."""
    DEFERRED = "deferred"
    """Put off by a 4xx or a broken connection before the final dot; tried again when due."""
    FAILED = "failed"
    """Refused for good by a 5xx, or put off for too long."""
    UNCERTAIN = "uncertain"
    """The final dot may have been written, but no reply was seen before the crash or loss."""
    CANCELLED = "cancelled"
    """Not sent any more: unsubscribed, suppressed or erased meanwhile, or stopped by staff."""


class Reason(enum.StrEnum):
    """Why a delivery is not simply sent; each stands in its row."""

    UNSUBSCRIBED = "unsubscribed"
    """Confirmed on none of the dispatch's topics any more when its turn came."""
    SUPPRESSED = "suppressed"
    """The address may not be mailed any more."""
    ERASED = "erased"
    """The person is gone."""
    STOPPED = "stopped"
    """Staff cancelled the dispatch."""
    PUT_OFF = "put-off"
    """The relay said to try later (4xx)."""
    CONNECTION_LOST = "connection-lost"
    """The connection broke before the final dot; tried again."""
    REFUSED = "refused"
    """The relay refused it for good (5xx)."""
    GAVE_UP = "gave-up"
    """Put off for longer than `[delivery] give_up_hours`."""
    NEEDS_SMTPUTF8 = "needs-smtputf8"
    """The address is beyond ASCII, and the relay can't take such (RFC 6531)."""
    TOO_LARGE = "too-large"
    """The message is longer than the relay announced that it takes (RFC 1870)."""
    UNMAILABLE = "unmailable"
    """No message could be made for this person; the log says why."""
    NO_REPLY = "no-reply"
    """The connection ended after the final dot and before the reply."""
    CRASHED = "crashed"
    """The sending process ended between the intent and the reply."""
    JOURNAL_LOST = "journal-lost"
    """The sending process is gone, and its journal can't be read."""
    RESENT = "resent"
    """Was uncertain, and is sent once more because staff said so."""
    RETRIED = "retried"
    """Had failed, and is tried again because staff said so."""
    BLOCKED = "blocked"
    """The receiving side refuses us or what we send; tried again while it is deferred."""
    OWN_TIME = "own-time"
    """Waits for the hour where they live; nothing but that time makes it due."""
    GIVEN_UP = "given-up"
    """Was put off, and is not tried any more because staff said so."""


IS_ODD = sa.text("state NOT IN ('queued', 'sent')")
"""SQL: a delivery that neither waits for its first try nor was taken.

In these very words a query may use `ix_deliveries_odd`: the index is partial, so that mail which
goes through at once costs nothing there.
"""

_FREE = sa.text("state IN ('queued', 'deferred') AND worker_id IS NULL")
_HELD = sa.text("worker_id IS NOT NULL")


class Delivery(tables.Table, table=True):
    """One recipient of a dispatch: a row of the ledger."""

    __tablename__ = "deliveries"
    __table_args__ = (
        sa.UniqueConstraint("dispatch_id", "subscriber_id"),
        # Claiming reads this index from the left: due rows of one dispatch in one state. Those that
        # are leased or have an outcome are not in it: PostgreSQL needs no entry for each, and the
        # next claim does not pass them by.
        tables.index_of_some(
            "ix_deliveries_claim", "dispatch_id", "state", "due_at", "id", where=_FREE
        ),
        # Few are held at a time: whoever asks for a worker's reads all of it.
        tables.index_of_some(
            "ix_deliveries_lease", "dispatch_id", "worker_id", "state", where=_HELD
        ),
        # Lists and counts by reason read this one alone.
        tables.index_of_some(
            "ix_deliveries_odd",
            *("dispatch_id", "state", "id", "reason", "reply_code"),
            where=IS_ODD,
        ),
        # How much went out in a span of time, and by which relay.
        tables.index_of_some(
            "ix_deliveries_sent",
            *("dispatch_id", "sent_at", "relay"),
            where=sa.text("sent_at IS NOT NULL"),
        ),
        _OPTIONS,
    )

    id: int = tables.identity()
    dispatch_id: int = tables.reference("dispatches.id", index=False)
    subscriber_id: int | None = tables.reference(
        "subscribers.id", nullable=True, ondelete="SET NULL"
    )
    language: str = Field(nullable=False)
    variant: str = Field(default=Variant.NONE.value, nullable=False)
    """The form that this person gets, drawn when the dispatch began, or chosen for all others."""
    state: str = Field(nullable=False)
    reason: str = Field(default="", nullable=False)
    """Why cancelled, deferred, failed or uncertain: a `Reason`."""
    attempts: int = Field(default=0, nullable=False)
    due_at: datetime = tables.moment()
    worker_id: int | None = Field(default=None, nullable=True, sa_type=tables.BIG)
    """Who holds the lease; NULL when free."""
    leased_until: datetime | None = tables.maybe_moment()
    relay: str = Field(default="", nullable=False)
    reply_code: int | None = Field(default=None)
    reply_text: str = Field(default="", nullable=False)
    """Short, without the address."""
    first_attempt_at: datetime | None = tables.maybe_moment()
    sent_at: datetime | None = tables.maybe_moment()
    bounce: str = Field(default="", nullable=False)
    """hard, soft or block when it came back later."""
    complained_at: datetime | None = tables.maybe_moment()


IS_OPEN = col(Delivery.state).in_([sa.literal_column("'queued'"), sa.literal_column("'deferred'")])
"""SQL: a delivery that waits for its first or a later try, or is leased for one."""
IS_FREE = sa.and_(IS_OPEN, col(Delivery.worker_id).is_(None))
"""SQL: a delivery that waits for a try, and that nobody holds.

The words of `ix_deliveries_claim`, which is partial: only a query that says so may use it.
"""
IS_HELD = col(Delivery.worker_id).is_not(None)
"""SQL: a delivery that is leased; the words of `ix_deliveries_lease`."""
_IS_QUEUED = col(Delivery.state) == DeliveryState.QUEUED.value
IS_QUEUED = sa.and_(IS_FREE, _IS_QUEUED)
"""SQL: a free delivery that waits for its first try, or for its next one since staff said so."""
IS_IN_HAND = sa.and_(IS_HELD, _IS_QUEUED)
"""SQL: one that is leased for that."""
ALL_QUEUED = (IS_QUEUED, IS_IN_HAND)
"""To be asked one by one: no row is both, and each kind is found by an index of its own."""


class Worker(tables.Table, table=True):
    """A process that sends, or sent; its journal says what its leases came to."""

    __tablename__ = "workers"

    id: int = tables.identity()
    node: str = Field(nullable=False, index=True)
    pid: int = Field(nullable=False)
    journal: str = Field(nullable=False)
    """The file's name in `[delivery] journal_dir`."""
    started_at: datetime = tables.moment()
    seen_at: datetime = tables.moment()
    said: str = Field(default="", nullable=False)
    """What keeps it from sending, such as a full disk; blank when all is well."""
    closed_at: datetime | None = tables.maybe_moment(index=True)
    """Set when its journal is wholly in the ledger and it holds no lease."""


class Quiet(enum.StrEnum):
    """What a worker commits that concerns no last look of anybody's."""

    CLAIM = "claim"
    """Rows are leased, by whom nobody else holds them."""
    RESULTS = "results"
    """What came of rows that it held, none of which was refused for good."""


class Declaration(tables.Table, table=True):
    """A worker's last transaction of each kind on PostgreSQL; see `foundation.snapshots`.

    A row for each, as two may be committed before anybody looks.
    """

    __tablename__ = "declarations"

    worker_id: int = Field(
        primary_key=True, foreign_key="workers.id", ondelete="CASCADE", sa_type=tables.BIG
    )
    kind: str = Field(primary_key=True)
    """A `Quiet`."""
    number: int = Field(nullable=False, sa_type=tables.BIG)


class RelayStatus(tables.Table, table=True):
    """How a relay did when it was last used, by whichever process."""

    __tablename__ = "relay_status"

    name: str = Field(primary_key=True)
    is_resting: bool = Field(default=False, nullable=False)
    said: str = Field(default="", nullable=False)
    """What went wrong; blank when all is well."""
    since: datetime = tables.moment()


class Allowance(tables.Table, table=True):
    """How much of one limit is used, and whether a host asked us to be slower."""

    __tablename__ = "allowances"

    name: str = Field(primary_key=True)
    """`relay:NAME`, `domains:NAME`, or `domain:DOMAIN` for one of all others."""
    used: dict[str, dict[str, int]] = tables.json_dict()
    """See `delivery.windows.Used`."""
    first_used_at: datetime | None = tables.maybe_moment()
    """A warm-up is counted from here."""
    ceiling: float | None = Field(default=None)
    """Messages a minute, while a host wants fewer than it got; NULL otherwise."""
    measured: float = Field(default=0.0, nullable=False)
    """Messages a minute that it got when it said so first."""
    said: str = Field(default="", nullable=False)
    """Its words."""
    troubled_at: datetime | None = tables.maybe_moment()
    """When the ceiling was lowered last."""
    stepped_at: datetime | None = tables.maybe_moment()
    """When the ceiling was moved last."""
    holds: int = Field(default=0, nullable=False)
    """How often in a row mail to a host was held because it refused us."""
    held_at: datetime | None = tables.maybe_moment()
    held_until: datetime | None = tables.maybe_moment()
    """NULL while it was never held."""
    held_said: str = Field(default="", nullable=False)
    """What it said then."""
    is_given_up: bool = Field(default=False, nullable=False)
    """Whether it refused us once more after the last time."""
    touched_at: datetime = tables.moment(index=True)


class NoticeState(enum.StrEnum):
    """How a queued notice stands."""

    QUEUED = "queued"
    """Waits, for the first or a later try."""
    SENT = "sent"
    """The relay took it."""
    FAILED = "failed"
    """Refused for good, or put off for too long."""
    UNCERTAIN = "uncertain"
    """May have been taken just before a crash; not sent again by itself."""


class QueuedNotice(tables.Table, table=True):
    """A notice in the outbox."""

    __tablename__ = "notices"
    __table_args__ = (sa.Index("ix_notices_due", "state", "due_at", "id"), _OPTIONS)

    id: int = tables.identity()
    kind: str = Field(nullable=False)
    to_address: str = Field(nullable=False)
    language: str = Field(nullable=False)
    context: dict[str, str] = tables.json_dict()
    unsubscribe_url: str | None = Field(default=None, sa_type=sa.Text)
    subscriber_id: int | None = tables.reference("subscribers.id", nullable=True)
    state: str = Field(nullable=False)
    attempts: int = Field(default=0, nullable=False)
    due_at: datetime = tables.moment()
    worker_id: int | None = Field(default=None, nullable=True, sa_type=tables.BIG)
    leased_until: datetime | None = tables.maybe_moment()
    reply_code: int | None = Field(default=None)
    reply_text: str = Field(default="", nullable=False)
    created_at: datetime = tables.moment()
    sent_at: datetime | None = tables.maybe_moment()


class BounceKind(enum.StrEnum):
    """What a message that came back says."""

    HARD = "hard"
    """The address is dead."""
    SOFT = "soft"
    """Not now: full mailbox, server away."""
    BLOCK = "block"
    """The server refuses us or our content; never the reader's fault."""
    COMPLAINT = "complaint"
    """The reader marked it as spam (RFC 5965)."""
    AUTO_REPLY = "auto-reply"
    """A vacation notice or the like."""
    DELAYED = "delayed"
    """Still trying."""
    NONE = "none"
    """Nothing of the kind."""


class Proof(enum.StrEnum):
    """By what it is known whom mail that came back is about."""

    TOKEN = "token"  # noqa: S105 - a way of knowing, not a secret
    """Our sealed envelope sender: only mail of ours to that person carries it."""
    HEADERS = "headers"
    """Our keyed Message-ID or a sealed link, in what was returned of our mail."""
    PROVIDER = "provider"
    """A provider whose word was verified named the address."""
    RELAY = "relay"
    """Our own relay refused it while we were sending."""
    STAFF = "staff"
    """Staff looked at it and took it for true."""
    NONE = "none"
    """It only names an address, as anybody can: kept for staff to see, and without consequence."""
    DISMISSED = "dismissed"
    """As `none`, and staff looked at it and did not believe it."""


UNPROVEN = sa.text("proof = 'none'")
"""SQL: staff have not said yet what they think of it. In these words a query may use its index."""


class HeardEvent(tables.Table, table=True):
    """An event that a provider told us, or a mail, so that hearing it again changes nothing."""

    __tablename__ = "heard_events"

    digest: str = Field(primary_key=True)
    """Of the provider, its number for the event, the address and the kind; or of all of a mail."""
    heard_at: datetime = tables.moment(index=True)


class Return(tables.Table, table=True):
    """Something that came back, as far as it concerns one recipient."""

    __tablename__ = "returns"
    __table_args__ = (
        sa.UniqueConstraint("digest"),
        # Alarms and reports count from this one alone.
        sa.Index("ix_returns_counted", "dispatch_id", "kind", "reason"),
        tables.index_of_some("ix_returns_unproven", "id", where=UNPROVEN),
        _OPTIONS,
    )

    id: int = tables.identity()
    delivery_id: int | None = tables.reference("deliveries.id", nullable=True, ondelete="SET NULL")
    dispatch_id: int | None = tables.loose_reference(index=False)
    """Of the delivery, for what is proven; reports count by it."""
    notice_id: int | None = tables.loose_reference(index=False)
    subscriber_id: int | None = tables.reference(
        "subscribers.id", nullable=True, ondelete="SET NULL"
    )
    domain: str = Field(default="", nullable=False)
    """Of the reader's mailbox."""
    via: str = Field(default="", nullable=False)
    """The way that it came: mail, a provider's name, relay…"""
    proof: str = Field(default=Proof.TOKEN.value, nullable=False)
    kind: str = Field(nullable=False, index=True)
    status: str = Field(default="", nullable=False)
    """RFC 3463, such as 5.1.1."""
    reason: str = Field(default="", nullable=False)
    reply_code: int | None = Field(default=None)
    diagnostic: str = tables.long_text()
    """The receiving server's words, without the address."""
    digest: str = Field(nullable=False)
    """Of what it is about and what it means, so that the same bounce by two ways counts once."""
    times: int = Field(default=1, nullable=False)
    """How often the same was said, while it is unproven."""
    evidence: bytes | None = Field(default=None, nullable=True, sa_type=sa.LargeBinary)
    occurred_at: datetime | None = tables.maybe_moment()
    """When it happened, as far as whoever tells it says."""
    received_at: datetime = tables.moment(index=True)
