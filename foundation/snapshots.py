"""Tells in one small question whether anybody committed anything to a PostgreSQL since.

`pg_current_snapshot()` says which transactions have ended. Two equal answers: none that wrote
anything has ended between them, so that whatever was read at the first is true at the second.
"""

import contextlib
from typing import TYPE_CHECKING

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

if TYPE_CHECKING:
    import asyncpg

_QUESTION = "SELECT pg_current_snapshot()::text"


class Snapshots:
    """Asks over one connection that is kept, as nothing else would do it in time."""

    def __init__(self, engine: AsyncEngine, *, timeout_s: float) -> None:
        self._engine = engine
        self._timeout_s = timeout_s
        self._kept: AsyncConnection | None = None
        self._driver: asyncpg.Connection | None = None

    async def stamp(self) -> str | None:
        """Two equal stamps: nothing was committed between them. None: nobody can say just now."""
        try:
            driver = self._driver or await self._open()
            found: str = await driver.fetchval(_QUESTION, timeout=self._timeout_s)
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
        kept, self._kept, self._driver = self._kept, None, None
        if kept is not None:
            try:
                await kept.close()
            except Exception:  # noqa: BLE001 - of no use any more, whatever it says
                self._kept = kept
                await self._give_up()

    async def _give_up(self) -> None:
        """Let go of a connection that is of no use."""
        kept, self._kept, self._driver = self._kept, None, None
        if kept is not None:
            with contextlib.suppress(Exception):
                await kept.invalidate()
            with contextlib.suppress(Exception):
                await kept.close()
