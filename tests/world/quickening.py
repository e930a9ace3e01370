"""What tests need not do again and again.

They need not compile the same statements, wait for the disk or for a worker's next look, or make
passwords dear to guess.
"""

import functools
from typing import Any

from argon2 import PasswordHasher
from sqlalchemy import event
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.orm import configure_mappers
from sqlalchemy.util import LRUCache

from foundation import i18n
from foundation.config import Settings
from foundation.database import Database

LOOK_S = 0.1
"""How often a worker looks for what is due, five times as often as one that is not tested."""
_STATEMENTS = 20_000
_COMPILED: dict[str, LRUCache[Any, Any]] = {}
"""By dialect: statements that some test has had compiled."""


def quicken(db: Database) -> None:
    """Each statement is compiled once for all tests of a process, and none waits for the disk."""
    compiled = _COMPILED.setdefault(db.dialect, LRUCache(_STATEMENTS))
    for engine in (db.engine, db._reading, db._writing, db._reading_apart):
        engine.sync_engine._compiled_cache = compiled
    if db.dialect == "sqlite":
        event.listen(db.engine.sync_engine, "connect", _spare_disk)
    if db._stretches is not None:
        plain = db._stretches.engine
        plain._compiled_cache = _COMPILED.setdefault("plain", LRUCache(_STATEMENTS))
        event.listen(plain, "connect", _spare_disk)


def warm_up() -> None:
    """Read and put together what every program does when it begins, before it is forked."""
    site = Settings().site
    i18n.load(languages=site.languages, default=site.language, zone=site.zone)
    configure_mappers()


@functools.cache
def cheap_hasher() -> PasswordHasher:
    """What it hashes is guessed soon, and nobody is there to guess."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def _spare_disk(connection: Any, _record: object) -> None:
    # Nothing in a test database has to survive a loss of power.
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous = OFF")
    cursor.close()


def _is_same_kind(dialect: object, other: object) -> bool:
    return type(dialect) is type(other)


def _hash_of_kind(dialect: object) -> int:
    return hash(type(dialect))


for _kind in (SQLiteDialect_aiosqlite, SQLiteDialect_pysqlite, PGDialect_asyncpg):
    # A dialect is part of what a compiled statement is found by; ours are set up in one way.
    _kind.__eq__ = _is_same_kind  # type: ignore[method-assign]
    _kind.__hash__ = _hash_of_kind  # type: ignore[method-assign, assignment]
