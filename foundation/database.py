"""Opens the database and hands out sessions: SQLite in WAL mode by default, PostgreSQL by URL.

`reading()` gives a session for queries, `transaction()` one that commits at the end of the block or
rolls back when it raises; what many write together goes through `at_a_stretch()`. What takes
seconds is read `apart()`, over connections that nobody else waits for, and stops in the database
when whoever asked gives it up. On SQLite writers queue up in the process (one lock) and take the
write lock at once (`BEGIN IMMEDIATE`), so a read that turns into a write can't fail half-way.
"""

import asyncio
import contextlib
import os
import re
import sqlite3
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite
import sqlalchemy as sa
from sqlalchemy import event, exc
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import changes, errors, sqlite_threads
from foundation.finishing import finished
from foundation.i18n import N_
from foundation.snapshots import Snapshots
from foundation.stretches import Stretches, Work

_SQLITE_BUSY = re.compile(r"database is locked|disk is full|disk I/O error", re.IGNORECASE)
_SQLITE_FULL = "disk is full"
_POSTGRESQL_FULL = "53100"
_FULL_FOR_S = 30.0
"""A disk that was found full so lately passes for full: whoever sends tries again all the time."""
_POSTGRESQL_BUSY = ("08", "40", "53", "55P03", "57P", "58")
"""SQLSTATEs, or how they begin: connection, rollback by a deadlock, no space or no place left, lock
timeout, going down or not up yet, the system (PostgreSQL, appendix A)."""
_APART = 2
"""So many readings that take long go on at a time, so that they leave the others their share; on
two processors, one does.
"""
_NICE = 10
"""How far long readings stand back, of 19."""
_STOPPED_WITHIN_S = 0.05
"""How soon a statement is interrupted once more, that began after it was interrupted."""
_APART_IN_POSTGRESQL = {
    # What one step may hold: a list of a million people is hashed.
    "work_mem": "64MB",
    # One processor each: several took longer on two processors, and pages waited for them.
    "max_parallel_workers_per_gather": "0",
}
"""How long readings are made."""
_AT_ONCE_IN_POSTGRESQL = {
    # Some rows of many are asked for by number, and most are in memory. As if each were sought on a
    # spinning disk (4.0), whole tables are read for two hundred of them.
    "random_page_cost": "1.1",
}
"""How all others are."""
_CACHE_KB = 500
"""SQLite's own copy of pages of the file, for each connection: the system keeps them, too, and a
service sends as fast as with eight times as much.
"""
_CACHE_APART_KB = 32_000
_KEPT_OPEN = 4
"""So many connections to a SQLite file stay open when nobody uses them. Others, which are opened
when many ask at once, are closed again: to open one takes a millisecond, to keep it a megabyte.
"""
_OLDEST_SQLITE = (3, 38)
"""The first with `->>`, by which `foundation.rows` takes a list apart as PostgreSQL does."""

Answer = TypeVar("Answer")


class Database:
    """One database, as the whole process uses it."""

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        apart: AsyncEngine,
        at_a_stretch: Engine | None,
        busy_timeout_s: float,
    ) -> None:
        self.engine = engine
        self._apart = apart
        self._stretches = Stretches(at_a_stretch) if at_a_stretch is not None else None
        self._places_apart = asyncio.Semaphore(max(1, min(_APART, (os.cpu_count() or 1) - 1)))
        self._busy_timeout_s = busy_timeout_s
        self.dialect = engine.dialect.name
        self._writing = engine.execution_options(sqlite_begin="IMMEDIATE")
        # Several queries of one page see one state; SQLite's read transactions do so by themselves.
        self._reading = self._of_one_state(engine)
        self._reading_apart = self._of_one_state(apart)
        self._writers = asyncio.Lock() if self.dialect == "sqlite" else None
        self._file = (engine.url.database or "") if self.dialect == "sqlite" else None
        self._full_at: float | None = None
        if self._file is not None:
            changes.opened(self._file)

    @property
    def is_writing(self) -> bool:
        """Whether a transaction of this process holds SQLite's one place for a writer."""
        return self._writers is not None and self._writers.locked()

    @property
    def is_full(self) -> bool:
        """Whether something could not be written by this process lately, for want of room."""
        return self._full_at is not None and time.monotonic() - self._full_at < _FULL_FOR_S

    @contextlib.asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A session that sees one consistent state and changes nothing.

        Raises `errors.Busy` when the database can't be reached.
        """
        with _busy_is_said():
            async with AsyncSession(self._reading, expire_on_commit=False) as session:
                yield session

    async def apart(self, work: Callable[[AsyncSession], Coroutine[Any, Any, Answer]]) -> Answer:
        """Have `work` read what takes long; it sees one consistent state and changes nothing.

        One or two at a time do so in this process, others wait. When whoever waits is cancelled,
        the statement ends in the database, too. Raises `errors.Busy` when that can't be reached.
        """
        with _busy_is_said():
            async with (
                self._places_apart,
                AsyncSession(self._reading_apart, expire_on_commit=False) as session,
            ):
                opened = await (await session.connection()).get_raw_connection()
                reading = asyncio.create_task(work(session))
                try:
                    return await asyncio.shield(reading)
                finally:
                    await _stop(reading, opened.driver_connection)

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A session whose changes are all kept at the end of the block, or none if it raises.

        Raises `errors.Busy` when the database is locked or gone, `errors.NoRoom` when it is full.
        """
        with self._want_of_room_is_noted(), _busy_is_said():
            async with self._writers or contextlib.nullcontext():
                async with AsyncSession(self._writing, expire_on_commit=False) as session:
                    async with session.begin():
                        yield session

    async def at_a_stretch(self, work: Work[Answer]) -> Answer:
        """Have `work` done in a transaction of its own, handed over to the database once.

        For what very many wait for: `work` may wait for its session and for nothing else. On
        SQLite it runs in another thread; PostgreSQL's answers come by the loop anyhow. Raises
        `errors.Busy` as `transaction` does.
        """
        if self._stretches is None or self._writers is None:
            async with self.transaction() as session:
                return await work(session)
        with self._want_of_room_is_noted(), _busy_is_said():
            async with self._writers:
                return await self._stretches.through(work)

    def changes(self) -> changes.Changes | None:
        """Tells of commits, to be closed by who asked before this is; None for PostgreSQL."""
        return changes.Changes(self._file) if self._file is not None else None

    def snapshots(self, declared: str, written: Collection[str] = ()) -> Snapshots | None:
        """The same for PostgreSQL; None for SQLite.

        `declared` is SQL for the numbers of transactions that say that they concern nobody; others
        write into one of the tables `written`, if any are named.
        """
        if self.dialect != "postgresql":
            return None
        return Snapshots(
            self.engine, declared=declared, written=written, timeout_s=self._busy_timeout_s
        )

    async def close(self) -> None:
        """Give back every connection, even if whoever closes it is cancelled meanwhile."""
        await finished(self._close())

    async def _close(self) -> None:
        async with contextlib.AsyncExitStack() as one_after_another:
            if self._file is not None:
                one_after_another.callback(changes.closed, self._file)
                self._file = None
            if self._stretches is not None:
                one_after_another.push_async_callback(self._stretches.close)
            for engine in (self._apart, self.engine):
                one_after_another.push_async_callback(engine.dispose)

    @contextlib.contextmanager
    def _want_of_room_is_noted(self) -> Iterator[None]:
        try:
            yield
        except errors.NoRoom:
            self._full_at = time.monotonic()
            raise

    def _of_one_state(self, engine: AsyncEngine) -> AsyncEngine:
        if self.dialect != "postgresql":
            return engine
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def connect(url: str, *, busy_timeout_s: float = 5.0, pool_size: int = 10) -> Database:
    """A database by URL: `sqlite:///var/handbill.db` or `postgresql://user:password@host/name`.

    Makes the SQLite file's folder. Raises `errors.ConfigProblem` for any other kind of URL, and for
    a SQLite that is too old.
    """
    parsed = make_url(url)
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
            raise errors.ConfigProblem(
                N_(
                    "This Python brings SQLite %(found)s, but %(oldest)s or newer is needed: "
                    "use a newer Python, or PostgreSQL."
                ),
                found=sqlite3.sqlite_version,
                oldest=".".join(map(str, _OLDEST_SQLITE)),
            )
        if parsed.database and parsed.database != ":memory:":
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        opened = _open_sqlite
    elif backend == "postgresql":
        opened = _open_postgresql
    else:
        raise errors.ConfigProblem(
            N_("The database URL starts with “%(backend)s”; use sqlite:/// or postgresql://."),
            backend=backend,
        )
    return Database(
        opened(parsed, busy_timeout_s=busy_timeout_s, pool_size=pool_size),
        apart=opened(parsed, busy_timeout_s=busy_timeout_s, pool_size=_APART, is_apart=True),
        at_a_stretch=_open_plainly(parsed, busy_timeout_s) if backend == "sqlite" else None,
        busy_timeout_s=busy_timeout_s,
    )


def _open_sqlite(
    url: URL, *, busy_timeout_s: float, pool_size: int, is_apart: bool = False
) -> AsyncEngine:
    address = url.set(drivername="sqlite+aiosqlite")
    arguments = {
        "timeout": busy_timeout_s,
        "isolation_level": None,
        "async_creator_fn": sqlite_threads.connection,
    }
    if is_apart:
        # Opened for one reading that takes long: its large cache goes when that has ended.
        engine = create_async_engine(address, poolclass=sa.NullPool, connect_args=arguments)
        _arrange_sqlite(engine.sync_engine, _prepare_apart)
        return engine
    kept = min(_KEPT_OPEN, pool_size)
    engine = create_async_engine(
        address,
        pool_size=kept,
        max_overflow=2 * pool_size - kept,
        pool_use_lifo=True,
        connect_args=arguments,
    )
    _arrange_sqlite(engine.sync_engine, _prepare_sqlite)
    return engine


def _open_plainly(url: URL, busy_timeout_s: float) -> Engine:
    """One connection to a SQLite file that is used without the loop, opened when it is needed."""
    engine = sa.create_engine(
        url.set(drivername="sqlite+pysqlite"),
        pool_size=1,
        max_overflow=0,
        connect_args={
            "timeout": busy_timeout_s,
            "isolation_level": None,
            "check_same_thread": False,
        },
    )
    _arrange_sqlite(engine, _prepare_sqlite)
    return engine.execution_options(sqlite_begin="IMMEDIATE")


def _arrange_sqlite(engine: Engine, prepare: Callable[[Any, object], None]) -> None:
    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", _begin_sqlite)
    event.listen(engine, "invalidate", _let_go_of_sqlite)


def _open_postgresql(
    url: URL, *, busy_timeout_s: float, pool_size: int, is_apart: bool = False
) -> AsyncEngine:
    settings = {
        "timezone": "UTC",
        "lock_timeout": f"{busy_timeout_s * 1000:.0f}",
        # Compiling a statement takes longer than nearly all of ours run.
        "jit": "off",
    }
    return create_async_engine(
        url.set(drivername="postgresql+asyncpg"),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        connect_args={
            "timeout": busy_timeout_s,
            "server_settings": settings
            | (_APART_IN_POSTGRESQL if is_apart else _AT_ONCE_IN_POSTGRESQL),
        },
    )


def _prepare_sqlite(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        # FULL keeps a commit through a loss of power, not only through the end of the process.
        "synchronous=FULL",
        "foreign_keys=ON",
        # What is sorted goes to a file when it is more than the cache holds, not into memory: to
        # tell a million recipients apart took 57 MB of it.
        "temp_store=FILE",
        f"cache_size=-{_CACHE_KB}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _prepare_apart(connection: Any, record: object) -> None:
    _prepare_sqlite(connection, record)
    cursor = connection.cursor()
    # Whole tables are read: room for more of their pages, and nothing is written by mistake.
    for pragma in (f"cache_size=-{_CACHE_APART_KB}", "query_only=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    # Each connection has a thread of its own, and what is asked of it runs there.
    connection.create_function("let_others_first", 0, _let_others_first)
    cursor.execute("SELECT let_others_first()")
    cursor.close()


def _let_others_first() -> None:
    """Pages that somebody waits for get the processor before this thread; on Linux alone, where
    threads have priorities of their own (sched(7)).
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)


def _begin_sqlite(connection: Connection) -> None:
    mode = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {mode}")


def _let_go_of_sqlite(connection: Any, _record: object, _problem: object) -> None:
    """Give the lock back of whoever was cut off in the middle, before their connection is closed.

    As long as anything refers to a statement of it, and an exception's traceback does, SQLite keeps
    a closed connection alive with its lock (`sqlite3_close_v2`), and nobody could write.
    """
    with contextlib.suppress(Exception):
        connection.rollback()


async def _stop(reading: asyncio.Task[Any], driver: Any) -> None:
    """See a reading to its end: at once where it has ended, soon where it is given up."""
    reading.cancel()
    while not reading.done():
        # PostgreSQL is told by the driver that is cancelled; SQLite's thread goes on if not told.
        if isinstance(driver, aiosqlite.Connection):
            await driver.interrupt()
        await asyncio.wait([reading], timeout=_STOPPED_WITHIN_S)
    if not reading.cancelled():
        reading.exception()  # who gave it up does not ask


@contextlib.contextmanager
def _busy_is_said() -> Iterator[None]:
    try:
        yield
    except (exc.DBAPIError, exc.TimeoutError, OSError) as problem:
        if isinstance(problem, exc.DBAPIError) and not _may_pass(problem):
            raise
        if isinstance(problem, exc.DBAPIError) and _is_about_room(problem):
            raise errors.NoRoom(
                N_(
                    "The database's disk is full. Nothing was lost: what waits is written "
                    "when there is room again."
                )
            ) from problem
        raise errors.Busy(
            N_("The database can't be used just now. Nothing was lost; try again in a moment.")
        ) from problem


def _may_pass(problem: exc.DBAPIError) -> bool:
    """Whether it is no fault of the statement, so that the same may work later."""
    return (
        isinstance(problem, exc.InterfaceError)
        or problem.connection_invalidated
        or str(getattr(problem.orig, "sqlstate", "")).startswith(_POSTGRESQL_BUSY)
        or _SQLITE_BUSY.search(str(problem.orig)) is not None
    )


def _is_about_room(problem: exc.DBAPIError) -> bool:
    """Whether the disk on which it should be written is full."""
    sqlstate = getattr(problem.orig, "sqlstate", "")
    return sqlstate == _POSTGRESQL_FULL or _SQLITE_FULL in str(problem.orig)


async def backup(db: Database, target: Path) -> None:
    """Write a consistent copy of a SQLite database to `target` while the service runs.

    Raises `errors.Refused` for PostgreSQL, which has its own tool, and when `target` exists.
    """
    if db.dialect != "sqlite":
        raise errors.Refused(
            N_("This database is PostgreSQL: use pg_dump, which copies it while it runs.")
        )
    if await asyncio.to_thread(target.exists):
        raise errors.Refused(N_("%(file)s exists already; choose another name."), file=str(target))
    source = db.engine.url.database or ""
    await asyncio.to_thread(_copy_sqlite, source, target)


def _copy_sqlite(source: str, target: Path) -> None:
    part = target.with_name(target.name + ".part")
    with contextlib.closing(sqlite3.connect(source)) as original:
        with contextlib.closing(sqlite3.connect(part)) as copy:
            original.backup(copy)
    part.replace(target)


async def is_writable(db: Database) -> bool:
    """Whether a change is kept; tried on the one row of Alembic's table, which stays as it is."""
    try:
        if db.is_writing:
            async with db.reading() as session:
                await session.execute(sa.text("SELECT 1"))
            return True
        async with db.transaction() as session:
            await session.execute(sa.text("UPDATE alembic_version SET version_num = version_num"))
    except errors.Busy:
        return False
    return True
