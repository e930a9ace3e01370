"""What every table is made of: the base class, column kinds that mean the same on both engines.

SQLite and PostgreSQL keep time, JSON and large integers in different ways; these helpers make one
declaration serve both. Nothing here opens a connection.
"""

import contextlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa
from pydantic_core import PydanticUndefined
from sqlalchemy import event
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.orm import Mapper
from sqlalchemy.orm.attributes import QueryableAttribute
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import Field, SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.sqltypes import AutoString

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

NAMING = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
SQLModel.metadata.naming_convention = NAMING
METADATA = SQLModel.metadata

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


class Json(TypeDecorator[Any]):
    """A document: text on SQLite, JSONB on PostgreSQL."""

    impl = sa.JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The engine's own type; PostgreSQL's is only loaded where that is used."""
        if dialect.name != "postgresql":
            return dialect.type_descriptor(sa.JSON())
        from sqlalchemy.dialects import postgresql

        return dialect.type_descriptor(postgresql.JSONB())


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, aware and in UTC on the way in and out.

    PostgreSQL keeps `timestamptz`; SQLite keeps the UTC wall time as text, which sorts well.
    """

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the database; a naive datetime is a mistake of the caller."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a zone can't be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(  # the dialect is SQLAlchemy's to pass
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002
    ) -> datetime | None:
        """From the database, aware and in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Table(SQLModel):
    """Base of every table. SQLite never gives an erased row's number to somebody else.

    Rows are made by our own code, so that validators for them are never built.
    """

    model_config = {"defer_build": True}
    __table_args__: Any = {"sqlite_autoincrement": True}

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Let go of what a class was written with, once its fields are understood.

        pydantic keeps it to read fields again whose kinds were not known yet: each `Field(…)` a
        second time, and all that SQLModel had at hand as it made the class.
        """
        super().__pydantic_init_subclass__(**kwargs)
        # Names that are not public: where a later pydantic calls them otherwise, it keeps it all.
        with contextlib.suppress(AttributeError):
            if cls.__pydantic_fields_complete__:
                cls.__pydantic_parent_namespace__ = None
                for field in cls.model_fields.values():
                    field._original_assignment = PydanticUndefined  # noqa: SLF001


_SHARED: dict[type[TypeEngine[Any]], TypeEngine[Any]] = {
    kind: kind() for kind in (AutoString, Json, UtcDateTime)
}


@event.listens_for(sa.Column, "before_parent_attach")
def _share_type(column: sa.Column[Any], _table: sa.Table) -> None:
    """One type for all columns of a kind.

    SQLAlchemy makes a class for each such type that it meets, to compare columns with: five
    kilobytes for each of 550 columns.
    """
    if getattr(column.type, "length", None) is None:
        column.type = _SHARED.get(type(column.type), column.type)


@event.listens_for(Mapper, "after_mapper_constructed")
def _give_listeners(mapper: Mapper[Any], _class: type[Any]) -> None:
    """A place for those who listen to a column's changes, before SQLAlchemy looks for one.

    Its look falls through to the column as statements have it, which is made for that: two and a
    half kilobytes for each column of each table, whether a statement ever names it or not.
    """
    kind: Any = QueryableAttribute
    attribute: Any
    # As above: where a later SQLAlchemy calls them otherwise, it looks as it does by itself.
    with contextlib.suppress(AttributeError):
        for attribute in mapper.class_manager.values():
            attribute._slots_dispatch = kind.dispatch._for_instance(attribute)  # noqa: SLF001


def index_of_some(name: str, *columns: str, where: sa.TextClause) -> sa.Index:
    """An index that holds only the rows for which `where` is true.

    PostgreSQL's word for that is added by `say_some`: it loads the whole of SQLAlchemy's dialect,
    three megabytes that a site on SQLite can do without.
    """
    index = sa.Index(name, *columns, sqlite_where=where)
    _OF_SOME.append(index)
    return index


_OF_SOME: list[sa.Index] = []


def say_some() -> None:
    """Says of each index of some rows which these are on PostgreSQL, for who makes tables there."""
    for index in _OF_SOME:
        index.dialect_kwargs["postgresql_where"] = index.dialect_kwargs["sqlite_where"]


def identity() -> Any:
    """The primary key: a number given by the database."""
    return Field(default=None, primary_key=True, sa_type=BIG)


def reference(
    target: str,
    *,
    nullable: bool = False,
    index: bool = True,
    ondelete: Literal["CASCADE", "SET NULL", "RESTRICT"] = "CASCADE",
) -> Any:
    """A foreign key to `table.column`; by default the row goes with what it refers to."""
    kwargs: dict[str, Any] = {"default": None} if nullable else {}
    return Field(
        **kwargs, foreign_key=target, nullable=nullable, index=index, ondelete=ondelete, sa_type=BIG
    )


def loose_reference(*, index: bool = True) -> Any:
    """A number of a row on a higher floor, or of one that may be gone; not enforced."""
    return Field(default=None, nullable=True, index=index, sa_type=BIG)


def moment(*, index: bool = False) -> Any:
    """A moment that is always there."""
    return Field(nullable=False, index=index, sa_type=UtcDateTime)


def maybe_moment(*, index: bool = False) -> Any:
    """A moment that may not have come yet."""
    return Field(default=None, nullable=True, index=index, sa_type=UtcDateTime)


def json_list() -> Any:
    """A JSON column that starts as an empty list. Assign a new list to change it."""
    return Field(default_factory=list, nullable=False, sa_type=Json)


def json_dict() -> Any:
    """A JSON column that starts as an empty object. Assign a new dictionary to change it."""
    return Field(default_factory=dict, nullable=False, sa_type=Json)


def long_text(default: str = "") -> Any:
    """A text without a limit of its own in the database."""
    return Field(default=default, nullable=False, sa_type=sa.Text)


def insert_for(session: AsyncSession, table: type[SQLModel]) -> "postgresql.Insert | sqlite.Insert":
    """An INSERT that knows `on_conflict_do_update` and `on_conflict_do_nothing` on this engine."""
    return insert_on(session.get_bind().dialect.name, table)


def insert_on(dialect: str, table: type[SQLModel]) -> "postgresql.Insert | sqlite.Insert":
    """The same by the engine's name, for statements that are put together once."""
    target = sa.inspect(table).local_table
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(target)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(target)


async def draw_numbers(session: AsyncSession, table: type[Table], amount: int) -> list[int]:
    """Numbers for rows that the caller's transaction is about to add, in rising order.

    For who adds many rows with others that refer to them, and need not ask for their numbers then.
    On SQLite the transaction has to hold the place for a writer, as ours do.
    """
    name = str(table.__tablename__)
    if session.get_bind().dialect.name == "postgresql":
        sequence = sa.func.pg_get_serial_sequence(name, "id")
        drawn = sa.select(sa.func.nextval(sequence)).select_from(
            sa.func.generate_series(1, sa.bindparam("amount", amount)).alias("each")
        )
        return sorted(await session.scalars(drawn))
    own = sa.inspect(table).local_table
    given = sa.select(_SEQUENCES.c.seq).where(_SEQUENCES.c.name == name).scalar_subquery()
    # What was erased last counts where the table remembers it; the newest row does anyhow.
    last = await session.execute(sa.select(sa.func.max(own.c.id), given))
    newest = max(number or 0 for number in last.one())
    return list(range(newest + 1, newest + 1 + amount))


_SEQUENCES = sa.table("sqlite_sequence", sa.column("name", sa.String), sa.column("seq", BIG))
