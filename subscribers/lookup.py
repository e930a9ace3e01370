"""People by their address, and members, partners and forms by a word of their names."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import addresses, errors
from foundation.ground import Ground
from foundation.i18n import N_
from foundation.lookup import Asked, Place
from subscribers.models import Form, Member, Partner, Subscriber

_MOST = 2000
"""So many of each kind are looked through."""
_KINDS = (
    (Member, N_("Members"), "/staff/members"),
    (Partner, N_("Partners"), "/staff/partners"),
    (Form, N_("Forms"), "/staff/forms"),
)


async def find(ground: Ground, asked: Asked) -> Sequence[Place]:
    """What this floor has; see `foundation.lookup.Finder`. A person needs the whole address."""
    found: list[Place] = []
    async with ground.db.reading() as session:
        found += await _person(session, asked.text)
        for table, kind, path in _KINDS:
            number, name = col(table.id), col(table.name)
            rows = await session.execute(
                sa.select(number, name).order_by(number.desc()).limit(_MOST)
            )
            found += asked.among(
                (name, Place(kind=kind, name=name, path=f"{path}/{number}"))
                for number, name in rows.all()
            )
    return found


async def _person(session: AsyncSession, text: str) -> list[Place]:
    try:
        key = addresses.parse(text).key
    except errors.Invalid:
        return []
    statement = sa.select(col(Subscriber.id), col(Subscriber.email))
    rows = await session.execute(statement.where(col(Subscriber.email_key) == key))
    return [
        Place(kind=N_("People"), name=email, path=f"/staff/people/{number}")
        for number, email in rows.all()
    ]
