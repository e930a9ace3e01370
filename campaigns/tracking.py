"""Counts opens and clicks: by name only for people who agreed, else in the campaign's totals alone.

Hits of machines are kept apart (`judge` says by which rules), and nothing that matters changes
by a GET: a hit is a number in a report.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns.models import Hit, HitKind, HitTotal
from delivery.models import Delivery, Dispatch, DispatchLink
from foundation import errors, logs, tables
from foundation.ground import Ground
from foundation.i18n import N_
from foundation.tokens import Purpose
from subscribers.models import Subscriber

_log = logs.get("tracking")

STEP_S = 10
"""Tokens tell how long after the dispatch's start a mail went out, in steps of this."""

_MACHINES = re.compile(
    r"GoogleImageProxy|YahooMailProxy|ggpht|Barracuda|Proofpoint|Mimecast|SafeLinks|LinkGuard"
    r"|urlscan|bot\b|spider|crawler|scanner|preview|prefetch|curl/|wget/|python-|Go-http|okhttp"
    r"|HeadlessChrome|facebookexternalhit|Slackbot|WhatsApp|TelegramBot",
    re.IGNORECASE,
)
_BARE = re.compile(r"Mozilla/5\.0\s*$")
"""What Apple's privacy proxy calls itself when it fetches images ahead of time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    """A request for a tracked link or pixel, as far as it matters here."""

    method: str = "GET"
    agent: str = ""
    is_prefetch: bool = False
    """Carries a `Sec-Purpose: prefetch` or the like."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Mark:
    """What a token says, and how the visit was judged."""

    dispatch_id: int
    delivery_id: int
    kind: HitKind
    link: int
    machine: str
    """The rule that took it for a machine; blank for a person."""


async def click(ground: Ground, *, token: str, visit: Visit) -> str:
    """Count a click; returns the address that the link was written with, and no other.

    Raises `errors.BadToken`, and `errors.NotFound` when the dispatch is gone.
    """
    dispatch_id, link, delivery_id, step = _numbers(ground, Purpose.CLICK, token, count=4)
    async with ground.db.reading() as session:
        found = await session.get(DispatchLink, (dispatch_id, link))
        order = await session.get(Dispatch, dispatch_id)
    if found is None or order is None:
        raise errors.NotFound(N_("This link leads nowhere any more."))
    try:
        await _count(ground, order, HitKind.CLICK, link, delivery_id, step, visit)
    except errors.Busy:
        # A reader who wants on is worth more than a figure.
        _log.warning("a click was not counted: the database is busy", dispatch=dispatch_id)
    return found.url


async def opened(ground: Ground, *, token: str, visit: Visit) -> None:
    """Count an opening. Raises `errors.BadToken`."""
    dispatch_id, delivery_id, step = _numbers(ground, Purpose.OPEN, token, count=3)
    async with ground.db.reading() as session:
        order = await session.get(Dispatch, dispatch_id)
    if order is not None:
        await _count(ground, order, HitKind.OPEN, 0, delivery_id, step, visit)


def judge(visit: Visit, *, kind: HitKind, since_sent: timedelta, window: timedelta) -> str:
    """The rule by which a visit is a machine's; blank when none holds."""
    if visit.method != "GET":
        return "head"
    if visit.is_prefetch:
        return "prefetch"
    if not visit.agent or _MACHINES.search(visit.agent):
        return "agent"
    if kind is HitKind.OPEN and _BARE.fullmatch(visit.agent):
        return "privacy-proxy"
    if since_sent < window:
        return "too-soon"
    return ""


async def _count(
    ground: Ground,
    order: Dispatch,
    kind: HitKind,
    link: int,
    delivery_id: int,
    step: int,
    visit: Visit,
) -> None:
    now = ground.clock.now()
    # The token's step is rounded down, so a whole one is added before time counts.
    sent = order.started_at + timedelta(seconds=(step + 1) * STEP_S)
    window = timedelta(seconds=ground.settings.tracking.machine_window_s)
    async with ground.db.transaction() as session:
        delivery = await _consenting(session, order.id, delivery_id)
        if delivery is not None and delivery.sent_at is not None:
            sent = delivery.sent_at
        mark = _Mark(
            dispatch_id=order.id,
            delivery_id=delivery.id if delivery is not None else 0,
            kind=kind,
            link=link,
            machine=judge(visit, kind=kind, since_sent=now - sent, window=window),
        )
        await _add_total(session, mark, now, by=1)
        if mark.delivery_id:
            await _keep(ground, session, mark, now)


async def _consenting(session: AsyncSession, dispatch_id: int, delivery_id: int) -> Delivery | None:
    """The delivery, if its person agrees to be counted by name now as well."""
    statement = (
        select(Delivery)
        .join(Subscriber, col(Subscriber.id) == col(Delivery.subscriber_id))
        .where(
            Delivery.id == delivery_id,
            Delivery.dispatch_id == dispatch_id,
            col(Subscriber.allows_tracking).is_(True),
        )
    )
    return (await session.exec(statement)).first() if delivery_id else None


async def _keep(ground: Ground, session: AsyncSession, mark: _Mark, now: datetime) -> None:
    session.add(
        Hit(
            dispatch_id=mark.dispatch_id,
            delivery_id=mark.delivery_id,
            kind=mark.kind.value,
            link=mark.link or None,
            is_human=not mark.machine,
            judged_by=mark.machine,
            at=now,
        )
    )
    await session.flush()
    if mark.kind is HitKind.CLICK and not mark.machine:
        await _judge_sweep(ground, session, mark, now)


async def _judge_sweep(ground: Ground, session: AsyncSession, mark: _Mark, now: datetime) -> None:
    """Who follows every link within the window is a scanner: take those clicks back from people."""
    since = now - timedelta(seconds=ground.settings.tracking.machine_window_s)
    language = sa.select(col(Delivery.language)).where(col(Delivery.id) == mark.delivery_id)
    links = sa.select(sa.func.count()).where(
        col(DispatchLink.dispatch_id) == mark.dispatch_id,
        col(DispatchLink.language) == language.scalar_subquery(),
    )
    there_are = int((await session.execute(links)).scalar_one())
    theirs = select(Hit).where(
        Hit.delivery_id == mark.delivery_id,
        Hit.kind == HitKind.CLICK.value,
        col(Hit.is_human).is_(True),
        col(Hit.at) >= since,
    )
    hits: Sequence[Hit] = (await session.exec(theirs)).all()
    if there_are < 3 or len({hit.link for hit in hits}) < there_are:
        return
    for hit in hits:
        hit.is_human, hit.judged_by = False, "every-link"
        session.add(hit)
        await _move_to_machines(session, hit)


async def _add_total(session: AsyncSession, mark: _Mark, now: datetime, *, by: int) -> None:
    """One statement, so that any number of hits at once add up."""
    human, machine = (0, by) if mark.machine else (by, 0)
    table = tables.insert_for(session, HitTotal)
    statement = table.values(
        dispatch_id=mark.dispatch_id,
        kind=mark.kind.value,
        link=mark.link,
        hour=_hour(now),
        human=human,
        machine=machine,
    )
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["dispatch_id", "kind", "link", "hour"],
            set_={
                "human": sa.text("hit_totals.human + excluded.human"),
                "machine": sa.text("hit_totals.machine + excluded.machine"),
            },
        )
    )


async def _move_to_machines(session: AsyncSession, hit: Hit) -> None:
    await session.execute(
        sa.update(HitTotal)
        .where(
            col(HitTotal.dispatch_id) == hit.dispatch_id,
            col(HitTotal.kind) == hit.kind,
            col(HitTotal.link) == (hit.link or 0),
            col(HitTotal.hour) == _hour(hit.at),
            col(HitTotal.human) > 0,
        )
        .values(human=HitTotal.human - 1, machine=HitTotal.machine + 1)
        .execution_options(synchronize_session=False)
    )


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _numbers(ground: Ground, purpose: Purpose, token: str, *, count: int) -> tuple[int, ...]:
    numbers = ground.tokens.open(purpose, token)
    if len(numbers) != count:
        raise errors.BadToken(
            N_("This link is not complete. Open it again from the mail, or copy the whole of it.")
        )
    return numbers
