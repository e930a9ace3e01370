"""How a dispatch is getting on: how many have it, how fast, how long still, and what is in the way.

Looked at once a second at most, however many ask, by statements that read two indexes alone:
`ix_deliveries_odd` holds who did not simply get it, `ix_deliveries_sent` who did, by time. Of the
latter only what was sent lately is counted anew; what is older was counted before.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery import dispatch
from delivery.models import IS_ODD, Delivery, DeliveryState, Dispatch, DispatchState
from foundation.frozen import frozen
from foundation.ground import Ground

WINDOW = timedelta(seconds=10)
"""Over which the rate is taken."""
_SETTLED = timedelta(seconds=4)
"""What reaches the ledger later than this after it was sent, such as out of the journal of a
process that died, is seen at the next recount."""
LOOK_S = 1.0
"""Nobody's look is younger than another's by less than this."""
_SHARE = 20
"""A look may take one part in so many of the time; slower ones come less often."""
_RECOUNT_S = 60.0
_KEPT = 32
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@frozen
class Reason:
    """So many in one state for one reason, with one code in the last reply."""

    state: str
    reason: str
    reply_code: int | None
    count: int


@frozen
class Progress:
    """How a dispatch stands at one moment; `audience` is the sum of the six states."""

    dispatch_id: int
    state: DispatchState
    at: datetime
    audience: int
    queued: int
    sent: int
    deferred: int
    failed: int
    uncertain: int
    cancelled: int
    per_second: float
    """Over the last ten seconds."""
    average_per_second: float
    """Since it began, or of all of it when it is over."""
    seconds_left: float | None
    """For those who were not tried yet and wait for nothing but their hour, at the rate of now;
    None while nothing goes out."""
    reasons: Sequence[Reason]
    """Why others did not simply get it, the most frequent first."""
    relays: Mapping[str, int]
    """Relay → mails that it took, the busiest first."""
    later: int = 0
    """Of those who are queued, how many wait for the hour where they live."""
    last_due_at: datetime | None = None
    """When the last of those are due."""

    @property
    def done(self) -> int:
        """How many have their outcome."""
        return self.audience - self.queued - self.deferred

    @property
    def is_moving(self) -> bool:
        """Whether more goes out, as far as anybody chose."""
        return self.state is DispatchState.SENDING


class Gauge:
    """Counts one dispatch, and remembers what it counted."""

    def __init__(self, dispatch_id: int, *, recount_s: float = _RECOUNT_S) -> None:
        self._dispatch_id = dispatch_id
        self._recount_s = recount_s
        self._forget()

    async def read(self, session: AsyncSession, *, now: datetime) -> Progress:
        """How it stands. Raises `sqlalchemy.exc.NoResultFound` for an unknown dispatch."""
        order = await session.get_one(Dispatch, self._dispatch_id)
        if time.monotonic() - self._recounted_at > self._recount_s:
            self._forget()
        relays = await self._count_sent(session, now=now)
        reasons = await self._count_odd(session)
        odd = Counter[str]()
        for each in reasons:
            odd[each.state] += each.count
        sent = relays.total()
        queued = order.audience - sent - odd.total()
        took = ((order.finished_at or now) - order.started_at).total_seconds()
        rate = await self._rate(session, sent=sent, now=now)
        later = 0
        if order.last_due_at is not None and order.last_due_at > now:
            later = await dispatch.count_later(session, dispatch_id=order.id, now=now)
        left = max(0, queued - order.waiting - later) / rate if rate else None
        if later and order.last_due_at is not None:
            left = max(left or 0.0, (order.last_due_at - now).total_seconds())
        return Progress(
            dispatch_id=order.id,
            state=DispatchState(order.state),
            at=now,
            audience=order.audience,
            queued=queued,
            sent=sent,
            deferred=odd[DeliveryState.DEFERRED],
            failed=odd[DeliveryState.FAILED],
            uncertain=odd[DeliveryState.UNCERTAIN],
            cancelled=odd[DeliveryState.CANCELLED],
            per_second=rate,
            average_per_second=sent / max(took, 1.0),
            seconds_left=left,
            reasons=reasons,
            relays=dict(relays.most_common()),
            later=later,
            last_due_at=order.last_due_at,
        )

    def _forget(self) -> None:
        self._recounted_at = time.monotonic()
        self._counted = Counter[str]()
        self._counted_until = _LONG_AGO
        self._seen: deque[tuple[datetime, int]] = deque()

    async def _count_sent(self, session: AsyncSession, *, now: datetime) -> Counter[str]:
        """All that each relay took; served by `ix_deliveries_sent` alone."""
        settled = now - _SETTLED
        statement = (
            sa.select(
                col(Delivery.relay),
                sa.func.count(),
                sa.func.count().filter(col(Delivery.sent_at) > settled),
            )
            .where(
                col(Delivery.dispatch_id) == self._dispatch_id,
                col(Delivery.sent_at) > self._counted_until,
            )
            .group_by(col(Delivery.relay))
        )
        together = self._counted.copy()
        for relay, count, lately in (await session.execute(statement)).all():
            together[relay] += count
            self._counted[relay] += count - lately
        self._counted_until = max(settled, self._counted_until)
        return together

    async def _rate(self, session: AsyncSession, *, sent: int, now: datetime) -> float:
        """A second, by what was seen before; who has not looked for long enough counts once more.

        At ten thousand mails a second, counting those of ten seconds costs more than all the rest.
        """
        self._seen.append((now, sent))
        while now - self._seen[0][0] > WINDOW:
            self._seen.popleft()
        then, had = self._seen[0]
        if now - then >= WINDOW / 2:
            return (sent - had) / (now - then).total_seconds()
        lately = sa.select(sa.func.count()).where(
            col(Delivery.dispatch_id) == self._dispatch_id, col(Delivery.sent_at) > now - WINDOW
        )
        return (await session.scalar(lately) or 0) / WINDOW.total_seconds()

    async def _count_odd(self, session: AsyncSession) -> Sequence[Reason]:
        """Served by `ix_deliveries_odd` alone."""
        kind = (col(Delivery.state), col(Delivery.reason), col(Delivery.reply_code))
        statement = (
            sa.select(*kind, sa.func.count())
            .where(col(Delivery.dispatch_id) == self._dispatch_id, IS_ODD)
            .group_by(*kind)
            .order_by(sa.func.count().desc(), *kind)
        )
        return [
            Reason(state=state, reason=reason, reply_code=code, count=count)
            for state, reason, code, count in (await session.execute(statement)).all()
        ]


class Watch:
    """Looks at dispatches for all who ask, each once a second at most."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._watched: dict[int, _Watched] = {}
        self._closed = asyncio.Event()
        self.looks = 0
        """How often the database was asked."""

    async def read(self, dispatch_id: int) -> Progress:
        """How a dispatch stands, or stood a second ago. Raises `errors.Busy`."""
        watched = self._watched.pop(dispatch_id, None) or _Watched(dispatch_id)
        # The one that was asked about last stands last.
        self._watched[dispatch_id] = watched
        while len(self._watched) > _KEPT:
            del self._watched[next(iter(self._watched))]
        async with watched.looking:
            if watched.last is None or time.monotonic() >= watched.next_look:
                watched.last = await self._look(watched)
            return watched.last

    async def pause(self) -> bool:
        """Wait until it is time for another look; False when the service is about to end."""
        try:
            async with asyncio.timeout(LOOK_S):
                await self._closed.wait()
        except TimeoutError:
            return True
        return False

    def close(self) -> None:
        """Nobody waits for another look any more."""
        self._closed.set()

    async def _look(self, watched: "_Watched") -> Progress:
        began = time.monotonic()
        self.looks += 1
        async with self._ground.db.reading() as session:
            found = await watched.gauge.read(session, now=self._ground.clock.now())
        took = time.monotonic() - began
        watched.next_look = began + max(LOOK_S, took * _SHARE)
        return found


class _Watched:
    """What is known of one dispatch."""

    def __init__(self, dispatch_id: int) -> None:
        self.gauge = Gauge(dispatch_id)
        self.looking = asyncio.Lock()
        self.last: Progress | None = None
        self.next_look = 0.0
