"""What a bulletin needs of somebody: a few columns, read for many people at once."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import rows
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
    fields: Mapping[str, str]
    allows_tracking: bool
    is_member: bool = False
    """Whether they are a confirmed contact of an approved member, if that was asked for."""


async def by_id(
    session: AsyncSession, ids: Sequence[int], *, with_membership: bool = False
) -> dict[int, Recipient]:
    """Those of `ids` who are still there."""
    statement = _WITH_MEMBERSHIP if with_membership else _RECIPIENTS
    found = await session.execute(statement, {"people": rows.packed([number] for number in ids)})
    return {row[0]: Recipient(*row) for row in found.all()}


async def one(ground: Ground, *, subscriber_id: int) -> Recipient | None:
    """One of them, with all that can be asked about them; None when they are gone."""
    async with ground.db.reading() as session:
        found = await by_id(session, [subscriber_id], with_membership=True)
    return found.get(subscriber_id)


# Plain columns: a mapped object for each of 100,000 people costs more than their messages.
_RECIPIENTS = sa.select(
    *(col(getattr(Subscriber, name)) for name in Recipient._fields if name != "is_member")
).where(col(Subscriber.id).in_(sa.select(rows.Rows("people").number(0))))
# One look into the index on `member_contacts.subscriber_id` for each person more.
_WITH_MEMBERSHIP = _RECIPIENTS.add_columns(members.contact_exists_for(col(Subscriber.id)))
