"""What staff do with items of the inbox: keep, drop, hold, merge, edit, and take back.

Each change counts the item's version up and stands in the audit log. What is kept becomes an
unpublished development with the item's text in the item's language; an embargo goes along, and
series heed it.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import (
    development_drafts,
    developments,
    feed_reading,
    inbox_lists,
    issues,
    likeness,
    links,
)
from campaigns.inbox_models import IncomingItem, ItemState
from campaigns.models import Development, DevelopmentKind
from foundation import audit, errors
from foundation.audit import Actor
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_

MOST_AT_ONCE = 200
_REASON = 500

_OPEN = frozenset({ItemState.NEW, ItemState.APART, ItemState.HELD})
MAY_COME_FROM = {
    ItemState.KEPT: _OPEN,
    ItemState.DROPPED: _OPEN,
    ItemState.HELD: _OPEN,
    ItemState.SAME: _OPEN,
    ItemState.NEW: frozenset({ItemState.APART, ItemState.HELD, ItemState.DROPPED, ItemState.SAME}),
}
"""Which states an item may have had before it comes into one."""


@frozen
class Change:
    """What is written into an item."""

    issue_id: int
    headline: str
    summary: str
    language: str
    happened_on: date
    kind: DevelopmentKind
    place: str = ""
    source_name: str = ""
    source_url: str = ""
    partner_id: int | None = None
    not_before: datetime | None = None


@frozen
class Done:
    """What came of a decision about several items."""

    done: Sequence[int]
    left: Sequence[int]
    """Those that somebody else decided about meanwhile."""


async def edit(
    ground: Ground, *, actor: Actor, item_id: int, version: int, change: Change
) -> IncomingItem:
    """Write into an item that is not decided about.

    Raises `errors.Conflict` when it is no longer at `version`, `errors.Invalid`, `errors.NotFound`,
    `errors.Refused`.
    """
    values = _checked(ground, change)
    async with ground.db.transaction() as session:
        await issues.get(session, change.issue_id)
        await developments.refuse_unknown_partner(session, change.partner_id)
        item = await inbox_lists.get(session, item_id)
        before = _seen(item)
        if item.state not in _OPEN:
            raise errors.Refused(N_("Somebody has decided about it. Take that back first."))
        if item.version == version and all(
            getattr(item, name) == value for name, value in values.items()
        ):
            return item
        await _claim(session, item, version)
        item.sqlmodel_update(values)
        session.add(item)
        _note(session, ground, actor, item, "edited", before=before)
    return item


async def keep(
    ground: Ground, *, actor: Actor, item_id: int, version: int, is_published: bool = False
) -> Development:
    """Make a development of an item. Raises as `edit` does."""
    async with ground.db.transaction() as session:
        item, before = await _deciding(ground, session, actor, item_id, version, ItemState.KEPT)
        development = await developments.put(
            ground,
            session,
            actor=actor,
            issue_id=item.issue_id,
            draft=development_drafts.Draft(
                kind=DevelopmentKind(item.kind),
                happened_on=item.happened_on,
                texts={item.language: {"headline": item.headline, "summary": item.summary}},
                place=item.place,
                source_name=item.source_name,
                source_url=item.source_url,
                is_published=is_published,
                not_before=item.not_before,
                partner_id=item.partner_id,
            ),
        )
        item.development_id = development.id
        session.add(item)
        _note(session, ground, actor, item, "kept", before=before)
    return development


async def drop(
    ground: Ground, *, actor: Actor, item_id: int, version: int, reason: str
) -> IncomingItem:
    """Say that an item is not for us, and why. Raises as `edit` does."""
    words = " ".join(reason.split())[:_REASON]
    if not words:
        problem = errors.Invalid(N_("Say why, for those who wonder later."))
        raise errors.Invalid(problem.msgid, fields={"reason": problem})
    async with ground.db.transaction() as session:
        item, before = await _deciding(ground, session, actor, item_id, version, ItemState.DROPPED)
        item.reason = words
        session.add(item)
        _note(session, ground, actor, item, "dropped", before=before)
    return item


async def hold(
    ground: Ground, *, actor: Actor, item_id: int, version: int, until: date
) -> IncomingItem:
    """Put an item away until a day that is to come. Raises as `edit` does."""
    if until <= inbox_lists.today(ground):
        problem = errors.Invalid(N_("Choose a day that is to come."))
        raise errors.Invalid(problem.msgid, fields={"hold_until": problem})
    async with ground.db.transaction() as session:
        item, before = await _deciding(ground, session, actor, item_id, version, ItemState.HELD)
        item.hold_until = until
        session.add(item)
        _note(session, ground, actor, item, "held", before=before)
    return item


async def merge(
    ground: Ground, *, actor: Actor, item_id: int, version: int, into_id: int
) -> IncomingItem:
    """Say that an item tells the same as another one, of the same issue. Raises as `edit` does."""
    async with ground.db.transaction() as session:
        target = await inbox_lists.get(session, into_id)
        first = await inbox_lists.get(session, target.same_as_id) if target.same_as_id else target
        item, before = await _deciding(ground, session, actor, item_id, version, ItemState.SAME)
        if first.id == item.id or first.issue_id != item.issue_id:
            problem = errors.Invalid(N_("Choose another item of the same issue."))
            raise errors.Invalid(problem.msgid, fields={"into": problem})
        item.same_as_id = first.id
        session.add(item)
        # Those that told the same as this one tell the same as the other.
        await session.execute(
            sa.update(IncomingItem)
            .where(col(IncomingItem.same_as_id) == item.id)
            .values(same_as_id=first.id)
        )
        _note(session, ground, actor, item, "merged", before=before)
    return item


async def reopen(ground: Ground, *, actor: Actor, item_id: int, version: int) -> IncomingItem:
    """Take a decision back: the item is to be decided about again. Raises as `edit` does."""
    async with ground.db.transaction() as session:
        item, before = await _deciding(ground, session, actor, item_id, version, ItemState.NEW)
        item.reason, item.hold_until, item.same_as_id = "", None, None
        session.add(item)
        _note(session, ground, actor, item, "reopened", before=before)
    return item


async def for_each(
    seen: Iterable[tuple[int, int]], act: Callable[[int, int], Awaitable[object]]
) -> Done:
    """Do the same with several items, given by number and version; each stands for itself.

    Raises `errors.Invalid` when there are too many.
    """
    wanted = list(seen)
    if len(wanted) > MOST_AT_ONCE:
        raise errors.Invalid(N_("At most %(most)s items at once."), most=MOST_AT_ONCE)
    done: list[int] = []
    left: list[int] = []
    for number, version in wanted:
        try:
            await act(number, version)
        except (errors.Conflict, errors.Refused, errors.NotFound):
            left.append(number)
        else:
            done.append(number)
    return Done(done=done, left=left)


async def tidy(ground: Ground) -> int:
    """Forget what was decided long ago, and what nobody decided about; `[desk] keep_days`."""
    long_ago = ground.clock.now() - timedelta(days=ground.settings.desk.keep_days)
    async with ground.db.transaction() as session:
        gone = await session.execute(
            sa.delete(IncomingItem)
            .where(
                col(IncomingItem.received_at) < long_ago,
                sa.func.coalesce(col(IncomingItem.decided_at), col(IncomingItem.received_at))
                < long_ago,
            )
            .returning(col(IncomingItem.id))
        )
        return len(gone.all())


async def _deciding(
    ground: Ground,
    session: AsyncSession,
    actor: Actor,
    item_id: int,
    version: int,
    state: ItemState,
) -> tuple[IncomingItem, dict[str, Any]]:
    """The item brought into a state, and what it was before."""
    item = await inbox_lists.get(session, item_id)
    before = _seen(item)
    was_kept = item.state == ItemState.KEPT and item.development_id is None
    may = item.state in MAY_COME_FROM[state] or (was_kept and state is ItemState.NEW)
    if not may:
        raise errors.Refused(
            N_("That can't be done with it: it is “%(state)s”."),
            state=errors.Word(inbox_lists.STATE_WORDS[ItemState(item.state)]),
        )
    await _claim(session, item, version)
    item.state = state.value
    item.decided_at, item.decided_by = ground.clock.now(), actor.label
    return item, before


async def _claim(session: AsyncSession, item: IncomingItem, version: int) -> None:
    claimed = await session.execute(
        sa.update(IncomingItem)
        .where(col(IncomingItem.id) == item.id, col(IncomingItem.version) == version)
        .values(version=version + 1)
        .returning(col(IncomingItem.id))
    )
    if claimed.first() is None:
        raise errors.Conflict(
            N_("Somebody else changed this item meanwhile. Nothing was overwritten.")
        )
    await session.refresh(item)


def _checked(ground: Ground, change: Change) -> dict[str, Any]:
    headline = feed_reading.line(change.headline)
    if not headline:
        problem = errors.Invalid(N_("Give it a headline too."))
        raise errors.Invalid(problem.msgid, fields={"headline": problem})
    if change.language not in ground.catalog.languages:
        problem = errors.Invalid(N_("Choose one of the site's languages."))
        raise errors.Invalid(problem.msgid, fields={"language": problem})
    source_url = links.check(change.source_url, field="source_url")
    return {
        "issue_id": change.issue_id,
        "headline": headline,
        "summary": links.clean(change.summary),
        "language": change.language,
        "happened_on": change.happened_on,
        "kind": change.kind.value,
        "place": " ".join(change.place.split()),
        "source_name": " ".join(change.source_name.split()),
        "source_url": source_url,
        "link_key": likeness.link_key(source_url),
        "partner_id": change.partner_id,
        "not_before": change.not_before,
    }


def _seen(item: IncomingItem) -> dict[str, Any]:
    return {
        "state": item.state,
        "issue_id": item.issue_id,
        "language": item.language,
        "headline": item.headline,
        "summary": item.summary,
        "source_name": item.source_name,
        "source_url": item.source_url,
        "happened_on": item.happened_on.isoformat(),
        "kind": item.kind,
        "place": item.place,
        "partner_id": item.partner_id,
        "hold_until": item.hold_until.isoformat() if item.hold_until else None,
        "not_before": item.not_before.isoformat() if item.not_before else None,
        "reason": item.reason,
        "same_as_id": item.same_as_id,
        "development_id": item.development_id,
    }


def _note(
    session: AsyncSession,
    ground: Ground,
    actor: Actor,
    item: IncomingItem,
    what: str,
    *,
    before: dict[str, Any],
) -> None:
    audit.record(
        session,
        actor=actor,
        at=ground.clock.now(),
        action=f"incoming.{what}",
        object_kind="incoming",
        object_id=item.id,
        before=before,
        after=_seen(item),
    )
