"""Has what matters stand still for a moment, in a PostgreSQL, for who would ask about it often.

The tables in which it stands are locked in a mode that keeps everybody from writing into them and
nobody from reading. Until the moment is over, nothing that matters is committed, and no question is
needed; whoever wants to write waits for no longer than that, and goes first afterwards. As long as
nobody does, one moment follows another without a break. Who would have to wait for somebody that
writes does without.
"""

import math
import time
from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncpg

LASTS_S = 0.04
"""So long others wait at most, whoever holds up how many of them."""
ASKS_S = 0.02
"""How soon it is asked whether anybody waits: as a rule they wait for no longer than this."""
SOON_S = 0.01
"""Who asks again so soon is worth it."""
_FEW = 4
"""Not worth it any more: it saved no more questions than this."""
_BESIDE_OTHERS_S = 0.1
"""How long it is not tried again where somebody was writing."""
_BEGIN = """
    BEGIN ISOLATION LEVEL READ COMMITTED;
    DO $$
    BEGIN
        PERFORM set_config('idle_in_transaction_session_timeout', '1000', true);
        LOCK TABLE {tables} IN SHARE MODE NOWAIT;
        PERFORM set_config('handbill.still', 'yes', true);
    EXCEPTION WHEN lock_not_available THEN
        NULL;
    END
    $$
"""
"""In a block, as a statement that fails leaves a line in PostgreSQL's log. A process that is frozen
in the middle keeps others waiting for a second."""
_QUESTION = """
    SELECT pg_current_snapshot()::text, coalesce(current_setting('handbill.still', true), '')
"""
_GO_ON = """
    SELECT pg_current_snapshot()::text, ARRAY({declared}), EXISTS (
        SELECT FROM pg_locks WHERE NOT granted AND locktype = 'relation' AND relation IN ({tables})
    )
"""
_END = "COMMIT"


class Standstill:
    """One moment after another; who uses it sees to it that two of its verbs never run at once."""

    def __init__(self, tables: Collection[str], *, declared: str, timeout_s: float) -> None:
        """`tables` are those in which all that matters is written; see `Snapshots` for the others.

        Without any table, it is never worth it.
        """
        self._begin = _BEGIN.format(tables=", ".join(tables)) if tables else ""
        numbers = ", ".join(f"'{name}'::regclass" for name in tables)
        self._go_on = _GO_ON.format(tables=numbers, declared=declared)
        self._timeout_s = timeout_s
        self._driver: asyncpg.Connection | None = None
        """Over which it was begun, until it is ended there."""
        self._stamp: str | None = None
        self._newest: dict[str, str] = {}
        """The newest stamp that says the same, of this moment's first and of the last one's."""
        self._until = self._until_by_wall = 0.0
        self._saved = 0
        self._asked_at = self._refused_at = -math.inf

    @property
    def is_begun(self) -> bool:
        """Whether others may be waiting: it has to be ended."""
        return self._driver is not None

    def stamp(self) -> str | None:
        """The stamp at which all stands still now; None: it has to be asked for."""
        if self._stamp is None or self._driver is None or self.is_over or self._driver.is_closed():
            return None
        self._saved += 1
        return self._stamp

    @property
    def is_over(self) -> bool:
        """Whether the moment that was begun last is over."""
        # A clock that never jumps stops while the machine sleeps; the other one does not.
        return time.monotonic() >= self._until or time.time() >= self._until_by_wall

    def is_worth_it(self) -> bool:
        """Whether whoever asks now asks often, and nobody was in the way lately."""
        tick = time.monotonic()
        is_soon = tick - max(self._asked_at, self._until) < SOON_S
        if self._stamp is not None:
            is_soon = is_soon and self._saved > _FEW
            self._stamp = None
        self._asked_at = tick
        return bool(self._begin) and is_soon and tick - self._refused_at >= _BESIDE_OTHERS_S

    async def begin(self, driver: "asyncpg.Connection") -> str:
        """Ask, and have all stand still from there on if nobody is writing; gives the stamp.

        Raises what the driver does.
        """
        self._stamp, self._saved = None, 0
        tick, wall = time.monotonic(), time.time()
        ended = f"{_END};" if self.is_begun else ""
        self._driver = driver
        await driver.execute(ended + self._begin, timeout=self._timeout_s)
        # By a statement of its own: what it sees is as new as the lock, or newer.
        ((stamp, still),) = await driver.fetch(_QUESTION, timeout=self._timeout_s)
        if still:
            self._until, self._until_by_wall = tick + LASTS_S, wall + LASTS_S
            last = [*self._newest.items()][-1:]
            self._newest = dict([*last, (stamp, stamp)])
            self._stamp = stamp
        else:
            self._refused_at = time.monotonic()
            await self.end()
        return str(stamp)

    async def go_on(self) -> Collection[int]:
        """Have another moment follow this one if it is of use and nobody waits; else it is over.

        Gives the numbers that are declared now. Raises what the driver does.
        """
        driver, first, saved = self._driver, self._stamp, self._saved
        if driver is None or first is None:
            return ()
        if saved <= _FEW:
            await self.end()
            return ()
        self._saved = 0
        tick, wall = time.monotonic(), time.time()
        ((stamp, numbers, is_waited_for),) = await driver.fetch(
            self._go_on, timeout=self._timeout_s
        )
        if self.is_over:  # meanwhile, and somebody may have been told so
            await self.end()
            return ()
        self._newest[first] = stamp
        if is_waited_for:
            await self.end()
        else:
            self._until, self._until_by_wall = tick + LASTS_S, wall + LASTS_S
        return list(numbers)

    def newest(self, stamp: str) -> str:
        """The newest stamp that says the same as this one, as all stood still in between."""
        return self._newest.get(stamp, stamp)

    async def end(self) -> None:
        """Let others write. Raises what the driver does."""
        driver, self._driver, self._until = self._driver, None, 0.0
        if driver is not None:
            await driver.execute(_END, timeout=self._timeout_s)

    def forget(self) -> None:
        """The connection is of no use any more."""
        self._driver = self._stamp = None
