"""Writes hits down, many at a time: totals for everybody, rows by name for those who agreed.

Called by `tracking.py`, which says whose a hit is and by which rule it is a machine's. What only
shows afterwards is judged here: who follows every link of a mail at once is a scanner.
"""

import collections
import functools
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns.models import Hit, HitKind, HitRule, HitTotal
from delivery.models import Delivery
from foundation import rows, tables
from subscribers.models import Subscriber

_FEWEST_LINKS = 3
"""Of a mail with fewer, a person may well follow all."""


class Consenting(NamedTuple):
    """A mail whose reader agrees, now as well, to be counted by name."""

    dispatch_id: int
    sent_at: datetime | None
    language: str
    variant: str
    """Which of two forms they have, if two are tried."""


class Mark(NamedTuple):
    """A hit, judged."""

    dispatch_id: int
    kind: HitKind
    link: int
    """Its number; 0 for an opening."""
    delivery_id: int
    """0 for whoever is counted in totals only."""
    links: int
    """How many the mail has."""
    machine: str
    """The rule that took it for a machine's; blank for a person."""
    at: datetime


_Total = tuple[int, str, int, datetime]
"""Dispatch, kind, link and hour."""
_Rule = tuple[int, str, str]
"""Dispatch, kind and the rule's name."""
_SWEPT_RULE = "every-link"


async def consenting(session: AsyncSession, delivery_ids: Collection[int]) -> dict[int, Consenting]:
    """Those of some mails whose reader agrees to be counted by name."""
    if not delivery_ids:
        return {}
    found = await session.execute(
        _CONSENTING, {"deliveries": rows.packed([number] for number in delivery_ids)}
    )
    return {number: Consenting(*rest) for number, *rest in found.all()}


async def add(session: AsyncSession, marks: Sequence[Mark], *, window: timedelta) -> None:
    """Count hits, in the order in which they came."""
    await _add_totals(session, ((_total(mark), not mark.machine, 1) for mark in marks))
    await _add_rules(
        session,
        collections.Counter(
            (mark.dispatch_id, mark.kind.value, mark.machine) for mark in marks if mark.machine
        ),
    )
    by_name = [mark for mark in marks if mark.delivery_id]
    if not by_name:
        return
    listed = (
        (
            *(place, mark.dispatch_id, mark.delivery_id, mark.kind.value, mark.link or None),
            *(int(not mark.machine), mark.machine, mark.at),
        )
        for place, mark in enumerate(by_name)
    )
    dialect = session.get_bind().dialect.name
    await session.execute(_hits(dialect), {"hits": rows.packed(listed)})
    clicked = {
        mark.delivery_id: mark
        for mark in by_name
        if mark.kind is HitKind.CLICK and not mark.machine and mark.links >= _FEWEST_LINKS
    }
    if clicked:
        await _take_back_sweeps(session, clicked, window)


async def _take_back_sweeps(
    session: AsyncSession, newest: dict[int, Mark], window: timedelta
) -> None:
    """Who followed every link within the window is a scanner: no person did those clicks."""
    found = await session.execute(
        _CLICKS,
        {
            "deliveries": rows.packed([number] for number in newest),
            "since": min(mark.at for mark in newest.values()) - window,
        },
    )
    theirs: dict[int, list[tuple[int, int, datetime]]] = collections.defaultdict(list)
    for number, delivery_id, link, at in found.all():
        if at >= newest[delivery_id].at - window:
            theirs[delivery_id].append((number, link, at))
    swept = {
        delivery_id: clicks
        for delivery_id, clicks in theirs.items()
        if len({link for _, link, _ in clicks}) >= newest[delivery_id].links
    }
    if not swept:
        return
    taken_back = [
        (number, newest[delivery_id]._replace(link=link, at=at))
        for delivery_id, clicks in swept.items()
        for number, link, at in clicks
    ]
    await session.execute(_SWEEP, {"hits": rows.packed([number] for number, _ in taken_back)})
    moved = [_total(mark) for _, mark in taken_back]
    await _add_totals(
        session,
        [(total, is_human, -1 if is_human else 1) for total in moved for is_human in (True, False)],
    )
    await _add_rules(
        session, collections.Counter((dispatch, kind, _SWEPT_RULE) for dispatch, kind, *_ in moved)
    )


async def _add_totals(session: AsyncSession, counted: Iterable[tuple[_Total, bool, int]]) -> None:
    """Add to totals by one statement, so that any number of processes add up."""
    sums: dict[_Total, list[int]] = collections.defaultdict(lambda: [0, 0])
    for total, is_human, number in counted:
        sums[total][0 if is_human else 1] += number
    # Sorted, so that processes that meet at the same totals wait in one order only.
    listed = ((place, *total, *sums[total]) for place, total in enumerate(sorted(sums)))
    dialect = session.get_bind().dialect.name
    await session.execute(_totals(dialect), {"totals": rows.packed(listed)})


async def _add_rules(session: AsyncSession, counted: Mapping[_Rule, int]) -> None:
    """Add to what each rule took for machines'; after the totals, and sorted as they are."""
    if not counted:
        return
    listed = ((place, *rule, counted[rule]) for place, rule in enumerate(sorted(counted)))
    dialect = session.get_bind().dialect.name
    await session.execute(_rules(dialect), {"rules": rows.packed(listed)})


def _total(mark: Mark) -> _Total:
    hour = mark.at.replace(minute=0, second=0, microsecond=0)
    return mark.dispatch_id, mark.kind.value, mark.link, hour


_LISTED = rows.Rows("deliveries")
_CONSENTING = (
    sa.select(
        col(Delivery.id),
        col(Delivery.dispatch_id),
        col(Delivery.sent_at),
        col(Delivery.language),
        col(Delivery.variant),
    )
    .join(_LISTED.table, col(Delivery.id) == _LISTED.number(0))
    .join(Subscriber, col(Subscriber.id) == col(Delivery.subscriber_id))
    .where(col(Subscriber.allows_tracking).is_(True))
)
_CLICKS = (
    sa.select(col(Hit.id), col(Hit.delivery_id), col(Hit.link), col(Hit.at))
    .join(_LISTED.table, col(Hit.delivery_id) == _LISTED.number(0))
    .where(
        col(Hit.kind) == HitKind.CLICK.value,
        col(Hit.is_human).is_(True),
        col(Hit.at) >= sa.bindparam("since", type_=tables.UtcDateTime()),
    )
)
_SWEPT = rows.Rows("hits")
_SWEEP = (
    sa.update(Hit)
    .where(col(Hit.id).in_(sa.select(_SWEPT.number(0)).select_from(_SWEPT.table)))
    .values(is_human=False, judged_by=_SWEPT_RULE)
    .execution_options(synchronize_session=False)
)


@functools.cache
def _hits(dialect: str) -> sa.Executable:
    listed = rows.Rows("hits")
    return rows.insertion(
        dialect,
        Hit,
        listed,
        {
            "dispatch_id": listed.number(1),
            "delivery_id": listed.number(2),
            "kind": listed.text(3),
            "link": listed.number(4),
            "is_human": listed.number(5) == 1,
            "judged_by": listed.text(6),
            "at": listed.moment(7),
        },
    )


@functools.cache
def _totals(dialect: str) -> sa.Executable:
    listed = rows.Rows("totals")
    return rows.insertion(
        dialect,
        HitTotal,
        listed,
        {
            "dispatch_id": listed.number(1),
            "kind": listed.text(2),
            "link": listed.number(3),
            "hour": listed.moment(4),
            "human": listed.number(5),
            "machine": listed.number(6),
        },
    ).on_conflict_do_update(
        index_elements=["dispatch_id", "kind", "link", "hour"],
        set_={
            "human": sa.text("hit_totals.human + excluded.human"),
            "machine": sa.text("hit_totals.machine + excluded.machine"),
        },
    )


@functools.cache
def _rules(dialect: str) -> sa.Executable:
    listed = rows.Rows("rules")
    return rows.insertion(
        dialect,
        HitRule,
        listed,
        {
            "dispatch_id": listed.number(1),
            "kind": listed.text(2),
            "rule": listed.text(3),
            "count": listed.number(4),
        },
    ).on_conflict_do_update(
        index_elements=["dispatch_id", "kind", "rule"],
        set_={"count": sa.text("hit_rules.count + excluded.count")},
    )
