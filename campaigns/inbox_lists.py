"""Lists of the inbox: which items there are, how many in each state, what they are called."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import likeness
from campaigns.inbox_models import IncomingItem, ItemState, Origin
from foundation import errors
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_

PAGE = 30
_COMPARED = 300
STATE_WORDS = {
    ItemState.NEW: N_("to decide"),
    ItemState.APART: N_("set apart"),
    ItemState.HELD: N_("for later"),
    ItemState.KEPT: N_("kept"),
    ItemState.SAME: N_("told twice"),
    ItemState.DROPPED: N_("dropped"),
}
ORIGIN_WORDS = {
    Origin.FEED: N_("a feed"),
    Origin.MAIL: N_("mail"),
    Origin.BROWSER: N_("somebody's browser"),
    Origin.PARTNER: N_("a partner"),
    Origin.CSV: N_("a table"),
    Origin.API: N_("a program"),
}


@frozen
class Query:
    """Which items are listed."""

    state: ItemState | None = ItemState.NEW
    """None: of every state. What is held for a day that has come is new."""
    issue_id: int | None = None
    feed_id: int | None = None
    partner_id: int | None = None
    origin: Origin | None = None
    text: str = ""
    """In headline, summary, source or link."""


@frozen
class Page:
    """Some items, the last first; `next_after` asks for what follows."""

    items: Sequence[IncomingItem]
    next_after: int | None = None


async def listed(
    ground: Ground,
    session: AsyncSession,
    query: Query,
    *,
    after: int | None = None,
    limit: int = PAGE,
) -> Page:
    """Items, the last first; index `ix_incoming_items_state`."""
    statement = select(IncomingItem).order_by(col(IncomingItem.id).desc()).limit(limit + 1)
    statement = statement.where(*_conditions(ground, query))
    if after is not None:
        statement = statement.where(col(IncomingItem.id) < after)
    found = list((await session.exec(statement)).all())
    is_more = len(found) > limit
    return Page(items=found[:limit], next_after=found[limit - 1].id if is_more else None)


async def counts(ground: Ground, session: AsyncSession, query: Query) -> dict[ItemState, int]:
    """How many there are in each state, of those that fit a query otherwise."""
    conditions = _conditions(ground, replace(query, state=None))
    statement = (
        sa.select(_state_now(ground), sa.func.count())
        .select_from(IncomingItem)
        .where(*conditions)
        .group_by(sa.literal_column("1"))
    )
    found = dict((await session.execute(statement)).all())
    return {state: int(found.get(state.value, 0)) for state in ItemState}


async def get(session: AsyncSession, item_id: int) -> IncomingItem:
    """An item by its number. Raises `errors.NotFound`."""
    found = await session.get(IncomingItem, item_id)
    if found is None:
        raise errors.NotFound(N_("There is no such item in the inbox."))
    return found


async def told_again(session: AsyncSession, item_id: int) -> list[IncomingItem]:
    """Those that tell the same as an item."""
    statement = (
        select(IncomingItem)
        .where(IncomingItem.same_as_id == item_id)
        .order_by(col(IncomingItem.id))
        .limit(PAGE)
    )
    return list((await session.exec(statement)).all())


async def others(session: AsyncSession, item: IncomingItem) -> list[IncomingItem]:
    """What an item may tell the same as: the latest of its issue, most words in common first."""
    statement = (
        select(IncomingItem)
        .where(
            IncomingItem.issue_id == item.issue_id,
            col(IncomingItem.id) != item.id,
            col(IncomingItem.state).in_([ItemState.NEW, ItemState.HELD, ItemState.KEPT]),
        )
        .order_by(col(IncomingItem.id).desc())
        .limit(_COMPARED)
    )
    own = set(likeness.words(item.headline))
    found = (await session.exec(statement)).all()
    return sorted(found, key=lambda each: -len(own & set(likeness.words(each.headline))))[:PAGE]


def state_now(ground: Ground, item: IncomingItem) -> ItemState:
    """An item's state; one that was held is new again on its day."""
    if item.state == ItemState.HELD and item.hold_until and item.hold_until <= today(ground):
        return ItemState.NEW
    return ItemState(item.state)


def today(ground: Ground) -> date:
    """The day where the site is."""
    return ground.clock.now().astimezone(ground.settings.site.tzinfo).date()


def _conditions(ground: Ground, query: Query) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if query.state is ItemState.NEW:
        conditions.append(sa.or_(col(IncomingItem.state) == ItemState.NEW.value, _is_due(ground)))
    elif query.state is not None:
        conditions.append(col(IncomingItem.state) == query.state.value)
    if query.state is ItemState.HELD:
        conditions.append(sa.not_(_is_due(ground)))
    for name in ("issue_id", "feed_id", "partner_id", "origin"):
        wanted = getattr(query, name)
        if wanted is not None:
            conditions.append(getattr(IncomingItem, name) == wanted)
    if query.text:
        fields = (
            IncomingItem.headline,
            IncomingItem.summary,
            IncomingItem.source_name,
            IncomingItem.source_url,
        )
        conditions.append(
            sa.or_(*[col(each).icontains(query.text, autoescape=True) for each in fields])
        )
    return conditions


def _state_now(ground: Ground) -> sa.ColumnElement[str]:
    return sa.case((_is_due(ground), ItemState.NEW.value), else_=col(IncomingItem.state))


def _is_due(ground: Ground) -> sa.ColumnElement[bool]:
    """Whether an item was held for a day that has come."""
    return sa.and_(
        col(IncomingItem.state) == ItemState.HELD.value,
        col(IncomingItem.hold_until) <= today(ground),
    )
