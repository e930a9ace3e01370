"""Finds entries of the audit log, page by page, and writes them to files.

Nothing is counted and no page is skipped over: with millions of entries each answer reads one
stretch of an index, of (who, id), (what, id), (object, id) or of the entries themselves.
"""

import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, time, timedelta

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import cells
from foundation.accounts.models import Staff
from foundation.audit import ActorKind, AuditEntry
from foundation.frozen import frozen
from foundation.ground import Ground

PAGE = 50
_CHUNK = 1000
_SKEW = 1000
"""Entries that several processes write at once may have moments and numbers in another order."""
COLUMNS = ("at", "who", "kind", "action", "object", "number", "before", "after")


@frozen
class Wanted:
    """Which entries; blank and None mean all."""

    staff_id: int | None = None
    kind: ActorKind | None = None
    """Programs, the command line, or Handbill itself."""
    action: str = ""
    object_kind: str = ""
    object_id: str = ""
    since: date | None = None
    until: date | None = None
    """The last day, in the site's zone as `since` is."""


@frozen
class Page:
    """Entries, newest first, and where the next page begins."""

    entries: Sequence[AuditEntry]
    after: int | None


async def page(ground: Ground, *, wanted: Wanted, after: int | None = None) -> Page:
    """One page of the entries before the number `after`."""
    async with ground.db.reading() as session:
        statement = await _statement(ground, session, wanted)
        found = await _before(session, statement, after, limit=PAGE + 1)
    shown = found[:PAGE]
    return Page(entries=shown, after=shown[-1].id if len(found) > PAGE else None)


async def actions(ground: Ground) -> Sequence[str]:
    """Every kind of change that was ever logged; hops from one to the next along the index."""
    name = col(AuditEntry.action)
    hops = sa.select(sa.func.min(name).label("action")).cte("hops", recursive=True)
    following = sa.select(sa.func.min(name)).where(name > hops.c.action).scalar_subquery()
    hops = hops.union_all(sa.select(following).where(hops.c.action.is_not(None)))
    statement = sa.select(hops.c.action).where(hops.c.action.is_not(None)).order_by(hops.c.action)
    async with ground.db.reading() as session:
        return (await session.execute(statement)).scalars().all()


async def people(ground: Ground) -> Sequence[Staff]:
    """Whose changes may be asked for."""
    async with ground.db.reading() as session:
        statement = select(Staff).order_by(col(Staff.is_active).desc(), col(Staff.email_key))
        return (await session.exec(statement)).all()


async def csv_pieces(ground: Ground, *, wanted: Wanted) -> AsyncIterator[bytes]:
    """A CSV file in pieces, newest first."""
    yield cells.lines([COLUMNS]).encode("utf-8-sig")
    async for entries in _all(ground, wanted):
        rows = [[_text(value) for value in _values(entry)] for entry in entries]
        yield cells.lines(rows).encode()


async def json_pieces(ground: Ground, *, wanted: Wanted) -> AsyncIterator[bytes]:
    """JSON lines in pieces, newest first."""
    async for entries in _all(ground, wanted):
        said = (dict(zip(COLUMNS, _values(entry), strict=True)) for entry in entries)
        yield "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in said).encode()


async def _all(ground: Ground, wanted: Wanted) -> AsyncIterator[Sequence[AuditEntry]]:
    after = None
    while True:
        async with ground.db.reading() as session:
            statement = await _statement(ground, session, wanted)
            found = await _before(session, statement, after, limit=_CHUNK)
        if not found:
            return
        yield found
        after = found[-1].id


async def _before(
    session: AsyncSession, statement: sa.Select[AuditEntry], after: int | None, *, limit: int
) -> Sequence[AuditEntry]:
    if after is not None:
        statement = statement.where(col(AuditEntry.id) < after)
    ordered = statement.order_by(col(AuditEntry.id).desc()).limit(limit)
    return (await session.execute(ordered)).scalars().all()


async def _statement(
    ground: Ground, session: AsyncSession, wanted: Wanted
) -> sa.Select[AuditEntry]:
    given = {
        col(AuditEntry.staff_id): wanted.staff_id,
        col(AuditEntry.actor_kind): wanted.kind.value if wanted.kind else None,
        col(AuditEntry.action): wanted.action or None,
        col(AuditEntry.object_kind): wanted.object_kind or None,
        col(AuditEntry.object_id): wanted.object_id or None,
    }
    conditions = [column == value for column, value in given.items() if value is not None]
    at, number = col(AuditEntry.at), col(AuditEntry.id)
    if wanted.since is not None:
        since = _begins(ground, wanted.since)
        first = sa.select(number).where(at >= since).order_by(at, number).limit(1)
        bound = (await session.execute(first)).scalar_one_or_none()
        conditions += [at >= since, number >= (bound or 0) - _SKEW]
    if wanted.until is not None:
        until = _begins(ground, wanted.until + timedelta(days=1))
        last = sa.select(number).where(at < until).order_by(at.desc(), number.desc()).limit(1)
        bound = (await session.execute(last)).scalar_one_or_none()
        conditions += [at < until, number <= (bound or 0) + _SKEW]
    return sa.select(AuditEntry).where(*conditions)


def _begins(ground: Ground, day: date) -> datetime:
    return datetime.combine(day, time.min, ground.settings.site.tzinfo).astimezone(UTC)


def _values(entry: AuditEntry) -> tuple[object, ...]:
    return (
        entry.at.isoformat(),
        entry.actor_label,
        entry.actor_kind,
        entry.action,
        entry.object_kind,
        entry.object_id,
        entry.before,
        entry.after,
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
