"""Alembic's entry: runs the scripts on the connection that `migrate` or the maker handed in."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from foundation import tables


def _write_type(kind: str, item: Any, autogenerate: AutogenContext) -> str | Literal[False]:
    """Spell our column kinds in plain SQLAlchemy, so that old scripts never need today's code."""
    if kind != "type":
        return False
    if isinstance(item, tables.UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if isinstance(item, tables.Json):
        autogenerate.imports.add("from sqlalchemy.dialects import postgresql")
        return "sa.JSON().with_variant(postgresql.JSONB(), 'postgresql')"
    if type(item).__module__.startswith("sqlmodel"):
        return "sa.String()"
    return False


tables.say_some()
connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=tables.METADATA,
    render_as_batch=connection.dialect.name == "sqlite",
    render_item=_write_type,
    compare_type=True,
)
context.run_migrations()
