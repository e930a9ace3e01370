"""What a bulletin needs of somebody: a few columns, read for many people at once."""

import functools
import json
import types
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import portions, rows
from foundation.ground import Ground
from subscribers import members
from subscribers.models import Subscriber


class Recipient(NamedTuple):
    """A person as merge fields and links need them; the names are `Subscriber`'s."""

    id: int
    email: str
    first_name: str
    last_name: str
    language: str
    postal_code: str
    town: str
    allows_tracking: bool
    own_fields: str = "{}"
    """`Subscriber.fields` as JSON: few bulletins ask for any."""
    is_member: bool = False
    """Whether they are a confirmed contact of an approved member, if that was asked for."""

    @property
    def fields(self) -> Mapping[str, str]:
        """Own fields of the site, by name."""
        return _parsed(self.own_fields)


@functools.lru_cache(maxsize=256)
def _parsed(own_fields: str) -> Mapping[str, str]:
    return types.MappingProxyType(json.loads(own_fields))


async def by_id(
    session: AsyncSession, ids: Sequence[int], *, with_membership: bool = False
) -> dict[int, Recipient]:
    """Those of `ids` who are still there."""
    statement = _WITH_MEMBERSHIP if with_membership else _RECIPIENTS
    connection = await session.connection()
    found = await connection.scalar(statement, {"people": rows.packed([number] for number in ids)})
    people: dict[int, Recipient] = {}
    async for some in portions.of(rows.unpacked(found)):
        people |= {row[0]: _recipient(row) for row in some}
    return people


def _recipient(row: Sequence[Any]) -> Recipient:
    """A row as it was gathered; SQLite says 0 and 1 for yes and no."""
    *others, allows_tracking, own_fields, is_member = row
    return Recipient._make([*others, bool(allows_tracking), own_fields, bool(is_member)])


async def one(ground: Ground, *, subscriber_id: int) -> Recipient | None:
    """One of them, with all that can be asked about them; None when they are gone."""
    async with ground.db.reading() as session:
        found = await by_id(session, [subscriber_id], with_membership=True)
    return found.get(subscriber_id)


def _recipients(is_member: sa.ColumnElement[Any]) -> sa.Select[str]:
    """All who are listed, gathered: a row by itself would hold up the mail on the wire."""
    columns = [getattr(Subscriber, name) for name in Recipient._fields[:8]]
    # As text: nobody reads into it before a message asks.
    own_fields = sa.cast(col(Subscriber.fields), sa.Text)
    return sa.select(rows.gathered(*map(col, columns), own_fields, is_member)).where(
        col(Subscriber.id).in_(sa.select(rows.Rows("people").number(0)))
    )


_RECIPIENTS = _recipients(sa.literal_column("0"))
# One look into the index on `member_contacts.subscriber_id` for each person more.
_WITH_MEMBERSHIP = _recipients(members.contact_exists_for(col(Subscriber.id)))
