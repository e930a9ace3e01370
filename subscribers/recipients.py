"""What a bulletin needs of somebody: a few columns, read for many people at once."""

import functools
import json
import types
from collections.abc import Mapping, Sequence
from typing import NamedTuple

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
    found = await connection.execute(statement, {"people": rows.packed([number] for number in ids)})
    people: dict[int, Recipient] = {}
    async for some in portions.of(found.all()):
        people |= {row[0]: Recipient(*row) for row in some}
    return people


async def one(ground: Ground, *, subscriber_id: int) -> Recipient | None:
    """One of them, with all that can be asked about them; None when they are gone."""
    async with ground.db.reading() as session:
        found = await by_id(session, [subscriber_id], with_membership=True)
    return found.get(subscriber_id)


# Plain columns: a mapped object for each of 100,000 people costs more than their messages.
_RECIPIENTS = sa.select(
    *(col(getattr(Subscriber, name)) for name in Recipient._fields[:8]),
    # PostgreSQL's driver would parse it.
    sa.cast(col(Subscriber.fields), sa.Text),
).where(col(Subscriber.id).in_(sa.select(rows.Rows("people").number(0))))
# One look into the index on `member_contacts.subscriber_id` for each person more.
_WITH_MEMBERSHIP = _RECIPIENTS.add_columns(members.contact_exists_for(col(Subscriber.id)))
