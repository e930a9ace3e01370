"""The last look before a message's last dot: may it still go out, to this person, by us?

Questions that come in while a query runs are answered together by the next one, so the look costs
one query for as many messages as are on the wire at once, and none is older than its message. The
same query asks about messages that come next as well, answers about rows that are being claimed
come with the claim, and all of them hold until anything is committed that may concern them.

On SQLite a look at shared memory tells that, and a commit of the worker's own makes none of them
old. On PostgreSQL a much smaller question does, and what senders claim and record is told apart
from what others do: see `foundation/snapshots.py`.
"""

import asyncio
import enum
import itertools
from collections.abc import Callable, Collection, Iterable, Mapping

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery.letter import Kind, Letter
from delivery.models import (
    Delivery,
    DeliveryState,
    Dispatch,
    DispatchState,
    NoticeState,
    QueuedNotice,
    Quiet,
    Reason,
)
from foundation import changes, rows
from foundation.ground import Ground
from foundation.snapshots import Mark, Snapshots
from subscribers import suppression
from subscribers.models import Subscriber, Subscription, SubscriptionState, Suppression

Key = tuple[Kind, int]

_AHEAD = 1000
"""Messages that come next about which a query asks as well."""
_AHEAD_OF_OTHERS = 200
"""The same where a look needs a question anyway, and other senders commit all the time."""
_COMMIT_S = 0.5
"""No longer than this is a commit of the worker's own waited for."""


class Look(enum.StrEnum):
    """What the look found."""

    GO = "go"
    """May go out."""
    HOLD = "hold"
    """Not now: the dispatch is paused, or the row is not ours any more."""
    STOPPED = Reason.STOPPED.value
    """The dispatch was cancelled."""
    ERASED = Reason.ERASED.value
    """The person is gone."""
    SUPPRESSED = Reason.SUPPRESSED.value
    """The address may not be mailed any more."""
    UNSUBSCRIBED = Reason.UNSUBSCRIBED.value
    """Confirmed on none of the dispatch's topics any more."""


class Recheck:
    """Answers for the rows that one worker holds."""

    def __init__(
        self, ground: Ground, *, worker_id: int, upcoming: Callable[[], Iterable[Letter]]
    ) -> None:
        self._ground = ground
        self._worker_id = worker_id
        self._upcoming = upcoming
        self._changes = ground.db.changes()
        self._snapshots = ground.db.snapshots(_DECLARED, _WRITTEN)
        self._ahead = _AHEAD if self._changes is not None else _AHEAD_OF_OTHERS
        self._stamp: bytes | str | None = None
        self._known: dict[Key, Look] = {}
        """True at the stamp, and as long as nothing is committed that may concern them."""
        self._asked: list[tuple[Letter, asyncio.Future[Look]]] = []
        self._asking: asyncio.Task[None] | None = None
        self._commit: asyncio.Future[None] | None = None
        """A commit of the worker's own is under way; with its end answers hold as before."""

    def known(self, letter: Letter) -> Look | None:
        """The answer, if it was asked for along with another's and nothing was committed since."""
        if self._stamp is None or self._stamp != self._present():
            return None
        return self._known.get((letter.kind, letter.id))

    async def look(self, letter: Letter) -> Look:
        """Whether a letter may go out now. Raises `errors.Busy` when the database can't say."""
        known = self.known(letter)
        if known is not None:
            return known
        answer: asyncio.Future[Look] = asyncio.get_running_loop().create_future()
        self._asked.append((letter, answer))
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._answer_all())
        return await answer

    async def mark(self, session: AsyncSession, kind: Quiet) -> Mark | bytes | None:
        """Of a transaction that has written something already, and concerns no look of anybody's.

        What `carry` needs after it; None when the answers that are known are old, or nothing can
        tell. `carry` has to be called in any case, without a mark if the transaction failed.
        """
        if self._snapshots is not None:
            declared = await (await session.connection()).execute(
                _DECLARE, {"worker": self._worker_id, "kind": kind.value}
            )
            return Mark(*declared.one())
        now = self._now()
        if now is None or now != self._stamp:
            return None
        self._commit = asyncio.get_running_loop().create_future()
        return now

    async def foresee(self, session: AsyncSession, letters: Iterable[Letter]) -> dict[Key, Look]:
        """Answers for letters that are claimed in the session's transaction, for `carry`."""
        return await self._query(session, letters)

    async def carry(
        self, mark: Mark | bytes | None, found: Mapping[Key, Look] | None = None
    ) -> None:
        """The transaction is committed, and what it wrote concerns no answer that is known.

        On SQLite nobody else could commit between the mark and that, so with one commit since then,
        all answers still hold. On PostgreSQL what was found is as old as the mark, and kept if
        nothing lies between that and what is known.
        """
        if self._commit is not None:
            self._commit.set_result(None)
            self._commit = None
        if isinstance(mark, Mark):
            await self._carry_far(mark, found or {})
            return
        now = self._now()
        if mark is None or now is None or mark != self._stamp:
            return
        if changes.is_next(mark, now):
            self._stamp = now
            self._take(found or {})

    async def _carry_far(self, mark: Mark, found: Mapping[Key, Look]) -> None:
        """The same on PostgreSQL."""
        if self._snapshots is None:
            return
        self._snapshots.learn(mark.transaction)
        known_at = self._stamp
        if isinstance(known_at, str):
            is_quiet = await self._snapshots.is_quiet(known_at, mark.stamp)
            if is_quiet and known_at == self._stamp:
                self._take(found)
        elif found:
            self._stamp, self._known = mark.stamp, dict(found)

    def _take(self, found: Mapping[Key, Look]) -> None:
        """More answers, as old as those that are known; what is out is not kept."""
        if found:
            keys = ((letter.kind, letter.id) for letter in self._upcoming())
            still = {key: self._known[key] for key in keys if key in self._known}
            self._known = {**still, **found}

    async def close(self) -> None:
        """Ask nothing any more."""
        if self._changes is not None:
            self._changes.close()
            self._changes = None
        if self._snapshots is not None:
            await self._snapshots.close()
            self._snapshots = None

    def _present(self) -> bytes | str | None:
        """The present stamp, where it takes no question."""
        return self._snapshots.still() if self._snapshots is not None else self._now()

    def _now(self) -> bytes | None:
        """The same on SQLite."""
        return self._changes.stamp() if self._changes is not None else None

    async def _answer_all(self) -> None:
        while self._asked:
            if self._commit is not None:
                # A question now would be about what `carry` is going to say anyway.
                await asyncio.wait({self._commit}, timeout=_COMMIT_S)
            asked, self._asked = self._asked, []
            letters = {letter for letter, _ in asked}
            # Read before the query: what is committed meanwhile makes its answers old.
            stamp = await self._moved(self._snapshots) if self._snapshots else self._now()
            try:
                if stamp is None or stamp != self._stamp or not self._knows_all(letters):
                    await self._ask(letters, stamp)
            except Exception as problem:  # noqa: BLE001 - each asker gets it raised
                for _, answer in asked:
                    if not answer.done():
                        answer.set_exception(problem)
                continue
            for letter, answer in asked:
                if not answer.done():
                    answer.set_result(self._known.get((letter.kind, letter.id), Look.HOLD))

    async def _moved(self, snapshots: Snapshots) -> str | None:
        """The present stamp of a PostgreSQL; what is known is of it, or not relied on any more."""
        stamp = await snapshots.stamp()
        known_at = self._stamp
        if stamp == known_at:
            return stamp
        is_quiet = (
            stamp is not None
            and isinstance(known_at, str)
            and await snapshots.is_quiet(known_at, stamp)
        )
        if known_at == self._stamp:
            self._stamp = stamp if is_quiet else None
        return stamp

    async def _ask(self, letters: Collection[Letter], stamp: bytes | str | None) -> None:
        """What is known from now on is as old as the stamp, or newer."""
        ahead = itertools.islice(self._upcoming(), self._ahead) if stamp else ()
        async with self._ground.db.reading() as session:
            found = await self._query(session, {*letters, *ahead})
        if stamp is not None and stamp == self._stamp:
            self._take(found)
        else:
            self._stamp, self._known = stamp, found

    def _knows_all(self, letters: Iterable[Letter]) -> bool:
        return all((letter.kind, letter.id) in self._known for letter in letters)

    async def _query(self, session: AsyncSession, letters: Iterable[Letter]) -> dict[Key, Look]:
        """One query for each set of topics among the letters, and one for notices."""
        found: dict[Key, Look] = {}
        by_topics: dict[tuple[int, ...], list[int]] = {}
        notices: list[int] = []
        for letter in letters:
            if letter.kind is Kind.NOTICE:
                notices.append(letter.id)
            else:
                by_topics.setdefault(letter.topics, []).append(letter.id)
        connection = await session.connection()
        for topics, ids in by_topics.items():
            found |= dict.fromkeys([(Kind.DELIVERY, number) for number in ids], Look.GO)
            letters_not_to_go = await connection.execute(
                _NOT_TO_GO,
                {
                    "deliveries": rows.packed([number] for number in ids),
                    "topics": topics,
                    "holder": self._worker_id,
                },
            )
            for row in letters_not_to_go.all():
                found[Kind.DELIVERY, row[0]] = self._judge(
                    row[1], row[2], row[3], row[4], row[5], row[6]
                )
        if notices:
            holder = self._worker_id
            there = await connection.execute(_NOTICES, {"ids": notices, "holder": holder})
            found |= {
                (Kind.NOTICE, number): Look.SUPPRESSED if is_suppressed else Look.GO
                for number, is_suppressed in there.all()
            }
        return found

    def _judge(
        self,
        state: str | None,
        holder: int | None,
        dispatch_state: str | None,
        subscriber_id: int | None,
        is_suppressed: bool,
        is_confirmed: bool,
    ) -> Look:
        if holder != self._worker_id:
            return Look.HOLD
        if dispatch_state == DispatchState.CANCELLED or state == DeliveryState.CANCELLED:
            return Look.STOPPED
        if subscriber_id is None:
            return Look.ERASED
        if is_suppressed:
            return Look.SUPPRESSED
        if not is_confirmed:
            return Look.UNSUBSCRIBED
        return Look.GO if dispatch_state == DispatchState.SENDING else Look.HOLD


def _not_to_go() -> sa.Select[int, str, int | None, str, int, bool, bool]:
    """Those of a list of rows that may not go out now, with what tells why: as a rule nobody.

    Served by primary keys, and by the unique index on subscriber and topic. With EXISTS instead of
    a number, PostgreSQL may read everybody's subscriptions first, and look there for a few.
    """
    listed = rows.Rows("deliveries")
    asked = listed.number(0)
    confirmed = (
        sa.select(sa.literal_column("1"))
        .where(
            col(Subscription.subscriber_id) == col(Delivery.subscriber_id),
            col(Subscription.state) == SubscriptionState.CONFIRMED.value,
            col(Subscription.topic_id).in_(sa.bindparam("topics", expanding=True)),
        )
        .limit(1)
        .scalar_subquery()
        .is_not(None)
    )
    is_suppressed = suppression.is_active_for(col(Subscriber.id))
    goes = sa.and_(
        col(Delivery.worker_id) == sa.bindparam("holder"),
        col(Delivery.state) != DeliveryState.CANCELLED.value,
        col(Dispatch.state) == DispatchState.SENDING.value,
        col(Subscriber.id).is_not(None),
        ~is_suppressed,
        confirmed,
    )
    return (
        sa.select(
            asked,
            col(Delivery.state),
            col(Delivery.worker_id),
            col(Dispatch.state),
            col(Subscriber.id),
            is_suppressed,
            confirmed,
        )
        .select_from(listed.table)
        .outerjoin(Delivery, col(Delivery.id) == asked)
        .outerjoin(Dispatch, col(Dispatch.id) == col(Delivery.dispatch_id))
        .outerjoin(Subscriber, col(Subscriber.id) == col(Delivery.subscriber_id))
        .where(sa.func.coalesce(goes, sa.false()).is_(sa.false()))
    )


def _notices() -> sa.Select[int, bool]:
    """A notice that is not there any more went with its person.

    One that was asked for goes out in spite of an old bounce, but never after a complaint.
    """
    is_lasting = suppression.is_active_for(
        col(QueuedNotice.subscriber_id), only=suppression.LASTING
    )
    return sa.select(col(QueuedNotice.id), is_lasting).where(
        col(QueuedNotice.id).in_(sa.bindparam("ids", expanding=True)),
        col(QueuedNotice.worker_id) == sa.bindparam("holder"),
        col(QueuedNotice.state) == NoticeState.QUEUED.value,
    )


# Built once: these run for every message.
_NOT_TO_GO = _not_to_go()
_NOTICES = _notices()
# Plainly, as SQLAlchemy's dialect takes three megabytes that a site on SQLite can do without.
_DECLARE = sa.text(
    """
    INSERT INTO declarations (worker_id, kind, number)
    VALUES (:worker, :kind, CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT))
    ON CONFLICT (worker_id, kind) DO UPDATE SET number = excluded.number
    RETURNING CAST(pg_current_snapshot() AS TEXT), number
    """
)
_WRITTEN = tuple(str(table.__tablename__) for table in (Subscription, Suppression, Dispatch))
"""All that stops a message which a sender has in hand is written here, in the same transaction at
least: a ledger's rows are cancelled with their dispatch, and who is gone has no subscription left.
Who takes the rows of a sender that was silent for too long need not wait: its leases are over.
"""
# A row that another transaction wrote than the one it names says nothing: a copy that was brought
# in from elsewhere, where numbers meant others.
_DECLARED = """
    SELECT number FROM declarations JOIN workers ON workers.id = declarations.worker_id
    WHERE workers.closed_at IS NULL
    AND declarations.xmin::text::bigint = declarations.number & 4294967295
"""
