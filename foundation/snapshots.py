"""Tells in one small question whether anybody committed anything to a PostgreSQL since.

`pg_current_snapshot()` says which transactions have ended. Two equal answers: none that wrote
anything has ended between them, so that whatever was read at the first is true at the second. Of
two that differ it can be told which transactions lie between them, by number. A transaction that
concerns nobody who asks may declare so: its number stands in a row that it writes itself. Whatever
is not known to be such, counts as something that matters.

Who asks very often has what matters stand still meanwhile: see `foundation/standstill.py`.
"""

import asyncio
import contextlib
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from foundation import standstill, tables
from foundation.standstill import Standstill

if TYPE_CHECKING:
    import asyncpg

_QUESTION = "SELECT pg_current_snapshot()::text"
TRANSACTION = sa.cast(sa.cast(sa.func.pg_current_xact_id(), sa.Text), tables.BIG)
"""SQL: the number of the transaction that asks; none has the same again."""
_FAR = 1000
"""With more transactions than this between two stamps, nobody looks what they were."""


class Mark(NamedTuple):
    """A moment in a transaction of one's own, which nobody else sees yet."""

    stamp: str
    """Whatever is read after it is as new, or newer."""
    transaction: int
    """Its number."""


class Snapshots:
    """Asks over one connection that is kept, as nothing else would do it in time."""

    def __init__(
        self, engine: AsyncEngine, *, declared: str, written: Collection[str], timeout_s: float
    ) -> None:
        """`declared` is SQL for the numbers of transactions that say that they concern nobody.

        Each that matters writes into one of the tables `written`, or nothing is ever held up.
        """
        self._engine = engine
        self._declared = declared
        self._timeout_s = timeout_s
        self._asking = asyncio.Lock()
        self._kept: AsyncConnection | None = None
        self._driver: asyncpg.Connection | None = None
        self._quiet: set[int] = set()
        self._standstill = Standstill(written, declared=declared, timeout_s=timeout_s)
        self._timer: asyncio.TimerHandle | None = None
        self._looking: asyncio.Task[None] | None = None

    def still(self) -> str | None:
        """A stamp from which on nothing that matters was committed; None: it has to be asked."""
        return self._standstill.stamp()

    async def stamp(self) -> str | None:
        """Two equal stamps: nothing was committed between them. None: nobody can say just now."""
        still = self.still()
        if still is not None:
            return still
        if not self._standstill.is_worth_it():
            found = await self._fetch(_QUESTION)
            return found[0][0] if found else None
        async with self._asking:
            try:
                return await self._standstill.begin(self._driver or await self._open())
            except Exception:  # noqa: BLE001 - the driver raises of all kinds when it is cut off
                await self._give_up()
                return None
            finally:
                # Whoever asked may have been cancelled when it had begun.
                if self._standstill.is_begun:
                    self._look_again()

    def _look_again(self) -> None:
        """In a while, whether somebody waits for what stands still to be over."""
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(standstill.ASKS_S, self._begin_to_look)

    def _begin_to_look(self) -> None:
        self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        """Have it go on, or end it."""
        async with self._asking:
            try:
                if self._standstill.is_over:
                    await self._standstill.end()
                else:
                    self.learn(*await self._standstill.go_on())
            except Exception:  # noqa: BLE001 - as above
                await self._give_up()
            if self._standstill.is_begun:
                self._look_again()

    async def is_quiet(self, one: str, other: str) -> bool:
        """Whether nothing was committed between two stamps but what concerns nobody."""
        between = _between(self._standstill.newest(one), self._standstill.newest(other))
        if between is None:
            return False
        if not between <= self._quiet:
            # Whoever has ended by the later stamp is seen by now, with what they declared.
            self.learn(*(number for (number,) in await self._fetch(self._declared) or ()))
        return between <= self._quiet

    def learn(self, *transactions: int) -> None:
        """These concern nobody, as soon as they are committed."""
        self._quiet.update(transactions)
        if len(self._quiet) > 2 * _FAR:
            self._quiet = set(sorted(self._quiet)[-_FAR:])

    async def _fetch(self, question: str) -> "list[asyncpg.Record] | None":
        async with self._asking:
            try:
                driver = self._driver or await self._open()
                found: list[Any] = await driver.fetch(question, timeout=self._timeout_s)
            except Exception:  # noqa: BLE001 - the driver raises of all kinds when it is cut off
                await self._give_up()
                return None
            return found

    async def _open(self) -> "asyncpg.Connection":
        self._kept = await self._engine.connect()
        # Straight to the driver: no transaction is begun around the question.
        driver: asyncpg.Connection = (await self._kept.get_raw_connection()).driver_connection
        self._driver = driver
        return driver

    async def close(self) -> None:
        """Give the connection back."""
        async with self._asking:
            if self._timer is not None:
                self._timer.cancel()
            try:
                await self._standstill.end()
            except Exception:  # noqa: BLE001 - as above
                await self._give_up()
        kept, self._kept, self._driver = self._kept, None, None
        if kept is not None:
            try:
                await kept.close()
            except Exception:  # noqa: BLE001 - of no use any more, whatever it says
                self._kept = kept
                await self._give_up()

    async def _give_up(self) -> None:
        """Let go of a connection that is of no use, and of all that was learned meanwhile.

        Another server may stand there now, or one that lost its last commits and gives the same
        numbers to other transactions.
        """
        kept, self._kept, self._driver = self._kept, None, None
        self._quiet.clear()
        self._standstill.forget()
        if kept is not None:
            with contextlib.suppress(Exception):
                await kept.invalidate()
            with contextlib.suppress(Exception):
                await kept.close()


def _between(one: str, other: str) -> set[int] | None:
    """Transactions that have ended at one of two stamps and not at the other; None: too many."""
    (ends, still), (other_ends, other_still) = _parsed(one), _parsed(other)
    if abs(ends - other_ends) > _FAR:
        return None
    ended = {*range(other_ends, ends), *(number for number in other_still if number < ends)}
    other_ended = {*range(ends, other_ends), *(number for number in still if number < other_ends)}
    return (ended - still) | (other_ended - other_still)


def _parsed(stamp: str) -> tuple[int, set[int]]:
    """The first number that has not ended, nor any after it; and those before it that have not.

    Written as xmin:xmax:list (PostgreSQL's manual, `pg_snapshot`).
    """
    _, ends, still = stamp.split(":")
    return int(ends), set(map(int, still.split(","))) if still else set()
