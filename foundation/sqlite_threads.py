"""Connections to SQLite, each with a thread of its own that ends once, however often it is told to.

A task that is cut off while its connection is being closed has it stopped once more. aiosqlite then
waits for its thread to do what it was told after its end, and so does SQLAlchemy: for ever.
"""

import asyncio
import sqlite3
from typing import Any

import aiosqlite

_FETCHED_AT_ONCE = 64
"""As aiosqlite has it; rows that are asked for one by one come so many at a time."""


class Connection(aiosqlite.Connection):
    """As aiosqlite's, but for `stop`."""

    _is_stopped = False
    _end: "asyncio.Future[Any] | None" = None

    def stop(self) -> "asyncio.Future[Any] | None":
        """End the thread; what is given is done when it has ended, None where no loop runs."""
        if not self._is_stopped:
            self._is_stopped = True
            self._end = super().stop()
        return self._end


def connection(file: str, **options: Any) -> Connection:
    """One that opens a file when it is awaited; `options` are those of `sqlite3.connect`."""
    made = Connection(lambda: sqlite3.connect(file, **options), _FETCHED_AT_ONCE)
    # A process that ends waits for nobody's thread.
    made._thread.daemon = True  # noqa: SLF001 - as SQLAlchemy does for those that it makes
    return made
