"""Tells in a few microseconds whether anybody committed anything to a SQLite file since.

SQLite counts the commits of other connections (`PRAGMA data_version`); looking at the counter
takes no lock that a writer waits for.
"""

import sqlite3


class Changes:
    """The counter of one database file, as seen by a connection that never writes."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, timeout=0)

    def stamp(self) -> int | None:
        """Two equal stamps: nothing was committed between them. None: SQLite can't say just now."""
        try:
            found: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
        except sqlite3.Error:
            return None
        return found

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()
