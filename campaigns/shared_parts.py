"""What is written once and stands in many bulletins: kept with its earlier states, never lost.

`snippets.py` and `mail_templates.py` say what such a part is (`Kind`) and what may be kept; here it
is saved over the version that somebody saw, brought back, and taken away while nothing holds it.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import remaking
from campaigns.models import Bulletin
from foundation import audit, errors
from foundation.audit import Actor
from foundation.frozen import frozen
from foundation.ground import Ground

_VERSIONS = 100
Values = Mapping[str, Any]
Row = TypeVar("Row", bound=Any)
Version = TypeVar("Version", bound=Any)


@frozen
class Kind(Generic[Row, Version]):
    """One kind of part: its tables, and its words."""

    name: str
    """What the log calls it."""
    table: type[Row]
    versions: type[Version]
    owner: str
    """The column of an earlier state that names what it is of."""
    content: str
    """The column that holds what it says; a change of it shows in bulletins."""
    uses: Callable[[AsyncSession, int], Awaitable[Sequence[Bulletin]]]
    """The bulletins that hold one, by its number."""
    unknown: str
    """Says that there is none of this number."""
    gone: str
    """Says that there is no such earlier state."""
    changed: str
    """Says that somebody else was faster."""
    held: str
    """Says which bulletins hold it: `%(names)s`."""


async def get(session: AsyncSession, kind: Kind[Row, Any], number: int) -> Row:
    """One by its number. Raises `errors.NotFound`."""
    found = await session.get(kind.table, number)
    if found is None:
        raise errors.NotFound(kind.unknown)
    return found


async def listed(session: AsyncSession, kind: Kind[Row, Any]) -> Sequence[Row]:
    """All of a kind, by name."""
    statement = select(kind.table).order_by(kind.table.name, kind.table.id)
    return (await session.exec(statement)).all()


async def save(
    ground: Ground,
    session: AsyncSession,
    kind: Kind[Row, Any],
    *,
    actor: Actor,
    row: Row,
    version: int,
    values: Values,
) -> int:
    """Give a part that was seen at `version` other values; says how many bulletins show it now.

    The state before is kept. Raises `errors.Conflict` when somebody else changed it meanwhile.
    """
    table, before = kind.table, getattr(row, kind.content)
    earlier = kind.versions(
        **{kind.owner: row.id, kind.content: before},
        version=row.version,
        name=row.name,
        saved_by=row.updated_by,
        saved_at=row.updated_at,
    )
    claimed = await session.execute(
        sa.update(table)
        .where(col(table.id) == row.id, col(table.version) == version)
        .values(
            **values, version=version + 1, updated_by=actor.label, updated_at=ground.clock.now()
        )
        .returning(col(table.id))
    )
    if claimed.first() is None:
        raise errors.Conflict(kind.changed)
    session.add(earlier)
    await session.refresh(row)
    log(
        ground, session, kind, actor, row, "saved",
        before={"name": earlier.name, "version": version},
        after={"name": row.name, "version": version + 1},
    )  # fmt: skip
    if getattr(row, kind.content) == before:
        return 0
    return await remaking.remake(
        ground,
        session,
        actor=actor,
        bulletin_ids=[each.id for each in await kind.uses(session, row.id)],
        because=f"{kind.name.removeprefix('mail_')} {row.key}",
    )


async def delete(
    ground: Ground, session: AsyncSession, kind: Kind[Any, Any], *, actor: Actor, number: int
) -> None:
    """Take away what no bulletin holds. Raises `errors.Refused`, `errors.NotFound`."""
    row = await get(session, kind, number)
    used = await kind.uses(session, number)
    if used:
        names = ", ".join(f"“{each.name}”" for each in used[:5])
        raise errors.Refused(kind.held, names=names)
    said = {"name": row.name, kind.content: getattr(row, kind.content)}
    log(ground, session, kind, actor, row, "deleted", before=said)
    await session.delete(row)


async def versions(
    session: AsyncSession, kind: Kind[Any, Version], number: int
) -> Sequence[Version]:
    """Earlier states, newest first."""
    table = kind.versions
    statement = (
        select(table)
        .where(getattr(table, kind.owner) == number)
        .order_by(col(table.version).desc())
        .limit(_VERSIONS)
    )
    return (await session.exec(statement)).all()


async def earlier(ground: Ground, kind: Kind[Any, Version], number: int, wanted: int) -> Version:
    """One earlier state. Raises `errors.NotFound`."""
    async with ground.db.reading() as session:
        found = await session.get(kind.versions, (number, wanted))
    if found is None:
        raise errors.NotFound(kind.gone)
    return found


def log(
    ground: Ground, session: AsyncSession, kind: Kind[Any, Any], actor: Actor, row: Any, verb: str,
    *, before: Values | None = None, after: Values | None = None,
) -> None:  # fmt: skip
    """Note what was done with a part."""
    audit.record(
        session,
        actor=actor,
        at=ground.clock.now(),
        action=f"{kind.name}.{verb}",
        object_kind=kind.name,
        object_id=row.id,
        before=dict(before or {}),
        after=dict(after or {}),
    )
