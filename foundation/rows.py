"""Many rows in one parameter of a statement: a JSON list that the database takes apart itself.

A statement that is run once for each row, or that has a parameter for each of a thousand numbers,
is put together in Python value by value; this one is put together once, and SQLite works through
the list without holding up the rest of the process. What such a statement finds can come back in
the same way, see `gathered`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction
from sqlmodel import SQLModel

from foundation import tables

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite


class _Each(GenericFunction[Any]):
    """A table of the entries of a JSON list, in its column `value`."""

    name = "json_each"
    inherit_cache = True


@compiles(_Each, "postgresql")
def _each_on_postgresql(element: _Each, compiler: SQLCompiler, **options: Any) -> str:
    return f"jsonb_array_elements(CAST({compiler.process(element.clauses, **options)} AS JSONB))"


class _Moment(GenericFunction[datetime]):
    """A moment as `packed` writes it, as the engine keeps moments: SQLite keeps the very text."""

    name = "kept_moment"
    inherit_cache = True
    type = tables.UtcDateTime()


@compiles(_Moment)
def _moment(element: _Moment, compiler: SQLCompiler, **options: Any) -> str:
    return str(compiler.process(element.clauses, **options))


@compiles(_Moment, "postgresql")
def _moment_on_postgresql(element: _Moment, compiler: SQLCompiler, **options: Any) -> str:
    text = compiler.process(element.clauses, **options)
    return f"CAST({text} AS TIMESTAMP WITH TIME ZONE)"


class _Day(GenericFunction[date]):
    """A day as the engine keeps days."""

    name = "kept_day"
    inherit_cache = True
    type = sa.Date()


@compiles(_Day)
def _day(element: _Day, compiler: SQLCompiler, **options: Any) -> str:
    return str(compiler.process(element.clauses, **options))


@compiles(_Day, "postgresql")
def _day_on_postgresql(element: _Day, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **options)} AS DATE)"


class _Gathered(GenericFunction[str]):
    """Columns of all rows that a query finds, in one text."""

    name = "gathered"
    inherit_cache = True
    type = sa.String()


@compiles(_Gathered)
def _gathered(element: _Gathered, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_group_array(json_array({compiler.process(element.clauses, **options)}))"


@compiles(_Gathered, "postgresql")
def _gathered_on_postgresql(element: _Gathered, compiler: SQLCompiler, **options: Any) -> str:
    columns = compiler.process(element.clauses, **options)
    return f"CAST(json_agg(json_build_array({columns})) AS TEXT)"


class Rows:
    """A list of rows as a statement's source; the parameter `name` takes what `packed` gives."""

    def __init__(self, name: str, within: sa.ColumnElement[Any] | None = None) -> None:
        """`within` is a column of another list, whose rows each hold such rows again."""
        listed = sa.bindparam(name, type_=sa.String) if within is None else within
        self.table = sa.func.json_each(listed).table_valued("value", name=f"{name}_each")
        """What a join starts from."""

    def number(self, position: int) -> sa.ColumnElement[Any]:
        """A column of whole numbers or NULL."""
        return sa.cast(self._column(position), tables.BIG)

    def text(self, position: int) -> sa.ColumnElement[Any]:
        """A column of text or NULL."""
        return sa.type_coerce(self._column(position), sa.String)

    def moment(self, position: int) -> sa.ColumnElement[Any]:
        """A column of moments or NULL."""
        return _Moment(self._column(position))

    def day(self, position: int) -> sa.ColumnElement[Any]:
        """A column of days, packed as ISO 8601 text; SQLite keeps the very text."""
        return _Day(self._column(position))

    def document(self, position: int) -> sa.ColumnElement[Any]:
        """A column of lists or objects, as `tables.json_list` and `json_dict` keep them."""
        return self.table.c.value.op("->")(sa.literal_column(str(position)))

    def _column(self, position: int) -> sa.ColumnElement[Any]:
        return self.table.c.value.op("->>")(sa.literal_column(str(position)))


def insertion(
    dialect: str, table: type[SQLModel], source: Rows, columns: Mapping[str, Any]
) -> "postgresql.Insert | sqlite.Insert":
    """Puts every row of a list into a table, in the order of the list's first column, a number.

    `columns` says for each column of the table what goes there, of the list or the same for all.
    """
    ordered = (
        sa.select(*columns.values())
        .select_from(source.table)
        .where(sa.true())  # without it, SQLite takes ON CONFLICT for a part of the join
        .order_by(source.number(0))
    )
    return tables.insert_on(dialect, table).from_select(list(columns), ordered)


def packed(rows: Iterable[Sequence[Any]]) -> str:
    """Rows as the parameter of a statement over `Rows`."""
    return _encode(list(rows))


def gathered(*columns: Any) -> sa.ColumnElement[str]:
    """What a query finds as one value, which `unpacked` takes apart: numbers and texts, any order.

    A row that is fetched alone is made in Python, and on SQLite gives the interpreter away and
    waits for it again; this is done once for all.
    """
    return sa.func.gathered(*columns)


def unpacked(found: str | None) -> list[list[Any]]:
    """The rows of a query for `gathered`."""
    rows: list[list[Any]] = json.loads(found) if found else []
    return rows


def written(moment: datetime) -> str:
    """A moment as `tables.UtcDateTime` keeps it on SQLite."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.isoformat(" ", "microseconds").removesuffix("+00:00")


def read(gathered: str) -> datetime:
    """A moment as it was `gathered`: SQLite keeps UTC, PostgreSQL says how far from it."""
    moment = datetime.fromisoformat(gathered)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False, default=written).encode
"""It need not look whether rows hold themselves: they are made for it."""
