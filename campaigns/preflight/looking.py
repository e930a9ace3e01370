"""Looks at what takes long, before a campaign goes out: follows its links, asks SpamAssassin.

One look at a campaign goes on at a time, whichever process began it; how far it is, and what came
of it, stand in the database with the bulletin's version. Nothing of this is part of starting a
campaign, which reads what is kept (`checklist.refuse_red`).
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import bulletins, compiling, transitions
from campaigns.preflight import following, links, spam
from campaigns.preflight.links import Targets
from campaigns.preflight.models import Look
from foundation import errors, logs, tables
from foundation.frozen import frozen
from foundation.ground import Ground

_log = logs.get("preflight")
_GRACE = timedelta(seconds=10)

Told = Callable[[int, int], Awaitable[None]]
"""Called with how many are done, of how many."""


@frozen
class Work:
    """A look that was begun, and what is to be done for it."""

    campaign_id: int
    started_at: datetime
    targets: Targets
    urls: list[str]
    mails: dict[str, bytes]

    @property
    def total(self) -> int:
        """How many steps it has."""
        return len(self.urls) + len(self.mails)


async def begin(ground: Ground, *, campaign_id: int, is_anew: bool = False) -> Work | None:
    """Begin to look, unless somebody is at it already. Raises `errors.NotFound`.

    `is_anew`: what was found a while ago is not taken to be true still.
    """
    async with ground.db.reading() as session:
        campaign = await transitions.get(session, campaign_id)
        bulletin = await bulletins.get(session, campaign.bulletin_id)
        looked = await compiling.look(ground, session, bulletin)
    targets = links.targets(ground, bulletin, looked)
    work = Work(
        campaign_id=campaign_id,
        started_at=ground.clock.now(),
        targets=targets,
        urls=await following.wanted(ground, targets.followed, is_anew=is_anew),
        mails=await asyncio.to_thread(spam.mails, ground, campaign, looked),
    )
    return work if await _claim(ground, work, bulletin.version) else None


async def _claim(ground: Ground, work: Work, version: int) -> bool:
    """Make the campaign's look ours; a compare-and-set, whoever tries."""
    values = {
        "bulletin_version": version,
        "started_at": work.started_at,
        "finished_at": None,
        "done": 0,
        "total": work.total,
        "spam": {},
    }
    async with ground.db.transaction() as session:
        insert = tables.insert_for(session, Look).values(campaign_id=work.campaign_id, **values)
        claimed = await session.execute(
            insert.on_conflict_do_update(
                index_elements=["campaign_id"],
                set_=values,
                where=sa.or_(
                    col(Look.finished_at).is_not(None),
                    col(Look.started_at) <= work.started_at - _patience(ground),
                ),
            ).returning(col(Look.campaign_id))
        )
        return claimed.first() is not None


async def finish(ground: Ground, work: Work, told: Told | None = None) -> None:
    """Do what was begun, within `[preflight] look_limit_s`; what is not done then is not known."""
    progress = _Progress(ground, work, told)
    scores: dict[str, spam.Score] = {}

    async def judge() -> None:
        for language, mail in work.mails.items():
            scores[language] = await spam.ask(ground, mail)
            await progress.step()

    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ground.settings.preflight.look_limit_s):
                async with asyncio.TaskGroup() as group:
                    group.create_task(judge())
                    group.create_task(
                        following.follow(
                            ground, work.urls, pictures=work.targets.pictures, step=progress.step
                        )
                    )
    finally:
        kept = {language: score.as_dict() for language, score in scores.items()}
        await _write(ground, work, finished_at=ground.clock.now(), spam=kept, done=work.total)


class _Progress:
    """Writes down how far a look is."""

    def __init__(self, ground: Ground, work: Work, told: Told | None) -> None:
        self._ground = ground
        self._work = work
        self._told = told
        self._done = 0

    async def step(self) -> None:
        """One more is done."""
        self._done += 1
        await _write(self._ground, self._work, done=self._done)
        if self._told is not None:
            await self._told(self._done, self._work.total)


async def _write(ground: Ground, work: Work, **values: object) -> None:
    """Change the look's row, if it is still ours."""
    async with ground.db.transaction() as session:
        await session.execute(
            sa.update(Look)
            .where(
                col(Look.campaign_id) == work.campaign_id,
                col(Look.started_at) == work.started_at,
            )
            .values(**values)
        )


async def last(session: AsyncSession, campaign_id: int) -> Look | None:
    """The last look at a campaign, or the one that goes on."""
    return await session.get(Look, campaign_id)


def is_going_on(ground: Ground, look: Look | None) -> bool:
    """Whether somebody is at it; a process that ended without a word is not waited for."""
    return (
        look is not None
        and look.finished_at is None
        and look.started_at > ground.clock.now() - _patience(ground)
    )


def _patience(ground: Ground) -> timedelta:
    return timedelta(seconds=ground.settings.preflight.look_limit_s) + _GRACE


class Looker:
    """Looks behind the back of whoever asked for it; owned by the web application."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._tasks: set[asyncio.Task[None]] = set()

    async def begin(self, *, campaign_id: int, is_anew: bool) -> None:
        """Begin to look, unless somebody is at it. Raises `errors.NotFound`."""
        work = await begin(self._ground, campaign_id=campaign_id, is_anew=is_anew)
        if work is not None:
            task = asyncio.create_task(self._finish(work))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Give up what goes on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def idle(self) -> None:
        """Return when nothing goes on any more."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _finish(self, work: Work) -> None:
        try:
            await finish(self._ground, work)
        except errors.Busy as problem:
            _log.warning("a look waits", campaign=work.campaign_id, said=str(problem))
        except Exception:  # noqa: BLE001 - nobody waits for it
            _log.exception("a look failed", campaign=work.campaign_id)
