"""Follows links, and looks at pictures that others serve; keeps for a while what came of it.

Servers are asked politely: few requests at once, fewer to one host, HEAD before GET, and nothing is
read that is not needed. `foundation.outward` sees to it that no private network is reached.
"""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urldefrag, urlsplit

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import filekinds
from campaigns.preflight.models import LinkCheck, Verdict
from foundation import outward, tables
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.outward import Answer, OutwardError, Session, Trouble

_AT_ONCE = 6
_AT_ONE_HOST = 2
_PICTURE_BYTES = 256 * 1024
"""So much of a picture is read to know how large it is; how heavy, its server says."""
_KEPT = timedelta(days=30)
_PASSING = frozenset({Verdict.SILENT, Verdict.FAILING})
"""Looked at again each time: it may be over."""
_CLOSED = frozenset({401, 402, 403, 405, 406, 407, 429, 451, 999})
_TROUBLES: Mapping[Trouble, Verdict] = {
    Trouble.ODD: Verdict.ODD,
    Trouble.PRIVATE: Verdict.PRIVATE,
    Trouble.NO_HOST: Verdict.NO_HOST,
    Trouble.UNNAMED: Verdict.SILENT,
    Trouble.UNTRUSTED: Verdict.UNTRUSTED,
    Trouble.SILENT: Verdict.SILENT,
    Trouble.LOOPING: Verdict.LOOPING,
}

Step = Callable[[], Awaitable[None]]
"""Called when one more is done."""


@frozen
class _Found:
    """What came of one address."""

    verdict: Verdict
    status: int = 0
    final_url: str = ""
    media_type: str = ""
    size_bytes: int | None = None
    width: int = 0
    height: int = 0


async def known(session: AsyncSession, urls: Collection[str]) -> dict[str, LinkCheck]:
    """What is known of some addresses, however old it is."""
    by_digest: dict[str, list[str]] = defaultdict(list)
    for url in urls:
        by_digest[digest(url)].append(url)
    statement = select(LinkCheck).where(col(LinkCheck.digest).in_(by_digest))
    rows = (await session.exec(statement)).all() if by_digest else []
    return {url: row for row in rows for url in by_digest[row.digest]}


async def wanted(ground: Ground, urls: Sequence[str], *, is_anew: bool) -> list[str]:
    """Those that have to be followed: unknown, too long ago, or in trouble that may be over."""
    if not ground.settings.preflight.links:
        return []
    oldest = ground.clock.now() - timedelta(hours=ground.settings.preflight.links_fresh_hours)
    async with ground.db.reading() as session:
        checks = await known(session, urls)
    return [
        url
        for url in dict.fromkeys(urls)
        if is_anew
        or (check := checks.get(url)) is None
        or check.checked_at < oldest
        or check.verdict in _PASSING
    ][: ground.settings.preflight.links_at_most]


async def follow(
    ground: Ground, urls: Sequence[str], *, pictures: Collection[str], step: Step
) -> None:
    """Follow all of them, and keep what came of each as soon as it is known."""
    places = asyncio.Semaphore(_AT_ONCE)
    hosts: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(_AT_ONE_HOST))
    names = _Names(ground)
    async with ground.outward.session(own_url=ground.settings.site.url) as session:

        async def one(url: str) -> None:
            async with hosts[urlsplit(url).netloc], places:
                found = await _looked_at(ground, session, names, url, is_picture=url in pictures)
            await _keep(ground, url, found)
            await step()

        async with asyncio.TaskGroup() as group:
            for url in urls:
                group.create_task(one(url))


class _Names:
    """Whether names can be looked up from here; asked once, when a host seems not to be there."""

    def __init__(self, ground: Ground) -> None:
        self._outward = ground.outward
        self._asked: asyncio.Task[bool] | None = None

    async def are_known(self) -> bool:
        if self._asked is None:
            self._asked = asyncio.create_task(self._outward.knows_names())
        return await self._asked


async def _looked_at(
    ground: Ground, session: Session, names: _Names, url: str, *, is_picture: bool
) -> _Found:
    limits = outward.Limits(timeout_s=ground.settings.preflight.link_timeout_s)
    try:
        if is_picture:
            limits = outward.Limits(timeout_s=limits.timeout_s, wanted_bytes=_PICTURE_BYTES)
            return await asyncio.to_thread(_picture, await session.ask("GET", url, limits))
        return await _page(session, url, limits)
    except OutwardError as problem:
        if problem.trouble is Trouble.NO_HOST and not await names.are_known():
            return _Found(verdict=Verdict.SILENT)
        return _Found(verdict=_TROUBLES[problem.trouble])


async def _page(session: Session, url: str, limits: outward.Limits) -> _Found:
    """HEAD, and GET where that says nothing good: some servers answer only the latter."""
    try:
        answer = await session.ask("HEAD", url, limits)
        if answer.status < 400:
            return _judged(answer)
    except OutwardError as problem:
        if problem.trouble is not Trouble.SILENT:
            raise
    return _judged(await session.ask("GET", url, limits))


def _judged(answer: Answer) -> _Found:
    status = answer.status
    verdict = Verdict.GOOD
    if status in (404, 410):
        verdict = Verdict.GONE
    elif status in _CLOSED:
        verdict = Verdict.CLOSED
    elif status >= 400:
        verdict = Verdict.FAILING
    return _Found(
        verdict=verdict, status=status, final_url=answer.url, media_type=answer.media_type
    )


def _picture(answer: Answer) -> _Found:
    found = _judged(answer)
    kind = filekinds.recognise(answer.body)
    size = filekinds.picture_size(answer.body, kind) if kind is not None else None
    width, height = size or (0, 0)
    return _Found(
        verdict=found.verdict,
        status=found.status,
        final_url=found.final_url,
        media_type=found.media_type,
        size_bytes=answer.size_bytes,
        width=width,
        height=height,
    )


async def _keep(ground: Ground, url: str, found: _Found) -> None:
    values: dict[str, Any] = {
        "url": urldefrag(url)[0],
        "verdict": found.verdict.value,
        "status": found.status,
        "final_url": found.final_url,
        "media_type": found.media_type[:200],
        "size_bytes": found.size_bytes,
        "width": found.width,
        "height": found.height,
        "checked_at": ground.clock.now(),
    }
    async with ground.db.transaction() as session:
        insert = tables.insert_for(session, LinkCheck).values(digest=digest(url), **values)
        await session.execute(insert.on_conflict_do_update(index_elements=["digest"], set_=values))


def digest(url: str) -> str:
    """The name under which an address is kept; a fragment leads to the same page."""
    return hashlib.sha256(urldefrag(url)[0].encode("utf-8", "replace")).hexdigest()


async def tidy(ground: Ground) -> int:
    """Forget what nobody asked about for long; how many that were."""
    oldest = ground.clock.now() - _KEPT
    async with ground.db.transaction() as session:
        gone = await session.execute(
            sa.delete(LinkCheck)
            .where(col(LinkCheck.checked_at) < oldest)
            .returning(col(LinkCheck.digest))
        )
        return len(gone.all())
