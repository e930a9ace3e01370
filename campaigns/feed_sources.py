"""Feeds of issues: added, changed, paused, removed. `feed_polling.py` reads them."""

from collections.abc import Sequence
from dataclasses import field
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import developments, feed_fetching, issues, words_in
from campaigns.inbox_models import Feed, FeedState
from foundation import audit, errors
from foundation.audit import Actor
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_

LEAST_MINUTES = 15
MOST_MINUTES = 10_080
STATE_WORDS = {
    FeedState.ACTIVE.value: N_("is read"),
    FeedState.PAUSED.value: N_("paused"),
    FeedState.BROKEN.value: N_("given up"),
}


@frozen
class FeedDraft:
    """A feed as staff describe it."""

    issue_id: int
    url: str
    name: str = ""
    language: str = ""
    partner_id: int | None = None
    every_minutes: int | None = None
    """None: as the settings say."""
    include: Sequence[str] = field(default_factory=tuple)
    exclude: Sequence[str] = field(default_factory=tuple)


async def add(ground: Ground, *, actor: Actor, draft: FeedDraft) -> Feed:
    """Keep a new feed; it is read at the next look. Raises `errors.Invalid`, `errors.NotFound`."""
    values, now = _checked(ground, draft), ground.clock.now()
    async with ground.db.transaction() as session:
        await issues.get(session, draft.issue_id)
        await developments.refuse_unknown_partner(session, draft.partner_id)
        await _refuse_twice(session, values, None)
        feed = Feed(
            state=FeedState.ACTIVE.value,
            next_at=now,
            created_by=actor.label,
            created_at=now,
            updated_at=now,
            **values,
        )
        session.add(feed)
        await session.flush()
        _note(session, ground, actor, feed, "added", before={})
    return feed


async def update(
    ground: Ground, *, actor: Actor, feed_id: int, version: int, draft: FeedDraft
) -> Feed:
    """Change a feed that was seen at `version`; another address is read afresh.

    Raises `errors.Conflict` when it is no longer at `version`, `errors.Invalid`, `errors.NotFound`.
    """
    values = _checked(ground, draft)
    async with ground.db.transaction() as session:
        feed = await get(session, feed_id)
        before = _seen(feed)
        await issues.get(session, draft.issue_id)
        await developments.refuse_unknown_partner(session, draft.partner_id)
        await _refuse_twice(session, values, feed_id)
        await _claim(ground, session, feed, version)
        if values["url"] != feed.url or list(values["include"]) != feed.include:
            # What the server said about the old one, or what was left out, counts no more.
            values |= {"etag": "", "last_modified": "", "next_at": ground.clock.now()}
        feed.sqlmodel_update(values)
        session.add(feed)
        _note(session, ground, actor, feed, "updated", before=before)
    return feed


async def pause(ground: Ground, *, actor: Actor, feed_id: int, version: int) -> Feed:
    """Read it no more until it is resumed. Raises `errors.Refused`, as `update` else."""
    async with ground.db.transaction() as session:
        feed = await get(session, feed_id)
        if feed.state != FeedState.ACTIVE:
            raise errors.Refused(N_("The feed is paused already."))
        before = _seen(feed)
        await _claim(ground, session, feed, version)
        feed.state = FeedState.PAUSED.value
        session.add(feed)
        _note(session, ground, actor, feed, "paused", before=before)
    return feed


async def resume(ground: Ground, *, actor: Actor, feed_id: int, version: int) -> Feed:
    """Read it again, at once. Raises `errors.Refused`, as `update` else."""
    async with ground.db.transaction() as session:
        feed = await get(session, feed_id)
        if feed.state == FeedState.ACTIVE:
            raise errors.Refused(N_("The feed is not paused."))
        before = _seen(feed)
        await _claim(ground, session, feed, version)
        feed.state, feed.next_at = FeedState.ACTIVE.value, ground.clock.now()
        feed.failures, feed.problem_texts = 0, {}
        session.add(feed)
        _note(session, ground, actor, feed, "resumed", before=before)
    return feed


async def remove(ground: Ground, *, actor: Actor, feed_id: int, version: int) -> None:
    """Take a feed away; what came in by it stays. Raises as `update` does."""
    async with ground.db.transaction() as session:
        feed = await get(session, feed_id)
        before = _seen(feed)
        await _claim(ground, session, feed, version)
        await session.delete(feed)
        audit.record(
            session,
            actor=actor,
            at=ground.clock.now(),
            action="feed.removed",
            object_kind="feed",
            object_id=feed_id,
            before=before,
        )


async def get(session: AsyncSession, feed_id: int) -> Feed:
    """A feed by its number. Raises `errors.NotFound`."""
    feed = await session.get(Feed, feed_id)
    if feed is None:
        raise errors.NotFound(N_("There is no such feed."))
    return feed


async def listed(
    session: AsyncSession,
    *,
    issue_id: int | None = None,
    state: FeedState | None = None,
    after: int | None = None,
    limit: int = 500,
) -> list[Feed]:
    """Feeds in the order in which they were added; they are few."""
    statement = select(Feed).order_by(col(Feed.id)).limit(limit)
    if issue_id is not None:
        statement = statement.where(Feed.issue_id == issue_id)
    if state is not None:
        statement = statement.where(Feed.state == state.value)
    if after is not None:
        statement = statement.where(col(Feed.id) > after)
    return list((await session.exec(statement)).all())


def title(feed: Feed) -> str:
    """What staff call it, else what it calls itself, else its address."""
    return feed.name or feed.title or feed.url


def _checked(ground: Ground, draft: FeedDraft) -> dict[str, Any]:
    every = draft.every_minutes or ground.settings.desk.feed_every_minutes
    if not LEAST_MINUTES <= every <= MOST_MINUTES:
        problem = errors.Invalid(
            N_("From %(least)s to %(most)s minutes."), least=LEAST_MINUTES, most=MOST_MINUTES
        )
        raise errors.Invalid(problem.msgid, fields={"every_minutes": problem}, **problem.values)
    if draft.language and draft.language not in ground.catalog.languages:
        unknown = errors.Invalid(N_("Choose one of the site's languages."))
        raise errors.Invalid(unknown.msgid, fields={"language": unknown})
    return {
        "issue_id": draft.issue_id,
        "url": feed_fetching.checked(draft.url),
        "name": " ".join(draft.name.split())[:200],
        "language": draft.language,
        "partner_id": draft.partner_id,
        "every_minutes": every,
        "include": words_in.checked(draft.include, field="include"),
        "exclude": words_in.checked(draft.exclude, field="exclude"),
    }


async def _refuse_twice(session: AsyncSession, values: dict[str, Any], own_id: int | None) -> None:
    statement = select(Feed.id).where(
        Feed.issue_id == values["issue_id"], Feed.url == values["url"]
    )
    holder = (await session.exec(statement)).first()
    if holder is not None and holder != own_id:
        problem = errors.Invalid(N_("The issue has this feed already."))
        raise errors.Invalid(problem.msgid, fields={"url": problem})


async def _claim(ground: Ground, session: AsyncSession, feed: Feed, version: int) -> None:
    claimed = await session.execute(
        sa.update(Feed)
        .where(col(Feed.id) == feed.id, col(Feed.version) == version)
        .values(version=version + 1, updated_at=ground.clock.now())
        .returning(col(Feed.id))
    )
    if claimed.first() is None:
        raise errors.Conflict(
            N_("Somebody else changed this feed meanwhile. Nothing was overwritten.")
        )
    await session.refresh(feed)


def _seen(feed: Feed) -> dict[str, Any]:
    return {
        "issue_id": feed.issue_id,
        "url": feed.url,
        "name": feed.name,
        "language": feed.language,
        "partner_id": feed.partner_id,
        "every_minutes": feed.every_minutes,
        "include": feed.include,
        "exclude": feed.exclude,
        "state": feed.state,
    }


def _note(
    session: AsyncSession,
    ground: Ground,
    actor: Actor,
    feed: Feed,
    what: str,
    *,
    before: dict[str, Any],
) -> None:
    audit.record(
        session,
        actor=actor,
        at=ground.clock.now(),
        action=f"feed.{what}",
        object_kind="feed",
        object_id=feed.id,
        before=before,
        after=_seen(feed),
    )
