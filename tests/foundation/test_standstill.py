"""What matters stands still for a moment: nobody writes, everybody reads, no question is asked."""

import asyncio
import functools
import time
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa

from foundation import standstill
from foundation.database import Database
from foundation.snapshots import TRANSACTION, Snapshots
from foundation.standstill import Standstill
from tests.world import databases
from tests.world.databases import PostgresServer

LONG_S = 3600.0


@pytest.fixture
async def db(postgres: PostgresServer) -> AsyncIterator[Database]:
    """A database with a table that matters, and one that does not."""
    async with postgres.of_numbers("things", "others") as found:
        yield found


@pytest.fixture
async def snapshots(db: Database) -> AsyncIterator[Snapshots]:
    """Somebody who asks."""
    found = db.snapshots("SELECT number FROM others", ["things"])
    assert found is not None
    yield found
    await found.close()


@pytest.fixture
async def own(db: Database) -> AsyncIterator[asyncpg.Connection]:
    """A connection that is kept."""
    url = db.engine.url.set(drivername="postgresql")
    found = await asyncpg.connect(url.render_as_string(hide_password=False), ssl=False)
    yield found
    await found.close()


@pytest.fixture(autouse=True)
def lasting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A moment of an hour; who asks twice asks often, however slow this machine is."""
    monkeypatch.setattr(standstill, "LASTS_S", LONG_S)
    monkeypatch.setattr(standstill, "ASKS_S", LONG_S)
    monkeypatch.setattr(standstill, "SOON_S", LONG_S)


async def often(snapshots: Snapshots) -> str | None:
    """Ask until it pays to have all stand still; returns the stamp since when it does, if so."""
    await snapshots.stamp()
    stamp = await snapshots.stamp()
    assert stamp is not None
    assert snapshots.still() in (None, stamp)
    return snapshots.still()


async def written(db: Database, table: str = "things", number: int = 1) -> None:
    """A transaction that writes something."""
    async with db.transaction() as session:
        await session.execute(sa.text(f"INSERT INTO {table} VALUES ({number})"))


async def is_over(snapshots: Snapshots) -> None:
    """Wait until it has to be asked again."""
    # The driver hears of it, and announces nothing.
    while snapshots.still() is not None:  # noqa: ASYNC110
        await asyncio.sleep(0)


async def test_what_matters_is_committed_when_the_moment_is_over(
    db: Database, snapshots: Snapshots, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await often(snapshots)
    assert before is not None
    writing = asyncio.create_task(written(db))
    await databases.waits(db)
    assert snapshots.still() == before
    # Two clocks say that it is over; what the timer does comes then.
    monkeypatch.setattr(snapshots._standstill, "_until", 0.0)
    await snapshots._look()
    await writing
    assert snapshots.still() is None
    assert await snapshots.stamp() != before


async def test_who_reads_or_writes_something_else_does_not_wait(
    db: Database, snapshots: Snapshots
) -> None:
    still = await often(snapshots)
    await written(db, "others")
    async with db.reading() as session:
        await session.execute(sa.text("SELECT * FROM things"))
    assert still is not None
    assert snapshots.still() == still == await snapshots.stamp()


async def test_several_who_ask_do_not_wait_for_each_other(
    db: Database, snapshots: Snapshots
) -> None:
    other = db.snapshots("SELECT number FROM others", ["things"])
    assert other is not None
    assert await often(snapshots) is not None
    assert await often(other) is not None
    await other.close()


async def test_who_asks_seldom_is_no_trouble_to_anybody(db: Database, snapshots: Snapshots) -> None:
    assert await snapshots.stamp() is not None
    assert snapshots.still() is None
    await written(db)


async def test_who_is_writing_is_not_waited_for(db: Database, snapshots: Snapshots) -> None:
    async with db.transaction() as session:
        await session.execute(sa.text("INSERT INTO things VALUES (1)"))
        before = await snapshots.stamp()
        assert await often(snapshots) is None
    await written(db)
    assert await snapshots.stamp() != before


async def test_who_waits_to_write_goes_before_who_asks_again(
    db: Database, snapshots: Snapshots
) -> None:
    other = db.snapshots("SELECT number FROM others", ["things"])
    assert other is not None
    assert await often(snapshots) is not None
    writing = asyncio.create_task(written(db))
    await databases.waits(db)
    assert await often(other) is None
    await snapshots.close()
    await writing
    await other.close()


async def test_one_moment_follows_another_until_somebody_waits(
    db: Database, own: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Standstill(["things"], declared="SELECT number FROM others", timeout_s=5.0)
    first = await kept.begin(own)
    for later_s in (0.9 * LONG_S, 1.8 * LONG_S):
        seen = [kept.stamp() for _ in range(10)]
        assert seen == [first] * 10
        now = SimpleNamespace(
            monotonic=functools.partial(later, time.monotonic, later_s),
            time=functools.partial(later, time.time, later_s),
        )
        monkeypatch.setattr(standstill, "time", now)
        await kept.go_on()
        assert kept.stamp() == first
    writing = asyncio.create_task(written(db))
    await databases.waits(db)
    assert [kept.stamp() for _ in range(10)] == [first] * 10
    await kept.go_on()
    assert kept.stamp() is None
    await writing


def later(clock: Callable[[], float], seconds: float) -> float:
    """What a clock will say."""
    return clock() + seconds


async def test_it_is_looked_again_and_again_whether_somebody_waits(
    db: Database, snapshots: Snapshots, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standstill, "_FEW", -1)  # of use to whoever asks as seldom as this test
    assert await often(snapshots) is not None
    driver = snapshots._driver
    monkeypatch.setattr(standstill, "ASKS_S", 0.01)
    await snapshots._look()  # what the timer does
    assert snapshots.still() is not None
    await written(db)
    assert driver is not None
    assert not driver.is_closed(), "the server had to end it"


async def test_who_is_cancelled_when_it_had_begun_keeps_nobody_waiting(
    db: Database, snapshots: Snapshots, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And its connection is not the worse for it."""
    monkeypatch.setattr(standstill, "ASKS_S", 0.01)
    driver = await snapshots._open()
    fetch, has_begun = driver.fetch, asyncio.Event()

    async def hold(question: str, **named: Any) -> Any:
        if "handbill.still" in question:
            has_begun.set()
            await asyncio.Event().wait()
        return await fetch(question, **named)

    monkeypatch.setattr(type(driver), "fetch", staticmethod(hold))
    await snapshots.stamp()
    asking = asyncio.create_task(snapshots.stamp())
    await has_begun.wait()
    asking.cancel()
    await written(db)
    assert not driver.is_closed()


async def test_what_is_of_no_use_any_more_is_over(
    db: Database, snapshots: Snapshots, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standstill, "ASKS_S", 0.01)
    assert await often(snapshots) is not None
    held = sa.text("SELECT count(*) FROM pg_locks WHERE granted AND mode = 'ShareLock'")
    # The server has it, and announces nothing.
    while True:
        async with db.reading() as session:
            if not await session.scalar(held):
                return


async def test_a_time_in_which_all_stood_still_is_as_quiet_as_its_end(
    db: Database, own: asyncpg.Connection
) -> None:
    """However often others declared something meanwhile, in one row."""
    kept = Standstill(["things"], declared="SELECT number FROM others", timeout_s=5.0)
    first = await kept.begin(own)
    assert kept.newest(first) == first
    for number in (7, 8):
        await written(db, "others", number=number)
        for _ in range(10):
            assert kept.stamp() == first
        assert number in await kept.go_on()
    last = kept.newest(first)
    assert last != first
    await kept.end()
    assert kept.stamp() is None
    other = await kept.begin(own)
    assert (kept.newest(first), kept.newest(other)) == (last, other)


async def test_answers_of_its_beginning_hold_at_its_end_whatever_was_missed(
    db: Database, snapshots: Snapshots
) -> None:
    first = await often(snapshots)
    assert first is not None
    for _ in range(2):
        async with db.transaction() as session:
            await session.execute(sa.text("DELETE FROM others"))
            own = await session.scalar(sa.select(TRANSACTION))
            await session.execute(sa.text(f"INSERT INTO others VALUES ({own})"))
    for _ in range(10):
        assert snapshots.still() == first
    await snapshots._look()  # what the timer does
    other = db.snapshots("SELECT number FROM others")
    assert other is not None
    present = await other.stamp()
    await other.close()
    assert present is not None
    assert await snapshots.is_quiet(first, present)
    await snapshots.close()
    await written(db)
    later = await snapshots.stamp()
    assert later is not None
    assert not await snapshots.is_quiet(first, later)


async def test_who_stops_in_the_middle_keeps_nobody_waiting_for_long(
    db: Database, snapshots: Snapshots
) -> None:
    """A process that is frozen; the server ends its session."""
    assert await often(snapshots) is not None
    await written(db)
    await is_over(snapshots)
    assert await snapshots.stamp() is None
    assert await snapshots.stamp() is not None


async def test_who_closes_keeps_nobody_waiting(db: Database, snapshots: Snapshots) -> None:
    assert await often(snapshots) is not None
    await snapshots.close()
    async with db.transaction() as session:
        await session.execute(sa.text("LOCK TABLE things IN ROW EXCLUSIVE MODE NOWAIT"))


@pytest.mark.parametrize("clock", ["monotonic", "time"])
async def test_it_is_over_by_either_clock(
    snapshots: Snapshots, monkeypatch: pytest.MonkeyPatch, clock: str
) -> None:
    """While a machine sleeps, only one of them goes on."""
    assert await often(snapshots) is not None
    later = getattr(time, clock)() + LONG_S
    monkeypatch.setattr(time, clock, lambda: later)
    assert snapshots.still() is None


async def test_where_no_table_is_named_nothing_stands_still(db: Database) -> None:
    snapshots = db.snapshots("SELECT number FROM others")
    assert snapshots is not None
    assert await often(snapshots) is None
    await snapshots.close()
