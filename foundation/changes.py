"""Tells in well under a microsecond whether anybody committed anything to a SQLite file since.

A database in WAL mode has an index of its log in shared memory, in a file beside it. Every commit
rewrites the index's header, last of all, so that whoever can see the commit sees another header
(https://www.sqlite.org/walformat.html#the_wal_index_header). Looking takes no lock.
"""

import collections
import mmap
import os
import sqlite3
import sys
from pathlib import Path

_HEADER_OCTETS = 48
_COUNTER = slice(8, 12)
"""Of commits, in the machine's own order of octets."""


class Changes:
    """The header of one database's index, as seen by somebody who never writes."""

    def __init__(self, path: str) -> None:
        # SQLite keeps the index as long as a connection that has read something is open.
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        self._index = _mapped(path)

    def stamp(self) -> bytes | None:
        """Two equal stamps: nothing was committed between them. None: there is no index."""
        return self._index[:_HEADER_OCTETS] if self._index is not None else None

    def close(self) -> None:
        """Let go of the database."""
        self._index = None
        self._connection.close()


def is_next(before: bytes, after: bytes) -> bool:
    """Whether exactly one commit lies between two stamps."""
    first, second = (int.from_bytes(stamp[_COUNTER], sys.byteorder) for stamp in (before, after))
    return second == (first + 1) % 2**32


class _Maps:
    """The indexes of one database file that are mapped here, each with its open file.

    Closing a file ends all locks that this process has on it, SQLite's too (POSIX.1, fcntl), so a
    file is only closed when the process has no connection to the database any more.
    """

    def __init__(self) -> None:
        self.users = 0
        self._found: dict[tuple[int, int], tuple[int, mmap.mmap]] = {}

    def get(self, path: str) -> mmap.mmap | None:
        try:
            now = Path(path).stat()
        except FileNotFoundError:
            return None
        name = (now.st_dev, now.st_ino)
        if name not in self._found:
            file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            mapped = mmap.mmap(file, mmap.PAGESIZE, mmap.MAP_SHARED, mmap.PROT_READ)
            self._found[name] = file, mapped
        return self._found[name][1]

    def close(self) -> None:
        for file, mapped in self._found.values():
            mapped.close()
            os.close(file)
        self._found.clear()


_maps: dict[str, _Maps] = collections.defaultdict(_Maps)


def _mapped(path: str) -> mmap.mmap | None:
    return _maps[os.path.realpath(path)].get(f"{path}-shm")


def opened(path: str) -> None:
    """This process is about to use a database."""
    _maps[os.path.realpath(path)].users += 1


def closed(path: str) -> None:
    """Every connection for one who called `opened` is closed."""
    name = os.path.realpath(path)
    _maps[name].users -= 1
    if _maps[name].users <= 0:
        _maps.pop(name).close()
