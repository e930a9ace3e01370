"""What takes long is found beside the page; what nobody waits for any more stops."""

import asyncio

import pytest
import sqlalchemy as sa
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation.asides import Asides, Asked, GivenUp
from foundation.database import Database
from foundation.ground import Ground

_ENDLESS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
    " SELECT count(*) FROM n",
    "postgresql": "SELECT pg_sleep(600)",
}
"""A statement that nobody would wait for."""
_AT_WORK = sa.text(
    "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(600)%'"
    " AND pid <> pg_backend_pid() AND datname = current_database()"
)


async def ended(db: Database) -> None:
    """Wait until the database works at nothing endless any more."""
    while db.dialect == "postgresql":
        async with db.reading() as session:
            if not await session.scalar(_AT_WORK):
                return
        await asyncio.sleep(0)


@pytest.mark.storage
async def test_what_was_given_up_has_ended_when_all_is_closed(ground: Ground) -> None:
    """A connection that is in use when the database is closed is closed by nobody."""
    db, began, has_ended = ground.db, asyncio.Event(), False

    async def endless(session: AsyncSession) -> None:
        nonlocal has_ended
        began.set()
        try:
            await session.execute(sa.text(_ENDLESS[db.dialect]))
        finally:
            has_ended = True

    async def quick(session: AsyncSession) -> int:
        return int(await session.scalar(sa.select(1)) or 0)

    asides = Asides(db, patience_s=0)
    await asides.ask(Asked(place="page", question="long"), endless)
    await began.wait()
    await asides.ask(Asked(place="page", question="short"), quick)
    await asides.close()
    assert has_ended


@pytest.mark.storage
async def test_whoever_gives_a_long_reading_up_stops_the_database_too(ground: Ground) -> None:
    db, began = ground.db, asyncio.Event()

    async def endless(session: AsyncSession) -> None:
        began.set()
        await session.execute(sa.text(_ENDLESS[db.dialect]))

    for _ in range(3):  # more than there are places: each was given back
        began.clear()
        reading = asyncio.create_task(db.apart(endless))
        await began.wait()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
    await ended(db)

    async def one(session: AsyncSession) -> int:
        return int(await session.scalar(sa.text("SELECT 1")) or 0)

    assert await db.apart(one) == 1


@pytest.mark.storage
async def test_a_newer_question_of_a_page_gives_the_older_one_up(ground: Ground) -> None:
    asides = Asides(ground.db, patience_s=0)
    began, asked = asyncio.Event(), 0

    async def endless(session: AsyncSession) -> int:
        began.set()
        await session.execute(sa.text(_ENDLESS[ground.db.dialect]))
        return 0

    async def quick(session: AsyncSession) -> int:
        nonlocal asked
        asked += 1
        return int(await session.scalar(sa.text("SELECT 7")) or 0)

    assert await asides.ask(Asked(place="page", question="old"), endless) is None
    waiting = asyncio.create_task(
        asides.ask(Asked(place="page", question="old", is_again=True), endless)
    )
    await began.wait()
    assert await asides.ask(Asked(place="page", question="new"), quick) is None
    with pytest.raises(GivenUp):
        await waiting
    # What was found meanwhile is there for the page that comes back for it, and asked once.
    assert await asides.ask(Asked(place="page", question="new", is_again=True), quick) == 7
    assert asked == 1
    await asides.close()


@pytest.mark.storage
async def test_what_another_page_waits_for_is_not_given_up(ground: Ground) -> None:
    asides = Asides(ground.db, patience_s=0)
    may_end = asyncio.Event()

    async def shared(session: AsyncSession) -> int:
        await may_end.wait()
        return int(await session.scalar(sa.text("SELECT 7")) or 0)

    async def other(session: AsyncSession) -> int:
        return int(await session.scalar(sa.text("SELECT 8")) or 0)

    for page in ("mine", "yours"):
        assert await asides.ask(Asked(place=page, question="shared"), shared) is None
    assert await asides.ask(Asked(place="mine", question="other"), other) is None
    may_end.set()
    assert await asides.ask(Asked(place="yours", question="shared", is_again=True), shared) == 7
    await asides.close()


@pytest.mark.storage
async def test_an_answer_is_found_once_for_all_parts_of_a_page_and_for_all_that_come_back(
    ground: Ground,
) -> None:
    asked = 0

    async def counted(session: AsyncSession) -> int:
        nonlocal asked
        asked += 1
        return int(await session.scalar(sa.text("SELECT 7")) or 0)

    patient, hasty = Asides(ground.db, patience_s=60), Asides(ground.db, patience_s=0)
    page = patient.begin(Asked(place="page", question="how many"), counted)
    assert [await page.answer(), await page.answer()] == [7, 7]
    assert asked == 1
    assert await patient.ask(Asked(place="page", question="how many"), counted) == 7
    assert asked == 2, "a page that is loaded anew is counted anew"
    shown = hasty.begin(Asked(place="page", question="how many"), counted)
    assert [await shown.answer(), await shown.answer()] == [None, None]
    again = Asked(place="page", question="how many", is_again=True)
    # Each part comes back by itself, the second when the first is there already.
    assert [await hasty.ask(again, counted), await hasty.ask(again, counted)] == [7, 7]
    assert asked == 3
    await hasty.close()
