"""Reads the feeds that are due, each in its own rhythm, and takes in what is new.

Reading a feed starts with a compare-and-set of its next time, so any number of schedulers may look.
What came of it is kept in one transaction with the stories. A failure waits twice as long each
time, a day at most; after `[desk] feed_failures_before_pause` in a row, or when the server says
that the feed is gone, it waits for a person, and staff are told.
"""

import asyncio
from dataclasses import field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import attention, feed_fetching, feed_reading, feeds, incoming, words_in
from campaigns.feed_fetching import AskedToWaitError, GoneError, Seen
from campaigns.feed_reading import Document
from campaigns.inbox_models import Feed, FeedState, Origin
from campaigns.incoming import Offer, TakenIn
from foundation import audit, errors, logs
from foundation.audit import SYSTEM
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_, NN_, Translator
from foundation.notices import Notice

_log = logs.get("feeds")

_AT_A_TIME = 20
_AT_ONCE = 4
_LEASE = timedelta(minutes=10)
"""If the process ends meanwhile, the feed is read again after this long."""
_LONGEST_WAIT = timedelta(days=1)
_LONGEST_ASKED = timedelta(days=7)


@frozen
class Reading:
    """What came of reading a feed once."""

    feed_id: int
    title: str
    taken: TakenIn = field(default_factory=TakenIn)
    is_unchanged: bool = False
    """Its server said that nothing is new."""
    left_out: int = 0
    problem: errors.HandbillError | None = None

    def say(self, speaks: Translator) -> str:
        """What came of it, in one sentence."""
        if self.problem is not None:
            return speaks.gettext(N_("It could not be read: %(said)s")) % {
                "said": self.problem.say(speaks)
            }
        if self.is_unchanged:
            return speaks.gettext(N_("Its server says that nothing is new."))
        count = len(self.taken.added)
        said = speaks.ngettext(
            *NN_("%(count)s new story came in.", "%(count)s new stories came in."), count
        )
        return said % {"count": speaks.number(count)}


async def poll_due(ground: Ground) -> list[Reading]:
    """Read every feed that is due; the task of the scheduler."""
    now = ground.clock.now()
    statement = (
        select(Feed)
        .where(Feed.state == FeedState.ACTIVE.value, col(Feed.next_at) <= now)
        .order_by(col(Feed.next_at), col(Feed.id))
        .limit(_AT_A_TIME)
    )
    async with ground.db.reading() as session:
        due = (await session.exec(statement)).all()
    places = asyncio.Semaphore(_AT_ONCE)

    async def in_turn(feed: Feed) -> Reading | None:
        async with places:
            try:
                return await _read(ground, feed)
            except errors.Busy as problem:
                _log.warning("a feed waits", feed=feed.id, said=str(problem))
                return None

    found = await asyncio.gather(*[in_turn(each) for each in due])
    return [each for each in found if each is not None]


async def poll_now(ground: Ground, *, feed_id: int) -> Reading:
    """Read a feed at once, whatever its state; somebody asked for it.

    Raises `errors.NotFound`, and `errors.Busy` while it is being read already.
    """
    async with ground.db.reading() as session:
        feed = await session.get(Feed, feed_id)
    if feed is None:
        raise errors.NotFound(N_("There is no such feed."))
    reading = await _read(ground, feed)
    if reading is None:
        raise errors.Busy(N_("The feed is being read just now."))
    return reading


async def _read(ground: Ground, feed: Feed) -> Reading | None:
    """None when somebody else was faster."""
    if not await _claim(ground, feed):
        return None
    try:
        seen = Seen(etag=feed.etag, last_modified=feed.last_modified)
        got = await feed_fetching.get(ground, feed.url, seen=seen)
        if got.octets is None:
            return await _unchanged(ground, feed)
        document = await feeds.parsed(ground, got.octets, media_type=got.media_type)
        return await _keep(ground, feed, document, got.seen)
    except errors.Busy:
        raise
    except errors.HandbillError as problem:
        return await _failed(ground, feed, problem)
    except Exception as problem:  # noqa: BLE001 - what a feed does to us must not end the others
        _log.exception("a feed could not be read", feed=feed.id)
        said = errors.Refused(
            N_("Something went wrong that should not have: %(problem)s."),
            problem=f"{type(problem).__name__}: {problem}".partition("\n")[0][:200],
        )
        return await _failed(ground, feed, said)


async def _claim(ground: Ground, feed: Feed) -> bool:
    now = ground.clock.now()
    claim = (
        sa.update(Feed)
        .where(col(Feed.id) == feed.id, col(Feed.next_at) == feed.next_at)
        .values(next_at=max(now + _LEASE, feed.next_at + timedelta(microseconds=1)))
        .returning(col(Feed.id))
    )
    async with ground.db.transaction() as session:
        return (await session.execute(claim)).first() is not None


async def _unchanged(ground: Ground, feed: Feed) -> Reading:
    async with ground.db.transaction() as session:
        await _settle(session, feed, _went_well(ground, feed))
    return Reading(feed_id=feed.id, title=feed.name or feed.title, is_unchanged=True)


async def _keep(ground: Ground, feed: Feed, document: Document, seen: Seen) -> Reading:
    title = feed.name or document.title or urlsplit(feed.url).hostname or ""
    wanted = [
        each
        for each in document.entries
        if words_in.lets_in(
            f"{each.headline}\n{each.summary}", include=feed.include, exclude=feed.exclude
        )
    ]
    offers = [
        Offer(
            identity=each.identity,
            headline=each.headline,
            summary=feed_reading.paragraphs(each.summary),
            source_name=each.source or title,
            source_url=each.url,
            language=feeds.language_of(ground, feed.language, each.language, document.language),
            happened_on=each.day,
            partner_id=feed.partner_id,
        )
        for each in reversed(wanted)
    ]
    left_out = len(document.entries) - len(wanted)
    async with ground.db.transaction() as session:
        taken = await incoming.put(
            ground,
            session,
            issue_id=feed.issue_id,
            origin=Origin.FEED,
            offers=offers,
            feed_id=feed.id,
        )
        values = _went_well(ground, feed) | {
            "title": document.title,
            "etag": seen.etag,
            "last_modified": seen.last_modified,
            "added": Feed.added + len(taken.added) + len(taken.same),
            "left_out": left_out,
        }
        await _settle(session, feed, values)
    return Reading(feed_id=feed.id, title=title, taken=taken, left_out=left_out)


def _went_well(ground: Ground, feed: Feed) -> dict[str, object]:
    """One that was given up and read again by hand goes on by itself."""
    now = ground.clock.now()
    is_back = feed.state == FeedState.BROKEN
    return {
        "next_at": now + timedelta(minutes=feed.every_minutes),
        "read_at": now,
        "failures": 0,
        "problem_texts": {},
        "state": FeedState.ACTIVE.value if is_back else feed.state,
    }


async def _failed(ground: Ground, feed: Feed, problem: errors.HandbillError) -> Reading:
    """Keep what went wrong, and when it is tried again, if it is; tell staff once it is not."""
    failures, settings = feed.failures + 1, ground.settings.desk
    is_over = isinstance(problem, GoneError) or failures >= settings.feed_failures_before_pause
    values: dict[str, object] = {
        "failures": failures,
        "problem_texts": {
            code: problem.say(ground.translator(code)) for code in ground.catalog.languages
        },
        "next_at": _next_try(ground.clock.now(), feed, failures, problem),
    }
    if is_over and feed.state == FeedState.ACTIVE:
        values |= {"state": FeedState.BROKEN.value, "version": Feed.version + 1}
    async with ground.db.transaction() as session:
        if not await _settle(session, feed, values):
            return Reading(feed_id=feed.id, title=feed.name or feed.title, problem=problem)
        if is_over and feed.state == FeedState.ACTIVE:
            audit.record(
                session,
                actor=SYSTEM,
                at=ground.clock.now(),
                action="feed.stopped",
                object_kind="feed",
                object_id=feed.id,
                before={"state": feed.state},
                after={"state": FeedState.BROKEN.value, "problem": str(problem)},
            )
            await _tell(ground, session, feed, problem)
    return Reading(feed_id=feed.id, title=feed.name or feed.title, problem=problem)


def _next_try(now: datetime, feed: Feed, failures: int, problem: errors.HandbillError) -> datetime:
    every = timedelta(minutes=feed.every_minutes)
    twice_as_long: timedelta = every * 2 ** min(failures, 12)
    wait = max(every, min(twice_as_long, _LONGEST_WAIT))
    if isinstance(problem, AskedToWaitError) and problem.wait is not None:
        wait = max(every, min(problem.wait, _LONGEST_ASKED))
    return now + wait


async def _settle(session: AsyncSession, feed: Feed, values: dict[str, object]) -> bool:
    """Keep what came of a reading, unless the feed was removed or moved meanwhile."""
    statement = (
        sa.update(Feed)
        .where(col(Feed.id) == feed.id, col(Feed.url) == feed.url)
        .values(**values)
        .returning(col(Feed.id))
    )
    return (await session.execute(statement)).first() is not None


async def _tell(
    ground: Ground, session: AsyncSession, feed: Feed, problem: errors.HandbillError
) -> None:
    for to, language in await attention.whom(ground, session):
        await ground.notices.queue(
            session,
            Notice(
                kind="feed_needs_attention",
                to=to,
                language=language,
                context={
                    "feed": feed.name or feed.title or feed.url,
                    "reason": problem.say(ground.translator(language)),
                    "url": ground.url(f"/staff/inbox/feeds/{feed.id}"),
                },
            ),
        )
