"""Counts opens and clicks: by name only for people who agreed, else in the campaign's totals alone.

Hits of machines are kept apart (`judge` says by which rules), and nothing that matters changes
by a GET: a hit is a number in a report.
"""

import asyncio
import collections
import functools
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa
from sqlmodel import col

from campaigns import counting
from campaigns.models import HitKind
from delivery.models import Dispatch, DispatchLink, Variant
from foundation import errors, logs
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from foundation.together import Queue
from foundation.tokens import Purpose

_log = logs.get("tracking")

STEP_S = 10
"""Tokens tell how long after the dispatch's start a mail went out, in steps of this."""
_APART_S = 0.4
"""Hits are written this far apart while many come; about so much is lost with the process."""
_KNOWN_FOR = timedelta(minutes=1)
_MOST_KNOWN = 50
"""Dispatches whose links are kept in memory."""
_LONGEST_AGENT = 400

_MACHINES = re.compile(
    r"GoogleImageProxy|YahooMailProxy|ggpht|Barracuda|Proofpoint|Mimecast|SafeLinks|LinkGuard"
    r"|urlscan|bot\b|spider|crawler|scanner|preview|prefetch|curl/|wget/|python-|Go-http|okhttp"
    r"|HeadlessChrome|facebookexternalhit|Slackbot|WhatsApp|TelegramBot",
    re.IGNORECASE,
)
_BARE = re.compile(r"Mozilla/5\.0\s*$")
"""What Apple's privacy proxy calls itself when it fetches images ahead of time."""


@frozen
class Visit:
    """A request for a tracked link or pixel, as far as it matters here."""

    method: str = "GET"
    agent: str = ""
    is_prefetch: bool = False
    """Carries a `Sec-Purpose: prefetch` or the like."""


class Tracker:
    """Takes the hits of one process, and writes them down together a little later.

    Whoever follows a link is sent on at once: where it leads is known by heart, and what was hit
    is kept with what others hit in the same moment. In quiet times, and while writing is slow, it
    is kept before the answer; of a surge, less than a second's hits are lost with the process.
    """

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._known: collections.OrderedDict[int, _Order] = collections.OrderedDict()
        self._looking = asyncio.Lock()
        self._hits: Queue[_Seen, None] = Queue(self._write, apart_s=_APART_S)

    async def click(self, *, token: str, visit: Visit) -> str:
        """Count a click; returns the address that the link was written with, and no other.

        Raises `errors.BadToken`, and `errors.NotFound` when the dispatch is gone.
        """
        numbers = _numbers(self._ground, Purpose.CLICK, token, count=4)
        dispatch_id, link, delivery_id, step = numbers
        order = await self._order(dispatch_id)
        url = order.urls.get(link) if order is not None else None
        if order is None or url is None:
            raise errors.NotFound(N_("This link leads nowhere any more."))
        now = self._ground.clock.now()
        await self._hits.hand(_Seen(order, HitKind.CLICK, link, delivery_id, step, visit, now))
        return url

    def click_at_once(self, *, token: str, visit: Visit) -> str | None:
        """The same in a surge, without waiting; None, and nothing is counted, where `click` has to.

        Raises `errors.BadToken`.
        """
        if not self._hits.is_crowded:
            return None
        dispatch_id, link, delivery_id, step = _numbers(self._ground, Purpose.CLICK, token, count=4)
        now = self._ground.clock.now()
        order = self._known.get(dispatch_id)
        if order is None or now - order.read_at >= _KNOWN_FOR:
            return None
        url = order.urls.get(link)
        if url is not None:
            self._hits.leave(_Seen(order, HitKind.CLICK, link, delivery_id, step, visit, now))
        return url

    async def opened(self, *, token: str, visit: Visit) -> None:
        """Count an opening. Raises `errors.BadToken`."""
        dispatch_id, delivery_id, step = _numbers(self._ground, Purpose.OPEN, token, count=3)
        order = await self._order(dispatch_id)
        if order is not None:
            now = self._ground.clock.now()
            await self._hits.hand(_Seen(order, HitKind.OPEN, 0, delivery_id, step, visit, now))

    async def close(self) -> None:
        """Write what is left."""
        await self._hits.settle()

    async def _order(self, dispatch_id: int) -> "_Order | None":
        """What never changes of a dispatch, from memory; None when it is gone."""
        now = self._ground.clock.now()
        found = self._known.get(dispatch_id)
        if found is not None and now - found.read_at < _KNOWN_FOR:
            return found
        async with self._looking:
            fresh = self._known.get(dispatch_id)
            if fresh is not None and fresh is not found:
                return fresh
            try:
                fresh = await _read(self._ground, dispatch_id, now)
            except errors.Busy:
                if found is None:
                    raise
                return found
            if fresh is None:
                self._known.pop(dispatch_id, None)
                return None
            self._known[dispatch_id] = fresh
            while len(self._known) > _MOST_KNOWN:
                self._known.popitem(last=False)
            return fresh

    async def _write(self, seen: Sequence["_Seen"]) -> Sequence[None]:
        window = timedelta(seconds=self._ground.settings.tracking.machine_window_s)
        try:
            async with self._ground.db.transaction() as session:
                by_name = await counting.consenting(
                    session, {each.delivery_id for each in seen if each.delivery_id}
                )
                marks = [_judged(each, by_name, window) for each in seen]
                await counting.add(session, marks, window=window)
        except errors.Busy:
            # A reader who wants on is worth more than a figure.
            _log.warning("hits were not counted: the database is busy", hits=len(seen))
        return [None] * len(seen)


class _Order(NamedTuple):
    """What is known of a dispatch."""

    id: int
    started_at: datetime
    urls: Mapping[int, str]
    links_in: Mapping[tuple[str, bool], int]
    """How many links a mail in each language has, in the first form and in the second."""
    read_at: datetime


class _Seen(NamedTuple):
    """A request for a link or pixel, not judged yet."""

    order: _Order
    kind: HitKind
    link: int
    delivery_id: int
    step: int
    visit: Visit
    at: datetime


def judge(visit: Visit, *, kind: HitKind, since_sent: timedelta, window: timedelta) -> str:
    """The rule by which a visit is a machine's; blank when none holds."""
    if visit.method != "GET":
        return "head"
    if visit.is_prefetch:
        return "prefetch"
    if not visit.agent or _is_machine(visit.agent[:_LONGEST_AGENT]):
        return "agent"
    if kind is HitKind.OPEN and _BARE.fullmatch(visit.agent):
        return "privacy-proxy"
    if since_sent < window:
        return "too-soon"
    return ""


@functools.lru_cache(maxsize=1024)
def _is_machine(agent: str) -> bool:
    """Many readers have the same browser."""
    return _MACHINES.search(agent) is not None


async def _read(ground: Ground, dispatch_id: int, now: datetime) -> _Order | None:
    links = sa.select(
        col(DispatchLink.number),
        col(DispatchLink.language),
        col(DispatchLink.variant),
        col(DispatchLink.url),
    ).where(col(DispatchLink.dispatch_id) == dispatch_id)
    async with ground.db.reading() as session:
        order = await session.get(Dispatch, dispatch_id)
        found = (await session.execute(links)).all()
    if order is None:
        return None
    return _Order(
        id=dispatch_id,
        started_at=order.started_at,
        urls={number: url for number, *_, url in found},
        links_in=collections.Counter(
            (language, Variant(variant).is_second) for _, language, variant, _ in found
        ),
        read_at=now,
    )


def _judged(
    seen: _Seen, by_name: Mapping[int, counting.Consenting], window: timedelta
) -> counting.Mark:
    person = by_name.get(seen.delivery_id)
    if person is not None and person.dispatch_id != seen.order.id:
        person = None
    # The token's step is rounded down, so a whole one is added before time counts.
    sent = seen.order.started_at + timedelta(seconds=(seen.step + 1) * STEP_S)
    if person is not None and person.sent_at is not None:
        sent = person.sent_at
    return counting.Mark(
        dispatch_id=seen.order.id,
        kind=seen.kind,
        link=seen.link,
        delivery_id=seen.delivery_id if person is not None else 0,
        links=_links_of(seen.order, person) if person is not None else 0,
        machine=judge(seen.visit, kind=seen.kind, since_sent=seen.at - sent, window=window),
        at=seen.at,
    )


def _links_of(order: _Order, person: counting.Consenting) -> int:
    return order.links_in.get((person.language, Variant(person.variant).is_second), 0)


def _numbers(ground: Ground, purpose: Purpose, token: str, *, count: int) -> tuple[int, ...]:
    numbers = ground.tokens.open(purpose, token)
    if len(numbers) != count:
        raise errors.BadToken(
            N_("This link is not complete. Open it again from the mail, or copy the whole of it.")
        )
    return numbers
