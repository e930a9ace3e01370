"""Merge fields that leave a hole where somebody gave us nothing."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import audiences
from campaigns.audiences import Resolved
from campaigns.compiling import Compiled, Looked
from campaigns.models import Bulletin
from campaigns.preflight import items, places
from campaigns.preflight.items import Item, Place
from foundation.i18n import N_, NN_
from subscribers.models import Subscriber
from templates import slots
from templates.slots import Slot

_PERSON = "subscriber."
_ALWAYS_THERE = frozenset({"subscriber.email", "subscriber.language"})
_COLUMNS: Mapping[str, Any] = {
    f"{_PERSON}first_name": col(Subscriber.first_name),
    f"{_PERSON}last_name": col(Subscriber.last_name),
    f"{_PERSON}postal_code": col(Subscriber.postal_code),
    f"{_PERSON}town": col(Subscriber.town),
}


async def look(
    session: AsyncSession, bulletin: Bulletin, looked: Looked, mine: Resolved | None
) -> list[Item]:
    """A line for each field that nothing stands in for, with how many of `mine` see the hole."""
    where: dict[str, Place] = {}
    for compiled in looked.editions.values():
        for name in _bare(compiled):
            where.setdefault(name, places.holding(bulletin.id, looked, compiled, name))
    if not where:
        return [items.good("fields", N_("No merge field can leave a hole."))]
    blank = await _blank(session, mine, list(where)) if mine is not None else {}
    return [_told(name, place, blank.get(name)) for name, place in where.items()]


def _told(name: str, place: Place, blank: int | None) -> Item:
    field = f"{{{{ {name} }}}}"
    if blank is None:
        return items.warn(
            "field-without-default",
            N_("Nothing stands in for %(field)s where it is blank."),
            place=place, about=name, field=field,
        )  # fmt: skip
    return items.warn(
        "field-without-default",
        NN_(
            "Nothing stands in for %(field)s, and %(count)s person has none.",
            "Nothing stands in for %(field)s, and %(count)s people have none.",
        ),
        place=place, about=name, field=field, count=blank,
    )  # fmt: skip


def _bare(compiled: Compiled) -> list[str]:
    """The personal fields of an edition without a default."""
    plan = compiled.plan
    segments = (*plan.subject_segments, *plan.html_segments, *plan.text_segments)
    found = [
        part.name
        for part in slots.shown(segments, None)
        if isinstance(part, Slot) and part.name.startswith(_PERSON) and not part.default
    ]
    return sorted(set(found) - _ALWAYS_THERE)


async def _blank(session: AsyncSession, mine: Resolved, names: list[str]) -> dict[str, int]:
    """Of how many people of the audience each field is blank, in one query."""
    columns = {name: _COLUMNS[name] for name in names if name in _COLUMNS}
    if not columns:
        return {}
    counts = [sa.func.count().filter(column == "") for column in columns.values()]
    row = await session.execute(sa.select(*counts).where(audiences.is_included(mine)))
    return dict(zip(columns, row.one(), strict=True))
